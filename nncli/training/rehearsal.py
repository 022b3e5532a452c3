"""How long a training will take, from a little of it: each phase begins as it will, and is ended.

What is timed is the training itself, not a model of it: the same graph on the same samples, with
Keras's loop around it, validation, the first checkpoint, the test part, the networks to compare
with. A phase goes on until it has taken `SECONDS` warm, so of small samples whole epochs are timed,
and of large ones as few as one step after the one that compiles.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nncli import profile
from nncli.config import TrainingSection
from nncli.config.sections import Checkpoints
from nncli.data.dataset import Dataset
from nncli.data.samples import Samples
from nncli.errors import Interrupted
from nncli.listener import Listener, PhaseStart
from nncli.models.describe import describe
from nncli.models.kind import Extractor, Phase, Plan
from nncli.results import PRETRAINING, Baseline, EpochRecord, PhaseEstimate, Result
from nncli.training.checkpoint import SHARE, Keeper
from nncli.training.features import features_from_a_few
from nncli.training.inference import predict
from nncli.training.loop import Progress, Start, monitor_of, run_phase, targets
from nncli.training.measure import measured
from nncli.training.order import fixed_batches, large_batch, steps_of

SECONDS = 1.5
"""Of each phase, after its first step: what is timed."""


@dataclass(frozen=True)
class Rehearsal:
    """What a training of a few seconds tells of the whole one."""

    phases: tuple[PhaseEstimate, ...]
    """Those of the networks to compare with at the end."""
    test: float
    """Seconds that measuring on the test part takes."""
    baselines: float
    """Seconds that building and measuring the networks to compare with takes."""
    result: Result
    """Of the epochs that were trained and of some of the test part: to see what saving and drawing
    take. Its figures mean nothing."""


def rehearse(
    kind: str,
    plan: Plan,
    dataset: Dataset,
    training: TrainingSection,
    seed: int,
    listener: Listener,
    cache: Path | None,
    keeper: Keeper | None,
) -> Rehearsal:
    """Begin each phase of a training, measure on the test part, and say what all of it takes.

    Args:
        kind: for the record.
        plan: from the kind's `plan`; its models are changed.
        dataset: the samples as they were loaded.
        training: batch size, optimizer, checkpoints.
        seed: of the order of the samples.
        listener: hears what is being timed.
        cache: the folder with the features of frozen bases, or None; nothing is added to it.
        keeper: writes one checkpoint of each phase; None where the run will write none.

    Raises:
        TrainingError: a loss that is not a number from the start, or no memory.
        Interrupted: by a signal.
    """
    phases, history = _phases(plan, training, seed, listener, cache, keeper)
    listener.status("timing the test part")
    test, figures = _on_test_part(plan, dataset)
    compared, baselines = 0.0, []
    for baseline in plan.baselines:
        listener.status("building a model for comparison")
        began = time.monotonic()
        other = baseline.make()
        compared += time.monotonic() - began
        more, _ = _phases(other, training, seed, listener, cache, None)
        seconds, (reached, _, _) = _on_test_part(other, dataset)
        compared += seconds
        phases += more
        kept = {name: reached[name] for name in ("loss", "accuracy")}
        baselines.append(Baseline(baseline.name, baseline.meaning, kept, epochs=1, seconds=1.0))
    own = [record for record in history if record.phase != PRETRAINING]
    result = Result(
        kind=kind,
        task=plan.dataset.task,
        monitor=monitor_of(training.monitor, plan.dataset),
        history=tuple(history),
        best_epoch=own[-1].epoch,
        stopped="finished",
        test=figures[0],
        layers=describe(plan.model),
        predictions=figures[1],
        forecast=figures[2],
        baselines=tuple(baselines),
        seconds={"train": sum(phase.seconds for phase in phases), "test": test},
    )
    return Rehearsal(tuple(phases), test, compared, result)


def _phases(
    plan: Plan,
    training: TrainingSection,
    seed: int,
    listener: Listener,
    cache: Path | None,
    keeper: Keeper | None,
) -> tuple[list[PhaseEstimate], list[EpochRecord]]:
    """All phases of a plan, and their finished epochs: at least one of each."""
    found: list[PhaseEstimate] = []
    history: list[EpochRecord] = []
    known: dict[Extractor, Dataset] = {}
    if keeper is not None:
        keeper.begin([plan.model, *(phase.model for phase in plan.phases)])
    for number, phase in enumerate(plan.phases):
        listener.status(f"timing phase {phase.name}")
        first = sum(each.phase != PRETRAINING for each in history) + 1
        estimate, records = _phase(
            phase, plan.loss, training, seed, listener, cache, first, tuple(history), known
        )
        history += records
        if keeper is not None:
            listener.status("timing a checkpoint")
            fixed, each = _checkpoint(keeper, number, phase.model, history)
            writes = _writes(training.checkpoints, phase.epochs, estimate.seconds, each)
            estimate = replace(estimate, saving=fixed + writes * each)
        found.append(estimate)
    return found, history


class _Enough(Exception):  # noqa: N818 - nothing went wrong
    """What a phase takes is known."""


class _Stopwatch(Listener):
    """Times the steps and the epochs of a phase, and ends it when that is enough."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.began = time.monotonic()
        self.records: list[EpochRecord] = []
        self.ends: list[float] = []
        """When each epoch ended."""
        self.validated: list[float] = []
        """Seconds that validation had taken by then."""
        self.steps, self.stepping = 0, 0.0
        """Steps that were timed, all but the first ones, and their seconds together."""
        self.warm_since: float | None = None
        """When the first step was done."""
        self._last: tuple[int, float] | None = None

    def status(self, text: str, *, takes_long: bool = False) -> None:  # noqa: ARG002
        """Pass it on, but into no log."""
        self.listener.status(text)

    def note(self, text: str) -> None:
        """Pass it on."""
        self.listener.note(text)

    def step(self, step: int) -> None:
        """Time those between this one and the one that was heard of before."""
        now = time.monotonic()
        if self._last is not None and step > self._last[0]:
            if self.warm_since is None:
                self.warm_since = now
            else:
                self.steps += step - self._last[0]
                self.stepping += now - self._last[1]
        self._last = (step, now)
        self._end_if_enough(now)

    def epoch(self, record: EpochRecord, number: int) -> None:  # noqa: ARG002
        """Time it."""
        now = time.monotonic()
        self.warm_since = self.warm_since or now
        self.records.append(record)
        self.ends.append(now)
        self.validated.append(profile.spent().get("validate", 0.0))
        self._last = None
        self._end_if_enough(now)

    def phase(self, start: PhaseStart) -> None:
        """Nothing that was not known."""

    def _end_if_enough(self, now: float) -> None:
        if self.warm_since is None or now - self.warm_since < SECONDS:
            return
        if self.steps or len(self.ends) > 1:
            raise _Enough


def _phase(
    phase: Phase,
    loss: str,
    training: TrainingSection,
    seed: int,
    listener: Listener,
    cache: Path | None,
    first_epoch: int,
    before: tuple[EpochRecord, ...],
    known: dict[Extractor, Dataset],
) -> tuple[PhaseEstimate, list[EpochRecord]]:
    """What a phase takes without its checkpoints, and the epochs that were finished."""
    extracting = 0.0
    if phase.extractor is not None:
        phase.prepare()
        with profile.part("features"):
            dataset, extracting = features_from_a_few(
                phase.dataset, phase.extractor, listener, cache, SECONDS, known
            )
        phase = replace(phase, dataset=dataset, extractor=None)
    dataset = phase.dataset
    watch = _Stopwatch(listener)
    start = Start(first_epoch=first_epoch, before=before)
    try:
        progress = run_phase(phase, loss, training, seed, watch, start)
    except _Enough:
        progress = Progress()
    if progress.stopped == "interrupted":
        raise Interrupted(progress.exit_code - 128)
    ended = time.monotonic()
    if isinstance(dataset.train.x, Samples):
        gc.collect()  # the threads that read for it
    steps = steps_of(dataset.train, training.batch_size)
    estimate = PhaseEstimate(
        name=phase.name,
        samples=len(dataset.train),
        epochs=phase.epochs,
        steps=steps,
        features=extracting,
        setup=0.0,
        step=0.0,
        validation=0.0,
    )
    if len(watch.ends) > 1:  # whole epochs tell most
        epochs = len(watch.ends) - 1
        epoch = (watch.ends[-1] - watch.ends[0]) / epochs
        validation = (watch.validated[-1] - watch.validated[0]) / epochs
        return (
            replace(
                estimate,
                setup=max(0.0, watch.ends[0] - watch.began - epoch),
                step=(epoch - validation) / steps,
                validation=validation,
            ),
            watch.records,
        )
    step = watch.stepping / watch.steps if watch.steps else 0.0
    if watch.ends and phase.epochs == 1:  # that was all of it
        return replace(
            estimate, setup=max(0.0, ended - watch.began - steps * step), step=step
        ), watch.records
    first, validation, figures = _validate(phase.model, dataset, loss)
    assert watch.warm_since is not None
    compiling = max(0.0, watch.warm_since - watch.began - step)
    record = EpochRecord(phase.name, first_epoch, figures, phase.learning_rate, step, best=True)
    return (
        replace(estimate, setup=compiling + first, step=step, validation=validation),
        watch.records or [record],
    )


def _validate(model: Any, dataset: Dataset, loss: str) -> tuple[float, float, dict[str, float]]:
    """A phase that is cut off within its first epoch has not come to the validation.

    Returns:
        Seconds that the first batch takes more than another one; those of the whole part; and
        figures as an epoch has them. Without a validation part 0, 0, and those of the training.
    """
    part = dataset.validation or dataset.train
    batch = part.take(np.arange(min(len(part), large_batch(part.x.shape[1:]))))

    def evaluate() -> dict[str, Any]:
        samples = fixed_batches(targets(batch, loss, dataset))
        return dict(model.evaluate(samples, verbose=0, return_dict=True))

    first, figures = _timed(evaluate)
    again, _ = _timed(evaluate)
    reached = {name: float(value) for name, value in figures.items()}
    if dataset.validation is None:
        return 0.0, 0.0, reached
    reached |= {f"val_{name}": value for name, value in reached.items()}
    return max(0.0, first - again), again * len(part) / len(batch), reached


def _on_test_part(plan: Plan, dataset: Dataset) -> tuple[float, tuple[Any, Any, Any]]:
    """Seconds that measuring on the test part takes, and what it gives, of its first batch."""
    test, size = plan.dataset.test, large_batch(plan.dataset.test.x.shape[1:])
    if len(test) <= size or plan.dataset.target_steps:
        return _timed(lambda: measured(plan.model, plan.dataset, dataset.test.x))
    rows = np.arange(size)
    few, series = replace(plan.dataset, test=test.take(rows)), plan.dataset.series
    if series is not None:
        few = replace(
            few, series=replace(series, truth=series.truth[:size], labels=series.labels[:size])
        )
    shown = dataset.test.take(rows).x
    first, found = _timed(lambda: measured(plan.model, few, shown))
    again, _ = _timed(lambda: predict(plan.model, few.test.x))
    return first + again * (len(test) - size) / size, found


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    found = work()
    return time.monotonic() - began, found


def _checkpoint(
    keeper: Keeper, number: int, model: Any, history: Sequence[EpochRecord]
) -> tuple[float, float]:
    """Seconds that a phase's checkpoints take once, and each of them."""
    fixed, _ = _timed(lambda: keeper.begin_phase(number, model, ()))
    best = (0.0, 1, model.get_weights())
    each, _ = _timed(lambda: keeper.epoch(model, history, "finished", best, (0.0, 0)))
    return fixed, each


def _writes(policy: Checkpoints | None, epochs: int, seconds: float, each: float) -> int:
    """How many checkpoints a phase writes, as `Keeper` decides it; at most so many."""
    if policy is None:
        return 0
    counts: Mapping[str, float] = {
        "epochs": 0 if policy.every_epochs is None else epochs // policy.every_epochs,
        "minutes": 0 if policy.every_minutes is None else seconds / 60 / policy.every_minutes,
    }
    if policy.every_epochs is None and policy.every_minutes is None:
        # the first epoch, and as many as the share of the time allows
        counts = {"share": 1 + seconds * SHARE / max(each, 1e-6)}
    return min(epochs, 1 + int(sum(counts.values())))
