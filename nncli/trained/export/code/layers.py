"""Keras layers as lines of Python, read off the layers themselves."""

from __future__ import annotations

import inspect
import re
from typing import Any

WIDTH = 88
"""Columns of a line."""
INDENT = 13
"""Of them, what stands around a layer in the list of a model."""
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
    return "\n".join(called(f"keras.layers.{kind.__name__}(", words, ")", width=WIDTH - INDENT))


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


def plain(text: str) -> str:
    """Text that ends no docstring and begins no line: a name may be from anywhere."""
    return re.sub(r"[^\w.+-]", "_", text)


def called(begin: str, words: list[str], end: str, *, width: int = WIDTH) -> list[str]:
    """The arguments of a call: on its line, on one of their own, or on one each."""
    inside = f"{_indent(begin)}    {', '.join(words)}"
    if len(f"{begin}{', '.join(words)}{end}") <= width or len(inside) > width:
        return listed(begin, words, end, width=width)
    return [begin, inside, f"{_indent(begin)}{end}"]


def listed(begin: str, words: list[str], end: str, *, width: int = WIDTH) -> list[str]:
    """The values of a list: on its line, or on one each."""
    line = f"{begin}{', '.join(words)}{end}"
    if len(line) <= width:
        return [line]
    indent = _indent(begin)
    return [begin, *(f"{indent}    {word}," for word in words), f"{indent}{end}"]


def _indent(line: str) -> str:
    return " " * (len(line) - len(line.lstrip()))
