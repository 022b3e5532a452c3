"""Models as rows: what feeds which, what is inside, and nothing lost on odd ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nncli import backend
from nncli.models.describe import describe
from nncli.plots.cards import diagram
from nncli.results import LayerRow


def residual(name: str = "residual") -> Any:
    """A path that is added to its own start, an operation that is no layer, and a nested name."""
    keras = backend.keras()
    layers = keras.layers
    start = layers.Input((8, 8, 3), name="picture")
    path = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="first")(start)
    aside = layers.DepthwiseConv2D(3, padding="same", name="each")(path)
    aside = layers.BatchNormalization(name="norm")(aside)
    added = layers.Add(name="add")([path, aside])
    joined = layers.Concatenate(name="concatenate")([added, path])
    scaled = joined * 2
    squared = layers.Multiply(name="square")([scaled, scaled])
    return keras.Model(start, layers.GlobalAveragePooling2D(name="mean")(squared), name=name)


def shared() -> Any:
    """Two inputs, and a layer that is used three times, once on what came of it."""
    keras = backend.keras()
    layers = keras.layers
    one, two = layers.Input((4,), name="one"), layers.Input((4,), name="two")
    both, after = layers.Dense(4, name="both"), layers.Dense(4, name="after")
    difference = layers.Subtract(name="difference")([both(after(both(one))), both(two)])
    return keras.Model([one, two], difference, name="shared")


def nested() -> Any:
    """A frozen functional model in a Sequential one, as transfer learning builds it."""
    keras = backend.keras()
    base = residual()
    base.trainable = False
    return keras.Sequential(
        [keras.layers.Input((8, 8, 3)), base, keras.layers.Dense(2, name="head")]
    )


def twice_nested() -> Any:
    """A Sequential model around a functional one, inside a Sequential one."""
    keras = backend.keras()
    inner = keras.Sequential([keras.layers.Input((8, 8, 3)), residual()], name="around")
    return keras.Sequential([keras.layers.Input((8, 8, 3)), inner, keras.layers.Dense(2)])


def swapped() -> Any:
    """A model of two inputs that is fed the second one first."""
    keras = backend.keras()
    one, two = keras.layers.Input((4,), name="left"), keras.layers.Input((4,), name="right")
    return keras.Model([one, two], keras.layers.Dense(1, name="head")(shared()([two, one])))


MODELS: dict[str, Callable[[], Any]] = {
    "residual": residual,
    "shared": shared,
    "nested": nested,
    "twice nested": twice_nested,
    "swapped": swapped,
}
"""For the diagrams' tests too."""


def by_name(rows: tuple[LayerRow, ...]) -> dict[str, LayerRow]:
    return {row.name: row for row in rows}


def test_a_row_says_what_feeds_it(started: None) -> None:
    rows = by_name(describe(residual()))
    assert rows["picture"].inputs == ()
    assert rows["picture"].family == "input"
    assert rows["each"].inputs == ("first",)
    assert rows["add"].inputs == ("first", "norm")
    assert rows["concatenate"].inputs == ("add", "first")
    (operation,) = (row for row in rows.values() if row.inputs == ("concatenate",))
    assert (operation.type, operation.parameters) == ("Multiply", 0)
    assert rows["square"].inputs == (operation.name, operation.name)
    assert rows["square"].calls == 1


def test_what_a_sequential_model_is_fed_is_a_row(started: None) -> None:
    rows = describe(nested())
    assert [(row.name, row.inputs) for row in rows] == [
        ("input", ()), ("residual", ("input",)), ("head", ("residual",)),
    ]  # fmt: skip


def test_a_nested_model_holds_its_rows(started: None) -> None:
    base = describe(nested())[1]
    assert base.inside[0].type == "InputLayer"
    assert by_name(base.inside)["add"].inputs == ("first", "norm")
    assert base.layers_inside == len(base.inside) - 1, "an operation is a row, but no layer"
    assert base.parameters == sum(row.parameters for row in base.inside)
    assert base.frozen
    assert by_name(base.inside)["first"].frozen
    around = describe(twice_nested())[1]
    assert [row.name for row in around.inside] == ["residual"]
    assert around.inside[0].inside[0].name == "picture"


def test_a_shared_layer_is_one_row_that_says_how_often(started: None) -> None:
    rows = by_name(describe(shared()))
    assert sorted(rows["both"].inputs) == ["after", "one", "two"]
    assert rows["both"].calls == 3
    assert rows["both"].settings == "4 units · used 3 times"
    assert rows["difference"].inputs == ("both", "both")
    assert sum(row.parameters for row in rows.values()) == 40


def test_several_inputs_are_rows_in_the_order_they_are_fed(started: None) -> None:
    rows = by_name(describe(swapped()))
    assert rows["shared"].inputs == ("right", "left")


def test_a_layer_of_several_outputs_shows_its_first(started: None) -> None:
    layers = backend.keras().layers
    start = layers.Input((5, 2))
    whole, state, cell = layers.LSTM(3, return_state=True, return_sequences=True, name="all")(start)
    end = layers.LSTM(3, name="end")(whole, initial_state=[state, cell])
    rows = by_name(describe(backend.keras().Model(start, end)))
    assert rows["all"].output_shape == (5, 3)
    assert rows["end"].inputs == ("all", "all", "all")


def test_settings_say_what_matters(started: None) -> None:
    rows = by_name(describe(residual()))
    assert rows["first"].settings == "4 filters 3×3 · stride 2 · relu"
    assert rows["each"].settings == "3×3 for each channel"
    layers = backend.keras().layers
    start = layers.Input((6, 4))
    path = layers.Conv1D(2, 3, name="one")(start)
    path = layers.Conv1D(2, 3, strides=2, name="two")(path)
    path = layers.Activation("tanh", name="bent")(path)
    path = layers.EinsumDense("abc,cd->abd", output_shape=(None, 3), name="odd")(path)
    rows = by_name(describe(backend.keras().Model(start, path)))
    assert rows["one"].settings == "2 filters 3"
    assert rows["two"].settings == "2 filters 3 · stride 2"
    assert rows["bent"].settings == "tanh"
    assert rows["odd"].settings == "", "a class of the family without units"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("vgg16", "VGG16"),
        ("vgg16_1", "VGG16"),
        ("mobilenetv2_0.35_96", "MobileNetV2"),
        ("MobileNetV3Small", "MobileNetV3Small"),
        ("resnet50v2", "ResNet50V2"),
        ("convnext_tiny", "ConvNeXtTiny"),
        ("convnext_tiny_stem", "convnext_tiny_stem"),
        ("small_cnn", "small_cnn"),
    ],
)
def test_a_nested_model_is_called_as_its_network(started: None, name: str, told: str) -> None:
    keras = backend.keras()
    inner = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)], name=name)
    assert describe(keras.Sequential([keras.layers.Input((2,)), inner]))[1].type == told


def test_a_large_network_folds_into_a_picture_to_show(started: None) -> None:
    keras = backend.keras()
    base = keras.applications.MobileNetV2((32, 32, 3), 0.35, include_top=False, weights=None)
    base.trainable = False
    inputs, pooling = keras.layers.Input((32, 32, 3)), keras.layers.GlobalAveragePooling2D()
    rows = describe(keras.Sequential([inputs, base, pooling]))
    assert rows[1].type == "MobileNetV2"
    assert len(rows[1].inside) == rows[1].layers_inside == 154
    assert by_name(rows[1].inside)["block_2_add"].inputs == (
        "block_1_project_BN",
        "block_2_project_BN",
    )
    cards = {card.name: card for card in diagram(rows, expand=True).cards}
    assert len(cards) < 30
    assert cards["block_2_add"].joins == ("block_1_project", "block_2_project")
    assert cards["block_7 … block_9"].title == "Block ×3"
    assert cards["block_7 … block_9"].frozen
