"""Writes the data and the weights that both sides of a comparison read.

    python benchmarks/made.py FOLDER FILE...

Every class has a prototype, and a sample is its prototype under noise: it can be learned, and no
two samples are equal. In a process of its own, so that the one that measures stays small.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

MEASURED = 50
"""Samples of the test part: nncli always measures on one, the plain scripts have none."""
SETTLING = 128
"""Images whose statistics the BatchNormalization layers of a random base are given."""


def write_images(
    path: Path,
    train: int,
    validation: int,
    side: int,
    channels: int,
    contrast: tuple[float, float] = (0.1, 0.5),
    noise: float = 1.0,
) -> None:
    """uint8 images of ten classes: (samples, side, side, channels).

    Args:
        path: the archive.
        train: images of the training part.
        validation: of the validation part.
        side: height and width.
        channels: of a pixel.
        contrast: how strong a prototype is shown, at least and at most.
        noise: how strong the noise over it is.
    """
    random = np.random.default_rng(0)
    coarse = random.normal(size=(10, 4, 4, channels))  # large spots, which pooling does not blur
    prototypes = coarse.repeat(side // 4, axis=1).repeat(side // 4, axis=2).astype(np.float32)
    arrays: dict[str, Any] = {}
    for part, count in (("train", train), ("val", validation), ("test", MEASURED)):
        y = np.arange(count) % 10
        random.shuffle(y)
        x = np.empty((count, side, side, channels), dtype=np.uint8)
        for i in range(count):
            shown = random.uniform(*contrast) * prototypes[y[i]]
            shown += noise * random.standard_normal(shown.shape, dtype=np.float32)
            x[i] = np.clip(128 + 48 * shown, 0, 255)
        arrays |= {f"x_{part}": x, f"y_{part}": y.astype(np.uint8)}
    np.savez(path, **arrays)


def write_few(path: Path, side: int, contrast: tuple[float, float], noise: float) -> None:
    """As many as the lesson's transfer has, clear enough for a base that was never trained."""
    write_images(path, 2_000, 500, side, channels=3, contrast=contrast, noise=noise)


def write_sequences(path: Path, train: int, steps: int, features: int) -> None:
    """float32 sequences of five classes, of mean 0 and deviation 1: (samples, steps, features).

    They are standardized already because nncli does so with all sequences.
    """
    random = np.random.default_rng(0)
    prototypes = np.cumsum(random.normal(size=(5, steps, features)), axis=1) / steps**0.5
    y = np.arange(train + MEASURED) % 5
    random.shuffle(y)
    x = prototypes[y] * random.uniform(0.2, 1, (len(y), 1, 1))
    x += 2 * random.normal(size=x.shape)
    x = ((x - x[:train].mean(axis=(0, 1))) / x[:train].std(axis=(0, 1))).astype(np.float32)
    y = y.astype(np.uint8)
    np.savez(path, x_train=x[:train], y_train=y[:train], x_test=x[train:], y_test=y[train:])


def write_runs(root: Path, count: int) -> None:
    """Run folders of two kinds as a list reads them; every tenth was cut off."""
    metrics = {
        "kind": "cnn",
        "task": "classification",
        "monitor": "val_loss",
        "stopped": "finished",
        "epochs": 12,
        "best_epoch": 9,
        "parameters": 225_034,
        "baselines": [],
        **{part: {"loss": 0.1, "accuracy": 0.975} for part in ("train", "validation", "test")},
    }
    for number in range(1, count + 1):
        kind = "cnn" if number % 2 else "lstm"
        folder = root / kind / f"{kind}-made-{number:04}"
        folder.mkdir(parents=True)
        record = {
            "command": f"nncli train {kind}",
            "seed": 42,
            "seconds": {"train": 12.5},
            "status": "finished" if number % 10 else "running",
            "data": {"source": "made"},
            "started": f"2026-01-{1 + number % 28:02}T12:00:00+00:00",
        }
        (folder / "run.json").write_text(json.dumps(record, indent=2))
        (folder / "metrics.json").write_text(json.dumps({**metrics, "kind": kind}, indent=2))


def write_weights(path: Path, network: str, side: int) -> None:
    """Random weights of a base, scaled so that its features carry signal to the end."""
    from tensorflow import keras

    keras.utils.set_random_seed(0)
    base = getattr(keras.applications, network)(
        weights=None, include_top=False, input_shape=(side, side, 3)
    )
    norms = [each for each in base.layers if isinstance(each, keras.layers.BatchNormalization)]
    convolutions = [each for each in base.layers if type(each) is keras.layers.Conv2D]
    if not norms:
        for layer in convolutions:
            layer.kernel.assign(layer.kernel * 2**0.5)  # what a ReLU takes away
        last = convolutions[-1].kernel
        last.assign(last * 8)  # what the pooling takes away of the differences between images
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0  # takes the statistics of one batch as they are
    if norms:
        settle(base, side)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
    base.save_weights(path)
    # the same for PyTorch, which reads no file of Keras
    np.savez(path.with_suffix(".npz"), *base.get_weights())


def settle(base: Any, side: int) -> None:
    """Let BatchNormalization layers see images like those of the task."""
    random = np.random.default_rng(1)
    coarse = random.normal(size=(SETTLING, 4, 4, 3)).repeat(side // 4, 1).repeat(side // 4, 2)
    noise = random.normal(size=coarse.shape)
    shown = np.clip(0.5 + 0.19 * (coarse + 0.7 * noise), 0, 1)
    base(shown.astype(np.float32), training=True)


FILES: dict[str, Callable[[Path], None]] = {
    "runs-1000": partial(write_runs, count=1_000),
    "sequences.npz": partial(write_sequences, train=2_000, steps=100, features=10),
    "cnn.npz": partial(write_images, train=10_000, validation=2_000, side=28, channels=1),
    "vgg16.npz": partial(write_few, side=32, contrast=(0.5, 1.5), noise=0.7),
    "vgg16.weights.h5": partial(write_weights, network="VGG16", side=32),
    "mobilenet.npz": partial(write_few, side=96, contrast=(0.75, 1.25), noise=0.08),
    "mobilenet.weights.h5": partial(write_weights, network="MobileNetV2", side=96),
    **{
        f"cnn-{count}.npz": partial(
            write_images, train=count, validation=count // 5, side=28, channels=1
        )
        for count in (1_000, 2_500, 10_000, 40_000)
    },
}
"""What can be written, by name."""


def main(arguments: list[str]) -> int:
    folder, *names = arguments
    for name in names:
        FILES[name](Path(folder) / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
