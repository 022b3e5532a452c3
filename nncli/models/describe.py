"""A Keras model as plain rows, for tables and diagrams."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from nncli.models.applications import APPLICATIONS
from nncli.results import LayerRow


def describe(model: Any) -> tuple[LayerRow, ...]:
    """One row for the input and one for each layer; a nested model is one row."""
    first = LayerRow(
        name="input",
        type="Input",
        settings="",
        output_shape=tuple(model.input_shape[1:]),
        parameters=0,
        trainable_parameters=0,
        family="input",
        frozen=False,
    )
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    return (first, *(_row(layer) for layer in layers))


def _row(layer: Any) -> LayerRow:
    nested = hasattr(layer, "layers")
    parameters = sum(prod(weight.shape) for weight in layer.weights)
    trainable = sum(prod(weight.shape) for weight in layer.trainable_weights)
    inside = len(layer.layers) if nested else 0
    settings = f"{inside} layers inside" if nested else _settings(layer)
    return LayerRow(
        name=layer.name,
        type=_network(layer.name) if nested else type(layer).__name__,
        settings=settings,
        output_shape=tuple(layer.output.shape[1:]),
        parameters=parameters,
        trainable_parameters=trainable,
        family="base" if nested else _family(type(layer).__name__),
        frozen=parameters > 0 and trainable == 0,
        layers_inside=inside,
    )


def _network(name: str) -> str:
    """`VGG16` for `vgg16`, `MobileNetV2` for `mobilenetv2_0.35_96`; another name as it is."""

    def plain(text: str) -> str:
        return text.lower().replace("_", "").replace("-", "").replace(".", "")

    known = [network for network in APPLICATIONS if plain(name).startswith(plain(network))]
    return max(known, key=len, default=name)


_FAMILIES = (
    ("Random", "augmentation"),
    ("Conv", "convolution"),
    ("Pooling", "pooling"),
    ("Flatten", "reshape"),
    ("Reshape", "reshape"),
    ("Dropout", "dropout"),
    ("Normalization", "normalization"),
    ("RNN", "recurrent"),
    ("LSTM", "recurrent"),
    ("GRU", "recurrent"),
    ("Dense", "dense"),
)


def _family(layer_class: str) -> str:
    return next((family for word, family in _FAMILIES if word in layer_class), "other")


def _settings(layer: Any) -> str:
    describer = _DESCRIBERS.get(_family(type(layer).__name__))
    return describer(layer) if describer is not None else ""


def _size(pair: Any) -> str:
    return "×".join(str(side) for side in pair)


def _activation(layer: Any) -> str:
    name = getattr(getattr(layer, "activation", None), "__name__", "linear")
    return "" if name == "linear" else f" · {name}"


def _convolution(layer: Any) -> str:
    return f"{layer.filters} filters {_size(layer.kernel_size)}{_activation(layer)}"


def _pooling(layer: Any) -> str:
    if hasattr(layer, "pool_size"):
        return f"window {_size(layer.pool_size)}"
    return "mean of each feature map" if "Average" in type(layer).__name__ else "largest of each"


def _recurrent(layer: Any) -> str:
    sequence = " · returns sequence" if layer.return_sequences else ""
    return f"{_units(layer)}{sequence}{_activation(layer)}"


def _units(layer: Any) -> str:
    return "1 unit" if layer.units == 1 else f"{layer.units} units"


def _augmentation(layer: Any) -> str:
    changes = {
        "RandomFlip": lambda: f"{layer.mode} in 1 of 2",
        "RandomRotation": lambda: f"by up to {layer.factor[1] * 360:g}°",
        "RandomZoom": lambda: f"by up to {100 * layer.height_upper:g}%",
        "RandomTranslation": lambda: f"by up to {100 * layer.height_upper:g}%",
        "RandomContrast": lambda: f"by up to {100 * layer.factor[1]:g}%",
    }
    change = changes.get(type(layer).__name__)
    return f"{change()} · in training" if change is not None else "in training"


def _other(layer: Any) -> str:
    return "skips padded steps" if type(layer).__name__ == "Masking" else ""


_DESCRIBERS: dict[str, Callable[[Any], str]] = {
    "augmentation": _augmentation,
    "convolution": _convolution,
    "pooling": _pooling,
    "reshape": lambda layer: "to one vector" if len(layer.output.shape) == 2 else "",
    "dropout": lambda layer: f"drop {layer.rate:.0%}",
    "recurrent": _recurrent,
    "dense": lambda layer: f"{_units(layer)}{_activation(layer)}",
    "other": _other,
}
