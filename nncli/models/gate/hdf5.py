"""HDF5 files of weights: groups and arrays of numbers, each reached by one hard link.

HDF5 can do more: point into other files, let an array be computed by a plug-in, promise numbers
that are nowhere. Weights need none of it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t

from nncli.errors import ModelError

MOST_OBJECTS = 50_000
"""Groups and arrays; a network of a thousand layers with its optimizer has a fifth of it."""
MOST_ATTRIBUTES = 64
MOST_ATTRIBUTE_BYTES = 1_000_000
BLOCK_BYTES = 4_000_000
"""Of numbers that are looked at together."""
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BFLOAT16 = 0x7F80
"""The bits of an exponent of such a number; all of them are set where it is not finite."""


@dataclass(frozen=True)
class _Numbers:
    """An array whose place in the file is known."""

    name: str
    dtype: Any
    """A NumPy type; None for bfloat16, which NumPy does not have."""
    begin: int
    """Bytes before it in the HDF5 file; -1 where it lies within its own header."""
    size: int
    """Bytes."""
    raw: bytes = b""


def check_hdf5(stream: BinaryIO, path: Path, begin: int, length: int) -> int:
    """Refuse what weights do not need.

    Args:
        stream: the file that holds the HDF5 file.
        path: its name, for errors.
        begin: bytes before the HDF5 file in it.
        length: bytes of the HDF5 file.

    Returns:
        Bytes of all arrays.

    Raises:
        ModelError: with what is wrong, and at which array or group.
    """
    part = _Part(stream, begin, length)
    signature = part.read(len(_SIGNATURE))
    if signature != _SIGNATURE:
        told = signature.hex(" ") or "nothing"
        raise _refused(path, f"are not HDF5: they begin with {told}", "copy or download it again")
    total = 0
    # what is damaged makes h5py raise nearly anything
    try:
        with h5py.File(part, "r") as file:
            for numbers in _arrays(file.id, path):
                total += numbers.size
                if total > length or numbers.begin + numbers.size > length:
                    raise _refused(path, f"promise {numbers.name} and it is not all there")
                _check_finite(part, numbers, path)
    except ModelError:
        raise
    except (OSError, RuntimeError, ValueError, TypeError, LookupError, MemoryError) as error:
        reason = str(error).partition("(")[0].strip() or type(error).__name__
        raise _refused(path, f"are damaged: {reason[:100]}", "copy or download it again") from error
    return total


def _refused(path: Path, why: str, hint: str = "") -> ModelError:
    return ModelError(
        f"the weights in {path} {why}",
        hint=hint or "save them again with Keras 3; do not use a file whose origin you do not know",
    )


class _Part(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, stream: BinaryIO, begin: int, length: int) -> None:
        super().__init__()
        self._stream, self._begin, self._length = stream, begin, length
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        view = view[: max(0, self._length - self._at)]
        self._stream.seek(self._begin + self._at)
        count = self._stream.readinto(view)  # type: ignore[attr-defined]
        self._at += count
        return int(count)


def _arrays(root: Any, path: Path) -> Iterator[_Numbers]:
    """All arrays, after a look at every group on the way."""
    todo, seen = [("", h5g.open(root, b"/"))], {h5o.get_info(root).addr}
    while todo:
        above, group = todo.pop()
        _check_attributes(group, above or "/", path)
        if len(seen) + len(group) > MOST_OBJECTS:
            raise _refused(path, f"hold more than {MOST_OBJECTS:,} arrays and groups")
        for each in group:
            name = f"{above}/{each.decode(errors='replace')[:60]}"
            if group.links.get_info(each).type != h5l.TYPE_HARD:
                raise _refused(path, f"hold a link at {name} that points elsewhere")
            found = h5o.open(group, each)
            address = h5o.get_info(found).addr
            if address in seen:
                raise _refused(path, f"hold {name} in two places")
            seen.add(address)
            if isinstance(found, h5g.GroupID):
                todo.append((name, found))
            elif isinstance(found, h5d.DatasetID):
                _check_attributes(found, name, path)
                yield _numbers(found, name, path)
            else:
                raise _refused(path, f"hold {name}, which is neither an array nor a group")


def _numbers(found: Any, name: str, path: Path) -> _Numbers:
    """Where the numbers of an array are."""
    plan, space = found.get_create_plist(), found.get_space()
    if plan.get_nfilters() or plan.get_external_count():
        raise _refused(path, f"have {name} compressed, or in another file")
    if space.get_simple_extent_type() == h5s.NULL:
        raise _refused(path, f"have nothing in {name}")
    dtype = _type_of(found, name, path)
    width = found.get_type().get_size()
    size = prod(space.get_simple_extent_dims()) * width
    layout = plan.get_layout()
    if layout == h5d.COMPACT:
        raw = np.empty(space.get_simple_extent_dims(), f"V{width}")
        if found.get_storage_size() != size:
            raise _refused(path, f"promise {name} and it is not all there")
        found.read(h5s.ALL, h5s.ALL, raw, found.get_type())
        return _Numbers(name, dtype, -1, size, raw.tobytes())
    if layout != h5d.CONTIGUOUS:
        raise _refused(path, f"have {name} in pieces, not in a row")
    begin = found.get_offset()
    if size and begin is None:
        raise _refused(path, f"promise {size:,} bytes of {name} and hold none of them")
    return _Numbers(name, dtype, begin or 0, size)


def _type_of(found: Any, name: str, path: Path) -> Any:
    stored = found.get_type()
    kind, size = stored.get_class(), stored.get_size()
    if kind == h5t.OPAQUE and size == 2 and h5a.exists(found, b"dtype"):
        return None
    if kind in {h5t.INTEGER, h5t.FLOAT, h5t.ENUM} and size in {1, 2, 4, 8}:
        dtype = stored.dtype
        if dtype.kind in "biuf" and dtype.itemsize == size:
            return dtype
    raise _refused(path, f"have {name} of another type than numbers")


def _check_attributes(found: Any, name: str, path: Path) -> None:
    """Names of layers and weights; a text of its own length only alone."""
    count = h5a.get_num_attrs(found)
    if count > MOST_ATTRIBUTES:
        raise _refused(path, f"have {count:,} notes at {name}")
    for index in range(count):
        note = h5a.open(found, index=index)
        stored = note.get_type()
        kind = stored.get_class()
        alone = not prod(note.get_space().get_simple_extent_dims() or (1,)) > 1
        if (
            kind not in {h5t.STRING, h5t.INTEGER, h5t.FLOAT}
            or (kind == h5t.STRING and stored.is_variable_str() and not alone)
            or note.get_storage_size() > MOST_ATTRIBUTE_BYTES
        ):
            raise _refused(path, f"have a note at {name} that Keras does not write")


def _check_finite(part: _Part, numbers: _Numbers, path: Path) -> None:
    if numbers.dtype is not None and numbers.dtype.kind != "f":
        return
    part.seek(max(0, numbers.begin))
    for begin in range(0, numbers.size, BLOCK_BYTES):
        length = min(BLOCK_BYTES, numbers.size - begin)
        raw = numbers.raw[begin : begin + length] if numbers.begin < 0 else part.read(length)
        if numbers.dtype is None:
            fine = (np.frombuffer(raw, "<u2") & _BFLOAT16) != _BFLOAT16
        else:
            fine = np.isfinite(np.frombuffer(raw, numbers.dtype))
        if len(raw) < length or not fine.all():
            raise _refused(
                path,
                f"are not all finite numbers: {numbers.name}",
                "take the weights of an earlier epoch",
            )
