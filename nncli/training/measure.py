"""What a trained model is worth on the test part, which neither training nor choice has seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from nncli.data.dataset import Dataset
from nncli.results import Array, Forecast, Predictions
from nncli.training.order import LARGE_BATCH

SHOWN_WRONG = 8
SHOWN_RIGHT = 16
FREE_RUNNING_STEPS = 1_000
"""Further than this a forecast on its own forecasts says nothing."""


def classify(model: Any, dataset: Dataset, samples: Array) -> tuple[dict[str, Any], Predictions]:
    """Measure a classifier.

    Args:
        model: (batch, …) → (batch, classes) probabilities.
        dataset: as the model wants it.
        samples: the test inputs as people want to see them, pixels or sequences.

    Returns:
        The figures by name, and what was predicted.
    """
    from sklearn import metrics

    truth = dataset.test.y
    probabilities = np.asarray(
        model.predict(dataset.test.x, batch_size=LARGE_BATCH, verbose=0), dtype=np.float32
    )
    predicted = probabilities.argmax(axis=1)
    labels = np.arange(len(dataset.classes))
    right = int((predicted == truth).sum())
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    low, high = wilson_interval(right, len(truth))
    shown = _shown(truth, probabilities)
    figures = {
        "samples": len(truth),
        "loss": float(metrics.log_loss(truth, _normalized(probabilities), labels=labels)),
        "accuracy": right / len(truth),
        "accuracy_interval_95": [low, high],
        "balanced_accuracy": float(recall[support > 0].mean()),
        "classes": {
            name: {
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "samples": int(support[index]),
            }
            for index, name in enumerate(dataset.classes)
        },
        "confusion": metrics.confusion_matrix(truth, predicted, labels=labels).tolist(),
    }
    predictions = Predictions(truth, probabilities, dataset.classes, shown, samples[shown])
    return figures, predictions


def _normalized(probabilities: Array) -> Array:
    """float64 rows that sum to one: a float32 softmax misses it by a rounding."""
    exact = probabilities.astype(np.float64)
    return np.asarray(exact / exact.sum(axis=1, keepdims=True))


def wilson_interval(right: int, samples: int) -> tuple[float, float]:
    """The 95 % interval of a share, right even at 0 and 1.

    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n), z = 1.96

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927) 209–212.
    """
    z = 1.959963984540054
    p = right / samples
    centre = p + z * z / (2 * samples)
    half = z * float(np.sqrt(p * (1 - p) / samples + z * z / (4 * samples * samples)))
    scale = 1 + z * z / samples
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def _shown(truth: Array, probabilities: Array) -> Any:
    """The samples worth looking at: wrong ones by confidence, then right ones by doubt."""
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    right = np.flatnonzero(predicted == truth)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][:SHOWN_WRONG]
    right = right[np.argsort(confidence[right], kind="stable")]
    return np.concatenate([wrong, right[: SHOWN_RIGHT - len(wrong)]])


def forecast(model: Any, dataset: Dataset) -> tuple[dict[str, Any], Forecast]:
    """Measure a forecaster in the series' own units, beside repeating the last value.

    Returns:
        The figures by name, and the forecasts.
    """
    series = dataset.series
    assert series is not None
    x = dataset.test.x
    answers = np.asarray(model.predict(x, batch_size=LARGE_BATCH, verbose=0))
    one_step = series.to_units(answers.reshape(-1))
    last = x[:, :, :1] if dataset.target_steps else x[:, -1:, :1]
    persistence = series.to_units(last.reshape(-1))
    truth = series.truth
    steps = min(len(truth), FREE_RUNNING_STEPS)
    run = _free_running_steps if dataset.target_steps else _free_running_window
    free_running = series.to_units(run(model, x, steps))
    figures = {
        "samples": len(truth),
        "mean_absolute_error": _mae(one_step, truth),
        "root_mean_squared_error": float(np.sqrt(np.mean((one_step - truth) ** 2))),
        "persistence_mean_absolute_error": _mae(persistence, truth),
        "free_running_mean_absolute_error": _mae(free_running, truth[:steps]),
        "free_running_steps": steps,
        "unit": series.name,
    }
    result = Forecast(
        seen=series.seen,
        truth=truth,
        one_step=one_step,
        free_running=free_running,
        persistence=persistence,
        name=series.name,
        labels=series.labels,
    )
    return figures, result


def _mae(predicted: Array, truth: Array) -> float:
    return float(np.mean(np.abs(predicted - truth)))


def _free_running_window(model: Any, x: Array, steps: int) -> Array:
    """Feed a model that answers with the next value its own answers."""
    window = x[:1].copy()
    answers = np.empty(steps, dtype=np.float32)
    for step in range(steps):
        answers[step] = np.asarray(model.predict_on_batch(window))[0, 0]
        window = np.concatenate([window[:, 1:], answers[step].reshape(1, 1, 1)], axis=1)
    return answers


def _free_running_steps(model: Any, x: Array, steps: int) -> Array:
    """Feed a model that answers at every step its own answers, from the first value on."""
    window = np.zeros_like(x[:1])
    window[0, 0] = x[0, 0]
    answers = np.empty(steps, dtype=np.float32)
    for step in range(steps):
        answers[step] = np.asarray(model.predict_on_batch(window))[0, step, 0]
        if step + 1 < steps:
            window[0, step + 1, 0] = answers[step]
    return answers
