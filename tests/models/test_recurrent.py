from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import backend, data
from nncli.config import Override, load
from nncli.data.dataset import Dataset, Split
from nncli.data.padding import filled, padded
from nncli.models.describe import describe
from nncli.models.recurrent import LstmSettings, RnnSettings, build
from nncli.schema import SCHEMAS
from tests.made import sequences


@pytest.mark.parametrize("layer", ["SimpleRNN", "LSTM"])
def test_the_head_follows_the_task(started: None, layer: str) -> None:
    settings = RnnSettings(units=(4, 3))
    made = sequences()
    classifier = build(layer, settings, made)
    assert classifier.output_shape == (None, 2)
    assert describe(classifier)[-1].settings == "2 units · softmax"
    target = made.train.y.astype(np.float32)
    every_step = Split(made.train.x, np.repeat(target[:, None, None], 8, axis=1))
    forecaster = build(layer, settings, replace(made, task="forecast", train=every_step))
    assert forecaster.output_shape == (None, 8, 1)
    next_value = Split(made.train.x, target[:, None])
    forecaster = build(layer, settings, replace(made, task="forecast", train=next_value))
    assert forecaster.output_shape == (None, 1)


def test_dropout_is_a_layer_only_where_it_is_wanted(started: None) -> None:
    without = describe(build("LSTM", LstmSettings(units=(4,)), sequences()))
    assert "Dropout" not in [row.type for row in without]
    rows = describe(build("LSTM", LstmSettings(units=(4,), dropout=0.5), sequences()))
    assert [row.type for row in rows] == ["Input", "LSTM", "Dropout", "Dense"]


def test_rnn_follows_the_lessons_formula(started: None) -> None:
    """h_t = tanh(W_ih·x_t + W_hh·h_{t−1} + b_h), y_t = W_hy·h_t + b_y, written out in NumPy."""
    config = load(SCHEMAS, "rnn", None, [Override.from_set("model.units=[5]")]).config
    dataset = data.load(config.data, config.seed)
    assert isinstance(config.model, RnnSettings)
    model = build("SimpleRNN", config.model, dataset)
    w_ih, w_hh, b_h, w_hy, b_y = model.get_weights()
    h = np.zeros(5)
    expected = []
    for x in dataset.train.x[0]:
        h = np.tanh(x @ w_ih + h @ w_hh + b_h)
        expected.append(h @ w_hy + b_y)
    assert np.allclose(model.predict(dataset.train.x, verbose=0)[0], expected, atol=1e-5)


# Padding: what is skipped must change nothing, in no layer

LENGTHS = (3, 8, 1, 5)


@pytest.fixture(autouse=True)
def seeded(started: None) -> None:
    """Some weights hardly look at padding."""
    backend.keras().utils.set_random_seed(1)


def recordings() -> list[np.ndarray]:
    """Sequences of unequal lengths, two features each; the last steps are by far the largest."""
    random = np.random.default_rng(5)
    return [random.normal(0, 1, (n, 2)) * np.linspace(1, 3, n)[:, None] for n in LENGTHS]


def unequal(more: int = 0) -> Dataset:
    """The recordings as one dataset, padded by `more` steps than it takes."""
    longest = np.zeros((max(LENGTHS) + more, 2))
    x, padding = filled(padded([*recordings(), longest]).astype(np.float32))
    assert padding is not None
    part = Split(x[:-1], np.array([0, 1, 0, 1]))
    return replace(sequences(), train=part, validation=None, test=part, padding=padding)


def alone(layer: str, settings: RnnSettings, model: Any) -> np.ndarray:
    """What a model without a mask, of the same weights, says of each recording by itself."""
    answers = []
    for recording in recordings():
        one = Split(recording[None].astype(np.float32), np.array([0]))
        bare = build(layer, settings, replace(sequences(), train=one))
        assert "Masking" not in [row.type for row in describe(bare)]
        bare.set_weights(model.get_weights())
        answers.append(np.asarray(bare(one.x, training=False))[0])
    return np.stack(answers)


@pytest.mark.parametrize("layer", ["SimpleRNN", "LSTM"])
@pytest.mark.parametrize("units", [(5, 4), (5, 4, 3)])
def test_padding_reaches_no_recurrent_layer(
    started: None, layer: str, units: tuple[int, ...]
) -> None:
    settings = RnnSettings(units=units, dropout=0.4)
    dataset = unequal()
    model = build(layer, settings, dataset)
    answers = model.predict(dataset.train.x, verbose=0)
    expected = alone(layer, settings, model)
    assert np.ptp(expected, axis=0).min() > 1e-3, "the sequences are told apart"
    assert answers == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("layer", ["SimpleRNN", "LSTM"])
def test_without_the_mask_padding_would_matter(started: None, layer: str) -> None:
    settings = RnnSettings(units=(5, 4))
    dataset = unequal()
    model = build(layer, settings, dataset)
    blind = build(layer, settings, replace(dataset, padding=None))
    blind.set_weights(model.get_weights())
    seen = np.asarray(blind(dataset.train.x, training=False))
    assert np.abs(seen - alone(layer, settings, model)).max() > 1e-2


@pytest.mark.parametrize("layer", ["SimpleRNN", "LSTM"])
def test_more_padding_changes_nothing(started: None, layer: str) -> None:
    settings = RnnSettings(units=(5, 4))
    model = build(layer, settings, unequal())
    wider = build(layer, settings, unequal(more=20))
    wider.set_weights(model.get_weights())
    answers = np.asarray(model(unequal().train.x, training=False))
    with_more = np.asarray(wider(unequal(more=20).train.x, training=False))
    assert with_more == pytest.approx(answers, abs=1e-6)


@pytest.mark.parametrize("layer", ["SimpleRNN", "LSTM"])
def test_gradients_do_not_see_padding(started: None, layer: str) -> None:
    """One step of training on padded sequences moves the weights as more padding does."""
    settings = RnnSettings(units=(5, 4), dropout=0.0)
    moved = []
    for more in (0, 4):
        dataset = unequal(more)
        model = build(layer, settings, dataset)
        random = np.random.default_rng(1)
        model.set_weights([random.normal(0, 0.5, w.shape) for w in model.get_weights()])
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        model.train_on_batch(dataset.train.x, dataset.train.y)
        moved.append(model.get_weights())
    for one, other in zip(*moved, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize("layer", ["SimpleRNN", "LSTM"])
def test_the_mask_is_saved_with_the_model(started: None, layer: str, tmp_path: Path) -> None:
    from nncli import backend

    settings = RnnSettings(units=(5, 4), dropout=0.3)
    dataset = unequal()
    model = build(layer, settings, dataset)
    model.save(tmp_path / "model.keras")
    loaded = backend.keras().models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].mask_value == dataset.padding
    assert loaded.predict(dataset.train.x, verbose=0) == pytest.approx(
        alone(layer, settings, model), abs=1e-6
    )


def test_the_mask_is_a_layer_only_where_something_is_padded(started: None) -> None:
    rows = describe(build("LSTM", LstmSettings(units=(4, 4)), unequal()))
    assert [row.type for row in rows] == ["Input", "Masking", "LSTM", "LSTM", "Dense"]
    assert rows[1].settings == "skips padded steps"
    assert rows[1].output_shape == (8, 2)
    rows = describe(build("LSTM", LstmSettings(units=(4, 4)), sequences()))
    assert [row.type for row in rows] == ["Input", "LSTM", "LSTM", "Dense"]


@pytest.mark.parametrize(
    ("kind", "layers", "parameters"),
    [("rnn", ["SimpleRNN", "Dense"], 1_121), ("lstm", ["LSTM", "LSTM", "Dense"], 52_549)],
)
def test_the_lessons_models_stay_as_they_are(
    started: None, kind: str, layers: list[str], parameters: int
) -> None:
    config = load(SCHEMAS, kind, None, []).config
    dataset = data.load(config.data, config.seed)
    assert isinstance(config.model, RnnSettings)
    model = build("SimpleRNN" if kind == "rnn" else "LSTM", config.model, dataset)
    assert [type(layer).__name__ for layer in model.layers] == layers
    assert model.count_params() == parameters
