"""Columns of numbers out of a CSV file, in the order of time, with the line of each row."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nncli.data.csv_file import (
    NUMBER,
    CsvFile,
    column_numbers,
    decimal_mark,
    is_missing,
    is_number,
    read_csv,
)
from nncli.errors import DataError
from nncli.lazy import NDArray, np

# 1949, 1949-01, 1949-01-31, 1949-01-31T12:00: texts of this form sort as their dates do
_ISO_DATE = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?)?)?", re.ASCII)


@dataclass(frozen=True)
class Columns:
    """Columns of numbers in the order of time."""

    names: tuple[str, ...]
    """(columns,) their headers, or `column 2`."""
    values: NDArray[np.float64]
    """(rows, columns) NaN where the cell is empty."""
    rows: tuple[int, ...]
    """(rows,) the line of the file that each row stands on, from 1."""
    dates: tuple[str, ...]
    """(rows,) the cells of the date column; empty where there is none."""
    digest: str
    """SHA-256 of the file's bytes."""
    notes: tuple[str, ...] = ()
    """What was guessed or changed."""

    def keep(self, order: NDArray[np.intp], note: str) -> Columns:
        """The rows of `order`, in that order."""
        return replace(
            self,
            values=self.values[order],
            rows=tuple(self.rows[i] for i in order),
            dates=tuple(self.dates[i] for i in order) if self.dates else (),
            notes=(*self.notes, note),
        )


def read_columns(
    path: Path,
    *,
    column: str | int | None = None,
    input_columns: Sequence[str | int] = (),
    date_column: str | int | None = None,
    separator: str = "auto",
    decimal: str = "auto",
) -> Columns:
    """Read the column to forecast, and others beside it.

    Args:
        path: a UTF-8 file, with or without a header line.
        column: header or number from 1; None for the last column of numbers that is not among
            `input_columns`.
        input_columns: the others, in the order that they are wanted in.
        date_column: header or number from 1; None for the first column of ISO dates or of
            texts that never repeat.
        separator: `,`, `;`, `tab` or `auto`.
        decimal: `.`, `,` or `auto`.

    Returns:
        `column` first, then `input_columns`.

    Raises:
        DataError: with the file and, where there is one, the line and the column.
    """
    file = read_csv(path, separator)
    dates = None if date_column is None else file.find(date_column, "date_column")
    more = [file.find(wanted, "input_columns") for wanted in input_columns]
    if column is None:
        first = _last_numeric(file, decimal, {*more, dates})
    else:
        first = file.find(column, "column")
    indices = [first, *more]
    _check_different(file, indices)
    marks = [decimal_mark(file.cells(index), file.separator, decimal) for index in indices]
    if dates is None:
        dates = _first_texts(file, indices)
    values = [
        column_numbers(file, index, mark, "input_columns" if place else "column")
        for place, (index, mark) in enumerate(zip(indices, marks, strict=True))
    ]
    commas = "," in marks and decimal == "auto"
    found = Columns(
        names=tuple(file.name(index) for index in indices),
        values=np.stack(values, axis=1),
        rows=file.lines,
        dates=() if dates is None else tuple(file.cells(dates)),
        digest=file.digest,
        notes=("numbers read with a decimal comma",) if commas else (),
    )
    return _in_time_order(path, found)


def _check_different(file: CsvFile, indices: Sequence[int]) -> None:
    """Refuse a column that is named twice, once by its header and once by its number."""
    for place, index in enumerate(indices):
        if index in indices[:place]:
            first = indices.index(index)
            what = "is the column to forecast" if first == 0 else "is named twice"
            raise DataError(
                f"{file.path}: column '{file.name(index)}' (number {index + 1}) of "
                f"data.input_columns {what}",
                hint="name each column once; the forecast one is always seen",
            )


def _last_numeric(file: CsvFile, decimal: str, others: Collection[int | None]) -> int:
    """The last column whose first cell that is not empty is a number."""
    for index in reversed(range(file.width)):
        if index in others:
            continue
        cells = file.cells(index)
        mark = decimal_mark(cells, file.separator, decimal)
        first = next((cell for cell in cells if not is_missing(cell)), None)
        if first is not None and NUMBER[mark].fullmatch(first):
            return index
    more = " left to forecast" if len(others) > 1 else ""  # one of them is the date column
    raise DataError(
        f"{file.path} has no column of numbers{more}",
        hint="check data.separator and data.decimal",
    )


def _first_texts(file: CsvFile, values: Collection[int]) -> int | None:
    """The first column that looks like dates or names of the rows, if any does."""
    for index in range(file.width):
        cells = file.cells(index)
        if index in values or is_number(cells[0]):
            continue
        if len(set(cells)) == len(cells) or all(_ISO_DATE.fullmatch(cell) for cell in cells):
            return index
    return None


def _in_time_order(path: Path, columns: Columns) -> Columns:
    """Turn a file that starts with the newest row; refuse one whose dates jump."""
    dates: Sequence[str] = columns.dates
    if len(dates) < 2 or not all(_ISO_DATE.fullmatch(date) for date in dates):
        return columns
    back = [i for i in range(1, len(dates)) if dates[i] < dates[i - 1]]
    if not back:
        return columns
    if all(dates[i] <= dates[i - 1] for i in range(1, len(dates))):
        return columns.keep(
            np.arange(len(dates), dtype=np.intp)[::-1],
            note="the file starts with its newest row: read from its end",
        )
    at = back[0]
    raise DataError(
        f"{path}:{columns.rows[at]}: '{dates[at]}' comes after '{dates[at - 1]}': "
        "the rows are not in the order of time",
        hint="sort the file by date",
    )
