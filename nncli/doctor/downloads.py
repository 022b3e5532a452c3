"""What Keras has downloaded, whether it is whole, and what nncli calls it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nncli.doctor.machine import Machine
from nncli.errors import ModelError
from nncli.results import Check

if TYPE_CHECKING:
    from pathlib import Path

    from nncli.data.images.keras_sets import KerasSet

WITHOUT_ANSWER = re.compile(r"no[_-]?top(_v2)?\.h5$")
"""How Keras's names of the weights end that nncli takes: those without the layers of the answer."""


def keras_sets() -> Iterator[tuple[str, KerasSet]]:
    """The sources that Keras downloads, and their files."""
    from nncli.data import SOURCES

    for source in SOURCES.values():
        for section in source.sections.values():
            kept = getattr(section, "kept", None)
            if kept is not None:
                yield source.name, kept


def check_datasets(_: Machine) -> Check:
    """Which sources need no network, and which of their files are damaged."""
    from nncli import backend, status
    from nncli.data.images.keras_sets import cache_folder, is_damaged

    folder, home = cache_folder(), backend.cache_folder()
    there: list[str] = []
    missing: list[str] = []
    damaged: list[Path] = []
    for name, kept in keras_sets():
        paths = {folder / file.place: file for file in kept.files}
        found = [path for path in paths if path.exists()]
        if found:
            status.tell(f"checking {kept.title}")
        broken = [path for path in found if is_damaged(path, paths[path])]
        damaged += broken
        if not broken:  # an incomplete set is completed by a download
            (there if len(found) == len(paths) else missing).append(name)
    facts = {
        "folder": str(folder),
        "there": there,
        "missing": missing,
        "damaged": [str(path) for path in damaged],
    }
    if damaged:
        names = ", ".join(str(path) for path in damaged)
        hint = "delete it, and the next training downloads it again"
        finding = f"{names} {'is' if len(damaged) == 1 else 'are'} damaged or incomplete"
        return Check("datasets", "problem", finding, hint, facts)
    said = f"{', '.join(there)} are in {folder}" if there else f"none in {folder}"
    if len(there) == 1:
        said = f"{there[0]} is in {folder}"
    if missing:
        said += f"; {', '.join(missing)} will be downloaded on first use"
    if home.is_dir() and folder.parent != home:
        hint = "set KERAS_HOME to a folder of your own"
        finding = f"{home} cannot be written, so Keras has its data sets elsewhere: {said}"
        return Check("datasets", "warning", finding, hint, facts)
    return Check("datasets", "ok", said, facts=facts)


def check_weights(_: Machine) -> Check:
    """Which bases have their ImageNet weights here, and which files are damaged."""
    from nncli import status
    from nncli.data.images.keras_sets import cache_folder
    from nncli.models.gate import check_weights_file

    folder = cache_folder().parent / "models"
    files: list[dict[str, Any]] = []
    others, damaged = 0, []
    for path in sorted(folder.glob("*.h5")):
        base = base_of(path.name)
        if base is None:
            others += 1
            continue
        status.tell(f"checking the weights of {base}")
        size = path.stat().st_size
        try:
            check_weights_file(path)
        except ModelError as error:
            damaged.append(error.message)
        else:
            files.append({"base": base, "file": path.name, "bytes": size})
    facts = {"folder": str(folder), "weights": files, "others": others, "damaged": damaged}
    if damaged:
        hint = "delete it, and the next training downloads it again"
        return Check("weights", "problem", "; ".join(damaged), hint, facts)
    if files:
        names = ", ".join(f"{each['base']} ({each['bytes'] / 1e6:.0f} MB)" for each in files)
        said = f"{names} {'is' if len(files) == 1 else 'are'} in {folder}; others"
    else:
        said = f"none in {folder}; those of ImageNet"
    return Check("weights", "ok", f"{said} will be downloaded on first use", facts=facts)


def base_of(file: str) -> str | None:
    """The `model.base` that a file of Keras's is for: `vgg16_…_notop.h5` → `VGG16`.

    None for weights that nncli does not take. The files have the names of the networks, written
    with other case and marks; the longest that fits is the one, for `MobileNet` is in all of them.
    """
    from nncli.models.applications import APPLICATIONS

    if not WITHOUT_ANSWER.search(file.lower()):
        return None
    plain = _letters(file)
    fitting = [name for name in APPLICATIONS if _letters(name) in plain]
    return max(fitting, key=len, default=None)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
