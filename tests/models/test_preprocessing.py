from __future__ import annotations

import numpy as np
import pytest

from nncli import backend
from nncli.models.applications import APPLICATIONS
from nncli.models.preprocessing import Preparation, scale
from tests.made import images


def test_unit_and_none() -> None:
    pixels = np.array([0, 51, 255], dtype=np.uint8).reshape(1, 1, 3, 1)
    assert scale(pixels, "unit").ravel().tolist() == [0.0, np.float32(0.2), 1.0]
    assert scale(pixels, "none").ravel().tolist() == [0.0, 51.0, 255.0]


def test_vgg16_gets_bgr_minus_the_imagenet_means(started: None) -> None:
    pixels = np.full((1, 1, 1, 3), (10, 20, 30), dtype=np.uint8)
    expected = np.array([30 - 103.939, 20 - 116.779, 10 - 123.68])
    assert np.allclose(scale(pixels, "VGG16").ravel(), expected, atol=1e-4)


def test_mobilenet_gets_minus_one_to_one(started: None) -> None:
    pixels = np.array([0, 255], dtype=np.uint8).reshape(1, 1, 2, 1).repeat(3, axis=-1)
    assert scale(pixels, "MobileNetV2")[0, 0, :, 0].tolist() == [-1.0, 1.0]


def test_the_table_is_that_of_keras(started: None) -> None:
    applications = backend.keras().applications
    assert set(APPLICATIONS) == {name for name in dir(applications) if name[0].isupper()}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_network_has_its_own_preprocessing(started: None, name: str) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    before = pixels.copy()
    assert scale(pixels, name).shape == pixels.shape
    assert np.array_equal(pixels, before)


def test_grey_pictures_get_three_channels() -> None:
    dataset = images().converted(Preparation("none", channels=3))
    assert dataset.input_shape == (12, 12, 3)
    assert np.array_equal(dataset.train.x[..., 0], dataset.train.x[..., 2])
