"""One column of numbers out of a CSV file, with the line that each number stands on."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nncli.errors import DataError, closest
from nncli.lazy import NDArray, np

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
_SEPARATORS = {",": ",", ";": ";", "tab": "\t"}
_NUMBER = {
    ".": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    ",": re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?", re.ASCII),
}
# 1949, 1949-01, 1949-01-31, 1949-01-31T12:00: texts of this form sort as their dates do
_ISO_DATE = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?)?)?", re.ASCII)
# More of a damaged file would only hide the first fault
_GUESS_ROWS = 20


@dataclass(frozen=True)
class Column:
    """A column of numbers in the order of time."""

    name: str
    """Its header, or `column 2`."""
    values: NDArray[np.float64]
    """(rows,) NaN where the cell is empty."""
    rows: tuple[int, ...]
    """(rows,) the line of the file that each value stands on, from 1."""
    dates: tuple[str, ...]
    """(rows,) the cells of the date column; empty where there is none."""
    notes: tuple[str, ...] = ()
    """What was guessed or changed."""

    def keep(self, order: NDArray[np.intp], note: str) -> Column:
        """The rows of `order`, in that order."""
        return replace(
            self,
            values=self.values[order],
            rows=tuple(self.rows[i] for i in order),
            dates=tuple(self.dates[i] for i in order) if self.dates else (),
            notes=(*self.notes, note),
        )


@dataclass(frozen=True)
class _Table:
    path: Path
    header: tuple[str, ...]
    """One name per column; empty where the file has no header."""
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    separator: str

    @property
    def width(self) -> int:
        return len(self.header) or len(self.rows[0])

    def cells(self, index: int) -> list[str]:
        return [row[index].strip() if index < len(row) else "" for row in self.rows]

    def name(self, index: int) -> str:
        named = self.header[index] if self.header else ""
        return named or f"column {index + 1}"


def read_column(
    path: Path,
    *,
    column: str | int | None = None,
    date_column: str | int | None = None,
    separator: str = "auto",
    decimal: str = "auto",
) -> Column:
    """Read one column of numbers.

    Args:
        path: a UTF-8 file, with or without a header line.
        column: header or number from 1; None for the last column of numbers.
        date_column: header or number from 1; None for the first column of ISO dates or of
            texts that never repeat.
        separator: `,`, `;`, `tab` or `auto`.
        decimal: `.`, `,` or `auto`.

    Raises:
        DataError: with the file and, where there is one, the line and the column.
    """
    table = _read_table(path, separator)
    dates = None if date_column is None else _find(table, date_column, "date_column")
    if column is None:
        index = _last_numeric(table, decimal, dates)
    else:
        index = _find(table, column, "column")
    mark = _decimal_mark(table, index, decimal)
    if dates is None:
        dates = _first_texts(table, index)
    found = Column(
        name=table.name(index),
        values=_numbers(table, index, mark),
        rows=table.lines,
        dates=() if dates is None else tuple(table.cells(dates)),
        notes=("numbers read with a decimal comma",) if mark == "," and decimal == "auto" else (),
    )
    return _in_time_order(path, found)


def _read_table(path: Path, separator: str) -> _Table:
    text = _read_text(path)
    mark = _SEPARATORS.get(separator) or _guess_separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(tuple(row))
                lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: not a CSV line: {error}") from error
    if not rows:
        raise DataError(f"{path} is empty", hint="give a file with one row per value")
    header: tuple[str, ...] = ()
    if not all(_is_number(cell) or _is_missing(cell) for cell in rows[0]):
        header = tuple(cell.strip() for cell in rows.pop(0))
        lines.pop(0)
    if not rows:
        raise DataError(
            f"{path} has a header line and no rows", hint="give a file with one row per value"
        )
    table = _Table(path, header, tuple(rows), tuple(lines), mark)
    _check_widths(table)
    return table


def _read_text(path: Path) -> str:
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a CSV file", hint="set data.path to a file")
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", hint="set data.path to a CSV file") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}:{line}: not UTF-8 text (byte 0x{raw[error.start]:02x})",
            hint="save the file as UTF-8",
        ) from error


def _guess_separator(text: str) -> str:
    """The mark that cuts the first lines into the most columns, equally many in each line."""
    head = [line for line in text.splitlines() if line.strip()][:_GUESS_ROWS]
    best, most = ",", 1
    for mark in (";", "\t", ","):
        try:
            widths = {len(row) for row in csv.reader(head, delimiter=mark)}
        except csv.Error:
            continue
        if len(widths) == 1 and (width := widths.pop()) > most:
            best, most = mark, width
    if most > 1 or not head:
        return best
    # lines of different lengths: the fault is shown later, but in columns that make sense
    return max(",;\t", key=head[0].count)


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in _MISSING


def _is_number(cell: str) -> bool:
    return any(pattern.fullmatch(cell.strip()) for pattern in _NUMBER.values())


def _find(table: _Table, wanted: str | int, key: str) -> int:
    """The column's index, from its header or its number."""
    if isinstance(wanted, int):
        if wanted > table.width:
            raise DataError(
                f"{table.path} has {table.width} column(s), but data.{key} is {wanted}",
                hint=f"set data.{key} to a number from 1 to {table.width}",
            )
        return wanted - 1
    found = [index for index, name in enumerate(table.header) if name == wanted]
    if len(found) > 1:
        raise DataError(
            f"{table.path} has {len(found)} columns named '{wanted}'",
            hint=f"set data.{key} to the number of one, e.g. {found[0] + 1}",
        )
    if found:
        return found[0]
    if not table.header:
        raise DataError(
            f"{table.path} has no header line, so no column is named '{wanted}'",
            hint=f"set data.{key} to a number from 1 to {table.width}",
        )
    guess = closest(wanted, table.header)
    names = ", ".join(name for name in table.header[:20] if name)
    raise DataError(
        f"{table.path} has no column '{wanted}'",
        hint=f"did you mean '{guess}'?" if guess else f"choose one of {names}",
    )


def _last_numeric(table: _Table, decimal: str, dates: int | None) -> int:
    """The last column whose first cell that is not empty is a number."""
    for index in reversed(range(table.width)):
        if index == dates:
            continue
        mark = _decimal_mark(table, index, decimal)
        first = next((cell for cell in table.cells(index) if not _is_missing(cell)), None)
        if first is not None and _NUMBER[mark].fullmatch(first):
            return index
    raise DataError(
        f"{table.path} has no column of numbers",
        hint="check data.separator and data.decimal",
    )


def _first_texts(table: _Table, values: int) -> int | None:
    """The first column that looks like dates or names of the rows, if any does."""
    for index in range(table.width):
        cells = table.cells(index)
        if index == values or _is_number(cells[0]):
            continue
        if len(set(cells)) == len(cells) or all(_ISO_DATE.fullmatch(cell) for cell in cells):
            return index
    return None


def _decimal_mark(table: _Table, index: int, decimal: str) -> str:
    """In a comma-separated file `1,234` is more likely a thousand than a decimal: refused."""
    if decimal != "auto":
        return decimal
    cells = [cell for cell in table.cells(index) if not _is_missing(cell)]
    commas = table.separator != "," and any("," in cell for cell in cells)
    return "," if commas and not any("." in cell for cell in cells) else "."


def _check_widths(table: _Table) -> None:
    """Refuse rows with more cells than the file has columns: a comma cut a number in two."""
    for row, line in zip(table.rows, table.lines, strict=True):
        if any(cell.strip() for cell in row[table.width :]):
            raise DataError(
                f"{table.path}:{line}: {len(row)} cells, but {table.width} column(s)",
                hint="quote numbers that hold the separator, or set data.separator and "
                "data.decimal",
            )


def _numbers(table: _Table, index: int, mark: str) -> NDArray[np.float64]:
    values = np.full(len(table.rows), np.nan)
    for i, (row, line) in enumerate(zip(table.rows, table.lines, strict=True)):
        if index >= len(row):
            raise DataError(
                f"{table.path}:{line}: {len(row)} column(s), so none is '{table.name(index)}' "
                f"(number {index + 1})",
                hint="complete the row, or set data.separator",
            )
        cell = row[index].strip()
        if _is_missing(cell):
            continue
        number = float(cell.replace(mark, ".")) if _NUMBER[mark].fullmatch(cell) else math.nan
        if not math.isfinite(number):
            shown = cell if len(cell) <= 40 else f"{cell[:39]}…"
            raise DataError(
                f"{table.path}:{line}: column '{table.name(index)}' holds '{shown}', "
                "which is not a number",
                hint=_number_hint(cell, mark),
            )
        values[i] = number
    return values


def _number_hint(cell: str, mark: str) -> str:
    other = "," if mark == "." else "."
    if _NUMBER[other].fullmatch(cell) and not _NUMBER[mark].fullmatch(cell):
        return f"set data.decimal to '{other}' if that is a decimal mark, or remove it"
    return "correct the cell, remove the row, or choose another data.column"


def _in_time_order(path: Path, column: Column) -> Column:
    """Turn a file that starts with the newest row; refuse one whose dates jump."""
    dates: Sequence[str] = column.dates
    if len(dates) < 2 or not all(_ISO_DATE.fullmatch(date) for date in dates):
        return column
    back = [i for i in range(1, len(dates)) if dates[i] < dates[i - 1]]
    if not back:
        return column
    if all(dates[i] <= dates[i - 1] for i in range(1, len(dates))):
        return column.keep(
            np.arange(len(dates), dtype=np.intp)[::-1],
            note="the file starts with its newest row: read from its end",
        )
    at = back[0]
    raise DataError(
        f"{path}:{column.rows[at]}: '{dates[at]}' comes after '{dates[at - 1]}': "
        "the rows are not in the order of time",
        hint="sort the file by date",
    )
