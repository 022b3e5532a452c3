from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from nncli.activations import ACTIVATIONS
from nncli.errors import UsageError
from nncli.neuron import compute

LESSON: dict[str, Any] = {
    "inputs": (2, 3, 1),
    "weights": (0.5, -0.3, 0.8),
    "bias": 0.1,
    "activation": "sigmoid",
}


def test_the_lesson_to_its_last_digit() -> None:
    result = compute(**LESSON)
    assert result.output == 0.7310585786300049
    assert result.weighted_sum == np.dot([2, 3, 1], [0.5, -0.3, 0.8]) + 0.1
    assert result.products == (2 * 0.5, 3 * -0.3, 1 * 0.8)
    assert result.slope == pytest.approx(result.output * (1 - result.output), rel=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gradients_are_what_small_steps_do(name: str) -> None:
    inputs, weights, bias, step = (0.7, -1.2, 0.4), (0.3, 0.2, -0.9), 0.6, 1e-6
    result = compute(inputs, weights, bias, name)

    def rise(which: str, position: int) -> float:
        outputs = []
        for sign in (1, -1):
            given = {"inputs": list(inputs), "weights": list(weights), "bias": [bias]}
            given[which][position] += sign * step
            moved = compute(given["inputs"], given["weights"], given["bias"][0], name)
            outputs.append(moved.output)
        return (outputs[0] - outputs[1]) / (2 * step)

    for position in range(3):
        assert result.d_weights[position] == pytest.approx(rise("weights", position), abs=1e-6)
        assert result.d_inputs[position] == pytest.approx(rise("inputs", position), abs=1e-6)
    assert result.d_bias == pytest.approx(rise("bias", 0), abs=1e-6)


def test_a_result_holds_plain_numbers_and_cannot_be_changed() -> None:
    result = compute(**LESSON)
    assert {type(value) for value in (*result.products, result.output)} == {float}
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.output = 1.0  # type: ignore[misc]


def test_the_relu_of_a_negative_sum_learns_nothing() -> None:
    result = compute((1, 2), (-1, -1), 0, "ReLU")
    assert (result.activation, result.output, result.slope) == ("relu", 0, 0)
    assert result.d_weights == (0, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": (0.5, -0.3)}, "3 inputs and 2 weights were given"),
        ({"inputs": (1,), "weights": (1, 2)}, "1 input and 2 weights were given"),
        ({"inputs": ()}, "no inputs were given"),
        ({"weights": ()}, "no weights were given"),
        ({"inputs": (1, float("nan"), 2)}, "input 2 is 'nan'"),
        ({"weights": (1, 2, float("-inf"))}, "weight 3 is '-inf'"),
        ({"bias": float("inf")}, "the bias is 'inf'"),
        ({"activation": "sigmoit"}, "unknown activation 'sigmoit'"),
        ({"activation": "softmax"}, "not element-wise"),
        ({"inputs": (1e300, 1, 1), "weights": (1e300, 1, 1)}, "weighted sum is too large"),
        ({"bias": 1000, "activation": "exponential"}, "too large"),
    ],
)
def test_what_no_neuron_can_compute_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compute(**{**LESSON, **change})
