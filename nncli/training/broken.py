"""Where numbers that are not finite come from: the first layer that has or gives one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def broken_weights(model: Any) -> str:
    """The first layer with a weight that is not a finite number, by name; empty for none."""
    for layer in layers_of(model):
        if not all(_is_finite(weight) for weight in layer.weights):
            return str(layer.name)
    return ""


def broken_layer(model: Any, x: Any) -> str:
    """The first layer that has a weight, or gives a value, that is not a finite number.

    Args:
        model: with the weights from before the step that broke.
        x: (batch, …) the samples of that step.

    Returns:
        Its name; empty where all of them give finite numbers, and the loss alone does not.
    """
    return broken_weights(model) or _broken_output(model, x)


def _broken_output(model: Any, x: Any) -> str:
    """Answer once, each layer watched."""
    found: list[str] = []
    watched = [layer for layer in layers_of(model) if "call" not in vars(layer)]

    def watch(layer: Any) -> None:
        really = layer.call

        def call(*arguments: Any, **keywords: Any) -> Any:
            given = really(*arguments, **keywords)
            if not found and not _is_finite(given):
                found.append(str(layer.name))
            return given

        layer.call = call

    for layer in watched:
        watch(layer)
    try:
        type(model).call(model, x, training=True)  # the whole batch, not in shares
    finally:
        for layer in watched:
            del layer.call
    return found[0] if found else ""


def layers_of(model: Any) -> Iterator[Any]:
    """The layers in their order, those of models inside it too."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from layers_of(layer)
        else:
            yield layer


def _is_finite(value: Any) -> bool:
    """Of an array; what is no array yet, or has no numbers, is taken as fine."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, NotImplementedError):
        return True
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())
