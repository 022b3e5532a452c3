"""What a classifier says of samples that nobody has labelled: each with its class."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from nncli.plots.figure import NARROW, Theme, new_figure
from nncli.plots.labels import (
    HEADING,
    SMALL,
    clean,
    fit_header,
    inch_axes,
    line_height,
    percent,
    put,
    shorten,
    text_width,
    whole_percent,
)
from nncli.plots.predictions import (
    BETWEEN,
    LARGE_TILE,
    MARGIN,
    NARROW_MARGIN,
    NARROW_PER_ROW,
    PER_ROW,
    SMALLEST,
    TILE,
    on_page,
)
from nncli.plots.tiles import (
    DISTINCT_LINES,
    Tile,
    draw_features,
    draw_picture,
    draw_sequences,
    frame,
    shared_limits,
)
from nncli.results import ShownAnswers, StoredRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COUNTED = 3
"""Classes that the title counts."""


def answers_finding(shown: ShownAnswers) -> str:
    """What the answers say, in one sentence: the title and the alternative text."""
    said = [clean(shown.classes[i]) or "–" for i in shown.probabilities.argmax(axis=1)]
    noun = "images" if shown.inputs.ndim == 4 else "sequences"
    if shown.total == 1:
        return f"{said[0]}, {percent(float(shown.probabilities.max()))} sure"
    if shown.total > len(said):
        return f"The {len(said)} of {shown.total:,} {noun} that the model is least sure about"
    counts = Counter(said).most_common()
    named = ", ".join(f"{name} ({count})" for name, count in counts[:MOST_COUNTED])
    left = len(counts) - MOST_COUNTED
    more = f" and {left} more class{'es' * (left > 1)}" if left > 0 else ""
    return f"{shown.total} {noun}: {named}{more}"


def draw_answers(
    shown: ShownAnswers, run: StoredRun, theme: Theme, *, narrow: bool = False
) -> Figure:
    """Each sample below the class that the model gives it, above its own name."""
    count, images = len(shown.names), shown.inputs.ndim == 4
    columns = min(count, NARROW_PER_ROW if narrow else PER_ROW)
    tile = TILE if columns > 5 else LARGE_TILE
    margin = NARROW_MARGIN if narrow else MARGIN
    width = max(2 * margin + columns * (tile + BETWEEN) - BETWEEN, 7.0)
    if narrow:
        width = NARROW
        tile = min(tile, (width - 2 * margin + BETWEEN) / max(columns, 3) - BETWEEN)
    order = ["least sure first"] if shown.total > count else []
    context = [*order, "bar: probability of the class", run.name]
    header = fit_header(answers_finding(shown), context, width - 2 * margin)
    ratio = shown.inputs.shape[1] / shown.inputs.shape[2] if images else 0.8
    high = tile * float(np.clip(ratio, 0.5, 1.5))
    above, below = line_height(HEADING) + 0.05, line_height(SMALL, 2) + 0.16
    top, row_height = header.height + 0.2, above + high + below + 0.15
    figure = new_figure(width, top + -(-count // columns) * row_height, theme)
    header.draw(figure, theme, margin)
    ax = inch_axes(figure)
    tiles: list[Tile] = [
        (
            margin + place % columns * (tile + BETWEEN),
            top + place // columns * row_height + above,
            tile,
            high,
        )
        for place in range(count)
    ]
    for place, of_place in enumerate(tiles):
        _frame_and_words(ax, theme, shown, place, of_place)
    _samples(ax, theme, shown, tiles)
    return figure


def _frame_and_words(ax: Axes, theme: Theme, shown: ShownAnswers, place: int, tile: Tile) -> None:
    from matplotlib.patches import Rectangle

    left, upper, width, high = tile
    chances = shown.probabilities[place]
    best = int(chances.argmax())
    share = whole_percent(float(chances[best]))
    name, size = clean(shown.classes[best]) or "–", HEADING
    while size > SMALLEST and text_width(name, size, bold=True) > width:
        size -= 0.5
    name = shorten(name, width, size, bold=True)
    put(ax, left, upper - 0.08, name, size=size, colour=theme.train, bold=True)
    frame(ax, tile, theme.train, 1.5)
    for part, fill in ((1.0, theme.grid), (float(chances[best]), theme.train)):
        ax.add_artist(
            Rectangle((left, upper + high + 0.06), part * width, 0.05, facecolor=fill, linewidth=0)
        )
    lower = upper + high + 0.12
    for line, text in enumerate((share, _end_of(shown.names[place], width)), start=1):
        put(ax, left, lower + line * line_height(SMALL), text, size=SMALL,
            colour=theme.text if line == 1 else theme.muted)  # fmt: skip


def _end_of(name: str, width: float) -> str:
    """A name that fits: of a path its last parts, which tell files apart."""
    text = clean(name)
    parts = text.split("/")
    while len(parts) > 1 and text_width("/".join(parts), SMALL) > width:
        parts.pop(0)
    text = "/".join(parts)
    if text_width(text, SMALL) <= width:
        return text
    while len(text) > 1 and text_width(f"…{text}", SMALL) > width:
        text = text[1:]
    return f"…{text}"


def _samples(ax: Axes, theme: Theme, shown: ShownAnswers, tiles: list[Tile]) -> None:
    if shown.inputs.ndim == 4:
        for image, tile in zip(shown.inputs, tiles, strict=True):
            draw_picture(ax, on_page(image, theme), tile)
        return
    limits = shared_limits(shown.inputs)
    if shown.inputs.shape[2] <= DISTINCT_LINES:
        draw_sequences(ax, theme, list(shown.inputs), tiles, limits)
        return
    for sequence, tile in zip(shown.inputs, tiles, strict=True):
        draw_features(ax, theme, sequence, tile, limits)
