"""Stored runs to draw: small models really trained on digits, and every odd case."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from nncli.results import Array, EpochRecord, Forecast, LayerRow, Predictions, StoredRun


def stored(**changes: Any) -> StoredRun:
    """A run of a small CNN on digits, with `changes`."""
    run = StoredRun(
        name="cnn-digits-001",
        kind="cnn",
        task="classification",
        config={
            "kind": "cnn",
            "seed": 7,
            "data": {"source": "digits"},
            "training": {"optimizer": "adam", "batch_size": 32},
        },
        run={},
        data={},
        metrics={"monitor": "val_loss"},
        history=(),
        layers=cnn_layers(),
    )
    return replace(run, **changes)


def records(
    metrics: Mapping[str, Sequence[float]], phases: Sequence[tuple[str, int]] = ()
) -> tuple[EpochRecord, ...]:
    """A history from the values of each metric; `phases` are names and numbers of epochs."""
    length = len(next(iter(metrics.values())))
    names = [name for name, count in phases or [("train", length)] for _ in range(count)]
    return tuple(
        EpochRecord(
            phase=names[index],
            epoch=index + 1,
            metrics={name: float(values[index]) for name, values in metrics.items()},
            learning_rate=0.001,
            seconds=0.5,
            best=False,
        )
        for index in range(length)
    )


def with_history(
    metrics: Mapping[str, Sequence[float]],
    *,
    phases: Sequence[tuple[str, int]] = (),
    monitor: str = "val_loss",
    **changes: Any,
) -> StoredRun:
    """A run with these curves; the best epoch is the lowest monitored value."""
    values = np.asarray(metrics[monitor], dtype=float)
    found: dict[str, Any] = {"monitor": monitor}
    if np.isfinite(values).any():
        pick = np.nanargmax if "accuracy" in monitor else np.nanargmin
        found["best_epoch"] = int(pick(np.where(np.isfinite(values), values, np.nan))) + 1
    return stored(metrics=found, history=records(metrics, phases), **changes)


@cache
def digits_history(
    epochs: int = 30, units: int = 24, rate: float = 0.004
) -> dict[str, list[float]]:
    """Loss and accuracy of a real network on a part of digits, epoch by epoch."""
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    x, y = load_digits(return_X_y=True)
    x = x / 16
    train, validation = slice(0, 300), slice(300, 700)
    model = MLPClassifier((units,), learning_rate_init=rate, batch_size=32, random_state=3)
    found: dict[str, list[float]] = {
        name: [] for name in ("loss", "accuracy", "val_loss", "val_accuracy")
    }
    for _ in range(epochs):
        model.partial_fit(x[train], y[train], classes=range(10))
        for prefix, part in (("", train), ("val_", validation)):
            said = model.predict_proba(x[part])
            loss = -np.log(np.maximum(said[np.arange(len(said)), y[part]], 1e-15)).mean()
            found[f"{prefix}loss"].append(float(loss))
            found[f"{prefix}accuracy"].append(float((said.argmax(axis=1) == y[part]).mean()))
    return found


@cache
def digits_predictions(samples: int = 897, iterations: int = 12) -> Predictions:
    """What a real logistic regression, stopped early, says of the last digits."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    data = load_digits()
    model = LogisticRegression(max_iter=iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(data.data[:600] / 16, data.target[:600])
    probabilities = model.predict_proba(data.data[-samples:] / 16)
    images = (data.images[-samples:] * 15.9375).astype(np.uint8)[..., None]
    return predictions(
        data.target[-samples:], probabilities, [str(digit) for digit in range(10)], images
    )


def predictions(
    truth: Array, probabilities: Array, classes: Sequence[str], inputs: Array, most: int = 8
) -> Predictions:
    """Predictions with the shown samples chosen as training chooses them."""
    sure, said = probabilities.max(axis=1), probabilities.argmax(axis=1)
    order = np.argsort(-sure, kind="stable")
    wrong = [index for index in order if said[index] != truth[index]][:most]
    right = [index for index in order[::-1] if said[index] == truth[index]][:most]
    shown = np.array([*wrong, *right], dtype=np.int64)
    return Predictions(
        truth=np.asarray(truth, dtype=np.int64),
        probabilities=np.asarray(probabilities, dtype=np.float32),
        classes=tuple(classes),
        shown=shown,
        inputs=inputs[shown],
    )


def invented(
    classes: Sequence[str],
    samples: int,
    *,
    sharpness: float = 3.0,
    inputs: Array | None = None,
    seed: int = 0,
) -> Predictions:
    """Predictions of a pretended classifier; the higher `sharpness`, the fewer mistakes."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, len(classes), samples)
    scores = random.normal(size=(samples, len(classes)))
    scores[np.arange(samples), truth] += sharpness
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    if inputs is None:
        inputs = random.integers(0, 256, (samples, 12, 16, 3), dtype=np.uint8)
    return predictions(truth, probabilities, classes, inputs)


def row(
    name: str,
    type: str,
    settings: str,
    shape: tuple[int | None, ...],
    parameters: int = 0,
    family: str = "dense",
    *,
    trainable: int | None = None,
    inside: int = 0,
) -> LayerRow:
    """One layer; all its parameters are trained unless told."""
    trained = parameters if trainable is None else trainable
    return LayerRow(
        name, type, settings, shape, parameters, trained, family,
        frozen=parameters > 0 and trained == 0, layers_inside=inside,
    )  # fmt: skip


def cnn_layers() -> tuple[LayerRow, ...]:
    """The lesson's CNN."""
    return (
        row("input_layer", "InputLayer", "", (28, 28, 1), family="input"),
        row("conv2d", "Conv2D", "32 filters 3×3 · relu", (26, 26, 32), 320, "convolution"),
        row("max_pooling2d", "MaxPooling2D", "window 2×2", (13, 13, 32), family="pooling"),
        row("conv2d_1", "Conv2D", "64 filters 3×3 · relu", (11, 11, 64), 18496, "convolution"),
        row("max_pooling2d_1", "MaxPooling2D", "window 2×2", (5, 5, 64), family="pooling"),
        row("flatten", "Flatten", "to one vector", (1600,), family="reshape"),
        row("dense", "Dense", "128 units · relu", (128,), 204928),
        row("dense_1", "Dense", "10 units · softmax", (10,), 1290),
    )


def vgg_layers(trainable: int = 0) -> tuple[LayerRow, ...]:
    """A head on VGG16, of which `trainable` parameters are trained."""
    return (
        row("input_layer", "InputLayer", "", (64, 64, 3), family="input"),
        row("vgg16", "VGG16", "19 layers inside", (2, 2, 512), 14_714_688, "base",
            trainable=trainable, inside=19),
        row("global_average_pooling2d", "GlobalAveragePooling2D", "mean of each feature map",
            (512,), family="pooling"),
        row("dense", "Dense", "256 units · relu", (256,), 131_328),
        row("dropout", "Dropout", "drop 50 %", (256,), family="dropout"),
        row("dense_1", "Dense", "10 units · softmax", (10,), 2570),
    )  # fmt: skip


def long_layers(count: int) -> tuple[LayerRow, ...]:
    """A model of `count` layers of all families."""
    families = ("convolution", "normalization", "other", "pooling", "reshape", "recurrent",
                "dropout", "dense")  # fmt: skip
    found = [row("input_layer", "InputLayer", "", (None, None, 3), family="input")]
    for index in range(count - 1):
        family = families[index % len(families)]
        found.append(
            row(f"a_rather_long_layer_name_{index}", f"{family.capitalize()}Layer",
                "128 filters 3×3 · stride 2 · same · relu · l2 0.0001", (112, 112, 128),
                147_584 if index % 3 == 0 else 0, family,
                trainable=0 if index % 6 == 0 else None)
        )  # fmt: skip
    return tuple(found)


def forecast(
    series: Array,
    one_step: Array,
    free_running: Array,
    *,
    window: int,
    name: str = "sin(t)",
    labels: Sequence[str] = (),
) -> StoredRun:
    """A forecaster's run; `series` begins with the seen window."""
    seen, truth = series[:window], series[window:]
    return stored(
        name="rnn-sine-001",
        kind="rnn",
        task="forecast",
        forecast=Forecast(
            seen=seen, truth=truth, one_step=one_step, free_running=free_running,
            persistence=series[window - 1 : -1], name=name, labels=tuple(labels),
        ),
    )  # fmt: skip


def autoregression(series: Array, window: int, order: int = 9) -> tuple[Array, Array]:
    """What a linear model fitted by least squares says of `series` after `window`."""
    rows = np.lib.stride_tricks.sliding_window_view(series, order + 1)
    weights, *_ = np.linalg.lstsq(rows[:, :-1], rows[:, -1], rcond=1e-3)
    one_step = rows[window - order :, :-1] @ weights
    past = list(series[window - order : window])
    for _ in range(len(series) - window):
        past.append(float(np.dot(past[-order:], weights)))
    return one_step, np.array(past[order:])


def sine_run(steps: int = 20, window: int = 20, noise: float = 0.05) -> StoredRun:
    """The lesson's sine."""
    random = np.random.default_rng(5)
    t = np.arange(window + steps)
    series = np.sin(0.3 * t) + noise * random.normal(size=len(t))
    return forecast(series, *autoregression(series, window), window=window)


def sunspot_run(steps: int = 560, window: int = 132) -> StoredRun:
    """Eleven-year waves with noise, by month."""
    random = np.random.default_rng(8)
    t = np.arange(window + steps)
    waves = 90 * np.sin(np.pi * t / 132) ** 2 * (1 + 0.4 * np.sin(t / 210))
    series = np.maximum(0, waves + (5 + 0.15 * waves) * random.normal(size=len(t)))
    labels = [f"{1970 + i // 12}-{i % 12 + 1:02d}" for i in range(steps)]
    return forecast(
        series, *autoregression(series, window, 40), window=window, name="Sunspots", labels=labels
    )
