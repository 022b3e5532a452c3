"""The documents of `nncli runs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from nncli.results import RunStatus


class Best(TypedDict):
    """The figure that chose the best epoch."""

    metric: str
    """`val_loss`."""
    value: float
    epoch: int | None


class Tested(TypedDict):
    """The main figure on the test part."""

    metric: str
    """`accuracy` or `mean_absolute_error`."""
    value: float


class Run(TypedDict):
    """A run as a row; null for what is not known."""

    run: str
    """Its folder."""
    name: str
    """The folder's name, `cnn-digits-001`."""
    kind: str
    data: str | None
    """The data source."""
    status: RunStatus
    """`cut off` where its process is gone before its end, `damaged` where it cannot be read."""
    started: str | None
    """ISO 8601."""
    epochs: int | None
    """Finished ones; of a run that is not over those up to the newest checkpoint."""
    best: Best | None
    test: Tested | None
    seconds: float | None
    """What training took."""
    can_go_on: bool
    """Whether `train --resume` has a state to go on from."""
    problem: str | None
    """What is damaged, or why it failed."""


class RunsList(TypedDict):
    """The runs in a folder."""

    document: Literal["runs list"]
    runs: Sequence[Run]
    matching: int
    """How many are of that kind and status, shown or not."""
    total: int
    """How many there are."""


class RunsShow(Run):
    """One run in detail."""

    document: Literal["runs show"]
    record: Mapping[str, Any]
    """run.json as it is."""
    metrics: Mapping[str, Any] | None
    """metrics.json as it is, see `Metrics`; null where there is none yet."""
    files: Mapping[str, int]
    """Bytes of each file in the folder, those in folders of it as `checkpoints/`."""
    evaluations: Mapping[str, Mapping[str, Any]]
    """evaluation.json of each `nncli evaluate` as it is, by its folder's name."""
    commands: Mapping[str, str]
    """What can be done with it, by what that is good for."""


class Differing(TypedDict):
    """A value that two runs do not share; only the side that has one is there."""

    key: str
    """Dotted, `training.epochs`."""
    a: NotRequired[Any]
    b: NotRequired[Any]


class TwoFigures(TypedDict):
    """A figure of two runs; null where a run has none."""

    key: str
    """In words, `validation loss`."""
    a: float | None
    b: float | None


class RunsDiff(TypedDict):
    """Two runs side by side."""

    document: Literal["runs diff"]
    a: Run
    b: Run
    settings: Sequence[Differing]
    """Where the configs differ."""
    circumstances: Sequence[Differing]
    """Where samples, versions or devices do."""
    figures: Sequence[TwoFigures]


class DeletedRun(TypedDict):
    """A run folder that is no more."""

    run: str
    bytes: int


class RunsDelete(TypedDict):
    """Runs that were deleted; none where whoever was asked said no."""

    document: Literal["runs delete"]
    deleted: Sequence[DeletedRun]
