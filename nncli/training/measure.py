"""What a trained model is worth on the test part, which neither training nor choice has seen."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli.data.check.counts import interval
from nncli.data.dataset import Dataset, Series, Split
from nncli.data.padding import unfilled
from nncli.data.samples import Inputs
from nncli.models.kind import METRICS
from nncli.results import Array, Forecast, Predictions, Task
from nncli.training.inference import predict

SHOWN_WRONG = 8
SHOWN_RIGHT = 16
FREE_RUNNING_STEPS = 1_000
"""Further than this a forecast on its own forecasts says nothing."""


def get_ready(task: Task) -> None:
    """Load scikit-learn beside the training, which computes without Python most of the time."""
    if task == "classification" and "sklearn.metrics" not in sys.modules:
        threading.Thread(target=_load_metrics, daemon=True).start()


def _load_metrics() -> None:
    with suppress(Exception):  # `classify` meets it again, and tells it
        import sklearn.metrics  # noqa: F401


TEST_FIGURES: Mapping[Task, tuple[str, ...]] = {
    "classification": ("samples", "loss", "accuracy", "balanced_accuracy"),
    "forecast": (
        *("samples", "mean_absolute_error", "root_mean_squared_error"),
        *("persistence_mean_absolute_error", "free_running_mean_absolute_error"),
        "free_running_steps",
    ),
}
"""The numbers that are measured on the test part, beside those of each class."""
CLASS_FIGURES = ("precision", "recall", "f1", "samples")


def figures_to_come(dataset: Dataset, baselines: Iterable[str]) -> tuple[str, ...]:
    """The numbers that metrics.json will hold, by their dotted names.

    Args:
        dataset: what will be trained on.
        baselines: names of the networks to compare with.
    """
    trained = ("loss", METRICS[dataset.task])
    parts = {
        "test": TEST_FIGURES[dataset.task],
        "train": trained,
        "validation": () if dataset.validation is None else trained,
        **{f"baselines.{name}": ("loss", "accuracy") for name in baselines},
        **{f"test.classes.{name}": CLASS_FIGURES for name in dataset.classes},
    }
    named = (f"{part}.{name}" for part, names in parts.items() for name in names)
    return (*named, "epochs", "best_epoch", "parameters", "trainable_parameters")


def measured(
    model: Any, dataset: Dataset, samples: Inputs
) -> tuple[dict[str, Any], Predictions | None, Forecast | None]:
    """The figures on the test part, and what was predicted or forecast of it.

    Args:
        model: trained.
        dataset: as the model wants it.
        samples: the test inputs as people want to see them.
    """
    if dataset.task == "classification":
        figures, predictions = classify(
            model, dataset.test, dataset.classes, samples, dataset.padding
        )
        return figures, predictions, None
    assert dataset.series is not None
    figures, series = forecast(model, dataset.test.x, dataset.series)
    return figures, None, series


def classify(
    model: Any,
    test: Split,
    classes: tuple[str, ...],
    samples: Inputs,
    padding: float | None = None,
) -> tuple[dict[str, Any], Predictions]:
    """Measure a classifier.

    Args:
        model: (batch, …) → (batch, classes) probabilities.
        test: as the model wants it.
        classes: their names, by index.
        samples: the test inputs as people want to see them, pixels or sequences.
        padding: the value of steps that fill up shorter sequences; None where there are none.

    Returns:
        The figures by name, and what was predicted.
    """
    from sklearn import metrics

    truth = test.y
    probabilities = np.asarray(predict(model, test.x), dtype=np.float32)
    predicted = probabilities.argmax(axis=1)
    labels = np.arange(len(classes))
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
            for index, name in enumerate(classes)
        },
        "confusion": metrics.confusion_matrix(truth, predicted, labels=labels).tolist(),
    }
    inputs = unfilled(samples[shown], padding)
    predictions = Predictions(truth, probabilities, classes, shown, inputs)
    return figures, predictions


def _normalized(probabilities: Array) -> Array:
    """float64 rows that sum to one: a float32 softmax misses it by a rounding.

    No probability is less than 1e-7, as in Keras's loss, so that the two can be compared.
    """
    exact = probabilities.astype(np.float64).clip(1e-7, 1 - 1e-7)
    return np.asarray(exact / exact.sum(axis=1, keepdims=True))


def wilson_interval(right: int, samples: int) -> tuple[float, float]:
    """The 95 % interval of the share `right / samples`, right even at 0 and 1."""
    return interval(samples, right / samples)


def _shown(truth: Array, probabilities: Array) -> Any:
    """The samples worth looking at: wrong ones by confidence, then right ones by doubt."""
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    right = np.flatnonzero(predicted == truth)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][:SHOWN_WRONG]
    right = right[np.argsort(confidence[right], kind="stable")]
    return np.concatenate([wrong, right[: SHOWN_RIGHT - len(wrong)]])


def forecast(model: Any, x: Inputs, series: Series) -> tuple[dict[str, Any], Forecast]:
    """Measure a forecaster in the series' own units, beside repeating the last value.

    Where the model sees other columns too there is no free-running forecast: it would need what
    they will be.

    Args:
        model: (batch, window, features) → (batch, 1), or (batch, window, 1) where every step has
            its answer.
        x: the windows before each value to be measured on, or the one whose every step is.
        series: where they come from.

    Returns:
        The figures by name, and the forecasts.
    """
    answers = predict(model, x)
    every_step = answers.ndim == 3 and len(answers) == 1
    if answers.ndim == 3 and not every_step:  # of each window its last step alone is asked for
        answers = answers[:, -1]
    persistence = series.before
    one_step = series.to_units(answers.reshape(-1), persistence)
    truth = series.truth
    free_running = _free_running(model, x, series, every_step=every_step)
    steps = len(free_running)
    figures = {
        "samples": len(truth),
        "mean_absolute_error": _mae(one_step, truth),
        "root_mean_squared_error": float(np.sqrt(np.mean((one_step - truth) ** 2))),
        "persistence_mean_absolute_error": _mae(persistence, truth),
        "free_running_mean_absolute_error": _mae(free_running, truth[:steps]) if steps else None,
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


def _free_running(
    model: Any, x: Inputs, series: Series, *, every_step: bool
) -> NDArray[np.float64]:
    """(steps,) the first values of the test part, each from the model's own answers before it.

    Empty where the model sees other columns too.
    """
    window, features = x.shape[1:]
    if features > 1:
        return np.empty(0)
    steps = min(len(series.truth), FREE_RUNNING_STEPS)
    if every_step:
        return _free_running_steps(model, series, window, steps)
    return _free_running_window(model, series, window, steps)


def _free_running_window(
    model: Any, series: Series, window: int, steps: int
) -> NDArray[np.float64]:
    """Feed a model that answers what follows a window its own answers."""
    known = np.empty(window + steps)  # in own units: what was seen, then what was answered
    known[:window] = series.seen
    for end in range(window, window + steps):
        last = known[end - 1 : end]
        x = series.scaled_inputs(known[end - window : end], last).reshape(1, window, 1)
        answer = np.asarray(model.predict_on_batch(x))[0]
        known[end] = series.to_units(answer.reshape(-1)[-1:], last)[0]
    return known[window:]


def _free_running_steps(model: Any, series: Series, window: int, steps: int) -> NDArray[np.float64]:
    """Feed a model that answers at every step its own answers, from the first value on."""
    assert not series.relative, "every step would need its own last value"
    known = np.full(window + 1, series.offset)
    known[0] = series.seen[0]
    for step in range(min(steps, window)):
        # what is not known yet lies after `step`, where a recurrent model does not look
        x = series.scaled_inputs(known[:window], known[:window]).reshape(1, window, 1)
        answer = np.asarray(model.predict_on_batch(x))[0, step]
        known[step + 1] = series.to_units(answer, known[step : step + 1])[0]
    return known[1 : steps + 1]
