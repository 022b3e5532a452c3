"""How many numbers a layer makes room for, held against how many its file brings.

Keras makes the weights of a layer before it reads any, from the layer's settings and the shape
that it was built for. Both are the file's to choose: 16 kB can ask for 10 GB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

from nncli.errors import ModelError

SPARE = 4_000_000
"""Bytes that may be made and are not stored: states, kernels of a Fourier transform."""
MOST_LAYERS = 5_000
"""The largest network of keras.applications has about a thousand."""

Settings = Mapping[str, Any]
Shape = tuple[int, ...]


def check_sizes(document: Mapping[str, Any], stored: int, path: Path) -> None:
    """Refuse a model that would be larger than the numbers that are there for it.

    Args:
        document: the config of the model, checked.
        stored: bytes of all arrays of the file.
        path: of the file, for errors.

    Raises:
        ModelError: too large, too many layers, or a layer without what its size depends on.
    """
    total, known = 0, set[Any]()
    for count, layer in enumerate(_layers(document), start=1):
        name = str(layer["config"].get("name", layer["class_name"]))[:40]
        if count > MOST_LAYERS:
            raise ModelError(
                f"{path} has more than {MOST_LAYERS:,} layers", hint="use a smaller model"
            )
        shared = layer.get("shared_object_id")
        if shared is not None and shared in known:
            continue  # the same layer a second time
        known.add(shared)
        size = _bytes(layer, path, name)
        total += size
        if total > stored + SPARE:
            raise ModelError(
                f"{path}: layer {name!r} would take {size:,} bytes, the model {total:,} and more, "
                f"but the file holds {stored:,} bytes of numbers",
                hint="it was not saved by Keras like this: do not use it",
            )


def _layers(value: Any) -> Iterator[Mapping[str, Any]]:
    """All objects that make room for numbers, the inner ones first, as Keras makes them."""
    if isinstance(value, list):
        for each in value:
            yield from _layers(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _layers(each)
        config = value.get("config")
        # a layer of a model has its name also beside its config
        if isinstance(config, dict) and (value.get("class_name") in WEIGHTED or "name" in value):
            yield value


def _bytes(layer: Mapping[str, Any], path: Path, name: str) -> int:
    config, kind = layer["config"], layer["class_name"]
    count = WEIGHTED.get(kind)
    if count is None:
        return 0
    built = layer.get("build_config")
    try:
        shapes = _shapes(built)
        numbers = count(config, shapes)
        if config.get("stateful"):
            numbers += 2 * max(1, shapes[0][0]) * _whole(config.get("units", 0))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ModelError(
            f"{path}: the size of layer {name!r} ({kind}) cannot be told from its settings",
            hint="build the model before it is saved, with Keras 3",
        ) from error
    return numbers * _width(config.get("dtype"))


def _shapes(built: Any) -> list[Shape]:
    """The shapes that a layer was built for, unknown sides as 0."""
    if not built:
        return []
    found = built["shapes_dict"].values() if "shapes_dict" in built else [built["input_shape"]]
    flat = [each for shape in found if shape is not None for each in _single(shape)]
    return [tuple(_whole(side or 0) for side in shape) for shape in flat]


def _single(shape: list[Any]) -> list[list[Any]]:
    return shape if shape and isinstance(shape[0], list) else [shape]


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no size")
    return value


def _width(policy: Any) -> int:
    """Bytes of a weight; with mixed precision they are 32-bit numbers."""
    if isinstance(policy, Mapping):
        policy = policy.get("config", {}).get("name")
    return {"float64": 8, "float16": 2, "bfloat16": 2}.get(str(policy), 4)


def _sides(value: Any, rank: int) -> int:
    """Places of a kernel that is written as one number or as one for each dimension."""
    return prod(map(_whole, value)) if isinstance(value, list) else int(_whole(value) ** rank)


def _dense(config: Settings, shapes: list[Shape]) -> int:
    return _whole(config["units"]) * (shapes[0][-1] + 1)


def _convolution(rank: int) -> Callable[[Settings, list[Shape]], int]:
    def count(config: Settings, shapes: list[Shape]) -> int:
        channels = _channels(config, shapes) // max(1, _whole(config.get("groups", 1)))
        return _whole(config["filters"]) * (_sides(config["kernel_size"], rank) * channels + 1)

    return count


def _depthwise(rank: int) -> Callable[[Settings, list[Shape]], int]:
    def count(config: Settings, shapes: list[Shape]) -> int:
        maps = _channels(config, shapes) * _whole(config["depth_multiplier"])
        return maps * (_sides(config["kernel_size"], rank) + 1)

    return count


def _separable(rank: int) -> Callable[[Settings, list[Shape]], int]:
    def count(config: Settings, shapes: list[Shape]) -> int:
        maps = _channels(config, shapes) * _whole(config["depth_multiplier"])
        return maps * _sides(config["kernel_size"], rank) + _whole(config["filters"]) * (maps + 1)

    return count


def _channels(config: Settings, shapes: list[Shape]) -> int:
    return shapes[0][1 if config.get("data_format") == "channels_first" else -1]


def _recurrent(gates: int) -> Callable[[Settings, list[Shape]], int]:
    def count(config: Settings, shapes: list[Shape]) -> int:
        units = _whole(config["units"])
        biases = 2 if gates == GRU_GATES else 1
        return gates * units * (shapes[0][-1] + units + biases)

    return count


GRU_GATES, LSTM_GATES = 3, 4


def _convolving_lstm(rank: int) -> Callable[[Settings, list[Shape]], int]:
    def count(config: Settings, shapes: list[Shape]) -> int:
        filters, kernel = _whole(config["filters"]), _sides(config["kernel_size"], rank)
        # the batch and the steps come before the channels where these come first
        first = config.get("data_format") == "channels_first"
        channels = shapes[0][2 if first else -1]
        return LSTM_GATES * filters * (kernel * (channels + filters) + 1)

    return count


def _embedding(config: Settings, _: list[Shape]) -> int:
    tables = 2 if config.get("tie_weights") is False else 1
    return tables * _whole(config["input_dim"]) * _whole(config["output_dim"])


def _einsum(config: Settings, shapes: list[Shape]) -> int:
    """By the letters of its equation, `abc,cd->abd`; the bias has sides of the output."""
    inputs, _, rest = config["equation"].replace("...", "").partition(",")
    kernel, _, outputs = rest.partition("->")
    sides = dict(zip(reversed(inputs), reversed(shapes[0]), strict=False))
    made = config["output_shape"]
    made = made if isinstance(made, list) else [made]
    answer = dict(
        zip(reversed(outputs), (_whole(side or 0) for side in reversed(made)), strict=False)
    )
    bias = config.get("bias_axes") or ""

    def places(letters: str) -> int:
        return prod(max(sides.get(each, 0), answer.get(each, 0)) for each in letters)

    return places(kernel) + places(bias)


def _attention_heads(config: Settings, shapes: list[Shape]) -> int:
    heads, width = _whole(config["num_heads"]), _whole(config["key_dim"])
    value_width = _whole(config.get("value_dim") or width)
    query, value = shapes[0][-1], shapes[1][-1]
    key = shapes[2][-1] if len(shapes) > 2 else value
    made = config.get("output_shape")
    answer = query if not made else prod(map(_whole, made if isinstance(made, list) else [made]))
    queries = (2 if config.get("use_gate") else 1) * (query + 1)
    return (
        heads * width * (queries + key + 1)
        + heads * value_width * (value + 1)
        + heads * value_width * answer
        + answer
    )


def _grouped_heads(config: Settings, shapes: list[Shape]) -> int:
    width, query, value = _whole(config["head_dim"]), shapes[0][-1], shapes[1][-1]
    key = shapes[2][-1] if len(shapes) > 2 else value
    queries = _whole(config["num_query_heads"]) * width
    pairs = _whole(config["num_key_value_heads"]) * width
    gates = 2 if config.get("use_gate") else 1
    return queries * gates * (query + 1) + pairs * (key + value + 2) + (queries + 1) * query


def _norm(copies: int) -> Callable[[Settings, list[Shape]], int]:
    """Normalizations: one number of each sort for each place along their axes."""

    def count(config: Settings, shapes: list[Shape]) -> int:
        axes = config.get("axis", -1)
        axes = [] if axes is None else axes if isinstance(axes, list) else [axes]
        return copies * int(prod(shapes[0][axis] for axis in axes))

    return count


def _each_place(config: Settings, shapes: list[Shape]) -> int:
    shared = {axis - 1 for axis in config.get("shared_axes") or ()}
    return prod(side for axis, side in enumerate(shapes[0][1:]) if axis not in shared)


def _spectrogram(config: Settings, _: list[Shape]) -> int:
    length = _whole(config["fft_length"])
    return 2 * length * (length // 2 + 1)


def _scale(_: Settings, shapes: list[Shape]) -> int:
    return 2 + max((shape[-1] for shape in shapes), default=0)


def _backward(config: Settings, shapes: list[Shape]) -> int:
    """Keras copies the one direction where the other is not there."""
    if config.get("backward_layer") is not None:
        return 0
    forward = config["layer"]
    return WEIGHTED[forward["class_name"]](forward["config"], shapes)


def _mel(config: Settings, _: list[Shape]) -> int:
    return _whole(config["num_mel_bins"]) * (_whole(config["fft_length"]) // 2 + 1)


WEIGHTED: dict[str, Callable[[Settings, list[Shape]], int]] = {
    "Dense": _dense,
    "EinsumDense": _einsum,
    "Embedding": _embedding,
    "ReversibleEmbedding": _embedding,
    **{f"Conv{rank}D": _convolution(rank) for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": _convolution(rank) for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": _depthwise(rank) for rank in (1, 2)},
    **{f"SeparableConv{rank}D": _separable(rank) for rank in (1, 2)},
    **{f"ConvLSTM{rank}D": _convolving_lstm(rank) for rank in (1, 2, 3)},
    **dict.fromkeys(("SimpleRNN", "SimpleRNNCell"), _recurrent(1)),
    **dict.fromkeys(("GRU", "GRUCell"), _recurrent(GRU_GATES)),
    **dict.fromkeys(("LSTM", "LSTMCell"), _recurrent(LSTM_GATES)),
    "Bidirectional": _backward,
    "MultiHeadAttention": _attention_heads,
    "GroupQueryAttention": _grouped_heads,
    "AdditiveAttention": _scale,
    "Attention": _scale,
    "BatchNormalization": lambda config, shapes: _norm(7 if config.get("renorm") else 4)(
        config, shapes
    ),
    "LayerNormalization": _norm(2),
    "GroupNormalization": _norm(2),
    "RMSNormalization": _norm(1),
    "Normalization": _norm(2),
    "PReLU": _each_place,
    "STFTSpectrogram": _spectrogram,
    "MelSpectrogram": _mel,
    "LayerScale": lambda config, _: _whole(config["projection_dim"]),
}
"""Layers with weights, and how many numbers these are at most."""
