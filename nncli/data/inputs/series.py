"""The series that a forecast goes on from: the run's own, or another."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from nncli.data.csv_columns import Columns
from nncli.data.csv_file import read_csv
from nncli.data.inputs.kinds import STANDARD_INPUT, TAKES, check_taken, form_of
from nncli.data.inputs.piped import NAME, Piped
from nncli.data.learned import Learned
from nncli.data.series import CsvSection, SineSection, load_sine, whole_columns
from nncli.data.source import DataSection
from nncli.errors import DataError, UsageError
from nncli.lazy import np


def open_series(
    given: Sequence[str],
    section: DataSection,
    learned: Learned,
    standard_input: io.BufferedReader | io.BytesIO | None,
) -> Columns:
    """The series, in own units: its column first, then those that the model sees beside it.

    Args:
        given: a CSV file, or `-` for standard input; without any the run's own series.
        section: where that came from; another file is read in the same way.
        learned: what the run learned of it.
        standard_input: where `-` reads; None where it is closed.

    Raises:
        UsageError: several inputs, or one of another kind.
        DataError: no such series in it, or fewer values than the model sees.
    """
    if len(given) > 1:
        raise UsageError(
            f"{len(given)} inputs are named, but a forecast goes on from one series",
            hint="name one CSV file, or none for the run's own series",
        )
    for each in given:
        check_taken(each, form_of(each), "series")
    called = (NAME if given[0] == STANDARD_INPUT else given[0]) if given else ""
    if not given:
        found = _own(section)
        called = str(getattr(section, "path", learned.source))
    elif given[0] == STANDARD_INPUT:
        if standard_input is None:
            raise DataError(f"{NAME} is closed", hint="name a file")
        with Piped(standard_input).file() as path:
            found = _other(path, NAME, section, learned)
    else:
        path = Path(given[0]).expanduser()
        found = _other(path, str(path), section, learned)
    window, features = learned.input_shape
    if len(found.names) != features:
        raise DataError(
            f"{called}: the model sees {features} column(s), not {len(found.names)}",
            hint="give the columns that were trained on",
        )
    if len(found.values) < window:
        raise DataError(
            f"{called} has {len(found.values)} value(s), but the model sees {window} before the "
            "first that it predicts",
            hint="give a longer series",
        )
    return found


def _own(section: DataSection) -> Columns:
    """What the run was trained, chosen and measured on, as it is now."""
    if isinstance(section, CsvSection):
        return whole_columns(section)
    assert isinstance(section, SineSection)
    wave = np.sin(np.linspace(section.start, section.end, section.points))
    series = load_sine(section, 0).series
    assert series is not None
    return Columns((series.name,), wave[:, None], tuple(range(1, len(wave) + 1)), (), "")


def _other(path: Path, called: str, section: DataSection, learned: Learned) -> Columns:
    """The same columns of another file."""
    assert learned.series is not None
    if isinstance(section, CsvSection):
        like = section.model_copy(update={"path": path})
    else:
        like = CsvSection(path=path, window=learned.input_shape[0])
    try:
        if like.column is None and learned.series.name in read_csv(path, like.separator).header:
            like = like.model_copy(update={"column": learned.series.name})
        return whole_columns(like)
    except DataError as error:
        raise DataError(
            error.message.replace(str(path), called), hint=f"this run takes {TAKES['series']}"
        ) from error
