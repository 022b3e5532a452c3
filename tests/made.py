"""Small datasets and run folders, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nncli import runs
from nncli.data.dataset import Dataset, Split
from nncli.results import Result, StoredRun


def images(
    samples: int = 24, side: int = 12, channels: int = 1, classes: int = 3, seed: int = 0
) -> Dataset:
    """Pictures whose class is the place of a bright square; train, validation and test alike."""
    rng = np.random.default_rng(seed)

    def part(count: int) -> Split:
        y = np.arange(count, dtype=np.int64) % classes
        x = rng.integers(0, 60, (count, side, side, channels)).astype(np.uint8)
        for row, label in enumerate(y):
            begin = int(label) * (side // classes)
            x[row, begin : begin + 3, 2:6] = 255
        return Split(x, y)

    return Dataset(
        name="made",
        family="images",
        task="classification",
        train=part(samples),
        validation=part(samples // 2),
        test=part(samples // 2),
        classes=tuple("abcdefghij"[:classes]),
    )


def sequences(samples: int = 24, steps: int = 8, features: int = 2, seed: int = 0) -> Dataset:
    """Sequences that rise or fall."""
    rng = np.random.default_rng(seed)

    def part(count: int) -> Split:
        y = np.arange(count, dtype=np.int64) % 2
        slope = np.where(y == 0, 1.0, -1.0)[:, None, None]
        time = np.linspace(-1, 1, steps)[None, :, None]
        x = slope * time + 0.1 * rng.standard_normal((count, steps, features))
        return Split(x.astype(np.float32), y)

    return Dataset(
        name="made",
        family="sequences",
        task="classification",
        train=part(samples),
        validation=part(samples // 2),
        test=part(samples // 2),
        classes=("rises", "falls"),
    )


def run_folder(run: StoredRun, root: Path, *, stopped: str = "finished") -> Path:
    """The folder `root/kind/name` as training would have left it."""
    result = Result(
        kind=run.kind,
        task=run.task,
        monitor=str(run.metrics.get("monitor", "val_loss")),
        history=run.history,
        best_epoch=int(run.metrics.get("best_epoch", 0)),
        stopped=stopped,
        test=run.metrics.get("test", {}),
        layers=run.layers,
        predictions=run.predictions,
        forecast=run.forecast,
        seconds={"train": 1.5},
    )
    with runs.create(root, run.kind, run.name, run.name, {"status": "running", **run.run}) as made:
        text = json.dumps(dict(run.config))  # which is YAML too
        (made.folder / "config.yaml").write_text(text, encoding="utf-8")
        (made.folder / "data.json").write_text(json.dumps(dict(run.data)), encoding="utf-8")
        made.save(result, "summary\n", lambda path: path.write_bytes(b"model"))
        made.finish(result, {})
        return made.folder
