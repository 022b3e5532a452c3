"""The layers that a travelling model has in front, held against what nncli does in NumPy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.data.learned import Learned
from nncli.errors import ExportError, ModelError
from nncli.models.applications import APPLICATIONS
from nncli.models.preprocessing import Preparation, scale
from nncli.results import StoredRun
from nncli.trained.export.samples import (
    expected,
    in_own_units,
    largest_difference,
    own_units,
    prepared,
)
from nncli.trained.export.whole import PADDING, affine, fed, in_float32, whole_model
from nncli.trained.model import OpenedRun

SERIES = {
    "name": "Passengers",
    "offset": 219.7,
    "scale": 74.7,
    "change": False,
    "relative": False,
    "naive_error": 1.0,
}
FAR = {**SERIES, "offset": 1_000_000.0, "scale": 10.0}
"""So far from zero that one step of 32 bits would lose what tells its values apart."""
CHANGE = {**SERIES, "change": True}
RELATIVE = {**CHANGE, "relative": True}
BESIDE = {"offset": [50.0], "scale": [3.0]}


def opened(preparation: Preparation | None = None, **facts: Any) -> OpenedRun:
    learned = Learned.of(
        {
            "source": "made",
            "task": "classification",
            "classes": ["a", "b", "c"],
            "scaler": None,
            "brightness": None,
            "padding": None,
            "series": None,
            "columns": None,
            "preparation": None
            if preparation is None
            else {"preprocessing": preparation.preprocessing, "channels": preparation.channels},
            **facts,
        }
    )
    stored = StoredRun("made", "cnn", learned.task, {}, {}, {}, {}, (), ())
    return OpenedRun(Path("made"), stored, None, learned, preparation)  # type: ignore[arg-type]


def sequence_model(run: OpenedRun, *, steps: bool = False) -> Any:
    """A small recurrent model as nncli would have built it, with the same weights each time."""
    backend.keras().utils.set_random_seed(1)
    layers = backend.keras().layers
    stack = [layers.Input(run.learned.input_shape)]
    if run.learned.padding is not None:
        stack.append(layers.Masking(run.learned.padding))
    stack.append(layers.SimpleRNN(4, return_sequences=steps))
    classes = len(run.learned.classes)
    stack.append(layers.Dense(classes, activation="softmax") if classes else layers.Dense(1))
    return backend.keras().Sequential(stack)


def forecast(series: dict[str, Any], columns: int = 1, steps: int = 6) -> OpenedRun:
    return opened(
        task="forecast",
        classes=[],
        series=series,
        input_shape=[steps, columns],
        scaler=BESIDE if columns > 1 else None,
    )


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize(
    "series", [SERIES, FAR, CHANGE, RELATIVE], ids=["value", "far", "change", "relative"]
)
def test_a_forecast_goes_in_and_comes_out_in_own_units(
    series: dict[str, Any], columns: int, tmp_path: Path
) -> None:
    run = forecast(series, columns)
    model = sequence_model(run)
    random = np.random.default_rng(1)
    x = random.normal(series["offset"], series["scale"], (20, 6, columns)).astype(np.float32)
    x[:, :, 1:] = random.normal(50, 3, (20, 6, columns - 1))
    whole_model(run, model).save(tmp_path / "whole.keras")
    whole = backend.keras().models.load_model(tmp_path / "whole.keras")
    given, wanted = whole.predict(fed(x), verbose=0), expected(run, model, x)
    assert wanted.std() > 0.01 * series["scale"]
    # a value of a million has a sixteenth left in 32 bits
    most = 1e-2 if series is FAR else 1e-5
    assert largest_difference(run.learned, given, wanted) < most
    assert "Lambda" not in json.dumps(whole.get_config())


@pytest.mark.usefixtures("started")
def test_the_sine_is_left_as_it_is() -> None:
    run = forecast({**SERIES, "offset": 0.0, "scale": 1.0})
    model = sequence_model(run, steps=True)
    whole = whole_model(run, model)
    assert [layer.name for layer in whole.layers[1:]] == [layer.name for layer in model.layers]
    x = np.sin(np.arange(6, dtype=np.float32)).reshape(1, 6, 1)
    np.testing.assert_array_equal(
        whole.predict(x, verbose=0), expected(run, model, x).astype(np.float32)
    )


@pytest.mark.usefixtures("started")
def test_padded_steps_are_passed_over_in_own_units_too() -> None:
    scaler = {"offset": [3.0, -7.0], "scale": [2.0, 0.5]}
    run = opened(scaler=scaler, padding=-1000.0, input_shape=[8, 2])
    model = sequence_model(run)
    x = np.random.default_rng(2).normal(3, 2, (12, 8, 2)).astype(np.float32)
    x[:6, 5:] = np.nan
    x[:3, 2:] = np.nan
    whole = whole_model(run, model)
    given = whole.predict(fed(x), verbose=0)
    assert largest_difference(run.learned, given, expected(run, model, x)) < 1e-6
    shorter = fed(x)
    assert (shorter[0, 2:] == PADDING).all()
    shorter[:3, 2:] = 0.0  # real steps: another answer
    assert np.abs(whole.predict(shorter, verbose=0) - given)[:3].max() > 1e-3


def test_own_units_and_preparation_are_inverse() -> None:
    x = np.random.default_rng(3).normal(size=(5, 6, 2)).astype(np.float32)
    for series in (SERIES, CHANGE, RELATIVE):
        run = forecast(series, 2)
        last = np.linspace(100, 300, 5) if series["relative"] else None
        if last is not None:
            x[:, -1, 0] = 0  # a window from its last value ends with it
        raw = own_units(run.learned, x, last)
        np.testing.assert_allclose(prepared(run, raw), x, atol=1e-5)
        answers = np.array([[0.5]] * 5)
        base = raw[:, -1, :1] if series["change"] else 219.7
        np.testing.assert_allclose(in_own_units(run.learned, answers, raw), 0.5 * 74.7 + base)


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(
    ("preparation", "channels"),
    [
        (Preparation("unit"), 1),
        (Preparation("none"), 3),
        (Preparation("unit", 3), 1),
        (Preparation("VGG16", 3), 1),
        (Preparation("VGG16", 3), 3),
        (Preparation("MobileNetV2", 3), 3),
        (Preparation("DenseNet121", 3), 3),
        (Preparation("EfficientNetB0", 3), 3),
    ],
    ids=str,
)
def test_pixels_go_in_as_they_are(preparation: Preparation, channels: int) -> None:
    keras = backend.keras()
    run = opened(preparation, input_shape=[5, 5, channels])
    seen = preparation.channels or channels
    model = keras.Sequential(
        [
            keras.layers.Input((5, 5, seen)),
            keras.layers.RandomRotation(0.5),  # for training: it does not travel
            keras.layers.Flatten(),
        ]
    )
    x = np.random.default_rng(4).integers(0, 256, (9, 5, 5, channels)).astype(np.float32)
    whole = whole_model(run, model)
    assert not [layer for layer in whole.layers if type(layer).__name__ == "RandomRotation"]
    given, wanted = whole.predict(x, verbose=0), expected(run, model, x)
    np.testing.assert_allclose(given, wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.usefixtures("started")
def test_the_preprocessing_of_every_network_is_a_factor_and_an_offset() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (1, 4, 4, 3))
    for name in APPLICATIONS:
        matrix, offset = affine(name, 3)
        wanted = scale(pixels, name)
        np.testing.assert_allclose(pixels @ matrix + offset, wanted, rtol=1e-5, atol=1e-4)


def test_what_is_more_than_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def curved(pixels: Any, _: str) -> Any:
        return (pixels / 255) ** 2

    monkeypatch.setattr("nncli.trained.export.whole.scale", curved)
    with pytest.raises(ExportError, match="cannot be written as layers"):
        affine("Curved", 3)


@pytest.mark.usefixtures("started")
def test_a_model_of_sixteen_bits_is_one_of_thirty_two() -> None:
    keras = backend.keras()
    keras.utils.set_random_seed(1)  # filters that all see nothing round nothing
    keras.config.set_dtype_policy("mixed_float16")
    try:
        run = opened(Preparation("unit"), input_shape=[6, 6, 1])
        model = keras.Sequential(
            [
                keras.layers.Input((6, 6, 1)),
                keras.layers.Conv2D(3, 3, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(3, activation="softmax", dtype="float32"),
            ]
        )
    finally:
        keras.config.set_dtype_policy("float32")
    exact = in_float32(model)
    assert {layer.compute_dtype for layer in exact.layers} == {"float32"}
    for one, other in zip(exact.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x = np.full((2, 6, 6, 1), 100, dtype=np.float32)
    given = whole_model(run, exact).predict(x, verbose=0)
    assert 0 < np.abs(given - expected(run, model, x)).max() < 1e-2
    assert in_float32(exact) is exact


@pytest.mark.usefixtures("started")
def test_a_model_that_is_no_row_of_layers_is_refused() -> None:
    keras = backend.keras()
    inputs = keras.layers.Input((6, 6, 1))
    model = keras.Model(inputs, keras.layers.Flatten()(inputs))
    with pytest.raises(ModelError, match="not a row of layers"):
        whole_model(opened(Preparation("unit"), input_shape=[6, 6, 1]), model)


def test_an_answer_that_is_no_number_is_infinitely_far() -> None:
    learned = opened(Preparation("unit"), input_shape=[6, 6, 1]).learned
    right = np.zeros((2, 3))
    assert largest_difference(learned, right + 0.25, right) == 0.25
    assert largest_difference(learned, np.full((2, 3), np.nan), right) == np.inf
    assert largest_difference(learned, right[:1], right) == np.inf
    assert largest_difference(forecast(SERIES).learned, right + 74.7, right) == 1.0
