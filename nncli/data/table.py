"""Images or sequences to classify out of a CSV file, one per row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from math import isqrt, prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from nncli.config import Contradiction
from nncli.data.brightness import EIGHT_BIT, SIXTEEN_BIT, Brightness, brightness
from nncli.data.csv_file import MISSING, ColumnName, Decimal, Separator, to_number
from nncli.data.csv_table import (
    Layout,
    Table,
    layout_like,
    read_layout,
    read_table,
    same_layout,
)
from nncli.data.dataset import Dataset, Facts, Family, Split
from nncli.data.digests import digest_of_files
from nncli.data.division import (
    PARTS,
    DividedSection,
    Side,
    check_other_file,
    divide,
    limited,
    whole_shape,
)
from nncli.data.labels import known_labels, read_labels
from nncli.data.others import Others
from nncli.data.samples import blocks
from nncli.data.scaling import Scaler, learn_scaler
from nncli.data.source import Source
from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Array

if TYPE_CHECKING:
    from nncli.data.learned import Learned

_AT_ONCE = 4_000_000
"""Numbers that are scaled at a time."""
_NO_LABEL = MISSING - {"-"}  # a minus is the name of many a class


class TableSection(DividedSection):
    """Samples in the rows of a CSV file."""

    family: ClassVar[Family]
    """What a sample of it is."""

    source: Literal["table"] = "table"
    """A CSV file with one sample per row: its label and its numbers."""
    path: Path
    """The file, UTF-8, with or without a header line. Every cell must be filled in."""
    test_path: Path | None = None
    """A second file of the same columns, to measure on; null takes a share of the first."""
    label: ColumnName | None = None
    """The column with the classes, by its header or its number from 1; null takes the one named
    label, class, target or y, else the only one that holds texts."""
    shape: Annotated[tuple[Side, ...], Field(min_length=1, max_length=3)] | None = None
    """The shape of one sample, whose numbers stand row after row or step after step: height and
    width, and 3 for colours; or steps and features. null takes the square that fits for an
    image, and for a sequence every column as a step."""
    ignore: tuple[ColumnName, ...] = ()
    """Columns that are not used, by header or number: a name, a date, a weight."""
    separator: Separator = "auto"
    """What stands between two columns."""
    decimal: Decimal = "auto"
    """What stands before the decimals of a number; auto tells it from the first rows."""

    def facts(self) -> Facts:
        """The task, and the shape where it is written; the rest takes reading the file."""
        known = self.shape is not None and not any(self.wrong_shape(self.shape))
        return Facts(
            task="classification",
            validation=self.validation > 0,
            input_shape=whole_shape(self.family, self.shape) if known and self.shape else None,
        )

    def contradictions(self) -> Iterator[Contradiction]:
        """Shares that leave nothing, a shape of something else, a label that is not to be used."""
        if self.test_path is None:
            yield from super().contradictions()
        if self.shape is not None:
            yield from self.wrong_shape(self.shape)
        if self.label is not None and self.label in self.ignore:
            yield Contradiction(
                ("ignore", "label"),
                f"column {self.label} holds the labels and is not to be used",
                "name it in one of them",
            )

    def wrong_shape(self, shape: tuple[int, ...]) -> Iterator[Contradiction]:
        """Why no sample of the family has a shape."""
        raise NotImplementedError


class ImageTableSection(TableSection):
    """Images in the rows of a CSV file."""

    family: ClassVar[Family] = "images"

    def wrong_shape(self, shape: tuple[int, ...]) -> Iterator[Contradiction]:
        """One side alone, or a number of colours that no picture has."""
        if len(shape) == 1:
            yield Contradiction(
                ("shape",),
                "a picture has a height and a width",
                f"write {_example(shape[0]) or '[height, width]'}",
            )
        elif len(shape) == 3 and shape[2] not in {1, 3}:
            yield Contradiction(
                ("shape",),
                f"a picture has 1 or 3 channels, not {shape[2]}",
                "the last number counts the values of one pixel",
            )


class SequenceTableSection(TableSection):
    """Sequences in the rows of a CSV file."""

    family: ClassVar[Family] = "sequences"

    def wrong_shape(self, shape: tuple[int, ...]) -> Iterator[Contradiction]:
        """A picture's."""
        if len(shape) == 3:
            yield Contradiction(
                ("shape",),
                "a sequence has steps and features, not three dimensions",
                "write [steps] or [steps, features]",
            )


def load_table(section: TableSection, seed: int) -> Dataset:
    """Read the rows, divide them, and bring their numbers to pixels or to a common scale.

    Sequences are scaled by the training part's mean and deviation of each feature.

    Returns:
        x (samples, height, width, channels) in 0..255 or (samples, steps, features), y (samples,).

    Raises:
        DataError: an unreadable file, a wrong column or cell, a missing or unknown label, a shape
            that does not fit, or too few samples.
    """
    tables = _read(section)
    layout, name = tables[0].layout, section.path.name
    shape = _shape(section, layout)
    classes, y = _labels(tables)
    part = np.repeat([0, PARTS.index("test")][: len(tables)], [len(t.lines) for t in tables])
    rows = limited(name, y, part, section.limit, seed)
    y, part, x = y[rows], part[rows], _numbers(tables, rows)
    digests = Split(x, y).digests
    notes = list(layout.notes)
    pixels = None
    if section.family == "images":
        pixels = _pixels(tables, rows, x)
        x = pixels.apply(x)
        notes += [pixels.note] if pixels.note else []
    everything = Split(x.reshape(len(x), *shape), y, known_digests=digests)
    division = divide(
        name, section, y, part, classes, digests, seed, lambda i: _place(tables, rows[i])
    )
    train, validation, test = (
        everything.take(indices) for indices in (division.train, division.validation, division.test)
    )
    scaler = None
    if section.family == "sequences":
        scaler = learn_scaler(name, train.x)
        train, validation, test = (_scaled(each, scaler) for each in (train, validation, test))
    return Dataset(
        name="table",
        family=section.family,
        task="classification",
        train=train,
        validation=validation if len(validation) else None,
        test=test,
        classes=classes,
        scaler=scaler,
        brightness=None if pixels is None else pixels.factor,
        columns={
            "header": list(layout.header),
            "label": layout.label,
            "numbers": list(layout.numbers),
        },
        copies=division.copies,
        files=digest_of_files([table.layout.path for table in tables]),
        notes=(*notes, *division.notes),
    )


def other_rows(section: TableSection, learned: Learned, _seed: int) -> Others:
    """Rows to measure a trained model on; of a run on a table the same columns, in any order.

    Raises:
        DataError: an unreadable file, a wrong column or cell, an unknown label, or another number
            of columns.
    """
    path = section.test_path or section.path
    layout = read_layout(
        path,
        label=section.label,
        ignore=section.ignore,
        separator=section.separator,
        decimal=section.decimal,
    )
    if learned.columns is not None:
        layout = layout_like(
            layout, learned.columns.header, learned.columns.label, learned.columns.numbers
        )
    if len(layout.numbers) != prod(learned.input_shape):
        raise DataError(
            f"{path} has {len(layout.numbers):,} columns of numbers beside the labels, but the "
            f"model takes {prod(learned.input_shape):,}",
            hint="name columns that are none of it in data.ignore",
        )
    table = read_table(layout, (np.uint8, np.float32 if learned.is_images else np.float64))
    labels = _plain_labels([table])[0]
    x = table.numbers.reshape(len(table.lines), *learned.input_shape)
    treat = learned.pixels if learned.is_images else learned.scaled
    y = known_labels(str(path), np.array(labels), learned.classes)
    names = tuple(table.place(row) for row in range(len(y)))
    return Others(
        Split(treat(str(path), x), y, names), digest=digest_of_files([path]), notes=layout.notes
    )


def _read(section: TableSection) -> list[Table]:
    """The file, and the one to measure on where there is one."""
    # bytes where they hold all numbers: an eighth of the memory, a fifth of the time
    dtypes: tuple[Any, ...] = (np.uint8, np.float32 if section.family == "images" else np.float64)
    layout = read_layout(
        section.path,
        label=section.label,
        ignore=section.ignore,
        separator=section.separator,
        decimal=section.decimal,
    )
    if section.test_path is None:
        return [read_table(layout, dtypes)]
    check_other_file(section.path, section.test_path)
    measured = same_layout(section.test_path, layout, section.separator)
    return [read_table(layout, dtypes), read_table(measured, dtypes)]


def _shape(section: TableSection, layout: Layout) -> tuple[int, ...]:
    """The shape of one sample; its numbers are as many as the file has."""
    count = len(layout.numbers)
    if section.shape is None:
        if section.family == "sequences":
            return count, 1
        side = isqrt(count)
        if side * side == count:
            return side, side, 1
        example = _example(count)
        raise DataError(
            f"{layout.path} has {count:,} columns of numbers beside the labels in "
            f"'{layout.label_name}', which make no square picture",
            hint=f"set data.shape{f', e.g. {example}' * bool(example)}, or name columns that hold "
            "no pixels in data.ignore",
        )
    shape = whole_shape(section.family, section.shape)
    if prod(shape) != count:
        raise DataError(
            f"{layout.path} has {count:,} columns of numbers beside the labels, but data.shape "
            f"{' × '.join(map(str, section.shape))} takes {prod(shape):,}",
            hint="correct data.shape, or name columns that are none of it in data.ignore",
        )
    return shape


def _example(count: int) -> str:
    """A picture of `count` numbers as near to a square as it can be; empty for a single line."""
    side = isqrt(count // 3)
    if side > 1 and 3 * side * side == count:
        return str([side, side, 3])
    height = next(side for side in range(isqrt(count), 0, -1) if count % side == 0)
    return str([height, count // height]) if height > 1 else ""


def _labels(tables: Sequence[Table]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The classes of the first table, and the index of each row's, table after table.

    Raises:
        DataError: a row without a label, with a fraction for one, or with one that nothing was
            learned of; rows of a single class.
    """
    named = _plain_labels(tables)
    train = tables[0]
    known = set(named[0])
    if len(known) == 1:
        raise DataError(
            f"{train.layout.path}: all {len(train.labels):,} row(s) have the label "
            f"'{train.labels[0]}', but a classifier needs at least two classes",
            hint="set data.label to the column with the classes",
        )
    for table, names in zip(tables[1:], named[1:], strict=True):
        for row, name in enumerate(names):
            if name not in known:
                raise DataError(
                    f"{table.place(row)}: label '{name}' is not in {train.layout.path}",
                    hint="give two files of the same classes",
                )
    found = read_labels(
        [
            (str(table.layout.path), np.array(names), table is train)
            for table, names in zip(tables, named, strict=True)
        ]
    )
    return found.classes, np.concatenate(found.indices)


def _plain_labels(tables: Sequence[Table]) -> list[Sequence[Any]]:
    """The label of each row: whole numbers where all are numbers, else texts.

    Raises:
        DataError: a row without one, or with a fraction for one.
    """
    for table in tables:
        for row, label in enumerate(table.labels):
            if label.lower() in _NO_LABEL:
                raise DataError(
                    f"{table.place(row)}: column '{table.layout.label_name}' holds no label",
                    hint="label the row, or remove it",
                )
    mark = tables[0].layout.decimal
    numeric = all(
        math.isfinite(to_number(label, mark)) for table in tables for label in set(table.labels)
    )
    return [_whole_numbers(table) if numeric else table.labels for table in tables]


def _whole_numbers(table: Table) -> list[int]:
    """Labels as the numbers they are: 1, 1.0 and 01 are one class."""
    numbers = {label: to_number(label, table.layout.decimal) for label in set(table.labels)}
    for row, label in enumerate(table.labels):
        if numbers[label] != int(numbers[label]):
            raise DataError(
                f"{table.place(row)}: label {label} in column '{table.layout.label_name}' is not "
                "a whole number",
                hint="classes are whole numbers or names; set data.label to their column",
            )
    return [int(numbers[label]) for label in table.labels]


def _numbers(tables: Sequence[Table], rows: NDArray[np.intp]) -> Array:
    """(rows, columns) some rows of all tables, which are numbered one after the other."""
    first = tables[0].numbers
    x = first if len(tables) == 1 else np.concatenate([table.numbers for table in tables])
    return x if len(rows) == len(x) else x[rows]


def _place(tables: Sequence[Table], row: int) -> str:
    """The file and the line of a row, counted through all tables."""
    for table in tables:
        if row < len(table.lines):
            break
        row -= len(table.lines)
    return table.place(row)


def _pixels(tables: Sequence[Table], rows: NDArray[np.intp], x: Array) -> Brightness:
    """How the numbers become brightness in 0..255.

    Args:
        tables: for the place of a fault.
        rows: (samples,) which rows of the tables the samples are.
        x: (samples, columns) as written.

    Raises:
        DataError: a number that is no brightness.
    """
    low, high = float(x.min()), float(x.max())
    whole = x.dtype == np.uint8 or all(bool((each == np.rint(each)).all()) for each in blocks(x))
    found = brightness(low, high, whole)
    if found is None:
        most = SIXTEEN_BIT if whole else EIGHT_BIT
        row, index = np.argwhere((x < 0) | (x > most))[0]
        layout = tables[0].layout
        raise DataError(
            f"{_place(tables, rows[row])}: column '{layout.name(layout.numbers[index])}' holds "
            f"{x[row, index]:g}, which is no pixel",
            hint="pixels are 0 to 255, or 0 to 1; name other columns in data.ignore",
        )
    return found


def _scaled(part: Split, scaler: Scaler) -> Split:
    """A part with its numbers scaled, some at a time: they are larger on the way."""
    x = np.empty(part.x.shape, dtype=np.float32)
    rows = max(1, _AT_ONCE // x[0].size)
    for begin in range(0, len(x), rows):
        x[begin : begin + rows] = scaler.apply(part.x[begin : begin + rows])
    return Split(x, part.y, known_digests=part.known_digests)


TABLE = Source(
    name="table",
    sections={"images": ImageTableSection, "sequences": SequenceTableSection},
    load=load_table,
    others=other_rows,
    summary="a CSV file with one image or sequence per row",
)
