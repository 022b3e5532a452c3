"""A trained model on samples that it has not learned from: every figure, and how sure it is.

Classes: M. Grandini et al., Metrics for multi-class classification: an overview, 2020;
calibration: C. Guo et al., On calibration of modern neural networks, 2017. Series: R. Hyndman,
A. Koehler, Another look at measures of forecast accuracy, 2006. Intervals: B. Efron,
R. Tibshirani, An introduction to the bootstrap, 1993; of series by moving blocks, H. Künsch, 1989.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli import backend, data
from nncli.data.dataset import Series, Split
from nncli.data.learned import Learned
from nncli.data.others import Others
from nncli.data.source import DataSection
from nncli.differences import changed_figures
from nncli.errors import DataError
from nncli.results import Array, Evaluation, Forecast, Predictions
from nncli.results import section as section_in
from nncli.status import tell
from nncli.trained.model import OpenedRun
from nncli.trained.samples import read_others
from nncli.training.inference import predict
from nncli.training.measure import (
    CLASS_FIGURES,
    TEST_FIGURES,
    classify,
    forecast,
    wilson_interval,
)

TOP_K = (2, 3, 5, 10)
"""Among how many of the likeliest classes the true one is looked for."""
BINS = 15
"""Of the calibration, by the model's confidence, all equally wide."""
RESAMPLES = 2_000
"""Of a bootstrap."""
HORIZON_FIGURES = (
    *("forecasts", "mean_absolute_error", "root_mean_squared_error"),
    *("persistence_mean_absolute_error", "mean_absolute_scaled_error"),
)
"""What is measured so many steps ahead."""
SEED = 0
"""Of the bootstrap: the same samples give the same intervals."""
HORIZON = 12
"""Steps ahead that a series is forecast, at most half of what it is measured on."""


def evaluate_run(
    run: OpenedRun, section: DataSection | None, horizon: int | None, command: str
) -> Evaluation:
    """Read the samples, load the model and measure it on them.

    Args:
        run: whose model is measured.
        section: other samples; None for the run's own test part.
        horizon: how many steps ahead a series is forecast at most; None for `HORIZON`.
        command: for the record.

    Raises:
        DataError: the samples are missing, damaged, or not such that the model can take.
        ModelError: the model cannot be loaded.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    began = time.monotonic()
    tell("reading the samples")
    samples = _own_samples(run) if section is None else read_others(run, section)
    tell("starting TensorFlow")
    device = run.start()
    tell("loading the model")
    model = run.load_model()
    tell("measuring")
    predictions = series = None
    if run.learned.task == "classification":
        figures, predictions = class_figures(model, run, samples)
    else:
        figures, series = series_figures(model, run, samples, horizon)
    path = getattr(run.config.data if section is None else section, "path", None)
    trained = run.stored.metrics["test"] if section is None else {}
    return Evaluation(
        run=run.stored.name,
        kind=run.stored.kind,
        task=run.learned.task,
        data="its test part" if section is None else _called(section),
        own=section is None,
        figures=figures,
        changed=tuple(changed_figures(trained, figures, more=True)),
        notes=(*samples.notes, *_seen(run, section)),
        record={
            "command": command,
            "started": started,
            "seconds": round(time.monotonic() - began, 3),
            "versions": backend.versions(),
            "device": asdict(device),
            "samples": {
                "source": run.learned.source if section is None else section.source,
                "path": None if path is None else str(path),
                "fingerprint": samples.digest or None,
            },
        },
        predictions=predictions,
        forecast=series,
    )


def _called(section: DataSection) -> str:
    """What other samples are called: their file's or folder's name, or their source."""
    path = getattr(section, "path", None)
    return section.source if path is None else path.name


def _own_samples(run: OpenedRun) -> Others:
    """The run's own test part, read and divided as for its training.

    Raises:
        DataError: the data is gone, or is no more what it was: what is measured on now may have
            been trained on then.
    """
    dataset = data.load(run.config.data, run.config.seed)
    known = section_in(run.stored.run, "data").get("fingerprint")
    if known != dataset.fingerprint():
        raise DataError(
            f"the samples of {run.config.data.source} are no longer those that "
            f"{run.stored.name} was trained on, so its test part cannot be told",
            hint="--data measures on all of a file or folder",
        )
    return Others(dataset.test, dataset.series, dataset.fingerprint(), dataset.notes)


def _seen(run: OpenedRun, section: DataSection | None) -> Iterator[str]:
    """A note that samples were trained on, so far as that is known."""
    if section is None or section.source == "waves":
        return
    own = run.config.data
    path = getattr(section, "path", None)
    if section.source == own.source and (path is None or path == getattr(own, "path", None)):
        yield (
            "the run was trained on samples of the same source: without --data, those are "
            "measured that it has not seen"
        )


def figures_to_come(learned: Learned, horizon: int | None) -> tuple[str, ...]:
    """The numbers that will have been measured, by their dotted names.

    Args:
        learned: of the run.
        horizon: how many steps ahead at most; None for `HORIZON`.
    """
    names = list(TEST_FIGURES[learned.task])
    if learned.task == "classification":
        names += ["macro_f1", "expected_calibration_error"]
        names += [f"top_k_accuracy.{k}" for k in TOP_K if k < len(learned.classes)]
        names += [f"classes.{name}.{each}" for name in learned.classes for each in CLASS_FIGURES]
    else:
        names += ["mean_absolute_scaled_error", "naive_error_of_training"]
        names += [
            f"horizons.{steps}.{each}"
            for steps in range(1, (horizon or HORIZON) + 1)
            for each in HORIZON_FIGURES
        ]
    return tuple(f"test.{name}" for name in names)


def class_figures(
    model: Any, run: OpenedRun, samples: Others
) -> tuple[dict[str, Any], Predictions]:
    """The figures of a classifier, those that training measures first.

    Args:
        model: the run's.
        run: whose classes and preparation are used.
        samples: to be measured on.
    """
    learned = run.learned
    test = samples.test
    ready = Split(run.prepared(test.x), test.y)
    figures, predictions = classify(model, ready, learned.classes, test.x, learned.padding)
    said, truth = predictions.probabilities, predictions.truth
    classes = len(learned.classes)
    confusion = np.array(figures["confusion"])
    per_class = figures["classes"]
    for index, name in enumerate(learned.classes):
        own = per_class[name]
        low, high = wilson_interval(int(confusion[index, index]), max(1, own["samples"]))
        own["recall_interval_95"] = [low, high] if own["samples"] else None
    balanced, macro = _resampled(confusion)
    figures["balanced_accuracy_interval_95"] = balanced
    figures["macro_f1"] = _macro_f1(confusion[None])[0].item()
    figures["macro_f1_interval_95"] = macro
    figures["loss_interval_95"] = _mean_interval(
        -np.log(said[np.arange(len(truth)), truth].astype(np.float64).clip(1e-7, 1))
    )
    rank = (said > said[np.arange(len(truth)), truth][:, None]).sum(axis=1)
    figures["top_k_accuracy"] = {str(k): float((rank < k).mean()) for k in TOP_K if k < classes}
    error, bins = calibration(predictions)
    figures["expected_calibration_error"] = error
    figures["calibration"] = bins
    return figures, predictions


def calibration(predictions: Predictions) -> tuple[float, list[dict[str, float]]]:
    """Whether 80 % sure is right in 80 % of the cases.

    ECE = Σ n_b / n · |accuracy_b − confidence_b| over bins of the confidence.

    Returns:
        The expected calibration error, and each bin that holds samples: from, to, its mean
        confidence, its accuracy and its samples.
    """
    said = predictions.probabilities.astype(np.float64)
    confidence = said.max(axis=1)
    right = predictions.predicted == predictions.truth
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    found, error = [], 0.0
    for number in range(BINS):
        inside = place == number
        count = int(inside.sum())
        if not count:
            continue
        accuracy, sure = float(right[inside].mean()), float(confidence[inside].mean())
        error += count / len(right) * abs(accuracy - sure)
        found.append(
            {
                "from": number / BINS,
                "to": (number + 1) / BINS,
                "confidence": sure,
                "accuracy": accuracy,
                "samples": count,
            }
        )
    return error, found


def _resampled(confusion: NDArray[np.int64]) -> tuple[list[float], list[float]]:
    """95 % intervals of the balanced accuracy and of the macro F1, by bootstrap.

    Samples drawn with replacement have a confusion matrix that is multinomial.
    """
    total = int(confusion.sum())
    random = np.random.default_rng(SEED)
    size = len(confusion)
    balanced, macro = [], []
    step = max(1, 4_000_000 // size**2)  # matrices at once
    for begin in range(0, RESAMPLES, step):
        count = min(step, RESAMPLES - begin)
        drawn = random.multinomial(total, (confusion / total).reshape(-1), count)
        drawn = drawn.reshape(count, size, size)
        there = drawn.sum(axis=2)
        recall = drawn.diagonal(axis1=1, axis2=2) / np.maximum(there, 1)
        balanced.append((recall * (there > 0)).sum(axis=1) / (there > 0).sum(axis=1))
        macro.append(_macro_f1(drawn))
    return _middle(np.concatenate(balanced)), _middle(np.concatenate(macro))


def _macro_f1(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """(matrices,) the mean F1 of the classes that there are, or that were answered."""
    right = confusion.diagonal(axis1=1, axis2=2)
    both = confusion.sum(axis=1) + confusion.sum(axis=2)
    f1 = 2 * right / np.maximum(both, 1)
    return np.asarray(f1.sum(axis=1) / (both > 0).sum(axis=1), dtype=np.float64)


def _middle(values: Array) -> list[float]:
    """The 95 % of them in the middle."""
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]


def _mean_interval(values: NDArray[np.float64]) -> list[float]:
    """The 95 % interval of a mean, by the normal distribution."""
    half = 1.959964 * float(values.std(ddof=min(1, len(values) - 1))) / math.sqrt(len(values))
    mean = float(values.mean())
    return [mean - half, mean + half]


def series_figures(
    model: Any, run: OpenedRun, samples: Others, horizon: int | None
) -> tuple[dict[str, Any], Forecast]:
    """The figures of a forecaster, those that training measures first.

    Args:
        model: the run's.
        run: whose series it learned.
        samples: to be measured on.
        horizon: how many steps ahead at most; None for `HORIZON`.
    """
    series = samples.series
    assert series is not None
    assert run.learned.series is not None
    naive = run.learned.series.naive_error
    figures, result = forecast(model, samples.test.x, series)
    errors = np.abs(result.one_step - result.truth)

    def scaled(error: float) -> float | None:
        return error / naive if naive else None

    figures["mean_absolute_error_interval_95"] = _block_interval(errors)
    figures["naive_error_of_training"] = naive
    figures["mean_absolute_scaled_error"] = scaled(figures["mean_absolute_error"])
    most = HORIZON if horizon is None else horizon
    figures["horizons"] = {
        str(steps): {**told, "mean_absolute_scaled_error": scaled(told["mean_absolute_error"])}
        for steps, told in errors_by_horizon(model, run.learned.input_shape, series, result, most)
    }
    return figures, result


def _block_interval(errors: NDArray[np.float64]) -> list[float]:
    """The 95 % interval of a mean of errors that hang together, by a bootstrap of blocks."""
    count = len(errors)
    length = max(1, round(count ** (1 / 3)))
    blocks = -(-count // length)
    random = np.random.default_rng(SEED)
    starts = random.integers(0, count - length + 1, (RESAMPLES, blocks))
    sums = np.concatenate([[0.0], np.cumsum(errors)])
    return _middle((sums[starts + length] - sums[starts]).sum(axis=1) / (blocks * length))


def errors_by_horizon(
    model: Any, shape: tuple[int, ...], series: Series, result: Forecast, most: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """How far off a forecast is so many steps ahead, from every value on; by itself after the
    first step, and so for one step alone where the model sees other columns too.

    Args:
        model: (batch, window, features) → (batch, 1), or (batch, window, 1).
        shape: window and features.
        series: the values that are measured on, and those before them.
        result: the forecast of each, one step ahead.
        most: steps ahead.
    """
    window, features = shape
    count = len(series.truth)
    yield 1, _errors(result.one_step, result.persistence, result.truth)
    if features > 1 or len(series.seen) < window:
        return
    known = np.concatenate([series.seen, series.truth])
    views = np.lib.stride_tricks.sliding_window_view(known, window)[:count]
    windows = np.array(views)  # (origins, window), in own units
    naive = windows[:, -1].copy()
    windows = _moved(windows, result.one_step)
    for steps in range(2, min(most, count // 2) + 1):
        origins = count - steps + 1
        windows, last = windows[:origins], windows[:origins, -1:]
        inputs = series.scaled_inputs(windows, last)[:, :, None]
        answers = predict(model, inputs).reshape(origins, -1)[:, -1]
        said = series.to_units(answers, last[:, 0])
        yield steps, _errors(said, naive[:origins], series.truth[steps - 1 :])
        windows = _moved(windows, said)


def _moved(windows: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The windows one step later."""
    return np.concatenate([windows[:, 1:], values[:, None]], axis=1)


def _errors(
    said: NDArray[np.float64], naive: NDArray[np.float64], truth: NDArray[np.float64]
) -> dict[str, Any]:
    return {
        "forecasts": len(truth),
        "mean_absolute_error": float(np.mean(np.abs(said - truth))),
        "root_mean_squared_error": float(np.sqrt(np.mean((said - truth) ** 2))),
        "persistence_mean_absolute_error": float(np.mean(np.abs(naive - truth))),
    }
