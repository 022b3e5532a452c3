"""Single predictions: where the model is surely wrong, and where it is only just right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nncli.errors import RunError
from nncli.plots.figure import NARROW, Theme, new_figure
from nncli.plots.labels import (
    CONTEXT,
    HEADING,
    clean,
    fit_header,
    fold,
    inch_axes,
    line_height,
    put,
    text_width,
    whole_percent,
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
from nncli.results import Array, Predictions, StoredRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN, NARROW_MARGIN = 0.4, 0.2
TILE = 1.08
LARGE_TILE = 1.45
BETWEEN = 0.22
PER_ROW, NARROW_PER_ROW = 8, 4
SMALLEST = 8.0
"""Points of a class name that would not fit above or below its sample."""
OVERHANG = 0.14
"""Inches by which a line may be wider than its sample."""
Line = tuple[str, float]
"""A line of text and its size."""
RIGHT, WRONG = "✓", "✗"


def _predictions(run: StoredRun) -> Predictions:
    """The run's predictions.

    Raises:
        RunError: there are none, or none whose inputs were kept.
    """
    if run.predictions is None or not len(run.predictions.shown):
        raise RunError(
            f"{run.name} holds no predictions to show",
            hint="predictions needs the run of a classifier",
        )
    return run.predictions


def _noun(predictions: Predictions) -> str:
    return "images" if predictions.inputs.ndim == 4 else "sequences"


def _groups(predictions: Predictions) -> list[list[int]]:
    """Positions in `shown`: the wrong ones, then the right ones; as many as are drawn."""
    said = predictions.predicted
    marks = [bool(said[i] == predictions.truth[i]) for i in predictions.shown]
    wrong = [place for place, right in enumerate(marks) if not right]
    right = [place for place, right in enumerate(marks) if right]
    if wrong and right:
        return [wrong[:PER_ROW], right[:PER_ROW]]
    return [(wrong or right)[: 2 * PER_ROW]]


def _rows(groups: list[list[int]], per_row: int) -> list[list[int]]:
    """The groups below each other, each on as many rows as it needs; one alone on two."""
    rows: list[list[int]] = []
    for group in groups:
        least = 2 if len(groups) == 1 and len(group) > 3 else 1
        count = max(least, -(-len(group) // per_row))
        each = -(-len(group) // count)
        rows += [group[start : start + each] for start in range(0, len(group), each)]
    return rows


def predictions_finding(run: StoredRun) -> str:
    """What the samples show, in one sentence: the title and the alternative text."""
    predictions = _predictions(run)
    samples = len(predictions.truth)
    wrong = int((predictions.predicted != predictions.truth).sum())
    noun = _noun(predictions)
    if samples == 1:
        mark = "wrong" if wrong else "right"
        return f"The only test {noun.removesuffix('s')} is {mark}"
    if not wrong:
        return f"All {samples:,} test {noun} are right; the model is least sure about these"
    verb = "is" if wrong == 1 else "are"
    surest = "; the model is surest about these" if wrong > 1 else ""
    return f"{wrong:,} of {samples:,} test {noun} {verb} wrong{surest}"


def _context(
    run: StoredRun, predictions: Predictions, groups: list[list[int]], rows: int, theme: Theme
) -> list[str]:
    orders = {True: "right, least confident first", False: "wrong, most confident first"}
    if len(groups) == 2:
        above, below = ("top row", "bottom row") if rows == 2 else ("above", "below")
        parts = [f"{above}: {orders[False]}", f"{below}: {orders[True]}"]
    else:
        parts = [orders[_is_right(predictions, groups[0][0])]]
    parts.append("bar: probability of the predicted class")
    if predictions.inputs.ndim == 3:
        steps, features = predictions.inputs.shape[1:]
        lines = f"{features} features, a line each"
        if features == 1:
            lines = "1 feature"
        elif features > DISTINCT_LINES:
            strong = "dark" if theme.name == "light" else "bright"
            lines = f"{features} features, a row each, {strong} where they are high"
        padded = bool(np.isnan(predictions.inputs).any())  # steps that are not there
        parts.append(f"{'up to ' * padded}{steps:,} step{'s' * (steps > 1)}, {lines}")
    return [*parts, run.name]


def draw_predictions(run: StoredRun, theme: Theme, *, narrow: bool = False) -> Figure:
    """Wrong samples, the most confident first, above right ones, the least confident first.

    Raises:
        RunError: the run holds no predictions.
    """
    predictions = _predictions(run)
    groups = _groups(predictions)
    rows = _rows(groups, NARROW_PER_ROW if narrow else PER_ROW)
    columns = max(len(row) for row in rows)
    tile = TILE if columns > 5 else LARGE_TILE
    margin = NARROW_MARGIN if narrow else MARGIN
    width = max(2 * margin + columns * (tile + BETWEEN) - BETWEEN, 7.0)
    if narrow:
        width = NARROW
        tile = min(tile, (width - 2 * margin + BETWEEN) / max(columns, 3) - BETWEEN)
    context = _context(run, predictions, groups, len(rows), theme)
    header = fit_header(predictions_finding(run), context, width - 2 * margin)
    images = predictions.inputs.ndim == 4
    # A tile is as high as the pictures are, within reason.
    ratio = predictions.inputs.shape[1] / predictions.inputs.shape[2] if images else 0.8
    high = tile * float(np.clip(ratio, 0.5, 1.5))
    places = [place for row in rows for place in row]
    over = _over(predictions, places, tile)
    under = _under(predictions, places, tile)
    above = line_height(HEADING, max(len(lines) for lines in over)) + 0.05
    below = line_height(CONTEXT, max(len(lines) for lines in under)) + 0.16
    top = header.height + 0.2
    row_height = above + high + below + 0.2
    figure = new_figure(width, top + len(rows) * row_height, theme)
    header.draw(figure, theme, margin)
    ax = inch_axes(figure)
    tiles = [
        (margin + column * (tile + BETWEEN), top + number * row_height + above, tile, high)
        for number, row in enumerate(rows)
        for column in range(len(row))
    ]
    for place, (left, upper, _, _), lines_over, lines_under in zip(
        places, tiles, over, under, strict=True
    ):
        right = _is_right(predictions, place)
        colour = theme.right if right else theme.wrong
        lower = upper + high
        frame(ax, (left, upper, tile, high), colour, 2)
        _bar(ax, theme, predictions, place, (left, lower + 0.06, tile, 0.05), colour)
        for index, (line, size) in enumerate(reversed(lines_over)):
            put(ax, left, upper - 0.08 - index * line_height(HEADING), line, size=size,
                colour=colour, bold=True)  # fmt: skip
        for index, (line, size) in enumerate(lines_under):
            put(ax, left, lower + 0.11 + line_height(CONTEXT, index + 1), line, size=size,
                colour=theme.muted if right else theme.text)  # fmt: skip
    if images:
        for place, of_place in zip(places, tiles, strict=True):
            draw_picture(ax, on_page(predictions.inputs[place], theme), of_place)
        return figure
    sequences = [predictions.inputs[place] for place in places]
    limits = shared_limits(predictions.inputs)
    if predictions.inputs.shape[2] <= DISTINCT_LINES:
        draw_sequences(ax, theme, sequences, tiles, limits)
    else:
        for sequence, of_place in zip(sequences, tiles, strict=True):
            draw_features(ax, theme, sequence, of_place, limits)
    return figure


def _is_right(predictions: Predictions, place: int) -> bool:
    sample = predictions.shown[place]
    return bool(predictions.predicted[sample] == predictions.truth[sample])


def _name(predictions: Predictions, label: int) -> str:
    return clean(predictions.classes[label]) or "–"


def _chance(predictions: Predictions, place: int, label: int) -> str:
    sample = predictions.shown[place]
    return whole_percent(float(predictions.probabilities[sample, label]))


def _over(predictions: Predictions, places: list[int], width: float) -> list[list[Line]]:
    """Mark, class and probability of what the model said, for above each sample."""
    said = [int(predictions.predicted[predictions.shown[place]]) for place in places]
    marks = [RIGHT if _is_right(predictions, place) else WRONG for place in places]
    names = [f"{mark} {_name(predictions, label)}" for mark, label in zip(marks, said, strict=True)]
    chances = [_chance(predictions, *each) for each in zip(places, said, strict=True)]
    whole = [f"{name}  {chance}" for name, chance in zip(names, chances, strict=True)]
    if all(text_width(text, HEADING, bold=True) <= width + OVERHANG for text in whole):
        return [[(text, HEADING)] for text in whole]
    folded = fold(names, width + OVERHANG, HEADING, SMALLEST, bold=True)
    return [
        [*((line, size) for line in lines), (chance, CONTEXT)]
        for (size, lines), chance in zip(folded, chances, strict=True)
    ]


def _under(predictions: Predictions, places: list[int], width: float) -> list[list[Line]]:
    """Of a wrong sample the truth, of a right one the next class and its probability."""
    words: list[tuple[str, str, str]] = []
    for place in places:
        sample = predictions.shown[place]
        order = np.argsort(-predictions.probabilities[sample], kind="stable")
        if not _is_right(predictions, place):
            words.append(("truth", _name(predictions, int(predictions.truth[sample])), ""))
        elif len(order) > 1:
            chance = _chance(predictions, place, int(order[1]))
            words.append(("next", _name(predictions, int(order[1])), chance))
        else:
            words.append(("", "", ""))
    whole = [" ".join(part for part in parts if part) for parts in words]
    if all(text_width(text, CONTEXT) <= width + OVERHANG for text in whole):
        return [[(text, CONTEXT)] for text in whole]
    folded = fold([name for _, name, _ in words], width + OVERHANG, CONTEXT, SMALLEST)
    return [
        [(f"{what} {chance}".rstrip() + ":", CONTEXT), *((line, size) for line in lines)]
        for (what, _, chance), (size, lines) in zip(words, folded, strict=True)
    ]


def on_page(image: Array, theme: Theme) -> Array:
    """Light strokes on black are ink on paper where the page is light."""
    if image.shape[-1] != 1 or theme.name != "light":
        return image
    grey = image[..., 0]
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return 255 - image if np.median(edge) < 24 else image


def _bar(
    ax: Axes, theme: Theme, predictions: Predictions, place: int, tile: Tile, colour: str
) -> None:
    """The probability of the predicted class as a bar below its sample."""
    from matplotlib.patches import Rectangle

    left, top, width, height = tile
    chance = float(predictions.probabilities[predictions.shown[place]].max())
    for share, fill in ((1.0, theme.grid), (chance, colour)):
        ax.add_artist(Rectangle((left, top), share * width, height, facecolor=fill, linewidth=0))
