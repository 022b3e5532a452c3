"""The figures of an evaluation: those of a run's test part, and two of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nncli.plots.calibration import calibration_finding, draw_calibration
from nncli.plots.figure import LIGHT, Theme
from nncli.plots.horizons import draw_horizons, horizons_finding
from nncli.plots.stored import FIGURES, figures_of, save_all, save_one
from nncli.results import Evaluation, FailedFigure, SavedFigure, StoredRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OWN: dict[str, tuple[Callable[..., Figure], Callable[[Evaluation], str], str]] = {
    "calibration": (draw_calibration, calibration_finding, "whether it is as sure as it is right"),
    "horizons": (draw_horizons, horizons_finding, "errors by steps ahead"),
}


def save_evaluated(
    run: StoredRun, evaluation: Evaluation, folder: Path, theme: Theme = LIGHT
) -> list[SavedFigure | FailedFigure]:
    """Draw an evaluation into its folder; a figure that fails never stops the others.

    Args:
        run: whose model was measured.
        evaluation: what came of it.
        folder: where the pictures go.
        theme: the palette.
    """
    measured = replace(
        run,
        name=f"{run.name} on {evaluation.data}",
        metrics={**run.metrics, "test": evaluation.figures},
        predictions=evaluation.predictions,
        forecast=evaluation.forecast,
    )
    names = [
        name for name in figures_of(measured) if FIGURES[name].needs in {"predictions", "forecast"}
    ]
    wanted = []
    if evaluation.predictions is not None:
        wanted.append("calibration")
    elif len(evaluation.figures["horizons"]) > 1:
        wanted.append("horizons")
    return save_all(measured, folder, names, theme) + [
        _own(name, evaluation, folder, theme) for name in wanted
    ]


def _own(
    name: str, evaluation: Evaluation, folder: Path, theme: Theme
) -> SavedFigure | FailedFigure:
    draw, finding, meaning = _OWN[name]

    def make() -> tuple[Figure, str]:
        return draw(evaluation, theme), finding(evaluation)

    return save_one(name, folder / f"{name}.png", make, meaning)
