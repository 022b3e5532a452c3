"""`nncli neuron`: the arithmetic of one neuron, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from nncli import completion, options
from nncli.errors import UsageError
from nncli.numbers import finite_number

HINT = "commas stand between numbers, points before decimals: 0.5,-0.3,0.8"


def neuron(
    inputs: Annotated[
        str, typer.Option(metavar="X,X,…", help="The inputs, separated by commas.")
    ] = "2,3,1",
    weights: Annotated[
        str, typer.Option(metavar="W,W,…", help="One weight per input.")
    ] = "0.5,-0.3,0.8",
    bias: Annotated[str, typer.Option(metavar="B", help="The bias.")] = "0.1",
    activation: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The activation; nncli plot-activation --list shows them.",
            autocompletion=completion.activations,
        ),
    ] = "sigmoid",
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw it too: PNG, SVG or PDF by the file's ending."),
    ] = None,
    theme: Annotated[
        Literal["light", "dark"], typer.Option(help="The palette of --plot.")
    ] = "light",
    as_json: options.Json = False,
) -> None:
    """Compute one neuron, y = f(w·x + b), and show every step and gradient.

    Without options it is the lesson's neuron.

    nncli neuron --inputs 2,3,1 --weights 0.5,-0.3,0.8 --bias 0.1 --activation sigmoid
    """
    from nncli.neuron import compute
    from nncli.report.console import print_json
    from nncli.report.lesson import neuron_document, print_neuron

    result = compute(
        _numbers(inputs, "--inputs"),
        _numbers(weights, "--weights"),
        finite_number(bias, "--bias", hint=HINT),
        activation,
    )
    if plot is not None:
        from nncli.plots.figure import THEMES, format_of, save
        from nncli.plots.neuron import draw_neuron

        format_of(plot)
        save(draw_neuron(result, THEMES[theme]), plot)
    files = [] if plot is None else [str(plot)]
    if as_json:
        print_json(neuron_document(result, files))
    else:
        print_neuron(result, files)


def _numbers(text: str, option: str) -> list[float]:
    """The numbers of `2,3,1`.

    Raises:
        UsageError: nothing, or an item that is no finite number.
    """
    if not text.strip():
        raise UsageError(
            f"{option} is empty; it takes numbers separated by commas", hint=f"{option} 2,3,1"
        )
    return [
        finite_number(item, f"item {position} of {option}", hint=HINT)
        for position, item in enumerate(text.split(","), start=1)
    ]
