"""The gate lets honest files through: every kind of model that Keras saves of its own layers.

What it refuses is in `tests/test_hostile.py`.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import pytest

from nncli import backend
from nncli.errors import ModelError
from nncli.models.gate import allowed, check_model_file, check_weights_file, sizes
from nncli.models.transfer import load_base
from tests.hostile import models
from tests.models.test_transfer import settings

Layers = Any
SIDE = 32


def _sequential(*stack: Any, shape: tuple[int | None, ...] = (SIDE, SIDE, 3)) -> Any:
    keras = backend.keras()
    return keras.Sequential([keras.layers.Input(shape), *stack])


def _plain(k: Layers) -> Any:
    return _sequential(k.Conv2D(4, 3, activation="relu"), k.MaxPooling2D(), k.Flatten(), k.Dense(3))


def _normalized(k: Layers) -> Any:
    norms = (k.BatchNormalization(), k.LayerNormalization(), k.GroupNormalization(2))
    return _sequential(k.Conv2D(4, 3, use_bias=False), *norms, k.GlobalAveragePooling2D())


def _augmented(k: Layers) -> Any:
    front = (k.Rescaling(1 / 255), k.RandomFlip(seed=2**31 - 1), k.RandomRotation(0.1))
    return _sequential(*front, k.RandomZoom(0.1), k.RandomContrast(0.2), k.Conv2D(4, 3))


def _compiled(k: Layers) -> Any:
    import numpy as np

    model = _plain(k)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.zeros((4, SIDE, SIDE, 3)), np.zeros(4), verbose=0)
    return model


def _difference(truth: Any, said: Any) -> Any:
    return said - truth


def _own_loss(k: Layers) -> Any:
    model = _plain(k)
    model.compile("sgd", _difference)
    return model


def _regularized(k: Layers) -> Any:
    keras = backend.keras()
    layer = k.Conv2D(
        4,
        3,
        kernel_regularizer=keras.regularizers.L1L2(0.1, 0.1),
        kernel_constraint=keras.constraints.MaxNorm(2),
        kernel_initializer=keras.initializers.HeNormal(3),
        activation=keras.activations.gelu,
    )
    return _sequential(
        layer, k.SpatialDropout2D(0.2), k.Activation("swish"), k.PReLU(shared_axes=(1, 2))
    )


def _mixed(k: Layers) -> Any:
    return _sequential(k.Conv2D(4, 3, dtype="mixed_float16"), k.Conv2D(4, 3, dtype="bfloat16"))


def _separable(k: Layers) -> Any:
    return _sequential(
        k.SeparableConv2D(4, 3), k.DepthwiseConv2D(3, depth_multiplier=2), k.Conv2DTranspose(4, 3)
    )


def _branches(k: Layers) -> Any:
    keras = backend.keras()
    inputs = keras.Input((SIDE, SIDE, 3))
    shared = k.Conv2D(3, 3, padding="same")
    x = shared(shared(inputs))
    x = k.Add()([x, inputs]) * 2 + 1
    y = k.Concatenate()([x, keras.ops.relu(x)])
    return keras.Model(inputs, [k.Conv2D(2, 1, name="one")(y), k.Conv2D(3, 1, name="two")(y)])


def _nested(k: Layers) -> Any:
    inner = _normalized(k)
    inner.compile("adam", "mse", metrics=["accuracy"])
    base = backend.keras().Model(inner.inputs, inner.layers[-2].output)
    return _sequential(base, k.GlobalMaxPooling2D(), k.Dense(4))


def _recurrent(k: Layers) -> Any:
    return _sequential(
        k.Masking(),
        k.Bidirectional(k.LSTM(3, return_sequences=True)),
        k.GRU(4, return_sequences=True),
        k.RNN(k.StackedRNNCells([k.LSTMCell(3), k.GRUCell(2)]), return_sequences=True),
        k.TimeDistributed(k.Dense(4)),
        k.SimpleRNN(3),
        shape=(7, 5),
    )


def _attention(k: Layers) -> Any:
    keras = backend.keras()
    inputs = keras.Input((7, 6))
    x = k.MultiHeadAttention(2, 3, value_dim=5)(inputs, inputs)
    x = k.LayerNormalization()(x + inputs)
    x = k.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d")(x)
    return keras.Model(inputs, k.Attention(use_scale=True)([x, x]))


def _words(k: Layers) -> Any:
    return _sequential(k.Embedding(50, 8), k.Conv1D(4, 3), k.GlobalMaxPooling1D(), shape=(9,))


def _films(k: Layers) -> Any:
    return _sequential(
        k.ConvLSTM2D(2, 3, return_sequences=True), k.Conv3D(2, 2), shape=(4, 8, 8, 3)
    )


def _any_size(k: Layers) -> Any:
    return _sequential(k.Conv2D(4, 3), k.Conv2D(4, 3), shape=(None, None, 3))


def _application(name: str, **more: Any) -> Callable[[Layers], Any]:
    return lambda _: getattr(backend.keras().applications, name)(
        weights=None, include_top=False, input_shape=(SIDE, SIDE, 3), **more
    )


HONEST: dict[str, tuple[Callable[[Layers], Any], bool]] = {
    "a plain CNN": (_plain, True),
    "normalizations": (_normalized, True),
    "augmentation": (_augmented, True),
    "compiled and trained": (_compiled, True),
    "a loss of one's own": (_own_loss, True),
    "regularizers and the like": (_regularized, True),
    "mixed precision": (_mixed, True),
    "separable convolutions": (_separable, True),
    "shared layers and two answers": (_branches, False),
    "a compiled model in a model": (_nested, True),
    "recurrent layers": (_recurrent, False),
    "attention": (_attention, False),
    "words": (_words, False),
    "films": (_films, False),
    "pictures of any size": (_any_size, True),
    "MobileNetV2": (_application("MobileNetV2", alpha=0.35), True),
    "MobileNetV3Small": (_application("MobileNetV3Small"), True),
}
"""What is saved, and whether it can be a base."""


@pytest.fixture(scope="module")
def saved(started: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("honest")

    def make(name: str) -> Path:
        path = folder / f"{name}.keras"
        if not path.exists():
            HONEST[name][0](backend.keras().layers).save(path)
        return path

    return make


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_model_passes(name: str, saved: Callable[[str], Path]) -> None:
    path = saved(name)
    check_model_file(path)
    if HONEST[name][1]:
        base = load_base(settings(base=str(path)), (SIDE, SIDE, 3), "saved")
        assert len(base.output_shape) == 4


@pytest.mark.parametrize("name", HONEST)
def test_a_model_is_never_larger_than_told(name: str, saved: Callable[[str], Path]) -> None:
    """What Keras makes room for is the oracle."""
    path = saved(name)
    with zipfile.ZipFile(path) as archive:
        document = allowed.check_config(archive.read("config.json"), path)
    model = backend.keras().models.load_model(path, compile=False)
    taken = sum(prod(each.shape) * int(each.numpy().itemsize) for each in model.weights)
    sizes.check_sizes(document, taken, path)
    with pytest.raises(ModelError, match="would take"):
        sizes.check_sizes(document, taken - sizes.SPARE - 1, path)


def test_weights_alone(saved: Callable[[str], Path], tmp_path: Path) -> None:
    model = backend.keras().models.load_model(saved("MobileNetV2"), compile=False)
    path = tmp_path / "a.weights.h5"
    model.save_weights(path)
    check_weights_file(path)


def test_published_weights_pass(real_data: Path) -> None:
    for path in (real_data / "weights").glob("*.h5"):
        check_weights_file(path)


def test_the_network_that_strangers_change_is_honest(started: None, tmp_path: Path) -> None:
    path = models.keras_file(tmp_path / "a.keras")
    check_model_file(path)
    assert load_base(settings(base=str(path)), (28, 28, 1), "saved").output_shape[-1] == 4


def test_a_layer_that_makes_a_picture_too_large(started: None, tmp_path: Path) -> None:
    layer = models.layer("UpSampling2D", [None, 26, 26, 4], size=[10_000, 10_000])
    path = models.keras_file(tmp_path / "a.keras", models.with_layer(layer))
    check_model_file(path)
    with pytest.raises(ModelError, match="'upsampling2d' makes 270,400,000,000 numbers"):
        load_base(settings(base=str(path)), (28, 28, 1), "saved")


def test_every_class_is_one_of_keras(started: None) -> None:
    import importlib

    for module, names in allowed._CLASSES.items():
        public = importlib.import_module(module)
        assert not {name for name in names if not hasattr(public, name)}, module


def test_what_is_allowed_is_what_keras_writes(saved: Callable[[str], Path]) -> None:
    with zipfile.ZipFile(saved("a plain CNN")) as archive:
        names = archive.namelist()
        config = json.loads(archive.read("config.json"))
    assert sorted(names) == ["config.json", "metadata.json", "model.weights.h5"]
    assert config["class_name"] == "Sequential"
