"""nncli beside plain scripts that do the same: whole processes, in turns, in one run.

    python benchmarks/compare.py [--pairs 5] [--jobs cnn,lstm] [--write]
    python benchmarks/compare.py --same-order [--jobs cnn,lstm]

Each round runs the plain script and nncli once, the next one in the other order; a row shows the
medians, and the median of the rounds' ratios. Ends with 1 where the two did not do equal work.

--write        Puts the tables into benchmarks/README.md; with --jobs the rows of these jobs alone.
--same-order   Measures nothing: both take the samples in their own order, and the training loss of
               every epoch has to be the same.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs import JOBS, Job, Training
from measure import CommandError, end_on_signal
from outcome import UnequalError
from sides import HERE, PLAIN, check, make, sides, take_turn, take_turns, warm_up
from table import (
    EPOCHS,
    WHOLE,
    between,
    circumstances,
    epochs_row,
    placed,
    rows_of,
    table,
    whole_row,
)

README = HERE / "README.md"
ORDERED_EPOCHS = 2
"""Enough to see whether every step is the same."""


def compare(job: Job, pairs: int, made: Path) -> tuple[list[list[str]], list[list[str]]]:
    """Measure one job: its rows of both tables.

    Raises:
        CommandError: a process did not end well.
        UnequalError: the sides did not do the same.
    """
    taking_part = sides(job)
    epochs = job.epochs if isinstance(job, Training) else 0
    warm_up(job, taking_part, made)
    turns = take_turns(job, taking_part, epochs, pairs, made)
    whole, warm = [], []
    for side in taking_part[1:]:
        both = (turns[PLAIN], turns[side.name])
        whole.append(whole_row(job, side.name, *both))
        plain, other, ratio = whole[-1][2:5]
        said = f"{job.name}, {side.name}: {other} s, plain {plain} s, ratio {ratio}"
        if isinstance(job, Training):
            warm.append(epochs_row(job, side.name, *both))
            said += f"; a warm epoch {warm[-1][4]}"
        print(said, flush=True)
    return whole, warm


def hold_together(job: Training, made: Path) -> None:
    """Hold every epoch's loss of the two against each other, on samples in their own order.

    Raises:
        CommandError: a process did not end well.
        UnequalError: they differ.
    """
    plain, ours = sides(job, in_order=True)
    one, two = (take_turn(job, side, ORDERED_EPOCHS, made) for side in (plain, ours))
    check(job, ours, ORDERED_EPOCHS, one, two, in_order=True)
    losses = " and ".join(f"{turn.trained.figures['loss'][-1]:.7g}" for turn in (one, two))
    print(f"{job.name}: equal, loss {losses} after {ORDERED_EPOCHS} epochs", flush=True)


def in_order(job: Training) -> Training:
    """The job with the samples that its losses are held together on."""
    return job.on(job.fewer) if job.fewer else job


def chosen(text: str | None) -> list[Job]:
    """The jobs of these names, in the table's order."""
    names = [job.name for job in JOBS] if text is None else text.split(",")
    for name in names:
        if name not in [job.name for job in JOBS]:
            sys.exit(f"no job {name!r}; there are {', '.join(job.name for job in JOBS)}")
    return [job for job in JOBS if job.name in names]


def options(arguments: Sequence[str]) -> Any:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--jobs", metavar="NAME,NAME")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--same-order", action="store_true")
    given = parser.parse_args(arguments)
    if given.pairs < 1:
        parser.error("--pairs: at least 1")
    if given.write and given.same_order:
        parser.error("--write is for what was measured: leave out --same-order")
    return given


def main(arguments: Sequence[str]) -> int:
    given = options(arguments)
    jobs = chosen(given.jobs)
    if given.same_order:
        jobs = [in_order(job) for job in jobs if isinstance(job, Training)]
    whole: list[list[str]] = []
    warm: list[list[str]] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="nncli-compare-") as folder:
        make(jobs, Path(folder))
        for job in jobs:
            try:
                if given.same_order:
                    assert isinstance(job, Training)
                    hold_together(job, Path(folder))
                else:
                    rows = compare(job, given.pairs, Path(folder))
                    whole += rows[0]
                    warm += rows[1]
            except (
                UnequalError,
                CommandError,
            ) as error:  # the other jobs are measured all the same
                wrong.append(str(error))
                print(f"FAILED: {error}", flush=True)
    tables = [table(*each) for each in ((WHOLE, whole), (EPOCHS, warm)) if each[1]]
    for each in tables:
        print(f"\n{each}")
    if wrong:
        print("", *(f"FAILED: {each}" for each in wrong), sep="\n")
        return 1
    if given.write:
        how = circumstances(["python", "benchmarks/compare.py", *arguments], given.pairs)
        text = README.read_text(encoding="utf-8")
        kept = between(text) if given.jobs else ""
        README.write_text(placed(text, written(kept, how, jobs, whole, warm)), encoding="utf-8")
    return 0


def written(
    kept: str, how: str, jobs: Sequence[Job], whole: list[list[str]], warm: list[list[str]]
) -> str:
    """How it was measured, and the tables.

    Args:
        kept: what was written before, of which other jobs' rows stay; empty for none.
        how: the circumstances.
        jobs: that were measured.
        whole: their rows of the one table.
        warm: their rows of the other.
    """
    names, order = {job.name for job in jobs}, [job.name for job in JOBS]
    known = set(order) - names
    command = how.partition(", ")[0]
    hows = re.findall(r"^`python .*$", kept, flags=re.MULTILINE)
    parts = [*(line for line in hows if line.partition(", ")[0] != command), how]
    for columns, rows in ((WHOLE, whole), (EPOCHS, warm)):
        others = [row for row in rows_of(kept, columns) if row[0] in known]
        if others or rows:
            parts.append(
                table(columns, sorted([*others, *rows], key=lambda row: order.index(row[0])))
            )
    return "\n\n".join(parts)


if __name__ == "__main__":
    end_on_signal()
    sys.exit(main(sys.argv[1:]))
