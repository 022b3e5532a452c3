"""What a forecaster says of the time after its series, drawn behind what was observed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nncli.plots.figure import NARROW, Theme, new_figure, style_axes, three_digits
from nncli.plots.labels import (
    CONTEXT,
    HEADING,
    SMALL,
    End,
    clean,
    ends_width,
    fit_header,
    label_ends,
    number_ticks,
    place_axes,
    put,
    set_ticks,
    shorten,
    step_ticks,
    text_width,
)
from nncli.results import Outlook, StoredRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 10.8, 3.4
NARROW_HEIGHT = 2.6
MOST_VALUES, NARROW_MOST_VALUES = 240, 80
"""Values that can still be told apart at this width."""
LONGEST_LABEL = 1.5
"""Inches of a date below the axes."""
BEFORE = 2.5
"""How many times as long as the forecast is what is shown of the time before it, if there is."""


def outlook_finding(outlook: Outlook) -> str:
    """What the forecast says, in one sentence: the title and the alternative text."""
    name = clean(outlook.name) or "The series"
    ahead = outlook.ahead
    last, end = _figure(outlook, outlook.observed[-1]), _figure(outlook, ahead[-1])
    if len(ahead) == 1:
        return f"{name} goes from {last} to {end} in the next step"
    text = f"{name} goes from {last} to {end} in {len(ahead):,} steps"
    low, high = int(ahead.argmin()), int(ahead.argmax())
    for at, extreme in ((high, "highest"), (low, "lowest")):
        if 0 < at < len(ahead) - 1:
            return f"{text}; {extreme} {_figure(outlook, ahead[at])} at {outlook.labels[at]}"
    return text


def _figure(outlook: Outlook, value: float) -> str:
    """Three digits; 0 for what is nothing beside the rest of the series."""
    largest = float(np.abs(outlook.observed).max())
    return three_digits(0.0 if abs(value) < 1e-12 * largest else float(value))


def draw_outlook(outlook: Outlook, run: StoredRun, theme: Theme, *, narrow: bool = False) -> Figure:
    """The series to its end, the window that the model saw shaded, and the forecast behind it."""
    across, height = (NARROW, NARROW_HEIGHT) if narrow else (WIDTH, HEIGHT)
    ahead = outlook.ahead[: NARROW_MOST_VALUES if narrow else MOST_VALUES]
    most = max(outlook.window, round(BEFORE * len(ahead)), 12)
    before = outlook.observed[-min(most, NARROW_MOST_VALUES if narrow else MOST_VALUES) :]
    low, high = _limits(outlook, before, ahead)
    ticks, tick_labels = number_ticks(low, high)
    left = (0.3 if narrow else 0.45) + max(text_width(label, 10) for label in tick_labels)
    start = 0.2 if narrow else left
    context = _context(outlook, run, len(ahead))
    header = fit_header(outlook_finding(outlook), context, across - start - 0.2)
    top = header.height + 0.5
    figure = new_figure(across, top + height + 0.65, theme)
    header.draw(figure, theme, start)
    share = (len(before) - 1) / (len(before) + len(ahead) - 1)
    tight = (1 - share) * (across - left - 1) < text_width("forecast", HEADING, bold=True) + 0.1
    end = f"{'forecast ' * tight}{_figure(outlook, ahead[-1])}"
    ends = [End(end, float(ahead[-1]), theme.validation)]
    width = across - left - ends_width(ends) - (0.05 if narrow else 0.15)
    ax = place_axes(figure, left, top, width, height)
    style_axes(ax, theme)
    ax.set_xlim(1 - len(before), len(ahead))
    ax.set_ylim(low, high)
    set_ticks(ax, "y", ticks, tick_labels)
    _x_ticks(ax, theme, outlook, len(before), len(ahead), (left, width, across - left - width))
    _lines(ax, theme, outlook, before, ahead, width)
    for text, colour, side, room in (
        ("observed", theme.text, "right", share),
        ("forecast", theme.validation, "left", 0 if tight else 1 - share),
    ):
        if text_width(text, HEADING, bold=True) + 0.1 <= room * width:
            put(ax, share + (0.08 if side == "left" else -0.08) / width, 1 + 0.12 / height, text,
                size=HEADING, colour=colour, bold=True, ha=side,
                transform=ax.transAxes)  # fmt: skip
    label_ends(ax, ends)
    return figure


def _context(outlook: Outlook, run: StoredRun, shown: int) -> list[str]:
    """What the band is, and what is drawn."""
    found = []
    if len(outlook.errors):
        far = len(outlook.errors)
        error = three_digits(float(outlook.errors[-1]))
        steps = f"{far:,} steps" if far > 1 else "1 step"
        found.append(f"band: its mean absolute error on the test part, ±{error} at {steps}")
    if shown < len(outlook.ahead):
        found.append(f"drawn: the first {shown:,} of {len(outlook.ahead):,} steps")
    return [*found, run.name]


def _band(
    outlook: Outlook, ahead: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(at most steps,) the forecast less and more what the model was off by."""
    errors = outlook.errors[: len(ahead)]
    return ahead[: len(errors)] - errors, ahead[: len(errors)] + errors


def _limits(
    outlook: Outlook, before: NDArray[np.float64], ahead: NDArray[np.float64]
) -> tuple[float, float]:
    values = np.concatenate([before, ahead, *_band(outlook, ahead)])
    low, high = float(values.min()), float(values.max())
    room = (high - low) or abs(high) or 1.0
    return low - 0.06 * room, high + 0.15 * room


def _x_ticks(
    ax: Axes,
    theme: Theme,
    outlook: Outlook,
    before: int,
    ahead: int,
    room: tuple[float, float, float],
) -> None:
    """Dates where the source has them and they go on; else steps from the last value on.

    Args:
        ax: where.
        theme: its colours.
        outlook: what is drawn.
        before: values before the forecast.
        ahead: steps of it.
        room: inches left of the axes, of them, and right of them.
    """
    left, width, right = room
    dated = bool(outlook.dates) and not outlook.labels[0].startswith("+")
    if not dated:
        ticks = step_ticks(1 - before, ahead)
        ticks = sorted({tick for tick in (*ticks, 0) if tick == 0 or abs(tick) > 1})
        labels = [f"{tick:+,}".replace("-", "−") if tick else "0" for tick in ticks]
        ticks, labels = _apart(ticks, labels, width / (before + ahead - 1))
        ax.set_xlabel("steps after the last observed value", color=theme.muted, fontsize=CONTEXT)
    else:
        names = [*outlook.dates[-before:], *outlook.labels[:ahead]]
        named = [shorten(name, LONGEST_LABEL, 10) for name in names]
        per_step = width / (len(named) - 1)
        stride = max(1, int(np.ceil((max(text_width(n, 10) for n in named) + 0.25) / per_step)))
        stride = next((n for n in (1, 2, 3, 4, 6, 12, 24, 60, 120) if n >= stride), stride)
        every = range((before - 1) % stride, len(named), stride)  # the last observed one among them
        half = [text_width(name, 10) / 2 + 0.05 for name in named]
        at = [i for i in every if half[i] - left <= i * per_step <= width + right - half[i]]
        ticks, labels = [i - before + 1 for i in at], [named[i] for i in at]
    set_ticks(ax, "x", ticks, labels)


def _apart(
    ticks: Sequence[int], labels: Sequence[str], per_step: float
) -> tuple[list[int], list[str]]:
    """Those ticks whose labels do not touch that of 0, nor each other."""
    kept: list[int] = []
    order = sorted(range(len(ticks)), key=lambda i: ticks[i] != 0)
    for i in order:
        half = text_width(labels[i], 10) / 2
        if all(
            abs(ticks[i] - ticks[j]) * per_step > half + text_width(labels[j], 10) / 2 + 0.12
            for j in kept
        ):
            kept.append(i)
    kept.sort()
    return [ticks[i] for i in kept], [labels[i] for i in kept]


def _lines(
    ax: Axes, theme: Theme, outlook: Outlook, before: NDArray[np.float64],
    ahead: NDArray[np.float64], width: float,
) -> None:  # fmt: skip
    """The shaded window, the series, and the forecast from its last value on."""
    seen = min(outlook.window, len(before))
    ax.axvspan(1 - seen, 0, facecolor=theme.shade, linewidth=0, zorder=0)
    ax.axvline(0, color=theme.muted, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
    ax.plot(np.arange(1 - len(before), 1), before, color=theme.text, linewidth=1.9, zorder=3)
    ax.plot(np.arange(len(ahead) + 1), np.concatenate([before[-1:], ahead]),
            color=theme.validation, linewidth=2.1, linestyle=(0, (4.5, 2)),
            zorder=4)  # fmt: skip
    ax.plot([0], before[-1:], marker="o", markersize=5, color=theme.text, linestyle="none",
            zorder=5)  # fmt: skip
    low, high = _band(outlook, ahead)
    if len(low):
        steps = np.arange(len(low) + 1)
        below, above = (np.concatenate([before[-1:], edge]) for edge in (low, high))
        ax.fill_between(steps, below, above, color=theme.validation, alpha=0.16, linewidth=0,
                        zorder=2)  # fmt: skip
    room = width * (seen - 1) / (len(before) + len(ahead) - 1)
    whole = f"{outlook.window:,} step{'s' * (outlook.window > 1)}"
    part = "seen" if seen == outlook.window else f"seen: the last {seen:,} of"
    choices = [f"{part}: {whole}" if part == "seen" else f"{part} {whole}", "seen"]
    text = next((each for each in choices if text_width(each, SMALL) < room - 0.1), "")
    if text:
        put(ax, (1 - seen) / 2, 0.985, text, size=SMALL, colour=theme.muted, ha="center",
            va="top", transform=ax.get_xaxis_transform())  # fmt: skip
