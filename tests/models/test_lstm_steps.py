"""The gradient of all steps against the one that TensorFlow has for its operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.models import lstm_steps
from nncli.models.lstm_steps import TOGETHER, all_steps

pytestmark = pytest.mark.usefixtures("started")
BATCH, FEATURES, UNITS = 4, 3, 5


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """These few weights are worth it."""
    monkeypatch.setattr(lstm_steps, "WORTH", 1)


def arguments(steps: int) -> list[Any]:
    """x, h, c, weights and bias: of every size and sign."""
    random, tf = np.random.default_rng(0), backend.tensorflow()
    shapes = (
        *((steps, BATCH, FEATURES), (BATCH, UNITS), (BATCH, UNITS)),
        *((FEATURES + UNITS, 4 * UNITS), (4 * UNITS,)),
    )
    return [tf.constant(random.normal(0, 0.6, each), "float32") for each in shapes]


def own_gradient(x: Any, h: Any, c: Any, weights: Any, bias: Any) -> tuple[Any, Any]:
    """The same, as TensorFlow has it."""
    done = lstm_steps._forward(x, h, c, weights, bias)
    return done.h, done.cs[-1]


def gradients(compute: Any, given: list[Any], steps: int | None) -> list[np.ndarray]:
    """Of a loss that all outputs have a part in, in all arguments; compiled as in training."""
    tf = backend.tensorflow()
    shapes = [tf.TensorSpec(each.shape, each.dtype) for each in given]
    shapes[0] = tf.TensorSpec((steps, *given[0].shape[1:]), tf.float32)

    def slopes(*given: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(given)
            h, c = compute(*given)
            loss = tf.reduce_sum(tf.sin(2 * h)) + 2 * tf.reduce_sum(tf.sin(3 * c))
        return tape.gradient(loss, given)

    return [each.numpy() for each in tf.function(slopes, shapes)(*given)]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("steps", [1, TOGETHER - 1, TOGETHER, 2 * TOGETHER, 2 * TOGETHER + 3])
def test_the_gradient_is_that_of_tensorflow(steps: int, known: bool) -> None:
    given = arguments(steps)
    ours = gradients(all_steps, given, steps if known else None)
    expected = gradients(own_gradient, given, steps)
    for one, other in zip(ours, expected, strict=True):
        assert one.shape == other.shape
        assert np.abs(one - other).max() <= 2e-6 * np.abs(other).max()
    assert min(np.abs(each).max() for each in expected) > 0.1


def test_it_is_the_same_to_the_last_bit_each_time() -> None:
    given = arguments(2 * TOGETHER + 3)
    first, second = (gradients(all_steps, given, None) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_layers_of_the_same_sizes_are_traced_once() -> None:
    tf = backend.tensorflow()
    x, h, c, weights, bias = arguments(TOGETHER)
    weights = tf.concat([weights, weights[: UNITS - FEATURES]], axis=0)

    def two_layers(x: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(weights)
            first, _ = all_steps(tf.pad(x, ((0, 0), (0, 0), (0, 2))), h, c, weights, bias)
            second, _ = all_steps(first, h, c, weights, bias)
        return tape.gradient(second, weights)

    graph = tf.function(two_layers).get_concrete_function(x, weights).graph
    called = [each for each in graph.get_operations() if each.type.endswith("PartitionedCall")]
    names = {each.get_attr("f").name for each in called}
    assert (len(called), len(names)) == (2, 1)


@pytest.mark.parametrize(
    ("worth", "gpu", "own"), [(1, False, True), (1000, False, False), (1, True, False)]
)
def test_who_computes_the_gradient(
    worth: int, gpu: bool, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of few weights, and on a GPU, it is TensorFlow's."""
    tf = backend.tensorflow()
    monkeypatch.setattr(lstm_steps, "WORTH", worth)
    monkeypatch.setattr(backend, "has_gpu", lambda: gpu)
    x, h, c, weights, bias = arguments(TOGETHER)

    def slope(weights: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(weights)
            answer, _ = all_steps(x, h, c, weights, bias)
        return tape.gradient(answer, weights)

    operations = tf.function(slope).get_concrete_function(weights).graph.get_operations()
    assert ("BlockLSTMGrad" in {each.type for each in operations}) is not own
