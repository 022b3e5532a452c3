"""The documents of `nncli predict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from typing_extensions import TypedDict

# a key that is a word of Python's own
_Classified = TypedDict("_Classified", {"class": str})


class Prediction(_Classified):
    """What a classifier says of one sample: its likeliest `class`, and all probabilities."""

    name: str
    """What the sample is called: `cat.png`, `digits.csv:17`, `x.npz[3]`."""
    probability: float
    """Of that class."""
    probabilities: Mapping[str, float]
    """Of every class, by its name."""


class UnreadableInput(TypedDict):
    """A sample, or a file of them, that nothing is answered to."""

    name: str
    reason: str


class Predict(TypedDict):
    """The classes of samples that nobody has labelled."""

    document: Literal["predict"]
    run: str
    """Its folder."""
    classes: Sequence[str]
    """All that there are, by index."""
    predictions: Sequence[Prediction]
    """In the order of the input."""
    unreadable: Sequence[UnreadableInput]
    """What could not be read; with any the exit code is 3."""
    files: Sequence[str]
    """The picture, where one was asked for."""


class SeenValue(TypedDict):
    """A value that the model saw."""

    date: str | None
    value: float


class ForecastStep(TypedDict):
    """A value that comes next."""

    step: int
    """How far ahead, from 1."""
    date: str | None
    """Null where the dates of the series are not regular, or there are none."""
    value: float
    """In the series' own units."""
    test_error: float | None
    """The mean absolute error of so many steps ahead on the test part; null where it has no truth
    for so many."""


class PredictSteps(TypedDict):
    """How a series goes on."""

    document: Literal["predict --steps"]
    run: str
    """Its folder."""
    series: str
    """What the numbers are, `Passengers`."""
    seen: Sequence[SeenValue]
    """The last values, which the model began with."""
    forecast: Sequence[ForecastStep]
    files: Sequence[str]
    """The picture, where one was asked for."""
