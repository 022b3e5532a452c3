"""What a run must have reached."""

from __future__ import annotations

from typing import Any

import pytest

from nncli.errors import UsageError
from nncli.requirements import Requirement, check_known, figures_of, judge, parse

METRICS: dict[str, Any] = {
    "epochs": 3,
    "stopped": "finished",
    "diverged": None,
    "validation": {"loss": 0.5},
    "test": {"accuracy": 0.9, "interval": [0.8, 1.0], "classes": {"a cat": {"recall": 0.25}}},
    "baselines": [{"name": "scratch", "metrics": {"accuracy": 0.6}, "epochs": 3}],
}


@pytest.mark.parametrize(
    ("text", "requirement"),
    [
        ("test.accuracy >= 0.97", Requirement("test.accuracy", ">=", 0.97)),
        ("test.accuracy>=.97", Requirement("test.accuracy", ">=", 0.97)),
        ("validation.loss < 1e-3", Requirement("validation.loss", "<", 0.001)),
        (" epochs == 5 ", Requirement("epochs", "==", 5.0)),
        ("test.classes.a cat.recall>0", Requirement("test.classes.a cat.recall", ">", 0.0)),
        ("test.x <= test.y", Requirement("test.x", "<=", "test.y")),
        ("a < -1", Requirement("a", "<", -1.0)),
    ],
)
def test_it_is_read(text: str, requirement: Requirement) -> None:
    assert parse(text) == requirement
    assert parse(requirement.text) == requirement


@pytest.mark.parametrize(
    "text", ["", "test.accuracy", ">= 1", "a >=", "a = 1", "a != 1", "a >= 1 >= 2", "a > nan"]
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--require"):
        parse(text)


def test_a_figure_that_will_not_be_there_is_refused() -> None:
    known = ("test.accuracy", "test.loss")
    check_known([parse("test.accuracy > test.loss")], known)
    with pytest.raises(UsageError, match=r"'test.acuracy', which this run will not have") as error:
        check_known([parse("test.acuracy > 1")], known)
    assert error.value.hint == "did you mean 'test.accuracy'?"
    with pytest.raises(UsageError, match="'precision'") as error:
        check_known([parse("test.loss < precision")], known)
    assert error.value.hint == "there are: test.accuracy, test.loss"


def test_all_numbers_have_a_name() -> None:
    assert figures_of(METRICS) == {
        "epochs": 3,
        "validation.loss": 0.5,
        "test.accuracy": 0.9,
        "test.classes.a cat.recall": 0.25,
        "baselines.scratch.accuracy": 0.6,
    }


@pytest.mark.parametrize(
    ("text", "met", "said"),
    [
        ("test.accuracy >= 0.9", True, "test.accuracy >= 0.9: it is 0.9"),
        ("test.accuracy > 0.9", False, "test.accuracy > 0.9: it is 0.9"),
        ("epochs == 3", True, "epochs == 3: it is 3"),
        ("validation.loss < 0.5", False, "validation.loss < 0.5: it is 0.5"),
        ("validation.loss <= 0.5", True, "validation.loss <= 0.5: it is 0.5"),
        (
            "test.accuracy > baselines.scratch.accuracy",
            True,
            "test.accuracy > baselines.scratch.accuracy: it is 0.9, against 0.6",
        ),
        ("train.loss < 1", False, "train.loss < 1: there is none"),
        ("epochs > train.loss", False, "epochs > train.loss: it is 3, against none"),
    ],
)
def test_it_is_held_against_what_was_reached(text: str, met: bool, said: str) -> None:
    (verdict,) = judge([parse(text)], METRICS)
    assert verdict.met is met
    assert verdict.text == said
