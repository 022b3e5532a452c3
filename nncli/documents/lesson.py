"""The documents of the lesson's commands: activations and one neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from typing_extensions import TypedDict


class ActivationFacts(TypedDict):
    """One activation function."""

    name: str
    """As Keras and the command line call it."""
    aliases: Sequence[str]
    """Other names that mean the same."""
    formula: str
    """In plain characters."""
    output_range: str
    """The interval of its values, `(0, 1)`."""
    kinks: Sequence[float]
    """Where the slope, or the function itself, jumps."""
    note: str
    """What it is used for, or what to watch."""
    source: str
    """Where the definition is from: the function in Keras."""


class ActivationList(TypedDict):
    """The activations that there are."""

    document: Literal["plot-activation --list"]
    activations: Sequence[ActivationFacts]


class ActivationPlot(TypedDict):
    """A picture of activations."""

    document: Literal["plot-activation"]
    files: Sequence[str]
    """The picture, then the numbers where they were asked for."""
    range: Sequence[float]
    """The lowest and the highest x."""
    points: int
    """How many x were computed."""
    activations: Sequence[ActivationFacts]


class Neuron(TypedDict):
    """One neuron, y = f(w·x + b), with every step and gradient, to the last digit."""

    document: Literal["neuron"]
    inputs: Sequence[float]
    """x, one number per input."""
    weights: Sequence[float]
    """w, one number per input."""
    bias: float
    """b."""
    activation: str
    """The name of f."""
    products: Sequence[float]
    """w·x, what each input adds to the weighted sum."""
    sum_of_products: float
    """Σ w·x, before the bias is added."""
    weighted_sum: float
    """z = Σ w·x + b."""
    output: float
    """y = f(z)."""
    slope: float
    """f′(z)."""
    d_weights: Sequence[float]
    """∂y/∂w = f′(z)·x."""
    d_inputs: Sequence[float]
    """∂y/∂x = f′(z)·w."""
    d_bias: float
    """∂y/∂b = f′(z)."""
    files: Sequence[str]
    """The picture, where one was asked for."""
