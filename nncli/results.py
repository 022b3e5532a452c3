"""What training and measuring give back, and what a run folder holds: frozen plain records.

Nothing here knows Keras, matplotlib or the terminal, so a picture, a table and a later
command can all be made from the same stored numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nncli.lazy import NDArray, np

Task = Literal["classification", "forecast"]
RunStatus = Literal["finished", "interrupted", "failed", "running", "cut off", "damaged"]
"""How a run is going: `cut off` where run.json says `running` and no process is at it, `damaged`
where its files cannot be read."""
CheckStatus = Literal["ok", "warning", "problem", "skipped"]
REPORT = "report.html"
"""The page of a run in its folder."""
TENSORBOARD = "tensorboard"
"""The folder of a run that TensorBoard reads, where it was asked for."""
CHECKPOINTS = "checkpoints"
"""The folder in it with the state of its training: files `*.state`."""
EVALUATIONS = "evaluations"
"""The folder in it with a folder for each `nncli evaluate`."""
EXPORTS = "exports"
"""The folder in it with files for other programs."""
PRETRAINING = "pretrain"
"""The phase that learns another task than the run's, to begin with better weights."""
if TYPE_CHECKING:
    Array = NDArray[Any]
else:
    Array = Any  # for annotations alone, which nothing evaluates


@dataclass(frozen=True)
class EpochRecord:
    """One finished epoch of one phase."""

    phase: str
    """`train`; for transfer `pretrain`, `head` and `fine_tune`."""
    epoch: int
    """1-based; pretraining counts for itself, the phases of the run's own task go on counting."""
    metrics: Mapping[str, float]
    """By Keras's names: `loss`, `accuracy`, `val_loss`, `val_accuracy`, `mean_absolute_error`."""
    learning_rate: float
    """The optimizer's learning rate in this epoch."""
    seconds: float
    """Wall time of the epoch, validation included."""
    best: bool
    """True where the monitored metric was the best of the task so far."""


def own_epochs(history: tuple[EpochRecord, ...]) -> tuple[EpochRecord, ...]:
    """The epochs of the run's own task: pretraining learned another one on other samples."""
    own = tuple(record for record in history if record.phase != PRETRAINING)
    return own or history  # stopped while still pretraining


@dataclass(frozen=True)
class LayerRow:
    """One layer as tables and diagrams show it."""

    name: str
    """The layer's own name, `conv2d`."""
    type: str
    """The Keras class, `Conv2D`; for a nested model its own name, `VGG16`."""
    settings: str
    """What matters in words: `32 filters 3×3 · relu`."""
    output_shape: tuple[int | None, ...]
    """Without the batch dimension; None where a size is not fixed."""
    parameters: int
    """All numbers of the layer, nested ones included."""
    trainable_parameters: int
    """Those of them that training changes."""
    family: str
    """For its colour: input, augmentation, convolution, pooling, reshape, dense, recurrent,
    dropout, normalization, base (a nested model) or other."""
    frozen: bool
    """True where the layer has parameters and none of them is trained."""
    layers_inside: int = 0
    """How many layers a nested model holds."""
    inputs: tuple[str, ...] = ()
    """The names of the rows that feed this one, once for each tensor; empty for an input."""
    inside: tuple[LayerRow, ...] = ()
    """The layers of a nested model, with the rows of theirs that feed each."""
    calls: int = 1
    """How often the model uses the layer; more than once where it is shared."""


def linked(rows: Sequence[LayerRow]) -> tuple[LayerRow, ...]:
    """`rows` with what feeds each; where none says it, the row before it does."""
    if any(row.inputs for row in rows):
        return tuple(rows)
    before = [(), *((row.name,) for row in rows)]
    return tuple(replace(row, inputs=before[place]) for place, row in enumerate(rows))


@dataclass(frozen=True)
class Predictions:
    """What a classifier said of the test part."""

    truth: NDArray[np.int64]
    """(samples,) true class of each test sample."""
    probabilities: NDArray[np.float32]
    """(samples, classes) softmax output."""
    classes: tuple[str, ...]
    """Class names, by index."""
    shown: NDArray[np.int64]
    """Indices of the samples whose inputs are kept for the picture: up to 8 wrong ones, the
    most confident first, then up to 8 right ones, the least confident first."""
    inputs: Array
    """(len(shown), height, width, channels) uint8 pictures, or (len(shown), steps, features)
    sequences."""

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(samples,) the class with the highest probability."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)


@dataclass(frozen=True)
class Forecast:
    """What a forecaster said of the test part, in the series' own units."""

    seen: NDArray[np.float64]
    """(window,) the last values before the test part."""
    truth: NDArray[np.float64]
    """(steps,) the test part."""
    one_step: NDArray[np.float64]
    """(steps,) each value predicted from the true values before it."""
    free_running: NDArray[np.float64]
    """(at most steps,) the first values predicted from `seen` and its own predictions alone; empty
    where the model sees more than the series."""
    persistence: NDArray[np.float64]
    """(steps,) the value before each: what repeating the last value says."""
    name: str
    """What the numbers are, `Sunspots` or `sin(t)`."""
    labels: tuple[str, ...] = ()
    """(steps,) dates or positions of the test part, where the source has them."""


@dataclass(frozen=True)
class Unreadable:
    """A sample, or a file of them, that nothing can be answered to."""

    name: str
    """What it is called: `cat.png`, `digits.csv:17`."""
    reason: str
    """What is wrong with it, in a few words."""

    @property
    def sentence(self) -> str:
        """Both, to be read as one."""
        verb = self.reason.partition(" ")[0] in {"is", "has", "holds", "cannot", "does", "begins"}
        return f"{self.name}{'' if verb else ':'} {self.reason}"


@dataclass(frozen=True)
class Answers:
    """What a classifier says of some samples of no known class."""

    names: tuple[str, ...]
    """(samples,) what each is called."""
    probabilities: NDArray[np.float32]
    """(samples, classes) softmax output."""
    x: Array
    """(samples, …) what was asked about: pixels in 0..255, or scaled sequences."""
    unreadable: tuple[Unreadable, ...] = ()
    """Samples that stood among them and cannot be read."""


@dataclass(frozen=True)
class ShownAnswers:
    """Some answers with their samples, for a picture."""

    names: tuple[str, ...]
    """(shown,) what each is called."""
    probabilities: NDArray[np.float32]
    """(shown, classes)"""
    inputs: Array
    """(shown, height, width, channels) uint8 pictures, or (shown, steps, features) sequences with
    NaN after the end of shorter ones."""
    classes: tuple[str, ...]
    """Class names, by index."""
    total: int
    """Of how many answers these are; of more than are shown the least sure ones."""


@dataclass(frozen=True)
class Outlook:
    """What a forecaster says of the time after its series, in the series' own units."""

    name: str
    """What the numbers are, `Passengers`."""
    observed: NDArray[np.float64]
    """(values,) the series, its last values at least."""
    window: int
    """How many of them, the last ones, the model saw."""
    ahead: NDArray[np.float64]
    """(steps,) what comes next: each value from those before it, which after the first are in part
    the model's own."""
    dates: tuple[str, ...]
    """(values,) of what was observed, where the source has them; else ()."""
    labels: tuple[str, ...]
    """(steps,) the dates gone on with, where they are regular; else `+1`, `+2`, …"""
    errors: NDArray[np.float64]
    """(at most steps,) how far off the model was so many steps ahead on the test part, the mean of
    absolute errors; of fewer steps where it has no truth for more."""


@dataclass(frozen=True)
class Baseline:
    """The same network, trained another way on the same samples, for comparison."""

    name: str
    """`scratch` (all weights random, all trained) or `random` (random base, frozen)."""
    meaning: str
    """In words, for the summary."""
    metrics: Mapping[str, float]
    """Its figures on the same test part."""
    epochs: int
    """How long it was trained."""
    seconds: float
    """How long that took."""
    failed: str = ""
    """Why there are no figures; empty where there are."""


@dataclass(frozen=True)
class Result:
    """A finished training."""

    kind: str
    task: Task
    monitor: str
    """The metric that chose the best epoch, `val_loss`."""
    history: tuple[EpochRecord, ...]
    best_epoch: int
    """Counted as in the history; the model holds this epoch's weights."""
    stopped: str
    """Why it ended: `finished`, `early stopping`, `interrupted` or `diverged`."""
    test: Mapping[str, Any]
    """The figures on the test part: what goes into metrics.json under `test`."""
    layers: tuple[LayerRow, ...]
    predictions: Predictions | None = None
    forecast: Forecast | None = None
    baselines: tuple[Baseline, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall time by part: `train`, `test`, `baseline scratch`, …"""
    broken_step: int | None = None
    """Where it diverged: the first step of the last epoch with a loss that is not a finite number,
    counted from 1; None where the validation alone shows it."""
    broken_layer: str = ""
    """The first layer that had or gave such a number; empty where that is not known."""
    exit_code: int = 0
    """Of the signal that interrupted it; otherwise 0."""


@dataclass(frozen=True)
class PhaseEstimate:
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
    saving: float = 0.0
    """Seconds of its checkpoints."""

    @property
    def seconds(self) -> float:
        """Of the whole phase: features + setup + epochs · (steps · step + validation) + saving."""
        epoch = self.steps * self.step + self.validation
        return self.features + self.setup + self.epochs * epoch + self.saving


@dataclass(frozen=True)
class RunEstimate:
    """What a run will take of the time, the memory and the disk, and what the machine has."""

    before: Mapping[str, float]
    """Seconds by part before the training, see `nncli.profile.PARTS`: as this process took them."""
    phases: tuple[PhaseEstimate, ...]
    after: Mapping[str, float]
    """Seconds by part after it: `test`, `baselines` (building and measuring them), `save`,
    `draw`."""
    memory: int | None
    """Bytes of the process at its peak; None where the system does not say."""
    memory_free: int | None
    """Bytes that it may take; None where the system does not say."""
    disk: int
    """Bytes of the run folder at its fullest."""
    disk_free: int | None
    """Bytes that are free where it will be; None where the file system does not say."""
    early: bool
    """Whether early stopping may end it sooner."""
    warnings: tuple[str, ...] = ()
    """What may not do, and what helps."""

    @property
    def seconds(self) -> float:
        """From the start of the command to its end."""
        trained = sum(phase.seconds for phase in self.phases)
        return sum(self.before.values()) + trained + sum(self.after.values())


@dataclass(frozen=True)
class ShippedConfig:
    """A config that travels with nncli."""

    name: str
    kind: str
    """What it trains."""
    data: str
    """The data source."""
    summary: str
    """What it is for, in one sentence."""
    needs_network: bool
    """Whether its first use downloads."""


@dataclass(frozen=True)
class SourceRow:
    """A data source, as lists show it."""

    name: str
    kinds: tuple[str, ...]
    """The kinds of model that can learn from it."""
    summary: str
    """What it is, in one sentence."""
    needs_path: bool
    """Whether it reads a file or folder that has to be named."""
    needs_network: bool
    """Whether its first use downloads."""


@dataclass(frozen=True)
class DataFinding:
    """Something about the samples that their user should know before training on them."""

    level: Literal["error", "warning"]
    """An error ends a training before it begins."""
    code: str
    """What it is about, in a word for programs: `leak`, `imbalance`."""
    message: str
    """What was found, in one sentence."""
    hint: str = ""
    """What to do about it."""
    places: tuple[str, ...] = ()
    """All files, samples, classes or features that it is about."""


@dataclass(frozen=True)
class Check:
    """Something that nncli, or a GPU for it, needs, and how it is here."""

    name: str
    """A word, for programs too: `tensorflow`, `gpu`."""
    status: CheckStatus
    """A problem keeps nncli from working; `skipped` is what could not be looked at."""
    finding: str
    """What was found, in one sentence."""
    hint: str = ""
    """What to do about it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The same in plain values, for programs."""


@dataclass(frozen=True)
class Copy:
    """A sample that was left out, being equal to another one."""

    place: str
    """Its file or number."""
    of: str
    """Those of the sample that stays."""
    across: bool
    """Whether they came in two parts, one of them to be measured on."""
    relabelled: bool
    """Whether they stand under two classes."""


@dataclass(frozen=True)
class PartFacts:
    """One part of the samples: how many there are, and the range of their numbers."""

    name: str
    """`train`, `validation` or `test`."""
    samples: int
    shape: tuple[int, ...]
    """Of one sample."""
    dtype: str
    """The type of its numbers as they are kept."""
    bytes: int
    """What all of them take as the float32 numbers that a model gets."""
    minimum: float
    maximum: float
    mean: float
    deviation: float
    """The four over all numbers, without the steps that fill up shorter sequences."""
    classes: Mapping[str, int] = field(default_factory=dict)
    """Samples of each class; empty for a forecast."""
    steps: tuple[int, int, int] | None = None
    """The shortest, the median and the longest sequence, where their lengths differ."""


@dataclass(frozen=True)
class DataReport:
    """What will be trained on, and what is wrong with it."""

    source: str
    """As `data.source` names it."""
    path: str | None
    """The file or folder, where it has one."""
    kind: str
    """What it is checked for: rnn, lstm, cnn or transfer."""
    family: str = ""
    """What a sample is: series, sequences or images; empty where nothing could be read."""
    task: Task | None = None
    input_shape: tuple[int, ...] = ()
    """Of one sample."""
    numbers: str = ""
    """What the numbers are: `pixels`, `deviations from the training part's mean`."""
    classes: tuple[str, ...] = ()
    """Class names, by index; empty for a forecast."""
    parts: tuple[PartFacts, ...] = ()
    fingerprint: str = ""
    """Changes when a byte of the samples does."""
    notes: tuple[str, ...] = ()
    """What the user should know about how they were read."""
    findings: tuple[DataFinding, ...] = ()
    passed: tuple[str, ...] = ()
    """What was looked for and is in order, a sentence each."""

    @property
    def errors(self) -> int:
        """How many findings would stop a training."""
        return sum(finding.level == "error" for finding in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings would not."""
        return len(self.findings) - self.errors

    @property
    def samples(self) -> int:
        """All parts together."""
        return sum(part.samples for part in self.parts)

    @property
    def class_counts(self) -> dict[str, int]:
        """Samples of each class, all parts together."""
        return {name: sum(part.classes[name] for part in self.parts) for name in self.classes}


@dataclass(frozen=True)
class ShownSamples:
    """Some samples of the training part, for a picture."""

    source: str
    classes: tuple[str, ...]
    """The classes that are shown."""
    labels: NDArray[np.int64]
    """(shown,) index into `classes`; in their order."""
    inputs: Array
    """(shown, height, width, channels) uint8 pictures, or (shown, steps, features) sequences with
    NaN after the end of shorter ones."""
    counts: Mapping[str, int]
    """Samples of every class, all parts together, shown or not."""
    shape: tuple[int, ...]
    """Of one sample as a model gets it; large pictures are smaller here, and of many features the
    first are."""


@dataclass(frozen=True)
class ShownSeries:
    """A whole series, for a picture."""

    source: str
    name: str
    """What the numbers are, `Sunspots` or `sin(t)`."""
    values: NDArray[np.float64]
    """(steps,) in the series' own units."""
    parts: Mapping[str, tuple[int, int]]
    """Where each part begins and ends among the values, by name."""
    window: int
    """How many values a model sees before the one that it predicts; 0 where each part is a series
    of its own."""
    labels: tuple[str, ...] = ()
    """Dates of the test part, where the source has them."""


@dataclass(frozen=True)
class Advice:
    """One finding about a run, and what to do about it."""

    code: str
    """For programs: `overfitting`, `diverged`."""
    text: str
    """What was found and what helps."""
    source: str
    """Where the rule is from."""


@dataclass(frozen=True)
class SavedFigure:
    """A figure that was drawn and written."""

    name: str
    path: Path
    finding: str
    """What it shows, in one sentence."""
    meaning: str
    """What it is good for, in a few words."""


@dataclass(frozen=True)
class FailedFigure:
    """A figure that could not be drawn or written."""

    name: str
    reason: str


@dataclass(frozen=True)
class StoredRun:
    """A run folder read back: all that a picture or a table needs, and nothing of Keras."""

    name: str
    """The folder's name, `cnn-digits-001`."""
    kind: str
    task: Task
    config: Mapping[str, Any]
    """The resolved config."""
    run: Mapping[str, Any]
    """run.json: command, versions, seed, device, times, data, status."""
    data: Mapping[str, Any]
    """data.json: what was learned of the training part, to prepare other samples alike."""
    metrics: Mapping[str, Any]
    """metrics.json."""
    history: tuple[EpochRecord, ...]
    layers: tuple[LayerRow, ...]
    predictions: Predictions | None = None
    forecast: Forecast | None = None

    @property
    def task_history(self) -> tuple[EpochRecord, ...]:
        """The epochs of the run's own task."""
        return own_epochs(self.history)


@dataclass(frozen=True)
class Evaluation:
    """A trained model, measured on samples that it has not learned from."""

    run: str
    """The folder's name, `cnn-digits-001`."""
    kind: str
    task: Task
    data: str
    """The source of the samples, `digits`."""
    own: bool
    """Whether they are the run's own test part."""
    figures: Mapping[str, Any]
    """Those of metrics.json under `test`, and more."""
    changed: tuple[str, ...]
    """The figures of the run's own test part that are not what metrics.json says, each with both
    values; empty where all are the same to the last digit, and for other samples."""
    notes: tuple[str, ...]
    """What the user should know about the samples."""
    record: Mapping[str, Any]
    """Where the samples are from, versions, device, times."""
    predictions: Predictions | None = None
    forecast: Forecast | None = None


def section(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """What stands under a key, if it is what it should be: the file may be from anywhere."""
    found = tree.get(key)
    return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True)
class RunRow:
    """A run as lists show it."""

    folder: Path
    name: str
    """The folder's name, `cnn-digits-001`."""
    kind: str
    status: RunStatus
    data: str = ""
    """The data source; empty where it is not known, as all that follows."""
    started: str = ""
    """ISO 8601."""
    epochs: int | None = None
    """Finished ones; of a run that is not over those up to the newest checkpoint."""
    best_epoch: int | None = None
    metric: str = ""
    """What chose the best epoch, `val_loss`."""
    value: float | None = None
    """Its value in that epoch."""
    test_metric: str = ""
    """`accuracy` or `mean_absolute_error`."""
    test_value: float | None = None
    seconds: float | None = None
    """What training took."""
    can_go_on: bool = False
    """Whether it was cut off or interrupted, and `train --resume` has a state to go on from."""
    problem: str = ""
    """What is damaged, or why it failed."""


@dataclass(frozen=True)
class RunDetails:
    """A run and what is known of it without its arrays."""

    row: RunRow
    record: Mapping[str, Any]
    """run.json."""
    metrics: Mapping[str, Any]
    """metrics.json; empty where there is none yet."""
    files: Mapping[str, int]
    """Bytes of each file in the folder, those in folders of it as `checkpoints/`."""
    evaluations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """evaluation.json of each `nncli evaluate` that was kept, by its folder's name, the first
    one first; damaged ones are left out."""


@dataclass(frozen=True)
class RunDifference:
    """Two runs side by side; each pair holds the value of the one and of the other."""

    one: RunDetails
    other: RunDetails
    settings: Mapping[str, tuple[Any, Any]]
    """By dotted key, where the configs differ; `ABSENT` where a config has no such key."""
    circumstances: Mapping[str, tuple[Any, Any]]
    """The same of samples, versions and device."""
    figures: Mapping[str, tuple[float | None, float | None]]
    """By name, `validation loss`, equal ones too; None where a run has no such figure."""


@dataclass(frozen=True)
class Exported:
    """A run's model in a file for other programs, and how it answered there."""

    run: str
    """The run's name."""
    format: str
    """By its name in the table of formats, `onnx`."""
    path: Path
    """The file, or the folder of a format that is one."""
    beside: tuple[Path, ...]
    """What was written with it: the description as JSON, the samples of a script."""
    size: int
    """Bytes of the file."""
    takes: str
    """What goes in, in words."""
    gives: str
    """What comes out, in words."""
    runtime: str
    """What it was loaded and asked in, with its version: `ONNX Runtime 1.22.0`."""
    samples: int
    """On how many samples its answers were compared with Keras's."""
    samples_of: str
    """Which those were: `of the test part`, or made up and why."""
    difference: float
    """The largest one: of a probability, or of a forecast in deviations of the training part."""
    tolerance: float
    """The largest one that was allowed."""
    notes: tuple[str, ...] = ()
    """What the user should know about it, one sentence each."""
