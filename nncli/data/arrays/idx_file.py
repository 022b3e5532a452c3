"""The idx format of MNIST and its successors, plain or packed with gzip.

Two zero bytes, the type, the number of dimensions, then each dimension as four bytes, the
highest first, then the numbers, the highest byte first.

Source: Y. LeCun, C. Cortes, C. Burges, the MNIST database.
"""

from __future__ import annotations

import gzip
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

from nncli.data.arrays.stored import StoredArray, check_regular, cut_short, reading
from nncli.errors import DataError
from nncli.lazy import np

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP = b"\x1f\x8b"
MOST_DIMENSIONS = 8
MOST_PACKED = 1_100
"""gzip makes nothing smaller than a thousandth: a larger promise is not kept."""


def open_idx(path: Path) -> StoredArray:
    """The array of an idx file, packed or not: its first bytes tell, whatever its name.

    Raises:
        DataError: not such a file, or fewer bytes than its header promises.
    """
    place = str(path)
    check_regular(path)
    with reading(place), path.open("rb") as file:
        packed = file.read(2) == GZIP

    def opened() -> BinaryIO:
        return cast(BinaryIO, gzip.open(path) if packed else path.open("rb"))

    with reading(place), opened() as stream:
        start = stream.read(4)
        known = len(start) == 4 and start[:2] == b"\0\0" and start[2] in _TYPES
        if not known or not 1 <= start[3] <= MOST_DIMENSIONS:
            raise DataError(
                f"{place} is not an idx file: it begins with {start.hex(' ') or 'nothing'}",
                hint="its first bytes are 00 00, the type and the number of dimensions",
            )
        dimensions = start[3]
        sides = stream.read(4 * dimensions)
        if len(sides) < 4 * dimensions:
            raise cut_short(place, 4 + len(sides), 4 + 4 * dimensions)
    shape = tuple(int(side) for side in np.frombuffer(sides, dtype=">u4"))
    dtype = np.dtype(_TYPES[start[2]])
    offset = 4 + 4 * dimensions
    size, there = prod(shape) * dtype.itemsize, path.stat().st_size
    if packed and size > there * MOST_PACKED:
        raise DataError(
            f"{place} promises {size:,} bytes in a file of {there:,}",
            hint="it is damaged or incomplete: copy or download it again",
        )
    if not packed and there != offset + size:
        raise cut_short(place, there, offset + size)

    def at_numbers() -> BinaryIO:
        stream = opened()
        stream.read(offset)
        return stream

    return StoredArray(place, shape, dtype, at_numbers, None if packed else path, offset)
