"""Which source reads a file or a folder, by its name and the names in it."""

from __future__ import annotations

import re
from pathlib import Path

from nncli.data import SOURCES
from nncli.data.dataset import Family
from nncli.errors import DataError, UsageError, unknown_name

IDX_NAME = re.compile(r"[-.]idx\d(-ubyte)?(\.gz)?$", re.IGNORECASE)
"""How the names of idx files end."""
_ENDINGS = {".ts": "ts", ".csv": "csv", ".tsv": "csv", ".npz": "npz", ".npy": "npy"}


def recognize(given: str, families: tuple[Family, ...] = ()) -> tuple[str, Path | None]:
    """A source by its name, or the source of a file or folder, and its path.

    Args:
        given: one of `SOURCES`, or a path.
        families: what a sample may be; all where nothing is given.

    Returns:
        The source's name, and the path where there is one.

    Raises:
        UsageError: neither a source nor a path of a known kind.
        DataError: a folder that cannot be looked into.
    """
    path = Path(given).expanduser()
    if given in SOURCES and not (needs_path(given) and path.exists()):
        return given, None
    source = _by_name(path) or (_by_content(path) if path.is_dir() else None)
    if source == "csv" and families and "series" not in families:
        source = "table"
    if source in SOURCES:
        return source, path
    if path.is_file():
        raise UsageError(
            f"{given} is of no kind that nncli reads",
            hint=f"it reads {', '.join(_ENDINGS)}, idx files and folders of pictures; or name the "
            f"source: --kind cnn --set data.source=npz --set data.path={given}",
        )
    if _looks_like_path(given):
        return "folder", path  # its loader says what is wrong with it
    known = unknown_name("source", given, list(SOURCES), see="nncli data list")
    raise UsageError(f"'{given}' is no source, and no file or folder here", hint=known.hint)


def needs_path(source: str) -> bool:
    """Whether a source reads a file or folder that has to be named."""
    path = SOURCES[source].section.model_fields.get("path")
    return path is not None and path.is_required()


def _by_name(path: Path) -> str | None:
    if path.is_dir():
        return None
    return "idx" if IDX_NAME.search(path.name) else _ENDINGS.get(path.suffix.lower())


def _by_content(folder: Path) -> str:
    """What lies in a folder: recorded sequences, arrays, or else pictures."""
    try:
        names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}") from error
    if any(name.endswith("_TRAIN.ts") for name in names):
        return "ts"
    if any(IDX_NAME.search(name) for name in names):
        return "idx"
    if any(name.lower().endswith(".npy") for name in names):
        return "npy"
    return "folder"


def _looks_like_path(given: str) -> bool:
    return "/" in given or "\\" in given or given.startswith((".", "~")) or Path(given).exists()
