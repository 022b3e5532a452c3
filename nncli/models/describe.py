"""A Keras model as plain rows, for tables and diagrams."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from nncli.models.applications import APPLICATIONS
from nncli.results import LayerRow


def describe(model: Any) -> tuple[LayerRow, ...]:
    """One row for each input and for each layer; a nested model is one row that holds its own."""
    rows = _inside(model)
    if any(row.family == "input" for row in rows):
        return rows
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
    return (first, *(replace(row, inputs=row.inputs or (first.name,)) for row in rows))


def _inside(model: Any) -> tuple[LayerRow, ...]:
    """The layers of a model; where it does not say what feeds which, each feeds the next."""
    if not hasattr(model, "operations"):
        layers = list(model.layers)
        feeding = [(), *(((layer.name,),) for layer in layers[:-1])]
        return tuple(_row(layer, calls) for layer, calls in zip(layers, feeding, strict=True))
    stored = {layer["name"]: layer["inbound_nodes"] for layer in model.get_config()["layers"]}
    return tuple(
        _row(layer, [tuple(_sources(call)) for call in stored[layer.name]])
        for layer in model.operations
    )


def _sources(stored: Any) -> Iterator[str]:
    """The names of the layers whose tensors a stored call is given, in order.

    Source: the format that `get_config` of a Keras 3 model writes, `__keras_tensor__`.
    """
    if isinstance(stored, dict):
        if stored.get("class_name") == "__keras_tensor__":
            yield stored["config"]["keras_history"][0]
            return
        stored = list(stored.values())
    if isinstance(stored, list | tuple):
        for item in stored:
            yield from _sources(item)


def _row(layer: Any, feeding: Sequence[tuple[str, ...]]) -> LayerRow:
    """One layer; `feeding` names what each call of it is given."""
    nested = hasattr(layer, "layers")
    parameters = sum(prod(weight.shape) for weight in getattr(layer, "weights", ()))
    trainable = sum(prod(weight.shape) for weight in getattr(layer, "trainable_weights", ()))
    layers_inside = len(layer.layers) if nested else 0
    settings = f"{layers_inside} layers inside" if nested else _settings(layer)
    calls = max(1, len(feeding))
    if calls > 1:
        settings = " · ".join(filter(None, [settings, f"used {calls} times"]))
    return LayerRow(
        name=layer.name,
        type=_network(layer.name) if nested else type(layer).__name__,
        settings=settings,
        output_shape=_shape(layer),
        parameters=parameters,
        trainable_parameters=trainable,
        family="base" if nested else _family(type(layer).__name__),
        frozen=parameters > 0 and trainable == 0,
        layers_inside=layers_inside,
        inputs=tuple(name for names in feeding for name in names),
        inside=_inside(layer) if nested else (),
        calls=calls,
    )


def _shape(layer: Any) -> tuple[int | None, ...]:
    """Of the layer's output without the batch; of several, of the first."""
    output = layer.output
    while isinstance(output, dict | list | tuple):
        output = next(iter(output.values() if isinstance(output, dict) else output))
    return tuple(output.shape[1:])


def _network(name: str) -> str:
    """`VGG16` for `vgg16`, `MobileNetV2` for `mobilenetv2_0.35_96`; another name as it is."""

    def plain(text: str) -> str:
        return text.lower().replace("_", "").replace("-", "").replace(".", "")

    def told(network: str) -> bool:
        rest = plain(name).removeprefix(plain(network))
        return rest != plain(name) and (not rest or rest.isdigit())

    return max(filter(told, APPLICATIONS), key=len, default=name)


_FAMILIES = (
    ("InputLayer", "input"),
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
    try:
        return describer(layer) if describer is not None else ""
    except AttributeError:  # a class of the family that lacks what the others have
        return ""


def _size(pair: Any) -> str:
    return "×".join(str(side) for side in pair)


def _activation(layer: Any) -> str:
    name = getattr(getattr(layer, "activation", None), "__name__", "linear")
    return "" if name == "linear" else f" · {name}"


def _convolution(layer: Any) -> str:
    size = _size(layer.kernel_size)
    filters = getattr(layer, "filters", None)
    given = f"{filters} filters {size}" if filters is not None else f"{size} for each channel"
    return f"{given}{_strides(layer)}{_activation(layer)}"


def _strides(layer: Any) -> str:
    strides = layer.strides if isinstance(layer.strides, tuple) else (layer.strides,)
    if max(strides) == 1:
        return ""
    return f" · stride {strides[0] if len(set(strides)) == 1 else _size(strides)}"


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
    kind = type(layer).__name__
    if kind == "Masking":
        return "skips padded steps"
    return _activation(layer).removeprefix(" · ") if kind == "Activation" else ""


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
