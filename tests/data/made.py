"""Small data of every kind, written where a test wants it."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nncli.data import SOURCES
from nncli.data.dataset import Family
from nncli.data.source import DataSection

Arrays = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
"""Inputs and labels."""

_GIVEN = os.environ.get("NNCLI_TEST_DATA")
REAL = Path(_GIVEN or "no-data")
needs_real_data = pytest.mark.skipif(not _GIVEN, reason="NNCLI_TEST_DATA is not set")


def section(source: str, *, family: Family | None = None, **settings: Any) -> DataSection:
    """A section as a config makes it: from JSON, strictly."""
    values = {
        key: str(value) if isinstance(value, Path) else value for key, value in settings.items()
    }
    sections = SOURCES[source].sections
    return sections[family or next(iter(sections))].model_validate_json(
        json.dumps({"source": source, **values}), strict=True
    )


def write_csv(path: Path, rows: int = 200) -> Path:
    lines = [f"{1900 + i // 12}-{i % 12 + 1:02},{50 + 30 * np.sin(i / 5):.3f}" for i in range(rows)]
    path.write_text("Month,Sold\n" + "\n".join(lines) + "\n")
    return path


def write_table(path: Path, rows: int = 60, columns: int = 64, seed: int = 0) -> Path:
    """A label and pixels per row; what a pixel is depends on the class and on chance."""
    random = np.random.default_rng(seed)
    lines = ["label," + ",".join(f"pixel{i}" for i in range(columns))]
    for i in range(rows):
        pixels = random.integers(0, 128, columns) + 100 * (i % 3 == np.arange(columns) % 3)
        lines.append(",".join(map(str, [("up", "down", "still")[i % 3], *pixels])))
    path.write_text("\n".join(lines) + "\n")
    return path


def write_ts(path: Path, samples: int = 20, seed: int = 0, steps: int = 7) -> Path:
    random = np.random.default_rng(seed)
    lines = [
        "# made",
        "@problemName made",
        "@equalLength true",
        "@classLabel true up down",
        "@data",
    ]
    for i in range(samples):
        channels = [",".join(f"{v:.4f}" for v in random.normal(5, 3, steps)) for _ in range(2)]
        lines.append(":".join([*channels, ("up", "down")[i % 2]]))
    path.write_text("\n".join(lines) + "\n")
    return path


def write_ts_pair(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_ts(folder / "Made_TRAIN.ts", seed=1)
    write_ts(folder / "Made_TEST.ts", seed=2)
    return folder


def picture(
    seed: int | list[int], width: int = 12, height: int = 10, mode: str = "RGB"
) -> Image.Image:
    channels = (3,) if mode == "RGB" else ()
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, *channels))
    return Image.fromarray(pixels.astype(np.uint8))


def write_folder(root: Path, classes: tuple[str, ...] = ("cat", "dog"), count: int = 20) -> Path:
    for c, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for i in range(count):
            picture(hash_free(str(root.name), c, i)).save(root / name / f"{i:03}.png")
    return root


def hash_free(*parts: object) -> list[int]:
    """A seed out of texts and numbers that is the same in every process."""
    return [byte for part in parts for byte in str(part).encode()]


def images(count: int = 60, side: int = 10, channels: int = 1, classes: int = 3) -> Arrays:
    """Pixels and labels: noise, and a bright stripe where the class says."""
    random = np.random.default_rng(0)
    y = np.arange(count) % classes
    x = random.integers(0, 90, (count, side, side, channels), dtype=np.uint8)
    for row, label in enumerate(y):
        x[row, :, label * side // classes] += 150
    return x, y


def signals(count: int = 60, steps: int = 8, features: int = 2) -> Arrays:
    """Sequences that rise or fall, and labels; each feature in its own units."""
    random = np.random.default_rng(0)
    y = np.arange(count) % 2
    slope = np.where(y == 0, 1.0, -1.0)[:, None, None] * np.arange(steps)[:, None]
    x = slope + random.normal(size=(count, steps, features))
    return x * 10.0 ** np.arange(features) + 500 * np.arange(features), y


def write_npy(path: Path, array: Any) -> Path:
    np.save(path, array)
    return path


def write_pair(folder: Path, x: Any, y: Any) -> Path:
    """`x.npy`, whose path is answered, with `y.npy` beside it."""
    write_npy(folder / "y.npy", y)
    return write_npy(folder / "x.npy", x)


def write_npz(path: Path, *, packed: bool = False, **arrays: Any) -> Path:
    (np.savez_compressed if packed else np.savez)(path, **arrays)
    return path


def write_bomb(path: Path, size: int) -> Path:
    """An archive whose x is promised to be that many bytes; they are not there."""
    raw = io.BytesIO()
    shape = {"descr": "|u1", "fortran_order": False, "shape": (size // 100, 10, 10)}
    np.lib.format.write_array_header_1_0(raw, shape)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", raw.getvalue())
        archive.filelist[0].file_size = len(raw.getvalue()) + size
        y = io.BytesIO()
        np.save(y, np.arange(size // 100) % 2)
        archive.writestr("y.npy", y.getvalue())
    return path


def write_idx(path: Path, array: Any) -> Path:
    """As MNIST's authors did; packed where the name ends in .gz."""
    codes = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
    array = np.asarray(array)
    start = bytes([0, 0, codes[array.dtype.str[1:]], array.ndim])
    sides = b"".join(side.to_bytes(4, "big") for side in array.shape)
    raw = start + sides + array.astype(array.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def write_fashion(home: Path, train: int = 60, test: int = 30) -> Path:
    """Keras's four files in small; its loader reads the counts from them."""
    folder = home / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for prefix, count in (("train", train), ("t10k", test)):
        with gzip.open(folder / f"{prefix}-labels-idx1-ubyte.gz", "wb") as labels:
            labels.write(bytes(8) + bytes(i % 10 for i in range(count)))
        with gzip.open(folder / f"{prefix}-images-idx3-ubyte.gz", "wb") as images:
            images.write(bytes(16) + random.bytes(count * 28 * 28))
    return folder
