"""Adam's one operation against Keras's dozen: the same steps, and the same optimizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.training.optimizer import OPTIMIZERS, optimizer

pytestmark = pytest.mark.usefixtures("started")
SHAPES = ((5, 3), (3,), (2, 2, 1, 4))


def variables() -> list[Any]:
    random = np.random.default_rng(0)
    values = [random.normal(size=shape).astype(np.float32) for shape in SHAPES]
    return [backend.keras().Variable(each) for each in values]


def steps(optimizer: Any, count: int = 20) -> list[np.ndarray]:
    """What the weights and the optimizer's own variables are after so many steps."""
    tf, weights, random = backend.tensorflow(), variables(), np.random.default_rng(1)
    optimizer.build(weights)

    @tf.function
    def step(gradients: list[Any]) -> None:
        optimizer.apply(gradients, weights)

    for number in range(count):  # of sizes from 1e-6 to 1e2, some of them 0
        size = 10.0 ** random.uniform(-6, 2)
        gradients = [random.normal(0, size, each.shape).astype(np.float32) for each in weights]
        gradients[number % 3][..., 0] = 0
        step([tf.constant(each) for each in gradients])
        if number == count // 2:
            optimizer.learning_rate = 0.002  # as a schedule would
    return [np.asarray(each) for each in (*weights, *optimizer.variables)]


def assert_close(found: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    """Weights to rounding; the mean of squares, for which 1 − β₂ is rounded, to 1.5e-5."""
    for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
        within = 1e-6 if number < len(SHAPES) else 1.5e-5
        np.testing.assert_allclose(one, other, rtol=within, atol=2e-7)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_steps_are_those_of_keras(name: str) -> None:
    ours = optimizer(name, 0.01)
    theirs = getattr(backend.keras().optimizers, OPTIMIZERS[name])(0.01)
    assert type(ours) is type(theirs)
    before = [np.asarray(each) for each in variables()]
    found, wanted = steps(ours), steps(theirs)
    assert len(found) == len(wanted)
    assert_close(found, wanted)
    assert not np.allclose(before[0], found[0], atol=1e-3)


@pytest.mark.parametrize(("name", "expected"), [("adam", 1), ("adamw", 1), ("sgd", 0)])
def test_it_is_one_operation_for_each_weight(name: str, expected: int) -> None:
    tf, weights, made = backend.tensorflow(), variables(), optimizer(name, 0.01)
    made.build(weights)
    gradients = [tf.ones(each.shape) for each in weights]
    graph = tf.function(lambda: made.apply(gradients, weights)).get_concrete_function().graph
    found = [each.type for each in graph.get_operations()]
    assert found.count("ResourceApplyAdam") == expected * len(SHAPES)
    assert not expected or "Sqrt" not in found


def test_losses_that_are_scaled_for_float16() -> None:
    """Keras puts another optimizer around it then."""
    keras = backend.keras()
    found = []
    for each in (optimizer("adam", 0.01), keras.optimizers.Adam(0.01)):
        scaled = keras.optimizers.LossScaleOptimizer(each, initial_scale=8.0)
        found.append(steps(scaled))
    assert_close(*found)


def test_a_saved_model_goes_on_in_plain_keras(tmp_path: Path) -> None:
    keras = backend.keras()
    random = np.random.default_rng(3)
    x, y = random.normal(size=(24, 4)).astype(np.float32), random.integers(0, 3, 24)
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile(optimizer("adam", 0.01), "sparse_categorical_crossentropy")
    model.fit(x, y, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert "update_step" not in vars(again.optimizer)
    for each in (model, again):
        each.fit(x, y, epochs=3, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
