"""The confusion matrix: which class is taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nncli.errors import RunError
from nncli.plots.figure import NARROW, Theme, new_figure
from nncli.plots.labels import (
    CONTEXT,
    HEADING,
    SMALL,
    fit_header,
    inch_axes,
    ink_on,
    line_height,
    mixed,
    percent,
    put,
    shorten,
    text_width,
    whole_percent,
)
from nncli.results import Predictions, StoredRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN, NARROW_MARGIN = 0.35, 0.2
NUMBERS_UP_TO, NARROW_NUMBERS_UP_TO = 20, 10
"""The most classes for which the cells carry their counts."""
LONGEST_NAME, LONGEST_NARROW_NAME = 1.7, 1.0
"""Inches that a class name may take beside the matrix."""
LOWEST, NARROW_LOWEST = " lowest", " ▾"
"""What marks the lowest recall beside its colour."""
LISTED = 8
"""How many confusions, and how many classes, are listed beside a matrix without numbers."""


def _predictions(run: StoredRun) -> Predictions:
    """The run's predictions.

    Raises:
        RunError: there are none.
    """
    if run.predictions is None or not len(run.predictions.truth):
        raise RunError(
            f"{run.name} holds no predictions, so there is no confusion matrix to draw",
            hint="confusion needs the run of a classifier",
        )
    return run.predictions


def _counts(predictions: Predictions) -> NDArray[np.int64]:
    """(classes, classes) test samples by true and predicted class."""
    size = len(predictions.classes)
    counts = np.zeros((size, size), dtype=np.int64)
    np.add.at(counts, (predictions.truth, predictions.predicted), 1)
    return counts


def confusion_finding(run: StoredRun) -> str:
    """What the matrix shows, in one sentence: the title and the alternative text."""
    counts = _counts(_predictions(run))
    right, samples = int(counts.trace()), int(counts.sum())
    return f"{percent(right / samples)} correct ({right:,} of {samples:,})"


def _worst(counts: NDArray[np.int64], most: int) -> list[tuple[int, int]]:
    """The most frequent confusions as (true, predicted), the largest first."""
    errors = counts.copy()
    np.fill_diagonal(errors, 0)
    order = np.argsort(-errors, axis=None, kind="stable")[:most]
    pairs = [(int(index) // len(counts), int(index) % len(counts)) for index in order]
    return [pair for pair in pairs if errors[pair]]


def draw_confusion(run: StoredRun, theme: Theme, *, narrow: bool = False) -> Figure:
    """Counts by true and predicted class: hits blue, errors orange on a scale of their own.

    Raises:
        RunError: the run holds no predictions.
    """
    predictions = _predictions(run)
    counts = _counts(predictions)
    size = len(counts)
    numbers = size <= (NARROW_NUMBERS_UP_TO if narrow else NUMBERS_UP_TO)
    margin = NARROW_MARGIN if narrow else MARGIN
    cell = _cell_size(size) if numbers else 5.6 / size
    longest = LONGEST_NARROW_NAME if narrow else LONGEST_NAME
    names, name_size = _names(predictions, cell, longest)
    widest = max(text_width(name, name_size) for name in names)
    if narrow:
        left = margin + widest + 0.12
        room = NARROW - left - (0.85 if numbers else margin)
        cell = min(cell, room / size)
        names, name_size = _names(predictions, cell, widest)
        widest = max(text_width(name, name_size) for name in names)
        width = NARROW
    else:
        left = margin + max(widest, text_width("true class", SMALL)) + 0.12
        width = max(left + cell * size + (1.45 if numbers else 5.0), 6.4)
    side = cell * size
    every = max(1, int(np.ceil(line_height(name_size) / cell)))
    upright = widest > cell - 0.06 or not numbers
    context = _context(run, predictions, counts)
    header = fit_header(confusion_finding(run), context, width - 2 * margin)
    top = header.height + 0.42
    below = (widest if upright else line_height(name_size)) + 0.5
    listed = line_height(CONTEXT, 0 if numbers else _lines_listed(counts))
    height = top + side + below + listed if narrow else max(top + side + below, top + listed)
    figure = new_figure(width, height, theme)
    header.draw(figure, theme, margin)
    ax = inch_axes(figure)
    _cells(ax, theme, counts, left, top, cell, numbers=numbers)
    for index in range(0, size, every):
        at = (index + 0.5) * cell
        put(ax, left - 0.09, top + at, names[index], size=name_size, colour=theme.text,
            ha="right", va="center_baseline")  # fmt: skip
        if upright:
            put(ax, left + at, top + side + 0.08, names[index], size=name_size,
                colour=theme.text, ha="center", va="top", rotation=90)  # fmt: skip
        else:
            put(ax, left + at, top + side + 0.06, names[index], size=name_size,
                colour=theme.text, ha="center", va="top")  # fmt: skip
    put(ax, margin if narrow else left - 0.09, top - 0.11, "true class", size=SMALL,
        colour=theme.muted, ha="left" if narrow else "right")  # fmt: skip
    lowest = (top + side + below if narrow else height) - 0.16
    put(ax, left + side / 2, lowest, "predicted class", size=SMALL, colour=theme.muted,
        ha="center")  # fmt: skip
    if numbers:
        _recall(ax, theme, counts, left + side + 0.12, top, cell, narrow=narrow)
    elif narrow:
        _lists(ax, theme, predictions, counts, margin, top + side + below + 0.15, width - margin)
    else:
        _lists(ax, theme, predictions, counts, left + side + 0.35, top, width - margin)
    return figure


def _names(predictions: Predictions, cell: float, longest: float) -> tuple[list[str], float]:
    """The names of the classes as they fit beside their rows, and their size."""
    size = min(10.5, max(6.0, cell * 72 * 0.8))
    return [shorten(name, longest, size) or "–" for name in predictions.classes], size


def _lines_listed(counts: NDArray[np.int64]) -> int:
    """How many lines the lists beside a matrix without numbers take."""
    worst = len(_worst(counts, LISTED))
    return (worst + 3 if worst else 0) + min(LISTED, int((counts.sum(axis=1) > 0).sum())) + 2


def _cell_size(size: int) -> float:
    """Inches of the side of a cell that carries a number."""
    if size <= 3:
        return 1.0
    if size <= 6:
        return 0.75
    return 0.55 if size <= 10 else 0.42


def _context(run: StoredRun, predictions: Predictions, counts: NDArray[np.int64]) -> list[str]:
    worst = _worst(counts, 1)
    rows = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    parts: list[str] = []
    if worst:
        true, said = worst[0]
        names = [shorten(predictions.classes[index], 2.0, CONTEXT) for index in (true, said)]
        count, of = int(counts[true, said]), int(counts[true].sum())
        parts.append(
            f"most frequent confusion: {names[0]} read as {names[1]}, "
            f"{count:,} of {of:,} ({whole_percent(count / of)})"
        )
        largest = float((counts * (1 - np.eye(len(counts))) / rows).max())
        parts.append(
            "colour: share of the row, errors on a scale of their own "
            f"(strongest: {whole_percent(largest)})"
        )
    else:
        parts += ["no confusions", "colour: share of the row"]
    return [*parts, run.name]


def _cells(
    ax: Axes, theme: Theme, counts: NDArray[np.int64], left: float, top: float, cell: float,
    *, numbers: bool,
) -> None:  # fmt: skip
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgb

    size = len(counts)
    side = cell * size
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    errors = shares * (1 - np.eye(size))
    scale = float(errors.max()) or 1.0
    colours = np.empty((size, size), dtype=object)
    # White numbers stay legible on the deeper blue of a light page.
    blue = theme.train if theme.name == "dark" else mixed(theme.train, "#000000", 0.82)
    for true in range(size):
        for said in range(size):
            if not counts[true, said]:
                colours[true, said] = theme.background
            elif true == said:
                share = 0.15 + 0.85 * float(shares[true, said])
                colours[true, said] = mixed(blue, theme.background, share)
            else:
                share = 0.12 + 0.88 * float(errors[true, said]) / scale
                colours[true, said] = mixed(theme.validation, theme.background, share)
    picture = np.array([[to_rgb(colour) for colour in row] for row in colours])
    ax.imshow(picture, extent=(left, left + side, top + side, top), interpolation="none",
              aspect="auto", zorder=1)  # fmt: skip
    edges = [index * cell for index in (range(size + 1) if numbers else (0, size))]
    grid = [((left, top + at), (left + side, top + at)) for at in edges]
    grid += [((left + at, top), (left + at, top + side)) for at in edges]
    ax.add_collection(LineCollection(grid, colors=theme.grid, linewidths=1, zorder=2))
    if not numbers:
        return
    empty = np.argwhere(counts == 0)
    ax.plot(left + (empty[:, 1] + 0.5) * cell, top + (empty[:, 0] + 0.5) * cell, linestyle="none",
            marker=".", markersize=2.2, color=mixed(theme.muted, theme.background, 0.45),
            zorder=2)  # fmt: skip
    for true, said in np.argwhere(counts):
        text = f"{counts[true, said]:,}"
        full = 12.0 if cell > 0.6 else 11.0
        fits = (cell - 0.06) / text_width(text, full, bold=True)
        put(ax, left + (said + 0.5) * cell, top + (true + 0.5) * cell, text,
            size=full * min(1.0, fits), colour=ink_on(str(colours[true, said])),
            bold=bool(true == said), ha="center", va="center_baseline", zorder=3)  # fmt: skip


def _recalls(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of each true class that was found; NaN for a class without samples."""
    total = counts.sum(axis=1)
    return np.where(total > 0, counts.diagonal() / np.maximum(total, 1), np.nan)


def _recall(
    ax: Axes, theme: Theme, counts: NDArray[np.int64], left: float, top: float, cell: float,
    *, narrow: bool,
) -> None:  # fmt: skip
    """The column of recalls; the lowest is red and marked."""
    recalls = _recalls(counts)
    known = recalls[np.isfinite(recalls)]
    lowest = float(known.min()) if len(known) and known.min() < known.max() else None
    if narrow:
        heading = f"recall ({NARROW_LOWEST.strip()} lowest)" if lowest is not None else "recall"
        start = min(left, NARROW - NARROW_MARGIN - text_width(heading, SMALL))
        put(ax, start, top - 0.11, heading, size=SMALL, colour=theme.muted)
    else:
        put(ax, left, top - 0.11, "recall", size=SMALL, colour=theme.muted)
    mark = NARROW_LOWEST if narrow else LOWEST
    nothing = "none" if narrow else "none in test"
    size = 10.5 if cell > 0.5 else 9.5
    for index, recall in enumerate(recalls):
        bad = lowest is not None and recall == lowest
        text = whole_percent(float(recall)) if np.isfinite(recall) else nothing
        put(ax, left, top + (index + 0.5) * cell, f"{text}{mark if bad else ''}",
            size=size if np.isfinite(recall) else SMALL,
            colour=theme.wrong if bad else theme.text if np.isfinite(recall) else theme.muted,
            bold=bool(np.isfinite(recall)), va="center_baseline")  # fmt: skip


def _lists(
    ax: Axes, theme: Theme, predictions: Predictions, counts: NDArray[np.int64],
    left: float, top: float, right: float,
) -> None:  # fmt: skip
    """The largest confusions and the lowest recalls in words."""
    step = line_height(CONTEXT)
    y = top + 0.1

    def entry(text: str, number: str) -> None:
        nonlocal y
        y += step
        wide = text_width(number, CONTEXT) + 0.15
        put(ax, left, y, shorten(text, right - left - wide, CONTEXT), size=CONTEXT,
            colour=theme.text)  # fmt: skip
        put(ax, right, y, number, size=CONTEXT, colour=theme.muted, ha="right")

    worst = _worst(counts, LISTED)
    if worst:
        put(ax, left, y, "Most frequent confusions", size=HEADING, colour=theme.text, bold=True)
        y += 0.04
        for true, said in worst:
            number = f"{counts[true, said]:,} of {counts[true].sum():,}"
            room = right - left - text_width(number + " read as ", CONTEXT) - 0.25
            names = [
                shorten(predictions.classes[index], room / 2, CONTEXT) for index in (true, said)
            ]
            entry(f"{names[0]} read as {names[1]}", number)
        y += 2 * step
    recalls = _recalls(counts)
    if np.nanmin(recalls) == 1:
        put(ax, left, y, "Recall", size=HEADING, colour=theme.text, bold=True)
        y += 0.04
        entry("every class", "100 %")
        return
    put(ax, left, y, "Lowest recall", size=HEADING, colour=theme.text, bold=True)
    y += 0.04
    order = [index for index in np.argsort(recalls, kind="stable") if np.isfinite(recalls[index])]
    for index in order[:LISTED]:
        of = int(counts[index].sum())
        hits = f"{counts[index, index]:,} of {of:,} ({whole_percent(float(recalls[index]))})"
        entry(predictions.classes[index], hits)
