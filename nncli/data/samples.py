"""Inputs that stay on the disk: they look like an array and are read a batch at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from nncli.lazy import NDArray, np
from nncli.results import Array

BLOCK_BYTES = 32_000_000
"""How much is read at once where all samples are gone through."""


class Samples(ABC):
    """Inputs of which only those that are asked for are in memory.

    `samples[rows]` reads: rows is a slice or an array of indices, the answer is in their order.
    Reading the same rows gives the same numbers, from any thread.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape = shape
        """(samples, …), as of an array."""
        self.dtype = np.dtype(dtype)

    @abstractmethod
    def read(self, rows: NDArray[np.intp]) -> Array:
        """The inputs at `rows`, in that order: (len(rows), …).

        Raises:
            DataError: a file that is gone, or not what it was.
        """

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """Dimensions, that of the samples included."""
        return len(self.shape)

    def __getitem__(self, rows: slice | Array) -> Array:
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        rows = np.asarray(rows)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        rows = rows.astype(np.intp, copy=False)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)}")
        return self.read(rows)

    def take(self, rows: NDArray[np.intp]) -> Samples:
        """The samples at `rows`, in that order, still on the disk."""
        return _Taken(self, rows)

    def converted(self, convert: Callable[[Array], Array]) -> Samples:
        """The samples as `convert` makes them of (any number, …), each by itself."""
        return Converted(self, convert)


class _Taken(Samples):
    def __init__(self, samples: Samples, rows: NDArray[np.intp]) -> None:
        super().__init__((len(rows), *samples.shape[1:]), samples.dtype)
        self.samples, self.rows = samples, rows

    def read(self, rows: NDArray[np.intp]) -> Array:
        return self.samples.read(self.rows[rows])


class Converted(Samples):
    """Samples with something done to them when they are read."""

    def __init__(self, samples: Samples, convert: Callable[[Array], Array]) -> None:
        one = convert(np.zeros((1, *samples.shape[1:]), dtype=samples.dtype))
        super().__init__((len(samples), *one.shape[1:]), one.dtype)
        self.samples, self.convert = samples, convert

    def read(self, rows: NDArray[np.intp]) -> Array:
        """(len(rows), …), as `convert` makes them."""
        return self.convert(self.samples.read(rows))


class Divided:
    """Bytes in memory that are asked for as fractions: a quarter of the room that those take.

    It looks like the array of fractions; whoever can divides a batch at a time by himself.
    """

    def __init__(self, whole: Array, divisor: float) -> None:
        """Keep the bytes.

        Args:
            whole: (samples, …) uint8.
            divisor: what each of them is divided by.
        """
        self.whole, self.divisor = whole, divisor
        self.shape, self.ndim, self.dtype = whole.shape, whole.ndim, np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self.whole)

    def __getitem__(self, rows: Any) -> Array:
        return np.asarray(np.divide(self.whole[rows], np.float32(self.divisor), dtype=np.float32))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self[:], dtype)

    def take(self, rows: NDArray[np.intp]) -> Divided:
        """The samples at `rows`, in that order, still as bytes."""
        return Divided(self.whole[rows], self.divisor)


Inputs: TypeAlias = "Array | Divided | Samples"
"""All that stands for an array of samples."""


def converted(x: Array | Samples, convert: Callable[[Array], Array]) -> Array | Samples:
    """`convert` of all samples: now where they are in memory, else when they are read."""
    return x.converted(convert) if isinstance(x, Samples) else convert(x)


def prepared(x: Inputs, convert: Callable[[Array], Array]) -> Inputs:
    """`convert` of all samples; bytes in memory that it only divides stay bytes."""
    if isinstance(x, Divided):
        x = x[:]
    divisor = divisor_of(convert)
    if divisor is not None and not isinstance(x, Samples) and x.dtype == np.uint8:
        return Divided(x, divisor)
    return converted(x, convert)


def divisor_of(convert: Callable[[Array], Array]) -> float | None:
    """What a conversion divides by to give float32, where it does nothing else and says so."""
    divisor: float | None = getattr(convert, "divisor", None)
    return divisor


def blocks(x: Inputs) -> Iterator[Array]:
    """All samples in their order, at most about 32 MB of 32-bit numbers at a time."""
    if len(x) == 0:
        return
    numbers = int(np.prod(x.shape[1:], dtype=np.int64))
    size = max(1, BLOCK_BYTES // max(1, numbers * max(4, x.dtype.itemsize)))
    for begin in range(0, len(x), size):
        yield x[begin : begin + size]


def bytes_of(x: Inputs) -> int:
    """What the samples take, or would take, in memory."""
    return int(np.prod(x.shape, dtype=np.int64)) * x.dtype.itemsize
