"""The fused LSTM against Keras's own: the same numbers, and Keras's loop where it is not equal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.config import Config, TrainingSection
from nncli.models import fused, lstm_steps
from nncli.models.fused import cudnn_refuses, fuse, use_loops
from nncli.models.recurrent import LstmSettings, build, plan_lstm
from tests.made import sequences

pytestmark = pytest.mark.usefixtures("started")
STEPS, FEATURES, UNITS = 7, 3, 5
LONG = 23


def lstm(layer: str = "LSTM", *, masking: bool = False, **settings: Any) -> Any:
    """A model of one layer, with weights and a bias of every size and sign."""
    keras = backend.keras()
    inputs = keras.Input((STEPS, FEATURES), batch_size=4 if settings.get("stateful") else None)
    x = keras.layers.Masking(0.0)(inputs) if masking else inputs
    model = keras.Model(inputs, getattr(keras.layers, layer)(UNITS, **settings)(x))
    random = np.random.default_rng(0)
    model.set_weights([random.normal(0, 0.6, each.shape) for each in model.get_weights()])
    return model


def stacked(steps: int = STEPS) -> Any:
    """The lesson's model, smaller."""
    keras = backend.keras()
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.layers.Input((steps, FEATURES)),
            keras.layers.LSTM(UNITS, return_sequences=True),
            keras.layers.LSTM(UNITS + 1),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def both(make: Callable[..., Any], *args: Any, **settings: Any) -> tuple[Any, Any]:
    """The same model twice: fused, and as Keras makes it."""
    fused, plain = make(*args, **settings), make(*args, **settings)
    fuse(fused)
    return fused, plain


def samples(batch: int = 4, steps: int = STEPS) -> np.ndarray:
    random = np.random.default_rng(1)
    return random.normal(0, 1, (batch, steps, FEATURES)).astype(np.float32)


def classes(count: int) -> np.ndarray:
    return np.eye(2, dtype=np.float32)[np.arange(count) % 2]


def operations(call: Callable[..., Any], *inputs: np.ndarray) -> list[str]:
    """What a call is compiled to."""
    compiled = backend.tensorflow().function(call).get_concrete_function(*inputs)
    return [each.type for each in compiled.graph.get_operations()]


def is_fused(call: Callable[..., Any], *inputs: np.ndarray) -> bool:
    found = operations(call, *(inputs or (samples(),)))
    return "BlockLSTM" in found and not {"While", "StatelessWhile"} & set(found)


def assert_close(ours: Any, expected: Any, within: float = 1e-5) -> None:
    """Equal shapes, types and, relative to the largest number of each array, values."""
    flatten = backend.keras().tree.flatten
    for one, other in zip(flatten(ours), flatten(expected), strict=True):
        a, b = np.asarray(one), np.asarray(other)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert np.abs(a - b).max() <= within * np.abs(b).max()


@pytest.fixture(params=["few weights", "many weights"])
def _size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both gradients: of layers this small the second is used only if it is told to be."""
    if request.param == "many weights":
        monkeypatch.setattr(lstm_steps, "WORTH", 1)


either_gradient = pytest.mark.usefixtures("_size")


# What it gives is what Keras gives


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"return_sequences": True},
        {"return_state": True},
        {"return_sequences": True, "return_state": True},
        {"use_bias": False},
        {"implementation": 1},
        {"kernel_regularizer": "l2", "activity_regularizer": "l2", "bias_constraint": "non_neg"},
    ],
    ids=str,
)
def test_outputs(settings: dict[str, Any]) -> None:
    fused, plain = both(lstm, **settings)
    assert is_fused(fused)
    for batch, steps in ((4, STEPS), (1, STEPS), (33, LONG), (4, 1), (1, 1)):
        x = samples(batch, steps)
        assert_close(fused.layers[1](x), plain.layers[1](x))
    assert_close(fused.losses, plain.losses)


def test_steps_of_any_number() -> None:
    """Their number need not be known when the model is compiled."""
    keras = backend.keras()
    model = keras.Sequential([keras.layers.Input((None, FEATURES)), keras.layers.LSTM(UNITS)])
    expected = [np.asarray(model(samples(steps=steps))) for steps in (1, 4, 30)]
    fuse(model)
    answers = [model.predict(samples(steps=steps), verbose=0) for steps in (1, 4, 30)]
    assert is_fused(model)
    assert_close(answers, expected)


def loss_of(outputs: Any) -> Any:
    """A loss that every output has a part in, each with another slope."""
    ops = backend.keras().ops
    flat = backend.keras().tree.flatten(outputs)
    return sum((n + 1) * ops.sum(ops.sin((n + 2) * each)) for n, each in enumerate(flat))


def gradients(model: Any, *inputs: np.ndarray) -> Any:
    """The slopes of a loss in all weights and in all inputs, compiled as in training."""
    tf = backend.tensorflow()
    keras_input = inputs[0] if len(inputs) == 1 else list(inputs)

    @tf.function
    def compute(given: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(given)
            loss = loss_of(model(given, training=True))
        return tape.gradient(loss, [[each.value for each in model.trainable_weights], given])

    return compute(backend.keras().tree.map_structure(tf.constant, keras_input))


@either_gradient
@pytest.mark.parametrize(
    ("settings", "batch"),
    [
        ({}, 1),
        ({"return_sequences": True, "return_state": True}, 5),
        ({"return_state": True, "use_bias": False}, 5),
    ],
    ids=str,
)
def test_gradients(settings: dict[str, Any], batch: int) -> None:
    fused, plain = both(lstm, **settings)
    assert_close(gradients(fused, samples(batch)), gradients(plain, samples(batch)))


@either_gradient
@pytest.mark.parametrize("steps", [STEPS, LONG])
def test_gradients_through_two_layers(steps: int) -> None:
    fused, plain = both(stacked, steps)
    x = samples(steps=steps)
    assert operations(fused, x).count("BlockLSTM") == 2
    assert_close(fused(x), plain(x))
    assert_close(gradients(fused, x), gradients(plain, x))


@either_gradient
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_gradients_between_two_layers(factor: float) -> None:
    """Of what a layer gives to two others and to the loss, as it is and multiplied."""

    def make() -> Any:
        keras = backend.keras()
        keras.utils.set_random_seed(3)
        x = keras.Input((LONG, FEATURES))
        first = keras.layers.LSTM(UNITS, return_sequences=True)(x)
        given = first if factor == 1 else factor * first
        second = keras.layers.LSTM(UNITS, return_sequences=True)(given)
        return keras.Model(x, [first, second, keras.layers.LSTM(UNITS)(second + first)])

    fused, plain = both(make)
    x = samples(steps=LONG)
    assert_close(fused(x), plain(x))
    assert_close(gradients(fused, x), gradients(plain, x))


def with_state() -> Any:
    """A model that is also given the state to begin with."""
    keras = backend.keras()
    keras.utils.set_random_seed(3)
    x, h, c = keras.Input((STEPS, FEATURES)), keras.Input((UNITS,)), keras.Input((UNITS,))
    layer = keras.layers.LSTM(UNITS, return_sequences=True, return_state=True)
    return keras.Model([x, h, c], layer(x, initial_state=[h, c]))


@either_gradient
def test_a_given_first_state() -> None:
    fused, plain = both(with_state)
    random = np.random.default_rng(2)
    h, c = random.normal(0, 1, (2, 4, UNITS)).astype(np.float32)
    inputs = [samples(), h, c]
    assert is_fused(lambda *given: fused(list(given)), *inputs)
    assert_close(fused(inputs), plain(inputs))
    assert_close(gradients(fused, *inputs), gradients(plain, *inputs))


def trained(model: Any) -> list[np.ndarray]:
    """The weights after 12 steps of Adam, the batches of two sizes."""
    model.compile("adam", "categorical_crossentropy", jit_compile=False)
    model.optimizer.build(model.trainable_variables)  # or the first step is compiled twice
    steps = model.input_shape[1]
    model.fit(samples(14, steps), classes(14), batch_size=4, epochs=3, shuffle=False, verbose=0)
    weights: list[np.ndarray] = model.get_weights()
    return weights


@either_gradient
def test_training() -> None:
    fused, plain = both(stacked, LONG)
    untrained = plain.get_weights()
    assert not is_fused(plain, samples(steps=LONG))
    ours, expected = trained(fused), trained(plain)
    assert_close(ours, expected)
    moved = [np.abs(a - b).max() for a, b in zip(expected, untrained, strict=True)]
    assert min(moved) > 1e-3
    again = stacked(LONG)
    fuse(again)
    assert all(np.array_equal(a, b) for a, b in zip(trained(again), ours, strict=True))


# Steps that do not count


def with_gaps() -> np.ndarray:
    """Samples of whose steps all count, not the last ones, not the first ones, some, and none."""
    x = samples(5)
    x[1, 3:] = 0
    x[2, :2] = 0
    x[3, [0, 2, 3, 5]] = 0
    x[4] = 0
    return x


@either_gradient
@pytest.mark.parametrize("settings", [{}, {"return_sequences": True}], ids=str)
def test_a_mask(settings: dict[str, Any]) -> None:
    x = with_gaps()
    fused, plain = both(lstm, masking=True, **settings)
    assert is_fused(fused, x)
    assert_close(fused(x), plain(x))
    assert_close(gradients(fused, x), gradients(plain, x))
    fused, plain = both(lstm, **settings)
    mask = np.any(x != 0, axis=-1)
    assert is_fused(lambda given: fused.layers[1](given, mask=mask), x)
    assert_close(fused.layers[1](x, mask=mask), plain.layers[1](x, mask=mask))


@either_gradient
def test_a_mask_of_two_layers_and_a_first_state() -> None:
    def make() -> Any:
        keras = backend.keras()
        keras.utils.set_random_seed(3)
        x, h, c = keras.Input((STEPS, FEATURES)), keras.Input((UNITS,)), keras.Input((UNITS,))
        counted = keras.layers.Masking(0.0)(x)
        first = keras.layers.LSTM(UNITS, return_sequences=True)(counted, initial_state=[h, c])
        return keras.Model([x, h, c], [first, keras.layers.LSTM(UNITS + 1)(first)])

    fused, plain = both(make)
    h, c = np.random.default_rng(2).normal(0, 1, (2, 5, UNITS)).astype(np.float32)
    inputs = [with_gaps(), h, c]
    assert operations(lambda *given: fused(list(given)), *inputs).count("BlockLSTM") == 2
    assert_close(fused(inputs), plain(inputs))
    assert_close(gradients(fused, *inputs), gradients(plain, *inputs))


# Where Keras's own loop is used


@pytest.mark.parametrize("settings", [{"return_state": True}, {"zero_output_for_mask": True}])
def test_a_mask_that_is_for_keras(settings: dict[str, Any]) -> None:
    """The last state that counts is wanted, or zeros for what does not count."""
    fused, plain = both(lstm, masking=True, return_sequences=True, **settings)
    x = with_gaps()
    assert not is_fused(fused, x)
    ours, expected = (backend.keras().tree.flatten(each(x)) for each in (fused, plain))
    for one, other in zip(ours, expected, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("layer", "settings"),
    [
        ("LSTM", {"activation": "relu"}),
        ("LSTM", {"activation": None}),
        ("LSTM", {"recurrent_activation": "hard_sigmoid"}),
        ("LSTM", {"recurrent_activation": "tanh"}),
        ("LSTM", {"dropout": 0.5}),
        ("LSTM", {"recurrent_dropout": 0.5}),
        ("LSTM", {"stateful": True}),
        ("LSTM", {"unroll": True}),
        ("LSTM", {"go_backwards": True}),
        ("LSTM", {"dtype": "float64"}),
        ("LSTM", {"dtype": "float16"}),
        ("LSTM", {"dtype": "mixed_float16"}),
        ("LSTM", {"dtype": "mixed_bfloat16"}),
        ("GRU", {}),
        ("SimpleRNN", {}),
    ],
    ids=str,
)
def test_what_is_not_equal_is_for_keras(layer: str, settings: dict[str, Any]) -> None:
    fused, plain = both(lstm, layer, **settings)
    assert "BlockLSTM" not in operations(fused, samples())
    assert np.array_equal(fused(samples()), plain(samples()))


def test_a_layer_of_ones_own_is_left_alone() -> None:
    keras = backend.keras()

    class Own(keras.layers.LSTM):  # type: ignore[misc, name-defined]
        pass

    model = keras.Sequential([keras.layers.Input((STEPS, FEATURES)), Own(UNITS)])
    fuse(model)
    assert not is_fused(model)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A GPU that is there by its name alone: TensorFlow has no kernel of cuDNN's to offer."""
    config = backend.tensorflow().config
    monkeypatch.setattr(config, "list_logical_devices", lambda kind: ["one"] * (kind == "GPU"))
    cudnn_refuses.cache_clear()
    yield
    cudnn_refuses.cache_clear()


@pytest.mark.usefixtures("gpu")
def test_a_gpu_is_for_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    model = lstm()
    monkeypatch.setattr(fused, "cudnn_refuses", lambda: None)
    fuse(model)
    assert not is_fused(model)
    assert model.layers[-1].use_cudnn == "auto"


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(("layer", "fusable"), [("LSTM", True), ("GRU", False)])
def test_where_cudnn_refuses_nobody_asks_it(layer: str, fusable: bool) -> None:
    model, plain = lstm(layer), lstm(layer, use_cudnn=False)

    fuse(model)

    assert str(cudnn_refuses()).startswith("No OpKernel was registered to support Op 'CudnnRNNV3'")
    assert is_fused(model) is fusable
    np.testing.assert_allclose(
        model.predict(samples(), verbose=0), plain.predict(samples(), verbose=0), atol=1e-6
    )


@pytest.mark.usefixtures("gpu")
def test_a_training_says_that_cudnn_refuses() -> None:
    section = TrainingSection(epochs=1, batch_size=7, learning_rate=0.01)
    settings = LstmSettings(units=(3,))
    made = Config(kind="lstm", seed=1, data=section, model=settings, training=section)

    plan = plan_lstm(made, sequences())

    assert [note[:45] for note in plan.notes] == ["the LSTM is computed without cuDNN: No OpKern"]


@pytest.mark.usefixtures("gpu")
def test_only_a_model_with_such_layers_asks_cudnn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "cudnn_refuses", lambda: pytest.fail("it was asked"))
    fuse(lstm("SimpleRNN"))


@pytest.mark.usefixtures("gpu")
def test_what_other_runtimes_have_is_a_loop() -> None:
    model = lstm()
    with pytest.raises(Exception, match="CudnnRNNV3"):
        model.predict(samples(), verbose=0)

    model = lstm()
    use_loops(model)

    assert model.predict(samples(), verbose=0).shape == (4, UNITS)


def test_another_keras_keeps_its_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    model, layers = lstm(), backend.keras().layers
    with monkeypatch.context() as patch:
        patch.delattr(layers.LSTM, "inner_loop")
        patch.delattr(layers.RNN, "inner_loop")
        fuse(model)
    assert not is_fused(model)


# What is saved is Keras's

LOADED = """
import json, sys
sys.modules["nncli"] = None  # importing it would fail
import keras, numpy
model = keras.models.load_model(sys.argv[1])
print(json.dumps(model.predict(numpy.load(sys.argv[2]), verbose=0).tolist()))
"""


def test_the_saved_model_is_a_plain_one(tmp_path: Path) -> None:
    fused, plain = stacked(), stacked()
    before = fused.get_config()
    fuse(fused)
    assert fused.get_config() == before
    fused.save(tmp_path / "fused.keras")
    np.save(tmp_path / "x.npy", samples())
    printed = subprocess.run(
        [sys.executable, "-c", LOADED, "fused.keras", "x.npy"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert_close(np.float32(json.loads(printed)), plain(samples()))
    loaded = backend.keras().models.load_model(tmp_path / "fused.keras")
    assert not is_fused(loaded)
    fuse(loaded)
    assert is_fused(loaded)
    assert np.array_equal(loaded(samples()), fused(samples()))


# Where nncli uses it


def test_a_built_lstm_is_fused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "shares", lambda: 1)
    dataset = sequences()
    for padding in (None, -9.0):
        model = build("LSTM", LstmSettings(units=(4, 3)), replace(dataset, padding=padding))
        assert operations(model, dataset.train.x).count("BlockLSTM") == 2
