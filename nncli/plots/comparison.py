"""Several runs in one picture: whose loss fell lowest, and what that did to the main metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nncli.differences import differences
from nncli.errors import UsageError
from nncli.plots.course import (
    Course,
    Scale,
    course_of,
    is_share,
    main_metric,
    number,
    plain_words,
    scale_of,
    words,
)
from nncli.plots.figure import NARROW, Dash, Theme, line_styles, new_figure, style_axes
from nncli.plots.labels import (
    CONTEXT,
    HEADING,
    SMALL,
    End,
    clean,
    ends_width,
    fit_header,
    fitting_step_ticks,
    label_ends,
    place_axes,
    put,
    set_ticks,
    shorten,
    subject,
    text_width,
)
from nncli.results import StoredRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 11.5
PANEL_HEIGHT, NARROW_HEIGHT = 3.05, 2.6
LOG_FROM = 8.0
"""The ratio of the largest to the smallest loss from which the scale is logarithmic: where runs
differ is near the smallest."""
MOST_RUNS = 8
"""Lines that can still be told apart."""
LONGEST_NAME, LONGEST_NARROW_NAME = 1.6, 1.15
"""Inches of a run's name at the end of its line."""
LONGEST_TITLE_NAME = 3.0
UNEQUAL = 20
"""How many times more epochs one run has than another where the epochs stand on a log scale."""
NAMED_DIFFERENCES = 3
"""Settings that are named where the runs differ in them."""


@dataclass(frozen=True)
class _Line:
    """One run among those compared."""

    run: StoredRun
    course: Course
    name: str
    """Told apart from the names of the others."""

    def metric(self, plain: str, *, validation: bool) -> str | None:
        """What is drawn of it for `plain`: on the validation part, or what there is."""
        for name in (f"val_{plain}", plain) if validation else (plain,):
            if any(name in record.metrics for record in self.course.records):
                return name
        return None

    def reached(self, metric: str) -> float:
        """The value of `metric` in its best epoch; NaN where there is none."""
        value = self.course.at(metric, self.course.best)
        return float("nan") if value is None else float(value)


@dataclass(frozen=True)
class _Panel:
    """One metric of all runs."""

    metric: str
    """What most of them are drawn by, `val_loss`."""
    drawn: tuple[tuple[_Line, str, tuple[str, Dash]], ...]
    """Each run that has it, its own metric, its colour and dash."""
    scale: Scale
    ends: tuple[End, ...]

    @property
    def ticks_width(self) -> float:
        return 0.12 + max(text_width(label, 10) for label in self.scale.labels)


def _lines(runs: Sequence[StoredRun]) -> list[_Line]:
    """The runs, each with a name of its own.

    Raises:
        UsageError: fewer than two, more than can be told apart, or of different tasks.
        RunError: one has no finished epoch.
    """
    if not 2 <= len(runs) <= MOST_RUNS:
        raise UsageError(
            f"{len(runs)} runs cannot be compared in one picture",
            hint=f"name two to {MOST_RUNS} runs",
        )
    tasks = {run.task: run for run in runs}
    if len(tasks) > 1:
        one, other = list(tasks.values())[:2]
        raise UsageError(
            f"{clean(one.name)} is a {one.task} and {clean(other.name)} a {other.task}: "
            "their losses cannot be compared",
            hint="compare runs of one task",
        )
    courses = [course_of(run) for run in runs]
    return [_Line(*row) for row in zip(runs, courses, _names(runs), strict=True)]


def _names(runs: Sequence[StoredRun]) -> list[str]:
    """The runs' names; equal ones with their kind, or else numbered."""
    names = [clean(run.name) or "unnamed" for run in runs]
    counts = Counter(names)
    kinds = [f"{run.kind}/{name}" for run, name in zip(runs, names, strict=True)]
    names = [kinds[i] if counts[name] > 1 else name for i, name in enumerate(names)]
    counts = Counter(names)
    numbered = _numbered(names)
    return [numbered[i] if counts[name] > 1 else name for i, name in enumerate(names)]


def _numbered(names: Sequence[str]) -> list[str]:
    return [f"{name} ({names[: index + 1].count(name)})" for index, name in enumerate(names)]


def _short(names: Sequence[str], width: float) -> list[str]:
    """Names that fit, and are still different."""
    short = [shorten(name, width, CONTEXT, bold=True) for name in names]
    if len(set(short)) == len(short):
        return short
    room = width - text_width(" (8)", CONTEXT, bold=True)
    return _numbered([shorten(name, room, CONTEXT, bold=True) for name in names])


def _judged_by(lines: Sequence[_Line]) -> str:
    """The metric that decides: what all were monitored by, or else the loss."""
    monitors = {line.course.monitor for line in lines}
    if len(monitors) == 1:
        return monitors.pop()
    validation = any(line.metric("loss", validation=True) == "val_loss" for line in lines)
    return "val_loss" if validation else "loss"


def _best(lines: Sequence[_Line], metric: str) -> list[int]:
    """The places of the best: who differs in no digit that is shown is as good."""
    reached = np.array([line.reached(metric) for line in lines])
    if not np.isfinite(reached).any():
        return []
    best = float(np.nanmax(reached) if is_share(metric) else np.nanmin(reached))
    shown = number(metric, best)
    return [place for place, value in enumerate(reached) if number(metric, value) == shown]


def best_of(runs: Sequence[StoredRun]) -> frozenset[int]:
    """The places of the runs that the finding names as the best; none where all are alike.

    Raises:
        UsageError: as `comparison_finding`.
    """
    lines = _lines(runs)
    best = _best(lines, _judged_by(lines))
    return frozenset(best) if len(best) < len(lines) else frozenset()


def comparison_finding(runs: Sequence[StoredRun]) -> str:
    """Which run is the best, in one sentence: the title and the alternative text."""
    lines = _lines(runs)
    metric = _judged_by(lines)
    best = _best(lines, metric)
    if not best:
        return f"No run has a {words(metric)} that is a number"
    equal = [lines[place] for place in best]
    shown = number(metric, equal[0].reached(metric))
    extreme = f"{'highest' if is_share(metric) else 'lowest'} {words(metric)}, {shown}"
    if len(equal) == len(lines):
        every = "Both" if len(lines) == 2 else f"All {len(lines)}"
        return f"{every} runs reach the same {words(metric)}, {shown}"
    if len(equal) > 2:
        return f"{len(equal)} of {len(lines)} runs reach the {extreme}"
    names = [shorten(line.name, LONGEST_TITLE_NAME, 15, bold=True) for line in equal]
    return f"{' and '.join(names)} reach{'es' if len(names) == 1 else ''} the {extreme}"


def _context(lines: Sequence[_Line], panels: Sequence[_Panel]) -> list[str]:
    subjects = {subject(line.run) for line in lines}
    parts = [*(subjects if len(subjects) == 1 else ()), "dot and number: best epoch of each run"]
    prints = {_fingerprint(line.run) for line in lines}
    if len(prints) > 1:
        parts.append("trained on different data: compare with care")
    others = sorted(
        {words(own) for panel in panels for _, own, _ in panel.drawn if own != panel.metric}
    )
    if others:
        parts.append(f"of runs without a validation part: {' and '.join(others)}")
    differing = _differences([line.run.config for line in lines])
    named = differing[:NAMED_DIFFERENCES]
    if len(differing) > len(named):
        named.append(f"{len(differing) - len(named)} more settings")
    if named:
        parts.append(f"they differ in {', '.join(named)}")
    elif len(prints) == 1:
        parts.append("all settings are the same")
    return parts


def _fingerprint(run: StoredRun) -> str:
    data = run.run.get("data")
    return str(data.get("fingerprint")) if isinstance(data, Mapping) else ""


def _differences(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The settings that are not the same in all runs, in words, in the order of the config."""
    found = [clean(keys[-1]).replace("_", " ") for keys in differences(configs)]
    return list(dict.fromkeys(found))


def _panels(lines: Sequence[_Line], theme: Theme, longest: float) -> list[_Panel]:
    names = _short([line.name for line in lines], longest)
    styles = line_styles(len(lines), theme)
    second = next(filter(None, (main_metric(line.run, line.course) for line in lines)), None)
    found = []
    for plain in ("loss", second):
        if plain is None:
            continue
        validation = any(line.metric(plain, validation=True) == f"val_{plain}" for line in lines)
        drawn = tuple(
            (line, own, style)
            for line, style in zip(lines, styles, strict=True)
            if (own := line.metric(plain, validation=validation)) is not None
        )
        values = np.concatenate([line.course.values(own)[1] for line, own, _ in drawn])
        several = any(line.course.last > line.course.first for line, _, _ in drawn)
        ends = []
        for line, own, (colour, _) in drawn:
            ys = line.course.values(own)[1]
            finite = ys[np.isfinite(ys)]
            value = line.reached(own)
            text = names[lines.index(line)]
            if np.isfinite(value):
                text += f"  {number(own, value)}"
            elif not len(finite):
                text += "  not a number"
            ends.append(End(text, float(finite[-1]) if len(finite) else float("nan"), colour))
        metric = f"val_{plain}" if validation else plain
        scale = scale_of(metric, values, several=several, log_from=LOG_FROM)
        found.append(_Panel(metric, drawn, scale, tuple(ends)))
    return found


def draw_comparison(runs: Sequence[StoredRun], theme: Theme, *, narrow: bool = False) -> Figure:
    """The loss and the main metric of all runs on the validation part, the best epochs marked.

    Raises:
        UsageError: fewer than two, more than can be told apart, or of different tasks.
        RunError: one has no finished epoch.
    """
    lines = _lines(runs)
    figure = new_figure(1, 1, theme)
    panels = _panels(lines, theme, LONGEST_NARROW_NAME if narrow else LONGEST_NAME)
    across = NARROW if narrow else WIDTH
    left = 0.15 + max(panel.ticks_width for panel in panels)
    start = 0.2 if narrow else left
    title, context = comparison_finding(runs), _context(lines, panels)
    header = fit_header(title, context, across - start - 0.15)
    heading = 0.5
    height, below = (NARROW_HEIGHT, 0.55) if narrow else (PANEL_HEIGHT, 0.62)
    rows = len(panels) if narrow else 1
    figure.set_size_inches(across, header.height + rows * (heading + height + below))
    header.draw(figure, theme, start)
    beside = [ends_width(panel.ends) for panel in panels]
    if narrow:
        width = across - left - max(beside) - 0.05
        for row, panel in enumerate(panels):
            top = header.height + heading + row * (heading + height + below)
            _draw_panel(figure, theme, panel, (left, top, width, height))
        return figure
    between = 0.3
    taken = left + sum(beside) + sum(between + panel.ticks_width for panel in panels[1:])
    width = (WIDTH - taken - 0.1) / len(panels)
    x = left
    for panel, room in zip(panels, beside, strict=True):
        if panel is not panels[0]:
            x += between + panel.ticks_width
        _draw_panel(figure, theme, panel, (x, header.height + heading, width, height))
        x += width + room
    return figure


def _draw_panel(
    figure: Figure, theme: Theme, panel: _Panel, box: tuple[float, float, float, float]
) -> None:
    """A line a run, from inches at the figure's left and top edges on."""
    left, top, width, height = box
    scale = panel.scale
    ax = place_axes(figure, left, top, width, height)
    style_axes(ax, theme)
    lasts = [line.course.last for line, _, _ in panel.drawn]
    last = max(lasts)
    unequal = last > UNEQUAL * min((each for each in lasts if each > 1), default=last)
    if unequal:
        ax.set_xscale("log")
    ax.set_xlim((1, last) if last > 1 else (0.5, 1.5))
    if scale.log:
        ax.set_yscale("log", nonpositive="clip")
    ax.set_ylim(scale.low, scale.high)
    set_ticks(ax, "y", scale.ticks, scale.labels)
    epochs = _log_epochs(last) if unequal else fitting_step_ticks(1, last, width)
    set_ticks(ax, "x", epochs, [f"{epoch:,}" for epoch in epochs])
    what = "epoch (log scale)" if unequal else "epoch"
    ax.set_xlabel(what, color=theme.muted, fontsize=CONTEXT)
    better = "higher is better" if is_share(panel.metric) else "lower is better"
    better = f"log scale, {better}" if scale.log else better
    name = words(panel.metric).capitalize()
    room = width + ends_width(panel.ends)
    choices = (f"{name} ({better})", name, plain_words(panel.metric).capitalize())
    fitting = (text for text in choices if text_width(text, HEADING, bold=True) <= room)
    put(ax, 0, 1 + 0.14 / height, next(fitting, choices[-1]), size=HEADING, colour=theme.text,
        bold=True, transform=ax.transAxes)  # fmt: skip
    for order, (line, own, (colour, dash)) in enumerate(panel.drawn):
        xs, ys = line.course.values(own)
        finite = np.flatnonzero(np.isfinite(ys))
        lone = "o" if len(finite) == 1 else None
        ax.plot(xs, ys, color=colour, linestyle=dash, linewidth=2.1, marker=lone, clip_on=False,
                zorder=3 + 0.01 * order, solid_joinstyle="round")  # fmt: skip
        if not len(finite):
            continue
        end, level = xs[finite[-1]], float(np.clip(ys[finite[-1]], scale.low, scale.high))
        if finite[-1] < len(ys) - 1:  # what follows is no number
            ax.plot([end], [level], linestyle="none", marker="x", markersize=8, clip_on=False,
                    markeredgewidth=2, color=colour, zorder=6)  # fmt: skip
        if end < last:  # from where the run ended to its name
            ax.plot([end, last], [level] * 2, color=colour, linewidth=0.7, alpha=0.6, zorder=2)
            ax.plot([end], [level], linestyle="none", marker="|", markersize=9,
                    markeredgewidth=1.6, color=colour, zorder=5)  # fmt: skip
        value = line.reached(own)
        if line.course.best is not None and np.isfinite(value):
            ax.plot([line.course.best], [np.clip(value, scale.low, scale.high)], marker="o",
                    markersize=8.5, markeredgewidth=2, markerfacecolor=colour, clip_on=False,
                    markeredgecolor=theme.background, zorder=7)  # fmt: skip
    if not any(np.isfinite(line.course.values(own)[1]).any() for line, own, _ in panel.drawn):
        put(ax, 0.5, 0.5, "no number to draw", size=SMALL, colour=theme.muted, ha="center",
            transform=ax.transAxes)  # fmt: skip
    label_ends(ax, panel.ends)


def _log_epochs(last: int) -> list[int]:
    """1, 10, 100, … and the last epoch."""
    powers = [10**power for power in range(12) if 2 * 10**power <= last]
    return [*powers, last]
