"""Augmentation: every epoch sees each picture a little differently, so that none is learned by
heart.

The layers are Keras's own and stand in front of the model. They change pictures in training
only; what is validated, measured and predicted goes through them untouched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from nncli import backend
from nncli.config import Contradiction, Section
from nncli.lazy import np
from nncli.models.preprocessing import scale

SEED_STREAM = 3
"""Keeps the changes apart from other uses of the same seed: splits have 1, the order 2."""
LAYERS = ("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast")
"""The Keras classes, in the order that pictures go through them."""

Share = Annotated[float, Field(ge=0, le=0.9)]


class Augmentation(Section):
    """How pictures are changed at random in training. Each change is drawn anew for each picture
    and each epoch, evenly between both limits."""

    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    """Mirror one picture in two: left to right (horizontal), top to bottom (vertical), or each of
    them by itself (both). Digits and text are something else when mirrored."""
    rotation: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Turn by up to so many degrees, either way."""
    zoom: Share = 0.0
    """Show up to this share less of height and width, or more: 0.1 is 90 % to 110 % of them."""
    translation: Share = 0.0
    """Move by up to this share of the height up or down, and of the width to a side."""
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Take up to this share from the contrast, or add it: 0.2 is 80 % to 120 %."""
    fill: Literal["nearest", "reflect", "wrap"] = "nearest"
    """What comes in at an edge where a picture was turned, zoomed or moved: the pixel at the edge
    again, the picture mirrored, or its other side."""

    @property
    def changes(self) -> bool:
        """Whether there is any change."""
        strengths = (self.rotation, self.zoom, self.translation, self.contrast)
        return self.flip != "none" or any(strengths)


def impossible_augmentation(section: Augmentation | None) -> Iterator[Contradiction]:
    """A section `augmentation` that changes nothing; keys from the section that it stands in."""
    if section is not None and not section.changes:
        yield Contradiction(
            (*(f"augmentation.{name}" for name in type(section).model_fields), "augmentation"),
            "an augmentation that changes nothing",
            "write null, or a change, e.g. rotation: 10",
        )


def augmentation_layers(
    section: Augmentation | None, seed: int, preprocessing: str, channels: int
) -> list[Any]:
    """The layers in front of a model: (batch, height, width, channels) → the same shape.

    Each has a seed of its own that depends on the run's seed and on what it does, so that
    another change beside it does not change its numbers.

    Args:
        section: what to change; None for no layers.
        seed: of the run.
        preprocessing: what was done to the pixels, as `scale` takes it.
        channels: of the pictures, 1 or 3.
    """
    if section is None:
        return []
    layers = backend.keras().layers
    stack = []
    # Keras's horizontal_and_vertical turns by 180° or does nothing: two layers do each by itself
    for purpose, mode in enumerate(("horizontal", "vertical")):
        if section.flip in {mode, "both"}:
            stack.append(layers.RandomFlip(mode, seed=layer_seed(seed, purpose)))
    if section.rotation:
        turn = section.rotation / 360
        stack.append(layers.RandomRotation(turn, fill_mode=section.fill, seed=layer_seed(seed, 2)))
    if section.zoom:
        stack.append(
            layers.RandomZoom(section.zoom, fill_mode=section.fill, seed=layer_seed(seed, 3))
        )
    if section.translation:
        share = section.translation
        stack.append(
            layers.RandomTranslation(share, share, fill_mode=section.fill, seed=layer_seed(seed, 4))
        )
    if section.contrast:
        # a single number would only ever add contrast
        both = (section.contrast, section.contrast)
        limits = value_range(preprocessing, channels)
        stack.append(layers.RandomContrast(both, value_range=limits, seed=layer_seed(seed, 5)))
    return stack


def layer_seed(seed: int, purpose: int) -> int:
    """The seed of one layer, from the run's seed and a number for what it does."""
    (number,) = np.random.SeedSequence([seed, SEED_STREAM, purpose]).generate_state(1)
    return int(number) >> 1  # Keras keeps seeds as 32 bits with a sign


def value_range(preprocessing: str, channels: int) -> tuple[list[float], list[float]]:
    """What black and white have become in each channel.

    Args:
        preprocessing: as `scale` takes it.
        channels: of the pictures.

    Returns:
        (channels,) lowest and (channels,) highest values.
    """
    black, white = (
        scale(np.full((1, 1, 1, channels), pixel, dtype=np.uint8), preprocessing).ravel().tolist()
        for pixel in (0, 255)
    )
    return black, white


def is_augmentation(layer: Any) -> bool:
    """Whether a layer changes pictures at random."""
    return type(layer).__name__ in LAYERS
