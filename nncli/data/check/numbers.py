"""Findings about the numbers themselves: their range, their scale, what never changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nncli.data.check.ranges import Ranges, limits
from nncli.data.check.words import PARTS, listed, many, noun, place, share_of
from nncli.data.dataset import Dataset
from nncli.data.samples import Samples
from nncli.lazy import NDArray, np
from nncli.results import DataFinding

ONE_COLOUR = 0.03
"""How far the pixels of a picture may lie apart, as a share of the whole range."""
DARK, BRIGHT = 0.03, 0.97
"""Means of pictures, as a share of the range, that are next to black and to white."""
SCALES_APART = 100
"""How many times larger the deviation of one feature may be than that of another."""
FAR_OUT = 30
"""Deviations from the mean that real measurements hardly reach."""
UNSEEN = 0.2
"""The share of a test part whose values the training part never reached."""


def by_limits(dataset: Dataset, preprocessing: str | None) -> Iterator[DataFinding]:
    """What the smallest and the largest number tell, where all are in memory."""
    x = dataset.train.x
    if isinstance(x, Samples):
        return
    low, high = limits(x[:], dataset.padding)
    if dataset.family == "images":
        yield from _pixels(preprocessing, float(low.min()), float(high.max()))
    yield from _constant(dataset, low, high)


def by_numbers(
    dataset: Dataset, ranges: Mapping[str, Ranges], preprocessing: str | None
) -> Iterator[DataFinding]:
    """What the ranges of all parts tell."""
    for name, of_part in ranges.items():
        if len(of_part.broken):
            part, count = dataset.parts[name], len(of_part.broken)
            hold = "holds" if count == 1 else "hold"
            yield DataFinding(
                "error",
                "not-finite",
                f"{many(dataset, count, name)} {hold} a number that is not finite",
                hint="remove or repair the missing values",
                places=tuple(place(name, part, int(row)) for row in of_part.broken),
            )
    train = ranges["train"]
    yield from _constant(dataset, train.low, train.high)
    if dataset.family == "images":
        low, high, mean, _ = train.overall
        yield from _pixels(preprocessing, low, high, mean)
        yield from _one_colour(dataset, ranges)
    elif dataset.scaler is None and dataset.family == "sequences":
        yield from _scales(train)
    elif not dataset.target_steps:
        yield from _far_out(dataset, ranges)
        yield from _unseen_level(dataset)


def _constant(
    dataset: Dataset, low: NDArray[np.float64], high: NDArray[np.float64]
) -> Iterator[DataFinding]:
    """Features that are the same everywhere, of which nothing can be learned."""
    if dataset.target_steps:
        return
    # a feature that was scaled has a deviation of 1, and a constant one only what rounding left
    scaled = dataset.scaler is not None or dataset.family == "series"
    same = np.flatnonzero(high - low <= (0.01 if scaled else 0))
    if not len(same):
        return
    what = {"images": "channel", "sequences": "feature", "series": "column"}[dataset.family]
    numbers = [f"{what} {index + 1}" for index in same]
    whole = len(same) == len(low)
    never = "never changes" if len(same) == 1 else "never change"
    words = f"no {what} ever changes" if whole else f"{listed(numbers)} {never}"
    yield DataFinding(
        "error" if whole else "warning",
        "constant-feature",
        f"{words} in the training part: nothing to learn from",
        hint="look how they were recorded, or leave them out",
        places=tuple(numbers),
    )


def _pixels(
    preprocessing: str | None, low: float, high: float, mean: float | None = None
) -> Iterator[DataFinding]:
    """Numbers that are not the pixels from 0 to 255 that preprocessing takes them for."""
    if preprocessing in {None, "none"}:
        return
    does = "divides by 255" if preprocessing == "unit" else "expects pixels from 0 to 255"
    given = f"the numbers run from {low:.3g} to {high:.3g}, but model.preprocessing {does}"
    instead = "set model.preprocessing to none, or give pixels from 0 to 255"
    if low >= 0 and high <= 1.5:
        message, hint = f"{given}: next to nothing would be left of them", instead
    elif low < 0 or high > 255:
        message, hint = given, instead
    elif mean is not None and not DARK <= mean / 255 <= BRIGHT:
        shade = "black" if mean < 128 else "white"
        message = f"the pictures are next to {shade}: their mean is {mean:.3g} of 255"
        hint = "look whether they were read as they should be"
    else:
        return
    yield DataFinding("warning", "value-range", message, hint)


def _one_colour(dataset: Dataset, ranges: Mapping[str, Ranges]) -> Iterator[DataFinding]:
    whole = 255 if max(each.overall[1] for each in ranges.values()) > 1.5 else 1
    blank = [
        place(name, dataset.parts[name], int(row))
        for name, each in ranges.items()
        for row in np.flatnonzero(each.spread < ONE_COLOUR * whole)
    ]
    if blank:
        have = "is" if len(blank) == 1 else "are"
        yield DataFinding(
            "warning",
            "blank",
            f"{len(blank):,} {noun(dataset, len(blank))} {have} of one colour",
            hint="remove them, or look how they were made",
            places=tuple(blank),
        )


def _scales(train: Ranges) -> Iterator[DataFinding]:
    """Features of very different scale, where nothing brings them to one."""
    changing = np.flatnonzero(train.deviation > 0)
    if not len(changing):
        return
    order = changing[np.argsort(train.deviation[changing])]
    least, most = int(order[0]), int(order[-1])
    small, large = (float(train.deviation[index]) for index in (least, most))
    if large >= SCALES_APART * small:
        yield DataFinding(
            "warning",
            "feature-scale",
            f"the deviation of feature {most + 1} is {large:.3g}, that of feature {least + 1} "
            f"{small:.3g}: the small one will hardly be seen",
            hint="bring all features to one scale",
            places=(f"feature {most + 1}", f"feature {least + 1}"),
        )


def _far_out(dataset: Dataset, ranges: Mapping[str, Ranges]) -> Iterator[DataFinding]:
    """Scaled numbers so far from the mean that they may stand for something else."""
    what = "column" if dataset.family == "series" else "feature"
    for name, each in ranges.items():
        far = np.maximum(np.abs(each.low), np.abs(each.high))
        if not (far > FAR_OUT).any():
            continue
        worst = int(far.argmax())
        rows = np.flatnonzero(each.spread > FAR_OUT)
        part = dataset.parts[name]
        yield DataFinding(
            "warning",
            "far-out",
            f"in the {PARTS[name]} part {what} {worst + 1} holds a number {far[worst]:,.0f} "
            "deviations from its mean: does it stand for a missing value?",
            hint="remove or repair it",
            places=tuple(place(name, part, int(row)) for row in rows),
        )


def _unseen_level(dataset: Dataset) -> Iterator[DataFinding]:
    """A trend that leads the test part to where the training part never was."""
    series = dataset.series
    if series is None or series.relative:
        return
    known = np.asarray(dataset.train.x[:][:, :, 0], dtype=np.float64) * series.scale + series.offset
    low, high = float(known.min()), float(known.max())
    share = float(np.mean((series.truth < low) | (series.truth > high)))
    if share > UNSEEN:
        yield DataFinding(
            "warning",
            "unseen-level",
            f"{share_of(share)} of the test values lie outside {low:.4g} to {high:.4g}, the range "
            "of the training part",
            hint="set data.inputs to relative: the model then sees distances, not levels",
        )
