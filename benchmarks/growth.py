"""How the cost grows with samples and epochs, nncli beside the plain script.

    python benchmarks/growth.py [--pairs 1]

Trains the cnn on 1, 4 and 16 times as many images, and the cnn and the rnn for 1, 10 and 100
epochs. Prints seconds and peak memory of the whole processes, and what is added by one epoch and
by 1,000 images: what a command costs once is in neither of them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jobs import JOBS, Training
from measure import CommandError, end_on_signal, median_ratio
from outcome import UnequalError
from sides import NNCLI, PLAIN, Side, Turn, make, sides, take_turns, warm_up
from table import seconds, table

COLUMNS = (
    "job",
    "images",
    "epochs",
    "plain s",
    "nncli s",
    "ratio",
    "plain MB",
    "nncli MB",
    "memory",
)
ADDED = ("job", "what is added", "plain", "nncli", "ratio")
FILES = {2_500: "cnn-2500.npz", 10_000: "cnn-10000.npz", 40_000: "cnn-40000.npz"}
FEW = "cnn-1000.npz"
EPOCHS = (1, 10, 100)


@dataclass(frozen=True)
class Point:
    """A job at one size."""

    job: Training
    images: int
    """0 where it has none."""
    epochs: int


@dataclass(frozen=True)
class Cost:
    """What both took there: medians."""

    point: Point
    wall: tuple[float, float]
    """Seconds of the plain script and of nncli."""
    memory: tuple[float, float]
    """Megabytes."""
    ratios: tuple[float, float]
    """Of both, nncli's to the plain script's: medians of the rounds'."""


def job_named(name: str) -> Training:
    """One of the table, whose result may be any: a few epochs on a few samples end anywhere."""
    (job,) = (job for job in JOBS if job.name == name)
    assert isinstance(job, Training)
    return replace(job, loss_within=1.0, accuracy_within=1.0, torch=())


def points() -> tuple[list[Point], list[Point], list[Point]]:
    """The cnn on more images, the cnn for more epochs, the rnn for more epochs."""
    cnn, rnn = job_named("cnn"), job_named("rnn")
    return (
        [Point(cnn.on(file), images, 1) for images, file in FILES.items()],
        [Point(cnn.on(FEW), 1_000, epochs) for epochs in EPOCHS],
        [Point(rnn, 0, epochs) for epochs in EPOCHS],
    )


def both_sides(point: Point) -> list[Side]:
    """The plain script and nncli."""
    return sides(point.job)[:2]


def measured(point: Point, pairs: int, made: Path) -> Cost:
    """Both sides at one size.

    Raises:
        CommandError: a process did not end well.
        UnequalError: they did not do the same.
    """
    turns = take_turns(point.job, both_sides(point), point.epochs, pairs, made)
    both = (turns[PLAIN], turns[NNCLI])

    def numbers(name: str, side: Sequence[Turn]) -> list[float]:
        return [getattr(each.used, name) for each in side]

    def medians(name: str) -> tuple[float, float]:
        plain, ours = (statistics.median(numbers(name, side)) for side in both)
        return plain, ours

    def ratio(name: str) -> float:
        return median_ratio(numbers(name, both[1]), numbers(name, both[0]))

    return Cost(point, medians("wall"), medians("memory"), (ratio("wall"), ratio("memory")))


def row(cost: Cost) -> list[str]:
    point = cost.point
    return [
        *(point.job.name, f"{point.images:,}" if point.images else "", f"{point.epochs}"),
        *map(seconds, cost.wall),
        f"{cost.ratios[0]:.2f}",
        *(f"{megabytes:.0f}" for megabytes in cost.memory),
        f"{cost.ratios[1]:.2f}",
    ]


def added(first: Cost, last: Cost) -> list[list[str]]:
    """What the last one took more than the first, for each epoch or 1,000 images more."""
    name = first.point.job.name
    epochs = last.point.epochs - first.point.epochs
    if epochs:
        each = [(more - less) / epochs for less, more in zip(first.wall, last.wall, strict=True)]
        return [added_row(name, "milliseconds per epoch", [1000 * number for number in each])]
    thousands = (last.point.images - first.point.images) / 1000
    rows = []
    for what, figure in (("seconds", "wall"), ("MB", "memory")):
        both = zip(getattr(first, figure), getattr(last, figure), strict=True)
        each = [(more - less) / thousands for less, more in both]
        rows.append(added_row(name, f"{what} per 1,000 images", each))
    return rows


def added_row(name: str, what: str, each: Sequence[float]) -> list[str]:
    plain, ours = each
    ratio = f"{ours / plain:.2f}" if plain > 0 and ours > 0 else ""
    return [name, what, f"{plain:.3f}", f"{ours:.3f}", ratio]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=1)
    given = parser.parse_args(arguments)
    series = points()
    rows, more = [], []
    with tempfile.TemporaryDirectory(prefix="nncli-growth-") as folder:
        made = Path(folder)
        try:
            make([point.job for points in series for point in points], made)
            for each in series:
                warm_up(each[0].job, both_sides(each[0]), made)
                costs = []
                for point in each:
                    costs.append(measured(point, given.pairs, made))
                    rows.append(row(costs[-1]))
                    print(", ".join(rows[-1]), flush=True)
                more += added(costs[0], costs[-1])
        except (UnequalError, CommandError) as error:
            print(f"FAILED: {error}")
            return 1
    print()
    print(table(COLUMNS, rows, texts=1))
    print()
    print(table(ADDED, more))
    return 0


if __name__ == "__main__":
    end_on_signal()
    sys.exit(main(sys.argv[1:]))
