"""A folder of one's own pictures, one folder per class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from nncli.data.dataset import Dataset, Facts, Split
from nncli.data.division import PARTS, LargeSection, divide, limited
from nncli.data.images.files import as_text, list_images
from nncli.data.images.pixels import Pictures, scan
from nncli.data.others import Others
from nncli.data.source import Source
from nncli.data.splits import TestShare
from nncli.lazy import np

if TYPE_CHECKING:
    from nncli.data.learned import Learned


class FolderSection(LargeSection):
    """Pictures in a folder per class."""

    source: Literal["folder"] = "folder"
    """Pictures in a folder per class."""
    path: Path
    """The folder: `cat/`, `dog/` …, or `train/cat/` …, `test/cat/` … and `validation/cat/` …"""
    test: TestShare = 0.15
    """Share of the pictures to measure on. Not used where the folder has a `test` folder."""
    size: Annotated[int, Field(ge=8, le=1024)] = 96
    """Height and width the pictures are brought to, in pixels."""
    resize: Literal["stretch", "crop", "pad"] = "stretch"
    """How a picture becomes square: stretched, cut to its middle, or with black edges."""
    color: Literal["rgb", "grayscale"] = "rgb"
    """Three channels or one."""

    def facts(self) -> Facts:
        """The size of the pictures; how many there are takes reading the folder."""
        channels = 3 if self.color == "rgb" else 1
        return Facts(
            task="classification",
            validation=True if self.validation > 0 else None,  # the folder may have its own
            input_shape=(self.size, self.size, channels),
        )


def load_folder(section: FolderSection, seed: int) -> Dataset:
    """Look through all pictures, leave out copies, and split what the folder does not split.

    The files are taken in the order of their names, so the same folder gives the same data on
    every machine.

    Returns:
        x (samples, size, size, 1 or 3) uint8, y (samples,).

    Raises:
        DataError: no such folder, fewer than two classes, an empty class, unreadable pictures,
            or too few of them.
    """
    listing = list_images(section.path)
    name = section.path.name or str(section.path)
    chosen = limited(name, listing.labels, listing.parts, section.limit, seed)
    paths = [listing.paths[i] for i in chosen]
    pictures = Pictures(paths, section.size, section.resize, section.color)
    seen = scan(pictures, keep=section.fits(pictures.shape))
    y, part = listing.labels[chosen], listing.parts[chosen]
    names = tuple(as_text(str(path.relative_to(section.path))) for path in paths)
    division = divide(
        name, section, y, part, listing.classes, seen.digests, seed, names.__getitem__
    )
    x = pictures if seen.pixels is None else seen.pixels
    everything = Split(x, y, names, seen.digests)
    notes = list(listing.notes)
    if seen.pixels is None:
        notes.append(section.note(pictures.shape))
    return Dataset(
        name="folder",
        family="images",
        task="classification",
        train=everything.take(division.train),
        validation=everything.take(division.validation) if len(division.validation) else None,
        test=everything.take(division.test),
        classes=listing.classes,
        files=seen.files,
        copies=division.copies,
        notes=(*notes, *division.notes),
    )


def other_pictures(section: FolderSection, learned: Learned, _seed: int) -> Others:
    """Pictures of classes that a model knows, in the size that it takes.

    Where the folder is divided, those of its `test` folder; else all.

    Raises:
        DataError: no such folder, an unknown class, or unreadable pictures.
    """
    listing = list_images(section.path, learned.classes)
    test = PARTS.index("test")
    divided = bool((listing.parts == test).any())
    rows = np.flatnonzero(listing.parts == test) if divided else np.arange(len(listing.paths))
    paths = [listing.paths[i] for i in rows]
    *size, channels = learned.input_shape
    color = "rgb" if channels == 3 else "grayscale"
    pictures = Pictures(paths, (size[0], size[1]), section.resize, color)
    seen = scan(pictures, keep=section.fits(pictures.shape))
    names = tuple(as_text(str(path.relative_to(section.path))) for path in paths)
    return Others(
        Split(pictures if seen.pixels is None else seen.pixels, listing.labels[rows], names),
        digest=seen.files,
        notes=(*listing.notes, *(["the pictures of its test folder"] if divided else [])),
    )


FOLDER = Source(
    name="folder",
    sections={"images": FolderSection},
    load=load_folder,
    others=other_pictures,
    summary="your own pictures, a folder per class",
)
