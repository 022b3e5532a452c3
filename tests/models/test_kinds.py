"""One contract for every row of KINDS, and the numbers that the lesson prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nncli import backend, data
from nncli.cli import main
from nncli.config import load
from nncli.data import SOURCES
from nncli.models import KINDS
from nncli.models.describe import describe
from nncli.models.kind import Plan
from nncli.report.model import summary_text
from nncli.schema import SCHEMAS

LESSON = {
    "rnn": [("SimpleRNN", (20, 32), 1088), ("Dense", (20, 1), 33)],
    "lstm": [("LSTM", (100, 64), 19200), ("LSTM", (64,), 33024), ("Dense", (5,), 325)],
    "cnn": [
        ("Conv2D", (26, 26, 32), 320),
        ("MaxPooling2D", (13, 13, 32), 0),
        ("Conv2D", (11, 11, 64), 18496),
        ("MaxPooling2D", (5, 5, 64), 0),
        ("Flatten", (1600,), 0),
        ("Dense", (128,), 204928),
        ("Dense", (10,), 1290),
    ],
}
TOTALS = {
    "rnn": "Total params: 1121 (4.38 KB)",
    "lstm": "Total params: 52549 (205.27 KB)",
    "cnn": "Total params: 225034 (879.04 KB)",
}


@pytest.fixture(scope="module")
def plans(started: None) -> dict[str, Plan]:
    """The default plan of every kind."""
    made = {}
    for name, kind in KINDS.items():
        config = load(SCHEMAS, name).config
        before = getattr(config, "pretraining", None)
        made[name] = kind.plan(
            config,
            data.load(config.data, config.seed),
            data.load(before.data, config.seed) if before is not None else None,
        )
    return made


def test_kinds_are_named_as_they_are_listed() -> None:
    assert [kind.name for kind in KINDS.values()] == list(KINDS)


def test_the_help_names_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in KINDS)


@pytest.mark.parametrize("name", list(KINDS))
def test_the_default_source_is_one_that_fits_and_needs_no_network(name: str) -> None:
    source = SOURCES[KINDS[name].default_source]
    assert set(source.families) & set(KINDS[name].families)
    assert not source.needs_network


@pytest.mark.parametrize("name", list(LESSON))
def test_layers_are_those_of_the_lesson(name: str, plans: dict[str, Plan]) -> None:
    rows = describe(plans[name].model)[1:]
    assert [(row.type, row.output_shape, row.parameters) for row in rows] == LESSON[name]
    text = summary_text(name, describe(plans[name].model))
    assert TOTALS[name] in text
    assert "Non-trainable params: 0 (0.00 Byte)" in text


@pytest.mark.parametrize("name", list(KINDS))
def test_the_model_fits_its_data(name: str, plans: dict[str, Plan]) -> None:
    plan = plans[name]
    assert tuple(plan.model.input_shape[1:]) == plan.dataset.input_shape
    answer = np.asarray(plan.model.predict(plan.dataset.test.x[:3], verbose=0))
    if plan.dataset.task == "classification":
        assert answer.shape == (3, len(plan.dataset.classes))
        assert np.allclose(answer.sum(axis=1), 1, atol=1e-5)
    else:
        assert answer.shape == plan.dataset.test.y[:3].shape


@pytest.mark.parametrize("name", list(KINDS))
def test_a_saved_model_loads_in_plain_keras(
    name: str, plans: dict[str, Plan], tmp_path: Path
) -> None:
    plan = plans[name]
    plan.model.save(tmp_path / "model.keras")
    again = backend.keras().models.load_model(tmp_path / "model.keras")
    x = plan.dataset.test.x[:2]
    found, wanted = (model.predict(x, verbose=0) for model in (again, plan.model))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)  # plain Keras computes the whole batch
    whole = type(plan.model).call(plan.model, x, training=False)
    # and an LSTM in its own loop
    np.testing.assert_allclose(again(x), whole, rtol=1e-5 if name == "lstm" else 0)
