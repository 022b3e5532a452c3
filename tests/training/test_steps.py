"""An epoch in one graph against plain Keras: the same batches, the same numbers."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.data.dataset import Split
from nncli.data.samples import Divided
from nncli.results import Array
from nncli.training import steps as steps_module
from nncli.training.order import order_of
from nncli.training.steps import EpochInGraph

EPOCHS, SEED = 3, 5


def samples(count: int) -> Split:
    random = np.random.default_rng(0)
    x = random.normal(size=(count, 6, 6, 1)).astype(np.float32)
    return Split(x, random.integers(0, 3, count))


def classifier(optimizer: str = "adam", dropout: float = 0.0) -> Any:
    """The same weights at each call, its optimizer built."""
    keras = backend.keras()
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(dropout),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)
    model.compute_metrics(None, np.zeros(1), np.zeros((1, 3)))
    model.reset_metrics()
    return model


def order(count: int, epoch: int) -> Array:
    return order_of(count, SEED, epoch, shuffle=True)


def by_keras(model: Any, split: Split, size: int, class_weight: Any = None) -> dict[str, Any]:
    """Plain `fit`, batch by batch."""

    def batches() -> Iterator[Any]:
        for epoch in range(1, EPOCHS + 1):
            rows = order(len(split), epoch)
            for begin in range(0, len(split), size):
                yield tuple(each[rows[begin : begin + size]] for each in (split.x, split.y))

    tf = backend.tensorflow()
    signature = (tf.TensorSpec((None, 6, 6, 1)), tf.TensorSpec((None,), tf.int64))
    history = model.fit(
        tf.data.Dataset.from_generator(batches, output_signature=signature),
        epochs=EPOCHS,
        steps_per_epoch=-(-len(split) // size),
        class_weight=class_weight,
        verbose=0,
    )
    return dict(history.history)


def in_graph(
    model: Any, split: Split, size: int, weights: Array | None = None, see: Any = id
) -> dict[str, Any]:
    graph = EpochInGraph(model, split, weights, size, lambda epoch: order(len(split), epoch), see)
    model.train_function = graph
    stream = graph.stream(1, EPOCHS)
    return dict(model.fit(stream, epochs=EPOCHS, steps_per_epoch=1, verbose=0).history)


def assert_equal(one: Any, other: Any, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert found.keys() == wanted.keys() == {"loss", "accuracy"}
    for name, values in wanted.items():
        assert found[name] == pytest.approx(values, rel=1e-5), name
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("count", "size"), [(40, 8), (43, 8), (5, 8)])
def test_it_is_what_fit_does(started: None, count: int, size: int) -> None:
    split = samples(count)
    one, other = classifier(), classifier()
    before = one.get_weights()
    assert_equal(one, other, in_graph(one, split, size), by_keras(other, split, size))
    assert not np.array_equal(before[0], one.get_weights()[0])


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adamw"])
def test_it_is_so_with_every_optimizer(started: None, optimizer: str) -> None:
    split = samples(20)
    one, other = classifier(optimizer), classifier(optimizer)
    assert_equal(one, other, in_graph(one, split, 8), by_keras(other, split, 8))


def test_dropout_drops_the_same(started: None) -> None:
    split = samples(40)
    one, other = classifier(dropout=0.5), classifier(dropout=0.5)
    assert_equal(one, other, in_graph(one, split, 8), by_keras(other, split, 8))


def test_weights_of_samples_are_those_of_their_classes(started: None) -> None:
    split = samples(40)
    class_weight = {0: 0.2, 1: 1.0, 2: 3.0}
    weights = np.array([class_weight[int(label)] for label in split.y])
    one, other, without = classifier(), classifier(), classifier()
    found = in_graph(one, split, 8, weights)
    assert_equal(one, other, found, by_keras(other, split, 8, class_weight))
    assert found["loss"][0] != pytest.approx(in_graph(without, split, 8)["loss"][0], rel=1e-3)


def test_what_is_kept_of_variables_stays_when_they_change(started: None) -> None:
    variable = backend.keras().Variable([1.0, 2.0])
    before = backend.values([variable])
    variable.assign_add([10.0, 10.0])
    (variable.value * 2).numpy()
    variable.assign([5.0, 5.0])
    assert np.asarray(before[0]).tolist() == [1.0, 2.0]
    variable.assign(before[0])
    assert variable.numpy().tolist() == [1.0, 2.0]


def test_bytes_give_the_weights_of_their_fractions_to_the_last_bit(started: None) -> None:
    pixels = np.arange(40 * 36).reshape(40, 6, 6, 1).astype(np.uint8)  # each byte is there
    y, weights = samples(40).y, np.linspace(0.5, 2, 40)
    found = []
    for x in (Divided(pixels, 255.0), np.divide(pixels, np.float32(255), dtype=np.float32)):
        model = classifier()
        found.append((in_graph(model, Split(x, y), 8, weights), model.get_weights()))
    assert found[0][0] == found[1][0]
    for one, other in zip(found[0][1], found[1][1], strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("gpu", [False, True])
def test_bytes_are_held_as_bytes_but_for_a_gpu(
    started: None, monkeypatch: pytest.MonkeyPatch, gpu: bool
) -> None:
    monkeypatch.setattr(backend, "has_gpu", lambda: gpu)  # its TensorFlow cannot gather bytes
    split = Split(Divided(np.full((40, 6, 6, 1), 51, np.uint8), 255.0), samples(40).y)
    graph = EpochInGraph(classifier(), split, None, 8, lambda epoch: order(40, epoch), id)
    (pixels, _), _ = graph._data
    assert (pixels.dtype.name, pixels.shape) == ("float32" if gpu else "uint8", (40, 6, 6, 1))
    assert float(pixels[0, 0, 0, 0]) == pytest.approx(0.2 if gpu else 51)


def test_two_runs_are_equal_to_the_last_bit(started: None) -> None:
    split = samples(43)
    runs = []
    for _ in range(2):
        model = classifier(dropout=0.3)
        runs.append((in_graph(model, split, 8), model.get_weights()))
    assert runs[0][0] == runs[1][0]
    for one, other in zip(runs[0][1], runs[1][1], strict=True):
        assert np.array_equal(one, other)


def test_the_epoch_ends_where_the_loss_breaks(started: None) -> None:
    split = samples(40)
    weights = np.ones(40)
    weights[order(40, 1)[17]] = np.nan  # in the third step of the first epoch
    model = classifier()
    seen: list[int] = []
    graph = EpochInGraph(model, split, weights, 8, lambda epoch: order(40, epoch), seen.append)
    logs = graph(iter(graph.stream(1, 1)))
    assert graph.broken_step == 3
    assert np.isnan(logs["loss"])
    assert int(model.optimizer.iterations) == 3
    graph = EpochInGraph(classifier(), split, None, 8, lambda epoch: order(40, epoch), seen.append)
    graph(iter(graph.stream(1, 1)))
    assert graph.broken_step is None


def test_the_numbers_of_the_epochs_are_no_stream_to_tune(started: None) -> None:
    graph = EpochInGraph(classifier(), samples(8), None, 4, lambda epoch: order(8, epoch), id)
    assert graph.stream(3, 2).options().autotune.enabled is False
    assert [int(each) for each in graph.stream(3, 2)] == [3, 4]


def test_the_samples_go_with_it(started: None) -> None:
    keras = backend.keras()
    layers = [keras.Input((6, 6)), keras.layers.SimpleRNN(2), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    model.compile(loss="mean_squared_error", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    split = Split(np.zeros((8, 6, 6), np.float32), np.zeros((8, 3), np.float32))
    model.compute_metrics(None, np.zeros((1, 3)), np.zeros((1, 3)))
    graph = EpochInGraph(model, split, None, 4, lambda epoch: order(8, epoch), id)
    graph(iter(graph.stream(1, 1)))
    held = [weakref.ref(each) for each in graph._data[0]]
    del graph, model, layers
    gc.collect()
    assert [each() for each in held] == [None, None]


def test_it_is_traced_once(started: None) -> None:
    traced: list[Any] = []
    model, step = classifier(), type(classifier()).train_step

    def train_step(data: Any) -> Any:
        traced.append(data)
        return step(model, data)

    model.train_step = train_step
    in_graph(model, samples(43), 8)
    assert len(traced) == 1


def test_slow_steps_give_python_its_turn_after_each(
    started: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps_module, "SECONDS_IN_GRAPH", 0.0)
    seen: list[int] = []
    in_graph(classifier(), samples(40), 8, see=seen.append)
    assert seen == [0, 1, 2, 3, 4] * EPOCHS


def test_quick_steps_are_many_in_a_call(started: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps_module, "SECONDS_IN_GRAPH", 1e6)
    seen: list[int] = []
    in_graph(classifier(), samples(40), 2, see=seen.append)
    assert seen == [0, 1, 9, *[0] * (EPOCHS - 1)]


def test_a_signal_ends_it_between_two_calls(started: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps_module, "SECONDS_IN_GRAPH", 0.0)

    def see(step: int) -> None:
        if step == 2:
            raise KeyboardInterrupt

    model = classifier()
    with pytest.raises(KeyboardInterrupt):
        in_graph(model, samples(40), 8, see=see)
    assert int(model.optimizer.iterations) == 2
