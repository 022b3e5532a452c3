"""A run that nobody trained: drawn, and thrown away, to be quick with the first real one.

What a page's letters, ticks and templates take is remembered from figure to figure, so the second
one costs half as much as the first.
"""

from __future__ import annotations

import math

import numpy as np

from nncli.results import EpochRecord, Forecast, LayerRow, Predictions, StoredRun, Task

SAMPLES = 24
"""Of the test part; enough for each figure to be complete."""
_KINDS: dict[Task, str] = {"classification": "cnn", "forecast": "rnn"}


def specimen(task: Task) -> StoredRun:
    """A run with all that a figure can be drawn of; its numbers mean nothing."""
    classifies = task == "classification"
    figure = "accuracy" if classifies else "mean_absolute_error"
    history = tuple(_epoch(number, figure) for number in range(1, 7))
    return StoredRun(
        name="specimen-001",
        kind=_KINDS[task],
        task=task,
        config={"kind": _KINDS[task], "seed": 0, "training": {"batch_size": 32}},
        run={"command": "nncli train", "status": "finished", "device": {"name": "CPU"}},
        data={},
        metrics={"monitor": "val_loss", "best_epoch": 6, "epochs": 6, "test": {}, "baselines": []},
        history=history,
        layers=_layers(),
        predictions=_predictions() if classifies else None,
        forecast=None if classifies else _forecast(),
    )


def _epoch(number: int, figure: str) -> EpochRecord:
    metrics = {"loss": 1 / number, figure: 1 - 0.5 / number}
    metrics |= {f"val_{name}": value * 0.9 for name, value in metrics.items()}
    return EpochRecord("train", number, metrics, 0.001, 0.25, best=True)


def _layers() -> tuple[LayerRow, ...]:
    rows = (
        ("input", "Input", "", 0, "input"),
        ("conv2d", "Conv2D", "32 filters 3×3 · relu", 320, "convolution"),
        ("max_pooling2d", "MaxPooling2D", "window 2×2", 0, "pooling"),
        ("flatten", "Flatten", "to one vector", 0, "reshape"),
        ("simple_rnn", "SimpleRNN", "64 units · returns sequence · tanh", 4567, "recurrent"),
        ("dropout", "Dropout", "drop 25 %", 0, "dropout"),
        ("dense", "Dense", "10 units · softmax", 890, "dense"),
    )
    return tuple(
        LayerRow(name, type_, settings, (28, 28, 1), size, size, family, frozen=False)
        for name, type_, settings, size, family in rows
    )


def _predictions() -> Predictions:
    classes = tuple("0123456789")
    truth = np.arange(SAMPLES) % len(classes)
    said = truth.copy()
    said[::4] = (said[::4] + 1) % len(classes)
    probabilities = np.full((SAMPLES, len(classes)), 0.02, dtype=np.float32)
    probabilities[np.arange(SAMPLES), said] = 0.82
    shown = np.concatenate([np.flatnonzero(said != truth), np.flatnonzero(said == truth)[:8]])
    pictures = np.arange(len(shown) * 28 * 28, dtype=np.uint8).reshape(len(shown), 28, 28, 1)
    return Predictions(truth, probabilities, classes, shown, pictures)


def _forecast() -> Forecast:
    wave = np.array([math.sin(0.3 * step) for step in range(SAMPLES + 20)])
    seen, truth = wave[:20], wave[20:]
    return Forecast(seen, truth, 0.9 * truth, 0.8 * truth, wave[19:-1], "sin(t)")
