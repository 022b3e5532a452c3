"""NumPy's `.npy` format, and `.npz`, a zip archive of such files."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, cast

from nncli.data.arrays.stored import StoredArray, check_regular, cut_short, reading
from nncli.errors import DataError
from nncli.lazy import np

LARGEST_HEADER = 65_536
"""Bytes; an honest header has about 100."""
MOST_PACKED, UNSUSPICIOUS = 100, 256_000_000
"""How many times larger than in the archive an array may be, and what it may take anyway."""
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a file in a zip archive: its last two fields


def open_npy(path: Path) -> StoredArray:
    """The array of a `.npy` file.

    Raises:
        DataError: not such a file, a pickle, or fewer bytes than its header promises.
    """
    place = str(path)
    check_regular(path)
    with reading(place), path.open("rb") as file:
        shape, columns_first, dtype = _header(place, file)
        offset = file.tell()
        there = path.stat().st_size - offset
    promised = prod(shape) * dtype.itemsize
    if not dtype.hasobject and there != promised:
        raise cut_short(place, there, promised)

    def at_numbers() -> BinaryIO:
        file = path.open("rb", buffering=0)
        file.seek(offset)
        return cast(BinaryIO, file)

    return StoredArray(place, shape, dtype, at_numbers, path, offset, columns_first)


def open_npz(path: Path) -> dict[str, StoredArray]:
    """The arrays of a `.npz` archive, by name.

    Raises:
        DataError: not such a file, damaged, or a few bytes that claim to be gigabytes.
    """
    arrays = {}
    check_regular(path)
    with reading(path), zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name == member.filename:
                continue  # something else lies in the archive
            arrays[name] = _member(path, archive, member, name)
    if not arrays:
        raise DataError(f"{path} holds no arrays", hint="write it with numpy.savez")
    return arrays


def _member(
    path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str
) -> StoredArray:
    place = f"{path} [{name}]"
    with reading(place), archive.open(member) as stream:
        shape, columns_first, dtype = _header(place, cast(BinaryIO, stream))
        header = stream.tell()
    promised = prod(shape) * dtype.itemsize
    if not dtype.hasobject and member.file_size - header != promised:
        raise cut_short(place, member.file_size - header, promised)
    packed = max(1, member.compress_size)
    if promised > UNSUSPICIOUS and promised > MOST_PACKED * packed:
        raise DataError(
            f"{place} unpacks {packed:,} bytes to {promised:,}: refused",
            hint="if it is honest, save it with numpy.savez, not savez_compressed",
        )

    def at_numbers() -> BinaryIO:
        with zipfile.ZipFile(path) as opened:
            stream = opened.open(member)
        stream.read(header)
        return cast(BinaryIO, stream)

    plain = member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1
    if not plain:
        return StoredArray(place, shape, dtype, at_numbers, columns_first=columns_first)
    with reading(place), path.open("rb") as file:
        file.seek(member.header_offset)
        lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    offset = member.header_offset + _LOCAL_HEADER.size + sum(lengths) + header
    return StoredArray(
        place, shape, dtype, at_numbers, path, offset, columns_first, checksummed=True
    )


def _header(place: str, stream: BinaryIO) -> tuple[tuple[int, ...], bool, Any]:
    """Shape, whether columns come first, and type: what stands before the numbers."""
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(cast(Any, stream))
    except ValueError as error:
        raise DataError(
            f"{place} is not a .npy file", hint="write it with numpy.save or numpy.savez"
        ) from error
    wide = version >= (2, 0)
    raw = stream.read(4 if wide else 2)
    length = int.from_bytes(raw, "little")
    if length > LARGEST_HEADER:
        raise DataError(f"{place} has a header of {length:,} bytes: refused", hint="save it anew")
    text = io.BytesIO(raw + stream.read(length))
    reader = npy.read_array_header_1_0 if not wide else npy.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a header that Python 2 wrote
            shape, columns_first, dtype = reader(cast(Any, text), max_header_size=LARGEST_HEADER)
    # it is read as Python's source: damaged, that raises nearly anything
    except Exception as error:
        reason = str(error).partition("\n")[0][:80] or type(error).__name__
        raise DataError(
            f"{place} has a damaged header: {reason}", hint="copy or download it again"
        ) from error
    if any(side < 0 for side in shape):
        raise DataError(f"{place} has a damaged header: a shape of {shape}", hint="save it anew")
    return shape, columns_first and len(shape) > 1, np.dtype(dtype)
