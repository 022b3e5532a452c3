"""What a model says of many samples: the same as Keras's, in batches, folded where it can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.models.shares import share_out
from nncli.results import Array
from nncli.training import inference as module
from nncli.training.inference import Inference, answering, batch_size, operations, predict
from tests.training.test_features import OnDisk

pytestmark = pytest.mark.usefixtures("started")


def deep() -> Any:
    """A network whose normalization is folded."""
    keras = backend.keras()
    keras.utils.set_random_seed(5)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((9, 9, 2)),
            layers.Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(momentum=0.2),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model(pictures(40), training=True)  # statistics of its own
    return model


def plain() -> Any:
    """One without."""
    layers = backend.keras().layers
    return backend.keras().Sequential([layers.Input((9, 9, 2)), layers.Flatten(), layers.Dense(3)])


def pictures(count: int) -> Array:
    return np.random.default_rng(1).normal(2, 3, (count, 9, 9, 2)).astype(np.float32)


@pytest.mark.parametrize("cores", [1, 2, 3])
@pytest.mark.parametrize("make", [deep, plain])
@pytest.mark.parametrize("count", [1, 7, 130])
def test_answers_are_those_of_keras(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any], count: int, cores: int
) -> None:
    """In memory or on the disk, batches of whatever size, shared out or not."""
    monkeypatch.setattr(backend, "shares", lambda: cores)
    model, x = make(), pictures(count)
    wanted = model.predict(x, verbose=0)
    share_out(model)
    for given in (x, OnDisk(x)):
        np.testing.assert_allclose(predict(model, given), wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(answering(model)(x), wanted, rtol=1e-5, atol=1e-6)


def test_a_model_that_learned_more_answers_by_what_it_learned() -> None:
    model, x = deep(), pictures(6)
    before = predict(model, x)
    model(x, training=True)
    model.layers[0].kernel.assign(2 * model.layers[0].kernel)
    after = predict(model, x)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


def test_a_deep_network_is_traced_once_for_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares of a batch would each be a network of its own in the graph."""
    monkeypatch.setattr(backend, "shares", lambda: 2)
    model = deep()
    share_out(model)
    traced = []
    call = model.call.whole
    model.call.whole = lambda *given, **settings: traced.append(1) or call(*given, **settings)
    own = Inference(model)._free.get().get_concrete_function().graph
    assert len(traced) == 1
    (inner,) = own.as_graph_def().library.function
    kinds = [each.op for each in inner.node_def]
    assert kinds.count("Conv2D") == 1
    assert "Rsqrt" not in kinds, "no normalization is left"


def test_cores_do_not_meet_in_an_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A convolution with a bias and a skip from the input: what is added lies in the operation."""
    monkeypatch.setattr(backend, "shares", lambda: 2)
    keras = backend.keras()
    layers = keras.layers
    inputs = layers.Input((3, 3, 64))
    maps = layers.Conv2D(64, 1)(layers.Conv2D(256, 1, activation="relu")(inputs))
    outputs = layers.GlobalAveragePooling2D()(layers.Add()([inputs, maps]))
    model = keras.Model(inputs, outputs)
    x = np.random.default_rng(1).normal(size=(2000, 3, 3, 64)).astype(np.float32)
    before = x.copy()
    inference = Inference(model)
    first, *others = [np.concatenate(list(inference.answers(x, 16))) for _ in range(8)]
    np.testing.assert_allclose(first, model.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    for each in others:
        np.testing.assert_array_equal(each, first)
    np.testing.assert_array_equal(x, before)


def test_samples_are_prepared_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "shares", lambda: 2)
    model, pixels = deep(), np.arange(17 * 162, dtype=np.uint8).reshape(17, 9, 9, 2)
    sizes = []

    def prepare(some: Array) -> Array:
        sizes.append(len(some))
        return np.divide(some, np.float32(255), dtype=np.float32)

    answers = np.concatenate(list(Inference(model).answers(pixels, 5, prepare)))
    assert sorted(sizes) == [2, 5, 5, 5]
    np.testing.assert_allclose(answers, model.predict(pixels / 255, verbose=0), atol=1e-6)


def test_operations_are_counted_by_hand() -> None:
    # 9 - 2 = 7 places a side
    assert operations(deep()) == 2 * 7 * 7 * (3 * 3 * 2 * 4) + 2 * (4 * 3)


@pytest.mark.parametrize("cores", [1, 2])
def test_a_heavy_network_is_given_fewer_at_once(
    monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    """And each core its part of them."""
    monkeypatch.setattr(backend, "shares", lambda: cores)
    model = deep()
    assert batch_size(model, (9, 9, 2)) == module.BATCH // cores
    for work, size in ((3, 4 - cores), (0.1, 1)):
        monkeypatch.setattr(module, "WORK", work * operations(model))
        assert batch_size(model, (9, 9, 2)) == size


def test_large_pictures_are_given_fewer_at_once() -> None:
    assert batch_size(deep(), (1000, 1000, 2)) == 1
