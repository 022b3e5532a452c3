"""What will be trained on: a sheet of samples, a row for each class, or a whole series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nncli.plots.figure import Theme, new_figure, style_axes, three_digits
from nncli.plots.labels import (
    CONTEXT,
    HEADING,
    TITLE,
    clean,
    fit_header,
    inch_axes,
    line_height,
    mixed,
    number_ticks,
    place_axes,
    put,
    set_ticks,
    short,
    shorten,
    step_ticks,
    text_width,
)
from nncli.plots.tiles import (
    DISTINCT_LINES,
    Tile,
    draw_picture,
    draw_sequences,
    frame,
    shared_limits,
)
from nncli.results import Array, ShownSamples, ShownSeries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN = 0.4
PER_ROW, PICTURE = 8, 0.86
"""Pictures of a class, and how wide one is, in inches."""
SEQUENCES, SEQUENCE = 3, (2.45, 0.8)
"""Sequences of a class, and how wide and high one is."""
BETWEEN = 0.1
NAMES = (0.5, 2.4)
"""The least and the greatest width of the column of class names."""
LEAST_WIDTH = 7.0
LONGEST_NAME = 3.0
"""In a title, in inches."""
UNEQUAL = 10
"""How many times larger the largest class is where the title names it."""

WIDTH, HEIGHT = 10.8, 3.3
"""Of the picture of a series, and of its axes."""
MOST_POINTS = 3_000
"""Of a line that is ten inches long."""


def samples_finding(shown: ShownSamples | ShownSeries) -> str:
    """What the samples are, in one sentence: the title and the alternative text."""
    if isinstance(shown, ShownSeries):
        return _series_finding(shown)
    counts = shown.counts
    total = sum(counts.values())
    least, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    low, high = counts[least], counts[most]
    if low == high:
        each = f"{low:,} of each"
    elif high >= UNEQUAL * low:
        each = f"from {low:,} of {_short(least)} to {high:,} of {_short(most)}"
    else:
        each = f"{low:,} to {high:,} of each"
    return f"{total:,} {_noun(shown)} in {len(counts):,} classes, {each}"


def _short(name: str) -> str:
    """A name that leaves room for the rest of a title."""
    return shorten(_plain(name), LONGEST_NAME, TITLE, bold=True)


def draw_samples(shown: ShownSamples | ShownSeries, theme: Theme) -> Figure:
    """Pictures or sequences in a row for each class; of a series all values, its parts marked."""
    if isinstance(shown, ShownSeries):
        return _draw_series(shown, theme)
    return _draw_sheet(shown, theme)


# samples of classes


def _noun(shown: ShownSamples) -> str:
    return "pictures" if shown.inputs.ndim == 4 else "sequences"


def _context(shown: ShownSamples, limits: tuple[float, float]) -> list[str]:
    sides = " × ".join(f"{side:,}" for side in shown.shape[:2])
    if shown.inputs.ndim == 4:
        facts = [f"{sides} pixels{'' if shown.shape[2] == 3 else ', grey'}"]
    else:
        steps, features = shown.shape
        drawn = min(features, DISTINCT_LINES)
        if features == 1:
            lines = "1 feature"
        elif features == drawn:
            lines = f"{features} features: solid, dashed{', dotted' if drawn > 2 else ''}"
        else:
            lines = f"of {features:,} features the first {drawn}: solid, dashed, dotted"
        low, high = (three_digits(end) for end in limits)
        longest = "up to " if np.isnan(shown.inputs).any() else ""
        facts = [
            f"{longest}{steps:,} step{'s' * (steps > 1)}",
            lines,
            f"all from {low} to {high} in height",
        ]
    shown_of = np.bincount(shown.labels, minlength=len(shown.classes))
    most = int(shown_of.max())
    if len(shown.classes) < len(shown.counts):
        half = len(shown.classes) // 2
        facts.append(f"the {half} largest and the {half} smallest classes")
    upto = "" if shown_of.min() == most else "up to "
    return [*facts, f"{upto}{most} of each from the training part", f"data: {shown.source}"]


def _draw_sheet(shown: ShownSamples, theme: Theme) -> Figure:
    pictures = shown.inputs.ndim == 4
    if pictures:
        columns, wide = PER_ROW, PICTURE
        ratio = shown.shape[0] / shown.shape[1]
        high = wide * float(np.clip(ratio, 0.5, 1.5))
    else:
        columns, (wide, high) = SEQUENCES, SEQUENCE
    names = max(
        max(
            text_width(_plain(name), HEADING, bold=True),
            text_width(f"{shown.counts[name]:,}", CONTEXT),
        )
        for name in shown.classes
    )
    names = float(np.clip(names, *NAMES))
    width = max(2 * MARGIN + names + 0.15 + columns * (wide + BETWEEN) - BETWEEN, LEAST_WIDTH)
    limits = (0.0, 255.0) if pictures else shared_limits(shown.inputs)
    header = fit_header(samples_finding(shown), _context(shown, limits), width - 2 * MARGIN)
    row_height = max(high, line_height(HEADING) + line_height(CONTEXT)) + BETWEEN + 0.06
    figure = new_figure(7, 1, theme)
    top = header.height + 0.22
    figure.set_size_inches(width, top + len(shown.classes) * row_height + 0.2)
    header.draw(figure, theme, MARGIN)
    left = MARGIN + names + 0.15
    ax = inch_axes(figure)
    tiles: list[Tile] = []
    drawn: list[Array] = []
    for row, name in enumerate(shown.classes):
        upper = top + row * row_height
        places = np.flatnonzero(shown.labels == row)[:columns]
        _label(ax, theme, name, shown.counts[name], upper + high / 2, names)
        if not len(places):
            put(ax, left, upper + high / 2, "none in the training part", size=CONTEXT,
                colour=theme.muted, va="center")  # fmt: skip
        tiles += [(left + i * (wide + BETWEEN), upper, wide, high) for i in range(len(places))]
        drawn += [shown.inputs[place] for place in places]
    for tile in tiles:
        frame(ax, tile, theme.grid, 0.8)
    if pictures:
        for image, tile in zip(drawn, tiles, strict=True):
            draw_picture(ax, image, tile)
    else:
        draw_sequences(ax, theme, drawn, tiles, limits)
    return figure


def _plain(name: str) -> str:
    return clean(name) or "–"


def _label(ax: Axes, theme: Theme, name: str, count: int, middle: float, width: float) -> None:
    """The class beside its row, and how many there are."""
    put(ax, MARGIN, middle - 0.02, shorten(_plain(name), width, HEADING, bold=True), size=HEADING,
        colour=theme.text, bold=True)  # fmt: skip
    put(ax, MARGIN, middle + line_height(CONTEXT) - 0.02, f"{count:,}", size=CONTEXT,
        colour=theme.muted)  # fmt: skip


# a series


def _series_finding(shown: ShownSeries) -> str:
    test = shown.parts["test"]
    measured = test[1] - test[0]
    if shown.window == 0:
        train = shown.parts["train"]
        return (
            f"{train[1] - train[0]:,} values of {_short(shown.name)} to learn from, {measured:,} "
            "to measure on"
        )
    low, high = short(float(np.nanmin(shown.values))), short(float(np.nanmax(shown.values)))
    return (
        f"{len(shown.values):,} values of {_short(shown.name)}, {low} to {high}: the last "
        f"{f'{measured:,} are' if measured > 1 else 'one is'} the test part"
    )


def _series_context(shown: ShownSeries) -> list[str]:
    context = []
    if shown.window:
        context.append(f"each value predicted from the {shown.window:,} before it")
    if shown.labels:
        context.append(f"test part from {shown.labels[0]} to {shown.labels[-1]}")
    return [*context, f"data: {shown.source}"]


def _draw_series(shown: ShownSeries, theme: Theme) -> Figure:
    values = np.asarray(shown.values, dtype=np.float64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = (high - low) or abs(high) or 1.0
    low, high = low - 0.06 * room, high + 0.06 * room
    ticks, tick_labels = number_ticks(low, high)
    left = 0.45 + max(text_width(label, 10) for label in tick_labels)
    right = max(0.3, text_width(f"{len(values):,}", 10) / 2 + 0.1)
    width = WIDTH - left - right
    header = fit_header(_series_finding(shown), _series_context(shown), width)
    top = header.height + 0.62
    figure = new_figure(WIDTH, 1, theme)
    figure.set_size_inches(WIDTH, top + HEIGHT + 0.62)
    header.draw(figure, theme, left)
    ax = place_axes(figure, left, top, width, HEIGHT)
    style_axes(ax, theme)
    last = max(len(values) - 1, 1)
    ax.set_xlim(-0.5, last + 0.5)
    ax.set_ylim(low, high)
    set_ticks(ax, "y", ticks, tick_labels)
    stretches = list(shown.parts.values()) if shown.window == 0 else [(0, len(values))]
    counted = [
        (begin + tick - 1, f"{tick:,}")
        for begin, end in stretches
        for tick in step_ticks(1, end - begin, 8 if len(stretches) == 1 else 4)
    ]
    set_ticks(ax, "x", [place for place, _ in counted], [label for _, label in counted])
    what = "values in the order of time" if shown.window else "values of each part by themselves"
    ax.set_xlabel(what, color=theme.muted, fontsize=CONTEXT)
    colours = {"train": theme.train, "validation": theme.validation, "test": theme.third}
    for name, (begin, end) in shown.parts.items():
        tint = mixed(colours[name], theme.background, 0.11)
        ax.axvspan(begin - 0.5, end - 0.5, facecolor=tint, linewidth=0, zorder=0)
        if begin:
            ax.axvline(begin - 0.5, color=theme.muted, linewidth=0.8, zorder=1)
    for begin, end in stretches:
        x, y = _thinned(values[begin:end])
        marker = "o" if end - begin < 60 else None
        ax.plot(begin + x, y, color=theme.text, linewidth=1.3, marker=marker, markersize=3.5,
                zorder=3)  # fmt: skip
    _name_parts(ax, theme, shown, width)
    return figure


def _thinned(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A line that looks the same with fewer points: the extremes of each short stretch."""
    if len(values) <= MOST_POINTS:
        return np.arange(len(values), dtype=np.float64), values
    stretch = -(-2 * len(values) // MOST_POINTS)
    whole = len(values) // stretch
    rows = values[: whole * stretch].reshape(whole, stretch)
    starts = np.arange(whole) * stretch
    ends = np.sort(np.stack([starts + rows.argmin(axis=1), starts + rows.argmax(axis=1)], axis=1))
    x = np.concatenate([ends.ravel(), np.arange(whole * stretch, len(values))])
    return x.astype(np.float64), values[x]


def _name_parts(ax: Axes, theme: Theme, shown: ShownSeries, width: float) -> None:
    """The name and size of each part above it, pushed apart where a part is narrow."""
    total = len(shown.values)
    names = list(shown.parts)
    sizes = [end - begin for begin, end in shown.parts.values()]
    texts = [f"{name}: {size:,}" for name, size in zip(names, sizes, strict=True)]
    if sum(text_width(text, CONTEXT, bold=True) + 0.2 for text in texts) > width:
        texts = names
    widths = [text_width(text, CONTEXT, bold=True) for text in texts]
    wanted = [(begin + end) / 2 / total * width for begin, end in shown.parts.values()]
    middles = _apart(wanted, widths, width)
    for text, target, middle in zip(texts, wanted, middles, strict=True):
        ax.plot([target / width, middle / width], [1.0, 1 + 0.12 / HEIGHT],
                transform=ax.transAxes, color=theme.muted, linewidth=0.8, clip_on=False,
                scalex=False, scaley=False)  # fmt: skip
        put(ax, middle / width, 1 + 0.18 / HEIGHT, text, size=CONTEXT, colour=theme.text,
            bold=True, transform=ax.transAxes, ha="center")  # fmt: skip


def _apart(
    wanted: Sequence[float], widths: Sequence[float], room: float, gap: float = 0.2
) -> list[float]:
    """Middles of texts on one line, from left to right, as near to `wanted` as they fit."""
    middles = list(wanted)
    edge = 0.0
    for i, width in enumerate(widths):
        middles[i] = max(middles[i], edge + width / 2)
        edge = middles[i] + width / 2 + gap
    edge = room
    for i in reversed(range(len(widths))):
        middles[i] = min(middles[i], edge - widths[i] / 2)
        edge = middles[i] - widths[i] / 2 - gap
    return middles
