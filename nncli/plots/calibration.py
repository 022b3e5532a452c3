"""Calibration: whether a model that is 80 % sure is right in 80 % of the cases."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nncli.errors import RunError
from nncli.plots.figure import NARROW, Theme, new_figure, style_axes
from nncli.plots.labels import (
    CONTEXT,
    HEADING,
    SMALL,
    fit_header,
    percent,
    place_axes,
    put,
    set_ticks,
    whole_percent,
)
from nncli.results import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE, BARS = 4.9, 0.8
"""Inches of the diagram's sides, and of the height of the bars below it."""
TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def calibration_finding(evaluation: Evaluation) -> str:
    """What the diagram shows, in one sentence: the title and the alternative text."""
    bins = _bins(evaluation)
    samples = sum(each["samples"] for each in bins)
    sure = sum(each["confidence"] * each["samples"] for each in bins) / samples
    right = sum(each["accuracy"] * each["samples"] for each in bins) / samples
    text = f"{percent(sure)} sure on average, {percent(right)} right"
    gap = sure - right
    if abs(gap) < 1.96 * math.sqrt(right * (1 - right) / samples):
        return f"{text}: no further apart than {samples:,.0f} samples can tell"
    return f"{text}: too {'sure' if gap > 0 else 'unsure'} by {abs(gap) * 100:.1f} points"


def _bins(evaluation: Evaluation) -> list[dict[str, float]]:
    """The bins that hold samples.

    Raises:
        RunError: there are none.
    """
    bins: list[dict[str, float]] = list(evaluation.figures.get("calibration", ()))
    if not bins:
        raise RunError(
            f"{evaluation.run} holds no probabilities, so there is no calibration to draw",
            hint="calibration needs a classifier",
        )
    return bins


def draw_calibration(evaluation: Evaluation, theme: Theme, *, narrow: bool = False) -> Figure:
    """Accuracy by confidence beside the line of the ideal, and how many samples each bin has.

    Raises:
        RunError: there are no probabilities.
    """
    bins = _bins(evaluation)
    samples = int(sum(each["samples"] for each in bins))
    across = NARROW if narrow else 6.4
    left = 0.75
    side = min(SIDE, across - left - 0.5) if narrow else SIDE
    error = evaluation.figures["expected_calibration_error"]
    context = [
        f"expected calibration error {error * 100:.2f} points",
        f"{samples:,} samples",
        "size of a dot: its samples",
        f"{evaluation.run} on {evaluation.data}",
    ]
    start = 0.2 if narrow else left
    header = fit_header(calibration_finding(evaluation), context, across - start - 0.2)
    top = header.height + 0.5
    below = top + side + 0.2
    figure = new_figure(across, below + BARS + 0.6, theme)
    header.draw(figure, theme, start)
    ax = place_axes(figure, left, top, side, side)
    bars = place_axes(figure, left, below, side, BARS)
    for each in (ax, bars):
        style_axes(each, theme)
        each.set_xlim(0, 1)
        set_ticks(each, "x", TICKS, [""] * len(TICKS))
    ax.set_ylim(0, 1)
    shares = [whole_percent(tick) for tick in TICKS]
    set_ticks(ax, "y", TICKS, shares)
    set_ticks(bars, "x", TICKS, shares)
    _diagram(ax, theme, bins, samples)
    counts = [each["samples"] for each in bins]
    bars.bar(
        [each["from"] for each in bins],
        counts,
        width=[each["to"] - each["from"] for each in bins],
        align="edge",
        color=theme.train,
        edgecolor=theme.background,
        linewidth=1,
    )
    bars.set_ylim(0, 1.15 * max(counts))
    set_ticks(bars, "y", [0, max(counts)], ["0", f"{max(counts):,.0f}"])
    put(ax, 0, 1 + 0.12 / side, "Accuracy, by how sure the model is", size=HEADING,
        colour=theme.text, bold=True, transform=ax.transAxes)  # fmt: skip
    bars.set_xlabel("probability of the answer", color=theme.muted, fontsize=CONTEXT)
    put(bars, 0.015, 0.6, "samples", size=SMALL, colour=theme.muted, transform=bars.transAxes)
    return figure


def _diagram(ax: Axes, theme: Theme, bins: list[dict[str, float]], samples: int) -> None:
    x = np.array([each["confidence"] for each in bins])
    y = np.array([each["accuracy"] for each in bins])
    counts = np.array([each["samples"] for each in bins])
    ax.plot([0, 1], [0, 1], color=theme.muted, linewidth=1.1, zorder=2)
    ax.vlines(x, np.minimum(x, y), np.maximum(x, y), color=theme.wrong, linewidth=1.3, alpha=0.8,
              zorder=3)  # fmt: skip
    ax.plot(x, y, color=theme.train, linewidth=1.4, alpha=0.7, zorder=4)
    ax.scatter(x, y, s=22 + 150 * counts / samples, color=theme.train, zorder=5,
               edgecolor=theme.background, linewidth=1, clip_on=False)  # fmt: skip
    put(ax, 0.11, 0.135, "as sure as right", size=SMALL, colour=theme.muted, rotation=45,
        ha="center", va="center", rotation_mode="anchor")  # fmt: skip
    put(ax, 0.97, 0.05, "too sure", size=SMALL, colour=theme.muted, ha="right")
    put(ax, 0.03, 0.93, "too unsure", size=SMALL, colour=theme.muted)
