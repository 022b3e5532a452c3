"""Small data of every kind, written where a test wants it."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nncli.data import SOURCES
from nncli.data.source import DataSection

_GIVEN = os.environ.get("NNCLI_TEST_DATA")
REAL = Path(_GIVEN or "no-data")
needs_real_data = pytest.mark.skipif(not _GIVEN, reason="NNCLI_TEST_DATA is not set")


def section(source: str, **settings: Any) -> DataSection:
    """A section as a config makes it: from JSON, strictly."""
    values = {
        key: str(value) if isinstance(value, Path) else value for key, value in settings.items()
    }
    return SOURCES[source].section.model_validate_json(
        json.dumps({"source": source, **values}), strict=True
    )


def write_csv(path: Path, rows: int = 200) -> Path:
    lines = [f"{1900 + i // 12}-{i % 12 + 1:02},{50 + 30 * np.sin(i / 5):.3f}" for i in range(rows)]
    path.write_text("Month,Sold\n" + "\n".join(lines) + "\n")
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
