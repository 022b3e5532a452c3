"""The live line of a phase: how far it is, how long it still takes, where its loss goes."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from nncli.listener import PhaseStart
from nncli.report.units import HEADINGS, TIME_LEFT_WIDTH, time_left
from nncli.results import EpochRecord

if TYPE_CHECKING:
    from rich.text import Text

SPARKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH, SHORT_SPARK = 12, 6
BAR_WIDTH = 30


@dataclass(frozen=True)
class Glyphs:
    """What lines are drawn with."""

    spinner: str
    done: str
    half: str
    rest: str
    sparks: str


UNICODE = Glyphs("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "━", "╸", "─", SPARKS)
ASCII = Glyphs("|/-\\", "#", "", "-", "_.:-=+*#")


class RunningPhase:
    """How far a phase is, and how long the rest of it takes."""

    def __init__(self, start: PhaseStart) -> None:
        self.start = start
        self.at = (0, 0, time.monotonic())
        """Finished epochs, steps of the running one, and when it was so: one value, as another
        thread reads it."""
        self.metrics: Mapping[str, float] = {}
        self.values: list[float] = []
        """Of the figure that chooses the best epoch, by epoch."""
        self.second_step = 0.0
        """When the second step began: the first one compiles, and says nothing of the speed."""
        self.ends: deque[float] = deque(maxlen=11)
        """When the last epochs ended."""

    def step(self, step: int) -> None:
        """A step begins."""
        now = time.monotonic()
        done = self.at[0]
        self.at = (done, step, now)
        if step == 1 and done == 0:
            self.second_step = now

    def epoch(self, record: EpochRecord, number: int) -> None:
        """An epoch has ended, its validation too."""
        now = time.monotonic()
        self.values.append(record.metrics[self.start.monitor])
        self.metrics = record.metrics
        self.ends.append(now)
        self.at = (number, 0, now)

    @property
    def is_moving(self) -> bool:
        """Whether the first step is done."""
        done, step, _ = self.at
        return done > 0 or step > 0

    @property
    def fraction(self) -> float:
        """The part of all epochs that is done."""
        done, step, _ = self.at
        return min(1.0, (done + step / self.start.steps) / self.start.epochs)

    def seconds_left(self, now: float) -> float | None:
        """At the speed of the last epochs, validation included; None while it is not known."""
        done, step, then = self.at
        epochs, steps = self.start.epochs, self.start.steps
        if done == 0:
            measured = then - self.second_step
            if step < 3 or measured < 0.3:
                return None
            return max(0.0, measured / (step - 1) * (epochs * steps - step) - (now - then))
        if len(self.ends) > 1:
            each = (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)
        elif self.second_step:
            each = (self.ends[0] - self.second_step) * steps / max(1, steps - 1)
        else:
            return None
        return max(0.0, each * (epochs - done) - min(now - self.ends[-1], each))


def epoch_line(running: RunningPhase, columns: int, glyphs: Glyphs, now: float) -> Text:
    """`epoch 10/25 ━━━━────── loss 0.481  acc 90.1% 00:14 left val loss █▅▃▂▁`.

    Each field is as wide as it can become, so that the bar stays where it is. Where they do not
    fit, the fields go one after the other.
    """
    from rich.text import Text

    start, metrics = running.start, running.metrics
    done, *_ = running.at
    position = f"{min(done + 1, start.epochs)}/{start.epochs}".ljust(2 * len(str(start.epochs)) + 1)
    phase = f"phase {start.position}/{start.count} · " if start.count > 1 else ""
    left = running.seconds_left(now)
    loss = f"loss {_short(metrics['loss'])}" if metrics else ""
    shares = start.metric == "accuracy"
    share = f"acc {metrics['accuracy']:.1%}" if metrics and shares else ""
    label = HEADINGS.get(start.monitor, start.monitor)
    phase = phase if glyphs is UNICODE else phase.replace("·", "-")
    clock = (time_left(left) if left is not None else "", TIME_LEFT_WIDTH, "cyan")
    spark = (sparkline(running.values, SPARK_WIDTH, glyphs.sparks), SPARK_WIDTH, "cyan")
    short = (sparkline(running.values, SHORT_SPARK, glyphs.sparks), SHORT_SPARK, "cyan")
    named = (label, len(label), "")
    figure, rate = (loss, len("loss 0.000123"), ""), (share, len("acc 100.0%"), "")
    choices: list[tuple[str, Sequence[tuple[str, int, str]], int]] = [
        (f"{phase}epoch ", (figure, *((rate,) if shares else ()), clock, named, spark), 10),
        (f"{phase}epoch ", (figure, clock, named, spark), 10),
        (f"{phase}epoch ", (clock, named, spark), 8),
        (f"{phase}epoch ", (clock, spark), 8),
        ("epoch ", (clock, spark), 8),
        ("epoch ", (clock, short), 6),
        ("", (clock, short), 4),
        ("", (clock,), 4),
        ("", (), 0),
    ]
    for head, fields, least in choices:
        taken = len(head) + len(position) + 1 + sum(1 + width for _, width, _ in fields)
        if columns - taken >= least:
            break
    bar = max(0, min(BAR_WIDTH, columns - taken))
    line = Text.assemble((head + position, "bold"), " ").append_text(
        _bar(running.fraction, bar, glyphs)
    )
    for text, width, style in fields:
        line.append(" ").append(text.ljust(width), style)
    return line


def _bar(fraction: float, width: int, glyphs: Glyphs) -> Text:
    from rich.text import Text

    halves = int(fraction * width * 2)
    done = glyphs.done * (halves // 2) + (glyphs.half if halves % 2 else "")
    rest = glyphs.rest * (width - len(done))
    return Text.assemble((done, "cyan"), (rest, "bright_black"))


def _short(value: float) -> str:
    """Three digits, in at most eight columns."""
    return f"{value:#.3g}".rstrip(".")


def sparkline(values: Sequence[float], width: int = SPARK_WIDTH, sparks: str = SPARKS) -> str:
    """All values as a row of blocks, the lowest ▁ and the highest █; `!` is no number.

    Of more values than `width` a block is the mean of its share.
    """
    values = list(values)  # another thread appends to them
    shown = [_mean(part) for part in _parts(values, width)] if len(values) > width else values
    finite = [value for value in shown if math.isfinite(value)]
    if not finite:
        return "!" * len(shown)
    low, span = min(finite), max(finite) - min(finite) or 1.0
    top = len(sparks) - 1
    return "".join(
        sparks[round((value - low) / span * top)] if math.isfinite(value) else "!"
        for value in shown
    )


def _parts(values: Sequence[float], count: int) -> Iterator[Sequence[float]]:
    ends = [round(len(values) * part / count) for part in range(count + 1)]
    return (values[begin:end] for begin, end in pairwise(ends))


def _mean(values: Sequence[float]) -> float:
    return sum(value / len(values) for value in values)
