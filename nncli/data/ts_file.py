"""The `.ts` text format of the UEA/UCR time series archive, as far as it holds equal lengths.

    # a comment
    @problemName BasicMotions
    @equalLength true
    @classLabel true Standing Running
    @data
    0.1,0.2,0.3:1.5,1.4,1.3:Standing

One line is one sequence: its channels between colons, the class last.

Source: https://www.timeseriesclassification.com, as read by aeon's `load_from_ts_file`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nncli.errors import DataError
from nncli.lazy import NDArray, np


@dataclass(frozen=True)
class TsFile:
    """The sequences of one file."""

    path: Path
    x: NDArray[np.float64]
    """(samples, steps, features)"""
    labels: tuple[str, ...]
    """(samples,) class names."""
    classes: tuple[str, ...]
    """In the order of the header, or sorted where it names none."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(samples, steps, features)"""
        samples, steps, features = self.x.shape
        return samples, steps, features


def read_ts(path: Path) -> TsFile:
    """Read a file of labelled sequences of equal lengths.

    Raises:
        DataError: with the file and the line: not this format, missing or bad numbers,
            no class labels, time stamps or unequal lengths.
    """
    lines = _lines(path)
    classes = _read_header(path, lines)
    sequences: list[NDArray[np.float64]] = []
    labels: list[str] = []
    for number, line in lines:
        *channels, label = (part.strip() for part in line.split(":"))
        if not channels:
            raise DataError(
                f"{path}:{number}: no class after the last colon",
                hint="a line is VALUES:VALUES:CLASS",
            )
        if classes and label not in classes:
            raise DataError(
                f"{path}:{number}: class '{label}' is not in the header",
                hint=f"@classLabel names {', '.join(classes)}",
            )
        sequence = _sequence(path, number, channels)
        if sequences:
            _check_shape(path, number, sequence.shape, sequences[0].shape)
        sequences.append(sequence)
        labels.append(label)
    if not sequences:
        raise DataError(f"{path} has no sequences after @data", hint="is the file complete?")
    return TsFile(
        path=path,
        x=np.stack(sequences),
        labels=tuple(labels),
        classes=classes or tuple(sorted(set(labels))),
    )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines without comments and blank ones."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", hint="check data.path, data.test_path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not a .ts file") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a .ts file: it is not UTF-8 text") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    stripped = ((number, line.strip()) for number, line in enumerate(text.split("\n"), start=1))
    return ((number, line) for number, line in stripped if line and not line.startswith("#"))


def _read_header(path: Path, lines: Iterator[tuple[int, str]]) -> tuple[str, ...]:
    """The lines up to @data: the classes it names, none where it leaves them open."""
    classes: tuple[str, ...] = ()
    labelled = False
    for number, line in lines:
        key, *values = line.split()
        key = key.lower()
        if key == "@data":
            if labelled:
                return classes
            raise DataError(
                f"{path} has no class labels (no '@classLabel true' before @data)",
                hint="only files for classification can be read",
            )
        if not key.startswith("@"):
            raise DataError(
                f"{path}:{number}: values before @data", hint="is this a .ts file, and complete?"
            )
        first = values[0].lower() if values else ""
        if key == "@classlabel":
            labelled = first == "true"
            classes = tuple(values[1:])
        elif key == "@timestamps" and first == "true":
            raise DataError(
                f"{path}:{number}: sequences with time stamps are not supported",
                hint="give a file with @timestamps false",
            )
        elif key == "@equallength" and first == "false":
            raise DataError(
                f"{path}:{number}: sequences of unequal lengths are not supported yet",
                hint="cut or pad them to one length, and write @equalLength true",
            )
    raise DataError(f"{path} has no @data line", hint="is this a .ts file, and complete?")


def _sequence(path: Path, number: int, channels: list[str]) -> NDArray[np.float64]:
    """One line's values: (steps, features)."""
    values: list[NDArray[np.float64]] = []
    for index, channel in enumerate(channels, start=1):
        cells = channel.split(",")
        try:
            row = np.array(cells, dtype=np.float64)
        except ValueError:
            row = np.array([_float(cell) for cell in cells])
        bad = np.flatnonzero(~np.isfinite(row))
        if len(bad):
            raise DataError(
                f"{path}:{number}: value {bad[0] + 1} of channel {index} is "
                f"'{cells[bad[0]].strip()[:40]}', which is not a number",
                hint="repair it: missing values are not supported",
            )
        if values and len(row) != len(values[0]):
            raise DataError(
                f"{path}:{number}: channel {index} has {len(row)} values, but channel 1 has "
                f"{len(values[0])}: unequal lengths are not supported yet",
                hint="cut or pad the channels to one length",
            )
        values.append(row)
    return np.stack(values, axis=1)


def _float(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _check_shape(path: Path, number: int, shape: tuple[int, ...], first: tuple[int, ...]) -> None:
    (steps, features), (first_steps, first_features) = shape, first
    if features != first_features:
        raise DataError(
            f"{path}:{number}: {features} channel(s), but the first sequence has {first_features}"
        )
    if steps != first_steps:
        raise DataError(
            f"{path}:{number}: {steps} steps, but the first sequence has {first_steps}: "
            "unequal lengths are not supported yet",
            hint="cut or pad the sequences to one length",
        )
