"""Training curves: how the loss and the main metric went, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nncli.errors import RunError
from nncli.plots.figure import Theme, new_figure, style_axes, three_digits
from nncli.plots.labels import (
    CONTEXT,
    HEADING,
    SMALL,
    End,
    ends_width,
    fit_header,
    label_ends,
    line_height,
    number_ticks,
    percent,
    place_axes,
    put,
    scientific,
    set_ticks,
    step_ticks,
    subject,
    text_width,
)
from nncli.results import EpochRecord, StoredRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Box = tuple[float, float, float, float]
"""Left, bottom, right, top in inches from the lower left corner of the axes."""

WIDTH = 11.5
PANEL_HEIGHT = 3.05
LOG_FROM = 50.0
"""The ratio of the largest to the smallest value from which the scale is logarithmic."""
HIDDEN_BELOW = 0.35
"""A curve that would fill less of an axis from zero is given an axis of its own range."""
NO_LONGER = "no longer improves"

PHASES = {"head": "head", "fine_tune": "fine-tuning"}
WORDS = {
    "loss": "loss",
    "accuracy": "accuracy",
    "mean_absolute_error": "mean absolute error",
}


@dataclass(frozen=True)
class _Course:
    """The epochs that the curves of a run show, numbered from 1."""

    records: tuple[EpochRecord, ...]
    before: int
    """Epochs of pretraining that came before, in the record's own numbering."""
    monitor: str
    best: int | None
    """The best epoch; None where no epoch has a number."""

    @property
    def first(self) -> int:
        return self.records[0].epoch - self.before

    @property
    def last(self) -> int:
        return self.records[-1].epoch - self.before

    def values(self, metric: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Epochs and values of `metric`, of the epochs that have it."""
        having = [record for record in self.records if metric in record.metrics]
        epochs = np.array([record.epoch - self.before for record in having], dtype=np.float64)
        values = np.array([record.metrics[metric] for record in having], dtype=np.float64)
        return epochs, values

    def at(self, metric: str, epoch: int | None) -> float | None:
        """The value of `metric` in `epoch`, if there is one."""
        for record in self.records:
            if record.epoch - self.before == epoch:
                return record.metrics.get(metric)
        return None

    @property
    def changes(self) -> list[tuple[int, str, str]]:
        """First epoch, old phase and new phase of each change of phase."""
        return [
            (new.epoch - self.before, old.phase, new.phase)
            for old, new in zip(self.records, self.records[1:], strict=False)
            if old.phase != new.phase
        ]

    @property
    def broken(self) -> int | None:
        """The first epoch from which the training or monitored loss stays no number."""
        found: list[int] = []
        for metric in ("loss", self.monitor):
            epochs, values = self.values(metric)
            if len(values) and not np.isfinite(values[-1]):
                good = np.flatnonzero(np.isfinite(values))
                found.append(int(epochs[good[-1] + 1] if len(good) else epochs[0]))
        return min(found, default=None)


def _course(run: StoredRun) -> _Course:
    """The epochs to draw: pretraining is another task on other data and is left out.

    Raises:
        RunError: no epoch was finished.
    """
    shown = tuple(record for record in run.history if record.phase != "pretrain")
    shown = shown or run.history  # stopped while still pretraining
    if not shown:
        raise RunError(
            f"{run.name} has no finished epoch, so there are no curves to draw",
            hint="train for at least one epoch",
        )
    before = shown[0].epoch - 1
    has_validation = any("val_loss" in record.metrics for record in shown)
    monitor = str(run.metrics.get("monitor") or ("val_loss" if has_validation else "loss"))
    course = _Course(shown, before, monitor, None)
    best = run.metrics.get("best_epoch")
    stored = int(best) - before if isinstance(best, int | float) else None
    value = course.at(monitor, stored)
    if value is None or not np.isfinite(value):
        epochs, values = course.values(monitor)
        finite = np.isfinite(values)
        stored = None
        if finite.any():
            epochs, values = epochs[finite], values[finite]
            pick = values.argmax() if _is_share(monitor) else values.argmin()
            stored = int(epochs[pick])
    return _Course(shown, before, monitor, stored)


def _is_share(metric: str) -> bool:
    return "accuracy" in metric


def _words(metric: str) -> str:
    """`validation loss` of `val_loss`, `training accuracy` of `accuracy`."""
    plain = metric.removeprefix("val_")
    part = "validation" if metric != plain else "training"
    return f"{part} {WORDS.get(plain, plain.replace('_', ' '))}"


def _number(metric: str, value: float) -> str:
    if not np.isfinite(value):
        return "NaN"
    return percent(value) if _is_share(metric) else three_digits(value)


def _main_metric(run: StoredRun, course: _Course) -> str | None:
    """What is shown beside the loss, if the records have it."""
    wanted = "accuracy" if run.task == "classification" else "mean_absolute_error"
    has = any(wanted in r.metrics or f"val_{wanted}" in r.metrics for r in course.records)
    return wanted if has else None


def _classes(run: StoredRun) -> int | None:
    if run.task != "classification":
        return None
    if run.predictions is not None:
        return len(run.predictions.classes)
    return run.layers[-1].output_shape[-1] if run.layers and run.layers[-1].output_shape else None


def curves_finding(run: StoredRun) -> str:
    """What the curves show, in one sentence: the title and the alternative text."""
    course = _course(run)
    start = f"{subject(run)}: "
    if course.best is None:
        return f"{start}the loss is not a number from epoch {course.broken or course.first} on"
    value = course.at(course.monitor, course.best)
    assert value is not None
    best = f"{_words(course.monitor)} {_number(course.monitor, value)}"
    if course.broken is not None:
        return (
            f"{start}the loss is not a number from epoch {course.broken:,} on; "
            f"best {best} at epoch {course.best:,}"
        )
    if course.first == course.last:
        return f"{start}{best} after 1 epoch"
    improving = " (still improving)" if course.best == course.last else ""
    return f"{start}best {best} at epoch {course.best:,} of {course.last:,}{improving}"


def _context(run: StoredRun, course: _Course, metric: str | None) -> list[str]:
    parts: list[str] = []
    if metric is not None and course.best is not None:
        shown = "loss" if course.monitor.endswith(metric) else metric
        for name in (f"val_{shown}", shown):
            value = course.at(name, course.best)
            if value is not None:
                parts.append(f"{_words(name)} {_number(name, value)} at that epoch")
                break
    if course.best == course.last != course.first and course.broken is None:
        parts.append("the last epoch is the best: train longer")
    training = run.config.get("training") or {}
    settings = [
        f"{before}{value}"
        for before, value in (
            ("", training.get("optimizer")),
            ("batch ", training.get("batch_size")),
            ("seed ", run.config.get("seed")),
        )
        if value is not None
    ]
    if settings:
        parts.append(", ".join(settings))
    if not any("val_loss" in record.metrics for record in course.records):
        parts.append("no validation part")
    return [*parts, run.name]


def draw_curves(run: StoredRun, theme: Theme) -> Figure:
    """Loss and main metric by epoch, side by side, with the best epoch marked in both.

    Raises:
        RunError: no epoch was finished.
    """
    course = _course(run)
    metric = _main_metric(run, course)
    figure = new_figure(WIDTH, 1, theme)
    left = 0.7
    header = fit_header(curves_finding(run), _context(run, course, metric), WIDTH - left - 0.2)
    top = header.height + 0.55 + (0.18 if course.changes else 0)
    figure.set_size_inches(WIDTH, top + PANEL_HEIGHT + 0.62)
    header.draw(figure, theme, left)
    panels = [
        _Panel(figure, theme, course, name, _classes(run))
        for name in ("loss", metric)
        if name is not None
    ]
    # The plots share the width that tick and end labels leave.
    right, between = 0.15, 0.35
    taken = left + panels[0].ends_width + right
    taken += sum(between + panel.ticks_width + panel.ends_width for panel in panels[1:])
    width = (WIDTH - taken) / len(panels)
    x = left
    for panel in panels:
        if panel is not panels[0]:
            x += between + panel.ticks_width
        panel.draw(x, top, width)
        x += width + panel.ends_width
    return figure


class _Panel:
    """One metric: its curves, and what is written beside and between them."""

    def __init__(
        self, figure: Figure, theme: Theme, course: _Course, metric: str, classes: int | None
    ) -> None:
        self.figure, self.theme, self.course, self.metric = figure, theme, course, metric
        self.chance = 1 / classes if classes and metric == "accuracy" else None
        self.curves = [
            (name, *course.values(key), colour, dashed)
            for name, key, colour, dashed in (
                ("train", metric, theme.train, True),
                ("val", f"val_{metric}", theme.validation, False),
            )
            if any(key in record.metrics for record in course.records)
        ]
        self.main = f"val_{metric}" if self.curves[-1][0] == "val" else metric
        values = np.concatenate([curve[2] for curve in self.curves])
        self.low, self.high, self.log = _limits(
            values, share=_is_share(metric), several=course.last > course.first
        )
        if _is_share(metric):
            self.ticks, labels = number_ticks(self.low * 100, self.high * 100)
            self.ticks = [tick / 100 for tick in self.ticks]
            self.tick_labels = [f"{label} %" for label in labels]
        elif self.log:
            self.ticks, self.tick_labels = _log_ticks(self.low, self.high)
        else:
            self.ticks, self.tick_labels = number_ticks(self.low, self.high)
        self.ends = []
        for name, _, ys, colour, _ in self.curves:
            finite = ys[np.isfinite(ys)]
            y = float(finite[-1]) if len(finite) else float("nan")
            self.ends.append(End(f"{name} {_number(metric, float(ys[-1]))}", y, colour))
        self.ends_width = ends_width(self.ends)
        self.ticks_width = 0.12 + max(text_width(label, 10) for label in self.tick_labels)

    def draw(self, left: float, top: float, width: float) -> None:
        """Draw the panel at inches from the figure's left and top edges."""
        theme, course = self.theme, self.course
        self.width = width
        self.ax = ax = place_axes(self.figure, left, top, width, PANEL_HEIGHT)
        style_axes(ax, theme)
        first, last = course.first, course.last
        ax.set_xlim((first, last) if last > first else (first - 0.5, first + 0.5))
        if self.log:
            ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(self.low, self.high)
        set_ticks(ax, "y", self.ticks, self.tick_labels)
        epochs = step_ticks(first, last)
        set_ticks(ax, "x", epochs, [f"{epoch:,}" for epoch in epochs])
        ax.set_xlabel("epoch", color=theme.muted, fontsize=CONTEXT)
        self._heading()
        self._phases()
        self.boxes: list[Box] = []
        self.hairline: float | None = None
        if course.best is not None and last > first:
            self.hairline = self._inches(course.best, self.low)[0]
            ax.axvline(course.best, color=theme.muted, linestyle=(0, (1, 2.2)), linewidth=1.1,
                       zorder=1.5)  # fmt: skip
            if course.best < last:
                ax.axvspan(course.best, last, facecolor=theme.shade, linewidth=0, zorder=0)
        for _, xs, ys, colour, dashed in self.curves:
            ax.plot(xs, ys, color=colour, linewidth=1.7 if dashed else 2.4, clip_on=False,
                    linestyle=(0, (4.5, 2)) if dashed else "-", zorder=3 if dashed else 4,
                    solid_joinstyle="round")  # fmt: skip
            self._lone_points(xs, ys, colour)
            self._break(xs, ys, colour)
        self.points = self._trace()
        if not len(self.points):
            self._write("no number to draw", width / 2, PANEL_HEIGHT / 2, CONTEXT, theme.muted,
                        bold=False, ha="center")  # fmt: skip
        self._chance()
        self._best()
        self._no_longer()
        label_ends(ax, self.ends)

    def _heading(self) -> None:
        better = "higher is better" if _is_share(self.metric) else "lower is better"
        scale = "log scale, " if self.log else ""
        name = WORDS.get(self.metric, self.metric.replace("_", " ")).capitalize()
        above = 0.14 + (0.18 if self.course.changes else 0)
        put(self.ax, 0, 1 + above / PANEL_HEIGHT, f"{name} ({scale}{better})", size=HEADING,
            colour=self.theme.text, bold=True, transform=self.ax.transAxes)  # fmt: skip

    def _phases(self) -> None:
        """A line where the phase changes, its upper end between the names of both."""
        changes = self.course.changes
        reach = -0.6  # where the last name ends, in inches; the margin is free
        for index, (epoch, old, new) in enumerate(changes):
            x = self._inches(epoch - 0.5, self.low)[0]
            self.ax.plot([x / self.width] * 2, [0, 1 + 0.2 / PANEL_HEIGHT], clip_on=False,
                         transform=self.ax.transAxes, color=self.theme.muted, linewidth=1.1,
                         scalex=False, scaley=False, zorder=1.6)  # fmt: skip
            names = [(PHASES.get(new, new), x + 0.07, "left")]
            if index == 0:
                names.insert(0, (PHASES.get(old, old), x - 0.07, "right"))
            for name, at, side in names:
                long = text_width(name, SMALL)
                start = at if side == "left" else at - long
                if start < reach or start + long > self.width + self.ends_width:
                    continue
                reach = start + long + 0.05
                put(self.ax, at / self.width, 1 + 0.06 / PANEL_HEIGHT, name, size=SMALL, ha=side,
                    colour=self.theme.muted, transform=self.ax.transAxes)  # fmt: skip

    def _lone_points(self, xs: NDArray[np.float64], ys: NDArray[np.float64], colour: str) -> None:
        """Dots for values without neighbours, which a line does not show."""
        finite = np.isfinite(ys)
        beside = np.zeros(len(ys), dtype=bool)
        beside[1:] |= finite[:-1]
        beside[:-1] |= finite[1:]
        alone = finite & ~beside
        if alone.any():
            self.ax.plot(xs[alone], ys[alone], linestyle="none", marker="o", markersize=6,
                         color=colour, clip_on=False, zorder=5)  # fmt: skip

    def _break(self, xs: NDArray[np.float64], ys: NDArray[np.float64], colour: str) -> None:
        """A cross at the last number before the values end."""
        good = np.flatnonzero(np.isfinite(ys))
        if len(good) and good[-1] < len(ys) - 1:
            self.ax.plot([xs[good[-1]]], [ys[good[-1]]], linestyle="none", marker="x",
                         markersize=8, markeredgewidth=2, color=colour, clip_on=False,
                         zorder=6)  # fmt: skip

    def _inches(self, x: float, y: float) -> tuple[float, float]:
        """Data to inches from the axes' lower left corner."""
        at = self.ax.transAxes.inverted().transform(self.ax.transData.transform((x, y)))
        return float(at[0]) * self.width, float(at[1]) * PANEL_HEIGHT

    def _trace(self) -> NDArray[np.float64]:
        """(points, 2) all curves in inches, dense enough that no text slips between two."""
        traces = [np.empty((0, 2))]
        for _, xs, ys, _, _ in self.curves:
            finite = np.isfinite(ys)
            if not finite.any():
                continue
            data = np.column_stack([xs[finite], np.clip(ys[finite], self.low, self.high)])
            share = self.ax.transAxes.inverted().transform(self.ax.transData.transform(data))
            inches = share * [self.width, PANEL_HEIGHT]
            if len(inches) > 1:
                steps = np.hypot(*np.diff(inches, axis=0).T)
                along = np.concatenate([[0], np.cumsum(steps)])
                fine = np.linspace(0, along[-1], max(2, min(20_000, int(along[-1] / 0.02) + 1)))
                inches = np.column_stack(
                    [np.interp(fine, along, inches[:, 0]), np.interp(fine, along, inches[:, 1])]
                )
            traces.append(inches)
        return np.concatenate(traces)

    def _cost(self, box: Box, *, avoid_hairline: bool = True) -> float:
        """How much a text in `box` would hide, or be hidden by."""
        left, bottom, right, top = box
        near = 0.07
        x, y = self.points[:, 0], self.points[:, 1]
        hidden = (x > left - near) & (x < right + near) & (y > bottom - near) & (y < top + near)
        cost = 3.0 * float(hidden.sum())
        outside = max(0.02 - left, right - self.width + 0.02, 0.02 - bottom, top - PANEL_HEIGHT)
        if outside > 0:
            cost += 1000 + 1000 * outside
        for other in self.boxes:
            if left < other[2] and other[0] < right and bottom < other[3] and other[1] < top:
                cost += 1000
        if avoid_hairline and self.hairline is not None and left < self.hairline < right:
            cost += 6
        return cost

    def _chance(self) -> None:
        if self.chance is None:
            return
        theme, ax = self.theme, self.ax
        text = f"chance {_plain_percent(self.chance)}"
        if not self.low <= self.chance <= self.high:
            text += " is below this axis"
        wide, tall = text_width(text, SMALL), line_height(SMALL)
        level = 0.04
        if self.low <= self.chance <= self.high:
            ax.axhline(self.chance, color=theme.muted, linestyle=(0, (1, 2)), linewidth=1.1,
                       zorder=1.4)  # fmt: skip
            level = self._inches(self.course.first, self.chance)[1]
            self.boxes.append((0, level - 0.02, self.width, level + 0.02))
        choices = [
            (x, x + wide, y, y + tall)
            for y in (level + 0.03, level - tall - 0.03)
            for x in (self.width - wide - 0.06, 0.06, *np.linspace(0.3, self.width - wide, 8))
        ]
        costs = [self._cost((a, c, b, d)) for a, b, c, d in choices]
        a, b, c, d = choices[int(np.argmin(costs))]
        self.boxes.append((a, c, b, d))
        self._write(text, a, (c + d) / 2, SMALL, theme.muted, bold=False)

    def _best(self) -> None:
        """The ringed dot at the best epoch and its label, where it hides least."""
        course, theme = self.course, self.theme
        value = course.at(self.main, course.best)
        if course.best is None or value is None or not np.isfinite(value):
            return
        colour = self.curves[-1][3]
        self.ax.plot([course.best], [value], marker="o", markersize=9.5, markeredgewidth=2,
                     markerfacecolor=colour, markeredgecolor=theme.background, clip_on=False,
                     zorder=7)  # fmt: skip
        name = self.curves[-1][0]
        best = "best " if course.last > course.first else ""
        lines = [f"{best}epoch {course.best:,}", f"{name} {_number(self.metric, value)}"]
        wide = max(text_width(line, CONTEXT, bold=True) for line in lines) + 0.04
        tall = line_height(CONTEXT, 2)
        x, y = self._inches(course.best, float(np.clip(value, self.low, self.high)))
        self.boxes.append((x - 0.12, y - 0.12, x + 0.12, y + 0.12))
        found: list[tuple[float, Box]] = []
        for away in (0.2, 0.32, 0.46, 0.62, 0.8, 1.0, 1.3, 1.6):
            for bottom in (y + away, y - away - tall):
                for left in (x + 0.1, x - wide - 0.1, x - wide / 2, x + 0.4, x - wide - 0.4):
                    inside = min(max(left, 0.06), max(0.06, self.width - wide - 0.06))
                    box = (inside, bottom, inside + wide, bottom + tall)
                    shift = 8 * abs(inside + wide / 2 - x) / self.width
                    found.append((self._cost(box) + 4 * away + shift, box))
        _, (left, bottom, right, top) = min(found)
        self.boxes.append((left, bottom, right, top))
        end_x = min(max(x, left + 0.1), right - 0.1)
        end_y = bottom - 0.01 if bottom > y else top + 0.01
        length = float(np.hypot(end_x - x, end_y - y))
        if length > 0.14:
            share = 0.1 / length  # the line starts at the dot's rim
            start = (x + share * (end_x - x), y + share * (end_y - y))
            self.ax.plot([start[0] / self.width, end_x / self.width],
                         [start[1] / PANEL_HEIGHT, end_y / PANEL_HEIGHT], linewidth=1,
                         transform=self.ax.transAxes, color=theme.muted, clip_on=False,
                         scalex=False, scaley=False, zorder=6)  # fmt: skip
        for index, line in enumerate(lines):
            middle = top - (index + 0.5) * tall / 2
            self._write(line, (left + right) / 2, middle, CONTEXT, theme.text, ha="center")

    def _no_longer(self) -> None:
        """Say what the shade is, on the panel of the monitored metric."""
        course = self.course
        plain = course.monitor.removeprefix("val_")
        if plain != self.metric or self.hairline is None or course.best == course.last:
            return
        part = "val" if plain != course.monitor else "train"
        what = f"{part} {WORDS.get(plain, plain.replace('_', ' '))}"
        room = self.width - self.hairline
        for lines in ([f"{what} {NO_LONGER}"], [what, NO_LONGER], [what, "no longer", "improves"]):
            wide = max(text_width(line, SMALL) for line in lines)
            tall = line_height(SMALL, len(lines))
            if wide > room - 0.14:
                continue
            choices = [
                (left, bottom, left + wide, bottom + tall)
                for bottom in np.linspace(PANEL_HEIGHT - tall - 0.02, 0.06, 14)
                for left in (self.width - wide - 0.07, self.hairline + 0.08)
            ]
            costs = [self._cost(box) + place / 100 for place, box in enumerate(choices)]
            box = choices[int(np.argmin(costs))]
            if min(costs) > 100:
                continue
            self.boxes.append(box)
            for index, line in enumerate(lines):
                middle = box[3] - (index + 0.5) * tall / len(lines)
                self._write(line, box[0], middle, SMALL, self.theme.muted, bold=False)
            return

    def _write(
        self, text: str, x: float, y: float, size: float, colour: str, *, bold: bool = True,
        ha: str = "left",
    ) -> None:  # fmt: skip
        from matplotlib.patheffects import withStroke

        shaded = self.hairline is not None and x > self.hairline
        halo = self.theme.shade if shaded else self.theme.background
        put(self.ax, x / self.width, y / PANEL_HEIGHT, text, size=size, colour=colour, bold=bold,
            ha=ha, va="center_baseline", transform=self.ax.transAxes, zorder=8,
            path_effects=[withStroke(linewidth=2.5, foreground=halo)])  # fmt: skip


def _limits(
    values: NDArray[np.float64], *, share: bool, several: bool
) -> tuple[float, float, bool]:
    """The lower and upper end of the y axis, and whether it is logarithmic.

    With one epoch there is no curve to hide, so the axis starts at zero.
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0, False
    low, high = float(values.min()), float(values.max())
    room = high - low
    if share:
        if several and 0 < room < 0.2 * high:
            pad = max(0.12 * room, 0.004)
            return max(0.0, low - pad), min(high + 2 * pad, 1.0 + pad / 4), False
        return 0.0, 1.03 if high > 0.7 else min(1.03, max(1.2 * high, 0.1)), False
    positive = values[values > 0]
    if low >= 0 and len(positive) and high / float(positive.min()) > LOG_FROM:
        decades = float(np.log10(high / positive.min()))
        pad = 10 ** (0.07 * decades)
        return float(positive.min()) / pad, high * pad**1.6, True
    if high == low == 0:
        return 0.0, 1.0, False
    if low >= 0 and (not several or room == 0 or room >= HIDDEN_BELOW * high):
        return 0.0, high * (1.25 if room == 0 else 1.1), False
    return low - 0.08 * (room or abs(low)), high + 0.12 * (room or abs(high)), False


def _log_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Powers of ten, with 2 and 5 between them where there are few."""
    first, last = int(np.ceil(np.log10(low) - 1e-9)), int(np.floor(np.log10(high) + 1e-9))
    decades = last - first + 1
    if decades <= 3:
        ticks = [
            factor * 10.0**power
            for power in range(first - 1, last + 1)
            for factor in ((1, 2, 5) if decades < 3 else (1, 3))
        ]
    else:
        ticks = [10.0**power for power in range(first, last + 1, max(1, -(-decades // 7)))]
    ticks = [tick for tick in ticks if low <= tick <= high]
    return ticks, [f"{t:,.10g}" if 1e-4 < t < 1e6 else scientific(t) for t in ticks]


def _plain_percent(share: float) -> str:
    return f"{share * 100:.3g} %"
