"""Rows of CSV, each a sample, with a label among its cells or without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from math import prod
from pathlib import Path

from nncli.data.csv_file import (
    GUESS_ROWS,
    SEPARATORS,
    decimal_mark,
    guess_separator,
    is_missing,
    is_number,
    not_utf8,
)
from nncli.data.csv_table import (
    COUNTER_NAMES,
    LABEL_NAMES,
    Layout,
    is_header,
    read_block,
    row_numbers,
    rows_of,
)
from nncli.data.inputs.block import Block, Wanted, as_pixels, empty, reason, treated
from nncli.data.inputs.piped import MOST_LINE, Lines
from nncli.errors import DataError
from nncli.lazy import np
from nncli.results import Array, Unreadable

MOST_LOOKED_AT = 10_000
"""Characters of a first line that tell whether it has texts."""
HINT = "give the columns that were trained on, in any order, or those numbers alone"


def open_rows(place: Path, lines: Lines, wanted: Wanted) -> Iterator[Block]:
    """Samples in rows, a block at a time; the first lines are read at once.

    A block ends where the next line has to be waited for.

    Args:
        place: the file, for errors and names.
        lines: its lines.
        wanted: what the model takes.

    Raises:
        DataError: no rows, or not the columns that the model takes.
    """
    head, texts = _head(place, lines)
    mark = SEPARATORS.get(wanted.setting("separator", "auto")) or guess_separator(texts)
    rows = list(rows_of(place, texts, mark))
    layout = _layout(place, mark, [row for row, _ in rows], wanted)
    skipped = rows[0][1] if layout.header else 0
    return _blocks(layout, chain(head[skipped:], lines), skipped, wanted)


def _head(place: Path, lines: Lines) -> tuple[list[tuple[bytes, bool]], list[str]]:
    """The first lines, as many as are there; one with something in it at least, or two where that
    one has texts as well as numbers: it may be a header."""
    head: list[tuple[bytes, bool]] = []
    texts: list[str] = []
    filled: list[str] = []
    for line, more in lines:
        head.append((line, more))
        try:
            texts.append(_text(place, line, len(head)))
        except DataError:
            if not filled:
                raise
            break  # it is reported after the rows before it
        filled += [texts[-1]] if texts[-1].strip() else []
        if len(filled) > GUESS_ROWS or (not more and _enough(filled)):
            break
    if not filled:
        raise DataError(f"{place} is empty", hint="give one sample in each row")
    return head, texts


def _enough(lines: Sequence[str]) -> bool:
    """Whether lines tell what the columns are: not a single one of texts and numbers."""
    if len(lines) != 1:
        return bool(lines)
    plain = lines[0][:MOST_LOOKED_AT].replace(";", ",").replace("\t", ",")
    cells = [cell.strip(' "\r\n') for cell in plain.split(",")]
    numbers = [is_number(cell) or is_missing(cell) for cell in cells]
    return all(numbers) or not any(numbers)


def _text(place: Path, line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(place, number, line[error.start]) from error


def _layout(place: Path, mark: str, rows: Sequence[Sequence[str]], wanted: Wanted) -> Layout:
    """Which columns hold the numbers of a sample.

    Raises:
        DataError: not as many as the model takes.
    """
    if not rows:
        raise DataError(f"{place} is empty", hint="give one sample in each row")
    first = [cell.strip() for cell in rows[0]]
    header, numbers = _by_names(place, first, rows, wanted)
    if not numbers:
        numbers = _by_place(place, header or len(first), rows[1 if header else 0 :], wanted)
    cells = [row[i] for row in rows[1 if header else 0 :] for i in numbers if i < len(row)]
    return Layout(
        path=place,
        separator=mark,
        decimal=decimal_mark(cells, mark, wanted.setting("decimal", "auto")),
        header=header,
        width=len(first),
        label=None,
        numbers=numbers,
        notes=(),
    )


def _by_names(
    place: Path, first: Sequence[str], rows: Sequence[Sequence[str]], wanted: Wanted
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The header, and the columns that bear the names of those that were trained on.

    Raises:
        DataError: a header that lacks one of them, or has it twice.
    """
    trained = wanted.learned.columns
    named = trained is not None and trained.header
    if trained is not None and named:
        if tuple(first) == trained.header:
            return trained.header, trained.numbers
        names = [trained.header[index] for index in trained.numbers]
        places = {name: index for index, name in enumerate(first)}
        lacking = [name for name in names if name not in places]
        if not lacking:
            twice = next((name for name in names if first.count(name) > 1), None)
            if twice is not None:
                raise DataError(f"{place} has two columns '{twice}'", hint="name each once")
            return tuple(first), tuple(places[name] for name in names)
    header = tuple(first) if is_header(rows, ()) else ()
    if named and header:
        more = f" and {len(lacking) - 1:,} more" if len(lacking) > 1 else ""
        raise DataError(
            f"{place} has no column '{lacking[0]}'{more}, which was trained on", hint=HINT
        )
    return header, ()


def _by_place(
    place: Path,
    header: Sequence[str] | int,
    rows: Sequence[Sequence[str]],
    wanted: Wanted,
) -> tuple[int, ...]:
    """The columns of numbers where names tell nothing: all, or all but labels and counters.

    Args:
        place: the file, for errors.
        header: its names, or how many columns there are without any.
        rows: the first ones.
        wanted: what the model takes.

    Raises:
        DataError: more or fewer than the model takes.
    """
    count, trained = prod(wanted.learned.input_shape), wanted.learned.columns
    width = header if isinstance(header, int) else len(header)
    if width == count:
        return tuple(range(width))
    if trained is not None and not trained.header and max(trained.numbers) < width:
        return trained.numbers
    if trained is not None and width == len(trained.header):
        return trained.numbers
    names = [""] * width if isinstance(header, int) else [name.lower() for name in header]
    others = {*LABEL_NAMES, *(COUNTER_NAMES if not isinstance(header, int) else ())}
    left = [
        index
        for index in range(width)
        if names[index] not in others
        and all(is_number(r[index]) or is_missing(r[index]) for r in rows if index < len(r))
    ]
    if len(left) == count:
        return tuple(left)
    raise DataError(
        f"{place} has {len(left):,} column(s) of numbers, but the model takes {count:,}",
        hint="take out what is none of them, or name a column of labels 'label' in a header line",
    )


def _blocks(layout: Layout, lines: Lines, before: int, wanted: Wanted) -> Iterator[Block]:
    """Blocks of whole rows.

    Args:
        layout: of the columns.
        lines: all after the header.
        before: how many lines came before them.
        wanted: what the model takes.
    """
    texts: list[str] = []
    quotes = size = rows = whole = 0  # `whole` are the lines that end with a row
    try:
        for line, more in lines:
            texts.append(_text(layout.path, line, before + len(texts) + 1))
            size += len(texts[-1])
            quotes += texts[-1].count('"')
            if quotes % 2:
                if size > MOST_LINE:
                    raise DataError(f"a cell of {size:,} characters: is a quote left open?")
                continue
            whole = len(texts)
            rows += bool(texts[-1].strip())
            if rows and (rows == wanted.at_once or not more):
                yield _block(layout, texts, before, wanted)
                before += whole
                texts, quotes, size, rows, whole = [], 0, 0, 0, 0
        if rows or texts[whole:]:
            yield _block(layout, texts, before, wanted)
    except DataError as error:  # what is no text, or has no end: where it goes on nobody can tell
        if rows:
            yield _block(layout, texts[:whole], before, wanted)
        name = f"{layout.path}:{before + whole + 1}"
        yield empty(wanted, Unreadable(name, reason(name, error)))


def _block(layout: Layout, texts: Sequence[str], before: int, wanted: Wanted) -> Block:
    learned = wanted.learned
    dtypes = (np.uint8, np.float32 if learned.is_images else np.float64)
    lost: list[Unreadable] = []
    try:
        table = read_block(layout, texts, before, dtypes)
        numbers, lines = table.numbers, list(table.lines)
    except DataError:
        numbers, lines, lost = _one_by_one(layout, texts, before)
    if not lines:
        return empty(wanted, *lost)

    treat = partial(as_pixels, learned) if learned.is_images else learned.scaled
    x = numbers.reshape(len(lines), *learned.input_shape)
    return treated(wanted, x, [f"{layout.path}:{line}" for line in lines], treat, lost)


def _one_by_one(
    layout: Layout, texts: Sequence[str], before: int
) -> tuple[Array, list[int], list[Unreadable]]:
    """The rows that can be read, the line of each, and those that cannot."""
    numbers, lines, lost = [], [], []
    try:
        for row, line in rows_of(layout.path, texts, layout.separator, before):
            try:
                numbers.append(row_numbers(layout, row, line))
                lines.append(line)
            except DataError as error:
                name = f"{layout.path}:{line}"
                lost.append(Unreadable(name, reason(name, error)))
    except DataError as error:  # a cell that does not end takes in the rows after it
        name = str(layout.path)
        lost.append(Unreadable(name, reason(name, error)))
    return np.array(numbers), lines, lost
