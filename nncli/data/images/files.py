"""Which pictures a folder holds, of which class and part, always in the same order."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nncli.data.division import PARTS
from nncli.errors import DataError
from nncli.lazy import NDArray, np

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"})


@dataclass(frozen=True)
class Listing:
    """The pictures of a folder, sorted by part, class and path."""

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]
    """(pictures,) index of the class."""
    parts: NDArray[np.int64]
    """(pictures,) index into `PARTS`; all 0 where the folder has no parts."""
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def list_images(root: Path, classes: tuple[str, ...] | None = None) -> Listing:
    """Find the pictures below a folder of class folders, with or without parts on top.

    Hidden files and folders are skipped, and a folder that is reached a second time, through
    a link, is not entered again.

    Args:
        root: the folder.
        classes: those that a model knows, for pictures to measure it on: some of them are enough.
            None takes the folders that there are, for pictures to learn from.

    Raises:
        DataError: no such folder, no class folders, one class, or a class without pictures.
    """
    if not _is_folder(root):
        problem = "is not a folder" if root.exists() else "does not exist"
        raise DataError(f"{root} {problem}", hint="set data.path to a folder of class folders")
    tops = _part_folders(root)
    folders = {part: _class_folders(top) for part, top in tops.items()}
    learn = classes is None
    found = tuple(sorted(folders["train"]))
    classes = found if classes is None else classes
    if not found:
        raise DataError(
            f"{tops['train']} has no folders in it; one folder per class is needed",
            hint="sort the pictures into folders that are named as the classes",
        )
    if learn and len(classes) == 1:
        raise DataError(
            f"{tops['train']} has one class folder, '{classes[0]}'; at least two are needed",
            hint="add a folder with pictures of something else",
        )
    seen = {root.resolve(), *(top.resolve() for top in tops.values())}
    paths: list[Path] = []
    labels: list[int] = []
    parts: list[int] = []
    other = 0
    for part, by_name in folders.items():
        _check_classes(tops[part], by_name, classes)
        for name in sorted(by_name):
            files = list(_files(by_name[name], seen))
            pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
            other += len(files) - len(pictures)
            if not pictures:
                raise DataError(
                    f"{by_name[name]} has no pictures",
                    hint=f"add some ({', '.join(sorted(SUFFIXES))}), or remove the folder",
                )
            paths += pictures
            labels += [classes.index(name)] * len(pictures)
            parts += [PARTS.index(part)] * len(pictures)
    notes = [f"{other} file(s) that are not pictures were skipped"] if other else []
    for part in tops if learn else ():
        lacking = [name for name in classes if name not in folders[part]]
        if lacking:
            notes.append(f"no pictures of {', '.join(lacking)} in the {part} folder")
    return Listing(
        paths=tuple(paths),
        labels=np.array(labels, dtype=np.int64),
        parts=np.array(parts, dtype=np.int64),
        classes=classes,
        notes=tuple(notes),
    )


def _part_folders(root: Path) -> dict[str, Path]:
    """The folder of each part; the root itself is `train` where the folder has no parts.

    A folder `train` full of pictures is a class of trains, not a part.
    """
    has_parts = _is_folder(root / "train") and bool(_class_folders(root / "train"))
    if not has_parts:
        return {"train": root}
    return {part: root / part for part in PARTS if _is_folder(root / part)}


def _class_folders(top: Path) -> dict[str, Path]:
    """By name; composed, because one system stores `é` as one character and another as two."""
    found: dict[str, Path] = {}
    for path in _entries(top):
        if path.name.startswith("__MACOSX") or not _is_folder(path):
            continue
        name = unicodedata.normalize("NFC", as_text(path.name))
        if name in found:
            raise DataError(
                f"{top} has two folders that are both called '{name}', written with other bytes",
                hint="put their pictures into one folder",
            )
        found[name] = path
    return found


def as_text(name: str) -> str:
    """A name without control characters and bytes that are no UTF-8: it can be shown anywhere."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) == "Cc" else c for c in text
    )


def _check_classes(top: Path, found: dict[str, Path], classes: tuple[str, ...]) -> None:
    unknown = sorted(set(found) - set(classes))
    if unknown:
        raise DataError(
            f"{found[unknown[0]]}: class '{unknown[0]}' is not among the training classes",
            hint=f"they are {', '.join(classes[:10])}",
        )
    if not found:
        raise DataError(f"{top} has no class folders", hint="fill it, or remove it")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(
            (path for path in folder.iterdir() if not path.name.startswith(".")),
            key=lambda path: (unicodedata.normalize("NFC", path.name), path.name),
        )
    except OSError as error:
        raise _not_readable(folder, error) from error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise _not_readable(path, error) from error


def _not_readable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read: {error.strerror}", hint="check its name and rights")


def _files(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """All files below, each folder once however many links lead to it."""
    place = folder.resolve()
    if place in seen:
        return
    seen.add(place)
    for path in _entries(folder):
        if _is_folder(path):
            yield from _files(path, seen)
        else:  # a dead link, or what is no file, is reported as unreadable
            yield path


def pictures_below(folder: Path) -> list[Path]:
    """All pictures in a folder and those below it, in the order of their names.

    Hidden files and folders are skipped, and a folder that is reached a second time, through a
    link, is not entered again.

    Raises:
        DataError: a folder that cannot be looked into.
    """
    return [path for path in _files(folder, set()) if path.suffix.lower() in SUFFIXES]
