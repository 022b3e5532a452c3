"""Where samples come from: the table of all sources, and `load`, which reads one.

A new source is one section and one loader in its family's file, and its row here.
"""

from __future__ import annotations

from nncli.data.arrays import IDX, NPY, NPZ
from nncli.data.dataset import Dataset, check_parts
from nncli.data.images import CIFAR10, CIFAR100, DIGITS, FASHION_MNIST, FOLDER, MNIST
from nncli.data.sequences import TS, WAVES
from nncli.data.series import CSV, SINE
from nncli.data.source import DataSection, Source
from nncli.data.table import TABLE

SOURCES: dict[str, Source] = {
    "sine": SINE,
    "csv": CSV,
    "table": TABLE,
    "waves": WAVES,
    "ts": TS,
    "digits": DIGITS,
    "mnist": MNIST,
    "fashion-mnist": FASHION_MNIST,
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "folder": FOLDER,
    "npz": NPZ,
    "npy": NPY,
    "idx": IDX,
}


def load(section: DataSection, seed: int) -> Dataset:
    """Read and split the data that a section of one of the `SOURCES` describes.

    The same section and seed give the same numbers in the same parts.

    Raises:
        DataError: the data is missing, unreadable or cannot be trained on.
    """
    source = SOURCES[section.source]
    return check_parts(source.name, source.load(section, seed))
