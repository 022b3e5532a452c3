"""The figures of an evaluation, against scikit-learn, against counting, and against training."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from nncli.data.dataset import Series
from nncli.results import Forecast, Predictions
from nncli.trained import evaluate


def predictions(samples: int = 300, classes: int = 4, seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, samples)
    scores = random.normal(0, 1, (samples, classes)) + 1.5 * np.eye(classes)[truth]
    said = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return Predictions(
        truth=truth,
        probabilities=said.astype(np.float32),
        classes=tuple("abcdefgh"[:classes]),
        shown=np.arange(2),
        inputs=np.zeros((2, 3, 3, 1), dtype=np.uint8),
    )


def test_calibration_by_counting() -> None:
    said = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.45, 0.55]], dtype=np.float32)
    found = Predictions(np.array([0, 1, 0, 1]), said, ("a", "b"), np.arange(1), said[:1])
    error, bins = evaluate.calibration(found)
    # 0.9 twice, once right; 0.6 right; 0.55 right
    assert error == pytest.approx(2 / 4 * 0.4 + 1 / 4 * 0.4 + 1 / 4 * 0.45, abs=1e-6)
    assert [each["samples"] for each in bins] == [1, 1, 2]
    assert bins[-1]["accuracy"] == 0.5
    assert bins[-1]["from"] <= 0.9 < bins[-1]["to"]


def test_one_who_is_always_right_and_sure_is_calibrated() -> None:
    said = np.eye(3, dtype=np.float32)
    error, bins = evaluate.calibration(
        Predictions(np.arange(3), said, ("a", "b", "c"), np.arange(1), said[:1])
    )
    assert error == 0
    assert len(bins) == 1


def test_macro_f1_and_its_interval() -> None:
    found = predictions()
    confusion = metrics.confusion_matrix(found.truth, found.predicted)
    expected = metrics.f1_score(found.truth, found.predicted, average="macro")
    assert evaluate._macro_f1(confusion[None])[0] == pytest.approx(expected)
    balanced, macro = evaluate._resampled(confusion)
    # against a bootstrap of the samples themselves
    random = np.random.default_rng(1)
    drawn = [random.integers(0, 300, 300) for _ in range(400)]
    f1 = [metrics.f1_score(found.truth[i], found.predicted[i], average="macro") for i in drawn]
    recall = [metrics.balanced_accuracy_score(found.truth[i], found.predicted[i]) for i in drawn]
    assert macro == pytest.approx(np.quantile(f1, [0.025, 0.975]), abs=0.015)
    assert balanced == pytest.approx(np.quantile(recall, [0.025, 0.975]), abs=0.015)
    assert macro[0] < expected < macro[1]


def test_a_class_without_samples_counts_in_no_mean() -> None:
    confusion = np.array([[5, 0, 0], [0, 3, 0], [0, 0, 0]])
    assert evaluate._macro_f1(confusion[None])[0] == 1
    balanced, macro = evaluate._resampled(confusion)
    assert balanced == [1, 1]
    assert macro == [1, 1]


def test_the_interval_of_a_mean_of_errors_that_hang_together() -> None:
    random = np.random.default_rng(0)
    independent = np.abs(random.normal(0, 1, 4000))
    low, high = evaluate._block_interval(independent)
    half = 1.96 * independent.std() / np.sqrt(4000)
    assert (low, high) == pytest.approx(
        (independent.mean() - half, independent.mean() + half), abs=half / 5
    )
    walk = np.repeat(np.abs(random.normal(0, 1, 400)), 10)  # ten equal ones in a row
    wider = evaluate._block_interval(walk)
    naive = 1.96 * walk.std() / np.sqrt(4000)
    assert wider[1] - wider[0] > 2 * 2 * naive
    assert evaluate._block_interval(np.array([3.0])) == [3, 3]


class Line:
    """Stands for a model: the value after a window of a line that rises by one."""

    def __init__(self, step: float) -> None:
        self.step = step

    def predict(self, x: np.ndarray, **_: object) -> np.ndarray:
        return x[:, -1, :] + self.step

    predict_on_batch = predict


def test_errors_by_horizon_by_counting() -> None:
    values = np.arange(30.0)
    series = Series("line", 0.0, 1.0, seen=values[:5], truth=values[5:])
    x = np.lib.stride_tricks.sliding_window_view(values, 5)[:-1][:, :, None].astype(np.float32)
    result = Forecast(
        seen=series.seen,
        truth=series.truth,
        one_step=series.before + 0.5,  # half a step short
        free_running=series.truth,
        persistence=series.before,
        name="line",
    )
    told = dict(evaluate.errors_by_horizon(Line(0.5), x.shape[1:], series, result, 12))
    assert list(told) == list(range(1, 13))
    for steps, figures in told.items():
        assert figures["forecasts"] == 25 - steps + 1
        assert figures["mean_absolute_error"] == pytest.approx(0.5 * steps, abs=1e-5)
        assert figures["root_mean_squared_error"] == pytest.approx(0.5 * steps, abs=1e-5)
        assert figures["persistence_mean_absolute_error"] == pytest.approx(steps)


def test_other_columns_leave_one_step_alone() -> None:
    values = np.arange(30.0)
    series = Series("line", 0.0, 1.0, seen=values[:5], truth=values[5:])
    result = Forecast(series.seen, series.truth, series.truth, np.empty(0), series.before, "line")
    assert list(dict(evaluate.errors_by_horizon(Line(1), (5, 2), series, result, 12))) == [1]
