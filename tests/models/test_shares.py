"""A batch in shares against the batch as a whole: the same numbers, and where it is not done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.models.fused import fuse
from nncli.models.shares import is_suitable, learns_statistics, share_out
from nncli.results import Array

pytestmark = pytest.mark.usefixtures("started", "three_shares")
SHARES = 3
STEPS, FEATURES = 9, 2


@pytest.fixture
def three_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has."""
    monkeypatch.setattr(backend, "shares", lambda: SHARES)


def sequential(shape: tuple[int | None, ...], *layers: Any) -> Any:
    keras = backend.keras()
    return keras.Sequential([keras.layers.Input(shape), *layers])


def convolutional() -> Any:
    layers = backend.keras().layers
    return sequential(
        (12, 12, 2),
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.BatchNormalization(trainable=False),
        layers.AveragePooling2D(2),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, activation="softmax"),
    )


def recurrent() -> Any:
    layers = backend.keras().layers
    return sequential(
        (STEPS, FEATURES),
        layers.LSTM(6, return_sequences=True),
        layers.LSTM(5),
        layers.Dense(3, activation="softmax"),
    )


def masked() -> Any:
    layers = backend.keras().layers
    return sequential(
        (STEPS, FEATURES),
        layers.Masking(0.0),
        layers.LSTM(6, return_sequences=True),
        layers.GRU(5),
        layers.Dense(3, activation="softmax"),
    )


def masked_at_each_step() -> Any:
    """Its answer has a mask, which the loss looks at."""
    layers = backend.keras().layers
    return sequential(
        (STEPS, FEATURES),
        layers.Masking(0.0),
        layers.SimpleRNN(6, return_sequences=True),
        layers.Dense(3, activation="softmax"),
    )


MODELS = [convolutional, recurrent, masked, masked_at_each_step]


def both(make: Callable[[], Any]) -> tuple[Any, Any]:
    """The same model twice: in shares, and as a whole."""
    made = []
    for _ in range(2):
        backend.keras().utils.set_random_seed(1)
        made.append(make())
        fuse(made[-1])
    share_out(made[0])
    return made[0], made[1]


def samples(model: Any, count: int) -> tuple[Array, Array]:
    """Sequences end with steps that are masked, each after another number of them."""
    random = np.random.default_rng(2)
    x = random.normal(size=(count, *model.input_shape[1:])).astype(np.float32)
    if x.ndim == 3:
        for row, end in enumerate(random.integers(2, STEPS + 1, count)):
            x[row, end:] = 0
    return x, random.integers(0, 3, (count, *model.output_shape[1:-1]))


def convolutions_of(model: Any, x: Array, *, training: bool) -> int:
    """How often a model's convolution is computed in a call: as operations, or as calls of one
    graph."""
    call = backend.tensorflow().function(lambda given: model(given, training=training))
    operations = call.get_concrete_function(x).graph.get_operations()
    return sum(each.type in {"Conv2D", "StatefulPartitionedCall"} for each in operations)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("make", MODELS)
def test_training_and_answers_are_those_of_the_whole(make: Callable[[], Any], count: int) -> None:
    """Also of a batch with fewer samples than shares."""
    one, other = both(make)
    x, y = samples(one, count)
    before = one.get_weights()
    losses = []
    for model in (one, other):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.optimizer.learning_rate = 0.1
        history = model.fit(x, y, batch_size=12, epochs=3, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
    assert not np.array_equal(before[0], one.get_weights()[0])
    answers = [model.predict(x, verbose=0) for model in (one, other)]
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fixed", [True, False])
def test_each_share_has_operations_of_its_own(*, fixed: bool) -> None:
    """Whether or not the number of samples is known when it is compiled."""
    tf = backend.tensorflow()
    one, other = both(convolutional)
    given = tf.TensorSpec((6 if fixed else None, 12, 12, 2))
    found = [convolutions_of(model, given, training=True) for model in (one, other)]
    assert found == [SHARES, 1]


def test_fewer_samples_than_shares_stay_together() -> None:
    one, _ = both(convolutional)
    few = np.zeros((SHARES - 1, 12, 12, 2), np.float32)
    assert convolutions_of(one, few, training=True) == 1


def test_answers_do_not_depend_on_what_was_asked_before() -> None:
    """The same samples alone, and once Keras has seen other numbers of them."""
    found = []
    for sizes in ((7, 1, 2), (12, 7, 2, 1, 7)):
        one, _ = both(recurrent)
        x, _ = samples(one, 12)
        asked = {size: np.asarray(one.predict_on_batch(x[:size])) for size in sizes}
        found.append(asked)
    for size in (7, 1, 2):
        np.testing.assert_array_equal(found[0][size], found[1][size])


def test_a_normalization_that_learns_sees_the_whole_batch() -> None:
    keras = backend.keras()

    def make() -> Any:
        layers = keras.layers
        inner = sequential((8, 8, 1), layers.Conv2D(4, 3), layers.BatchNormalization())
        return sequential((8, 8, 1), inner, layers.GlobalMaxPooling2D(), layers.Dense(3))

    one, other = both(make)
    x = np.random.default_rng(0).normal(size=(7, 8, 8, 1)).astype(np.float32)
    assert learns_statistics(one)
    assert convolutions_of(one, x, training=True) == 1
    assert convolutions_of(one, x, training=False) == SHARES
    np.testing.assert_allclose(one(x, training=True), other(x, training=True), rtol=1e-5, atol=1e-6)
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)  # its statistics too
    one.layers[0].trainable = False
    assert not learns_statistics(one)
    assert convolutions_of(one, x, training=True) == SHARES


def test_dropout_is_another_for_each_share_and_the_same_in_each_run() -> None:
    keras = backend.keras()

    def make() -> Any:
        layers = keras.layers
        return sequential((6, 6, 1), layers.Conv2D(1, 1), layers.Dropout(0.5, seed=4))

    x = np.ones((6, 6, 6, 1), np.float32)
    first, again = (np.asarray(both(make)[0](x, training=True)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    dropped = [part == 0 for part in np.split(first, SHARES)]
    assert not np.array_equal(dropped[0], dropped[1])
    assert 0.3 < np.mean(dropped) < 0.7


def test_a_saved_model_knows_nothing_of_it(tmp_path: Any) -> None:
    one, _ = both(convolutional)
    one.save(tmp_path / "model.keras")
    again = backend.keras().models.load_model(tmp_path / "model.keras")
    x, _ = samples(one, 7)
    assert convolutions_of(again, x, training=False) == 1
    np.testing.assert_allclose(again(x), one(x), rtol=1e-5, atol=1e-6)


def mean_over_the_batch() -> Any:
    keras = backend.keras()
    x = keras.Input((6, 6, 1))
    y = keras.layers.Conv2D(2, 3)(x)
    return keras.Model(x, y - keras.ops.mean(y, axis=0, keepdims=True))


def any_of_the_batch() -> Any:
    keras = backend.keras()
    x = keras.Input((6, 6, 1))
    y = keras.layers.Conv2D(2, 3)(x)
    return keras.Model(x, y * keras.ops.cast(keras.ops.any(y != 0, axis=0), "float32"))


UNSUITABLE = {
    "a loss of what a layer gives": lambda: sequential(
        (6, 6, 1), backend.keras().layers.Conv2D(2, 3, activity_regularizer="l2")
    ),
    "a state that goes on": lambda: backend.keras().Sequential(
        [
            backend.keras().layers.Input(batch_shape=(4, STEPS, FEATURES)),
            backend.keras().layers.LSTM(3, stateful=True),
        ]
    ),
    "a layer over the batch": lambda: sequential(
        (6, 6, 1), backend.keras().layers.Conv2D(2, 3), backend.keras().layers.Softmax(axis=0)
    ),
    "the same, counted from the end": lambda: sequential(
        (6, 6, 1), backend.keras().layers.Conv2D(2, 3), backend.keras().layers.Softmax(axis=-4)
    ),
    "an operation over the batch": mean_over_the_batch,
    "another one": any_of_the_batch,
    "a layer that is not on the list": lambda: sequential(
        (6, 6, 1),
        backend.keras().layers.SpectralNormalization(backend.keras().layers.Conv2D(2, 3)),
    ),
    "nothing to share": lambda: sequential((6,), backend.keras().layers.Dense(3)),
}


@pytest.mark.parametrize("name", UNSUITABLE)
def test_what_is_not_suitable_stays_whole(name: str) -> None:
    model = UNSUITABLE[name]()
    assert not is_suitable(model)
    share_out(model)
    assert "call" not in vars(model)


@pytest.mark.parametrize("name", ["MobileNetV2", "MobileNetV3Small", "ConvNeXtTiny"])
def test_pretrained_networks_are_suitable(name: str) -> None:
    network = getattr(backend.keras().applications, name)
    model = network(weights=None, include_top=False, input_shape=(32, 32, 3))
    assert is_suitable(model)


def test_one_core_has_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "shares", lambda: 1)
    one, _ = both(convolutional)
    assert "call" not in vars(one)
