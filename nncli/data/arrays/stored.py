"""Arrays in files: what the header promises is held against what is there, before it is read.

Nothing is unpickled, nothing is mapped into memory (a file that another program cuts short
would then end the process), and rows are read one by one where they are too many for memory.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from nncli.data.samples import BLOCK_BYTES, Samples
from nncli.errors import DataError, NncliError
from nncli.lazy import NDArray, np
from nncli.results import Array

NUMBERS = "biuf"
"""The kinds of NumPy's types that are numbers."""
TEXTS = "US"
"""Those that are texts."""
_NAMES = {"O": "Python objects (a pickle)", "c": "complex numbers", "V": "records"}


@dataclass(frozen=True)
class StoredArray:
    """An array whose header was read and whose numbers were not."""

    place: str
    """The file, and in an archive the name in it: for errors."""
    shape: tuple[int, ...]
    dtype: Any
    """A NumPy type, in the byte order of the file."""
    open: Callable[[], BinaryIO]
    """A stream that stands at the first number; unpacked where the file is packed."""
    path: Path | None = None
    """The file that holds the numbers as they are; None where they are packed."""
    offset: int = 0
    """Bytes in it before the first number."""
    columns_first: bool = False
    """Whether the numbers run along the first dimension (Fortran's order)."""
    checksummed: bool = False
    """Whether `open` finds a wrong byte, at its end."""

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 1

    @property
    def size(self) -> int:
        """Bytes of all numbers."""
        return prod(self.shape) * int(self.dtype.itemsize)

    def load(self) -> Array:
        """All of it, in memory and in this machine's byte order.

        Raises:
            DataError: fewer or more bytes than the header promises, or a damaged archive.
        """
        flat: Array = np.empty(prod(self.shape), dtype=self.dtype)
        view = memoryview(flat.view(np.uint8).data) if self.size else memoryview(bytearray())
        with reading(self.place), self.open() as stream:
            filled = 0
            while filled < len(view):
                taken = stream.readinto(view[filled : filled + BLOCK_BYTES])  # type: ignore[attr-defined]
                if not taken:
                    raise cut_short(self.place, filled, self.size)
                filled += taken
            if stream.read(1):
                raise DataError(
                    f"{self.place} holds more than the {self.size:,} bytes of its "
                    f"{_shape(self.shape)} numbers",
                    hint="write the file anew",
                )
        array: Array = flat.reshape(self.shape[::-1] if self.columns_first else self.shape)
        if self.columns_first:
            array = np.ascontiguousarray(array.T)
        return array.astype(self.dtype.newbyteorder("="), copy=False)

    def rows(self) -> Samples:
        """The same, left on the disk; a packed array is unpacked into a temporary file.

        Raises:
            DataError: a damaged archive, no room to unpack it, or an order of numbers in which
                a sample does not lie in one piece.
        """
        if self.columns_first:
            raise DataError(
                f"{self.place} holds its numbers column by column, so a sample cannot be read "
                "by itself",
                hint="save it with numpy.ascontiguousarray, or raise data.memory_limit",
            )
        if self.path is None:
            with reading(self.place), self.open() as stream:
                return FileRows(self.place, unpacked(self, stream), 0, self.shape, self.dtype)
        if self.checksummed:
            with reading(self.place), self.open() as stream:
                while stream.read(BLOCK_BYTES):
                    pass
        descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        there = os.fstat(descriptor).st_size - self.offset
        if there < self.size:
            os.close(descriptor)
            raise cut_short(self.place, there, self.size)
        return FileRows(self.place, descriptor, self.offset, self.shape, self.dtype)


class FileRows(Samples):
    """Samples that lie one after the other in an open file."""

    def __init__(
        self, place: str, descriptor: int, offset: int, shape: tuple[int, ...], dtype: Any
    ) -> None:
        """Takes over the open file.

        Args:
            place: the file's name, for errors.
            descriptor: of the file, closed with this object.
            offset: bytes before the first sample.
            shape: (samples, …).
            dtype: of the numbers in the file.
        """
        super().__init__(shape, np.dtype(dtype).newbyteorder("="))
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self.place, self.offset, self.stored = place, offset, np.dtype(dtype)
        self.sample_bytes = prod(shape[1:]) * self.stored.itemsize

    def read(self, rows: NDArray[np.intp]) -> Array:
        """(len(rows), …)

        Raises:
            DataError: the file is shorter than it was.
        """
        buffer = np.empty((len(rows), self.sample_bytes), dtype=np.uint8)
        for begin, end in _runs(rows) if len(rows) else ():
            self._fill(buffer[begin:end], int(rows[begin]))
        numbers: Array = buffer.view(self.stored).reshape(len(rows), *self.shape[1:])
        return numbers.astype(self.dtype, copy=False)

    def _fill(self, target: NDArray[np.uint8], first: int) -> None:
        view = memoryview(target.reshape(-1).data)
        begin, filled = self.offset + first * self.sample_bytes, 0
        while filled < len(view):
            taken = self._read_at(view[filled:], begin + filled)
            if taken == 0:
                raise DataError(
                    f"{self.place} ends before sample {first + 1}: it was changed during the run",
                    hint="leave the file alone and run again",
                )
            filled += taken

    def _read_at(self, view: memoryview, place: int) -> int:
        """Fill what can be of `view` from a place in the file, from any thread."""
        if hasattr(os, "preadv"):
            return os.preadv(self._descriptor, [view], place)
        with self._lock:  # a system without it moves one place for all threads
            os.lseek(self._descriptor, place, os.SEEK_SET)
            data = os.read(self._descriptor, len(view))
        view[: len(data)] = data
        return len(data)

    def __del__(self) -> None:
        with suppress(OSError, AttributeError):
            os.close(self._descriptor)


def _runs(rows: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Places in `rows` between which they follow on each other: one reading for each."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    return list(zip([0, *breaks.tolist()], [*breaks.tolist(), len(rows)], strict=True))


class RowWriter:
    """Samples that are computed once and do not fit in memory: a temporary file without a name."""

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        """Nothing is written yet.

        Args:
            shape: (samples, …) of all that will be added.
            dtype: of the numbers.
        """
        import tempfile

        self.shape, self.dtype = shape, np.dtype(dtype)
        size = prod(shape) * self.dtype.itemsize
        check_room(f"the {shape[0]:,} samples to keep", size)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as its rows

    def add(self, samples: Array) -> None:
        """Append samples: (some, …)."""
        self._file.write(np.ascontiguousarray(samples, dtype=self.dtype).data)

    def rows(self) -> FileRows:
        """All that was added."""
        self._file.flush()
        descriptor = os.dup(self._file.fileno())
        self._file.close()
        return FileRows("a temporary file", descriptor, 0, self.shape, self.dtype)


def check_room(what: str, size: int) -> None:
    """Refuse to fill up the folder for temporary files.

    Raises:
        DataError: it has less room than that.
    """
    import shutil
    import tempfile

    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < size:
        raise DataError(
            f"{what} take {size / 1e6:,.0f} MB unpacked, but {folder} has {free / 1e6:,.0f} MB",
            hint="set TMPDIR to a folder with more room",
        )


def unpacked(array: StoredArray, stream: BinaryIO) -> int:
    """The numbers of a packed array in a temporary file without a name: its descriptor."""
    import tempfile

    check_room(array.place, array.size)
    with tempfile.TemporaryFile() as file:
        filled = 0
        while block := stream.read(BLOCK_BYTES):
            file.write(block)
            filled += len(block)
            if filled > array.size:
                break
        if filled != array.size:
            raise cut_short(array.place, filled, array.size)
        file.flush()
        return os.dup(file.fileno())


class reading:  # noqa: N801 - used as `with reading(place):`
    """Whatever goes wrong inside is the file's fault, and the error names it.

    Raises:
        DataError: the file is missing, is not readable or is damaged.
    """

    def __init__(self, place: str | Path) -> None:
        self.place = place

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Explain."""
        if not isinstance(error, Exception) or isinstance(error, (NncliError, MemoryError)):
            return
        if isinstance(error, FileNotFoundError):
            raise DataError(f"{self.place} does not exist", hint="check data.path") from None
        if isinstance(error, IsADirectoryError):
            raise DataError(f"{self.place} is a folder", hint="set data.path to a file") from None
        if isinstance(error, PermissionError):
            raise DataError(
                f"{self.place} cannot be read: you have no permission", hint="change its rights"
            ) from None
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(  # damaged bytes raise nearly anything out of a decoder
            f"{self.place} cannot be read: {reason}",
            hint="it is damaged or incomplete: copy or download it again",
        ) from error


def check_regular(path: Path) -> None:
    """Refuse what is no file: a pipe would keep its reader waiting, and a device never ends.

    Raises:
        DataError: it is something else, or not there.
    """
    with reading(path):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
    if not stat.S_ISREG(mode):
        raise DataError(f"{path} is a pipe or a device", hint="set data.path to a file")


def cut_short(place: str, there: int, promised: int) -> DataError:
    """The error for a file with fewer bytes than its header says."""
    return DataError(
        f"{place} is cut short: {there:,} of {promised:,} bytes",
        hint="it is damaged or incomplete: copy or download it again",
    )


def check_kind(place: str, dtype: Any, kinds: str, wanted: str) -> None:
    """Refuse an array of anything else.

    Raises:
        DataError: naming what it holds.
    """
    if dtype.kind in kinds and dtype.itemsize > 0:
        return
    held = _NAMES.get(dtype.kind, f"{dtype}") if dtype.itemsize else "texts of no length"
    raise DataError(
        f"{place} holds {held}, not {wanted}",
        hint="nothing is unpickled: save it as an array of numbers"
        if dtype.kind == "O"
        else f"convert it to {wanted} and save it again",
    )


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{side:,}" for side in shape) or "1"
