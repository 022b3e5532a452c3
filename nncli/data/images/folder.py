"""A folder of one's own pictures, one folder per class."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from nncli.config import Contradiction
from nncli.data.dataset import Dataset, Facts, Split
from nncli.data.images.files import Listing, list_images
from nncli.data.images.pixels import read_images
from nncli.data.source import DataSection, Source
from nncli.data.splits import (
    Indices,
    TestShare,
    ValidationShare,
    few_per_class,
    generator,
    impossible_shares,
    part_size,
    split_off,
    split_validation,
)
from nncli.errors import DataError
from nncli.lazy import NDArray, np


class FolderSection(DataSection):
    """Pictures in a folder per class."""

    source: Literal["folder"] = "folder"
    """Pictures in a folder per class."""
    path: Path
    """The folder: `cat/`, `dog/` …, or `train/cat/` …, `test/cat/` … and `validation/cat/` …"""
    size: Annotated[int, Field(ge=8, le=1024)] = 96
    """Height and width the pictures are brought to, in pixels."""
    resize: Literal["stretch", "crop", "pad"] = "stretch"
    """How a picture becomes square: stretched, cut to its middle, or with black edges."""
    color: Literal["rgb", "grayscale"] = "rgb"
    """Three channels or one."""
    validation: ValidationShare = 0.15
    """Share of the pictures that chooses the best epoch; 0 for none. Not used where the folder
    has a `validation` folder."""
    test: TestShare = 0.15
    """Share of the pictures to measure on. Not used where the folder has a `test` folder."""
    limit_per_class: Annotated[int, Field(ge=1)] | None = None
    """At most this many pictures of each class (in each part, where the folder has parts),
    chosen by the seed; null takes all."""

    def facts(self) -> Facts:
        """The size of the pictures; how many there are takes reading the folder."""
        channels = 3 if self.color == "rgb" else 1
        return Facts(
            task="classification",
            validation=True if self.validation > 0 else None,  # the folder may have its own
            input_shape=(self.size, self.size, channels),
        )

    def contradictions(self) -> Iterator[Contradiction]:
        """Shares that leave nothing to train on."""
        yield from impossible_shares(self.validation, self.test)


def load_folder(section: FolderSection, seed: int) -> Dataset:
    """Read all pictures, leave out copies, and split what the folder does not split itself.

    The files are taken in the order of their names, so the same folder gives the same data on
    every machine.

    Returns:
        x (samples, size, size, 1 or 3) uint8, y (samples,).

    Raises:
        DataError: no such folder, fewer than two classes, an empty class, unreadable pictures,
            or too few of them.
    """
    listing = list_images(section.path)
    notes = list(listing.notes)
    chosen = _limited(listing, section.limit_per_class, seed)
    x = read_images([listing.paths[i] for i in chosen], section.size, section.resize, section.color)
    y, part = listing.labels[chosen], listing.parts[chosen]
    keep, copies = _without_copies(x, part)
    if copies:
        names = [listing.paths[chosen[i]] for i in copies[:3]]
        shown = ", ".join(str(path.relative_to(section.path)) for path in names)
        notes.append(f"{len(copies)} picture(s) left out, being copies of others: {shown}")
    train, validation, test, ignored = _parts(section, listing.classes, y, part, keep, seed)
    everything = Split(x, y)
    return Dataset(
        name="folder",
        family="images",
        task="classification",
        train=everything.take(train),
        validation=everything.take(validation) if len(validation) else None,
        test=everything.take(test),
        classes=listing.classes,
        notes=(*notes, *ignored),
    )


def _limited(listing: Listing, limit: int | None, seed: int) -> Indices:
    everything = np.arange(len(listing.paths), dtype=np.intp)
    if limit is None:
        return everything
    # a class of each part counts by itself
    groups = listing.parts.astype(np.int64) * len(listing.classes) + listing.labels
    return np.sort(few_per_class(everything, groups, limit, seed))


def _without_copies(x: NDArray[np.uint8], part: NDArray[np.int64]) -> tuple[Indices, list[int]]:
    """The samples without the equal ones: of copies in two parts, the measured one stays.

    A copy in the training part of a picture that is measured would make the figures too good.
    """
    seen: set[bytes] = set()
    keep: list[int] = []
    copies: list[int] = []
    for i in np.argsort(-part, kind="stable"):
        digest = hashlib.sha256(x[i].tobytes()).digest()
        (copies if digest in seen else keep).append(int(i))
        seen.add(digest)
    return np.array(sorted(keep), dtype=np.intp), sorted(copies)


def _parts(
    section: FolderSection,
    classes: tuple[str, ...],
    y: NDArray[np.int64],
    part: NDArray[np.int64],
    keep: Indices,
    seed: int,
) -> tuple[Indices, Indices, Indices, list[str]]:
    """Training, validation and test indices, and what was not used of the section."""
    name, random = section.path.name, generator(seed, 0)
    train, validation, test = (keep[part[keep] == number] for number in range(3))
    total, notes = len(train), []
    own_validation = bool((part == 1).any())
    if (part == 2).any():
        notes.append("the folder has its own test part: data.test is not used")
    else:
        train, test = split_off(name, "test", train, y, part_size(total, section.test), random)
    if own_validation:
        notes.append("the folder has its own validation part: data.validation is not used")
    else:
        size = part_size(total, section.validation)
        train, validation = split_validation(name, train, y, size, random)
    lost = np.setdiff1d(np.arange(len(classes)), y[train])
    if len(lost):
        raise DataError(
            f"{section.path}: no picture of class '{classes[lost[0]]}' is left to train on",
            hint="remove the copies of its pictures from the other parts",
        )
    return train, validation, test, notes


FOLDER = Source(
    name="folder",
    family="images",
    section=FolderSection,
    load=load_folder,
    summary="your own pictures, a folder per class",
)
