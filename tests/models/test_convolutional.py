from __future__ import annotations

import pytest

from nncli.errors import ModelError
from nncli.models.convolutional import CnnSettings, build
from nncli.models.describe import describe
from nncli.models.preprocessing import Preparation
from tests.made import images


def test_every_setting_reaches_its_layer(started: None) -> None:
    settings = CnnSettings(
        filters=(4, 6, 8), kernel_size=2, pool_size=2, units=5, activation="tanh", dropout=0.25
    )
    rows = describe(build(settings, images(side=24).converted(Preparation("unit"))))
    assert [row.settings for row in rows[1:]] == [
        "4 filters 2×2 · tanh",
        "window 2×2",
        "6 filters 2×2 · tanh",
        "window 2×2",
        "8 filters 2×2 · tanh",
        "window 2×2",
        "to one vector",
        "5 units · tanh",
        "drop 25%",
        "3 units · softmax",
    ]


def test_a_picture_too_small_for_the_layers(started: None) -> None:
    with pytest.raises(ModelError, match="convolution 2 leaves of the 12×12 picture") as caught:
        build(CnnSettings(filters=(8, 8, 8)), images(side=12))
    assert "at most 2 model.filters" in str(caught.value.hint)
    assert caught.value.exit_code == 4
