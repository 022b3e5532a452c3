"""What a run's model says of samples that nobody has labelled, and of the time after a series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from nncli.data.csv_columns import Columns
from nncli.data.dataset import Series
from nncli.data.inputs import Block, Wanted
from nncli.data.inputs.dates import dates_after
from nncli.data.padding import unfilled
from nncli.errors import DataError, TrainingError, UsageError
from nncli.lazy import NDArray, np
from nncli.results import Answers, Array, Outlook, ShownAnswers
from nncli.trained.evaluate import errors_by_horizon
from nncli.trained.model import OpenedRun
from nncli.training.inference import answering
from nncli.training.measure import FREE_RUNNING_STEPS
from nncli.training.order import LARGE_BATCH, large_batch

MOST_ORIGINS = LARGE_BATCH
"""Values of the test part from which on forecasts are measured: one batch for each step."""
MOST_SHOWN = 24
"""Answers on a picture."""


def wanted_by(opened: OpenedRun) -> Wanted:
    """What samples have to be for a model, and as many at once as it was measured on."""
    shape = opened.learned.input_shape
    if opened.preparation is not None:
        shape = opened.preparation.shape_of(shape)
    return Wanted(opened.learned, opened.config.data, large_batch(shape))


def classify(opened: OpenedRun, model: Any, blocks: Iterable[Block]) -> Iterator[Answers]:
    """Answer to samples, block after block; what cannot be read is handed on.

    Args:
        opened: the run.
        model: as it loads it.
        blocks: samples as `nncli.data.inputs` gives them.
    """
    answer = answering(model)
    for block in blocks:
        probabilities = np.empty((0, len(opened.learned.classes)), np.float32)
        if block.names:
            answers = answer(np.asarray(opened.prepared(block.x)))
            probabilities = np.asarray(answers, dtype=np.float32)
        yield Answers(block.names, probabilities, block.x, block.unreadable)


class Sheet:
    """Keeps what a picture of answers shows, however many come: a few, or the least sure."""

    def __init__(self, opened: OpenedRun) -> None:
        self._learned = opened.learned
        self._kept: Answers | None = None
        self.total = 0

    def add(self, answers: Answers) -> None:
        """Look at some more."""
        if not answers.names:
            return
        kept = self._kept
        if kept is not None:
            probabilities = np.concatenate([kept.probabilities, answers.probabilities])
            x, names = np.concatenate([kept.x, answers.x]), (*kept.names, *answers.names)
        else:
            probabilities, x, names = answers.probabilities, answers.x, answers.names
        sure = probabilities.max(axis=1)
        chosen = np.sort(np.argsort(sure, kind="stable")[:MOST_SHOWN])
        self._kept = Answers(tuple(names[i] for i in chosen), probabilities[chosen], x[chosen])
        self.total += len(answers.names)

    def shown(self) -> ShownAnswers:
        """In the order in which they came where they are all; else the least sure first."""
        kept = self._kept
        assert kept is not None, "nothing was answered"
        order = np.arange(len(kept.names))
        if self.total > len(order):
            order = np.argsort(kept.probabilities.max(axis=1), kind="stable")
        inputs = kept.x[order]
        if self._learned.is_images:
            inputs = np.clip(np.round(inputs), 0, 255).astype(np.uint8)
        else:
            inputs = unfilled(inputs, self._learned.padding)
        return ShownAnswers(
            names=tuple(kept.names[i] for i in order),
            probabilities=kept.probabilities[order],
            inputs=inputs,
            classes=self._learned.classes,
            total=self.total,
        )


def check_steps(opened: OpenedRun, steps: int | None) -> int:
    """How many steps a forecast goes ahead: as many as the model sees, where nobody says it.

    Raises:
        UsageError: more than can be known, or none.
    """
    window, features = opened.learned.input_shape
    if features > 1:
        if steps not in {None, 1}:
            raise UsageError(
                f"the model sees {features - 1} column(s) beside its series, and nobody knows how "
                f"they go on: it can go 1 step ahead, not {steps}",
                hint="--steps 1, or train without data.input_columns",
            )
        return 1
    if steps is None:
        return min(window, FREE_RUNNING_STEPS)
    if not 1 <= steps <= FREE_RUNNING_STEPS:
        raise UsageError(
            f"--steps {steps}; it must be from 1 to {FREE_RUNNING_STEPS:,}",
            hint="further than that a forecast on its own forecasts says nothing",
        )
    return steps


def look_ahead(opened: OpenedRun, model: Any, columns: Columns, steps: int) -> Outlook:
    """Go on with a series: each value from those before it, the model's own among them.

    Args:
        opened: the run.
        model: as it loads it.
        columns: the series, and the columns that the model sees beside it.
        steps: how many.

    Raises:
        DataError: numbers too large to work with.
        TrainingError: it does not answer with numbers.
    """
    learned = opened.learned
    assert learned.series is not None
    window, features = learned.input_shape
    values = columns.values[:, 0]
    series = learned.series.series(seen=values[-window:], truth=np.empty(0))
    beside = None
    if features > 1:
        beside = learned.scaled("the series", columns.values[-window:, 1:])
    ahead = _ahead(model, series, beside, steps)
    if not np.isfinite(ahead).all():
        at = int(np.flatnonzero(~np.isfinite(ahead))[0]) + 1
        raise TrainingError(
            f"step {at} of the forecast is not a finite number",
            hint="--steps of fewer, or train again: forecasts that feed on themselves may grow",
        )
    return Outlook(
        name=columns.names[0],
        observed=values,
        window=window,
        ahead=ahead,
        dates=columns.dates,
        labels=dates_after(columns.dates, steps) or tuple(f"+{i}" for i in range(1, steps + 1)),
        errors=_errors(opened, model, steps),
    )


def _errors(opened: OpenedRun, model: Any, steps: int) -> NDArray[np.float64]:
    """(at most steps,) how far off the model was so many steps ahead, from each of the last values
    of the test part on."""
    found, learned = opened.stored.forecast, opened.learned.series
    if found is None or learned is None or not len(found.truth):
        return np.empty(0)
    last = slice(-MOST_ORIGINS, None)
    known = np.concatenate([found.seen, found.truth])
    truth = found.truth[last]
    seen = known[: len(known) - len(truth)][-opened.learned.input_shape[0] :]
    series = learned.series(seen=seen, truth=truth)
    part = replace(
        found, seen=seen, truth=truth, one_step=found.one_step[last], persistence=series.before
    )
    told = errors_by_horizon(model, opened.learned.input_shape, series, part, steps)
    return np.array([errors["mean_absolute_error"] for _, errors in told])


def _ahead(model: Any, series: Series, beside: Array | None, steps: int) -> NDArray[np.float64]:
    """(steps,) in own units.

    Args:
        model: (1, window, features) → (1, 1), or (1, window, 1) where every step has its answer:
            then the last one is meant.
        series: its last window is `seen`.
        beside: (window, features − 1) what the model sees beside it, for one step.
        steps: how many.
    """
    window = len(series.seen)
    known = np.concatenate([series.seen, np.empty(steps)])
    for end in range(window, window + steps):
        last = known[end - 1 : end]
        with np.errstate(over="ignore", invalid="ignore"):
            x = series.scaled_inputs(known[end - window : end], last)[None, :, None]
        if beside is not None:
            x = np.concatenate([x, beside[None]], axis=2)
        if end == window and not np.isfinite(x).all():
            raise DataError(
                f"{series.name} holds numbers too large to work with",
                hint="give it in the units that were trained on",
            )
        answer = np.asarray(model.predict_on_batch(x)).reshape(-1)[-1:]
        known[end] = series.to_units(answer, last)[0]
    return known[window:]
