"""The sources of arrays: which files and names hold the inputs, the labels and the parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from nncli.config import Contradiction
from nncli.data.arrays.assemble import ArraysSection, GivenPart, assemble, other_samples
from nncli.data.arrays.idx_file import open_idx
from nncli.data.arrays.npy_file import open_npy, open_npz
from nncli.data.arrays.stored import StoredArray, reading
from nncli.data.dataset import Dataset, Family
from nncli.data.division import PARTS, check_other_file
from nncli.data.others import Others
from nncli.data.source import Source
from nncli.errors import DataError, closest

if TYPE_CHECKING:
    from nncli.data.learned import Learned

_SHORT = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("test",)}
"""How people abbreviate the parts."""
_INPUTS, _LABELS = ("x", "X", "images", "data", "inputs"), ("y", "Y", "labels", "targets", "label")


class _NpzSection(ArraysSection):
    """Arrays in one archive."""

    source: Literal["npz"] = "npz"
    """A `.npz` archive of NumPy: inputs and labels, whole or in parts."""
    path: Path
    """The archive."""
    x: str | None = None
    """The array of inputs; null takes `x_train`, or `x`."""
    y: str | None = None
    """The array of labels; null takes `y_train`, or `y`."""
    x_validation: str | None = None
    """The inputs to choose the best epoch by; null takes `x_validation` or `x_val`, if there."""
    y_validation: str | None = None
    """Their labels; null takes `y_validation` or `y_val`."""
    x_test: str | None = None
    """The inputs to measure on; null takes `x_test`, if there."""
    y_test: str | None = None
    """Their labels; null takes `y_test`."""


class NpzImages(_NpzSection):
    """Images in one archive."""

    family: ClassVar[Family] = "images"


class NpzSequences(_NpzSection):
    """Sequences in one archive."""

    family: ClassVar[Family] = "sequences"


class _FilesSection(ArraysSection):
    """Arrays in a file each."""

    path: Path
    """The inputs; or a folder of files for inputs and labels."""
    labels: Path | None = None
    """Their labels; null takes the file of the same name with `y` for `x` or `labels` for
    `images`."""
    test_path: Path | None = None
    """The inputs to measure on; null takes those in the folder, if there."""
    test_labels: Path | None = None
    """Their labels."""

    def contradictions(self) -> Iterator[Contradiction]:
        """Labels of inputs that are not named."""
        yield from super().contradictions()
        if self.test_labels is not None and self.test_path is None:
            yield Contradiction(
                ("test_labels", "test_path"), "labels without their inputs", "set test_path too"
            )


class _NpySection(_FilesSection):
    source: Literal["npy"] = "npy"
    """`.npy` files of NumPy: one with the inputs, one with the labels."""


class NpyImages(_NpySection):
    """Images in a file each."""

    family: ClassVar[Family] = "images"


class NpySequences(_NpySection):
    """Sequences in a file each."""

    family: ClassVar[Family] = "sequences"


class _IdxSection(_FilesSection):
    source: Literal["idx"] = "idx"
    """The idx files of MNIST and its successors, plain or packed with gzip."""


class IdxImages(_IdxSection):
    """Images in a file each."""

    family: ClassVar[Family] = "images"


class IdxSequences(_IdxSection):
    """Sequences in a file each."""

    family: ClassVar[Family] = "sequences"


def load_npz(section: _NpzSection, seed: int) -> Dataset:
    """The arrays of an archive; see `assemble`.

    Raises:
        DataError: a damaged archive, or no arrays of these names.
    """
    return assemble("npz", section, _npz_parts(section), [section.path], seed)


def other_npz(section: _NpzSection, learned: Learned, _seed: int) -> Others:
    """The arrays of an archive to measure a trained model on; see `other_samples`.

    Raises:
        DataError: a damaged archive, or no arrays of these names.
    """
    return other_samples(section, _npz_parts(section), [section.path], learned)


def _npz_parts(section: _NpzSection) -> list[GivenPart]:
    """The parts that the archive has."""
    arrays = open_npz(section.path)
    given = []
    for part in PARTS:
        inputs, labels = _npz_pair(section, arrays, part)
        if inputs is not None and labels is not None:
            given.append(GivenPart(part, inputs, labels))
    return given


def _npz_pair(
    section: _NpzSection, arrays: dict[str, StoredArray], part: str
) -> tuple[StoredArray | None, StoredArray | None]:
    """The inputs and labels of a part; None where the archive has none and none are asked for."""
    suffix = "" if part == "train" else f"_{part}"
    pair = []
    for key, stems in ((f"x{suffix}", _INPUTS), (f"y{suffix}", _LABELS)):
        wanted = getattr(section, key)
        if wanted is not None and wanted not in arrays:
            guess = closest(wanted, arrays)
            raise DataError(
                f"{section.path} has no array '{wanted}'",
                hint=f"did you mean '{guess}'?" if guess else f"it has {_names(arrays)}",
            )
        usual = _usual(stems, part)
        pair.append(arrays.get(wanted or next((name for name in usual if name in arrays), "")))
    if part == "train" and None in pair:
        what, key = ("inputs", "x") if pair[0] is None else ("labels", "y")
        raise DataError(
            f"{section.path} has no array of {what} that nncli knows: it has {_names(arrays)}",
            hint=f"set data.{key} to its name",
        )
    if (pair[0] is None) != (pair[1] is None):
        has, lacks = ("x", "y") if pair[1] is None else ("y", "x")
        raise DataError(
            f"{section.path} has {has} of the {part} part, but not its {lacks}",
            hint=f"set data.{lacks}{suffix} to its name; it has {_names(arrays)}",
        )
    return pair[0], pair[1]


def _usual(stems: tuple[str, ...], part: str) -> list[str]:
    """The names that an array of a part goes by."""
    names = [f"{stem}_{short}" for short in _SHORT[part] for stem in stems]
    names += [f"{short}_{stem}" for short in _SHORT[part] for stem in stems]
    return [*names, *stems] if part == "train" else names


def usual_inputs() -> list[str]:
    """The names that an array of inputs goes by: of no part, then of those seldom trained on."""
    return [*_INPUTS, *(name for part in reversed(PARTS) for name in _usual(_INPUTS, part))]


def _names(arrays: dict[str, StoredArray]) -> str:
    return ", ".join(list(arrays)[:20])


def load_files(section: _FilesSection, seed: int) -> Dataset:
    """Arrays in a file each; see `assemble`.

    Raises:
        DataError: missing or damaged files.
    """
    given, files = _file_parts(section)
    return assemble(section.source, section, given, files, seed)


def other_files(section: _FilesSection, learned: Learned, _seed: int) -> Others:
    """Arrays in a file each to measure a trained model on; see `other_samples`.

    Raises:
        DataError: missing or damaged files.
    """
    given, files = _file_parts(section)
    return other_samples(section, given, files, learned)


def _file_parts(section: _FilesSection) -> tuple[list[GivenPart], list[Path]]:
    """The parts that there are, and their files."""
    opened = open_npy if section.source == "npy" else open_idx
    pairs = _pairs(section)
    given = [GivenPart(part, opened(x), opened(y)) for part, (x, y) in pairs.items()]
    return given, [path for pair in pairs.values() for path in pair]


def _pairs(section: _FilesSection) -> dict[str, tuple[Path, Path]]:
    """The files of inputs and of labels, by part."""
    path, source = section.path, section.source
    with reading(path):
        if not path.exists():
            raise DataError(f"{path} does not exist", hint=f"set data.path to {_WANTED[source]}")
        found = _in_folder(path, source) if path.is_dir() else {}
    if path.is_dir() and section.labels is not None:
        raise DataError(
            f"{path} is a folder, but data.labels names one file",
            hint="set data.path to the file of inputs, or remove data.labels",
        )
    if path.is_dir() and "train" not in found:
        raise DataError(
            f"{path} holds no files of inputs and labels that nncli knows",
            hint=f"set data.path and data.labels to the files; known are {_KNOWN[source]}",
        )
    if not path.is_dir():
        found["train"] = (path, section.labels or _partner(path))
    if section.test_path is not None:
        found["test"] = (section.test_path, section.test_labels or _partner(section.test_path))
        check_other_file(section.test_path, found["train"][0])
    return {part: found[part] for part in PARTS if part in found}


_WANTED = {"npy": "a .npy file", "idx": "an idx file or a folder of them"}
_KNOWN = {
    "npy": "x_train.npy with y_train.npy (or x.npy with y.npy), and x_test.npy with y_test.npy",
    "idx": "train-images-idx3-ubyte with train-labels-idx1-ubyte, and the same with t10k or test",
}


def _in_folder(folder: Path, source: str) -> dict[str, tuple[Path, Path]]:
    """The pairs that a folder holds under their usual names."""
    names = {entry.name for entry in folder.iterdir()}
    found = {}
    for part in PARTS:
        if source == "npy":
            files = [
                [f"{name}.npy" for name in _usual(stems, part)] for stems in (_INPUTS, _LABELS)
            ]
        else:
            shorts = (*_SHORT[part], "t10k") if part == "test" else _SHORT[part]
            files = [
                [
                    f"{short}-{what}{dot}idx{dimensions}{end}"
                    for short in shorts
                    for dot in "-."  # some unpack `train-images.idx3-ubyte`
                    for end in ("-ubyte.gz", "-ubyte", ".gz", "")
                ]
                for what, dimensions in (("images", 3), ("labels", 1))
            ]
        pair = [next((name for name in usual if name in names), None) for usual in files]
        if pair[0] is not None and pair[1] is not None:
            found[part] = (folder / pair[0], folder / pair[1])
        elif pair[0] is not None:
            raise DataError(
                f"{folder} has {pair[0]}, but not its labels", hint="add them beside it"
            )
    return found


def _partner(path: Path) -> Path:
    """The file of labels that belongs to a file of inputs, by its name."""
    for inputs, labels in (
        ("images-idx3", "labels-idx1"),
        ("images.idx3", "labels.idx1"),
        ("images", "labels"),
        ("x", "y"),
        ("X", "Y"),
        ("X", "y"),
        ("data", "labels"),
        ("inputs", "labels"),
    ):
        if inputs in path.name:
            other = path.with_name(path.name.replace(inputs, labels, 1))
            if other.exists() and other != path:
                return other
    raise DataError(
        f"{path} has no file of labels beside it that nncli knows",
        hint="set data.labels (and data.test_labels for data.test_path)",
    )


NPZ = Source(
    name="npz",
    sections={"images": NpzImages, "sequences": NpzSequences},
    load=load_npz,
    others=other_npz,
    summary="your own arrays in one .npz archive: images or sequences",
)
NPY = Source(
    name="npy",
    sections={"images": NpyImages, "sequences": NpySequences},
    load=load_files,
    others=other_files,
    summary="your own arrays in .npy files: images or sequences",
)
IDX = Source(
    name="idx",
    sections={"images": IdxImages, "sequences": IdxSequences},
    load=load_files,
    others=other_files,
    summary="idx files, as MNIST has them: images or sequences",
)
