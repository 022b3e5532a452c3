"""Single predictions: where the model is surely wrong, and where it is only just right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nncli.errors import RunError
from nncli.plots.figure import Theme, new_figure
from nncli.plots.labels import (
    CONTEXT,
    HEADING,
    fit_header,
    line_height,
    place_axes,
    put,
    shorten,
    text_width,
    whole_percent,
)
from nncli.plots.tiles import draw_lines, shared_limits
from nncli.results import Array, Predictions, StoredRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN = 0.4
TILE = 1.08
LARGE_TILE = 1.45
BETWEEN = 0.22
PER_ROW = 8
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


def _rows(predictions: Predictions) -> list[list[int]]:
    """Positions in `shown`: the wrong ones above the right ones; one kind alone on two rows."""
    said = predictions.predicted
    marks = [bool(said[i] == predictions.truth[i]) for i in predictions.shown]
    wrong = [place for place, right in enumerate(marks) if not right]
    right = [place for place, right in enumerate(marks) if right]
    if wrong and right:
        return [wrong[:PER_ROW], right[:PER_ROW]]
    alone = (wrong or right)[: 2 * PER_ROW]
    if len(alone) <= 3:
        return [alone]
    half = -(-len(alone) // 2)
    return [alone[:half], alone[half:]]


def predictions_finding(run: StoredRun) -> str:
    """What the samples show, in one sentence: the title and the alternative text."""
    predictions = _predictions(run)
    samples = len(predictions.truth)
    wrong = int((predictions.predicted != predictions.truth).sum())
    noun = _noun(predictions)
    if not wrong:
        return f"All {samples:,} test {noun} are right; the model is least sure about these"
    verb = "is" if wrong == 1 else "are"
    surest = "; the model is surest about these" if wrong > 1 else ""
    return f"{wrong:,} of {samples:,} test {noun} {verb} wrong{surest}"


def _context(run: StoredRun, predictions: Predictions, rows: list[list[int]]) -> list[str]:
    said = predictions.predicted
    first = predictions.shown[rows[0][0]]
    wrong = bool(said[first] != predictions.truth[first])
    orders = {True: "wrong, most confident first", False: "right, least confident first"}
    shown_right = any(said[i] == predictions.truth[i] for i in predictions.shown)
    if wrong and shown_right:
        parts = [f"top row: {orders[True]}", f"bottom row: {orders[False]}"]
    else:
        parts = [orders[wrong]]
    parts.append("bar: probability of the predicted class")
    if predictions.inputs.ndim == 3:
        steps, features = predictions.inputs.shape[1:]
        lines = "1 feature" if features == 1 else f"{features} features, a line each"
        padded = bool(np.isnan(predictions.inputs).any())  # steps that are not there
        parts.append(f"{'up to ' * padded}{steps:,} steps, {lines}")
    return [*parts, run.name]


def draw_predictions(run: StoredRun, theme: Theme) -> Figure:
    """Wrong samples, the most confident first, above right ones, the least confident first.

    Raises:
        RunError: the run holds no predictions.
    """
    predictions = _predictions(run)
    rows = _rows(predictions)
    columns = max(len(row) for row in rows)
    tile = TILE if columns > 5 else LARGE_TILE
    figure = new_figure(7, 1, theme)
    width = max(2 * MARGIN + columns * (tile + BETWEEN) - BETWEEN, 7.0)
    header = fit_header(
        predictions_finding(run), _context(run, predictions, rows), width - 2 * MARGIN
    )
    images = predictions.inputs.ndim == 4
    # A tile is as high as the pictures are, within reason.
    ratio = predictions.inputs.shape[1] / predictions.inputs.shape[2] if images else 0.8
    high = tile * float(np.clip(ratio, 0.5, 1.5))
    stacked = any(
        text_width(_headline(predictions, place), HEADING, bold=True) > tile
        for row in rows
        for place in row
    )
    size = _name_size(predictions, rows, tile) if stacked else HEADING
    above = line_height(HEADING, 2 if stacked else 1) + 0.05
    below = 0.16 + line_height(CONTEXT, 2 if stacked else 1)
    top = header.height + 0.2
    figure.set_size_inches(width, top + len(rows) * (above + high + below + 0.2))
    header.draw(figure, theme, MARGIN)
    across, down = figure.get_size_inches()
    limits = shared_limits(predictions.inputs)
    for number, row in enumerate(rows):
        upper = top + number * (above + high + below + 0.2) + above
        for column, place in enumerate(row):
            left = MARGIN + column * (tile + BETWEEN)
            ax = place_axes(figure, left, upper, tile, high)
            colour = theme.right if _is_right(predictions, place) else theme.wrong
            _frame(ax, theme, colour)
            if images:
                _picture(ax, theme, predictions.inputs[place])
            else:
                draw_lines(ax, theme, predictions.inputs[place], limits)
            _bar(figure, theme, predictions, place, left, upper + high + 0.06, tile, colour)
            lines = _above(predictions, place, tile, size, stacked=stacked)
            for index, line in enumerate(reversed(lines)):
                y = upper - 0.08 - index * line_height(HEADING)
                put(figure, left / across, 1 - y / down, line, size=size, colour=colour,
                    bold=True)  # fmt: skip
            right = _is_right(predictions, place)
            for index, line in enumerate(_below(predictions, place, tile, stacked=stacked)):
                y = upper + high + 0.11 + line_height(CONTEXT, index + 1)
                put(figure, left / across, 1 - y / down, line, size=CONTEXT,
                    colour=theme.muted if right else theme.text)  # fmt: skip
    return figure


def _is_right(predictions: Predictions, place: int) -> bool:
    sample = predictions.shown[place]
    return bool(predictions.predicted[sample] == predictions.truth[sample])


def _said(predictions: Predictions, place: int) -> tuple[str, str, str]:
    """Mark, class and probability of what the model said."""
    sample = predictions.shown[place]
    said = int(predictions.predicted[sample])
    chance = whole_percent(float(predictions.probabilities[sample, said]))
    mark = RIGHT if _is_right(predictions, place) else WRONG
    return mark, predictions.classes[said], chance


def _headline(predictions: Predictions, place: int) -> str:
    mark, name, chance = _said(predictions, place)
    return f"{mark} {name}  {chance}"


def _name_size(predictions: Predictions, rows: list[list[int]], width: float) -> float:
    """Type small enough for the longest class name, but not smaller than can be read."""
    longest = max(
        text_width("{} {}".format(*_said(predictions, place)), HEADING, bold=True)
        for row in rows
        for place in row
    )
    return float(np.clip(HEADING * width / longest, 9.0, HEADING))


def _above(
    predictions: Predictions, place: int, width: float, size: float, *, stacked: bool
) -> list[str]:
    mark, name, chance = _said(predictions, place)
    if not stacked:
        return [_headline(predictions, place)]
    return [shorten(f"{mark} {name}", width, size, bold=True), chance]


def _below(predictions: Predictions, place: int, width: float, *, stacked: bool) -> list[str]:
    """Of a wrong sample the truth, of a right one the next class and its probability."""
    sample = predictions.shown[place]
    if not _is_right(predictions, place):
        truth = predictions.classes[int(predictions.truth[sample])]
        if stacked:
            return ["truth:", shorten(truth, width, CONTEXT)]
        return [shorten(f"truth {truth}", width, CONTEXT)]
    order = np.argsort(-predictions.probabilities[sample], kind="stable")
    if len(order) < 2:
        return []
    following = int(order[1])
    name = predictions.classes[following]
    chance = whole_percent(float(predictions.probabilities[sample, following]))
    if stacked:
        return [f"next {chance}:", shorten(name, width, CONTEXT)]
    return [shorten(f"next {name} {chance}", width, CONTEXT)]


def _frame(ax: Axes, theme: Theme, colour: str) -> None:
    ax.set_facecolor(theme.background)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color(colour)
        spine.set_linewidth(2)


def _picture(ax: Axes, theme: Theme, image: Array) -> None:
    pixels = np.asarray(image, dtype=np.uint8)
    if pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
        # Light strokes on black are ink on paper where the page is light.
        edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        if theme.name == "light" and np.median(edge) < 24:
            pixels = 255 - pixels
        ax.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    else:
        ax.imshow(pixels[..., :3], interpolation="nearest", aspect="auto")


def _bar(
    figure: Figure, theme: Theme, predictions: Predictions, place: int,
    left: float, top: float, width: float, colour: str,
) -> None:  # fmt: skip
    """The probability of the predicted class as a bar below its sample."""
    sample = predictions.shown[place]
    chance = float(predictions.probabilities[sample].max())
    ax = place_axes(figure, left, top, width, 0.05)
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.barh([0], [1], height=1, color=theme.grid)
    ax.barh([0], [chance], height=1, color=colour)
    ax.set_ylim(-0.5, 0.5)
