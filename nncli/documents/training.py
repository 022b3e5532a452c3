"""The documents of what trains, and of what is made of a run afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from nncli.results import Advice, LayerRow, Task


class ClassFigures(TypedDict):
    """What a classifier reached on one class."""

    precision: float
    recall: float
    f1: float
    samples: int


class ClassifierFigures(TypedDict):
    """What a classifier reached on all classes."""

    samples: int
    loss: float
    accuracy: float
    """The share that it got right, 0 to 1."""
    accuracy_interval_95: Sequence[float]
    """Wilson's interval: its lower and its upper end."""
    balanced_accuracy: float
    """The mean of the recalls of all classes."""
    confusion: Sequence[Sequence[int]]
    """How many samples of each class, a row, were taken for each, a column."""


class ClassifierTest(ClassifierFigures):
    """What a classifier reached on the test part."""

    classes: Mapping[str, ClassFigures]
    """By the class's name."""


class ForecastTest(TypedDict):
    """What a forecaster reached on the test part, in the series' own units."""

    samples: int
    mean_absolute_error: float | None
    root_mean_squared_error: float | None
    persistence_mean_absolute_error: float
    """What repeating the last value reaches."""
    free_running_mean_absolute_error: float | None
    """Of forecasts from its own forecasts; null where the model sees more than the series."""
    free_running_steps: int
    """How many these were."""
    unit: str
    """What the numbers are, `Sunspots` or `sin(t)`."""


class Comparison(TypedDict):
    """The same network, trained another way on the same samples."""

    name: str
    """`scratch` (all weights random, all trained) or `random` (a random base, frozen)."""
    meaning: str
    """In words."""
    epochs: int
    metrics: Mapping[str, float | None]
    """Its figures on the same test part; none where it failed."""
    failed: str
    """Why there are no figures; empty where there are."""


class Divergence(TypedDict):
    """Where a loss stopped being a finite number."""

    epoch: int
    step: int | None
    """The first such step of that epoch; null where the validation alone shows it."""
    layer: str | None
    """The first layer that had or gave such a number; null where that is not known."""


class Metrics(TypedDict):
    """metrics.json: what a run reached."""

    kind: str
    """rnn, lstm, cnn or transfer."""
    task: Task
    monitor: str
    """What chose the best epoch, `val_loss`."""
    epochs: int
    """How many were trained, without those of pretraining."""
    best_epoch: int
    """Whose weights are kept, counted from 1; 0 for none."""
    stopped: str
    """Why the training ended: `finished`, `early stopping`, `interrupted` or `diverged`."""
    diverged: Divergence | None
    parameters: int
    trainable_parameters: int
    train: Mapping[str, float | None]
    """The figures of the best epoch on the training part, by Keras's names."""
    validation: Mapping[str, float | None]
    """The same on the validation part; empty without one."""
    test: ClassifierTest | ForecastTest
    baselines: Sequence[Comparison]


class Required(TypedDict):
    """What became of a `--require`."""

    text: str
    """`test.accuracy >= 0.97`."""
    value: float | None
    """What the run reached; null where it has no such figure."""
    limit: float | None
    """What it was held against; null where that is a figure that the run does not have."""
    met: bool


class Train(TypedDict):
    """A training that ended by itself."""

    document: Literal["train"]
    run: str
    """Its folder."""
    metrics: Metrics
    advice: Sequence[Advice]
    """What the numbers say, two findings at most."""
    figures: Sequence[str]
    """The pictures' names in the folder."""
    report: str | None
    """The name of its page there; null where there is none."""
    failed_figures: Mapping[str, str]
    """Why a picture could not be drawn, by its name."""
    requirements: Sequence[Required]
    seconds: Mapping[str, float]
    """What training, measuring and each comparison took."""
    profile: Mapping[str, float]
    """Where the time went, from the start of the process, by part."""


class TrainDryRun(TypedDict):
    """What would be trained."""

    document: Literal["train --dry-run"]
    config: Mapping[str, Any]
    """Complete; `nncli config schema KIND` prints its schema."""
    layers: Sequence[LayerRow]


class EstimatedPhase(TypedDict):
    """What a phase of a training will take, told from a little of it."""

    name: str
    """`train`, `pretrain`, `head`, `fine_tune`; of a network to compare with its own."""
    samples: int
    """That it trains on."""
    epochs: int
    """At most so many: early stopping may end it sooner."""
    steps: int
    """Of each epoch."""
    features: float
    """Seconds that frozen layers take over all samples, once; 0 where there are none."""
    setup: float
    """Seconds until its first step is compiled and done, beyond what a step takes."""
    step: float
    """Seconds of each step, with its share of what an epoch takes besides."""
    validation: float
    """Seconds of the validation part, after each epoch."""
    saving: float
    """Seconds of its checkpoints."""
    seconds: float
    """Of the whole phase."""


class Needed(TypedDict):
    """What a run will take, and what there is."""

    bytes: int | None
    """null where the system does not say."""
    free: int | None
    """null where the system does not say."""


class TrainEstimate(TypedDict):
    """What a training will take."""

    document: Literal["train --estimate"]
    seconds: float
    """From the start of the command to its end."""
    at_most: bool
    """Whether early stopping may end it sooner."""
    before: Mapping[str, float]
    """Seconds by part before the training."""
    phases: Sequence[EstimatedPhase]
    after: Mapping[str, float]
    """Seconds by part after it."""
    memory: Needed
    """Of the process at its peak."""
    disk: Needed
    """Of the run folder at its fullest."""
    warnings: Sequence[str]
    """What may not do, and what helps."""


class TrainInterrupted(TypedDict):
    """A training that a signal ended, after an epoch or before its pictures."""

    document: Literal["train interrupted"]
    run: str
    """Its folder."""
    stopped: Literal["interrupted"]
    epochs: int
    """How many are finished."""
    best_epoch: int
    """Counted from 1; 0 for none."""
    resume: str | None
    """The command that goes on with it; null where nothing was kept for that, or is left to do."""


class TrainFinished(TypedDict):
    """`train --resume` of a run in which nothing is left to train."""

    document: Literal["train finished"]
    run: str
    """Its folder."""
    stopped: Literal["finished"]
    resume: None
    requirements: Sequence[Required]


class Verify(TypedDict):
    """Whether a run repeats to the last bit."""

    document: Literal["verify"]
    run: str
    """Its folder."""
    same: bool
    difference: str | None
    """The first one; null for none."""
    changed: Sequence[str]
    """What the run was made with that is other now."""


class Drawn(TypedDict):
    """A picture that was drawn."""

    name: str
    """`curves`."""
    file: str
    finding: str
    """What it shows, in one sentence."""


class Plot(TypedDict):
    """Pictures of runs, drawn again."""

    document: Literal["plot"]
    figures: Sequence[Drawn]
    failed_figures: Mapping[str, str]
    """Why a picture could not be drawn, by its name."""


class Report(TypedDict):
    """The page of a run."""

    document: Literal["report"]
    report: str
    """The page."""
    finding: str
    """Its title."""
    runs: Sequence[str]
    """The folders of the runs that are on it."""
    failed_figures: Mapping[str, str]
    """Why a picture on it could not be drawn, by its name."""
