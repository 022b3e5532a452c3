"""Sequences of `.ts` files, with a class behind each or without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nncli.data.inputs.block import Block, Wanted, empty, reason
from nncli.data.inputs.piped import Lines
from nncli.data.ts_file import numbered_lines, read_header, read_sequence
from nncli.errors import DataError
from nncli.lazy import np
from nncli.results import Array, Unreadable


def open_sequences(place: Path, lines: Lines, wanted: Wanted) -> Iterator[Block]:
    """Sequences, a block at a time; the header is read at once.

    A block ends where the next line has to be waited for.

    Args:
        place: the file, for errors and names.
        lines: its lines.
        wanted: what the model takes.

    Raises:
        DataError: not such a file.
    """
    waiting = [False]

    def without_marks() -> Iterator[bytes]:
        for line, more in lines:
            waiting[0] = not more
            yield line

    numbered = numbered_lines(place, without_marks())
    labelled = read_header(place, numbered).class_line > 0
    return _blocks(place, numbered, waiting, labelled, wanted)


def _blocks(
    place: Path,
    lines: Iterator[tuple[int, str]],
    waiting: list[bool],
    labelled: bool,
    wanted: Wanted,
) -> Iterator[Block]:
    """Blocks of sequences.

    Args:
        place: the file.
        lines: those after its header.
        waiting: whether the line after the last one has to be waited for.
        labelled: whether a class ends each line.
        wanted: what the model takes.
    """
    kept: list[Array] = []
    names: list[str] = []
    lost: list[Unreadable] = []

    def block() -> Block:
        made = Block(np.concatenate(kept), tuple(names), tuple(lost)) if kept else None
        made = made or empty(wanted, *lost)
        for each in (kept, names, lost):
            each.clear()
        return made

    try:
        for number, line in lines:
            name = f"{place}:{number}"
            try:
                kept.append(_sequence(place, number, line, labelled, wanted))
                names.append(name)
            except DataError as error:
                lost.append(Unreadable(name, reason(name, error)))
            if waiting[0] or len(kept) + len(lost) >= wanted.at_once:
                yield block()
    except DataError as error:  # a line that is no text
        lost.append(Unreadable(str(place), reason(str(place), error)))
    if kept or lost:
        yield block()


def _sequence(place: Path, number: int, line: str, labelled: bool, wanted: Wanted) -> Array:
    """(1, steps, features) of one line, as the model's data is."""
    channels = [part.strip() for part in line.split(":")]
    if labelled:
        channels.pop()
    if not channels:
        raise DataError(f"{place}:{number}: no values before the class")
    sequence, _ = read_sequence(place, number, channels, wanted.setting("missing", "refuse"))
    name, learned = f"{place}:{number}", wanted.learned
    if sequence.shape[1] != learned.input_shape[1]:  # before it is scaled, feature by feature
        return learned.filled(name, sequence[None])
    most = wanted.setting("steps", None)
    x = sequence[None, :most].astype(np.float64)
    return learned.filled(name, learned.scaled(name, x))
