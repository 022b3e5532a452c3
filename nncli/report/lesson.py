"""The lesson's commands on the terminal: the activations, and one neuron step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nncli.activations import ACTIVATIONS, Activation, get
from nncli.neuron import NeuronResult
from nncli.report.console import console, print_sentence, spelled
from nncli.report.table import Column, print_table

if TYPE_CHECKING:
    from rich.text import Text

    from nncli.documents.lesson import Neuron


def print_activation_table(activations: Sequence[Activation] = tuple(ACTIVATIONS.values())) -> None:
    """The activations with formula and output range; other names that mean the same below."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("activation", style="bold", no_wrap=True)
    table.add_column("f(x)", overflow="fold")
    table.add_column("output range", overflow="fold")
    for row in activations:
        cells = (row.name, row.text, row.output_range)
        table.add_row(*(spelled(out, Text(cell)) for cell in cells))
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
    from rich.text import Text

    out = console()
    title = f"One neuron: y = {result.activation}(w₁·x₁ + … + b)"
    print_sentence(out, Text(), Text(title, "bold"))
    out.print()
    inputs = [str(index + 1) for index in range(len(result.inputs))]
    print_table(
        out,
        [
            Column("input", [Text(text, "dim") for text in inputs], drop=2),
            Column("x", _six_digits(result.inputs), drop=3),
            Column("weight w", _six_digits(result.weights), drop=1),
            Column("w·x", _six_digits(result.products)),
            Column("∂y/∂w = f′(z)·x", _six_digits(result.d_weights), drop=4),
            Column("∂y/∂x = f′(z)·w", _six_digits(result.d_inputs), drop=5),
        ],
    )
    out.print()
    # The last steps keep every digit, so that they can be compared with the lesson's.
    steps = (
        ("sum", f"Σ w·x = {result.sum_of_products!r}"),
        ("bias", f"z = Σ w·x + b = {_plus(result.sum_of_products, result.bias)}"),
        ("", f"  = {result.weighted_sum!r}"),
        ("activation", f"y = {result.activation}(z), f(x) = {get(result.activation).text}"),
        ("gradient", f"f′(z) = ∂y/∂z = ∂y/∂b = {result.d_bias!r}"),
    )
    for name, words in steps:
        print_sentence(out, Text(f"{name:<11} "), Text(words))
    out.print()
    print_sentence(out, Text(), Text(f"Output of the neuron: {result.output!r}", "bold"))
    for file in files:
        out.print(f"saved {file}", soft_wrap=True)


def neuron_document(result: NeuronResult, files: Sequence[str]) -> Neuron:
    """The same for `--json`."""
    return {
        "document": "neuron",
        "inputs": result.inputs,
        "weights": result.weights,
        "bias": result.bias,
        "activation": result.activation,
        "products": result.products,
        "sum_of_products": result.sum_of_products,
        "weighted_sum": result.weighted_sum,
        "output": result.output,
        "slope": result.slope,
        "d_weights": result.d_weights,
        "d_inputs": result.d_inputs,
        "d_bias": result.d_bias,
        "files": files,
    }


def _six_digits(numbers: Sequence[float]) -> list[Text]:
    from rich.text import Text

    return [Text(f"{number:.6g}") for number in numbers]


def _plus(total: float, bias: float) -> str:
    return f"{total!r} + {bias!r}" if bias >= 0 else f"{total!r} − {abs(bias)!r}"
