"""Scikit-learn's handwritten digits: real images that need no download."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from nncli.config import Section, contradiction
from nncli.data.dataset import Dataset, Split
from nncli.data.source import Source
from nncli.data.splits import (
    TestShare,
    ValidationShare,
    check_shares,
    few_per_class,
    split_three,
)

_BRIGHTEST = 16  # the images count the black pixels of 4 × 4 blocks


class DigitsSection(Section):
    """1,797 handwritten digits that come with scikit-learn."""

    source: Literal["digits"] = "digits"
    """1,797 handwritten digits, 8 × 8 pixels, that come with scikit-learn."""
    size: Annotated[int, Field(ge=8, le=512)] = 28
    """Height and width the images are brought to, in pixels, a margin included."""
    classes: tuple[Annotated[int, Field(ge=0, le=9)], ...] | None = None
    """The digits to tell apart, numbered anew in this order; null takes all ten."""
    train_per_class: Annotated[int, Field(ge=1)] | None = None
    """Train on only this many images of each class, chosen by the seed; null takes all."""
    validation_per_class: Annotated[int, Field(ge=1)] | None = None
    """Choose the best epoch by only this many images of each class; null takes all."""
    validation: ValidationShare = 0.15
    """Share of the images that chooses the best epoch; 0 for none."""
    test: TestShare = 0.2
    """Share of the images to measure on."""

    @model_validator(mode="after")
    def _possible(self) -> DigitsSection:
        check_shares(self.validation, self.test)
        if self.classes is not None and len(set(self.classes)) < max(2, len(self.classes)):
            raise contradiction(
                "classes", f"{list(self.classes)} are not two different digits or more"
            )
        return self


def load_digits(section: DigitsSection, seed: int) -> Dataset:
    """The digits, enlarged and split with each class in its proportion.

    Returns:
        x (samples, size, size, 1) uint8, y (samples,).

    Raises:
        DataError: too few samples for the shares.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998 (the
    test set), as `sklearn.datasets.load_digits`.
    """
    from sklearn import datasets

    raw = datasets.load_digits()
    wanted = tuple(range(10)) if section.classes is None else section.classes
    chosen = np.flatnonzero(np.isin(raw.target, wanted))
    place = np.zeros(10, dtype=np.int64)
    place[list(wanted)] = np.arange(len(wanted))
    y = place[raw.target[chosen]]
    train, validation, test = split_three("digits", y, section.validation, section.test, seed)
    if section.train_per_class is not None:
        train = few_per_class(train, y, section.train_per_class, seed)
    if section.validation_per_class is not None and len(validation):
        validation = few_per_class(validation, y, section.validation_per_class, seed)
    everything = Split(_enlarged(raw.images[chosen], section.size), y)
    return Dataset(
        name="digits",
        family="images",
        task="classification",
        train=everything.take(train),
        validation=everything.take(validation) if len(validation) else None,
        test=everything.take(test),
        classes=tuple(str(digit) for digit in wanted),
        notes=(f"8 × 8 pixels enlarged to {section.size} × {section.size}",),
    )


def _enlarged(images: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """(samples, 8, 8) from 0 to 16 → (samples, size, size, 1) from 0 to 255.

    The strokes reach the edge of their 8 × 8 pixels, where a convolution without padding sees
    them less often, so a margin is left around them, as in MNIST.
    """
    from PIL import Image

    pixels = np.rint(images * (255 / _BRIGHTEST)).astype(np.uint8)
    margin = size // 14
    inner = size - 2 * margin
    enlarged = np.zeros((len(pixels), size, size, 1), dtype=np.uint8)
    for image, target in zip(pixels, enlarged, strict=True):
        resized = Image.fromarray(image).resize((inner, inner), Image.Resampling.LANCZOS)
        target[margin : size - margin, margin : size - margin, 0] = np.asarray(resized)
    return enlarged


DIGITS = Source(
    name="digits",
    family="images",
    section=DigitsSection,
    load=load_digits,
    summary="1,797 handwritten digits of scikit-learn, no download",
)
