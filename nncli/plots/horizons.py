"""The error of a forecast by how many steps it looks ahead, beside that of the last value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nncli.errors import RunError
from nncli.plots.figure import NARROW, Theme, new_figure, style_axes, three_digits
from nncli.plots.labels import (
    CONTEXT,
    HEADING,
    End,
    ends_width,
    fit_header,
    fitting_step_ticks,
    label_ends,
    number_ticks,
    place_axes,
    put,
    set_ticks,
    text_width,
)
from nncli.results import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 8.0, 2.9


def horizons_finding(evaluation: Evaluation) -> str:
    """What the lines show, in one sentence: the title and the alternative text."""
    horizons = _horizons(evaluation)
    better = [
        steps
        for steps, told in horizons.items()
        if told["mean_absolute_error"] < told["persistence_mean_absolute_error"]
    ]
    if len(better) == len(horizons):
        return "Better than repeating the last value at every horizon"
    if not better:
        return "At no horizon better than repeating the last value"
    runs = [n for n in horizons if all(m in better for m in horizons if m <= n)]
    if len(runs) == len(better):
        plural = "s" if runs[-1] > 1 else ""
        return f"Better than repeating the last value up to {runs[-1]} step{plural} ahead"
    return f"Better than repeating the last value at {len(better)} of {len(horizons)} horizons"


def _horizons(evaluation: Evaluation) -> dict[int, dict[str, Any]]:
    """The figures by steps ahead.

    Raises:
        RunError: there are none.
    """
    found = {int(steps): told for steps, told in evaluation.figures.get("horizons", {}).items()}
    if len(found) < 2:
        raise RunError(
            f"{evaluation.run} was measured one step ahead alone", hint="there is nothing to draw"
        )
    return dict(sorted(found.items()))


def draw_horizons(evaluation: Evaluation, theme: Theme, *, narrow: bool = False) -> Figure:
    """Mean absolute error by horizon.

    Raises:
        RunError: one step ahead is all that was measured.
    """
    horizons = _horizons(evaluation)
    steps = list(horizons)
    model = [told["mean_absolute_error"] for told in horizons.values()]
    naive = [told["persistence_mean_absolute_error"] for told in horizons.values()]
    across = NARROW if narrow else WIDTH
    ticks, labels = number_ticks(0, 1.1 * max(*model, *naive))
    left = 0.45 + max(text_width(label, 10) for label in labels)
    start = 0.2 if narrow else left
    context = [
        f"from each of {horizons[1]['forecasts']:,} values on",
        "further than one step by its own answers",
        f"{evaluation.run} on {evaluation.data}",
    ]
    header = fit_header(horizons_finding(evaluation), context, across - start - 0.2)
    top = header.height + 0.5
    figure = new_figure(across, top + HEIGHT + 0.65, theme)
    header.draw(figure, theme, start)
    ends = [
        End(f"model {three_digits(model[-1])}", model[-1], theme.validation),
        End(f"last value {three_digits(naive[-1])}", naive[-1], theme.muted),
    ]
    width = across - left - ends_width(ends) - 0.1
    ax = place_axes(figure, left, top, width, HEIGHT)
    style_axes(ax, theme)
    ax.set_xlim(steps[0], steps[-1])
    ax.set_ylim(0, 1.1 * max(*model, *naive) or 1.0)
    set_ticks(ax, "y", ticks, labels)
    across_ticks = fitting_step_ticks(steps[0], steps[-1], width)
    set_ticks(ax, "x", across_ticks, [f"{tick:,}" for tick in across_ticks])
    ax.plot(steps, naive, color=theme.muted, linewidth=1.6, zorder=3)
    ax.plot(steps, model, color=theme.validation, linewidth=2.1, marker="o", markersize=4,
            zorder=4, clip_on=False)  # fmt: skip
    ax.set_xlabel("steps ahead", color=theme.muted, fontsize=CONTEXT)
    unit = evaluation.figures.get("unit", "")
    put(ax, 0, 1 + 0.12 / HEIGHT, f"Mean absolute error{f', {unit}' if unit else ''}",
        size=HEADING, colour=theme.text, bold=True, transform=ax.transAxes)  # fmt: skip
    label_ends(ax, ends)
    return figure
