"""One sample in a small pair of axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nncli.plots.figure import Theme
from nncli.results import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DISTINCT_LINES = 3
"""Up to so many features of a sequence get a colour each."""


def shared_limits(inputs: Array) -> tuple[float, float]:
    """The range that all sequences share, so that their heights can be compared."""
    values = np.asarray(inputs, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    pad = 0.08 * (high - low) or 0.5
    return low - pad, high + pad


def draw_lines(ax: Axes, theme: Theme, sequence: Array, limits: tuple[float, float]) -> None:
    """A sequence, a line for each feature; (steps, features), NaN where it has ended."""
    values: NDArray[np.float64] = np.asarray(sequence, dtype=np.float64)
    features = values.shape[1]
    looks = [(theme.train, "-"), (theme.validation, (0, (3, 1.2))), (theme.third, (0, (1, 1)))]
    for feature in range(features):
        colour, dash = looks[feature] if features <= DISTINCT_LINES else (theme.text, "-")
        ax.plot(values[:, feature], color=colour, linestyle=dash,
                linewidth=1.4 if features <= DISTINCT_LINES else 0.7,
                alpha=1.0 if features <= DISTINCT_LINES else 0.55)  # fmt: skip
    ax.set_xlim(-0.02 * len(values), max(1.0, 1.02 * (len(values) - 1)))
    ax.set_ylim(*limits)
