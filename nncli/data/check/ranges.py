"""The range of the numbers of a part, found in one pass that keeps little in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nncli.data.samples import Inputs, blocks
from nncli.lazy import NDArray, np
from nncli.results import Array

_AT_ONCE = 1_000_000
"""Numbers that are worked on at a time: a block from the disk is several times as many."""


@dataclass(frozen=True)
class Ranges:
    """What the numbers of a part are, without the steps that fill up shorter sequences."""

    low: NDArray[np.float64]
    """(features,) the smallest of each feature or channel."""
    high: NDArray[np.float64]
    """(features,) the largest."""
    mean: NDArray[np.float64]
    """(features,) over all samples and steps, or pixels."""
    deviation: NDArray[np.float64]
    """(features,) the standard deviation."""
    spread: NDArray[np.float32]
    """(samples,) how far the numbers of one sample lie apart in the feature that changes most."""
    lengths: NDArray[np.int64]
    """(samples,) steps of each sequence; empty for what is none."""
    broken: NDArray[np.int64]
    """Rows of samples that hold a number that is not finite."""

    @property
    def overall(self) -> tuple[float, float, float, float]:
        """Minimum, maximum, mean and standard deviation over all features together."""
        low, high, mean = self.low.min(), self.high.max(), self.mean.mean()
        deviation = np.sqrt((self.deviation**2 + (self.mean - mean) ** 2).mean())
        low, high, mean = rounded(np.array([low, high, mean]))
        return float(low), float(high), float(mean), float(deviation)


def measure(x: Inputs, padding: float | None = None) -> Ranges:
    """Go through all samples once, also where they are on the disk.

    Args:
        x: (samples, …, features or channels).
        padding: the value of the steps that fill up shorter sequences.

    Raises:
        DataError: samples on the disk that are gone or damaged.

    Source: T. Chan, G. Golub, R. LeVeque, Technical Report 222, Yale 1979, for the deviation.
    """
    features = x.shape[-1]
    low, high = np.full(features, np.inf), np.full(features, -np.inf)
    mean, squares, count = np.zeros(features), np.zeros(features), 0
    spread = np.zeros(len(x), dtype=np.float32)
    lengths = np.zeros(len(x) if len(x.shape) == 3 else 0, dtype=np.int64)
    broken: list[int] = []
    begin = 0
    for piece in _pieces(x):
        samples = len(piece)
        rows = slice(begin, begin + samples)
        # few features side by side would be gone through one by one: (samples, features, steps)
        values = np.ascontiguousarray(np.moveaxis(piece.reshape(samples, -1, features), -1, 1))
        real = np.ones((samples, values.shape[-1]), dtype=bool)
        if padding is not None:
            real = ~(values == padding).all(axis=1)
        if len(lengths):
            lengths[rows] = real.sum(axis=1)
        if values.dtype.kind == "f":
            finite = np.isfinite(values).all(axis=1)
            broken += (begin + np.flatnonzero((real & ~finite).any(axis=1))).tolist()
            real &= finite
        begin += samples
        own_count = int(real.sum())
        if own_count == 0:
            continue
        where = True if own_count == real.size else real[:, None, :]
        lowest = values.min(axis=-1, where=where, initial=_highest(values))  # (samples, features)
        highest = values.max(axis=-1, where=where, initial=_lowest(values))
        apart = np.asarray(highest, dtype=np.float32) - np.asarray(lowest, dtype=np.float32)
        spread[rows] = np.maximum(apart.max(axis=-1), 0)
        np.minimum(low, lowest.min(axis=0), out=low)
        np.maximum(high, highest.max(axis=0), out=high)
        exact = values.astype(np.float64)
        both = count + own_count
        with np.errstate(over="ignore", invalid="ignore"):
            own = exact.sum(axis=(0, 2), where=where) / own_count
            squares += ((exact - own[:, None]) ** 2).sum(axis=(0, 2), where=where)
            squares += (own - mean) ** 2 * count * own_count / both
            mean += (own - mean) * own_count / both
        count = both
    if count == 0:
        low = high = mean
    deviation = np.sqrt(squares / max(count, 1))
    return Ranges(low, high, mean, deviation, spread, lengths, np.array(broken, dtype=np.int64))


def rounded(values: Array) -> NDArray[np.float64]:
    """Without what float32, with its seven digits, has left of them below the largest."""
    values = np.asarray(values, dtype=np.float64)
    largest = float(np.abs(values).max(initial=0))
    if largest == 0 or not np.isfinite(largest):
        return values
    return values.round(5 - int(np.floor(np.log10(largest))))


def limits(x: Array, padding: float | None = None) -> tuple[Array, Array]:
    """The smallest and the largest number of each feature, of samples in memory.

    Args:
        x: (samples, …, features or channels).
        padding: the value of the steps that fill up shorter sequences.
    """
    if padding is not None:
        real = ~(x == padding).all(axis=-1)
        x = x[real]
    # a feature at a time: NumPy goes through few of them side by side one by one
    ends = [(x[..., i].min(), x[..., i].max()) for i in range(x.shape[-1])]
    low, high = np.array(ends, dtype=np.float64).T
    return low, high


def _pieces(x: Inputs) -> Iterator[Array]:
    for block in blocks(x):
        rows = max(1, _AT_ONCE // max(1, block[0].size))
        for begin in range(0, len(block), rows):
            yield block[begin : begin + rows]


def _lowest(x: Array) -> float:
    return -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min


def _highest(x: Array) -> float:
    return np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).max
