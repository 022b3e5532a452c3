"""From pixels 0..255 to what a network was made for.

The lesson divides by 255. The networks of `keras.applications` were trained with something
else, each with its own: VGG16 with BGR minus the ImageNet means, MobileNetV2 with [−1, 1].
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
    if preprocessing == "unit":
        return np.divide(pixels, np.float32(255), dtype=np.float32)
    if preprocessing == "none":
        return np.asarray(pixels, dtype=np.float32)
    # Keras works in place on arrays that are float already, so it gets a copy of its own
    values = np.array(pixels, dtype=np.float32)
    return np.asarray(_preprocess_input(preprocessing)(values), dtype=np.float32)


@dataclass(frozen=True)
class Preparation:
    """What is done to all pixels of an image dataset."""

    preprocessing: str
    """As `scale` takes it."""
    channels: int | None = None
    """Where it is 3, grey pictures are repeated to so many."""

    def __call__(self, pixels: Array) -> Array:
        """(samples, height, width, channels) in 0..255 → as a network wants them."""
        if self.repeats(pixels.shape):
            pixels = np.repeat(pixels, 3, axis=-1)
        return scale(pixels, self.preprocessing)

    def repeats(self, shape: Sequence[int]) -> bool:
        """Whether the one channel of a shape (…, channels) becomes three."""
        return self.channels == 3 and shape[-1] == 1

    def shape_of(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """What becomes of a shape (…, channels)."""
        return (*shape[:-1], 3) if self.repeats(shape) else shape

    @property
    def divisor(self) -> float | None:
        """What the pixels are divided by, where nothing else is done to them."""
        if self.channels is not None:
            return None
        return {"unit": 255.0, "none": 1.0}.get(self.preprocessing)


class Pictures:
    """A dataset as a network wants it, as much of it as is asked for."""

    def __init__(self, loaded: Dataset, preparation: Preparation) -> None:
        self.loaded, self.preparation = loaded, preparation
        self.shape = preparation.shape_of(loaded.input_shape)
        """(height, width, channels) of a picture, prepared."""

    @cached_property
    def prepared(self) -> Dataset:
        """All of it: to train on, where the base learns or sees other pictures in each epoch."""
        return self.loaded.converted(self.preparation)

    @cached_property
    def measured(self) -> Dataset:
        """The test part alone prepared."""
        return replace(self.loaded, test=self.loaded.test.converted(self.preparation))

    def some(self, count: int) -> Array:
        """So many of the training part."""
        return self.preparation(self.loaded.train.x[:count])
