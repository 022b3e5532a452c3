"""The lesson's commands on the terminal: the activations, and one neuron step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nncli.activations import ACTIVATIONS, Activation, get
from nncli.neuron import NeuronResult
from nncli.report.console import console


def print_activation_table(activations: Sequence[Activation] = tuple(ACTIVATIONS.values())) -> None:
    """The activations with formula and output range; other names that mean the same below."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("activation", style="bold", no_wrap=True)
    table.add_column("f(x)")
    table.add_column("output range")
    for row in activations:
        table.add_row(row.name, row.text, row.output_range)
    out = console()
    out.print(table)
    aliases = [f"{alias} = {row.name}" for row in activations for alias in row.aliases]
    if aliases:
        out.print(f"Also: {', '.join(aliases)}", style="dim")


def print_activation_saved(
    activations: Sequence[Activation], files: Sequence[Path], low: float, high: float
) -> None:
    """Which files were written, and what is in them."""
    out = console()
    if len(activations) == 1:
        (only,) = activations
        out.print(f"{only.name}(x) = {only.text}   output range {only.output_range}")
        out.print(only.note, style="dim")
    else:
        out.print(f"{len(activations)} activations compared, x from {low:g} to {high:g}")
    for file in files:
        out.print(f"saved {file}", soft_wrap=True)


def print_neuron(result: NeuronResult, files: Sequence[str] = ()) -> None:
    """The arithmetic of a neuron from its inputs to its output, the gradient of y, its files."""
    from rich import box
    from rich.table import Table

    out = console()
    out.print(f"One neuron: y = {result.activation}(w₁·x₁ + … + b)", style="bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("input", "x", "weight w", "w·x", "∂y/∂w = f′(z)·x", "∂y/∂x = f′(z)·w"):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = zip(
        result.inputs,
        result.weights,
        result.products,
        result.d_weights,
        result.d_inputs,
        strict=True,
    )
    for index, numbers in enumerate(rows, start=1):
        table.add_row(str(index), *(f"{number:.6g}" for number in numbers))
    out.print(table)
    # The last steps keep every digit, so that they can be compared with the lesson's.
    steps = (
        ("sum", f"Σ w·x = {result.sum_of_products!r}"),
        ("bias", f"z = Σ w·x + b = {_plus(result.sum_of_products, result.bias)}"),
        ("", f"  = {result.weighted_sum!r}"),
        ("activation", f"y = {result.activation}(z), f(x) = {get(result.activation).text}"),
        ("gradient", f"f′(z) = ∂y/∂z = ∂y/∂b = {result.d_bias!r}"),
    )
    for name, words in steps:
        out.print(f"{name:<11} {words}", soft_wrap=True)
    out.print()
    out.print(f"Output of the neuron: {result.output!r}", style="bold", soft_wrap=True)
    for file in files:
        out.print(f"saved {file}", soft_wrap=True)


def _plus(total: float, bias: float) -> str:
    return f"{total!r} + {bias!r}" if bias >= 0 else f"{total!r} − {abs(bias)!r}"
