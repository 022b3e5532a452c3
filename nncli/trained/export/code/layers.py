"""Keras layers as lines of Python, read off the layers themselves."""

from __future__ import annotations

import inspect
from typing import Any

WIDTH = 88
"""Columns of a line."""
_PLAIN = {"name", "trainable", "dtype", "data_format"}
_GENERAL = ("_initializer", "_regularizer", "_constraint")
"""Arguments that nncli leaves as Keras has them."""
_FIRST = {
    "Conv2D": ("filters", "kernel_size"),
    "MaxPooling2D": ("pool_size",),
    "Dense": ("units",),
    "SimpleRNN": ("units",),
    "LSTM": ("units",),
    "Dropout": ("rate",),
    "Masking": ("mask_value",),
    "RandomFlip": ("mode",),
    "RandomRotation": ("factor",),
    "RandomZoom": ("height_factor",),
    "RandomTranslation": ("height_factor", "width_factor"),
    "RandomContrast": ("factor",),
}
"""Arguments whose names nobody writes, by the layer's class."""


def layer_code(layer: Any, *, dtype: str = "", **instead: str) -> str:
    """A layer as it is written in Python, without what Keras takes by itself.

    Args:
        layer: any that nncli builds.
        dtype: what it computes in, where that is not the script's own.
        instead: other words for some of its values.
    """
    kind = type(layer)
    config, usual = layer.get_config(), inspect.signature(kind.__init__).parameters
    first = _FIRST.get(kind.__name__, ())
    words = [instead.get(name) or value_code(config[name]) for name in first]
    for name, parameter in usual.items():
        if name in {*first, *_PLAIN} or name not in config or name.endswith(_GENERAL):
            continue
        value, default = config[name], parameter.default
        if name == "strides" and kind.__name__ == "MaxPooling2D":
            default = config["pool_size"]
        if name == "activation" and default is None:
            default = "linear"
        if value_code(value) != value_code(default):
            words.append(f"{name}={value_code(value)}")
    if dtype:
        words.append(f"dtype={quoted(dtype)}")
    line = f"keras.layers.{kind.__name__}({', '.join(words)})"
    if 13 + len(line) <= WIDTH:
        return line
    return "\n".join([f"keras.layers.{kind.__name__}(", *(f"    {word}," for word in words), ")"])


def value_code(value: Any) -> str:
    """A value of a layer's config as Python writes it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(value_code, value))}{',' if len(value) == 1 else ''})"
    return repr(value)


def quoted(text: str) -> str:
    """Text in double quotes, whatever it holds."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in plain) + '"'


def listed(begin: str, words: list[str], end: str) -> list[str]:
    """Words between brackets, on one line or on one each."""
    line = f"{begin}{', '.join(words)}{end}"
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(begin) - len(begin.lstrip()))
    return [begin, *(f"{indent}    {word}," for word in words), f"{indent}{end}"]
