"""The table of Keras's networks against the networks themselves, with random weights.

A few of them always; all of them, in several minutes, where NNCLI_ALL_APPLICATIONS is set.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NoReturn

import pytest

from nncli import backend
from nncli.models.applications import APPLICATIONS, Application

FEW = ("VGG16", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "ResNet50V2")
ALL = pytest.mark.skipif(
    "NNCLI_ALL_APPLICATIONS" not in os.environ, reason="NNCLI_ALL_APPLICATIONS is not set"
)
EVERY = [name if name in FEW else pytest.param(name, marks=ALL) for name in APPLICATIONS]
PLACES = [
    name if name in {"VGG16", "InceptionV3"} else pytest.param(name, marks=ALL)
    for name in APPLICATIONS
]
WITH_ALPHA = [name for name, row in APPLICATIONS.items() if row.widths]


class AcceptedError(Exception):
    """A network took its arguments and began to be built."""


@pytest.fixture(autouse=True)
def no_old_models(started: None) -> Iterator[None]:
    yield
    backend.keras().backend.clear_session(free_memory=False)


def network(name: str) -> Any:
    return getattr(backend.keras().applications, name)


def build(name: str, side: int | None, weights: str | None = None, **more: float) -> Any:
    return network(name)(weights=weights, include_top=False, input_shape=(side, side, 3), **more)


@lru_cache(maxsize=len(FEW))
def smallest_of(name: str) -> Any:
    """The network for the smallest picture that it takes, built once."""
    return build(name, APPLICATIONS[name].smallest)


def accepts_imagenet_at(name: str, alpha: float, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether Keras would go on to build and to download, asked without doing either."""

    def begin(*_: Any, **__: Any) -> NoReturn:
        raise AcceptedError

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[network(name).__module__].layers, "Input", begin)
        try:
            build(name, 224, weights="imagenet", alpha=alpha)
        except ValueError as error:
            if "alpha" not in str(error):
                raise
            return False
        except AcceptedError:
            return True
    raise AssertionError("it was built")


def test_the_table_has_every_network_of_keras(started: None) -> None:
    applications = backend.keras().applications
    networks = {
        name for name in dir(applications) if inspect.isfunction(getattr(applications, name))
    }
    assert set(APPLICATIONS) == networks


def test_the_table_is_in_the_order_of_the_alphabet_under_its_names() -> None:
    assert list(APPLICATIONS) == sorted(APPLICATIONS)
    assert all(row.name == name for name, row in APPLICATIONS.items())


def test_exactly_those_with_an_alpha_say_so(started: None) -> None:
    able = [name for name in APPLICATIONS if "alpha" in inspect.signature(network(name)).parameters]
    assert able == WITH_ALPHA


@pytest.mark.parametrize("name", EVERY)
def test_a_row_is_what_keras_builds_for_the_smallest_picture(name: str) -> None:
    row = APPLICATIONS[name]
    model = smallest_of(name)
    layers = len(model.layers)
    if row.widths:  # the fewest of all widths; a few more are added where two sums fit
        assert row.layers <= layers <= row.layers + 2
        layers = row.layers
    built = Application(
        name=name,
        layers=layers,
        features=model.output_shape[-1],
        parameters=model.count_params(),
        smallest=row.smallest,
        widths=row.widths,
    )
    assert built == row
    assert all(side >= 1 for side in model.output_shape[1:3])


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_picture_one_pixel_smaller_is_too_small(name: str) -> None:
    side = APPLICATIONS[name].smallest - 1
    with pytest.raises(ValueError, match=rf"(?i)input.*at least {side + 1}"):
        build(name, side)


@pytest.mark.parametrize("name", PLACES)
def test_the_foreseen_places_are_not_more_than_there_are(name: str) -> None:
    row, model = APPLICATIONS[name], build(name, None)
    for more in (0, 1, 20, 31, 32, 33, 64, 95, 96, 192, 480):
        side = row.smallest + more
        if name.startswith("NASNet"):  # its paddings are made for one size of picture
            if more not in {1, 32, 96}:
                continue
            model = build(name, side)
        height, width = model.compute_output_shape((1, side, side, 3))[1:3]
        assert 1 <= row.places(side) <= min(height, width), f"{side}×{side}"


@pytest.mark.parametrize(
    ("name", "alpha"),
    [
        ("MobileNetV2", 1.0),
        ("MobileNetV3Small", 1.0),
        pytest.param("MobileNetV3Large", 0.5, marks=ALL),
        pytest.param("MobileNet", 1.0, marks=ALL),
    ],
)
def test_the_fewest_layers_are_those_of_some_width(name: str, alpha: float) -> None:
    row = APPLICATIONS[name]
    model = smallest_of(name) if alpha == 1 else build(name, row.smallest, alpha=alpha)
    assert len(model.layers) == row.layers


@pytest.mark.parametrize(
    ("name", "alpha"),
    [("MobileNetV2", 0.35), ("MobileNetV3Small", 0.05), ("MobileNet", 4.0)],
)
def test_another_width_has_at_least_the_layers_and_features(name: str, alpha: float) -> None:
    row = APPLICATIONS[name]
    model = build(name, row.smallest, alpha=alpha)
    assert len(model.layers) >= row.layers
    assert model.output_shape[-1] >= int(row.features * alpha)
    assert model.count_params() >= int(row.parameters * min(1, alpha) ** 2)


@pytest.mark.parametrize("name", WITH_ALPHA)
def test_the_widths_are_those_that_keras_has_imagenet_weights_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = APPLICATIONS[name].widths
    grid = {round(0.05 * step, 2) for step in range(1, 81)} | {0.33, 0.7501, *widths}
    accepted = {alpha for alpha in grid if accepts_imagenet_at(name, alpha, monkeypatch)}
    assert accepted == set(widths)
    assert list(widths) == sorted(widths)


@pytest.mark.parametrize("name", WITH_ALPHA)
def test_the_widths_are_those_that_keras_names_when_it_refuses_another(name: str) -> None:
    with pytest.raises(ValueError, match="alpha") as caught:
        build(name, 224, weights="imagenet", alpha=0.3)
    text = str(caught.value).partition("Received")[0]
    assert {float(number) for number in re.findall(r"\d\.\d+", text)} == set(
        APPLICATIONS[name].widths
    )


@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
@pytest.mark.parametrize(
    ("name", "alpha"),
    [("EfficientNetB0", None), ("MobileNetV3Small", 0.75)],
)
def test_for_imagenet_weights_the_smallest_picture_is_the_same(
    name: str, alpha: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the download: what comes of it is put in its place."""
    module: Any = sys.modules[network(name).__module__]
    monkeypatch.setattr(module.file_utils, "get_file", lambda *_, **__: "file")
    monkeypatch.setattr(module.Functional, "load_weights", lambda *_, **__: None)
    row = APPLICATIONS[name]
    model = build(name, row.smallest, "imagenet", **({} if alpha is None else {"alpha": alpha}))
    assert len(model.layers) >= row.layers
    assert model.output_shape[-1] >= int(row.features * (alpha or 1))
    if alpha is None:
        assert model.count_params() >= row.parameters
