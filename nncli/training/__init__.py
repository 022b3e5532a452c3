"""Training: carry out a plan, measure what came of it, and print nothing."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

from nncli import process, profile
from nncli.config import TrainingSection
from nncli.data.dataset import Dataset
from nncli.errors import Interrupted, TrainingError
from nncli.listener import Listener
from nncli.models.describe import describe
from nncli.models.kind import BaselinePlan, Extractor, Plan
from nncli.results import PRETRAINING, Baseline, EpochRecord, Result
from nncli.training.checkpoint import Checkpoint, Keeper, newest
from nncli.training.loop import Progress, Start, exit_code_of, monitor_of, run_phase
from nncli.training.measure import measured

__all__ = ["Checkpoint", "Keeper", "Listener", "fit", "newest"]


def fit(
    kind: str,
    plan: Plan,
    dataset: Dataset,
    training: TrainingSection,
    seed: int,
    listener: Listener | None = None,
    cache: Path | None = None,
    keeper: Keeper | None = None,
) -> Result:
    """Train all phases, measure on the test part, then train and measure the baselines.

    `plan.model` ends with the weights of the best epoch. An interruption ends training and
    leaves what the finished epochs reached, unmeasured.

    Args:
        kind: for the record.
        plan: from the kind's `plan`.
        dataset: the samples as they were loaded, to show them.
        training: batch size, optimizer, early stopping.
        seed: of the order of the samples.
        listener: hears of the progress.
        cache: the folder for the features of frozen bases, `features.cache_folder()`; None to
            compute them anew and keep none.
        keeper: writes the state of finished epochs, and may hold one to go on from.

    Raises:
        TrainingError: a loss that is not a number from the start, or no memory.
    """
    listener = listener or Listener()
    began = time.monotonic()
    count = len(plan.phases) + len(plan.baselines)  # a baseline is one phase
    progress, history = _phases(plan, training, seed, listener, cache, count=count, keeper=keeper)
    seconds = {"train": time.monotonic() - began}
    result = Result(
        kind=kind,
        task=plan.dataset.task,
        monitor=monitor_of(training.monitor, plan.dataset),
        history=tuple(history),
        best_epoch=progress.best_epoch,
        stopped=progress.stopped,
        test={},
        layers=describe(plan.model),
        seconds=seconds,
        broken_step=progress.broken_step,
        broken_layer=progress.broken_layer,
        exit_code=progress.exit_code,
    )
    if progress.stopped == "interrupted":
        return result
    try:
        listener.status("measuring on the test part", takes_long=True)
        began = time.monotonic()
        with process.signals_stay_signals(), profile.part("test"):
            test, predictions, series = measured(plan.model, plan.dataset, dataset.test.x)
        seconds["test"] = time.monotonic() - began
        result = replace(result, test=test, predictions=predictions, forecast=series)
        kept = plan.baselines if progress.stopped != "diverged" else ()
        for position, baseline in enumerate(kept, len(plan.phases) + 1):
            listener.status("building a model for comparison")
            place = (position, count)
            with profile.part("baselines", whole=True):
                trained = _baseline(baseline, dataset, training, seed, listener, place, cache)
            seconds[f"baseline {baseline.name}"] = trained.seconds
            result = replace(result, baselines=(*result.baselines, trained))
    except KeyboardInterrupt as signal:
        return replace(result, stopped="interrupted", exit_code=exit_code_of(signal))
    return result


def _phases(
    plan: Plan,
    training: TrainingSection,
    seed: int,
    listener: Listener,
    cache: Path | None,
    *,
    first: int = 1,
    count: int,
    keeper: Keeper | None = None,
) -> tuple[Progress, list[EpochRecord]]:
    """Run the phases in order; those of the task itself share one best epoch.

    The first of them is phase number `first` of the `count` of the run.
    """
    history: list[EpochRecord] = []
    progress = Progress()
    best_value, best_epoch = math.inf, 0
    features: dict[Extractor, Dataset] = {}
    if keeper is not None:
        keeper.begin([plan.model, *(phase.model for phase in plan.phases)])
    for position, phase in enumerate(plan.phases, first):
        resumed = None if keeper is None else keeper.resumed
        if keeper is not None and resumed is not None and position - first < resumed.phase:
            # its layers' weights are among those that a later phase puts back
            phase.prepare()
            keeper.begin_phase(position - first, phase.model, tuple(history))
            history += [record for record in resumed.history if record.phase == phase.name]
            continue
        progress = run_phase(
            phase,
            plan.loss,
            training,
            seed,
            listener,
            Start(
                first_epoch=sum(each.phase != PRETRAINING for each in history) + 1,
                best_value=best_value,
                best_epoch=best_epoch,
                position=position,
                count=count,
                before=tuple(history),
                features=features,
            ),
            cache,
            keeper,
        )
        later = {each for other in plan.phases[position - first + 1 :] for each in other.extractors}
        features = {each: found for each, found in features.items() if each in later}
        history += progress.records
        if not phase.preliminary:
            best_value, best_epoch = progress.best_value, progress.best_epoch
        elif progress.stopped == "diverged":
            raise TrainingError(
                f"the loss of epoch {len(history)} of the base's training is not a finite number",
                hint="use a smaller pretraining.learning_rate",
            )
        if progress.stopped in {"interrupted", "diverged"}:
            break
    return replace(progress, best_value=best_value, best_epoch=best_epoch), history


def _baseline(
    baseline: BaselinePlan,
    dataset: Dataset,
    training: TrainingSection,
    seed: int,
    listener: Listener,
    place: tuple[int, int],
    cache: Path | None,
) -> Baseline:
    began = time.monotonic()
    metrics: dict[str, float] = {}
    failed, epochs = "", 0
    try:
        with process.signals_stay_signals():
            plan = baseline.make()
            first, count = place
            progress, history = _phases(
                plan, training, seed, listener, cache, first=first, count=count
            )
            epochs = len(history)
            if progress.stopped == "interrupted":
                raise Interrupted(progress.exit_code - 128)
            if progress.stopped == "diverged":
                failed = "its loss was no longer a finite number"
            else:
                figures, _, _ = measured(plan.model, plan.dataset, dataset.test.x)
                metrics = {key: figures[key] for key in ("loss", "accuracy")}
    except Exception as error:  # whatever it is, it must not cost the training it is beside
        failed = str(error) or type(error).__name__
    return Baseline(
        name=baseline.name,
        meaning=baseline.meaning,
        metrics=metrics,
        epochs=epochs,
        seconds=time.monotonic() - began,
        failed=failed,
    )
