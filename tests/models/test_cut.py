"""A network in two: together they are the network, and all that learns is in the second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.models.cut import cut
from nncli.models.transfer import unfreeze_last
from nncli.results import Array

pytestmark = pytest.mark.usefixtures("started")
MUCH = 10_000


def layers() -> Any:
    return backend.keras().layers


def pictures() -> Array:
    return np.random.default_rng(3).normal(1, 2, (5, 8, 8, 2)).astype(np.float32)


def chain() -> Any:
    """2·8·8 numbers go in; 256 after `a`, 64 after `pool`, 16 after `b`."""
    return backend.keras().Sequential(
        [
            layers().Input((8, 8, 2)),
            layers().Conv2D(4, 3, padding="same", name="a"),
            layers().MaxPooling2D(2, name="pool"),
            layers().Conv2D(4, 3, name="b"),
            layers().Conv2D(4, 3, padding="same", name="c"),
        ]
    )


def with_skips() -> Any:
    """Two blocks with a skip around each."""
    x = inputs = layers().Input((8, 8, 2))
    for block in "de":
        inner = layers().Conv2D(2, 3, padding="same", name=block)(x)
        inner = layers().Conv2D(2, 3, padding="same", name=f"{block}2")(inner)
        x = layers().Add(name=f"{block}_sum")([x, inner])
    return backend.keras().Model(inputs, layers().Conv2D(3, 3, name="f")(x))


def halves(network: Any, first: str, most: int = MUCH) -> Any:
    """Cut where the layers from `first` on learn."""
    names = [each.name for each in network.layers]
    unfreeze_last(network, len(names) - names.index(first))
    return cut(network, most)


@pytest.mark.parametrize(
    ("make", "first", "last"),
    [
        (chain, "c", "b"),
        (chain, "b", "pool"),
        (with_skips, "f", "e_sum"),
        (with_skips, "e2", "d_sum"),
        (with_skips, "e", "d_sum"),
    ],
)
def test_both_halves_are_the_network(make: Callable[[], Any], first: str, last: str) -> None:
    network = make()
    wanted, written = network(pictures()), network.to_json()
    front, rest = halves(network, first)
    assert front.layers[-1] is network.get_layer(last)
    np.testing.assert_allclose(rest(front(pictures())), wanted, rtol=1e-5, atol=1e-6)
    assert not front.trainable_weights
    learning = [id(each) for each in network.trainable_weights]
    assert learning == [id(each) for each in rest.trainable_weights]
    np.testing.assert_array_equal(network(pictures()), wanted)
    restored = backend.keras().models.model_from_json(written)
    assert len(restored.layers) == len(network.layers)


def test_the_network_is_written_down_as_before() -> None:
    network = with_skips()
    unfreeze_last(network, 2)
    written = network.to_json()
    assert cut(network, MUCH) is not None
    assert network.to_json() == written


@pytest.mark.parametrize(("most", "last"), [(MUCH, "b"), (16, "b"), (15, None)])
def test_no_more_is_handed_over_than_allowed(most: int, last: str | None) -> None:
    found = halves(chain(), "c", most)
    assert (found and found[0].layers[-1].name) == last


def test_an_earlier_place_is_taken_where_the_last_hands_over_too_much() -> None:
    more = [layers().UpSampling2D(4, name="large"), layers().Conv2D(2, 3, name="g")]
    network = backend.keras().Sequential([layers().Input((8, 8, 2)), *chain().layers, *more])
    front, _ = halves(network, "g", 200)
    assert front.layers[-1].name == "c"


def test_where_the_first_layer_learns_there_is_no_front() -> None:
    assert halves(chain(), "a") is None
    assert halves(with_skips(), "d") is None


def test_where_nothing_learns_there_is_no_rest() -> None:
    network = chain()
    network.trainable = False
    assert cut(network, MUCH) is None


def test_a_model_inside_that_learns_is_not_looked_into() -> None:
    network = backend.keras().Sequential([layers().Input((8, 8, 2)), chain()])
    network.trainable = True
    assert cut(network, MUCH) is None


def test_two_tensors_that_are_both_needed_are_no_place() -> None:
    """As a layer that learns sees what came before the skip and after it."""
    inputs = layers().Input((8, 8, 2))
    one = layers().Conv2D(2, 3, padding="same", name="one")(inputs)
    other = layers().Conv2D(2, 3, padding="same", name="other")(one)
    mixed = layers().Concatenate(name="mixed")([one, other])
    network = backend.keras().Model(inputs, layers().Conv2D(3, 3, name="last")(mixed))
    front, _ = halves(network, "mixed")
    assert front.layers[-1].name == "mixed", "it has no weights: frozen or not, it stays the same"
    front, _ = halves(network, "other")
    assert front.layers[-1].name == "one"
