"""Figures drawn from stored runs, and the table that names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from nncli.errors import reason_of, unknown_name
from nncli.plots.architecture import architecture_finding, draw_architecture
from nncli.plots.confusion import confusion_finding, draw_confusion
from nncli.plots.curves import curves_finding, draw_curves
from nncli.plots.figure import LIGHT, Theme, load_matplotlib, save, without_missing_letters
from nncli.plots.forecast import draw_forecast, forecast_finding
from nncli.plots.predictions import draw_predictions, predictions_finding
from nncli.results import FailedFigure, SavedFigure, StoredRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Draw(Protocol):
    """Draws a stored run."""

    def __call__(self, run: StoredRun, theme: Theme, *, narrow: bool = False) -> Figure:
        """The figure; `narrow` is the one for a phone."""


@dataclass(frozen=True)
class FigureKind:
    """One figure that a stored run can be drawn as."""

    name: str
    """As in the file's name."""
    draw: Draw
    finding: Callable[[StoredRun], str]
    """What the figure shows in one sentence, for its title and its alternative text."""
    meaning: str
    """What it is good for, in a few words."""
    needs: Literal["history", "layers", "predictions", "forecast"]
    """What the run must hold for it."""


FIGURES: dict[str, FigureKind] = {
    row.name: row
    for row in (
        FigureKind(
            "curves", draw_curves, curves_finding, "loss and main metric by epoch", "history"
        ),
        FigureKind(
            "architecture",
            draw_architecture,
            architecture_finding,
            "the model, layer by layer",
            "layers",
        ),
        FigureKind(
            "confusion",
            draw_confusion,
            confusion_finding,
            "which class is taken for which",
            "predictions",
        ),
        FigureKind(
            "predictions",
            draw_predictions,
            predictions_finding,
            "samples it got wrong or nearly so",
            "predictions",
        ),
        FigureKind(
            "forecast",
            draw_forecast,
            forecast_finding,
            "forecasts beside the truth, and their errors",
            "forecast",
        ),
    )
}


def figures_of(run: StoredRun) -> tuple[str, ...]:
    """The names of the figures that a run can be drawn as, in their order."""
    return tuple(name for name, row in FIGURES.items() if getattr(run, row.needs))


def save_all(
    run: StoredRun,
    folder: Path,
    names: Sequence[str],
    theme: Theme = LIGHT,
    format: str = "png",
) -> list[SavedFigure | FailedFigure]:
    """Draw the figures called `names` into `folder`, each as `<name>.<format>`.

    A figure that fails is reported as such and never stops the others: the numbers of a
    finished training are worth more than its pictures.
    """
    return [_saved_one(run, folder / f"{name}.{format}", name, theme) for name in names]


def _saved_one(run: StoredRun, path: Path, name: str, theme: Theme) -> SavedFigure | FailedFigure:
    if name not in FIGURES:
        return FailedFigure(name, str(unknown_name("figure", name, list(FIGURES))))
    kind = FIGURES[name]
    return save_one(name, path, lambda: (kind.draw(run, theme), kind.finding(run)), kind.meaning)


def save_one(
    name: str, path: Path, draw: Callable[[], tuple[Figure, str]], meaning: str
) -> SavedFigure | FailedFigure:
    """Write the figure that `draw` makes beside its finding; a failure is told, not raised."""
    try:
        load_matplotlib()  # before a part of it is: a nonsense MPLBACKEND would stop that
        with without_missing_letters():
            figure, finding = draw()
            save(figure, path)
        return SavedFigure(name, path, finding, meaning)
    except Exception as error:
        return FailedFigure(name, reason_of(error))
