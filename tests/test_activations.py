"""One contract for every row of ACTIVATIONS, with Keras and TensorFlow's autodiff as oracles."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.activations import (
    ACTIVATIONS,
    NOT_ELEMENTWISE,
    THRESHOLD,
    Activation,
    get,
    get_all,
    grid,
)
from nncli.errors import UsageError

ROWS = list(ACTIVATIONS.values())
ROW_IDS = list(ACTIVATIONS)
REQUIRED = {"threshold": {"threshold": THRESHOLD, "default_value": 0.0}}
"""The arguments that Keras leaves without a default."""


@pytest.fixture
def tensorflow(started: None) -> Any:
    return backend.tensorflow()


@pytest.fixture
def keras(started: None) -> Any:
    return backend.keras()


def smooth_points(row: Activation) -> np.ndarray:
    """x on both sides of 0, near and far, but on no kink (a kink has no slope to agree on)."""
    x = np.concatenate([np.linspace(-12, 12, 2402), [-700.0, -60.0, 60.0, 700.0]])
    ties = [*row.kinks, 0.0] if row.name == "celu" else list(row.kinks)
    return x[[not np.isclose(value, ties, atol=1e-9).any() for value in x]]


def oracle(row: Activation, keras: Any, tensorflow: Any, x: np.ndarray) -> Any:
    """Keras' value and TensorFlow's slope at `x`, both in float64."""
    function = getattr(keras.activations, row.source.rpartition(".")[2], None)
    if function is None:
        pytest.skip(f"Keras {keras.__version__} has no {row.source}")
    variable = tensorflow.constant(x, dtype="float64")
    with tensorflow.GradientTape() as tape:
        tape.watch(variable)
        value = function(variable, **REQUIRED.get(row.name, {}))
    return value.numpy(), tape.gradient(value, variable).numpy()


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_values_are_keras_and_slopes_are_autodiff(
    row: Activation, keras: Any, tensorflow: Any
) -> None:
    x = smooth_points(row)
    value, slope = oracle(row, keras, tensorflow, x)
    np.testing.assert_allclose(row.f(x), value, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(row.slope(x), slope, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_values_at_the_kinks_are_keras(row: Activation, keras: Any, tensorflow: Any) -> None:
    x = np.array([-1.0, 0.0, 1.0, *row.kinks])
    value, slope = oracle(row, keras, tensorflow, x)
    np.testing.assert_allclose(row.f(x), value, rtol=1e-6, atol=1e-6)
    if row.name != "celu":  # TensorFlow says 2 at 0, adding the slopes of both its halves
        np.testing.assert_allclose(row.slope(x), slope, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_far_out_nothing_warns_and_nothing_is_nan(row: Activation) -> None:
    x = np.array([-1e4, -745.2, -1e-300, 0.0, 1e-300, 709.9, 1e4])
    with np.errstate(all="raise"):
        value, slope = row.f(x), row.slope(x)
    assert not np.isnan(value).any()
    assert not np.isnan(slope).any()
    if row.name != "exponential":
        assert np.isfinite(value).all()
        assert np.isfinite(slope).all()
    assert value.dtype == slope.dtype == np.float64


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_the_slope_is_what_f_does(row: Activation) -> None:
    x, step = smooth_points(row)[::7], 1e-6
    x = x[np.abs(x) < 13]
    rise = (row.f(x + step) - row.f(x - step)) / (2 * step)
    np.testing.assert_allclose(rise, row.slope(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_the_kinks_are_where_the_slope_jumps(row: Activation) -> None:
    x = np.linspace(-9.995, 9.995, 2000)  # every kink falls between two of these
    jumps = np.flatnonzero(np.abs(np.diff(row.slope(x))) > 0.1)
    found = [(x[i] + x[i + 1]) / 2 for i in jumps]
    if row.kinks:
        np.testing.assert_allclose(found, row.kinks, atol=0.006)
    elif row.name != "exponential":
        assert not found


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_arrays_keep_their_shape_and_the_input_its_values(row: Activation) -> None:
    x = np.linspace(-3, 3, 12).reshape(3, 4)
    before = x.copy()
    for result in (row.f(x), row.slope(x)):
        assert result.shape == x.shape
        result[...] = 7
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
def test_a_row_says_what_it_is(row: Activation) -> None:
    assert row.formula.count("$") % 2 == 0
    assert row.note.endswith(".")
    assert row.source.startswith("keras.activations.")
    assert row.output_range[0] in "[({"


def test_every_activation_of_keras_is_a_row_or_has_a_reason(keras: Any) -> None:
    lookups = {"get", "serialize", "deserialize"}
    theirs = {
        name
        for name, member in vars(keras.activations).items()
        if inspect.isfunction(member) and not name.startswith("_") and name not in lookups
    }
    ours = {name for row in ROWS for name in (row.name, *row.aliases)}
    assert theirs - ours == set(NOT_ELEMENTWISE)


def test_the_lesson_comes_first_and_with_its_conventions() -> None:
    assert ROW_IDS[:3] == ["linear", "sigmoid", "relu"]
    zero = np.zeros(1)
    assert get("relu").slope(zero)[0] == 0
    assert get("linear").slope(zero)[0] == 1
    assert get("sigmoid").slope(zero)[0] == 0.25
    assert get("sigmoid").f(zero)[0] == 0.5


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("ReLU", "relu"),
        ("swish", "silu"),
        ("Hard-Swish", "hard_silu"),
        ("hard_sigmoid", "hard_sigmoid"),
        ("hard-sigmoid", "hard_sigmoid"),
        ("LeakyReLU", "leaky_relu"),
        ("exp", "exponential"),
    ],
)
def test_names_are_taken_as_people_write_them(given: str, name: str) -> None:
    assert get(given).name == name


def test_get_all_keeps_the_order_and_drops_doubles() -> None:
    assert [row.name for row in get_all(["swish", "relu", "SiLU"])] == ["silu", "relu"]


def test_no_two_rows_share_a_name() -> None:
    names = [name for row in ROWS for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))


def test_an_unknown_name_is_answered_with_the_likely_one() -> None:
    with pytest.raises(UsageError, match="unknown activation 'sigmoit'") as caught:
        get("sigmoit")
    assert caught.value.hint is not None
    assert "'sigmoid'" in caught.value.hint
    assert "nncli plot-activation --list" in caught.value.hint


@pytest.mark.parametrize("name", ["softmax", "log-softmax", "GLU", "sparsemax"])
def test_what_is_not_element_wise_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(UsageError, match="is not element-wise"):
        get(name)


@pytest.mark.parametrize(
    ("low", "high", "points"),
    [
        (5, -5, 10),
        (1, 1, 10),
        (float("nan"), 1, 10),
        (0, float("inf"), 10),
        (-1e9, 1, 10),
        (1, 1 + 1e-9, 10),
        (-5, 5, 1),
        (-5, 5, 10**9),
    ],
)
def test_a_grid_that_is_no_curve_is_refused(low: float, high: float, points: int) -> None:
    with pytest.raises(UsageError):
        grid(low, high, points)


def test_a_grid_holds_both_ends() -> None:
    x = grid(-5, 5, 11)
    assert (x[0], x[5], x[-1], len(x)) == (-5, 0, 5, 11)
