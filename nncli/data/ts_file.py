"""The `.ts` text format of the UEA/UCR time series archive.

    # a comment
    @problemName JapaneseVowels
    @equalLength false
    @classLabel true 1 2
    @data
    0.1,0.2,0.3:1.5,1.4,1.3:1
    0.1,?:1.5,1.4:2

One line is one sequence: its channels between colons, the class last. The channels of a sequence
have one length; `?` and `NaN` stand for a value that is missing.

Source: https://www.timeseriesclassification.com, as read by aeon's `load_from_ts_file`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nncli.errors import DataError
from nncli.lazy import NDArray, np

Missing = Literal["refuse", "interpolate"]

_MISSING = ("?", "nan")


@dataclass(frozen=True)
class TsFile:
    """The sequences of one file."""

    path: Path
    sequences: tuple[NDArray[np.float64], ...]
    """(steps, features) each; all have the same features."""
    labels: tuple[str, ...]
    """(samples,) class names."""
    lines: tuple[int, ...]
    """(samples,) where each stands, from 1."""
    classes: tuple[str, ...]
    """In the order of the header, or sorted where it names none."""
    equal: bool
    """Whether the header says that all lengths are the same."""
    filled: int
    """Missing values that were filled in."""

    @property
    def features(self) -> int:
        """Channels of a sequence."""
        return int(self.sequences[0].shape[1])

    @property
    def longest(self) -> int:
        """Steps of the longest sequence."""
        return max(len(sequence) for sequence in self.sequences)

    def at(self, sample: int) -> str:
        """`path:line` of a sequence."""
        return f"{self.path}:{self.lines[sample]}"


@dataclass
class Header:
    """What stands before the sequences."""

    classes: tuple[str, ...] = ()
    """Those that it names."""
    class_line: int = 0
    """Where @classLabel stands; 0 where it does not say true."""
    equal_line: int = 0
    """Where @equalLength says true; 0 where it does not."""
    data_line: int = 0
    """Where @data stands."""


def read_content(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise DataError(f"{path} is a pipe or a device", hint="set data.path to a .ts file")
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", hint="check data.path, data.test_path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not a .ts file") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def parse_ts(path: Path, content: bytes, missing: Missing = "refuse") -> TsFile:
    """The labelled sequences of a file.

    Args:
        path: the file, for errors.
        content: its bytes, UTF-8.
        missing: what to do with a missing value: stop, or draw a straight line between its
            neighbours in the same sequence and channel; at the ends the nearest value is held.

    Raises:
        DataError: with the file and the line: not this format, missing or bad numbers, no class
            labels, time stamps, channels or lengths that differ where they must not.
    """
    lines = numbered_lines(path, io.BytesIO(content))
    header = read_header(path, lines)
    if not header.class_line:
        raise DataError(
            f"{path}:{header.data_line}: no class labels (no '@classLabel true' before @data)",
            hint="only files for classification can be read",
        )
    sequences: list[NDArray[np.float64]] = []
    labels: list[str] = []
    numbers: list[int] = []
    filled = 0
    for number, line in lines:
        *channels, label = (part.strip() for part in line.split(":"))
        if not channels or not label:
            raise DataError(
                f"{path}:{number}: no class after the last colon",
                hint="a line is VALUES:VALUES:CLASS; is this one complete?",
            )
        if header.classes and label not in header.classes:
            raise DataError(
                f"{path}:{number}: class '{_short(label)}' is not in the header",
                hint=f"@classLabel names {', '.join(header.classes)}; is the line complete?",
            )
        sequence, holes = read_sequence(path, number, channels, missing)
        if sequences:
            _check_shape(path, number, sequence, sequences[0], numbers[0], header)
        sequences.append(sequence)
        labels.append(label)
        numbers.append(number)
        filled += holes
    if not sequences:
        raise DataError(f"{path} has no sequences after @data", hint="is the file complete?")
    return TsFile(
        path=path,
        sequences=tuple(sequences),
        labels=tuple(labels),
        lines=tuple(numbers),
        classes=header.classes or tuple(sorted(set(labels))),
        equal=header.equal_line > 0,
        filled=filled,
    )


def numbered_lines(path: Path, lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without comments and blank ones.

    Raises:
        DataError: one that is not UTF-8.
    """
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}:{number}: not UTF-8 text",
                hint="is this a .ts file? Save it as UTF-8",
            ) from error
        if text and not text.startswith("#"):
            yield number, text


def read_header(path: Path, lines: Iterator[tuple[int, str]]) -> Header:
    """Take the lines up to @data.

    Raises:
        DataError: with the line: not this format, or time stamps.
    """
    header = Header()
    for number, line in lines:
        key, *values = line.split()
        key = key.lower()
        if key == "@data":
            header.data_line = number
            return header
        if not key.startswith("@"):
            raise DataError(
                f"{path}:{number}: values before @data", hint="is this a .ts file, and complete?"
            )
        first = values[0].lower() if values else ""
        if key == "@classlabel" and first == "true":
            header.class_line = number
            header.classes = _classes(path, number, values[1:])
        elif key == "@timestamps" and first == "true":
            raise DataError(
                f"{path}:{number}: sequences with time stamps are not supported",
                hint="give a file with @timestamps false",
            )
        elif key == "@equallength" and first == "true":
            header.equal_line = number
    raise DataError(f"{path} has no @data line", hint="is this a .ts file, and complete?")


def _classes(path: Path, number: int, names: list[str]) -> tuple[str, ...]:
    """The classes that the header names; none where it leaves them open."""
    if len(names) == 1:
        raise DataError(
            f"{path}:{number}: @classLabel names one class, '{names[0]}'; a classifier needs at "
            "least two",
            hint="name them all, or none to take those of the sequences",
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"{path}:{number}: @classLabel names class '{twice}' twice", hint="name each once"
        )
    return tuple(names)


def read_sequence(
    path: Path, number: int, channels: Sequence[str], missing: Missing
) -> tuple[NDArray[np.float64], int]:
    """One line's values, (steps, features), and how many of them were missing.

    Args:
        path: the file, for errors.
        number: the line's.
        channels: what stands between its colons, the class left out.
        missing: as `parse_ts` takes it.

    Raises:
        DataError: missing or bad numbers, or channels of different lengths.
    """
    rows: list[NDArray[np.float64]] = []
    for index, channel in enumerate(channels, start=1):
        row = _channel(f"{path}:{number}", index, channel)
        if rows and len(row) != len(rows[0]):
            raise DataError(
                f"{path}:{number}: channel {index} has {len(row)} values, but channel 1 has "
                f"{len(rows[0])}",
                hint="all channels of one sequence must have one length; is the line complete?",
            )
        rows.append(row)
    sequence = np.stack(rows, axis=1)
    holes = np.argwhere(np.isnan(sequence.T))  # channel, then step
    if len(holes) and missing == "refuse":
        index, step = holes[0]
        more = f" ({len(holes)} are missing in this line)" if len(holes) > 1 else ""
        cell = channels[index].split(",")[step].strip()
        raise DataError(
            f"{path}:{number}: value {step + 1} of channel {index + 1} is missing: '{cell}'{more}",
            hint="fill it in, remove the line, or set data.missing to interpolate",
        )
    for index in np.unique(holes[:, 0]):
        _interpolate(f"{path}:{number}", int(index) + 1, sequence[:, index])
    return sequence, len(holes)


def _channel(place: str, index: int, text: str) -> NDArray[np.float64]:
    """(steps,) the values of one channel, NaN where they are missing."""
    if not text:
        raise DataError(f"{place}: channel {index} has no values", hint="is the line complete?")
    cells = text.split(",")
    try:
        row = np.array(cells, dtype=np.float64)
    except ValueError:
        row = np.array([_value(cell) for cell in cells])
    bad = np.flatnonzero(np.isinf(row))
    if len(bad):
        raise DataError(
            f"{place}: value {bad[0] + 1} of channel {index} is "
            f"'{_short(cells[bad[0]].strip())}', which is not a finite number",
            hint="correct it, or remove the line",
        )
    return row


def _value(cell: str) -> float:
    """A cell's number: NaN where it is missing, infinite where it is none."""
    if cell.strip().lower() in _MISSING:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        return float("inf")


def _interpolate(place: str, index: int, channel: NDArray[np.float64]) -> None:
    """Straight lines over the holes of one channel, in place; its ends are held."""
    hole = np.isnan(channel)
    if hole.all():
        raise DataError(
            f"{place}: channel {index} has no value at all, so nothing can be interpolated",
            hint="remove the line, or the channel from all lines",
        )
    channel[hole] = np.interp(np.flatnonzero(hole), np.flatnonzero(~hole), channel[~hole])


def _check_shape(
    path: Path,
    number: int,
    sequence: NDArray[np.float64],
    first: NDArray[np.float64],
    first_number: int,
    header: Header,
) -> None:
    (steps, features), (first_steps, first_features) = sequence.shape, first.shape
    if features != first_features:
        raise DataError(
            f"{path}:{number}: {features} channel(s), but the first sequence, in line "
            f"{first_number}, has {first_features}",
            hint="all sequences must have the same channels; is the line complete?",
        )
    if header.equal_line and steps != first_steps:
        raise DataError(
            f"{path}:{number}: {steps} steps, but the first sequence, in line {first_number}, has "
            f"{first_steps}, and line {header.equal_line} says @equalLength true",
            hint="complete the line, or write @equalLength false",
        )


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
