"""The documents of `nncli data`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from typing_extensions import TypedDict

from nncli.results import DataFinding, SourceRow, Task


class DataPart(TypedDict):
    """One part of the samples; null for a figure that is no finite number."""

    samples: int
    shape: Sequence[int]
    """Of one sample."""
    dtype: str
    """The type of its numbers as they are kept."""
    bytes: int
    """What all of them take as the float32 numbers that a model gets."""
    minimum: float | None
    maximum: float | None
    mean: float | None
    deviation: float | None
    classes: Mapping[str, int]
    """Samples of each class; empty for a forecast."""
    steps: Sequence[int] | None
    """The shortest, the median and the longest sequence, where their lengths differ."""


class Picture(TypedDict):
    """A picture of samples."""

    file: str
    shows: str
    """What it shows, in one sentence."""


class DataCheck(TypedDict):
    """What will be trained on, and what is wrong with it; null or empty where it was not read."""

    document: Literal["data check"]
    source: str
    """As `data.source` names it."""
    path: str | None
    """The file or folder, where it has one."""
    kind: str
    """What it is checked for: rnn, lstm, cnn or transfer."""
    family: str | None
    """What a sample is: series, sequences or images."""
    task: Task | None
    input_shape: Sequence[int]
    """Of one sample."""
    numbers: str | None
    """What the numbers are, `pixels`."""
    classes: Sequence[str]
    """By index; empty for a forecast."""
    parts: Mapping[str, DataPart]
    """`train`, `validation` and `test`."""
    fingerprint: str | None
    """Changes when a byte of the samples does."""
    notes: Sequence[str]
    """How they were read."""
    findings: Sequence[DataFinding]
    passed: Sequence[str]
    """What was looked for and is in order."""
    samples: int
    """All parts together."""
    warnings: int
    """How many findings are."""
    errors: int
    """How many findings would stop a training; then the exit code is 3."""
    picture: Picture | None
    failed_picture: str | None
    """Why there is none, where one was asked for."""


class DataList(TypedDict):
    """Where samples can come from."""

    document: Literal["data list"]
    sources: Sequence[SourceRow]
