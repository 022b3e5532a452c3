"""`nncli plot-activation`: draw an activation and its slope, or compare several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nncli import completion, options
from nncli.errors import UsageError
from nncli.numbers import finite_number

if TYPE_CHECKING:
    from nncli.activations import Activation, Array
    from nncli.documents.lesson import ActivationFacts

FOLDER = Path("outputs/activations")
LONGEST_NAME = 60
NAMES_IN_FILE = 3


def plot_activation(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="relu, sigmoid, gelu, …; several are compared in one picture.",
            autocompletion=completion.activations,
        ),
    ] = None,
    range_: Annotated[
        tuple[str, str],
        typer.Option("--range", metavar="LOW HIGH", help="The x to draw, e.g. --range -3 3."),
    ] = ("-5", "5"),
    points: Annotated[int, typer.Option(help="How many x are computed.")] = 500,
    derivative: Annotated[bool, typer.Option(help="Draw the slope f′(x) too.")] = True,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The picture: PNG, SVG or PDF by its ending. "
            "Without it: outputs/activations/<names>.png.",
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the numbers too: x, <name>, <name>_slope."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Show all activations with their formulas.")
    ] = False,
    theme: Annotated[Literal["light", "dark"], typer.Option(help="The palette.")] = "light",
    as_json: options.Json = False,
) -> None:
    """Plot an activation function and its slope, or compare several.

    nncli plot-activation relu

    nncli plot-activation relu gelu silu --range -3 3 --csv curves.csv
    """
    from nncli.activations import ACTIVATIONS, get_all, grid
    from nncli.report.console import print_json
    from nncli.report.lesson import print_activation_saved, print_activation_table

    activations = get_all(names or ())
    if list_:
        shown = activations or list(ACTIVATIONS.values())
        if as_json:
            facts = [_described(row) for row in shown]
            print_json({"document": "plot-activation --list", "activations": facts})
        else:
            print_activation_table(shown)
        return
    if not activations:
        raise UsageError(
            "no activation was named",
            hint="nncli plot-activation relu draws one; --list shows them all",
        )
    low, high = (
        finite_number(end, f"{side} of --range", hint="two numbers, low before high: --range -5 5")
        for side, end in zip(("LOW", "HIGH"), range_, strict=True)
    )
    x = grid(low, high, points)

    from nncli.plots.activation import draw_activation
    from nncli.plots.figure import THEMES, format_of, save

    picture = output or FOLDER / f"{_file_name([row.name for row in activations])}.png"
    format_of(picture)
    if csv is not None and csv.absolute() == picture.absolute():
        raise UsageError(f"{csv} is named for the picture and for the numbers")
    files = [] if csv is None else [_save_csv(csv, activations, x, derivative)]
    figure = draw_activation(activations, low, high, points, derivative, THEMES[theme])
    files.insert(0, save(figure, picture))
    if as_json:
        print_json(
            {
                "document": "plot-activation",
                "files": [str(file) for file in files],
                "range": [low, high],
                "points": points,
                "activations": [_described(row) for row in activations],
            }
        )
    else:
        print_activation_saved(activations, files, low, high)


def _described(activation: Activation) -> ActivationFacts:
    """What JSON says of an activation."""
    return {
        "name": activation.name,
        "aliases": activation.aliases,
        "formula": activation.text,
        "output_range": activation.output_range,
        "kinks": activation.kinks,
        "note": activation.note,
        "source": activation.source,
    }


def _file_name(names: Sequence[str]) -> str:
    """`relu-gelu`, or `relu-gelu-silu-and-5-more` where all names would be too long."""
    joined = "-".join(names)
    if len(names) <= NAMES_IN_FILE or len(joined) <= LONGEST_NAME:
        return joined
    return "-".join(names[:NAMES_IN_FILE]) + f"-and-{len(names) - NAMES_IN_FILE}-more"


def _save_csv(path: Path, activations: Sequence[Activation], x: Array, derivative: bool) -> Path:
    """Write x, f and f′ of each activation to `path`; the whole file or nothing."""
    from nncli.files import write_text

    columns = {"x": x}
    for row in activations:
        columns[row.name] = row.f(x)
        if derivative:
            columns[f"{row.name}_slope"] = row.slope(x)
    lines = [",".join(columns)]
    lines += [
        ",".join(repr(float(number)) for number in numbers)
        for numbers in zip(*columns.values(), strict=True)
    ]
    write_text(path, "\n".join(lines) + "\n")
    return path
