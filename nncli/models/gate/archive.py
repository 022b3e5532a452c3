"""The archive of a `.keras` file: three members, stored, one behind the other."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

from nncli.errors import ModelError

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LARGEST = {CONFIG: 8_000_000, METADATA: 10_000}
"""Bytes; a network of a thousand layers has a config of one and a half million."""
MOST_DIRECTORY = 1_000
"""Bytes of the archive's own table of its three members."""

_END = struct.Struct("<4s4H2LH")  # what a zip archive ends with, if it has no comment
_LOCAL = struct.Struct("<4s22xHH")  # what stands before a member
_WIDE = b"PK\x06\x07"  # an archive that has its true end elsewhere


def members(stream: BinaryIO, path: Path) -> tuple[bytes, tuple[int, int]]:
    """The config, and where in the file the weights begin and how many bytes they are.

    Raises:
        ModelError: another archive than Keras 3 writes.
    """
    _check_end(stream, path)
    try:
        with zipfile.ZipFile(stream) as archive:
            found = archive.infolist()
            _check_members(found, path)
            by_name = {member.filename: member for member in found}
            config = archive.read(CONFIG)
        return config, _place(stream, by_name[WEIGHTS], path)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _other(path, str(error)) from error


def metadata(stream: BinaryIO, path: Path) -> None:
    """Refuse what another version than Keras 3 wrote.

    Raises:
        ModelError: it does not say that Keras 3 wrote it.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            told = json.loads(archive.read(METADATA))
        version = told["keras_version"]
    except (ValueError, LookupError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        raise _other(path, f"its {METADATA} is damaged") from error
    if not isinstance(version, str) or not version.startswith("3."):
        raise _other(path, f"it is of Keras {str(version)[:20]}")


def _other(path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path} is not a .keras file as Keras 3 writes it: {why}",
        hint="save it again with Keras 3: model.save('model.keras')",
    )


def _check_end(stream: BinaryIO, path: Path) -> None:
    """Look at the end by ourselves: a table of a million members would take a gigabyte to read."""
    size = stream.seek(0, 2)
    if size < _END.size:
        raise _other(path, f"it has {size} bytes")
    stream.seek(size - _END.size)
    mark, _, _, here, count, length, begin, comment = _END.unpack(stream.read(_END.size))
    if mark != b"PK\x05\x06" or comment:
        stream.seek(0)
        raise _other(path, f"it begins with {stream.read(4).hex(' ')}, or is cut short")
    if not here == count == len((CONFIG, METADATA, WEIGHTS)):
        raise _other(path, f"it has {count:,} members, not 3")
    if length > MOST_DIRECTORY or begin + length + _END.size != size:
        raise _other(path, "its table of members is not where it should be")
    stream.seek(begin)
    if _WIDE in stream.read(length):
        raise _other(path, "it has two ends")


def _check_members(found: list[zipfile.ZipInfo], path: Path) -> None:
    names = sorted(member.filename for member in found)
    if names != sorted((CONFIG, METADATA, WEIGHTS)):
        told = ", ".join(repr(name[:40]) for name in names)
        raise _other(path, f"its members are {told}")
    end = 0
    for member in sorted(found, key=lambda member: member.header_offset):
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise _other(path, f"{member.filename} is compressed or encrypted")
        if member.file_size != member.compress_size or member.header_offset < end:
            raise _other(path, f"{member.filename} is not as large as it says")
        if member.file_size > LARGEST.get(member.filename, member.file_size):
            most = LARGEST[member.filename]
            raise _other(
                path, f"{member.filename} has {member.file_size:,} bytes, at most {most:,}"
            )
        end = member.header_offset + _LOCAL.size + member.file_size


def _place(stream: BinaryIO, member: zipfile.ZipInfo, path: Path) -> tuple[int, int]:
    """Where the bytes of a stored member lie: behind a header, a name and what else is there."""
    stream.seek(member.header_offset)
    mark, *lengths = _LOCAL.unpack(stream.read(_LOCAL.size))
    begin = member.header_offset + _LOCAL.size + sum(lengths)
    if mark != b"PK\x03\x04" or begin + member.file_size > stream.seek(0, 2):
        raise _other(path, f"{member.filename} is not all there")
    return begin, member.file_size
