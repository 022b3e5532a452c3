"""Writing files so that no reader ever sees half of one."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from nncli import process
from nncli.errors import DiskError, RunError

# at once, also from a pipe to which nobody writes
_TO_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`; what is written there becomes `path` whole or not at all.

    The bytes and the folder are flushed to the disk, so this holds through a power cut too. The
    temporary name keeps the ending, which some writers look at.

    Raises:
        RunError: it cannot be written there.
        DiskError: the disk is full or fails.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """All of a file, by four calls of the system: `open` takes eight.

    Around each of them another thread may run, and is to be waited for: with small files for longer
    than they take to read.

    Args:
        path: no pipe, which would keep its reader waiting, and no device, which never ends.
        most: how many bytes it may have.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no file, or has more bytes.
    """
    file = os.open(path, _TO_READ)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("no file, but a pipe or a device")
        if most is not None and found.st_size > most:
            raise ValueError(f"it has {found.st_size:,} bytes, at most {most:,}")
        raw = os.read(file, found.st_size)
        while len(raw) < found.st_size and (more := os.read(file, found.st_size - len(raw))):
            raw += more  # a system may give less than was asked for
        return raw
    finally:
        os.close(file)


@contextmanager
def passing_folder(where: Path | None = None) -> Iterator[Path]:
    """A folder for as long as the block lasts.

    A signal that comes while it is made or removed waits, so that none of it is left.

    Args:
        where: the folder that it is in; None for the system's.

    Raises:
        OSError: it cannot be made there.
    """
    import tempfile  # 4 ms, which short commands do not need

    folder = None
    try:
        with process.hold_signals():
            folder = tempfile.TemporaryDirectory(prefix=".nncli-", dir=where)
        yield Path(folder.name)
    finally:
        if folder is not None:
            with process.hold_signals():
                folder.cleanup()


@contextmanager
def whole_together(path: Path) -> Iterator[Path]:
    """A temporary place for `path`, a file or a folder, and for what belongs beside it.

    What is in that place's folder when the block ends well comes to stand beside `path`, each file
    and each folder whole, instead of what had its name. Where the block does not end well, nothing
    of it is left.

    Raises:
        RunError: it cannot be written there.
        DiskError: the disk is full or fails.
    """
    partial = path.parent / f".{os.getpid()}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        yield partial / path.name
        for made in sorted(partial.iterdir()):
            _flush(made)
            _put_in_place(made, path.parent / made.name)
        _flush_folder(path.parent)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put_in_place(made: Path, target: Path) -> None:
    """A folder cannot be replaced in one step: for a moment there is none."""
    if not target.is_dir():
        made.replace(target)
        return
    old = made.with_name(f"{made.name}.old")
    target.replace(old)
    try:
        made.replace(target)
    except BaseException:
        old.replace(target)
        raise


def _flush(made: Path) -> None:
    for path in made.rglob("*") if made.is_dir() else (made,):
        if path.is_file():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())


def _unwritten(path: Path, error: OSError) -> DiskError | RunError:
    message = f"cannot write {path}: {error.strerror or error}"
    if error.errno in _DISK_ERRORS:
        return DiskError(message, hint="make room on the disk; nothing was lost")
    return RunError(message, hint="check the path and its permissions")


def nearest_folder(path: Path) -> Path:
    """What is there of a path: itself, or the nearest above it."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def try_writing(folder: Path) -> None:
    """Find out whether a folder can be written, or where it is not there, be made.

    Tried, not asked: permission bits do not know of read-only or virtual file systems.

    Raises:
        OSError: it cannot.
    """
    with passing_folder(nearest_folder(folder)):
        pass


def check_writable(path: Path) -> None:
    """Refuse before the work what cannot be written after it; nothing is made.

    Raises:
        RunError: a file of this name cannot be written there.
    """
    folder = nearest_folder(path.parent)
    if path.is_dir():
        reason = "it is a folder"
    elif not folder.is_dir():
        reason = f"{folder} is no folder"
    elif not os.access(folder, os.W_OK | os.X_OK):
        reason = f"{folder} may not be written to"
    else:
        return
    raise RunError(f"cannot write {path}: {reason}", hint="check the path and its permissions")


def removed(folder: Path) -> DiskError:
    """To be raised where a run's folder is gone, or writing would make it anew, nearly empty."""
    return DiskError(
        f"{folder} was removed while the run was writing to it",
        hint="run again; what was trained is lost",
    )


def remove_partials(folder: Path) -> None:
    """Remove what a process that was killed had not finished; nobody may be writing there."""
    for partial in folder.rglob(".*.part*"):
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
            continue
        with suppress(OSError):  # it is in nobody's way
            partial.unlink()


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file, or leave what was there.

    Raises:
        RunError: it cannot be written.
    """
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, document: Mapping[str, Any], *, sort: bool = False) -> None:
    """Write JSON; a number that is not finite becomes null, for JSON has none.

    Raises:
        RunError: it cannot be written.
    """
    text = json.dumps(
        finite(document), indent=2, ensure_ascii=False, sort_keys=sort, allow_nan=False
    )
    write_text(path, text + "\n")


def finite(value: Any) -> Any:
    """A document with null for each number that is not finite, at any depth; records by field."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if is_dataclass(value):
        return {field.name: finite(getattr(value, field.name)) for field in fields(value)}
    return value
