"""Figures drawn from stored runs, and the table that names them (`nncli.plots.stored`).

Importing this imports no matplotlib; the first figure does. The table comes with all its figures
when it is first asked for, so that a figure which is not in it is drawn without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nncli.plots.stored import FIGURES, FigureKind, figures_of, save_all, save_one
    from nncli.results import FailedFigure, SavedFigure

__all__ = [
    "FIGURES",
    "FailedFigure",
    "FigureKind",
    "SavedFigure",
    "figures_of",
    "save_all",
    "save_one",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from nncli.plots import stored

    return getattr(stored, name)
