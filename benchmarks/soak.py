"""Many short runs into one folder: does anything collide, leak or stay behind?

    python benchmarks/soak.py [--runs 200] [--at-once 8] [--in-one 40]

Trains the lesson's rnn for two epochs: `--runs` processes one after the other, every tenth of them
with pictures and a report; then `--at-once` in the background of one shell; then `--in-one` within
one process. All write into one outputs folder. Afterwards every run has to be there under the next
number, finished, with the same files and the same metrics as the others; no process, temporary file
or word on standard error may be left, and the last runs may take no more memory than the first.

Prints a table; ends with 1 where something is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import CommandError, Used, end_on_signal, run
from table import machine, table

NNCLI = (sys.executable, "-m", "nncli")
TRAIN = ("train", "rnn", "--epochs", "2")
PLAIN = "--no-pictures"
DRAWN_EVERY = 10
"""Of the runs one after the other, which draw their pictures."""
ENDS = 10
"""Runs at either end whose medians are held against each other."""
GROWTH = 1.05
"""How much more memory the last runs may take than the first."""
EACH = 8.0
"""Megabytes that each further run within one process may add: TensorFlow keeps the graph of an
epoch with a loop in a loop, 5 MB of this model. A run of the command is a process of its own."""
WARM = 5
"""Runs within one process until all that is loaded once is loaded."""

SHELL = """
for number in $(seq "$1"); do "${@:2}" & started="$started $!"; done
for process in $started; do wait "$process" || code=1; done
exit "${code:-0}"
"""
IN_ONE = """
import os, sys
from nncli.cli import main
page = os.sysconf("SC_PAGE_SIZE")
for _ in range(int(sys.argv[1])):
    if main(sys.argv[2:]):
        sys.exit(1)
    with open("/proc/self/statm") as stream:
        print("RESIDENT", int(stream.read().split()[1]) * page / 1e6)
"""


@dataclass(frozen=True)
class Place:
    """The one folder that everything happens in."""

    root: Path

    @property
    def outputs(self) -> Path:
        """Where all runs are made."""
        return self.root / "outputs"

    @property
    def environment(self) -> dict[str, str]:
        """With folders of its own for what is temporary and what is kept."""
        own = {"TMPDIR": self.root / "temporary", "NNCLI_CACHE": self.root / "cache"}
        for folder in own.values():
            folder.mkdir(exist_ok=True)
        return {**os.environ, **{name: str(folder) for name, folder in own.items()}}

    def start(self, *command: str) -> Used:
        """Run a command to its end.

        Raises:
            CommandError: it failed, left a process, or wrote to standard error.
        """
        used = run(command, self.root / "work", self.environment)
        said = (self.root / "work" / "stderr.txt").read_text(errors="replace")
        if said:
            raise CommandError(f"{' '.join(command)} wrote to standard error\n{said}")
        return used

    def train(self, *options: str) -> tuple[str, ...]:
        """The words after `nncli` for one run into the outputs."""
        return (*TRAIN, *options, "--output", str(self.outputs))


@dataclass(frozen=True)
class Soak:
    """What all of it took."""

    plain: list[Used]
    """Each run that was one of a row and drew no pictures."""
    drawn: list[Used]
    """Each that did."""
    together: list[Used]
    """The shell with its runs at once."""
    resident: list[float]
    """Megabytes of the one process after each of its runs."""


def soak(place: Place, asked: Any, wrong: list[str]) -> Soak:
    """Train everything; what fails is told, and the rest goes on."""
    done = Soak([], [], [], [])
    for number in range(asked.runs):
        draws = number % DRAWN_EVERY == DRAWN_EVERY - 1
        command = (*NNCLI, *place.train(*(() if draws else (PLAIN,))))
        try:
            (done.drawn if draws else done.plain).append(place.start(*command))
        except CommandError as error:
            wrong.append(str(error))
        if draws:
            print(f"{number + 1} of {asked.runs} runs", flush=True)
    try:
        words = ("bash", "-c", SHELL, "bash", str(asked.at_once), *NNCLI, *place.train(PLAIN))
        if asked.at_once:
            done.together.append(place.start(*words))
        words = (sys.executable, "-c", IN_ONE, str(asked.in_one), *place.train(PLAIN))
        if asked.in_one:
            told = place.start(*words).output.splitlines()
            lines = [line for line in told if line.startswith("RESIDENT")]
            done.resident.extend(float(line.split()[1]) for line in lines)
    except CommandError as error:
        wrong.append(str(error))
    return done


def ends(numbers: Sequence[float]) -> tuple[float, float]:
    """The medians of the first and of the last of them."""
    return statistics.median(numbers[:ENDS]), statistics.median(numbers[-ENDS:])


def each_adds(resident: Sequence[float]) -> float:
    """Megabytes that a run within one process adds, once it is warm."""
    warm = resident[WARM:]
    return (warm[-1] - warm[0]) / (len(warm) - 1) if len(warm) > 1 else 0.0


def listed(outputs: Path) -> dict[str, str]:
    """The status of each run, as `nncli runs list` tells it."""
    command = [*NNCLI, "runs", "list", "--json", "--output", str(outputs)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {run["name"]: run["status"] for run in json.loads(told)["runs"]}


def unlisted(outputs: Path, count: int) -> list[str]:
    """What is wrong with the runs that are there."""
    expected = [f"rnn-sine-{number:03}" for number in range(1, count + 1)]
    found = listed(outputs)
    wrong = [f"{name} is missing" for name in expected if name not in found]
    wrong += [f"{name} is too many" for name in sorted(found) if name not in expected]
    figures, files = set(), set()
    for name in sorted({*found} & {*expected}):
        folder = outputs / "rnn" / name
        if found[name] != "finished":
            wrong.append(f"{name} is {found[name]}")
            continue
        figures.add((folder / "metrics.json").read_bytes())
        files.add(frozenset(str(path.relative_to(folder)) for path in folder.rglob("*")))
    if len(figures) > 1:
        wrong.append(f"the runs have {len(figures)} different metrics.json")
    if len(files) > 2:  # with pictures, and without
        wrong.append(f"the runs have {len(files)} different sets of files")
    return wrong


def left_over(place: Place) -> list[str]:
    """Temporary files that nobody has removed."""
    found = [*(place.root / "temporary").rglob("*")]
    for folder in (place.outputs, place.root / "cache"):
        found += [path for path in folder.rglob(".*") if path.name != ".gitignore"]
    return [f"{path.relative_to(place.root)} is left over" for path in found]


def grown(done: Soak) -> list[str]:
    """What takes more memory at the end than at the beginning."""
    wrong = []
    if len(done.plain) >= 2 * ENDS:
        first, last = ends([each.memory for each in done.plain])
        if last > GROWTH * first:
            wrong.append(f"the last runs take {last:.0f} MB, the first {first:.0f} MB")
    if each_adds(done.resident) > EACH:
        wrong.append(f"each run within one process adds {each_adds(done.resident):.1f} MB")
    return wrong


def rows(done: Soak, asked: Any) -> list[list[str]]:
    """The table: how many, their seconds and their megabytes, first and last."""
    cells = []
    for name, runs in (("one after the other", done.plain), ("with pictures", done.drawn)):
        if runs:
            wall, memory = ends([each.wall for each in runs]), ends([each.memory for each in runs])
            figures = [f"{wall[0]:.1f}", f"{wall[1]:.1f}", f"{memory[0]:.0f}", f"{memory[1]:.0f}"]
            cells.append([name, str(len(runs)), *figures])
    for used in done.together:
        cells.append(
            [
                "at once, all together",
                str(asked.at_once),
                f"{used.wall:.1f}",
                "",
                f"{used.memory:.0f}",
                "",
            ]
        )
    if len(done.resident) > WARM:
        first, last = done.resident[WARM], done.resident[-1]
        count = str(len(done.resident))
        cells.append(["within one process", count, "", "", f"{first:.0f}", f"{last:.0f}"])
    return cells


def options(arguments: Sequence[str]) -> Any:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--in-one", type=int, default=40)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    asked = options(arguments)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="nncli-soak-") as folder:
        place = Place(Path(folder))
        done = soak(place, asked, wrong)
        wrong += unlisted(place.outputs, asked.runs + asked.at_once + asked.in_one)
        wrong += left_over(place) + grown(done)
    heads = ("runs", "number", "first s", "last s", "first MB", "last MB")
    print(f"\n{machine()}\n\n{table(heads, rows(done, asked), texts=1)}\n")
    print(*(f"FAILED: {each}" for each in wrong), sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    end_on_signal()
    sys.exit(main(sys.argv[1:]))
