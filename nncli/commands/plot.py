"""`nncli plot RUN …`: draw the pictures of a run again, or compare runs in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nncli import options
from nncli.errors import ExitCode, UsageError, unknown_name

if TYPE_CHECKING:
    from nncli.plots import FailedFigure, SavedFigure
    from nncli.plots.figure import Theme
    from nncli.results import StoredRun


def plot(
    names: options.Runs,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="curves, architecture, confusion, predictions or forecast; may be repeated.",
        ),
    ] = None,
    theme: Annotated[Literal["light", "dark"], typer.Option(help="The palette.")] = "light",
    format: Annotated[
        Literal["png", "svg", "pdf"], typer.Option("--format", "-f", help="The kind of picture.")
    ] = "png",
    style: Annotated[
        Literal["cards", "keras", "mermaid"],
        typer.Option(
            help="How the architecture is drawn; keras is the lesson's picture and needs Graphviz, "
            "mermaid is text for a README."
        ),
    ] = "cards",
    expand: Annotated[
        bool, typer.Option("--expand", help="Show the layers inside a base model too.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Where the pictures go; without it the run's folder, "
            "for several runs outputs/comparisons.",
        ),
    ] = None,
    runs_in: options.RunsIn = Path("outputs"),
    as_json: options.Json = False,
) -> None:
    """Draw the pictures of a run again from what it stored, or compare several runs.

    nncli plot latest --theme dark --format svg

    nncli plot cnn-digits-001 cnn-digits-002
    """
    from nncli import runs
    from nncli.plots import FailedFigure, SavedFigure
    from nncli.plots.figure import THEMES
    from nncli.report.figures import print_figures

    folders = [runs.find(name, runs_in) for name in names]
    stored = [runs.load(folder) for folder in folders]
    palette = THEMES[theme]
    if len(stored) > 1:
        if only or expand or style != "cards":
            raise UsageError(
                "--only, --style and --expand are for one run",
                hint="several runs are compared by their curves",
            )
        path = options.comparison_of([run.name for run in stored], f".{format}", output)
        drawn = [_comparison(stored, path, palette)]
    else:
        wanted = _wanted(stored[0], only, style, expand=expand)
        drawn = _pictures(stored[0], output or folders[0], wanted, palette, format, style, expand)
    saved = [figure for figure in drawn if isinstance(figure, SavedFigure)]
    failed = [figure for figure in drawn if isinstance(figure, FailedFigure)]
    print_figures(saved, failed, as_json=as_json)
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _wanted(
    run: StoredRun, only: Sequence[str] | None, style: str, *, expand: bool
) -> tuple[str, ...]:
    """The names of the figures to draw.

    Raises:
        UsageError: no such figure, or one that the run holds nothing for.
    """
    from nncli.plots import FIGURES, figures_of

    possible = figures_of(run)
    for name in only or ():
        if name not in FIGURES:
            raise unknown_name("figure", name, list(FIGURES))
        if name not in possible:
            raise UsageError(
                f"{run.name} holds nothing to draw {name} from",
                hint=f"it can be drawn as {', '.join(possible)}" if possible else "train again",
            )
    if style == "cards" and not expand:
        return tuple(dict.fromkeys(only)) if only else possible
    if set(only or ()) - {"architecture"}:
        raise UsageError(
            "--style and --expand are for the architecture alone", hint="--only architecture"
        )
    if expand and not any(layer.inside for layer in run.layers):
        raise UsageError(
            f"{run.name} holds no base model to expand",
            hint="leave out --expand; a transfer has one, unless an older nncli trained it",
        )
    return ("architecture",)


def _pictures(
    run: StoredRun,
    folder: Path,
    names: Sequence[str],
    theme: Theme,
    format: str,
    style: str,
    expand: bool,
) -> list[SavedFigure | FailedFigure]:
    from nncli.plots import save_all, save_one
    from nncli.plots.architecture import architecture_finding, draw_architecture

    stem = "architecture-expanded" if expand else "architecture"
    if style == "mermaid":
        return [_mermaid(run, folder / f"{stem}.md", expand=expand)]
    if style == "keras":
        return [_keras(run, folder / f"{stem}-keras.{format}", expand=expand)]
    if not expand:
        return save_all(run, folder, names, theme, format)
    return [
        save_one(
            "architecture",
            folder / f"{stem}.{format}",
            lambda: (draw_architecture(run, theme, expand=True), architecture_finding(run)),
            "every layer, those of the base too",
        )
    ]


def _mermaid(run: StoredRun, path: Path, *, expand: bool) -> SavedFigure:
    """The diagram as text in a fence, as a README has it."""
    from nncli.files import write_text
    from nncli.plots import SavedFigure
    from nncli.plots.architecture import architecture_finding
    from nncli.plots.mermaid import mermaid_text

    write_text(path, f"```mermaid\n{mermaid_text(run, expand=expand).rstrip()}\n```\n")
    return SavedFigure(
        "architecture", path, architecture_finding(run), "Mermaid, to paste into a README"
    )


def _keras(run: StoredRun, path: Path, *, expand: bool) -> SavedFigure:
    from nncli.plots import SavedFigure
    from nncli.plots.architecture import architecture_finding
    from nncli.plots.graphviz import draw_keras

    return SavedFigure(
        "architecture",
        draw_keras(run, path, expand=expand),
        architecture_finding(run),
        "as the lesson draws it",
    )


def _comparison(
    stored: Sequence[StoredRun], path: Path, theme: Theme
) -> SavedFigure | FailedFigure:
    from nncli.plots import save_one
    from nncli.plots.comparison import comparison_finding, draw_comparison

    finding = comparison_finding(stored)
    return save_one(
        "comparison",
        path,
        lambda: (draw_comparison(stored, theme), finding),
        "runs beside each other",
    )
