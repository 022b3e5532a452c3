"""What a run's stored numbers say about how it went, in words: at most two findings.

The gravest finding on the steps; if they were right, the gravest on the fit and one on the
measurement. Each rule names the text that it is from; its thresholds are in the constants.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nncli.results import Advice, EpochRecord, StoredRun

MOST = 2
"""Findings that a person reads at the end of a run."""
STRIP = 3
"""Epochs whose mean stands for the end of a noisy curve."""
GENERALIZATION_LOSS = 0.05
"""A rise of the validation loss above its lowest that is overfitting: Prechelt's GL₅."""
NEGLIGIBLE = 0.01
"""A rise that is small beside the largest validation loss does not matter."""
VIOLENT = 0.1
"""A rise of the loss in one epoch, as a share of where it began, that is no gentle oscillation."""
CHANCE = 0.05
"""A training loss that is less than this share below guessing has hardly begun to fall."""
FALLEN = 0.01
"""One that fell by more than this share of guessing does fall, if slowly."""
IMPROVING = 0.01
"""The share that the last epochs must take off the loss to be worth more of them."""
PATIENCE = 5
"""Epochs without improvement after which a run could have ended."""
NARROW = 0.01
"""An interval of the accuracy that leaves nothing to be told apart."""
WIDE = 0.05
"""One that leaves too much, whatever the accuracy."""
TIMES = 3
"""So many times as many errors at one end of the interval as at the other are too much."""

CS231N = "Stanford CS231n, lecture notes 'Neural Networks Part 3', babysitting the learning process"
GOODFELLOW = "I. Goodfellow, Y. Bengio, A. Courville, Deep Learning, 2016, section 8.3.1"
KARPATHY = "A. Karpathy, A Recipe for Training Neural Networks, 2019, 'verify loss at init'"
PRECHELT = "L. Prechelt, Early Stopping - But When?, Neural Networks: Tricks of the Trade, 1998"
HYNDMAN = "R. Hyndman, A. Koehler, International Journal of Forecasting 22 (2006) 679-688"
WITTEN = "I. Witten, E. Frank, M. Hall, Data Mining, 2011, the ZeroR classifier"
WILSON = "E. B. Wilson, Journal of the American Statistical Association 22 (1927) 209-212"


@dataclass(frozen=True)
class _Course:
    """The epochs of the run's own task, and what is known beside them."""

    run: StoredRun
    records: tuple[EpochRecord, ...]

    def values(self, metric: str) -> list[tuple[int, float]]:
        """Epoch and value, of the epochs that have a finite one."""
        found = ((record.epoch, record.metrics.get(metric)) for record in self.records)
        return [(epoch, v) for epoch, v in found if v is not None and math.isfinite(v)]

    @property
    def figure(self) -> str:
        """The loss that tells how well other samples are met, where there is one."""
        return "val_loss" if self.values("val_loss") else "loss"

    @property
    def stopped(self) -> str:
        """As in metrics.json."""
        return str(self.run.metrics.get("stopped", ""))

    @property
    def guessing(self) -> float | None:
        """The cross-entropy of always answering with the shares of the classes."""
        if self.run.task != "classification":
            return None
        if self.run.predictions is not None and len(self.run.predictions.truth):
            shares = np.bincount(self.run.predictions.truth) / len(self.run.predictions.truth)
            return float(-sum(share * math.log(share) for share in shares if share > 0))
        outputs = self.run.layers[-1].output_shape[-1:] if self.run.layers else ()
        return math.log(outputs[0]) if outputs and outputs[0] else None


def diagnose(run: StoredRun) -> tuple[Advice, ...]:
    """At most two findings, the gravest first."""
    course = _Course(run, run.task_history)
    found: list[Advice] = []
    for rules in ASPECTS:
        found += [advice for rule in rules if (advice := rule(course)) is not None][:1]
        if rules is STEPS and found:
            break  # what wrong steps led to says nothing of model and data
    return tuple(found[:MOST])


def _diverged(course: _Course) -> Advice | None:
    """The loss stopped being a finite number."""
    if course.stopped != "diverged" or not course.records:
        return None
    last = course.records[-1]
    where = course.run.metrics.get("diverged") or {}
    step, layer = where.get("step"), where.get("layer")
    since = f"step {step:,} of epoch {last.epoch:,}" if step else f"epoch {last.epoch:,}"
    first = f", first in layer {layer}" if layer else ""
    return Advice(
        "diverged",
        f"the loss is not a finite number from {since} on{first}, most often because the "
        f"steps are too large: try a learning rate of {last.learning_rate / 10:.3g} instead of "
        f"{last.learning_rate:.3g}",
        CS231N,
    )


def _rate_too_high(course: _Course) -> Advice | None:
    """The loss jumps up and falls again, or the training loss grows."""
    if not course.records:
        return None
    last = course.records[-1]  # phases differ in their rate: the last one is judged
    phase = _Course(course.run, tuple(r for r in course.records if r.phase == last.phase))
    for figure in ("loss", "val_loss"):
        losses = [value for _, value in phase.values(figure)]
        if len(losses) <= STRIP:
            continue
        least = VIOLENT * max(losses[0], course.guessing or 0.0)
        jumps = _jumps(losses, least)
        grown = float(np.mean(losses[-STRIP:])) - min(losses)
        if len(jumps) >= max(2, len(losses) / 10) or max(jumps, default=0.0) >= losses[0]:
            count = f"{len(jumps)} times" if len(jumps) > 1 else "once"
            what = f"the {_words(figure)} jumps up {count}, by {max(jumps):.3g} at most"
        elif figure == "loss" and grown > least and min(losses) not in losses[-STRIP:]:
            what = f"the {_words(figure)} grows from {min(losses):.3g} to {losses[-1]:.3g}"
        else:
            continue
        return Advice(
            "learning_rate_too_high",
            f"{what}: try a learning rate of {last.learning_rate / 10:.3g} instead of "
            f"{last.learning_rate:.3g}",
            GOODFELLOW,
        )
    return None


def _jumps(losses: list[float], least: float) -> list[float]:
    """The rises from one epoch to the next of at least `least` that are undone later on."""
    return [
        after - before
        for place, (before, after) in enumerate(pairwise(losses), 2)
        if after - before > least and after - min(losses[place:], default=after) > least
    ]


def _not_learning(course: _Course) -> Advice | None:
    """The training loss stays where guessing is."""
    losses = [value for _, value in course.values("loss")]
    if course.guessing is None or len(losses) < 2:
        return None
    fallen = min(losses[0], course.guessing) - min(losses)
    if min(losses) < (1 - CHANCE) * course.guessing or fallen > FALLEN * course.guessing:
        return None
    rate = course.records[-1].learning_rate
    return Advice(
        "not_learning",
        f"nothing is learned: the training loss, {min(losses):.3g} at its lowest, is that of "
        f"guessing ({course.guessing:.3g}); try another learning rate than {rate:.3g}, and look at "
        "the samples with nncli data check",
        KARPATHY,
    )


def _overfitting(course: _Course) -> Advice | None:
    """The validation loss rises while the training loss falls on."""
    validation, training = course.values("val_loss"), dict(course.values("loss"))
    if not validation or not training:
        return None
    since, lowest = min(validation, key=lambda each: each[1])
    after = [value for epoch, value in validation if epoch > since]
    if len(after) < STRIP or since not in training:
        return None
    fallen = training[since] - training[max(training)]
    values = [value for _, value in validation]
    smooth = np.convolve(values, np.full(STRIP, 1 / STRIP), mode="valid")
    rise = float(smooth[-1] - smooth.min())
    later = values[len(values) // 2 :]
    noise = float(np.median([abs(b - a) for a, b in pairwise(later)]))
    least = max(GENERALIZATION_LOSS * lowest, NEGLIGIBLE * max(values), 2 * noise)
    if rise <= least or fallen <= 0:
        return None
    return Advice(
        "overfitting",
        f"overfitting since epoch {since:,}: the validation loss rose by "
        f"{_share(rise / lowest)} while the training loss fell by "
        f"{_share(fallen / training[since])}; more samples, {_against(course.run)} help"
        f"{_sooner(course, len(after))}",
        PRECHELT,
    )


def _against(run: StoredRun) -> str:
    """What this kind of model has against overfitting."""
    model = run.config.get("model") or {}
    return " or ".join(f"model.{key}" for key in ("augmentation", "dropout") if key in model) or (
        "fewer model.units"
    )


def _still_improving(course: _Course) -> Advice | None:
    """The last epochs are the best, and by a margin."""
    values = course.values(course.figure)
    if course.stopped != "finished" or len(values) < 2:
        return None
    best = min(values, key=lambda each: each[1])[0]
    if best < values[-1][0] - len(values) // 10:
        return None
    strip = min(len(values) - 1, max(2, len(values) // 5))
    before, now = values[-1 - strip][1], min(value for _, value in values)
    if before <= 0 or (before - now) / before < IMPROVING:
        return None
    last = f"the last {strip} epochs" if strip > 1 else "the last epoch"
    return Advice(
        "still_improving",
        f"still improving: {last} lowered the {_words(course.figure)} by "
        f"{_share((before - now) / before)}; more epochs lower it further{_longer(course)}",
        PRECHELT,
    )


def _longer(course: _Course) -> str:
    """How to ask for more epochs, where one option does it."""
    only = {record.phase for record in course.run.history} == {"train"}
    return f": --epochs {2 * len(course.records)}" if only else ""


def _plateau(course: _Course) -> Advice | None:
    """Many epochs after the best one changed nothing."""
    best = course.run.metrics.get("best_epoch") or 0
    if course.stopped != "finished" or not best or not course.records:
        return None
    idle = course.records[-1].epoch - int(best)
    sooner = _sooner(course, idle)
    if not sooner:
        return None
    return Advice(
        "plateau", f"{idle} epochs after the best one brought no improvement{sooner}", PRECHELT
    )


def _sooner(course: _Course, idle: int) -> str:
    training = course.run.config.get("training") or {}
    if idle <= PATIENCE or training.get("early_stopping"):
        return ""
    return f"; --set training.early_stopping.patience={PATIENCE} ends a run sooner"


def _no_better(course: _Course) -> Advice | None:
    """The test part would be met as well without a model."""
    test = course.run.metrics.get("test") or {}
    error = test.get("mean_absolute_error")
    naive = test.get("persistence_mean_absolute_error")
    if error is not None and naive and error >= naive:
        return Advice(
            "no_better",
            f"repeating the last value does as well or better: an error of {naive:.3g} against "
            f"{error:.3g}; try another data.window, or fewer model.units",
            HYNDMAN,
        )
    common = _commonest(course.run)
    if common is None or test["accuracy_interval_95"][0] > common[1]:
        return None
    low, high = test["accuracy_interval_95"]
    return Advice(
        "no_better",
        f"always answering {common[0]!r} does as well: that is {common[1]:.1%} of the test part, "
        f"and the accuracy lies between {low:.1%} and {high:.1%}",
        WITTEN,
    )


def _commonest(run: StoredRun) -> tuple[str, float] | None:
    """The commonest class of the test part, and its share."""
    test = run.metrics.get("test") or {}
    if run.predictions is None or test.get("accuracy_interval_95") is None:
        return None
    counts = np.bincount(run.predictions.truth, minlength=len(run.predictions.classes))
    return run.predictions.classes[int(counts.argmax())], float(counts.max() / counts.sum())


def _small_test(course: _Course) -> Advice | None:
    """The test part cannot tell a good model from a much better one."""
    common = _commonest(course.run)
    if common is None:
        return None
    test = course.run.metrics["test"]
    low, high = test["accuracy_interval_95"]
    if high - low < NARROW or (high - low < WIDE and 1 - low < TIMES * (1 - high)):
        return None
    if low <= common[1]:
        return None  # there is nothing good to be told from anything better
    return Advice(
        "small_test",
        f"{test['samples']:,} test samples cannot tell {low:.1%} from {high:.1%} "
        "(the 95% interval of the accuracy); more of them narrow it",
        WILSON,
    )


Rules = tuple[Callable[[_Course], Advice | None], ...]
STEPS: Rules = (_diverged, _rate_too_high)
ASPECTS: tuple[Rules, ...] = (
    STEPS,
    (_not_learning, _overfitting, _still_improving, _no_better, _plateau),
    (_small_test,),
)
"""The rules by what they look at, the gravest first."""


def _share(share: float) -> str:
    """`12%`; a multiple where it is more than all of it."""
    return f"{share:.0%}" if share < 10 else f"{share + 1:.0f} times"


def _words(figure: str) -> str:
    return "validation loss" if figure == "val_loss" else "training loss"
