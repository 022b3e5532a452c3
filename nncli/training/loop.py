"""One phase of training: epochs, the best of them, and when to stop.

Keras's own `fit` owns the loop, so that validation, callbacks and devices come with it. Its
optimizer is built first, and it takes one stream for all epochs. Samples in memory are trained on
an epoch at a time (`nncli.training.steps`), those on the disk batch by batch.
"""

from __future__ import annotations

import gc
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nncli import backend, process, profile
from nncli.config import EarlyStopping, TrainingSection
from nncli.data.dataset import Dataset, Split
from nncli.data.samples import Samples
from nncli.errors import ExitCode, Interrupted, TrainingError
from nncli.listener import Listener, PhaseStart
from nncli.models.kind import METRICS, Extractor, Phase
from nncli.results import Array, EpochRecord, Task
from nncli.training import measure
from nncli.training.broken import broken_weights
from nncli.training.checkpoint import Checkpoint, Keeper
from nncli.training.features import features
from nncli.training.memory import out_of_memory
from nncli.training.optimizer import optimizer
from nncli.training.order import fixed_batches, order_of, steps_of, training_batches
from nncli.training.steps import EpochInGraph
from nncli.training.stream import explained


@dataclass
class Progress:
    """What a phase has reached so far; what is left of it when it is interrupted."""

    records: list[EpochRecord] = field(default_factory=list)
    best_value: float = math.inf
    """The lowest monitored figure; where higher is better, its negative."""
    best_epoch: int = 0
    """Its epoch, counted through the phases of its task; 0 for none."""
    best_weights: list[Array] | None = None
    stopped: str = "finished"
    broken_step: int | None = None
    """The first step of the last epoch with a loss that is not a finite number, counted from 1."""
    broken_layer: str = ""
    """The first layer that has or gives such a number in it; empty where that is not known."""
    exit_code: int = 0


@dataclass(frozen=True)
class Start:
    """Where in a run a phase begins."""

    first_epoch: int = 1
    """The number of its first epoch, as its records count."""
    best_value: float = math.inf
    """The figure that an earlier phase of the same task reached. Where no epoch of this phase is
    better, the model ends with the weights it came with."""
    best_epoch: int = 0
    """The epoch that reached it."""
    position: int = 1
    """Which of the run's phases it is, baselines included."""
    count: int = 1
    """How many there are."""
    before: tuple[EpochRecord, ...] = ()
    """The epochs of earlier phases: the order of the samples goes on from there."""
    features: dict[Extractor, Dataset] = field(default_factory=dict)
    """What extractors of earlier phases gave; those of this one are added."""


def run_phase(
    phase: Phase,
    loss: str,
    training: TrainingSection,
    seed: int,
    listener: Listener,
    start: Start,
    cache: Path | None = None,
    keeper: Keeper | None = None,
) -> Progress:
    """Train one phase and leave its model with the best weights seen.

    Args:
        phase: the model, its samples and its rate.
        loss: by Keras's name.
        training: batch size, optimizer and early stopping.
        seed: of the order of the samples.
        listener: hears of each step and epoch.
        start: what came before it.
        cache: the folder with the features that earlier runs computed; None for none.
        keeper: writes the state of finished epochs, and may hold one to go on from.

    Raises:
        TrainingError: the loss was not a finite number from the first epoch on, or memory ran out.
    """
    progress = Progress(best_value=start.best_value, best_epoch=start.best_epoch)
    model = phase.model
    if start.best_epoch:
        progress.best_weights = model.get_weights()
    try:
        with process.signals_stay_signals(), explained():
            _run(phase, loss, training, seed, listener, start, cache, progress, keeper)
    except KeyboardInterrupt as signal:
        progress.stopped = "interrupted"
        progress.exit_code = exit_code_of(signal)
    except (MemoryError, backend.tensorflow().errors.ResourceExhaustedError) as error:
        raise out_of_memory(model, training.batch_size) from error
    if isinstance(phase.dataset.train.x, Samples):
        gc.collect()  # the threads that read for it end with the stream, also an interrupted one
    if progress.best_weights is not None:
        model.set_weights(progress.best_weights)
    elif progress.stopped == "diverged":
        since = since_step(progress.broken_step, progress.broken_layer)
        raise TrainingError(
            f"the loss of the first epoch of phase {phase.name} is not a finite number{since}",
            hint=f"use a smaller learning rate than {phase.learning_rate:g}, or check the data",
        )
    return progress


def since_step(step: int | None, layer: str) -> str:
    """Where numbers were no longer finite, in words: ` from step 3 on, first in layer lstm`."""
    words = f" from step {step:,} on" if step else ""
    return words + (f", first in layer {layer}" if layer else "")


def monitor_of(monitor: str, dataset: Dataset) -> str:
    """The figure that chooses the best epoch, by Keras's name; `auto` takes what there is."""
    if monitor != "auto":
        return monitor
    return "loss" if dataset.validation is None else "val_loss"


def _monitor(phase: Phase, training: TrainingSection) -> str:
    """The figure that chooses the best epoch of a phase."""
    chosen = "auto" if phase.preliminary else training.monitor  # it learns another task
    return monitor_of(chosen, phase.dataset)


def exit_code_of(signal: KeyboardInterrupt) -> int:
    """What the process ends with after this signal."""
    return signal.exit_code if isinstance(signal, Interrupted) else int(ExitCode.INTERRUPTED)


def _run(
    phase: Phase,
    loss: str,
    training: TrainingSection,
    seed: int,
    listener: Listener,
    start: Start,
    cache: Path | None,
    progress: Progress,
    keeper: Keeper | None,
) -> None:
    """Prepare and fit, noting in `progress` what each epoch reached."""
    dataset, resumed, is_over = phase.dataset, None, False
    with profile.part("build"):
        phase.prepare()
        if keeper is not None:
            resumed = keeper.begin_phase(start.position - 1, phase.model, start.before)
    if keeper is not None and resumed is not None:
        _go_on(progress, phase, start, keeper, resumed)
        longer = resumed.stopped == "finished" and len(progress.records) < phase.epochs
        is_over = bool(resumed.stopped) and not longer
    if phase.extractor is not None and not is_over:
        with profile.part("features"):
            dataset = features(phase.dataset, phase.extractor, listener, cache, start.features)
    with profile.part("build"):
        train = targets(dataset.train, loss, dataset)
        _compile(phase.model, loss, dataset.task, train.y, training, phase.learning_rate)
        if keeper is not None and resumed is not None:
            keeper.restore_optimizer(phase.model.optimizer, resumed)
    if is_over:  # the optimizer is saved with the model
        return
    done = len(progress.records)
    steps = steps_of(train, training.batch_size)
    monitor, metric = _monitor(phase, training), METRICS[dataset.task]
    listener.phase(
        PhaseStart(phase.name, phase.epochs, steps, monitor, metric, start.position, start.count)
    )
    watch = _watch(progress, phase, training, listener, start.first_epoch, keeper)
    if resumed is not None:
        watch.patience_value, watch.waited = resumed.patience_value, resumed.waited
    weights = _class_weight(phase.dataset) if training.class_weight == "balanced" else None
    validation = dataset.validation
    first, left = len(start.before) + done + 1, phase.epochs - done
    batch_size, shuffle = training.batch_size, training.shuffle
    if isinstance(train.x, Samples):
        stream = training_batches(train, batch_size, seed, first, left, shuffle=shuffle)
        phase.model.make_train_function()
        phase.model.train_function = profile.first_call("compile", phase.model.train_function)
        feeding = {"steps_per_epoch": steps, "class_weight": weights}
    else:
        watch.graph = phase.model.train_function = EpochInGraph(
            phase.model,
            train,
            None if weights is None else np.vectorize(weights.get)(phase.dataset.train.y),
            batch_size,
            lambda epoch: order_of(len(train), seed, epoch, shuffle=shuffle),
            watch.step,
        )
        stream = watch.graph.stream(first, left)
        feeding = {"steps_per_epoch": 1}
    try:
        with profile.part("train"):
            phase.model.fit(
                stream,
                epochs=phase.epochs,
                initial_epoch=done,
                callbacks=[watch],
                shuffle=False,
                verbose=0,
                validation_data=None
                if validation is None
                else fixed_batches(targets(validation, loss, dataset)),
                **feeding,
            )
    finally:
        watch.graph = phase.model.train_function = None  # they hold the samples
        process.return_memory()  # and what a step changes, from before the last epoch


def _go_on(
    progress: Progress, phase: Phase, start: Start, keeper: Keeper, resumed: Checkpoint
) -> None:
    """Put model and progress back to where they were after the last epoch of `resumed`."""
    keeper.restore(resumed)
    progress.records += resumed.history[len(start.before) :]
    progress.best_value, progress.best_epoch = resumed.best_value, resumed.best_epoch
    progress.best_weights = keeper.best_weights(phase.model, resumed)
    progress.stopped = resumed.stopped or progress.stopped


def _class_weight(dataset: Dataset) -> dict[int, float]:
    """What a sample of each class counts, so that all classes count the same.

    weight = samples / (classes · samples of the class)
    """
    classes, counts = np.unique(dataset.train.y, return_counts=True)
    weights = len(dataset.train) / (len(classes) * counts)
    return dict(zip(classes.tolist(), weights.tolist(), strict=True))


def targets(split: Split, loss: str, dataset: Dataset) -> Split:
    """Class indices as the loss wants them: one-hot for categorical cross-entropy."""
    if loss != "categorical_crossentropy":
        return split
    return Split(split.x, np.eye(len(dataset.classes), dtype=np.float32)[split.y])


def _compile(
    model: Any,
    loss: str,
    task: Task,
    targets: Array,
    training: TrainingSection,
    learning_rate: float,
) -> None:
    model.compile(
        optimizer=optimizer(training.optimizer, learning_rate),
        loss=loss,
        metrics=[METRICS[task]],
        jit_compile=False,
    )
    # What is built only while the first step is traced has it traced twice.
    model.optimizer.build(model.trainable_variables)
    answer = np.zeros((1, *model.output_shape[1:]), np.float32)
    model.compute_metrics(None, targets[:1], answer)
    model.reset_metrics()


def _watch(
    progress: Progress,
    phase: Phase,
    training: TrainingSection,
    listener: Listener,
    first_epoch: int,
    keeper: Keeper | None,
) -> Any:
    """Keras's hook into the loop: records, keeps the best weights, stops early or on NaN."""
    monitor, stopping = _monitor(phase, training), training.early_stopping
    sign = -1 if monitor.endswith("accuracy") else 1  # of a figure that is better when higher

    class Watch(backend.keras().callbacks.Callback):  # type: ignore[misc]
        async_safe = True  # Keras calls `on_train_batch_end` from threads, in any order

        waited = 0
        patience_value = math.inf
        started = 0.0

        graph: EpochInGraph | None = None
        """Where whole epochs are trained at once, it tells of the steps itself."""

        def __init__(self) -> None:
            super().__init__()
            self.broken_steps: list[int] = []

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            process.raise_swallowed()
            self.started = time.monotonic()

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            if self.graph is None:
                self.step(batch)

        def step(self, number: int) -> None:
            """Step `number` of the epoch begins, counted from 0."""
            if number == 1:  # the steps are compiled: from here on Python mostly waits
                measure.get_ready(phase.dataset.task)
            listener.step(number)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            # the mean over the epoch so far, and no later step brings it back
            if logs is not None and not math.isfinite(logs["loss"]):
                self.broken_steps.append(batch + 1)
                self.model.stop_training = True

        def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
            self.validating = time.monotonic()

        def on_test_end(self, logs: Any = None) -> None:  # noqa: ARG002
            profile.move("train", "validate", time.monotonic() - self.validating)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            given = dict(logs or {})
            names = sorted(given, key=lambda name: (name.startswith("val_"), "loss" not in name))
            metrics = {name: float(given[name]) for name in names}
            value = sign * metrics[monitor]
            finite = all(math.isfinite(number) for number in metrics.values())
            better = finite and value < progress.best_value
            weights = self.model.get_weights() if better else []
            if not all(np.isfinite(each).all() for each in weights):
                # the last step of the epoch broke them, and no loss has seen them yet
                finite = better = False
            record = EpochRecord(
                phase=phase.name,
                epoch=first_epoch + epoch,
                metrics=metrics,
                learning_rate=float(self.model.optimizer.learning_rate.numpy()),
                seconds=time.monotonic() - self.started,
                best=better,
            )
            progress.records.append(record)
            if better:
                progress.best_value, progress.best_epoch = value, record.epoch
                progress.best_weights = weights
            listener.epoch(record, epoch + 1)
            if not finite:
                progress.stopped = "diverged"
                self._tell_where()
                self.model.stop_training = True
                return  # the state before it is worth more
            if stopping is not None and not phase.preliminary:
                self._wait(value, stopping)
            if keeper is not None:
                ends = self.model.stop_training or epoch + 1 == phase.epochs
                with profile.part("save"):
                    keeper.epoch(
                        self.model,
                        progress.records,
                        progress.stopped if ends else "",
                        (progress.best_value, progress.best_epoch, progress.best_weights),
                        (self.patience_value, self.waited),
                    )

        def _tell_where(self) -> None:
            """Which step broke first, and which layer."""
            if self.graph is None:
                progress.broken_step = min(self.broken_steps, default=None)
            else:
                progress.broken_step = self.graph.broken_step
            if progress.broken_step is None:
                progress.broken_layer = broken_weights(self.model)
            elif self.graph is not None:
                progress.broken_layer = self.graph.broken_layer()

        def _wait(self, value: float, stopping: EarlyStopping) -> None:
            if value < self.patience_value - stopping.min_delta:
                self.patience_value, self.waited = value, 0
                return
            self.waited += 1
            if self.waited >= stopping.patience:
                progress.stopped = "early stopping"
                self.model.stop_training = True

    return Watch()
