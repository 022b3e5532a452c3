"""MNIST, Fashion-MNIST, CIFAR-10 and CIFAR-100, as Keras downloads and caches them.

Keras verifies the hash of MNIST and of both CIFAR archives, but deletes or replaces a file that
fails, and takes any Fashion-MNIST file as it is. Here a damaged file is named and left alone.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from nncli import backend
from nncli.config import Contradiction
from nncli.data.dataset import Dataset, Facts, Split
from nncli.data.images.class_names import CIFAR10_CLASSES, CIFAR100_CLASSES, FASHION_CLASSES
from nncli.data.labels import known_labels
from nncli.data.others import Others, not_shaped
from nncli.data.source import DataSection, Source
from nncli.data.splits import (
    ValidationShare,
    few_per_class,
    fewest,
    generator,
    part_size,
    split_off,
    split_validation,
    train_size,
)
from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Array

if TYPE_CHECKING:
    from nncli.data.learned import Learned

_TF = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_TORONTO = "https://www.cs.toronto.edu/~kriz/"


@dataclass(frozen=True)
class CachedFile:
    """A file that Keras keeps."""

    place: str
    """Below `$KERAS_HOME/datasets`."""
    address: str
    """Where it is downloaded from."""
    sha256: str = ""
    """As in Keras; empty for a .gz file, which holds its own checksum."""


@dataclass(frozen=True)
class KerasSet:
    """One of Keras's data sets of images."""

    name: str
    title: str
    module: str
    """In `keras.datasets`."""
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    """(height, width, channels)"""
    files: tuple[CachedFile, ...]
    train: int
    """Images of its training part; the test part of each set has 10,000."""
    smallest: float
    """The share that the rarest class has of them."""


TEST_IMAGES = 10_000
_MNIST = KerasSet(
    name="mnist",
    title="MNIST",
    module="mnist",
    classes=tuple(str(digit) for digit in range(10)),
    shape=(28, 28, 1),
    files=(
        CachedFile(
            "mnist.npz",
            f"{_TF}mnist.npz",
            "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        ),
    ),
    train=60_000,
    smallest=5421 / 60_000,
)
_FASHION_MNIST = KerasSet(
    name="fashion-mnist",
    title="Fashion-MNIST",
    module="fashion_mnist",
    classes=FASHION_CLASSES,
    shape=(28, 28, 1),
    files=tuple(
        CachedFile(f"fashion-mnist/{file}-ubyte.gz", f"{_TF}{file}-ubyte.gz")
        for file in (
            "train-labels-idx1",
            "train-images-idx3",
            "t10k-labels-idx1",
            "t10k-images-idx3",
        )
    ),
    train=60_000,
    smallest=0.1,
)
_CIFAR10 = KerasSet(
    name="cifar10",
    title="CIFAR-10",
    module="cifar10",
    classes=CIFAR10_CLASSES,
    shape=(32, 32, 3),
    files=(
        CachedFile(
            "cifar-10-batches-py-target_archive",
            f"{_TORONTO}cifar-10-python.tar.gz",
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        ),
    ),
    train=50_000,
    smallest=0.1,
)
_CIFAR100 = KerasSet(
    name="cifar100",
    title="CIFAR-100",
    module="cifar100",
    classes=CIFAR100_CLASSES,
    shape=(32, 32, 3),
    files=(
        CachedFile(
            "cifar-100-python-target_archive",
            f"{_TORONTO}cifar-100-python.tar.gz",
            "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        ),
    ),
    train=50_000,
    smallest=0.01,
)


class _KerasSection(DataSection):
    """What the four sets have in common."""

    kept: ClassVar[KerasSet]
    """The set itself."""
    validation: ValidationShare = 0.1
    """Share of the training images that chooses the best epoch; 0 for none."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Take at most this many of the training images (validation comes out of them), and as
    large a share of the test images; null takes all."""
    train_per_class: Annotated[int, Field(ge=1)] | None = None
    """Train on only this many images of each class, chosen by the seed; null takes all."""

    @property
    def images(self) -> int:
        """The images that training and validation are taken from."""
        return min(self.limit or self.kept.train, self.kept.train)

    def facts(self) -> Facts:
        """Everything: the sets are always the same."""
        classes = len(self.kept.classes)
        left = self.images - part_size(self.images, self.validation)
        smallest = int(left * self.kept.smallest) - 1  # each part may take one more of it
        return Facts(
            task="classification",
            train=train_size(left, smallest, classes, self.train_per_class),
            fewest=fewest([smallest] * classes, self.train_per_class),
            validation=self.validation > 0,
            input_shape=self.kept.shape,
            classes=classes,
        )

    def contradictions(self) -> Iterator[Contradiction]:
        """Parts that cannot hold an image of each class."""
        if self._holds(self.images):
            return
        classes, images = len(self.kept.classes), self.images
        enough = (n for n in range(images, self.kept.train + 1) if self._holds(n))
        least = next(enough, None)
        if least is None or self.limit is None:
            chosen = part_size(images, self.validation)
            yield Contradiction(
                ("validation", "limit"),
                f"{chosen:,} of {images:,} images for validation leave a part without one of the "
                f"{classes} classes",
                "give it another share",
            )
        else:
            yield Contradiction(
                ("limit", "validation"),
                f"{images} images are too few for {classes} classes in every part",
                f"take at least {least:,}",
            )

    def _holds(self, images: int) -> bool:
        """Whether every part has images of every class, where so many are taken."""
        classes = len(self.kept.classes)
        measured = part_size(TEST_IMAGES, images / self.kept.train)
        chosen = part_size(images, self.validation)
        smallest = int(images * self.kept.smallest)
        return measured >= classes and (
            chosen == 0 or (min(chosen, images - chosen) >= classes and smallest >= 2)
        )


class MnistSection(_KerasSection):
    """70,000 handwritten digits."""

    kept = _MNIST
    source: Literal["mnist"] = "mnist"
    """70,000 handwritten digits, 28 × 28 grey pixels, downloaded on first use (11 MB)."""


class FashionMnistSection(_KerasSection):
    """70,000 pieces of clothing."""

    kept = _FASHION_MNIST
    source: Literal["fashion-mnist"] = "fashion-mnist"
    """70,000 pieces of clothing, 28 × 28 grey pixels, downloaded on first use (30 MB)."""


class Cifar10Section(_KerasSection):
    """60,000 small colour photographs of 10 classes."""

    kept = _CIFAR10
    source: Literal["cifar10"] = "cifar10"
    """60,000 photographs of 10 classes, 32 × 32 pixels, downloaded on first use (170 MB)."""


class Cifar100Section(_KerasSection):
    """60,000 small colour photographs of 100 classes."""

    kept = _CIFAR100
    source: Literal["cifar100"] = "cifar100"
    """60,000 photographs of 100 classes, 32 × 32 pixels, downloaded on first use (170 MB)."""


def load_keras_set(section: _KerasSection, seed: int) -> Dataset:
    """Split a set's own training part; its test part is the test part.

    Returns:
        x (samples, height, width, channels) uint8, y (samples,).

    Raises:
        DataError: a download that failed, or a damaged file.
    """
    kept = section.kept
    (x, y), (x_test, y_test) = read_set(kept)
    random = generator(seed, 0)
    images = min(section.images, len(y))
    pool = _some(kept.name, "training", y, images, random)
    size = part_size(len(y_test), images / len(y))
    measured = _some(kept.name, "test", y_test, size, random)
    size = part_size(len(pool), section.validation)
    train, validation = split_validation(kept.name, pool, y, size, random)
    if section.train_per_class is not None:
        train = few_per_class(train, y, section.train_per_class, seed)
    everything = Split(x, y)
    return Dataset(
        name=kept.name,
        family="images",
        task="classification",
        train=everything.take(train),
        validation=everything.take(validation) if len(validation) else None,
        test=Split(x_test, y_test).take(measured),
        classes=kept.classes,
        notes=_note(kept, len(train) + len(validation) + len(measured), len(y) + len(y_test)),
    )


def other_set(section: _KerasSection, learned: Learned, _seed: int) -> Others:
    """The test part of a set, to measure a trained model on.

    Raises:
        DataError: a download that failed, a damaged file, or pictures the model does not take.
    """
    kept = section.kept
    _, (x, y) = read_set(kept)
    if x.shape[1:] != learned.input_shape:
        raise not_shaped(kept.title, x.shape[1:], learned.input_shape)
    names = np.array(kept.classes)[y]
    return Others(
        Split(x, known_labels(kept.title, names, learned.classes)),
        notes=(f"the test part of {kept.title}",),
    )


def _some(
    name: str, part: str, labels: Array, size: int, random: np.random.Generator
) -> NDArray[np.intp]:
    """`size` samples of a part, each class in its proportion."""
    everything = np.arange(len(labels), dtype=np.intp)
    if size >= len(labels):
        return everything
    if len(labels) - size < len(np.unique(labels)):  # too few to leave out one of each class
        return np.sort(random.permutation(everything)[:size])
    return split_off(name, part, everything, labels, size, random)[1]


def _note(kept: KerasSet, used: int, total: int) -> tuple[str, ...]:
    return (f"{used:,} of the {total:,} images of {kept.title}",) if used < total else ()


def read_set(kept: KerasSet) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Both parts of a set, from Keras's cache or downloaded into it.

    Raises:
        DataError: naming each file that is missing or damaged, its address and its place.
    """
    keras = backend.keras()  # its import makes the cache folder, or chooses another
    folder = cache_folder()
    paths = {folder / file.place: file for file in kept.files}
    for path, file in paths.items():
        if path.exists() and is_damaged(path, file):
            raise _damaged_error(path, file)
    try:
        with backend.patient_download():
            parts = getattr(keras.datasets, kept.module).load_data()
    # Keras raises a bare Exception for a failed download, and NumPy, gzip and tarfile theirs
    except Exception as error:
        raise _explained(kept, paths, error) from error
    train, test = (_checked(kept, paths, *part) for part in parts)
    return train, test


def cache_folder() -> Path:
    """Where Keras keeps data sets: `$KERAS_HOME/datasets`, or below the home folder.

    A folder that cannot be written is replaced by one for all users, as Keras does.
    """
    home = backend.cache_folder().expanduser()
    if not os.access(home, os.W_OK):
        shared = "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()
        home = Path(shared) / ".keras"
    return home / "datasets"


def is_damaged(path: Path, file: CachedFile) -> bool:
    """True where a file is not what it should be: by its hash, or by gzip's own checksum."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") if file.sha256 else gzip.open(path) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except (OSError, EOFError, zlib.error):
        return True
    return bool(file.sha256) and digest.hexdigest() != file.sha256


def _damaged_error(path: Path, file: CachedFile) -> DataError:
    return DataError(
        f"{path} is damaged or incomplete",
        hint=f"delete it and run again to download it, or put {file.address} there",
    )


def _explained(kept: KerasSet, paths: dict[Path, CachedFile], error: Exception) -> DataError:
    missing = {path: file for path, file in paths.items() if not path.exists()}
    if missing:
        wanted = "; ".join(f"{file.address} as {path}" for path, file in missing.items())
        return DataError(
            f"{kept.title} is not in Keras's cache and could not be downloaded: {error}",
            hint=f"connect to the network, or put {wanted}",
        )
    for path, file in paths.items():
        if is_damaged(path, file):
            return _damaged_error(path, file)
    names = ", ".join(str(path) for path in paths)
    return DataError(f"{kept.title} cannot be read: {error}", hint=f"delete {names} and run again")


def _checked(kept: KerasSet, paths: dict[Path, CachedFile], x: Any, y: Any) -> tuple[Array, Array]:
    """A part of a set as (samples, height, width, channels) and (samples,) int64."""
    x, y = np.asarray(x), np.asarray(y).reshape(-1).astype(np.int64)
    if x.ndim == 3:
        x = x[..., None]
    height, width, channels = kept.shape
    if x.shape[1:] == (channels, height, width):
        x = x.transpose(0, 2, 3, 1)  # a user's keras.json may say channels_first
    if x.shape[1:] != kept.shape or x.dtype != np.uint8 or len(x) != len(y):
        names = ", ".join(str(path) for path in paths)
        raise DataError(
            f"{kept.title} holds images {x.shape[1:]} {x.dtype} and {len(y)} labels for {len(x)} "
            f"images, but should hold {kept.shape} uint8",
            hint=f"delete {names} and run again to download the set",
        )
    return x, y


MNIST = Source(
    name="mnist",
    sections={"images": MnistSection},
    load=load_keras_set,
    others=other_set,
    summary="70,000 handwritten digits",
    needs_network=True,
)
FASHION_MNIST = Source(
    name="fashion-mnist",
    sections={"images": FashionMnistSection},
    load=load_keras_set,
    others=other_set,
    summary="70,000 pieces of clothing",
    needs_network=True,
)
CIFAR10 = Source(
    name="cifar10",
    sections={"images": Cifar10Section},
    load=load_keras_set,
    others=other_set,
    summary="60,000 colour photographs of 10 classes",
    needs_network=True,
)
CIFAR100 = Source(
    name="cifar100",
    sections={"images": Cifar100Section},
    load=load_keras_set,
    others=other_set,
    summary="60,000 colour photographs of 100 classes",
    needs_network=True,
)
