"""From pixels 0..255 to what a network was made for.

The lesson divides by 255. The networks of `keras.applications` were trained with something
else, each with its own: VGG16 with BGR minus the ImageNet means, MobileNetV2 with [−1, 1].
"""

from __future__ import annotations

import sys
from typing import Any

from nncli import backend
from nncli.data.dataset import Dataset
from nncli.lazy import np
from nncli.results import Array


def _preprocess_input(network: str) -> Any:
    """The function that prepares pictures for a network of `keras.applications`."""
    build = getattr(backend.keras().applications, network)
    return sys.modules[build.__module__].preprocess_input


def scale(pixels: Array, preprocessing: str) -> Array:
    """Pixels as a network wants them.

    Args:
        pixels: (samples, height, width, channels) in 0..255.
        preprocessing: `unit` divides by 255, `none` changes nothing, and the name of a network
            in `keras.applications`, `VGG16`, does what its weights were trained with.

    Returns:
        float32 of the same shape.
    """
    values = np.asarray(pixels, dtype=np.float32)
    if preprocessing == "unit":
        return values / np.float32(255)
    if preprocessing == "none":
        return values
    # Keras works in place on arrays that are float already, so it gets a copy of its own
    return np.asarray(_preprocess_input(preprocessing)(values.copy()), dtype=np.float32)


def preprocess(dataset: Dataset, preprocessing: str, channels: int | None = None) -> Dataset:
    """All parts of an image dataset, scaled; grey pictures repeated to `channels` if it is 3."""

    def convert(pixels: Array) -> Array:
        if channels is not None and pixels.shape[-1] == 1 and channels == 3:
            pixels = np.repeat(pixels, 3, axis=-1)
        return scale(pixels, preprocessing)

    return dataset.converted(convert)
