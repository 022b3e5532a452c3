"""The course of a training: its epochs, the best of them, and how its numbers are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nncli.errors import RunError
from nncli.plots.figure import three_digits
from nncli.plots.labels import number_ticks, percent, scientific
from nncli.results import EpochRecord, StoredRun

LOG_FROM = 50.0
"""The ratio of the largest to the smallest value from which the scale is logarithmic."""
HIDDEN_BELOW = 0.35
"""A curve that would fill less of an axis from zero is given an axis of its own range."""


@dataclass(frozen=True)
class Course:
    """The epochs that the curves of a run show, numbered from 1."""

    records: tuple[EpochRecord, ...]
    before: int
    """Epochs of pretraining that came before, in the record's own numbering."""
    monitor: str
    best: int | None
    """The best epoch; None where no epoch has a number."""
    resumed: tuple[int, ...] = ()
    """The epochs after which training was interrupted and went on again."""
    diverged: tuple[int, int | None] | None = None
    """The epoch and its step from which the loss was no number, where training saw it."""

    @property
    def first(self) -> int:
        """The first epoch."""
        return self.records[0].epoch - self.before

    @property
    def last(self) -> int:
        """The last epoch."""
        return self.records[-1].epoch - self.before

    def values(self, metric: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Epochs and values of `metric`, of the epochs that have it."""
        having = [record for record in self.records if metric in record.metrics]
        epochs = np.array([record.epoch - self.before for record in having], dtype=np.float64)
        values = np.array([record.metrics[metric] for record in having], dtype=np.float64)
        return epochs, values

    def at(self, metric: str, epoch: int | None) -> float | None:
        """The value of `metric` in `epoch`, if there is one."""
        for record in self.records:
            if record.epoch - self.before == epoch:
                return record.metrics.get(metric)
        return None

    @property
    def changes(self) -> list[tuple[int, str, str]]:
        """First epoch, old phase and new phase of each change of phase."""
        return [
            (new.epoch - self.before, old.phase, new.phase)
            for old, new in zip(self.records, self.records[1:], strict=False)
            if old.phase != new.phase
        ]

    @property
    def broken(self) -> int | None:
        """The first epoch from which the training or monitored loss stays no number."""
        if self.diverged is not None:
            return self.diverged[0]
        found: list[int] = []
        for metric in ("loss", self.monitor):
            epochs, values = self.values(metric)
            if len(values) and not np.isfinite(values[-1]):
                good = np.flatnonzero(np.isfinite(values))
                found.append(int(epochs[good[-1] + 1] if len(good) else epochs[0]))
        return min(found, default=None)

    @property
    def breaks(self) -> str:
        """From where on the loss is no number, in words."""
        step = self.diverged[1] if self.diverged is not None else None
        where = f"epoch {self.broken or self.first:,}" + (f", step {step:,}" if step else "")
        return f"the loss is not a number from {where} on"


def course_of(run: StoredRun) -> Course:
    """The epochs to draw: pretraining is another task on other data and is left out.

    Raises:
        RunError: no epoch was finished.
    """
    shown = run.task_history
    if not shown:
        raise RunError(
            f"{run.name} has no finished epoch, so there are no curves to draw",
            hint="train for at least one epoch",
        )
    before = shown[0].epoch - 1
    has_validation = any("val_loss" in record.metrics for record in shown)
    monitor = str(run.metrics.get("monitor") or ("val_loss" if has_validation else "loss"))
    course = Course(
        shown,
        before,
        monitor,
        None,
        _resumed(run.run.get("resumed"), before, shown[-1].epoch),
        _diverged(run.metrics.get("diverged"), before),
    )
    best = run.metrics.get("best_epoch")
    stored = int(best) - before if isinstance(best, int | float) else None
    value = course.at(monitor, stored)
    if value is None or not np.isfinite(value):
        epochs, values = course.values(monitor)
        finite = np.isfinite(values)
        stored = None
        if finite.any():
            epochs, values = epochs[finite], values[finite]
            pick = values.argmax() if is_share(monitor) else values.argmin()
            stored = int(epochs[pick])
    return replace(course, best=stored)


def _resumed(stored: object, before: int, last: int) -> tuple[int, ...]:
    """Those that lie between two of the epochs shown."""
    found = stored if isinstance(stored, list | tuple) else ()
    return tuple(sorted(e - before for e in found if isinstance(e, int) and before < e < last))


def _diverged(stored: object, before: int) -> tuple[int, int | None] | None:
    if not isinstance(stored, Mapping) or not isinstance(stored.get("epoch"), int):
        return None
    step = stored.get("step")
    return max(1, stored["epoch"] - before), step if isinstance(step, int) else None


def is_share(metric: str) -> bool:
    """Whether it is shown in percent, and more of it is better."""
    return "accuracy" in metric


def plain_words(metric: str) -> str:
    """`loss` of `val_loss`, `mean absolute error`."""
    return metric.removeprefix("val_").replace("_", " ")


def words(metric: str) -> str:
    """`validation loss` of `val_loss`, `training accuracy` of `accuracy`."""
    part = "validation" if metric.startswith("val_") else "training"
    return f"{part} {plain_words(metric)}"


def number(metric: str, value: float) -> str:
    """A value of `metric` as figures show it."""
    if not np.isfinite(value):
        return "NaN"
    return percent(value) if is_share(metric) else three_digits(value)


def main_metric(run: StoredRun, course: Course) -> str | None:
    """What is shown beside the loss, if the records have it."""
    wanted = "accuracy" if run.task == "classification" else "mean_absolute_error"
    has = any(wanted in r.metrics or f"val_{wanted}" in r.metrics for r in course.records)
    return wanted if has else None


@dataclass(frozen=True)
class Scale:
    """A y axis: its ends, whether it is logarithmic, and its ticks."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]
    labels: tuple[str, ...]


def scale_of(
    metric: str, values: NDArray[np.float64], *, several: bool, log_from: float = LOG_FROM
) -> Scale:
    """The y axis for `values` of `metric`.

    With one epoch, not `several`, there is no curve to hide, so the axis starts at zero.
    """
    low, high, log = _limits(values, is_share(metric), several, log_from)
    if is_share(metric):
        ticks, labels = number_ticks(low * 100, high * 100)
        ticks, labels = [tick / 100 for tick in ticks], [f"{label} %" for label in labels]
    else:
        ticks, labels = (_log_ticks if log else number_ticks)(low, high)
    return Scale(low, high, log, tuple(ticks), tuple(labels))


def _limits(
    values: NDArray[np.float64], share: bool, several: bool, log_from: float
) -> tuple[float, float, bool]:
    """The lower and upper end of the y axis, and whether it is logarithmic."""
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0, False
    low, high = float(values.min()), float(values.max())
    room = high - low
    if share:
        if several and 0 < room < 0.2 * high:
            pad = max(0.12 * room, 0.004)
            return max(0.0, low - pad), min(high + 2 * pad, 1.0 + pad / 4), False
        return 0.0, 1.03 if high > 0.7 else min(1.03, max(1.2 * high, 0.1)), False
    positive = values[values > 0]
    if low >= 0 and len(positive) and high / float(positive.min()) > log_from:
        decades = float(np.log10(high / positive.min()))
        pad = 10 ** (0.07 * decades)
        return float(positive.min()) / pad, high * pad**1.6, True
    if high == low == 0:
        return 0.0, 1.0, False
    if low >= 0 and (not several or room == 0 or room >= HIDDEN_BELOW * high):
        return 0.0, high * (1.25 if room == 0 else 1.1), False
    return low - 0.08 * (room or abs(low)), high + 0.12 * (room or abs(high)), False


def _log_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Powers of ten, with 2 and 5 between them where there are few."""
    first, last = int(np.ceil(np.log10(low) - 1e-9)), int(np.floor(np.log10(high) + 1e-9))
    decades = last - first + 1
    if decades <= 3:
        ticks = [
            factor * 10.0**power
            for power in range(first - 1, last + 1)
            for factor in ((1, 2, 5) if decades < 3 else (1, 3))
        ]
    else:
        ticks = [10.0**power for power in range(first, last + 1, max(1, -(-decades // 7)))]
    ticks = [tick for tick in ticks if low <= tick <= high]
    return ticks, [f"{t:,.10g}" if 1e-4 < t < 1e6 else scientific(t) for t in ticks]
