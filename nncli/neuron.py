"""One neuron, y = f(w·x + b), with every intermediate and every gradient kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nncli.activations import Array, get
from nncli.errors import UsageError


@dataclass(frozen=True)
class NeuronResult:
    """What a neuron computed, and how its output would change with each number in it."""

    inputs: tuple[float, ...]
    """x, one number per input."""
    weights: tuple[float, ...]
    """w, one number per input."""
    bias: float
    """b."""
    activation: str
    """The name of the activation f."""
    products: tuple[float, ...]
    """w·x, what each input adds to the weighted sum."""
    sum_of_products: float
    """Σ w·x, before the bias is added."""
    weighted_sum: float
    """z = Σ w·x + b."""
    output: float
    """y = f(z)."""
    slope: float
    """f′(z)."""
    d_weights: tuple[float, ...]
    """∂y/∂w = f′(z)·x."""
    d_inputs: tuple[float, ...]
    """∂y/∂x = f′(z)·w."""
    d_bias: float
    """∂y/∂b = f′(z)."""


def compute(
    inputs: Sequence[float], weights: Sequence[float], bias: float, activation: str
) -> NeuronResult:
    """One neuron's output and gradients: y = f(Σ wᵢ·xᵢ + b), ∂y/∂wᵢ = f′(z)·xᵢ.

    Args:
        inputs: x, shape (inputs,).
        weights: w, shape (inputs,).
        bias: b, one number.
        activation: the name of f, see `nncli.activations`.

    Raises:
        UsageError: no inputs, not as many weights as inputs, a number that is not finite or
            too large to compute with, an unknown activation.

    Source: the lesson's `neuron_output`.
    """
    function = get(activation)
    x = _vector("input", inputs)
    w = _vector("weight", weights)
    _finite("the bias", bias)
    if len(x) != len(w):
        raise UsageError(
            f"{_count(len(x), 'input')} and {_count(len(w), 'weight')} were given; "
            "every input needs one weight",
            hint="give as many --weights as --inputs",
        )
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        products = x * w
        # As the lesson adds: the dot product first, then the bias. Any other order may change
        # the last digit.
        total = float(np.dot(x, w))
        z = total + float(bias)
        y = float(function.f(np.array([z]))[0])
        slope = float(function.slope(np.array([z]))[0])
        d_weights = slope * x
        d_inputs = slope * w
    if not math.isfinite(z):
        raise UsageError(
            "the weighted sum is too large for a floating-point number",
            hint="use smaller inputs or weights",
        )
    if not np.isfinite([y, slope, *products, *d_weights, *d_inputs]).all():
        raise UsageError(
            f"{function.name}({z:g}) or its gradient is too large for a floating-point number",
            hint="use smaller inputs or weights",
        )
    return NeuronResult(
        inputs=_numbers(x),
        weights=_numbers(w),
        bias=float(bias),
        activation=function.name,
        products=_numbers(products),
        sum_of_products=total,
        weighted_sum=z,
        output=y,
        slope=slope,
        d_weights=_numbers(d_weights),
        d_inputs=_numbers(d_inputs),
        d_bias=slope,
    )


def _numbers(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _vector(what: str, values: Sequence[float]) -> Array:
    """`values` as float64, shape (inputs,), every one of them finite."""
    if len(values) == 0:
        raise UsageError(f"no {what}s were given; a neuron needs at least one")
    for position, value in enumerate(values, start=1):
        _finite(f"{what} {position}", value)
    return np.asarray(values, dtype=np.float64)


def _finite(what: str, value: float) -> None:
    if not math.isfinite(value):
        raise UsageError(f"{what} is '{value}'; it must be a finite number")
