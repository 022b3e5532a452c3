"""A CSV file with one sample per row: a label, and numbers in all other columns.

NumPy's parser reads blocks of lines that are well formed, at 20 million cells a second. Another
block is read row by row, which also finds the line and the column of a fault.
"""

from __future__ import annotations

import csv
import warnings
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

from nncli.data.csv_file import (
    GUESS_ROWS,
    SEPARATORS,
    check_columns,
    check_file,
    column_name,
    decimal_mark,
    find_column,
    guess_separator,
    is_missing,
    is_number,
    not_a_number,
    not_utf8,
    some_names,
    to_number,
)
from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Array

LABEL_NAMES = ("label", "class", "target", "y")
"""What a column of labels is called, in any case."""
_BLOCK = 4_000_000
"""Characters that are read at a time."""
COUNTER_NAMES = ("", "id", "index", "unnamed: 0")
"""What a column that counts the rows is called, in any case."""


@dataclass(frozen=True)
class Layout:
    """What the columns of a file are, from its first rows."""

    path: Path
    separator: str
    decimal: str
    header: tuple[str, ...]
    """One name per column; empty where the file has no header line."""
    width: int
    """How many columns there are."""
    label: int | None
    """The index of the column with the labels; None where nobody asks for them."""
    numbers: tuple[int, ...]
    """The indices of the columns with the numbers of a sample."""
    notes: tuple[str, ...]
    """What was guessed."""

    def name(self, index: int) -> str:
        """A column's header, or `column 2`."""
        return column_name(self.header, index)

    @property
    def label_name(self) -> str:
        """Of the column with the labels."""
        assert self.label is not None
        return self.name(self.label)


@dataclass(frozen=True)
class Table:
    """The samples of a file."""

    layout: Layout
    numbers: Array
    """(rows, columns) uint8 where all are whole numbers from 0 to 255, else float."""
    labels: Sequence[str]
    """(rows,) as written, empty where a row has none; () where nobody asks for them."""
    lines: Sequence[int]
    """(rows,) the line of the file that each row ends on, from 1."""

    def place(self, row: int) -> str:
        """`digits.csv:17`."""
        return f"{self.layout.path}:{self.lines[row]}"


def read_layout(
    path: Path,
    *,
    label: str | int | None = None,
    ignore: Sequence[str | int] = (),
    separator: str = "auto",
    decimal: str = "auto",
) -> Layout:
    """Find out what the columns of a file are.

    Args:
        path: a UTF-8 file, with or without a header line.
        label: header or number from 1 of the column with the labels; None for the one named
            label, class, target or y, else the only one with texts.
        ignore: headers or numbers of columns that are not used.
        separator: `,`, `;`, `tab` or `auto`.
        decimal: `.`, `,` or `auto`.

    Raises:
        DataError: no such file, no rows, or columns that do not tell what they are.
    """
    mark, rows = _first_rows(path, separator)
    written = [name for name in (label, *ignore) if isinstance(name, str)]
    header: tuple[str, ...] = ()
    notes: list[str] = []
    if is_header(rows, written):
        header = tuple(cell.strip() for cell in rows.pop(0))
    elif not all(is_number(cell) or is_missing(cell) for cell in rows[0]):
        notes.append(f"{path.name} has no header line: its first row is taken as a sample")
    if not rows:
        raise _no_rows(path)
    width = len(header) or len(rows[0])
    left_out = {find_column(path, header, width, wanted, "ignore") for wanted in ignore}
    columns = [[row[i].strip() if i < len(row) else "" for row in rows] for i in range(width)]
    if label is None:
        labels = _find_label(path, header, columns, left_out)
        if header and header[labels].lower() not in LABEL_NAMES:
            notes.append(f"the labels are in column '{header[labels]}'")
    else:
        labels = find_column(path, header, width, label, "label")
    if labels in left_out:
        raise DataError(
            f"{path}: column '{column_name(header, labels)}' is data.label and among data.ignore",
            hint="name it in one of them",
        )
    for index in range(width if header else 0):
        name = header[index]
        if index != labels and name.lower() in COUNTER_NAMES and _counts(columns[index]):
            left_out.add(index)
            named = f"'{name}'" if name else f"{index + 1}, which has no name,"
            notes.append(f"column {named} counts the rows and is not used")
    numbers = tuple(i for i in range(width) if i != labels and i not in left_out)
    if not numbers:
        raise DataError(
            f"{path} has no column of numbers beside the labels", hint="check data.separator"
        )
    cells = [cell for index in numbers for cell in columns[index]]
    return Layout(
        path=path,
        separator=mark,
        decimal=decimal_mark(cells, mark, decimal),
        header=header,
        width=width,
        label=labels,
        numbers=numbers,
        notes=tuple(notes),
    )


def same_layout(path: Path, layout: Layout, separator: str = "auto") -> Layout:
    """The layout of a test file, which has the columns of the file to train on.

    Args:
        path: the test file.
        layout: of the other file.
        separator: `,`, `;`, `tab` or `auto`.

    Raises:
        DataError: no such file, no rows, or other columns.
    """
    mark, rows = _first_rows(path, separator, "test_path")
    header = tuple(cell.strip() for cell in rows[0])
    if header != layout.header:
        if len(header) != layout.width:
            raise DataError(
                f"{path} has {len(header)} column(s), but {layout.path} has {layout.width}",
                hint="give two files of the same columns",
            )
        if not is_header(rows, ()):
            header = ()
        elif layout.header:
            at = next(i for i in range(layout.width) if header[i] != layout.header[i])
            raise DataError(
                f"{path}: column {at + 1} is '{header[at]}', but '{layout.header[at]}' in "
                f"{layout.path}",
                hint="give two files of the same columns, in the same order",
            )
    if header and len(rows) == 1:
        raise _no_rows(path)
    return replace(layout, path=path, separator=mark, header=header, notes=())


def layout_like(
    layout: Layout, header: Sequence[str], label: int, numbers: Sequence[int]
) -> Layout:
    """A layout with the columns of another file, by their names where both have some.

    Args:
        layout: as the file itself tells it.
        header: of the other file; empty where it had none.
        label: the index of the column with its labels.
        numbers: those of its numbers, in their order.

    Raises:
        DataError: a column that the file lacks.
    """
    if not header or not layout.header:
        least = max(label, *numbers) + 1
        if layout.width < least:
            raise DataError(
                f"{layout.path} has {layout.width} column(s), at least {least} are needed",
                hint="give a file of the columns that were trained on",
            )
        return replace(layout, label=label, numbers=tuple(numbers))
    place = {name: index for index, name in enumerate(layout.header)}
    lacking = [header[index] for index in (label, *numbers) if header[index] not in place]
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise DataError(
            f"{layout.path} has no column '{lacking[0]}'{more}, which was trained on",
            hint="give a file of the columns that were trained on, in any order",
        )
    return replace(
        layout,
        label=place[header[label]],
        numbers=tuple(place[header[index]] for index in numbers),
    )


def _first_rows(path: Path, separator: str, key: str = "path") -> tuple[str, list[list[str]]]:
    """What separates the columns, and the first rows that hold something."""
    check_file(path, key)
    with _open(path) as stream:
        mark = SEPARATORS.get(separator) or guess_separator(stream)
    with _open(path) as stream:
        rows = [row for row, _ in islice(rows_of(path, stream, mark), GUESS_ROWS + 1)]
    if not rows:
        raise DataError(f"{path} is empty", hint="give a file with one sample per row")
    return mark, rows


def _no_rows(path: Path) -> DataError:
    return DataError(
        f"{path} has a header line and no rows", hint="give a file with one sample per row"
    )


def read_table(layout: Layout, dtypes: Sequence[Any]) -> Table:
    """Read all rows.

    Args:
        layout: of the file.
        dtypes: what the numbers may become: the first that holds them all. The last one is a
            float, which holds all.

    Raises:
        DataError: with the line and the column: a missing number, a text in its place, or a row
            of another length.
    """
    labels: list[str] = []
    lines = array("q")
    numbers: list[Array] = []
    with _open(layout.path) as stream:
        before = _skip_header(layout, stream) if layout.header else 0
        for begin, block in _blocks(stream, before):
            read = read_block(layout, block, begin, dtypes)
            numbers.append(read.numbers)
            labels += read.labels
            lines.extend(read.lines)
    return Table(layout, _together(numbers), labels, lines)


def read_block(layout: Layout, block: Sequence[str], before: int, dtypes: Sequence[Any]) -> Table:
    """Read some lines that follow on each other.

    Args:
        layout: of the file.
        block: whole rows, with their line ends.
        before: how many lines came before them.
        dtypes: as `read_table` takes them.

    Raises:
        DataError: as `read_table`.
    """
    read = None
    if layout.decimal == ".":
        dtypes_left = iter(dtypes)
        while read is None and (dtype := next(dtypes_left, None)) is not None:
            read = _read_fast(layout, block, before, dtype)
    return read if read is not None else _read_carefully(layout, block, before, dtypes[-1])


def _skip_header(layout: Layout, stream: TextIO) -> int:
    """How many lines it takes, blank ones before it included."""
    return next(line for _, line in rows_of(layout.path, stream, layout.separator))


def _blocks(stream: TextIO, before: int) -> Iterator[tuple[int, list[str]]]:
    """Some lines at a time, and how many came before them; no cell is cut in two."""
    block: list[str] = []
    size = quotes = 0
    for line in stream:
        block.append(line)
        size += len(line)
        quotes += line.count('"')
        if size >= _BLOCK and quotes % 2 == 0:
            yield before, block
            before += len(block)
            block, size, quotes = [], 0, 0
    if block:
        yield before, block


def _together(parts: list[Array]) -> Array:
    """All rows in one array; the parts are given back to the memory one by one."""
    kind = np.result_type(*{part.dtype for part in parts})
    whole = np.empty((sum(map(len, parts)), parts[0].shape[1]), dtype=kind)
    end = len(whole)
    while parts:
        part = parts.pop()
        whole[end - len(part) : end] = part
        end -= len(part)
    return whole


@contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    """A file as text.

    Raises:
        DataError: it cannot be read, or is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield stream
    except UnicodeDecodeError as error:
        with path.open("rb") as raw:
            for number, line in enumerate(raw, start=1):
                try:
                    line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as found:
                    raise not_utf8(path, number, line[found.start]) from error
        raise DataError(f"{path}: not UTF-8 text", hint="save the file as UTF-8") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def rows_of(
    path: Path, stream: Iterable[str], separator: str, before: int = 0
) -> Iterator[tuple[list[str], int]]:
    """The rows that hold something, each with the line that it ends on.

    Args:
        path: the file, for errors.
        stream: its lines, or some of them.
        separator: what stands between two cells.
        before: how many lines came before.

    Raises:
        DataError: what is no CSV, or a row of far too many cells.
    """
    reader = csv.reader(stream, delimiter=separator, skipinitialspace=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                check_columns(path, before + reader.line_num, row)
                yield row, before + reader.line_num
    except csv.Error as error:
        line = before + reader.line_num
        raise DataError(f"{path}:{line}: not a CSV line: {error}") from error


def is_header(rows: Sequence[Sequence[str]], written: Sequence[str]) -> bool:
    """Whether the first row holds names.

    Numbers may be names too: `label,0,1,2`. Such a row is told from a sample by a name that the
    settings or all the world use, or by a text where the next row has a number.
    """
    first = [cell.strip() for cell in rows[0]]
    texts = [i for i, cell in enumerate(first) if not (is_number(cell) or is_missing(cell))]
    if not texts or not any(is_number(cell) for cell in first):
        return bool(texts)
    known = {*LABEL_NAMES, *(name.lower() for name in written)}
    if any(first[i].lower() in known for i in texts):
        return True
    second = rows[1] if len(rows) > 1 else []
    return any(i < len(second) and is_number(second[i]) for i in texts)


def _find_label(
    path: Path, header: Sequence[str], columns: Sequence[Sequence[str]], left_out: set[int]
) -> int:
    """The column named as one of labels, else the only one with texts."""
    named = [
        index
        for index, name in enumerate(header)
        if name.lower() in LABEL_NAMES and index not in left_out
    ]
    if len(named) == 1:
        return named[0]
    if named:
        names = " and ".join(f"'{header[index]}'" for index in named)
        raise DataError(
            f"{path}: columns {names} may all hold the labels",
            hint=f"set data.label to one of them, e.g. {header[named[0]]}",
        )
    used = [index for index in range(len(columns)) if index not in left_out]
    kinds = {i: [is_number(cell) for cell in columns[i] if not is_missing(cell)] for i in used}
    texts = [index for index in used if not all(kinds[index])]
    # a text among numbers is more likely a fault than a label
    mostly = [index for index in texts if not any(kinds[index])] or texts
    if len(mostly) == 1:
        return mostly[0]
    hold = f"{len(texts)} columns hold texts" if texts else "no column holds texts"
    there = f"the columns are {some_names(header)}" if header else f"1 to {len(columns)}"
    raise DataError(
        f"{path}: no column is named {', '.join(LABEL_NAMES[:-1])} or {LABEL_NAMES[-1]}, "
        f"and {hold}",
        hint=f"set data.label to the column with the classes ({there})",
    )


def _counts(cells: Sequence[str]) -> bool:
    """Whether cells are 0, 1, 2, … or 1, 2, 3, …"""
    return len(cells) > 1 and any(
        cells == [str(number) for number in range(start, start + len(cells))] for start in (0, 1)
    )


def _read_fast(layout: Layout, block: Sequence[str], before: int, dtype: Any) -> Table | None:
    """Some lines, or None where anything at all is out of order."""
    labels: list[str] = []

    def keep(cell: str) -> float:
        labels.append(cell.strip())
        return 0

    def drop(_: str) -> float:
        return 0

    used = set(layout.numbers)
    unused = [i for i in range(layout.width) if i not in used]
    filled = [number for number, line in enumerate(block) if line.strip()]
    if not filled:
        return None
    try:
        with warnings.catch_warnings():
            # NumPy 2.0 warns where it cuts 0.5 to a whole number; later versions refuse it
            warnings.simplefilter("error", DeprecationWarning)
            numbers: Array = np.loadtxt(
                [block[number] for number in filled],
                dtype=dtype,
                delimiter=layout.separator,
                comments=None,
                quotechar='"',
                converters={i: keep if i == layout.label else drop for i in unused},
                ndmin=2,
                encoding=None,
            )
    except (ValueError, DeprecationWarning):
        return None
    if numbers.shape != (len(filled), layout.width):
        return None
    if layout.label is not None and len(labels) != len(filled):
        return None
    numbers = numbers[:, list(layout.numbers)]
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        return None
    return Table(layout, numbers, labels, [before + 1 + number for number in filled])


def _read_carefully(layout: Layout, block: Sequence[str], before: int, dtype: Any) -> Table:
    """Some lines, row after row.

    Raises:
        DataError: at the first cell that is no number, or row of another length.
    """
    labels: list[str] = []
    lines: list[int] = []
    numbers = array("d")
    for row, line in rows_of(layout.path, block, layout.separator, before):
        numbers.extend(row_numbers(layout, row, line))
        if layout.label is not None:
            labels.append(row[layout.label].strip())
        lines.append(line)
    found: NDArray[np.float64] = np.frombuffer(numbers, dtype=np.float64)
    found = found.reshape(len(lines), len(layout.numbers))
    return Table(layout, found.astype(dtype, copy=False), labels, lines)


def row_numbers(layout: Layout, row: Sequence[str], line: int) -> list[float]:
    """The numbers of one row.

    Raises:
        DataError: a cell that is no number, or more or fewer cells than there are columns.
    """
    width = layout.width
    if len(row) < width or any(cell.strip() for cell in row[width:]):
        raise DataError(
            f"{layout.path}:{line}: {len(row)} cells, but {width} column(s)",
            hint="complete the row, quote cells that hold the separator, or set data.separator",
        )
    cells = [row[index] for index in layout.numbers]
    if layout.decimal == ".":
        together = "".join(cells)
        if together.isascii() and "_" not in together:  # which Python takes, and nobody else
            try:
                numbers = [float(cell) for cell in cells]
            except ValueError:
                pass  # the place is found below
            else:
                if isfinite(sum(numbers)):
                    return numbers
    numbers = []
    for index, cell in zip(layout.numbers, map(str.strip, cells), strict=True):
        if is_missing(cell):
            raise DataError(
                f"{layout.path}:{line}: column '{layout.name(index)}' has no value",
                hint="fill it in, remove the row, or name the column in data.ignore",
            )
        number = to_number(cell, layout.decimal)
        if not isfinite(number):
            advice = "correct the cell, remove the row, or name the column in data.ignore"
            raise not_a_number(layout.path, line, layout.name(index), cell, layout.decimal, advice)
        numbers.append(number)
    return numbers
