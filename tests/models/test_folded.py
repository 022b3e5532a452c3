"""Normalizations in the weights before them: the same answers, and the model left as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.models.folded import folded, is_foldable
from nncli.results import Array

pytestmark = pytest.mark.usefixtures("started")


def layers() -> Any:
    return backend.keras().layers


def separable() -> Any:
    return layers().SeparableConv2D(4, 3, depth_multiplier=2)


def depthwise() -> Any:
    return layers().DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, strides=2)


WORKERS: dict[str, Callable[[], Any]] = {
    "convolution": lambda: layers().Conv2D(4, 3, padding="same"),
    "without bias": lambda: layers().Conv2D(4, 3, use_bias=False, strides=2, padding="same"),
    "grouped": lambda: layers().Conv2D(4, 3, groups=2, dilation_rate=2),
    "depthwise": depthwise,
    "separable": separable,
    "dense": lambda: layers().Dense(4),
}


def chain(*parts: Any) -> Any:
    return backend.keras().Sequential([layers().Input((8, 8, 2)), *parts])


def functional(make: Callable[[Any], Any]) -> Any:
    inputs = layers().Input((8, 8, 2))
    return backend.keras().Model(inputs, make(inputs))


def lived(model: Any) -> Any:
    """Statistics and weights that are not those of the beginning."""
    random = np.random.default_rng(2)
    for each in model._flatten_layers():
        if isinstance(each, layers().BatchNormalization):
            each.set_weights(
                [random.uniform(0.2, 2, weight.shape) for weight in each.get_weights()]
            )
    return model


def pictures() -> Array:
    return np.random.default_rng(3).normal(1, 2, (5, 8, 8, 2)).astype(np.float32)


def traced(model: Any) -> Any:
    tf = backend.tensorflow()
    signature = [tf.TensorSpec((None, *model.input_shape[1:]))]
    graph = tf.function(lambda x: model(x, training=False), signature, autograph=False)
    graph.get_concrete_function()
    return graph


def check(model: Any, left: int = 0) -> None:
    """So many normalizations are left in the graph of the folded model, which answers the same."""
    wanted = np.asarray(model(pictures(), training=False))
    with folded(model):
        graph = traced(model)
    kinds = [each.type for each in graph.get_concrete_function().graph.get_operations()]
    assert kinds.count("Rsqrt") == left
    np.testing.assert_allclose(graph(pictures()), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model(pictures(), training=False), wanted)


@pytest.mark.parametrize("settings", [{}, {"center": False}, {"scale": False}, {"epsilon": 0.1}])
@pytest.mark.parametrize("name", WORKERS)
def test_the_answers_stay_the_same(name: str, settings: dict[str, Any]) -> None:
    norm = layers().BatchNormalization(**settings)
    model = lived(chain(WORKERS[name](), norm, layers().ReLU(6.0)))
    assert is_foldable(model)
    check(model)


def test_models_inside_models_are_folded_too() -> None:
    inner = chain(layers().Conv2D(3, 3), layers().BatchNormalization(), layers().ReLU())
    middle = functional(lambda x: layers().GlobalAveragePooling2D()(inner(x)))
    check(lived(chain(middle, layers().Dense(2), layers().BatchNormalization())))


def test_a_skip_of_what_was_normalized_is_no_hindrance() -> None:
    def make(x: Any) -> Any:
        maps = layers().BatchNormalization()(layers().Conv2D(2, 3, padding="same")(x))
        return layers().Add()([x, maps, layers().ReLU()(maps)])

    check(lived(functional(make)))


def test_rounding_is_no_larger_than_keras_has() -> None:
    """Against 64-bit numbers, ten layers deep."""
    keras = backend.keras()

    def make(kind: str) -> Any:
        keras.utils.set_random_seed(4)
        keras.config.set_dtype_policy(kind)
        try:
            parts = [
                (layers().Conv2D(8, 3, padding="same"), layers().BatchNormalization())
                for _ in range(10)
            ]
            return lived(chain(*(each for pair in parts for each in (*pair, layers().ReLU()))))
        finally:
            keras.config.set_dtype_policy("float32")

    single, exact = make("float32"), make("float64")
    exact.set_weights(single.get_weights())
    truth = np.asarray(exact(pictures().astype(np.float64), training=False))
    with folded(single):
        graph = traced(single)
    errors = [
        np.sqrt(np.mean((np.asarray(answers) - truth) ** 2))
        for answers in (graph(pictures()), single(pictures(), training=False))
    ]
    assert 0 < errors[0] < 1.5 * errors[1]


def shared_layer(x: Any) -> Any:
    convolution = layers().Conv2D(2, 3, padding="same")
    return layers().BatchNormalization()(convolution(convolution(x)))


def seen_by_another(x: Any) -> Any:
    maps = layers().Conv2D(2, 3, padding="same")(x)
    return layers().Add()([maps, layers().BatchNormalization()(maps)])


def also_an_answer(x: Any) -> Any:
    maps = layers().Conv2D(2, 3, padding="same")(x)
    return [maps, layers().BatchNormalization()(maps)]


def shared_normalization(x: Any) -> Any:
    norm = layers().BatchNormalization()
    return norm(layers().Conv2D(2, 3)(norm(layers().Conv2D(2, 3)(x))))


LEFT: dict[str, Callable[[], Any]] = {
    "not linear": lambda: chain(layers().Conv2D(2, 3, activation="relu"), norm()),
    "first": lambda: chain(norm(), layers().Conv2D(2, 3)),
    "after pooling": lambda: chain(layers().MaxPooling2D(2), norm()),
    "another axis": lambda: chain(layers().Conv2D(2, 3), norm(axis=1)),
    "shared layer": lambda: functional(shared_layer),
    "seen by another": lambda: functional(seen_by_another),
    "also an answer": lambda: functional(also_an_answer),
    "shared normalization": lambda: functional(shared_normalization),
    "half precision": lambda: chain(layers().Conv2D(2, 3, dtype="mixed_float16"), norm()),
    "no normalization": lambda: chain(layers().Conv2D(2, 3), layers().LayerNormalization()),
}


def norm(**settings: Any) -> Any:
    return layers().BatchNormalization(**settings)


@pytest.mark.parametrize("name", LEFT)
def test_what_is_not_the_same_is_left_alone(name: str) -> None:
    model = lived(LEFT[name]())
    wanted = model(pictures(), training=False)
    assert not is_foldable(model)
    with folded(model):
        found = model(pictures(), training=False)
    for one, other in zip(backend.tensorflow().nest.flatten(found), flat(wanted), strict=True):
        np.testing.assert_array_equal(one, other)


def flat(tensors: Any) -> Any:
    return backend.tensorflow().nest.flatten(tensors)


def test_only_what_can_be_is_folded() -> None:
    model = chain(
        *(layers().Conv2D(2, 3), norm(), layers().ReLU()),
        *(layers().Conv2D(2, 3, activation="relu"), norm()),
    )
    check(lived(model), left=1)


def test_on_a_gpu_nothing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "has_gpu", lambda: True)
    model = lived(chain(layers().Conv2D(2, 3), norm()))
    assert not is_foldable(model)
    check(model, left=1)


def test_an_error_while_it_is_traced_leaves_the_model_as_it_was() -> None:
    model = lived(chain(layers().Conv2D(2, 3), norm()))
    wanted = model(pictures(), training=False)
    with pytest.raises(ZeroDivisionError), folded(model):
        _ = 1 / 0
    np.testing.assert_array_equal(model(pictures(), training=False), wanted)
    model(pictures(), training=True)
    assert not np.allclose(model(pictures(), training=False), wanted), "its statistics learn again"


def test_the_folded_weights_are_no_part_of_the_graph() -> None:
    """As constants of it they would be copied each time that TensorFlow optimizes it."""
    model = lived(chain(layers().Conv2D(64, 3), norm()))
    tf = backend.tensorflow()

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 2))], autograph=False)
    def inside(x: Any) -> Any:
        with folded(model):
            return model(x, training=False)

    with folded(model):
        outside = traced(model)
    for each in (inside, outside):
        graph = each.get_concrete_function().graph
        assert graph.as_graph_def().ByteSize() < model.layers[0].kernel.numpy().nbytes
    np.testing.assert_allclose(inside(pictures()), outside(pictures()), atol=1e-6)
