"""CSV text in any dialect: separator, decimal mark, header line, and the line of every row."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from nncli.errors import DataError, closest
from nncli.lazy import NDArray, np

ColumnName = str | Annotated[int, Field(ge=1)]
"""A column by its header, or by its number from 1."""
Separator = Literal["auto", ",", ";", "tab"]
Decimal = Literal["auto", ".", ","]

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
"""What stands in a cell of numbers that holds none, in any case."""
MOST_COLUMNS = 1_000_000
"""More than a colour picture of 512×512 has pixels; each is looked at to tell a header."""
GUESS_ROWS = 20
"""How many rows are looked at to guess the dialect: more of a damaged file would only hide the
first fault."""
SEPARATORS = {",": ",", ";": ";", "tab": "\t"}
NUMBER = {
    ".": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    ",": re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?", re.ASCII),
}
"""A number, by its decimal mark."""
_SHOWN_NAMES = 20
_SHOWN_CELL = 40


@dataclass(frozen=True)
class CsvFile:
    """The cells of a file, all of the same number of columns."""

    path: Path
    header: tuple[str, ...]
    """One name per column; empty where the file has no header line."""
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    """(rows,) the line of the file that each row ends on, from 1."""
    separator: str
    digest: str
    """SHA-256 of the file's bytes."""

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.header) or len(self.rows[0])

    def cells(self, index: int) -> list[str]:
        """A column's cells; of rows that are too short, empty ones."""
        return [row[index].strip() if index < len(row) else "" for row in self.rows]

    def name(self, index: int) -> str:
        """A column's header, or `column 2`."""
        return column_name(self.header, index)

    def find(self, wanted: str | int, key: str) -> int:
        """A column's index, from its header or its number in `data.<key>`.

        Raises:
            DataError: there is none, or more than one.
        """
        return find_column(self.path, self.header, self.width, wanted, key)


def read_csv(path: Path, separator: str = "auto") -> CsvFile:
    """Read all cells of a UTF-8 file, with or without a header line.

    Args:
        path: the file.
        separator: `,`, `;`, `tab` or `auto`.

    Raises:
        DataError: no such file, not text, no rows, or rows of different lengths.
    """
    text, digest = _read_text(path)
    mark = SEPARATORS.get(separator) or guess_separator(text.splitlines())
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                check_columns(path, reader.line_num, row)
                rows.append(tuple(row))
                lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: not a CSV line: {error}") from error
    if not rows:
        raise DataError(f"{path} is empty", hint="give a file with one row per value")
    header: tuple[str, ...] = ()
    if not all(is_number(cell) or is_missing(cell) for cell in rows[0]):
        header = tuple(cell.strip() for cell in rows.pop(0))
        lines.pop(0)
    if not rows:
        raise DataError(
            f"{path} has a header line and no rows", hint="give a file with one row per value"
        )
    file = CsvFile(path, header, tuple(rows), tuple(lines), mark, digest)
    _check_widths(file)
    return file


def _read_text(path: Path) -> tuple[str, str]:
    """A file's text, and the SHA-256 of its bytes."""
    check_file(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8-sig"), hashlib.sha256(raw).hexdigest()
    except UnicodeDecodeError as error:
        raise not_utf8(path, raw.count(b"\n", 0, error.start) + 1, raw[error.start]) from error


def check_file(path: Path, key: str = "path") -> None:
    """Refuse what is not there, and what is no file.

    Raises:
        DataError: naming the path and `data.<key>`.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a CSV file", hint=f"set data.{key} to a file")
    if not path.exists():
        raise DataError(f"{path} does not exist", hint=f"set data.{key} to a CSV file")
    if not path.is_file():  # a pipe would keep its reader waiting, and a device never ends
        raise DataError(f"{path} is a pipe or a device", hint=f"set data.{key} to a CSV file")


def check_columns(path: Path, line: int, row: Sequence[str]) -> None:
    """Refuse a row that is no honest row.

    Raises:
        DataError: with its line.
    """
    if len(row) > MOST_COLUMNS:
        raise DataError(
            f"{path}:{line}: {len(row):,} columns, at most {MOST_COLUMNS:,} are read",
            hint="put one sample into each line, or save the data as .npz",
        )


def not_utf8(path: Path, line: int, byte: int) -> DataError:
    """The error for text in another encoding."""
    return DataError(
        f"{path}:{line}: not UTF-8 text (byte 0x{byte:02x})", hint="save the file as UTF-8"
    )


def guess_separator(lines: Iterable[str]) -> str:
    """The mark that cuts the first lines into the most columns, equally many in each line."""
    head: list[str] = []
    for line in lines:
        if line.strip():
            head.append(line)
        if len(head) == GUESS_ROWS:
            break
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


def is_missing(cell: str) -> bool:
    """Whether a cell holds nothing, or says so."""
    return cell.strip().lower() in MISSING


def is_number(cell: str) -> bool:
    """Whether a cell is a number, with either decimal mark."""
    return any(pattern.fullmatch(cell.strip()) for pattern in NUMBER.values())


def column_name(header: Sequence[str], index: int) -> str:
    """A column's header, or `column 2`."""
    named = header[index] if header else ""
    return named or f"column {index + 1}"


def find_column(path: Path, header: Sequence[str], width: int, wanted: str | int, key: str) -> int:
    """A column's index, from its header or its number in `data.<key>`.

    Raises:
        DataError: there is none, or more than one.
    """
    if isinstance(wanted, int):
        if wanted > width:
            raise DataError(
                f"{path} has {width} column(s), but data.{key} is {wanted}",
                hint=f"set data.{key} to a number from 1 to {width}",
            )
        return wanted - 1
    found = [index for index, name in enumerate(header) if name == wanted]
    if len(found) > 1:
        raise DataError(
            f"{path} has {len(found)} columns named '{wanted}'",
            hint=f"set data.{key} to the number of one, e.g. {found[0] + 1}",
        )
    if found:
        return found[0]
    if not header:
        raise DataError(
            f"{path} has no header line, so no column is named '{wanted}'",
            hint=f"set data.{key} to a number from 1 to {width}",
        )
    guess = closest(wanted, header)
    raise DataError(
        f"{path} has no column '{wanted}'",
        hint=f"did you mean '{guess}'?" if guess else f"choose one of {some_names(header)}",
    )


def some_names(header: Sequence[str]) -> str:
    """The columns' names as an error shows them: not hundreds of them."""
    names = [name for name in header if name]
    more = ", …" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more


def decimal_mark(cells: Collection[str], separator: str, decimal: str = "auto") -> str:
    """What stands before the decimals in some cells.

    In a comma-separated file `1,234` is more likely a thousand than a decimal: it is refused.
    """
    if decimal != "auto":
        return decimal
    commas = separator != "," and any("," in cell for cell in cells if not is_missing(cell))
    return "," if commas and not any("." in cell for cell in cells if not is_missing(cell)) else "."


def column_numbers(file: CsvFile, index: int, mark: str, key: str) -> NDArray[np.float64]:
    """(rows,) a column's numbers, NaN where a cell is empty.

    Args:
        file: the cells.
        index: the column.
        mark: its decimal mark.
        key: the setting that chose the column, `column`, for errors.

    Raises:
        DataError: with the line: a row without that column, or a cell that is no number.
    """
    values = np.full(len(file.rows), np.nan)
    for i, (row, line) in enumerate(zip(file.rows, file.lines, strict=True)):
        if index >= len(row):
            raise DataError(
                f"{file.path}:{line}: {len(row)} column(s), so none is '{file.name(index)}' "
                f"(number {index + 1})",
                hint="complete the row, or set data.separator",
            )
        cell = row[index].strip()
        if is_missing(cell):
            continue
        number = to_number(cell, mark)
        if not math.isfinite(number):
            advice = f"correct the cell, remove the row, or choose another data.{key}"
            raise not_a_number(file.path, line, file.name(index), cell, mark, advice)
        values[i] = number
    return values


def to_number(cell: str, mark: str) -> float:
    """A cell's number; NaN where it holds none."""
    return float(cell.replace(mark, ".")) if NUMBER[mark].fullmatch(cell) else math.nan


def not_a_number(
    path: Path, line: int, column: str, cell: str, mark: str, advice: str
) -> DataError:
    """The error for a cell that holds text, with the place and `advice`."""
    shown = cell if len(cell) <= _SHOWN_CELL else f"{cell[: _SHOWN_CELL - 1]}…"
    other = "," if mark == "." else "."
    if NUMBER[other].fullmatch(cell) and not NUMBER[mark].fullmatch(cell):
        advice = f"set data.decimal to '{other}' if that is a decimal mark, or remove it"
    return DataError(
        f"{path}:{line}: column '{column}' holds '{shown}', which is not a number", hint=advice
    )


def _check_widths(file: CsvFile) -> None:
    """Refuse rows with more cells than the file has columns: a comma cut a number in two."""
    for row, line in zip(file.rows, file.lines, strict=True):
        if any(cell.strip() for cell in row[file.width :]):
            raise DataError(
                f"{file.path}:{line}: {len(row)} cells, but {file.width} column(s)",
                hint="quote numbers that hold the separator, or set data.separator and "
                "data.decimal",
            )
