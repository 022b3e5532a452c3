"""Exit codes, places, and did-you-mean."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from nncli import backend, errors
from nncli.errors import (
    ConfigError,
    ExitCode,
    Interrupted,
    NncliError,
    Problem,
    UsageError,
    closest,
    unknown_name,
)

CHOICES = ["relu", "leaky_relu", "sigmoid", "tanh", "soft-max"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("relu", "relu"),
        ("rleu", "relu"),
        ("RELU", "relu"),
        ("leakyrelu", "leaky_relu"),
        ("Leaky-ReLU", "leaky_relu"),
        ("leaky relu", "leaky_relu"),
        ("softmax", "soft-max"),
        ("sigmod", "sigmoid"),
        ("tahn", "tanh"),
        ("xyz", None),
        ("", None),
        ("x" * 10_000, None),
    ],
)
def test_closest(word: str, found: str | None) -> None:
    assert closest(word, CHOICES) == found


def test_closest_of_nothing() -> None:
    assert closest("relu", []) is None


@pytest.mark.parametrize(
    ("given", "see", "hint"),
    [
        ("rleu", "", "did you mean 'relu'?"),
        ("rleu", "nncli list", "did you mean 'relu'? nncli list shows them all"),
        ("xyz", "", "choose one of relu, leaky_relu, sigmoid, tanh, soft-max"),
        ("xyz", "nncli list", "nncli list shows the choices"),
    ],
)
def test_unknown_name(given: str, see: str, hint: str) -> None:
    error = unknown_name("activation", given, CHOICES, see=see)

    assert isinstance(error, UsageError)
    assert error.message == str(error) == f"unknown activation '{given}'"
    assert error.hint == hint
    assert error.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("NncliError", 1),
        ("UsageError", 2),
        ("ConfigError", 2),
        ("DataError", 3),
        ("ModelError", 4),
        ("RunError", 4),
        ("RequirementError", 5),
        ("BackendError", 1),
        ("TrainingError", 1),
    ],
)
def test_exit_codes(name: str, code: int) -> None:
    kind = getattr(errors, name)

    assert issubclass(kind, NncliError)
    assert kind.exit_code == code
    assert name in str(errors.__doc__)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_end_with_128_and_their_number(number: int, code: int) -> None:
    assert Interrupted(number).exit_code == code
    assert isinstance(Interrupted(number), KeyboardInterrupt)


def test_places() -> None:
    assert Problem("a", "", origin="my.yaml", line=3, column=5).place == "my.yaml:3:5"
    assert Problem("a", "", origin="--set a=1").place == "--set a=1"


def test_a_config_error_keeps_its_problems() -> None:
    error = ConfigError("my.yaml has 1 problem", [Problem("a", "wrong")], hint="mend it")

    assert error.problems == (Problem("a", "wrong"),)
    assert (str(error), error.hint) == ("my.yaml has 1 problem", "mend it")


GRAPH_ERROR = """Graph execution error:

Detected at node a defined at (most recent call last):
<stack traces unavailable>
Dnn is not supported
\t [[{{node a}}]]"""


class TestInOneLine:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("", ""),
            (" \n ", ""),
            ("one\ntwo", "one"),
            ("File not found: a.keras", "File not found: a.keras"),
            ("{{node f}} {{node a}} no kernel of {{node a}}\n\t [[a]]", "no kernel of {{node a}}"),
            (GRAPH_ERROR, "Dnn is not supported"),
            ("Graph execution error:\n", ""),
        ],
    )
    def test_the_first_that_says_it(self, text: str, line: str) -> None:
        assert errors.in_one_line(ValueError(text)) == line

    @pytest.mark.usefixtures("started")
    def test_what_keras_raises_in_a_graph(self) -> None:
        keras = backend.keras()
        inputs = keras.layers.Input((3,))
        model = keras.Model(inputs, keras.layers.Embedding(5, 2)(inputs))
        with pytest.raises(Exception, match="Graph execution error") as caught:
            model.predict(np.full((4, 3), 9), verbose=0)

        assert errors.in_one_line(caught.value) == "indices[0,0] = 9 is not in [0, 5)"
