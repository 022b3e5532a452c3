"""Series to forecast: the lesson's sine wave, and columns of a CSV file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from nncli.config import Contradiction
from nncli.data.csv_columns import Columns, read_columns
from nncli.data.csv_file import ColumnName, Decimal, Separator
from nncli.data.dataset import Dataset, Facts, Series, Split
from nncli.data.others import Others, not_shaped
from nncli.data.scaling import Scaler
from nncli.data.source import DataSection, Source
from nncli.data.splits import TestShare, ValidationShare, impossible_shares, part_size
from nncli.errors import DataError
from nncli.lazy import NDArray, np

if TYPE_CHECKING:
    from nncli.data.learned import Learned

Radians = Annotated[float, Field(ge=-1_000_000, le=1_000_000)]


class SineSection(DataSection):
    """The lesson's series: one wave, each value predicted from those before it."""

    source: Literal["sine"] = "sine"
    """One sine wave: the lesson's series."""
    points: Annotated[int, Field(ge=3, le=1_000_000)] = 21
    """How many points of the wave are taken, evenly spaced; one fewer are predicted."""
    start: Radians = 0.0
    """Where the wave begins, in radians."""
    end: Radians = math.pi
    """Where the wave ends, in radians."""

    def facts(self) -> Facts:
        """One sample, each of its points a step."""
        return Facts("forecast", train=1, validation=False, input_shape=(self.points - 1, 1))

    def contradictions(self) -> Iterator[Contradiction]:
        """A wave that ends before it begins."""
        if self.end <= self.start:
            yield Contradiction(
                ("end", "start"),
                f"the wave would run from {self.start:g} to {self.end:g}",
                "make end larger than start",
            )


class CsvSection(DataSection):
    """A column of a CSV file: the next value predicted from a window of values before it."""

    source: Literal["csv"] = "csv"
    """A column of a CSV file, in the order of its rows."""
    path: Path
    """The file, UTF-8."""
    column: ColumnName | None = None
    """The column to forecast, by its header or its number from 1; null takes the last one that
    holds numbers and is not among the input columns."""
    input_columns: tuple[ColumnName, ...] = ()
    """Further columns that the model sees beside the forecast one, by header or number. As nobody
    knows their future, there is no free-running forecast with them."""
    date_column: ColumnName | None = None
    """The column with the dates, by its header or its number; null takes the first column
    of ISO dates or of texts that never repeat, if there is one."""
    window: Annotated[int, Field(ge=1, le=100_000)] = 24
    """How many values the model sees before the one it predicts."""
    predict: Literal["change", "value"] = "change"
    """What the model answers: the change from the last value it saw, or the value itself."""
    inputs: Literal["level", "relative"] = "level"
    """What the model sees: the values, or their distances from the last one, which is better
    where a trend leads to levels that the training part never reached. The input columns always
    keep their level: of a temperature or a holiday, that is what they say."""
    validation: ValidationShare = 0.1
    """Share of the values that chooses the best epoch, just before the test part; 0 for none."""
    test: TestShare = 0.2
    """Share of the values to measure on: the last ones."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many values, the last ones; null takes all."""
    separator: Separator = "auto"
    """What stands between two columns."""
    decimal: Decimal = "auto"
    """What stands before the decimals of a number."""
    missing: Literal["refuse", "drop", "interpolate"] = "refuse"
    """What to do with empty cells: stop, leave their rows out, or draw a straight line over
    them (inside each part, so that no part learns from another)."""

    def facts(self) -> Facts:
        """The window; how many there are takes reading the file."""
        shape = (self.window, 1 + len(self.input_columns))
        return Facts("forecast", validation=self.validation > 0, input_shape=shape)

    def contradictions(self) -> Iterator[Contradiction]:
        """Shares that leave nothing, a level that nothing shows, a column in two places."""
        yield from impossible_shares(self.validation, self.test)
        yield from self._too_few()
        if self.inputs == "relative" and self.predict == "value":
            yield Contradiction(
                ("predict", "inputs"),
                "from relative inputs a model cannot know the level of a value",
                "predict change, or set inputs to level",
            )
        twice = [
            name for i, name in enumerate(self.input_columns) if name in self.input_columns[:i]
        ]
        if twice:
            yield Contradiction(
                ("input_columns",), f"column {_quoted(twice[0])} stands twice", "name each once"
            )
        if self.column is not None and self.column in self.input_columns:
            yield Contradiction(
                ("input_columns", "column"),
                f"column {_quoted(self.column)} is the one to forecast, which is always seen",
                "leave it out of input_columns",
            )

    def _too_few(self) -> Iterator[Contradiction]:
        """A limit that leaves less than one window to train on, however long the series is."""
        left = 1 - self.validation - self.test
        # each share is rounded by at most half a value
        if self.limit is not None and left > 0 and self.limit * left + 1 < self.window + 1:
            yield Contradiction(
                ("limit", "window"),
                f"of {self.limit} values at most {int(self.limit * left + 1)} are left to train "
                f"on, but a window of {self.window} needs at least {self.window + 1}",
                "raise limit, or make window smaller",
            )


def _quoted(column: str | int) -> str:
    return f"'{column}'" if isinstance(column, str) else str(column)


def load_sine(section: SineSection, _seed: int) -> Dataset:
    """The wave sin(t) as one sample, each point predicted from the points before it.

    There is nothing to choose by, so there is no validation part. The test part is the same
    wave half a step later: values between the training points, so none of them was seen.

    Returns:
        x and y of shape (1, points − 1, 1): y is x one step later.

    Source: the lesson, t = linspace(0, π, 21).
    """
    t = np.linspace(section.start, section.end, section.points)
    half_step = (t[1] - t[0]) / 2
    later = np.sin(t + half_step)
    return Dataset(
        name="sine",
        family="series",
        task="forecast",
        train=_one_wave(np.sin(t)),
        validation=None,
        test=_one_wave(later),
        series=Series(
            name="sin(t)",
            offset=0.0,
            scale=1.0,
            seen=later[:1],
            truth=later[1:],
            naive_error=_naive_error(np.sin(t)),
        ),
        notes=(
            "the test part is the same wave sampled half a step later, between the training points",
        ),
    )


def _one_wave(values: NDArray[np.float64]) -> Split:
    """The lesson's pair: all but the last value, and all but the first."""
    wave = values.astype(np.float32)
    return Split(wave[:-1].reshape(1, -1, 1), wave[1:].reshape(1, -1, 1))


def load_csv(section: CsvSection, _seed: int) -> Dataset:
    """Windows of a column and the value after each, split in the order of time.

    The values are divided first; the scaling is that of the training part. A sample belongs to
    the part of its target, so the windows of a part may look back into the part before it.

    Returns:
        x (samples, window, columns), the forecast column first, and y (samples, 1), in
        deviations of the training part.

    Raises:
        DataError: an unreadable file, a wrong column or cell, or too few or constant values.
    """
    columns = _read(section)
    values = columns.values
    train_end, test_start = _borders(section, len(values))
    notes = list(columns.notes)
    holes = np.isnan(values)
    if holes.any():  # only where they are to be filled
        values = _filled(section.path.name, columns, (0, train_end, test_start, len(values)))
        notes.append(
            f"{int(holes.sum())} missing value(s) filled by straight lines between their "
            f"neighbours{_by_column(columns.names, holes)}"
        )
        measured = int(holes[test_start:, 0].sum())
        if measured:
            notes.append(
                f"{measured} of the {len(values) - test_start:,} values to measure on were filled "
                "in: the error counts them as if they were true"
            )
    scales = [
        _scaling(section.path.name, name, values[:train_end, index], index > 0)
        for index, name in enumerate(columns.names)
    ]
    series = Series(
        name=columns.names[0],
        offset=scales[0][0],
        scale=scales[0][1],
        seen=values[test_start - section.window : test_start, 0],
        truth=values[test_start:, 0],
        labels=columns.dates[test_start:],
        change=section.predict == "change",
        relative=section.inputs == "relative",
        naive_error=_naive_error(values[:train_end, 0]),
    )
    others = None
    if section.input_columns:
        others = Scaler(*np.array(scales[1:]).T)
        notes.append(
            f"no free-running forecast: it would need the future of {', '.join(columns.names[1:])}"
        )
    train, validation, test = _windows(
        series, others, values, section.window, train_end, test_start
    )
    return Dataset(
        name="csv",
        family="series",
        task="forecast",
        train=train,
        validation=validation,
        test=test,
        series=series,
        scaler=others,
        files=columns.digest,
        notes=tuple(notes),
    )


def _read(section: CsvSection) -> Columns:
    """The columns as the section wants them, holes only where they are to be filled."""
    columns = read_columns(
        section.path,
        column=section.column,
        input_columns=section.input_columns,
        date_column=section.date_column,
        separator=section.separator,
        decimal=section.decimal,
    )
    return _without_missing_rows(section, columns)


def _without_missing_rows(section: CsvSection, columns: Columns) -> Columns:
    """The last values, and of the missing ones what the section says: refused, dropped, left."""
    missing = np.isnan(columns.values)
    rows = missing.any(axis=1)
    if section.missing == "drop" and rows.any():
        columns = columns.keep(
            np.flatnonzero(~rows),
            note=f"{int(rows.sum())} row(s) without a value left out"
            + _by_column(columns.names, missing),
        )
    count = len(columns.values)
    if section.limit is not None and section.limit < count:
        columns = columns.keep(
            np.arange(count - section.limit, count, dtype=np.intp),
            note=f"the last {section.limit:,} of {count:,} values",
        )
    missing = np.isnan(columns.values)
    if section.missing == "interpolate" or not missing.any():
        return columns
    row, index = np.argwhere(missing)[0]
    total = int(missing.sum())
    more = f" ({total} in all{_by_column(columns.names, missing)})" if total > 1 else ""
    raise DataError(
        f"{section.path}:{columns.rows[row]}: column '{columns.names[index]}' has no value{more}",
        hint="fill it in, or set data.missing to drop or interpolate",
    )


def _by_column(names: Sequence[str], missing: NDArray[np.bool_]) -> str:
    """`: Sold 2, Price 1`, how many cells each column lacks; nothing where there is one column."""
    if len(names) == 1:
        return ""
    counts = missing.sum(axis=0)
    each = ", ".join(f"{name} {n}" for name, n in zip(names, counts, strict=True) if n)
    return f": {each}"


def _borders(section: CsvSection, count: int) -> tuple[int, int]:
    """Where the training part ends and the test part starts."""
    test_start = count - part_size(count, section.test)
    train_end = test_start - part_size(count, section.validation)
    if train_end <= section.window:
        longest = train_end - 1
        raise DataError(
            f"{section.path}: {count} values leave {max(train_end, 0)} to train on, but a window "
            f"of {section.window} needs at least {section.window + 1}",
            hint=f"set data.window to at most {longest}, or give a longer series"
            if longest >= 1
            else "give a longer series",
        )
    return train_end, test_start


def _filled(name: str, columns: Columns, borders: tuple[int, ...]) -> NDArray[np.float64]:
    """Straight lines over the holes of each part; at its ends the nearest value is held."""
    values = columns.values.copy()
    for (begin, end), (index, column) in product(pairwise(borders), enumerate(columns.names)):
        part = values[begin:end, index]
        hole = np.isnan(part)
        if not hole.any():
            continue
        if hole.all():
            raise DataError(
                f"{name}: column '{column}' has no value at all in rows "
                f"{columns.rows[begin]} to {columns.rows[end - 1]}",
                hint="set data.missing to drop, or give a series with fewer gaps",
            )
        part[hole] = np.interp(np.flatnonzero(hole), np.flatnonzero(~hole), part[~hole])
    return values


def _scaling(
    name: str, column: str, train: NDArray[np.float64], beside: bool
) -> tuple[float, float]:
    """Mean and standard deviation of the training part of a column.

    Args:
        name: the file's name, for errors.
        column: the column's.
        train: (rows,) its values.
        beside: whether it is seen beside the one to forecast.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        offset, scale = float(train.mean()), float(train.std())
    if not (math.isfinite(offset) and math.isfinite(scale)):
        raise DataError(
            f"{name}: the numbers of column '{column}' are too large to work with",
            hint="divide them by a power of ten",
        )
    # rounding alone leaves a deviation of about 1e-16 of the mean
    if scale <= 1e-12 * abs(offset):
        raise DataError(
            f"{name}: column '{column}' is constant in the training part ({train[0]:g}): "
            f"there is nothing to {'learn from it' if beside else 'forecast'}",
            hint="leave it out of data.input_columns" if beside else "choose another data.column",
        )
    return offset, scale


def _naive_error(train: NDArray[np.float64]) -> float:
    """The mean absolute error of repeating the last value, over the training part.

    Source: R. Hyndman, A. Koehler, Another look at measures of forecast accuracy, 2006: what their
    MASE divides by.
    """
    return float(np.abs(np.diff(train)).mean())


def whole_columns(section: CsvSection) -> Columns:
    """All values of the columns, to go on from their end; holes filled or left out.

    Raises:
        DataError: an unreadable file, or a wrong column or cell.
    """
    columns = _read(section)
    if not np.isnan(columns.values).any():
        return columns
    filled = _filled(section.path.name, columns, (0, len(columns.values)))
    return replace(columns, values=filled)


def _windows(
    series: Series,
    others: Scaler | None,
    values: NDArray[np.float64],
    window: int,
    train_end: int,
    test_start: int,
) -> tuple[Split, Split | None, Split]:
    """Every window with the value after it, in three parts by the place of that value.

    Args:
        series: scales the forecast column.
        others: scales the columns beside it.
        values: (rows, columns), the forecast column first.
        window: rows that the model sees.
        train_end: where the training part ends.
        test_start: where the test part starts.
    """
    seen = np.lib.stride_tricks.sliding_window_view(values[:, 0], window)[:-1]  # (all, window)
    last = seen[:, -1:]  # (all, 1)
    x = series.scaled_inputs(seen, last)[:, :, None]  # (all, window, 1)
    if others is not None:
        beside = others.apply(values[:, 1:])  # (rows, columns − 1)
        more = np.lib.stride_tricks.sliding_window_view(beside, window, axis=0)[:-1]
        x = np.concatenate([x, more.transpose(0, 2, 1)], axis=2)  # (all, window, columns)
    # target i is value i + window
    y = series.scaled_targets(values[window:, :1], last)  # (all, 1)
    first, second = train_end - window, test_start - window

    def part(begin: int, end: int | None) -> Split:
        return Split(np.ascontiguousarray(x[begin:end]), y[begin:end].copy())

    validation = part(first, second) if second > first else None
    return part(0, first), validation, part(second, None)


def other_series(section: CsvSection, learned: Learned, _seed: int) -> Others:
    """Every value of a column but the first window, to measure a trained model on.

    Raises:
        DataError: an unreadable file, a wrong column or cell, or too few values.
    """
    assert learned.series is not None
    columns = _read(section)
    window, features = learned.input_shape
    if len(columns.names) != features:
        raise DataError(
            f"{section.path}: the model sees {features} column(s), not {len(columns.names)}",
            hint="set data.column and data.input_columns as for its training",
        )
    count = len(columns.values)
    if count <= window:
        raise DataError(
            f"{section.path} has {count} values, but the model sees {window} before the first that "
            "it predicts",
            hint="give a longer series",
        )
    values, notes = columns.values, list(columns.notes)
    holes = np.isnan(values)
    if holes.any():
        values = _filled(section.path.name, columns, (0, count))
        notes.append(f"{int(holes.sum())} missing value(s) filled by straight lines")
    name = columns.names[0]
    if name != learned.series.name:
        notes.append(f"the model learned {learned.series.name}, this is {name}")
    series = replace(
        learned.series.series(
            seen=values[:window, 0], truth=values[window:, 0], labels=columns.dates[window:]
        ),
        name=name,
    )
    beside = None if learned.scaler is None else learned.scaler.scaler
    test = _windows(series, beside, values, window, window, window)[2]
    return Others(test, series, columns.digest, tuple(notes))


def other_sine(section: SineSection, learned: Learned, seed: int) -> Others:
    """A wave, half a step later than the points it is made of.

    Raises:
        DataError: another length than the model takes, or a model of another series.
    """
    shape = (section.points - 1, 1)
    if learned.source != "sine" or shape != learned.input_shape:
        raise not_shaped("sine", shape, learned.input_shape)
    wave = load_sine(section, seed)
    return Others(wave.test, wave.series, notes=wave.notes)


SINE = Source(
    name="sine",
    sections={"series": SineSection},
    load=load_sine,
    others=other_sine,
    summary="one sine wave, 21 points: the lesson's series",
)
CSV = Source(
    name="csv",
    sections={"series": CsvSection},
    load=load_csv,
    others=other_series,
    summary="a column of a CSV file, in windows",
)
