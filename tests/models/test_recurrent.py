from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nncli import data
from nncli.config import Override, load
from nncli.data.dataset import Split
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
