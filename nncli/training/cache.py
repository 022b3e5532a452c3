"""Arrays that took long to compute, kept on the disk for the next run.

Each is a file of its own, named by the key of what its numbers were made from: one line that says
what the file holds, then the numbers. It is taken only where the line, the size and the SHA-256
of the numbers are right, so what was damaged or cut short never becomes wrong numbers.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from contextlib import suppress
from math import prod
from pathlib import Path

import numpy as np

from nncli.data.arrays.stored import FileRows
from nncli.data.samples import Samples, blocks
from nncli.errors import DataError, DiskError, RunError
from nncli.files import whole_file
from nncli.results import Array

MOST_BYTES = 2_000_000_000
"""What all files of a folder may take together."""
SHARE_OF_FREE = 0.5
"""Of the disk that would be free without them, so much at most."""
FORMAT = "nncli array 1"
DTYPE = "<f4"
LINE = 512
"""Bytes of the first line, filled up with spaces."""
ENDING = ".array"


class CacheError(Exception):
    """An array that cannot be kept, or a kept one that cannot be used: which, and why."""


def cache_folder() -> Path:
    """Where nncli keeps what it can compute again.

    `$NNCLI_CACHE`, else the folder `nncli` where the system has such things: in
    `$XDG_CACHE_HOME` or `~/.cache`, on macOS `~/Library/Caches`, on Windows `%LOCALAPPDATA%`.
    """
    own = os.environ.get("NNCLI_CACHE")
    if own:
        return Path(os.path.expanduser(own)).absolute()  # noqa: PTH111 - it fails without a home
    usual, variable = "~/.cache", "XDG_CACHE_HOME"
    if sys.platform == "darwin":
        usual, variable = "~/Library/Caches", ""
    elif sys.platform == "win32":
        usual, variable = "~/AppData/Local", "LOCALAPPDATA"
    given = os.environ.get(variable, "")
    # a relative one is to be ignored, says the XDG specification
    chosen = given if os.path.isabs(given) else os.path.expanduser(usual)  # noqa: PTH111, PTH117
    return Path(chosen).absolute() / "nncli"


def take(
    folder: Path, key: str, shape: tuple[int, ...], *, on_disk: bool
) -> Array | Samples | None:
    """The kept array of this key, looked through to its last byte; None where there is none.

    Args:
        folder: of all arrays.
        key: as `keep` was given it.
        shape: (samples, …) that it must have.
        on_disk: leave it there, to be read when it is used.

    Raises:
        CacheError: there is a file, but it cannot be read or is not what was kept.
    """
    path = folder / (key + ENDING)
    try:
        if not path.exists():
            return None
        if not path.is_file():  # a pipe would keep its reader waiting
            raise CacheError(f"{path} is no file")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        rows = FileRows(str(path), descriptor, LINE, shape, DTYPE)  # it closes the descriptor
        if os.fstat(descriptor).st_size != LINE + _size(shape):
            raise CacheError(f"{path} is damaged")
        with path.open("rb") as file:
            line = file.read(LINE)
        found: Array | Samples = rows if on_disk else rows[:]
    except (OSError, DataError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CacheError(f"{path} cannot be read: {reason}") from error
    digest = hashlib.sha256()
    for block in blocks(found):
        digest.update(_bytes(block))
    if line != _line(key, shape, digest.hexdigest()):
        raise CacheError(f"{path} is damaged")
    with suppress(OSError):  # now it is the last to be forgotten, if the folder lets us
        os.utime(path)
    return found


def keep(folder: Path, key: str, x: Array | Samples) -> None:
    """Keep an array of 32-bit numbers, and forget those that were not used for longest.

    Args:
        folder: of all arrays; it is made.
        key: of all that its numbers depend on, in hexadecimal digits.
        x: (samples, …)

    Raises:
        CacheError: it cannot be written, or is too large.
    """
    path, digest = folder / (key + ENDING), hashlib.sha256()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        room = _room(folder)
    except OSError as error:
        raise CacheError(f"cannot write into {folder}: {error.strerror or error}") from error
    if _size(x.shape) > room:
        raise CacheError(
            f"{folder} has room for {room / 1e6:,.0f} MB, they take {_size(x.shape) / 1e6:,.0f} MB"
        )
    try:
        with whole_file(path) as partial, partial.open("wb") as file:
            file.write(bytes(LINE))
            for block in blocks(x):
                file.write(_bytes(block))
                digest.update(_bytes(block))
            file.seek(0)
            file.write(_line(key, x.shape, digest.hexdigest()))
    except (RunError, DiskError) as error:
        raise CacheError(error.message) from error
    _forget_oldest(folder, path)


def _size(shape: tuple[int, ...]) -> int:
    return prod(shape) * np.dtype(DTYPE).itemsize


def _bytes(block: Array) -> memoryview:
    return np.ascontiguousarray(block, dtype=DTYPE).data


def _line(key: str, shape: tuple[int, ...], digest: str) -> bytes:
    """What a file begins with, for a reader who knows its key and has seen its numbers."""
    says = {"format": FORMAT, "key": key, "shape": shape, "dtype": DTYPE, "sha256": digest}
    return json.dumps(says).encode().ljust(LINE - 1) + b"\n"


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """When each file was last used, its bytes and its path; also what a killed run left."""
    found = []
    for path in folder.glob("*" + ENDING):
        with suppress(OSError):  # another process has just removed it
            status = path.stat()
            found.append((status.st_mtime_ns, status.st_size, path))
    return found


def _room(folder: Path) -> int:
    """Bytes that all files of the folder may take together."""
    used = sum(size for _, size, _ in _files(folder))
    return min(MOST_BYTES, int((shutil.disk_usage(folder).free + used) * SHARE_OF_FREE))


def _forget_oldest(folder: Path, new: Path) -> None:
    """Delete what was not used for longest, until the rest has room; never the `new` one."""
    with suppress(OSError):
        too_much = sum(size for _, size, _ in _files(folder)) - _room(folder)
        for _, size, path in sorted(_files(folder)):
            if too_much <= 0:
                return
            if path == new:
                continue
            with suppress(OSError):
                path.unlink()
                too_much -= size
