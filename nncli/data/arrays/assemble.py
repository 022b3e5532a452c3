"""From stored arrays to a dataset: pixels or sequences, divided and scaled, in memory or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from nncli.config import Contradiction
from nncli.data.arrays.stored import NUMBERS, TEXTS, StoredArray, check_kind
from nncli.data.brightness import Brightness, brightness
from nncli.data.dataset import Dataset, Facts, Family, Split
from nncli.data.digests import digest_of, digest_of_files
from nncli.data.division import PARTS, LargeSection, Side, divide, limited, whole_shape
from nncli.data.labels import known_labels, read_labels
from nncli.data.others import Others, not_shaped
from nncli.data.samples import Samples, blocks, converted
from nncli.data.scaling import learn_scaler
from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Array

if TYPE_CHECKING:
    from nncli.data.learned import Learned

CHANNELS = (1, 3)
_SHAPES = {
    "images": ((2, 3), "[height, width], or [height, width, 1 or 3]"),
    "sequences": ((1, 2), "[steps], or [steps, features]"),
}
"""How many dimensions a sample of each family may be written with."""


class ArraysSection(LargeSection):
    """What all sources of arrays have in common."""

    family: ClassVar[Family]
    """What a sample of it is."""
    shape: Annotated[tuple[Side, ...], Field(min_length=1, max_length=3)] | None = None
    """The shape of one sample, where the numbers of each lie in one row: height and width, and
    channels where there are three; or steps and features. null takes it as it is stored."""
    class_names: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    """Names of the labels 0, 1, …; null takes the labels themselves."""

    def facts(self) -> Facts:
        """The task, and what is written; the rest takes reading the headers."""
        return Facts(
            task="classification",
            validation=True if self.validation > 0 else None,  # the data may have its own
            input_shape=None
            if self.shape is None or self._is_wrong(self.shape)
            else whole_shape(self.family, self.shape),
            classes=None if self.class_names is None else len(self.class_names),
        )

    def contradictions(self) -> Iterator[Contradiction]:
        """Shapes that are none of such a sample, and names that stand twice."""
        yield from super().contradictions()
        if self.shape is not None and self._is_wrong(self.shape):
            yield Contradiction(
                ("shape",),
                f"{list(self.shape)} is no shape of {self.family}",
                f"write {_SHAPES[self.family][1]}",
            )
        names = self.class_names or ()
        twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
        if twice is not None:
            yield Contradiction(("class_names",), f"'{twice}' stands twice", "name each class once")

    def _is_wrong(self, shape: tuple[int, ...]) -> bool:
        """Whether no sample of the family has this shape."""
        wanted, _ = _SHAPES[self.family]
        return len(shape) not in wanted or (len(shape) == 3 and shape[-1] not in CHANNELS)


@dataclass(frozen=True)
class GivenPart:
    """Inputs and their labels, as they are stored."""

    part: str
    """One of `PARTS`."""
    x: StoredArray
    y: StoredArray


@dataclass(frozen=True)
class _Seen:
    """What going through all inputs once has shown."""

    low: float
    high: float
    whole: bool
    """Whether all are whole numbers."""
    digests: NDArray[np.void]


def assemble(
    name: str, section: ArraysSection, given: Sequence[GivenPart], files: Sequence[Path], seed: int
) -> Dataset:
    """Check, divide and scale arrays.

    Args:
        name: the source's.
        section: its settings.
        given: the training part first; validation and test parts where the data has them.
        files: what was read, for the fingerprint.
        seed: chooses.

    Returns:
        x (samples, height, width, channels) in 0..255, or (samples, steps, features) scaled by
        the training part; y (samples,).

    Raises:
        DataError: arrays that are damaged or do not fit together, wrong labels, numbers that
            are not finite.
    """
    for each in given:
        _check_lengths(each)
    labels = read_labels(
        [(each.y.place, each.y.load(), each.part == "train") for each in given],
        section.class_names,
    )
    y = np.concatenate(labels.indices)
    part = np.repeat([PARTS.index(each.part) for each in given], [len(each.x) for each in given])
    where = str(section.path)
    chosen = limited(where, y, part, section.limit, seed)
    y, part = y[chosen], part[chosen]

    reshape, notes = _reshaping(section, given)
    starts = np.cumsum([0, *(len(each.x) for each in given)])
    shape = (len(chosen), *given[0].x.shape[1:])
    in_memory = section.fits(shape)
    common = np.result_type(*(each.x.dtype for each in given)).newbyteorder("=")
    inputs: list[Array | Samples] = []
    seen: list[_Seen] = []
    for each, start in zip(given, starts, strict=False):
        rows = chosen[(chosen >= start) & (chosen < start + len(each.x))] - start
        whole = in_memory and section.fits(each.x.shape)
        stored = each.x.load() if whole else each.x.rows()
        if len(rows) < len(each.x):
            stored = stored.take(rows) if isinstance(stored, Samples) else stored[rows]
        if in_memory:
            stored = stored[:]  # the few of a large file that are used
        seen.append(_look(each.x.place, stored, rows, common))
        inputs.append(converted(stored, reshape))
    if not in_memory:
        notes.append(section.note(shape))

    digests = np.concatenate([each.digests for each in seen])

    def called(i: int) -> str:
        index = int(np.searchsorted(starts, chosen[i], side="right")) - 1
        number = f"sample {chosen[i] - starts[index] + 1}"
        return number if len(given) == 1 else f"{given[index].part} {number}"

    division = divide(where, section, y, part, labels.classes, digests, seed, called)
    parts = [
        _rows(inputs, y, digests, rows)
        for rows in (division.train, division.validation, division.test)
    ]
    scaler = pixels = None
    if section.family == "images":
        pixels = _pixels(given, seen)
        notes += [pixels.note] if pixels.note else []
    else:
        scaler = learn_scaler(where, parts[0].x)
    prepare = pixels or scaler
    assert prepare is not None
    train, validation, test = (each.converted(prepare.apply) for each in parts)
    return Dataset(
        name=name,
        family=section.family,
        task="classification",
        train=train,
        validation=validation if len(validation) else None,
        test=test,
        classes=labels.classes,
        scaler=scaler,
        brightness=None if pixels is None else pixels.factor,
        files=digest_of_files(files),
        copies=division.copies,
        notes=(*notes, *division.notes),
    )


def other_samples(
    section: ArraysSection, given: Sequence[GivenPart], files: Sequence[Path], learned: Learned
) -> Others:
    """Arrays to measure a trained model on: the test part where they have one, else all.

    Args:
        section: their settings.
        given: the parts that there are.
        files: what was read, for the fingerprint.
        learned: how the training part was treated.

    Raises:
        DataError: arrays that are damaged, of another shape, or with unknown labels.
    """
    measured = [each for each in given if each.part == "test"]
    notes = ["its test part"] if measured and len(given) > 1 else []
    inputs: list[Array | Samples] = []
    labels = []
    measured = measured or list(given)
    reshape, more = _reshaping(section, measured)
    for each in measured:
        _check_lengths(each)
        place = each.x.place
        stored = each.x.load() if section.fits(each.x.shape) else each.x.rows()
        _look(place, stored, np.arange(len(stored)), stored.dtype)
        x = converted(stored, reshape)
        if x.shape[1:] != learned.input_shape:
            raise not_shaped(place, x.shape[1:], learned.input_shape)
        treat = learned.pixels if learned.is_images else learned.scaled
        inputs.append(converted(x, partial(treat, place)))
        labels.append(known_labels(each.y.place, each.y.load(), learned.classes))
    held = [x for x in inputs if not isinstance(x, Samples)]
    if len(inputs) > 1 and len(held) < len(inputs):
        raise DataError(
            f"{section.path} has several parts, none to measure on, and takes more than "
            "data.memory_limit",
            hint="name the arrays to measure on: --set data.x=… --set data.y=…",
        )
    x = inputs[0] if len(inputs) == 1 else np.concatenate(held)
    return Others(
        Split(x, np.concatenate(labels)), digest=digest_of_files(files), notes=(*notes, *more)
    )


def _check_lengths(given: GivenPart) -> None:
    """Refuse what cannot be inputs and their labels."""
    check_kind(given.x.place, given.x.dtype, NUMBERS, "real numbers")
    check_kind(given.y.place, given.y.dtype, NUMBERS + TEXTS, "whole numbers or texts")
    if len(given.x.shape) < 2:
        raise DataError(
            f"{given.x.place} has the shape {given.x.shape}; (samples, …) is needed",
            hint="the first dimension counts the samples",
        )
    if not given.y.shape or len(given.x) != len(given.y):
        raise DataError(
            f"{given.x.place} has {len(given.x):,} samples, but {given.y.place} has "
            f"{len(given.y):,} labels",
            hint="give one label for each sample, in the same order",
        )
    if 0 in given.x.shape:
        raise DataError(f"{given.x.place} is empty: its shape is {given.x.shape}")


def _reshaping(
    section: ArraysSection, given: Sequence[GivenPart]
) -> tuple[Callable[[Array], Array], list[str]]:
    """How a stored sample becomes (height, width, channels) or (steps, features)."""
    first = given[0].x
    for each in given[1:]:
        if each.x.shape[1:] != first.shape[1:]:
            raise DataError(
                f"{first.place} has samples of {_sides(first.shape[1:])}, but {each.x.place} of "
                f"{_sides(each.x.shape[1:])}",
                hint="give all parts the same shape",
            )
    shape = first.shape[1:]
    if section.shape is not None:
        wanted = whole_shape(section.family, section.shape)
        if np.prod(wanted) != np.prod(shape):
            raise DataError(
                f"{first.place} has samples of {_sides(shape)}: {np.prod(shape):,} numbers, but "
                f"data.shape {_sides(wanted)} are {np.prod(wanted):,}",
                hint="correct data.shape",
            )
    elif section.family == "images":
        return _images(first, shape)
    else:
        wanted = whole_shape(section.family, shape)
        if len(wanted) != 2:
            raise DataError(
                f"{first.place} has samples of {_sides(shape)}; sequences are steps × features",
                hint="set data.shape, or train a cnn on images",
            )
    return lambda x: x.reshape(len(x), *wanted), []


def _images(
    first: StoredArray, shape: tuple[int, ...]
) -> tuple[Callable[[Array], Array], list[str]]:
    if len(shape) == 2:
        return lambda x: x[..., None], []
    if len(shape) == 3 and shape[-1] in CHANNELS:
        return lambda x: x, []
    if len(shape) == 3 and shape[0] in CHANNELS:
        note = "the channels stand first in the data and were moved behind height and width"
        return lambda x: np.ascontiguousarray(np.moveaxis(x, 1, -1)), [note]
    raise DataError(
        f"{first.place} has samples of {_sides(shape)}; images are height × width, "
        "or height × width × 1 or 3",
        hint="set data.shape, e.g. [28, 28], where the pixels of an image lie in one row"
        if len(shape) == 1
        else "convert them",
    )


def _sides(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{side:,}" for side in shape)


def _look(place: str, x: Array | Samples, rows: NDArray[np.intp], common: Any) -> _Seen:
    """Go through all inputs once: their range, and what tells equal ones.

    Args:
        place: for errors.
        x: (samples, …)
        rows: (samples,) which of the stored ones they are.
        common: the type in which those of all parts are compared.

    Raises:
        DataError: a number that is not finite.
    """
    low, high, whole = np.inf, -np.inf, True
    digests = np.empty(len(x), dtype="V16")
    row = 0
    for block in blocks(x):
        if block.dtype.kind == "f":
            finite = np.isfinite(block.reshape(len(block), -1)).all(axis=1)
            if not finite.all():
                at = int(np.flatnonzero(~finite)[0])
                raise DataError(
                    f"{place}, sample {int(rows[row + at]) + 1} holds a number that is not finite",
                    hint="remove or repair the sample",
                )
            whole = whole and bool((block == np.round(block)).all())
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        for sample in block.astype(common, copy=False):
            digests[row] = digest_of(sample)
            row += 1
    return _Seen(low, high, whole, digests)


def _pixels(given: Sequence[GivenPart], seen: Sequence[_Seen]) -> Brightness:
    """How the numbers become brightness in 0..255."""
    low, high = min(each.low for each in seen), max(each.high for each in seen)
    whole = all(each.whole for each in seen)
    for each, own in zip(given, seen, strict=True):
        if any((own.high <= most) != (high <= most) for most in (1, 255)):
            raise DataError(
                f"{each.x.place} holds pixels from {own.low:g} to {own.high:g}, but the other "
                f"parts up to {high:g}",
                hint="give the pixels of all parts in the same way",
            )
    found = brightness(low, high, whole)
    if found is None:
        fractions = "" if whole or high <= 255 else " that are not whole numbers"
        raise DataError(
            f"{given[0].x.place} holds pixels from {low:g} to {high:g}{fractions}",
            hint="give them as 0 to 255, or as 0 to 1",
        )
    return found


def _rows(
    inputs: Sequence[Array | Samples],
    y: NDArray[np.int64],
    digests: NDArray[np.void],
    rows: NDArray[np.intp],
) -> Split:
    """Rows of all inputs together; those of one part always come out of one of them."""
    start = 0
    for x in inputs:
        own = slice(start, start + len(x))
        if len(rows) == 0 or own.start <= rows[0] < own.stop:
            assert ((rows >= own.start) & (rows < own.stop)).all()
            return Split(x, y[own], known_digests=digests[own]).take(rows - start)
        start = own.stop
    raise AssertionError("rows that are nowhere")
