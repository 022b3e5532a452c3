from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from nncli import data
from nncli.config import Override, load
from nncli.data.dataset import Dataset
from nncli.schema import SCHEMAS
from nncli.training.measure import classify, forecast, wilson_interval
from tests.made import sequences


class Says:
    """Stands for a model: answers by a function of its input."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def predict(self, x: Any, **_: object) -> Any:
        return self.function(x)

    def predict_on_batch(self, x: Any) -> Any:
        return self.function(x)


def test_classification_figures() -> None:
    dataset = sequences(samples=8)  # truth of the test part: 0 1 0 1
    said = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]], dtype=np.float32)
    figures, predictions = classify(
        Says(lambda _: said), dataset.test, dataset.classes, dataset.test.x
    )
    assert figures["accuracy"] == 0.75
    assert figures["confusion"] == [[2, 0], [1, 1]]
    assert figures["loss"] == pytest.approx(-np.log([0.9, 0.2, 0.6, 0.7]).mean(), rel=1e-6)
    assert figures["classes"]["falls"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "samples": 2,
    }
    assert figures["balanced_accuracy"] == 0.75
    assert predictions.shown.tolist() == [1, 2, 3, 0], "the wrong one, then the least sure"
    assert np.array_equal(predictions.inputs, dataset.test.x[[1, 2, 3, 0]])


def test_scikit_learn_is_loaded_beside_the_first_steps() -> None:
    script = (
        "import sys, threading\n"
        "from nncli.training.measure import get_ready\n"
        "get_ready('forecast')\n"
        "assert threading.active_count() == 1\n"
        "get_ready('classification')\n"
        "for thread in threading.enumerate()[1:]:\n"
        "    assert thread.daemon\n"
        "    thread.join()\n"
        "assert 'sklearn.metrics' in sys.modules\n"
        "get_ready('classification')\n"
        "assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_padded_steps_are_not_shown() -> None:
    dataset = sequences(samples=8)
    x = np.array(dataset.test.x)
    x[:, -2:] = -1000.0
    said = np.full((4, 2), 0.5, dtype=np.float32)
    _, predictions = classify(Says(lambda _: said), dataset.test, dataset.classes, x, -1000.0)
    assert np.isnan(predictions.inputs[:, -2:]).all()
    assert np.isfinite(predictions.inputs[:, :-2]).all()


def test_wilson_interval_against_published_values() -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    for right, samples, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson_interval(right, samples) == pytest.approx((low, high), abs=5e-5)


def series(tmp_path: Any, predict: str) -> Dataset:
    path = tmp_path / "a.csv"
    values = [float(index) for index in range(40)]
    path.write_text("value\n" + "\n".join(map(str, values)))
    config = load(
        SCHEMAS,
        "rnn",
        None,
        [
            Override.from_set("data.source=csv"),
            Override.from_set(f"data.path={path}"),
            Override.from_set("data.window=3"),
            Override.from_set(f"data.predict={predict}"),
        ],
    ).config
    return data.load(config.data, 0)


@pytest.mark.parametrize("predict", ["change", "value"])
def test_a_forecaster_that_knows_the_line_makes_no_error(tmp_path: Any, predict: str) -> None:
    dataset = series(tmp_path, predict)
    assert dataset.series is not None
    one_up = 1 / dataset.series.scale
    # the change is one step; the value is one step above the last of the window
    last = {"change": 0, "value": 1}[predict]
    model = Says(lambda x: last * x[:, -1, :] + one_up)
    figures, result = forecast(model, dataset.test.x, dataset.series)
    assert figures["mean_absolute_error"] == pytest.approx(0, abs=1e-4)
    assert figures["free_running_mean_absolute_error"] == pytest.approx(0, abs=1e-3)
    assert figures["persistence_mean_absolute_error"] == pytest.approx(1)
    assert figures["unit"] == "value"
    assert result.seen.tolist() == [29, 30, 31]
    assert np.allclose(result.free_running, result.truth, atol=1e-3)


def test_other_columns_leave_no_free_running_forecast(tmp_path: Any) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,value\n" + "\n".join(f"{i % 5},{i}" for i in range(40)))
    settings = ["source=csv", f"path={path}", "window=3", "input_columns=[a]"]
    given = [Override.from_set(f"data.{setting}") for setting in settings]
    dataset = data.load(load(SCHEMAS, "rnn", None, given).config.data, 0)
    assert dataset.series is not None
    one_up = 1 / dataset.series.scale
    figures, result = forecast(
        Says(lambda x: 0 * x[:, -1, :1] + one_up), dataset.test.x, dataset.series
    )
    assert figures["mean_absolute_error"] == pytest.approx(0, abs=1e-4)
    assert figures["free_running_mean_absolute_error"] is None
    assert figures["free_running_steps"] == 0
    assert result.free_running.shape == (0,)


def test_the_sine_runs_on_its_own_answers() -> None:
    config = load(SCHEMAS, "rnn").config
    dataset = data.load(config.data, 0)
    assert dataset.series is not None
    figures, result = forecast(
        Says(lambda x: x), dataset.test.x, dataset.series
    )  # repeats each value
    assert np.allclose(result.one_step, result.persistence, atol=1e-6)
    assert np.allclose(result.free_running, dataset.series.seen[0], atol=1e-6)
    assert figures["mean_absolute_error"] == pytest.approx(
        figures["persistence_mean_absolute_error"], rel=1e-5
    )
