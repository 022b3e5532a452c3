"""A few samples to look at: what goes into the picture of a dataset."""

from __future__ import annotations

from nncli.data.check.ranges import rounded
from nncli.data.dataset import Dataset, Series, Split
from nncli.data.padding import unfilled
from nncli.data.splits import generator
from nncli.lazy import NDArray, np
from nncli.results import Array, ShownSamples, ShownSeries

MOST_CLASSES = 10
PICTURES_OF_A_CLASS = 8
SEQUENCES_OF_A_CLASS = 3
MOST_FEATURES = 3
LARGEST_SIDE = 160
"""Pixels of a side that the picture of them can show."""
_PURPOSE = 3  # what the random numbers are for, see `generator`


def preview(dataset: Dataset, seed: int) -> ShownSamples | ShownSeries:
    """Some samples of the training part, chosen by the seed; of a forecast the whole series.

    Raises:
        DataError: samples on the disk that are gone or damaged.
    """
    if dataset.series is not None:
        return _series(dataset, dataset.series)
    counts = _counts(dataset)
    shown = _classes(list(counts.values()))
    most = PICTURES_OF_A_CLASS if dataset.family == "images" else SEQUENCES_OF_A_CLASS
    random = generator(seed, _PURPOSE)
    rows: list[int] = []
    labels: list[int] = []
    for place, label in enumerate(shown):
        of_class = np.flatnonzero(dataset.train.y == label)
        chosen = np.sort(random.permutation(of_class)[:most])
        rows += chosen.tolist()
        labels += [place] * len(chosen)
    inputs = dataset.train.x[np.array(rows, dtype=np.intp)]
    if dataset.family == "images":
        inputs = _pixels(inputs)
    else:
        inputs = unfilled(inputs, dataset.padding)[:, :, :MOST_FEATURES]
    return ShownSamples(
        source=dataset.name,
        classes=tuple(dataset.classes[label] for label in shown),
        labels=np.array(labels, dtype=np.int64),
        inputs=inputs,
        counts=counts,
        shape=dataset.input_shape,
    )


def _counts(dataset: Dataset) -> dict[str, int]:
    """Samples of each class, all parts together."""
    labels = np.concatenate([part.y for part in dataset.parts.values()])
    counts = np.bincount(labels, minlength=len(dataset.classes))
    return dict(zip(dataset.classes, counts.tolist(), strict=True))


def _classes(counts: list[int]) -> list[int]:
    """The classes to show: all, or the smallest and the largest, in their own order."""
    if len(counts) <= MOST_CLASSES:
        return list(range(len(counts)))
    order = sorted(range(len(counts)), key=lambda label: (-counts[label], label))
    half = MOST_CLASSES // 2
    return sorted([*order[:half], *order[-half:]])


def _pixels(images: Array) -> NDArray[np.uint8]:
    """(shown, height, width, channels) as bytes, and no larger than can be seen."""
    if images.dtype != np.uint8 and len(images):
        low, high = float(images.min()), float(images.max())
        if low < 0 or high > 255:
            images = (images - low) * (255 / max(high - low, 1e-12))
        elif high <= 1.5:
            images = images * 255
        images = np.clip(images, 0, 255).astype(np.uint8)
    factor = -(-max(images.shape[1:3]) // LARGEST_SIDE)
    if factor == 1:
        return images
    shown, height, width, channels = images.shape
    cut = images[:, : height // factor * factor, : width // factor * factor]
    boxes = cut.reshape(shown, height // factor, factor, width // factor, factor, channels)
    return np.asarray(boxes.mean(axis=(2, 4)), dtype=np.uint8)


def _series(dataset: Dataset, series: Series) -> ShownSeries:
    """The values of all parts in the order of time, in the series' own units."""
    if dataset.target_steps:
        return _waves(dataset, series)
    lengths = {name: len(part) for name, part in dataset.parts.items()}
    before = [part for name, part in dataset.parts.items() if name != "test"]
    targets = np.concatenate([np.asarray(part.y[:, 0], dtype=np.float64) for part in before])
    window = dataset.input_shape[0]
    first = np.asarray(dataset.train.x[:1][0, :, 0], dtype=np.float64) * series.scale
    if series.change:
        # each target is a step, and the last of them leads to the value before the test part
        steps = targets * series.scale
        known = series.seen[-1] - np.concatenate([np.cumsum(steps[::-1])[::-1], [0.0]])
        start, middle = known[0], known[1:]
    else:
        middle = targets * series.scale + series.offset
        start = 0.0
    first = first + start if series.relative else first + series.offset
    values = np.concatenate([rounded(np.concatenate([first, middle])), series.truth])
    parts: dict[str, tuple[int, int]] = {}
    begin = 0
    for name, length in lengths.items():
        end = begin + length + (window if name == "train" else 0)
        parts[name] = (begin, end)
        begin = end
    return ShownSeries(
        source=dataset.name,
        name=series.name,
        values=values,
        parts=parts,
        window=window,
        labels=series.labels,
    )


def _waves(dataset: Dataset, series: Series) -> ShownSeries:
    """Series that are one sample each: one part behind the other."""
    values: list[NDArray[np.float64]] = []
    parts: dict[str, tuple[int, int]] = {}
    begin = 0
    for name, part in dataset.parts.items():
        wave = _whole(part, series)
        parts[name] = (begin, begin + len(wave))
        values.append(wave)
        begin += len(wave)
    return ShownSeries(
        source=dataset.name,
        name=series.name,
        values=rounded(np.concatenate(values)),
        parts=parts,
        window=0,
        labels=(),
    )


def _whole(part: Split, series: Series) -> NDArray[np.float64]:
    """(steps,) what is seen, and the last target."""
    x = np.asarray(part.x[:1][0, :, 0], dtype=np.float64)
    last = np.asarray(part.y[0, -1], dtype=np.float64)
    return np.concatenate([x, last]) * series.scale + series.offset
