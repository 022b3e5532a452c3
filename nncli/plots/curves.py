"""Training curves: how the loss and the main metric went, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nncli.plots.course import (
    Course,
    course_of,
    is_share,
    main_metric,
    number,
    plain_words,
    scale_of,
    words,
)
from nncli.plots.figure import NARROW, Theme, new_figure, style_axes
from nncli.plots.labels import (
    CONTEXT,
    HEADING,
    SMALL,
    End,
    ends_width,
    fit_header,
    fitting_step_ticks,
    label_ends,
    line_height,
    place_axes,
    put,
    set_ticks,
    subject,
    text_width,
)
from nncli.results import StoredRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Box = tuple[float, float, float, float]
"""Left, bottom, right, top in inches from the lower left corner of the axes."""

WIDTH = 11.5
PANEL_HEIGHT, NARROW_HEIGHT = 3.05, 2.4
NO_LONGER = "no longer improves"

DENSE = 500
"""Epochs from which lines are thin, or their ups and downs become a band."""
NAMED_RESUMPTIONS = 2
"""Up to so many are named beside their ticks."""
PHASES = {"head": "head", "fine_tune": "fine-tuning"}


def _classes(run: StoredRun) -> int | None:
    if run.task != "classification":
        return None
    if run.predictions is not None:
        return len(run.predictions.classes)
    return run.layers[-1].output_shape[-1] if run.layers and run.layers[-1].output_shape else None


def curves_finding(run: StoredRun) -> str:
    """What the curves show, in one sentence: the title and the alternative text."""
    course = course_of(run)
    start = f"{subject(run)}: "
    if course.best is None:
        return start + course.breaks
    value = course.at(course.monitor, course.best)
    assert value is not None
    best = f"{words(course.monitor)} {number(course.monitor, value)}"
    if course.broken is not None:
        return f"{start}{course.breaks}; best {best} at epoch {course.best:,}"
    if course.first == course.last:
        return f"{start}{best} after 1 epoch"
    improving = " (still improving)" if course.best == course.last else ""
    return f"{start}best {best} at epoch {course.best:,} of {course.last:,}{improving}"


def _context(run: StoredRun, course: Course, metric: str | None) -> list[str]:
    parts: list[str] = []
    if metric is not None and course.best is not None:
        shown = "loss" if course.monitor.endswith(metric) else metric
        for name in (f"val_{shown}", shown):
            value = course.at(name, course.best)
            if value is not None:
                parts.append(f"{words(name)} {number(name, value)} at that epoch")
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
    if len(course.resumed) == 1:
        parts.append(f"resumed after epoch {course.resumed[0]:,}")
    elif course.resumed:
        times = len(course.resumed)
        parts.append("resumed twice" if times == 2 else f"resumed {times:,} times")
    if not any("val_loss" in record.metrics for record in course.records):
        parts.append("no validation part")
    return [*parts, run.name]


def draw_curves(run: StoredRun, theme: Theme, *, narrow: bool = False) -> Figure:
    """Loss and main metric by epoch with the best epoch marked in both: side by side, or `narrow`.

    Raises:
        RunError: no epoch was finished.
    """
    course = course_of(run)
    metric = main_metric(run, course)
    figure = new_figure(1, 1, theme)
    panels = [
        _Panel(figure, theme, course, name, _classes(run))
        for name in ("loss", metric)
        if name is not None
    ]
    across = NARROW if narrow else WIDTH
    ticks_width = max(panel.ticks_width for panel in panels)
    left = 0.15 + ticks_width if narrow else max(0.7, 0.15 + panels[0].ticks_width)
    context = _context(run, course, metric)
    start = 0.2 if narrow else left
    header = fit_header(curves_finding(run), context, across - start - (0.15 if narrow else 0.2))
    heading = 0.55 + (0.18 if course.changes else 0)
    height, below = (NARROW_HEIGHT, 0.52) if narrow else (PANEL_HEIGHT, 0.62)
    rows = len(panels) if narrow else 1
    figure.set_size_inches(across, header.height + rows * (heading + height + below))
    header.draw(figure, theme, start)
    if narrow:
        width = across - left - max(panel.ends_width for panel in panels) - 0.05
        for row, panel in enumerate(panels):
            top = header.height + heading + row * (heading + height + below)
            panel.draw(left, top, width, height)
        return figure
    # The plots share the width that tick and end labels leave.
    right, between = 0.15, 0.35
    taken = left + panels[0].ends_width + right
    taken += sum(between + panel.ticks_width + panel.ends_width for panel in panels[1:])
    width = (WIDTH - taken) / len(panels)
    x = left
    for panel in panels:
        if panel is not panels[0]:
            x += between + panel.ticks_width
        panel.draw(x, header.height + heading, width, height)
        x += width + panel.ends_width
    return figure


class _Panel:
    """One metric: its curves, and what is written beside and between them."""

    def __init__(
        self, figure: Figure, theme: Theme, course: Course, metric: str, classes: int | None
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
        self.scale = scale_of(metric, values, several=course.last > course.first)
        self.low, self.high = self.scale.low, self.scale.high
        self.ends = []
        for name, _, ys, colour, _ in self.curves:
            finite = ys[np.isfinite(ys)]
            y = float(finite[-1]) if len(finite) else float("nan")
            self.ends.append(End(f"{name} {number(metric, float(ys[-1]))}", y, colour))
        self.ends_width = ends_width(self.ends)
        self.ticks_width = 0.12 + max(text_width(label, 10) for label in self.scale.labels)

    def draw(self, left: float, top: float, width: float, height: float) -> None:
        """Draw the panel at inches from the figure's left and top edges."""
        theme, course = self.theme, self.course
        self.width, self.height = width, height
        self.ax = ax = place_axes(self.figure, left, top, width, height)
        style_axes(ax, theme)
        first, last = course.first, course.last
        ax.set_xlim((first, last) if last > first else (first - 0.5, first + 0.5))
        if self.scale.log:
            ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(self.low, self.high)
        set_ticks(ax, "y", self.scale.ticks, self.scale.labels)
        epochs = fitting_step_ticks(first, last, width)
        set_ticks(ax, "x", epochs, [f"{epoch:,}" for epoch in epochs])
        ax.set_xlabel("epoch", color=theme.muted, fontsize=CONTEXT)
        self._heading()
        self.uprights: list[float] = []  # lines from bottom to top, in inches from the left
        self._phases()
        self.boxes: list[Box] = []
        self.hairline: float | None = None
        if course.best is not None and last > first:
            self.hairline = self._inches(course.best, self.low)[0]
            self.uprights.append(self.hairline)
            ax.axvline(course.best, color=theme.muted, linestyle=(0, (1, 2.2)), linewidth=1.1,
                       zorder=1.5)  # fmt: skip
            if course.best < last:
                ax.axvspan(course.best, last, facecolor=theme.shade, linewidth=0, zorder=0)
        for _, xs, ys, colour, dashed in self.curves:
            thickness = (1.7 if dashed else 2.4) * (0.55 if len(xs) > DENSE else 1)
            ax.plot(xs, ys, color=colour, linewidth=thickness, clip_on=False,
                    linestyle=(0, (4.5, 2)) if dashed else "-", zorder=3 if dashed else 4,
                    solid_joinstyle="round")  # fmt: skip
            self._lone_points(xs, ys, colour)
            self._break(xs, ys, colour)
        self.points = self._trace()
        if not len(self.points):
            self._write("no number to draw", width / 2, self.height / 2, CONTEXT, theme.muted,
                        bold=False, ha="center")  # fmt: skip
        self._chance()
        ticks = self._resumptions()
        self._best()
        self._no_longer()
        self._name(ticks)
        label_ends(ax, self.ends)

    def _heading(self) -> None:
        better = "higher is better" if is_share(self.metric) else "lower is better"
        name = plain_words(self.metric).capitalize()
        above = 0.14 + (0.18 if self.course.changes else 0)
        choices = [f"{name} (log scale, {better})", f"{name} (log, {better})", f"{name} (log)"]
        choices = choices if self.scale.log else [f"{name} ({better})", name]
        room = self.width + self.ends_width
        fitting = (text for text in choices if text_width(text, HEADING, bold=True) <= room)
        put(self.ax, 0, 1 + above / self.height, next(fitting, choices[-1]), size=HEADING,
            colour=self.theme.text, bold=True, transform=self.ax.transAxes)  # fmt: skip

    def _phases(self) -> None:
        """A line where the phase changes, its upper end between the names of both."""
        changes = self.course.changes
        reach = -0.6  # where the last name ends, in inches; the margin is free
        for index, (epoch, old, new) in enumerate(changes):
            x = self._inches(epoch - 0.5, self.low)[0]
            self.uprights.append(x)
            self.ax.plot([x / self.width] * 2, [0, 1 + 0.2 / self.height], clip_on=False,
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
                put(self.ax, at / self.width, 1 + 0.06 / self.height, name, size=SMALL, ha=side,
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
        return float(at[0]) * self.width, float(at[1]) * self.height

    def _trace(self) -> NDArray[np.float64]:
        """(points, 2) all curves in inches, dense enough that no text slips between two."""
        traces = [np.empty((0, 2))]
        for _, xs, ys, _, _ in self.curves:
            finite = np.isfinite(ys)
            if not finite.any():
                continue
            data = np.column_stack([xs[finite], np.clip(ys[finite], self.low, self.high)])
            share = self.ax.transAxes.inverted().transform(self.ax.transData.transform(data))
            inches = share * [self.width, self.height]
            if len(inches) > 1:
                steps = np.hypot(*np.diff(inches, axis=0).T)
                along = np.concatenate([[0], np.cumsum(steps)])
                fine = np.linspace(0, along[-1], max(2, min(20_000, int(along[-1] / 0.02) + 1)))
                inches = np.column_stack(
                    [np.interp(fine, along, inches[:, 0]), np.interp(fine, along, inches[:, 1])]
                )
            traces.append(inches)
        return np.concatenate(traces)

    def _cost(self, box: Box) -> float:
        """How much a text in `box` would hide, or be hidden by."""
        left, bottom, right, top = box
        near = 0.07
        x, y = self.points[:, 0], self.points[:, 1]
        hidden = (x > left - near) & (x < right + near) & (y > bottom - near) & (y < top + near)
        cost = 3.0 * float(hidden.sum())
        outside = max(0.02 - left, right - self.width + 0.02, 0.02 - bottom, top - self.height)
        if outside > 0:
            cost += 1000 + 1000 * outside
        for other in self.boxes:
            if left < other[2] and other[0] < right and bottom < other[3] and other[1] < top:
                cost += 1000
        return cost + 6 * sum(left < each < right for each in self.uprights)

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

    def _resumptions(self) -> list[float]:
        """Short ticks on the lower edge where training was interrupted; their x in inches."""
        ticks = [self._inches(epoch + 0.5, self.low)[0] for epoch in self.course.resumed]
        for x in sorted(set(ticks)):
            self.ax.plot([x / self.width] * 2, [-0.06 / self.height, 0.16 / self.height],
                         transform=self.ax.transAxes, color=self.theme.text, linewidth=1.6,
                         clip_on=False, scalex=False, scaley=False, zorder=5,
                         solid_capstyle="butt")  # fmt: skip
        if len(ticks) <= NAMED_RESUMPTIONS:
            self.boxes += [(x - 0.03, -0.06, x + 0.03, 0.16) for x in ticks]
        return ticks

    def _name(self, ticks: list[float]) -> None:
        """The word beside each tick that has room for it, where there are few."""
        if len(ticks) > NAMED_RESUMPTIONS:
            return
        wide, tall = text_width("resumed", SMALL), line_height(SMALL)
        for x in ticks:
            choices = [
                (left, bottom, left + wide, bottom + tall)
                for bottom in (0.02, 0.18)
                for left in (x + 0.06, x - wide - 0.06)
            ]
            costs = [self._cost(box) for box in choices]
            box = choices[int(np.argmin(costs))]
            if min(costs) > 30:
                continue
            self.boxes.append(box)
            self._write(
                "resumed", box[0], (box[1] + box[3]) / 2, SMALL, self.theme.muted, bold=False
            )

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
        lines = [f"{best}epoch {course.best:,}", f"{name} {number(self.metric, value)}"]
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
                         [start[1] / self.height, end_y / self.height], linewidth=1,
                         transform=self.ax.transAxes, color=theme.muted, clip_on=False,
                         scalex=False, scaley=False, zorder=6)  # fmt: skip
        for index, line in enumerate(lines):
            middle = top - (index + 0.5) * tall / 2
            self._write(line, (left + right) / 2, middle, CONTEXT, theme.text, ha="center")

    def _no_longer(self) -> None:
        """Say what the shade is, on the panel of the monitored metric."""
        course = self.course
        plain = course.monitor.removeprefix("val_")
        if plain != self.metric or course.best is None or course.best == course.last:
            return
        if self.hairline is None:
            return
        part = "val" if plain != course.monitor else "train"
        what = f"{part} {plain_words(plain)}"
        room = self.width - self.hairline
        happens = NO_LONGER
        if course.broken == course.best + 1:
            what, happens = "loss", "is not a number"
        first, _, rest = happens.rpartition(" ")
        for lines in ([f"{what} {happens}"], [what, happens], [what, first, rest]):
            wide = max(text_width(line, SMALL) for line in lines)
            tall = line_height(SMALL, len(lines))
            if wide > room - 0.14:
                continue
            choices = [
                (left, bottom, left + wide, bottom + tall)
                for bottom in np.linspace(self.height - tall - 0.02, 0.06, 14)
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

        how: dict[str, Any] = {}
        if self._crossed(text, x, y, size, bold=bold, ha=ha):  # a halo doubles a picture's size
            shaded = self.hairline is not None and x > self.hairline
            halo = self.theme.shade if shaded else self.theme.background
            how = {"path_effects": [withStroke(linewidth=2.5, foreground=halo)]}
        put(self.ax, x / self.width, y / self.height, text, size=size, colour=colour, bold=bold,
            ha=ha, va="center_baseline", transform=self.ax.transAxes, zorder=8, **how)  # fmt: skip

    def _crossed(self, text: str, x: float, y: float, size: float, *, bold: bool, ha: str) -> bool:
        """Whether a line of the panel runs through a text."""
        wide, half = text_width(text, size, bold=bold) + 0.06, line_height(size) / 2
        left = x - (wide / 2 if ha == "center" else 0.03)
        if any(left < each < left + wide for each in self.uprights):
            return True
        across, up = self.points[:, 0], self.points[:, 1]
        inside = (across > left) & (across < left + wide) & (np.abs(up - y) < half)
        return bool(inside.any())


def _plain_percent(share: float) -> str:
    return f"{share * 100:.3g} %"
