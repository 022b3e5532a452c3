"""The forecast of the test part: one step ahead, free running where the model sees the series
alone, and how far off each is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nncli.errors import RunError
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
    whole_percent,
)
from nncli.results import Forecast, StoredRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 10.8
SERIES_HEIGHT, NARROW_SERIES_HEIGHT = 2.9, 2.3
ERROR_HEIGHT = 1.05
MOST_STEPS, NARROW_MOST_STEPS = 240, 80
"""Test steps that can still be told apart at this width."""
LONGEST_LABEL = 1.5
"""Inches of a date below the axes."""
MOST_SEEN = 0.4
"""The largest share of the width that the seen window takes."""


@dataclass(frozen=True)
class _Errors:
    """Mean absolute errors over the whole test part."""

    one_step: float
    free_running: float
    """Over its own steps; NaN where there is none."""
    persistence: float


def _forecast(run: StoredRun) -> Forecast:
    """The run's forecast.

    Raises:
        RunError: there is none.
    """
    if run.forecast is None or not len(run.forecast.truth):
        raise RunError(
            f"{run.name} holds no forecast to draw", hint="forecast needs the run of a forecaster"
        )
    return run.forecast


def _errors(forecast: Forecast) -> _Errors:
    def mean(values: NDArray[np.float64]) -> float:
        if not len(values):
            return float("nan")
        with np.errstate(over="ignore", invalid="ignore"):
            return float(np.mean(np.abs(values - forecast.truth[: len(values)])))

    return _Errors(mean(forecast.one_step), mean(forecast.free_running), mean(forecast.persistence))


def forecast_finding(run: StoredRun) -> str:
    """What the forecast shows, in one sentence: the title and the alternative text."""
    errors = _errors(_forecast(run))
    if not np.isfinite(errors.one_step):
        return "The forecast one step ahead is not a number"
    start = f"One step ahead the error is {three_digits(errors.one_step)}"
    if errors.persistence == 0:
        return f"{start}; repeating the last value is exact"
    change = errors.one_step / errors.persistence - 1
    if abs(change) < 0.005:
        return f"{start}, the same as repeating the last value"
    if change > 1:
        times = three_digits(errors.one_step / errors.persistence)
        return f"{start}, {times} times that of repeating the last value"
    where = "below" if change < 0 else "above"
    return f"{start}, {whole_percent(abs(change))} {where} repeating the last value"


def _or_nan(value: float) -> str:
    return three_digits(value) if np.isfinite(value) else "not a number"


def draw_forecast(run: StoredRun, theme: Theme, *, narrow: bool = False) -> Figure:
    """Truth and forecasts of the test part after the seen window, and their errors below.

    Raises:
        RunError: the run holds no forecast.
    """
    forecast = _forecast(run)
    errors = _errors(forecast)
    across, series_height = (NARROW, NARROW_SERIES_HEIGHT) if narrow else (WIDTH, SERIES_HEIGHT)
    steps, run_steps = len(forecast.truth), len(forecast.free_running)
    shown = min(steps, NARROW_MOST_STEPS if narrow else MOST_STEPS)
    seen = min(len(forecast.seen), max(1, round(shown * MOST_SEEN / (1 - MOST_SEEN))))
    seen = len(forecast.seen) if len(forecast.seen) <= 1.25 * max(shown, 20) else seen
    figure = new_figure(across, 1, theme)
    context = [f"repeating the last value {_or_nan(errors.persistence)}"]
    if run_steps:
        many = f"{run_steps:,} step{'s' if run_steps > 1 else ''}"
        context.append(f"free running for {many} {_or_nan(errors.free_running)}")
    context.append("mean absolute errors")
    if shown < steps:
        context.append(f"drawn: the first {shown:,} of {steps:,} test steps; numbers are of all")
    low, high, leaves = _limits(forecast, seen, shown)
    ticks, tick_labels = number_ticks(low, high)
    free = _until_outside(forecast.free_running[:shown], low, high)
    distances = {
        "one": np.abs(forecast.one_step - forecast.truth)[:shown],
        "free": np.abs(free - forecast.truth[: len(free)]),
    }
    highest = _error_limit(distances, errors, high - low)
    error_ticks, error_labels = number_ticks(0, highest, 3)
    if leaves:
        context.append("the free run leaves the picture")
    widest = max(text_width(label, 10) for label in [*tick_labels, *error_labels])
    left = (0.3 if narrow else 0.45) + widest
    start = 0.2 if narrow else left
    header = fit_header(forecast_finding(run), [*context, run.name], across - start - 0.2)
    top = header.height + 0.5
    below = top + series_height + 0.48
    figure.set_size_inches(across, below + ERROR_HEIGHT + 0.65)
    header.draw(figure, theme, start)
    ends = [
        End("truth", _end(forecast.truth[:shown]), theme.text),
        End("one step ahead", _end(forecast.one_step[:shown]), theme.validation),
    ]
    error_ends = [
        End(f"mean {_or_nan(errors.one_step)}", _end(distances["one"]), theme.validation),
        End(f"repeating {_or_nan(errors.persistence)}", errors.persistence, theme.muted),
    ]
    if run_steps:
        away = ("↑" if _end(free) > high else "↓") if leaves else ""
        ends.append(End(f"free running {away}".rstrip(), _end(free), theme.train))
        mean = f"mean {_or_nan(errors.free_running)}"
        error_ends.insert(1, End(mean, _end(distances["free"]), theme.train))
    beside = max(ends_width(ends), ends_width(error_ends))
    width = across - left - beside - (0.05 if narrow else 0.15)
    series = place_axes(figure, left, top, width, series_height)
    error = place_axes(figure, left, below, width, ERROR_HEIGHT)
    for ax in (series, error):
        style_axes(ax, theme)
        ax.set_xlim(-seen, max(shown - 1, 1))
    series.set_ylim(low, high)
    error.set_ylim(0, highest)
    set_ticks(series, "y", ticks, tick_labels)
    set_ticks(error, "y", error_ticks, error_labels)
    _x_ticks(series, error, theme, forecast, seen, shown, width)
    _series(series, theme, forecast, free, seen, shown, width)
    if np.isfinite(errors.persistence):
        error.plot([0, max(shown - 1, 1)], [errors.persistence] * 2, color=theme.muted,
                   linewidth=1.1)  # fmt: skip
    for key, colour, dash, line_width in (
        ("free", theme.train, (0, (1.2, 1.4)), 1.8),
        ("one", theme.validation, (0, (4.5, 2)), 1.9),
    ):
        marker = "o" if shown == 1 else None
        error.plot(distances[key], color=colour, linestyle=dash, linewidth=line_width,
                   marker=marker)  # fmt: skip
    for ax, height, text in (
        (series, series_height, _heading(forecast.name, width + beside)),
        (error, ERROR_HEIGHT, "Absolute error"),
    ):
        put(ax, 0, 1 + 0.12 / height, text, size=HEADING, colour=theme.text, bold=True,
            transform=ax.transAxes)  # fmt: skip
    label_ends(series, ends)
    label_ends(error, error_ends)
    return figure


def _heading(name: str, room: float) -> str:
    """What the series is, in as many words as there is room for."""
    parts = ["the test part, never trained on", "the test part"]
    name = clean(name)
    for part in parts if name else ():
        if text_width(f"{name}: {part}", HEADING, bold=True) <= room:
            return f"{name}: {part}"
    if not name:
        return parts[0]
    rest = room - text_width(f": {parts[1]}", HEADING, bold=True)
    return f"{shorten(name, rest, HEADING, bold=True)}: {parts[1]}"


def _end(values: NDArray[np.float64]) -> float:
    """The last number of a line."""
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else float("nan")


def _until_outside(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """`values` up to the first that lies outside; what comes after would be stray strokes."""
    outside = np.flatnonzero((values < low) | (values > high))
    kept = values.astype(np.float64)
    if len(outside):
        kept[outside[0] + 1 :] = np.nan
    return kept


def _limits(forecast: Forecast, seen: int, shown: int) -> tuple[float, float, bool]:
    """The y axis, and whether the free-running forecast leaves it."""

    def finite(*parts: NDArray[np.float64]) -> NDArray[np.float64]:
        values = np.concatenate(parts)
        return values[np.isfinite(values)]

    kept = finite(forecast.seen[-seen:], forecast.truth[:shown], forecast.one_step[:shown])
    if not len(kept):
        return 0.0, 1.0, False
    low, high = float(kept.min()), float(kept.max())
    room = (high - low) or abs(high) or 1.0
    free = finite(forecast.free_running[:shown])
    leaves = False
    if len(free):
        leaves = bool(free.min() < low - room or free.max() > high + room)
        low = min(low, max(float(free.min()), low - 0.25 * room if leaves else -np.inf))
        high = max(high, min(float(free.max()), high + 0.25 * room if leaves else np.inf))
    return low - 0.06 * room, high + 0.15 * room, leaves


def _error_limit(distances: dict[str, NDArray[np.float64]], errors: _Errors, room: float) -> float:
    """The upper end of the error axis; a free run that explodes does not set it."""
    found = [errors.persistence if np.isfinite(errors.persistence) else 0.0]
    for values in distances.values():
        finite = values[np.isfinite(values)]
        if len(finite):
            found.append(min(float(finite.max()), room))
    return 1.12 * max(found) or 1.0


def _x_ticks(
    series: Axes, error: Axes, theme: Theme, forecast: Forecast, seen: int, shown: int,
    width: float,
) -> None:  # fmt: skip
    """Steps, or the source's dates where it has them, below the lower panel."""
    if len(forecast.labels) >= shown:
        named = [shorten(label, LONGEST_LABEL, 10) for label in forecast.labels[:shown]]
        widest = max(text_width(label, 10) for label in named)
        per_step = width / (seen + max(shown - 1, 1))
        gaps = int(per_step * (shown - 1) / (widest + 0.2))
        stride = max(1, -(-(shown - 1) // gaps)) if gaps else shown
        ticks = list(range(0, shown, stride))
        labels = [named[tick] for tick in ticks]
    else:
        last = max(shown - 1, 1)
        whole = step_ticks(0, seen + last)
        step = whole[2] - whole[1] if len(whole) > 2 else 1
        ticks = list(range(-(seen // step) * step, last + 1, step))
        if last - ticks[-1] >= 0.6 * step:
            ticks.append(last)
        labels = [f"{tick:,}".replace("-", "−") for tick in ticks]
        error.set_xlabel("steps after the last seen value", color=theme.muted, fontsize=CONTEXT)
    set_ticks(series, "x", ticks, [""] * len(ticks))
    set_ticks(error, "x", ticks, labels)


def _series(
    ax: Axes, theme: Theme, forecast: Forecast, free: NDArray[np.float64], seen: int, shown: int,
    width: float,
) -> None:  # fmt: skip
    """The series with its forecasts, the seen window shaded and named."""
    before = np.arange(-seen, 0)
    after = np.arange(shown)
    ax.axvspan(-seen, -0.5, facecolor=theme.shade, linewidth=0, zorder=0)
    known = np.concatenate([forecast.seen[-seen:], forecast.truth[:shown]])
    ax.plot(np.concatenate([before, after]), known, color=theme.text, linewidth=1.9, zorder=3)
    if 0 < len(free) < shown and np.isfinite(free[-1]):  # from where it ends to its name
        ax.plot([len(free) - 1, shown - 1], [free[-1]] * 2, color=theme.train, linewidth=0.7,
                alpha=0.6, zorder=2)  # fmt: skip
    marker = "o" if shown == 1 else None
    ax.plot(after[: len(free)], free, color=theme.train, linewidth=1.9,
            linestyle=(0, (1.2, 1.4)), marker=marker, zorder=4)  # fmt: skip
    ax.plot(after, forecast.one_step[:shown], color=theme.validation, linewidth=2.1,
            linestyle=(0, (4.5, 2)), marker=marker, zorder=5)  # fmt: skip
    whole = len(forecast.seen)
    count = f"{whole:,} step{'s' if whole != 1 else ''}"
    text = f"seen: {count}" if seen == whole else f"seen: the last {seen:,} of {count}"
    room = width * seen / (seen + max(shown - 1, 1))
    choices = [text, f"seen: {whole:,}", "seen"]
    text = next((t for t in choices if text_width(t, SMALL) < room - 0.1), "")
    if not text:
        return
    put(ax, -(seen + 0.5) / 2, 0.985, text, size=SMALL, colour=theme.muted, ha="center",
        va="top", transform=ax.get_xaxis_transform())  # fmt: skip
