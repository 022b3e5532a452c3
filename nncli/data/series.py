"""Series to forecast: the lesson's sine wave, and a column of a CSV file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from nncli.config import Contradiction
from nncli.data.csv_column import Column, read_column
from nncli.data.dataset import Dataset, Facts, Series, Split
from nncli.data.source import DataSection, Source
from nncli.data.splits import TestShare, ValidationShare, impossible_shares, part_size
from nncli.errors import DataError
from nncli.lazy import NDArray, np

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
    column: str | Annotated[int, Field(ge=1)] | None = None
    """The column to forecast, by its header or its number from 1; null takes the last one that
    holds numbers."""
    date_column: str | Annotated[int, Field(ge=1)] | None = None
    """The column with the dates, by its header or its number; null takes the first column
    of ISO dates or of texts that never repeat, if there is one."""
    window: Annotated[int, Field(ge=1, le=100_000)] = 24
    """How many values the model sees before the one it predicts."""
    predict: Literal["change", "value"] = "change"
    """What the model answers: the change from the last value it saw, or the value itself."""
    inputs: Literal["level", "relative"] = "level"
    """What the model sees: the values, or their distances from the last one, which is better
    where a trend leads to levels that the training part never reached."""
    validation: ValidationShare = 0.1
    """Share of the values that chooses the best epoch, just before the test part; 0 for none."""
    test: TestShare = 0.2
    """Share of the values to measure on: the last ones."""
    separator: Literal["auto", ",", ";", "tab"] = "auto"
    """What stands between two columns."""
    decimal: Literal["auto", ".", ","] = "auto"
    """What stands before the decimals of a number."""
    missing: Literal["refuse", "drop", "interpolate"] = "refuse"
    """What to do with empty cells: stop, leave their rows out, or draw a straight line over
    them (inside each part, so that no part learns from another)."""

    def facts(self) -> Facts:
        """The window; how many there are takes reading the file."""
        return Facts("forecast", validation=self.validation > 0, input_shape=(self.window, 1))

    def contradictions(self) -> Iterator[Contradiction]:
        """Shares that leave nothing, and a level that nothing shows."""
        yield from impossible_shares(self.validation, self.test)
        if self.inputs == "relative" and self.predict == "value":
            yield Contradiction(
                ("predict", "inputs"),
                "from relative inputs a model cannot know the level of a value",
                "predict change, or set inputs to level",
            )


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
        series=Series(name="sin(t)", offset=0.0, scale=1.0, seen=later[:1], truth=later[1:]),
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
        x (samples, window, 1) and y (samples, 1), in deviations of the training part.

    Raises:
        DataError: an unreadable file, a wrong column or cell, or too few or constant values.
    """
    column = read_column(
        section.path,
        column=section.column,
        date_column=section.date_column,
        separator=section.separator,
        decimal=section.decimal,
    )
    column = _without_missing_rows(section, column)
    values = column.values
    train_end, test_start = _borders(section, len(values))
    notes = list(column.notes)
    holes = int(np.isnan(values).sum())
    if holes:  # only where they are to be filled
        values = _filled(section.path.name, column, (0, train_end, test_start, len(values)))
        notes.append(f"{holes} missing value(s) filled by straight lines between their neighbours")
    offset, scale = _scaling(section.path.name, column.name, values[:train_end])
    series = Series(
        name=column.name,
        offset=offset,
        scale=scale,
        seen=values[test_start - section.window : test_start],
        truth=values[test_start:],
        labels=column.dates[test_start:],
        change=section.predict == "change",
        relative=section.inputs == "relative",
    )
    train, validation, test = _windows(series, values, section.window, train_end, test_start)
    return Dataset(
        name="csv",
        family="series",
        task="forecast",
        train=train,
        validation=validation,
        test=test,
        series=series,
        notes=tuple(notes),
    )


def _without_missing_rows(section: CsvSection, column: Column) -> Column:
    """Refuse, drop or leave the missing values, as the section says."""
    missing = np.flatnonzero(np.isnan(column.values))
    if len(missing) == 0 or section.missing == "interpolate":
        return column
    if section.missing == "drop":
        return column.keep(
            np.flatnonzero(~np.isnan(column.values)),
            note=f"{len(missing)} row(s) without a value left out",
        )
    more = f" ({len(missing)} in all)" if len(missing) > 1 else ""
    raise DataError(
        f"{section.path}:{column.rows[missing[0]]}: column '{column.name}' has no value{more}",
        hint="fill it in, or set data.missing to drop or interpolate",
    )


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


def _filled(name: str, column: Column, borders: tuple[int, ...]) -> NDArray[np.float64]:
    """Straight lines over the holes of each part; at its ends the nearest value is held."""
    values = column.values.copy()
    for begin, end in pairwise(borders):
        part = values[begin:end]
        hole = np.isnan(part)
        if not hole.any():
            continue
        if hole.all():
            raise DataError(
                f"{name}: column '{column.name}' has no value at all in rows "
                f"{column.rows[begin]} to {column.rows[end - 1]}",
                hint="set data.missing to drop, or give a series with fewer gaps",
            )
        part[hole] = np.interp(np.flatnonzero(hole), np.flatnonzero(~hole), part[~hole])
    return values


def _scaling(name: str, column: str, train: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation of the training part."""
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
            "there is nothing to forecast",
            hint="choose another data.column",
        )
    return offset, scale


def _windows(
    series: Series, values: NDArray[np.float64], window: int, train_end: int, test_start: int
) -> tuple[Split, Split | None, Split]:
    """Every window with the value after it, in three parts by the place of that value."""
    seen = np.lib.stride_tricks.sliding_window_view(values, window)[:-1]  # (all, window)
    last = seen[:, -1:]  # (all, 1)
    x = series.scaled_inputs(seen, last)[:, :, None]  # (all, window, 1)
    y = series.scaled_targets(values[window:, None], last)  # (all, 1): target i is value i + window
    first, second = train_end - window, test_start - window

    def part(begin: int, end: int | None) -> Split:
        return Split(np.ascontiguousarray(x[begin:end]), y[begin:end].copy())

    validation = part(first, second) if second > first else None
    return part(0, first), validation, part(second, None)


SINE = Source(
    name="sine",
    family="series",
    section=SineSection,
    load=load_sine,
    summary="one sine wave, 21 points: the lesson's series",
)
CSV = Source(
    name="csv",
    family="series",
    section=CsvSection,
    load=load_csv,
    summary="a column of a CSV file, in windows",
)
