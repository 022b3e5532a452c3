"""Scikit-learn's handwritten digits: real images that need no download."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from nncli.config import Contradiction
from nncli.data.dataset import Dataset, Facts, Split
from nncli.data.division import limited
from nncli.data.labels import known_labels
from nncli.data.others import Others, not_shaped
from nncli.data.source import DataSection, Source
from nncli.data.splits import (
    TestShare,
    ValidationShare,
    few_per_class,
    fewest,
    impossible_split,
    limited_counts,
    part_size,
    split_three,
    train_size,
)
from nncli.lazy import NDArray, np

if TYPE_CHECKING:
    from nncli.data.learned import Learned

SMALLEST_DIGITS, LARGEST_DIGITS = 8, 512
"""Pixels that their sides may be brought to."""
_BRIGHTEST = 16  # the images count the black pixels of 4 × 4 blocks
_COUNTS = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)  # images of each digit


Digit = Annotated[int, Field(ge=0, le=9)]


class DigitsSection(DataSection):
    """1,797 handwritten digits that come with scikit-learn."""

    source: Literal["digits"] = "digits"
    """1,797 handwritten digits, 8 × 8 pixels, that come with scikit-learn."""
    size: Annotated[int, Field(ge=SMALLEST_DIGITS, le=LARGEST_DIGITS)] = 28
    """Height and width the images are brought to, in pixels, a margin included."""
    classes: Annotated[tuple[Digit, ...], Field(min_length=2)] | None = None
    """The digits to tell apart, numbered anew in this order; null takes all ten."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many images, all parts together, each class in its proportion, chosen by the
    seed; null takes all."""
    train_per_class: Annotated[int, Field(ge=1)] | None = None
    """Train on only this many images of each class, chosen by the seed; null takes all."""
    validation_per_class: Annotated[int, Field(ge=1)] | None = None
    """Choose the best epoch by only this many images of each class; null takes all."""
    validation: ValidationShare = 0.15
    """Share of the images that chooses the best epoch; 0 for none."""
    test: TestShare = 0.2
    """Share of the images to measure on."""

    @property
    def counts(self) -> tuple[int, ...]:
        """Images of each class, all parts together."""
        counts = _COUNTS if self.classes is None else tuple(_COUNTS[i] for i in self.classes)
        if self.limit is None or self.limit < len(counts):  # fewer than classes: refused below
            return counts
        return tuple(limited_counts(counts, self.limit))

    def facts(self) -> Facts:
        """What the parts hold: the images are always the same."""
        samples, classes = sum(self.counts), len(self.counts)
        left = samples - part_size(samples, self.test) - part_size(samples, self.validation)
        # each part may take one more of a class than its share
        surely = [count * left // samples - 1 for count in self.counts]
        return Facts(
            task="classification",
            train=train_size(left, min(surely), classes, self.train_per_class),
            fewest=fewest(surely, self.train_per_class),
            validation=self.validation > 0,
            input_shape=(self.size, self.size, 1),
            classes=classes,
        )

    def contradictions(self) -> Iterator[Contradiction]:
        """Classes that are not classes, and shares that leave a part without one of them."""
        if self.classes is not None and len(set(self.classes)) < len(self.classes):
            yield Contradiction(
                ("classes",), f"{list(self.classes)}: a digit twice", "name each once"
            )
        elif self.limit is not None and self.limit < len(self.counts):
            yield Contradiction(
                ("limit", "classes"),
                f"{self.limit} images are too few for {len(self.counts)} classes",
                f"take at least {len(self.counts)}",
            )
        else:
            why = [] if self.limit is None else ["limit"]
            yield from impossible_split(self.counts, self.validation, self.test, why)
        if self.validation_per_class is not None and self.validation == 0:
            yield Contradiction(
                ("validation_per_class", "validation"),
                "validation is 0, so there is no part to take it from",
                "remove it, or give validation a share",
            )


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
    if section.limit is not None:
        own = place[raw.target[chosen]]
        chosen = chosen[limited("digits", own, np.zeros_like(own), section.limit, seed)]
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


def other_digits(section: DigitsSection, learned: Learned, _seed: int) -> Others:
    """All digits of the classes that a model knows, in the size that it takes.

    Raises:
        DataError: a model of other pictures or other classes.
    """
    from sklearn import datasets

    raw = datasets.load_digits()
    known = [digit for digit in range(10) if str(digit) in learned.classes]
    wanted = section.classes or tuple(known) or tuple(range(10))
    chosen = np.flatnonzero(np.isin(raw.target, wanted))
    side = learned.input_shape[0]
    shape = (side, side, 1)
    if shape != learned.input_shape or not SMALLEST_DIGITS <= side <= LARGEST_DIGITS:
        raise not_shaped("digits", shape, learned.input_shape)
    x = _enlarged(raw.images[chosen], side)
    return Others(
        Split(x, known_labels("digits", raw.target[chosen].astype(str), learned.classes)),
        notes=(f"digits {', '.join(map(str, wanted))}, 8 × 8 pixels enlarged to {side} × {side}",),
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
    sections={"images": DigitsSection},
    load=load_digits,
    others=other_digits,
    summary="1,797 handwritten digits of scikit-learn, no download",
)
