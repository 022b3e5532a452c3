"""Kill, tear and fail a real training at any of its file calls, and hold what is left to the bits.

A point is one call of one short run. It is good if the run, resumed, ends as one that nothing
happened to: the same history, the same figures, the same state to the last bit of the optimizer.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nncli import runs
from nncli.errors import RunError
from nncli.training.checkpoint import newest
from nncli.verification import first_difference

COUNT, BEFORE, AFTER, TORN, NO_SPACE, BROKEN = range(6)
"""What may come of a call, as preload.c counts them."""
KILLED = -9

KINDS = {
    "rnn": ["training.epochs=3", "data.points=12", "model.dropout=0.3"],
    "lstm": [
        "training.epochs=3", "data.samples=60", "data.steps=20", "model.units=[4,3]",
        "model.dropout=0.3", "training.early_stopping={patience: 2}",
    ],
    "cnn": [
        "training.epochs=3", "data.train_per_class=4", "model.filters=[4]", "model.dropout=0.2",
        "model.augmentation={flip: horizontal, rotation: 10}", "training.optimizer=adamw",
    ],
    "transfer": [
        "training.epochs=2", "pretraining.epochs=1", "pretraining.data.train_per_class=4",
        "data.train_per_class=2", "model.dropout=0.2", "model.fine_tune={layers: 2, epochs: 1}",
        "model.compare=[]",
    ],
}  # fmt: skip
"""Short runs that have all there is: dropout, augmentation, early stopping, phases."""


def compiler() -> str | None:
    """What makes a library of C, if it is here."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@cache
def library() -> Path:
    """preload.c, compiled."""
    made = Path(tempfile.mkdtemp(prefix="nncli-faults-")) / "preload.so"
    source = Path(__file__).with_name("preload.c")
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
    subprocess.run([str(compiler()), *flags, "-o", made, source, "-ldl"], check=True)
    return made


@dataclass(frozen=True)
class Outcome:
    """What became of a command."""

    code: int
    """Its exit code, or the signal that ended it as a negative number."""
    said: str
    """On both streams."""
    calls: tuple[str, ...]
    """By which it changed files: `rename /…/run.json`."""
    seconds: float
    since_signal: float | None
    """Seconds from the signal that it was sent to its end."""


class Worker:
    """A process of worker.py; one job at a time."""

    def __init__(self, folder: Path) -> None:
        """Begin to import.

        Args:
            folder: for what the commands print.
        """
        self.folder = folder
        before = os.environ.get("LD_PRELOAD")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "LD_PRELOAD": ":".join(filter(None, (str(library()), before)))},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._jobs, self._answers = self._process.stdin, self._process.stdout
        assert json.loads(self._answers.readline())["ready"]

    def run(
        self, arguments: Sequence[str], within: Path, call: int = 0, mode: int = COUNT, **more: Any
    ) -> Outcome:
        """Run a command; something may happen to it.

        Args:
            arguments: after `nncli`.
            within: the calls that change files in this folder are counted.
            call: which of them is hit, from 1.
            mode: what comes of it.
            more: see worker.py.
        """
        output, log, sent = (self.folder / name for name in ("said", "calls", "sent"))
        sent.unlink(missing_ok=True)
        job = {
            "arguments": list(arguments),
            "folder": f"{within}/",
            "call": call,
            "mode": mode,
            "log": str(log),
            "output": str(output),
            "sent": str(sent),
            "environment": {"NNCLI_CACHE": str(within / "cache"), "TMPDIR": str(self.folder)},
            **more,
        }
        print(json.dumps(job), file=self._jobs, flush=True)
        answer = json.loads(self._answers.readline())
        return Outcome(
            code=answer["code"],
            said=output.read_text(encoding="utf-8"),
            calls=tuple(line.partition(" ")[2] for line in log.read_text().splitlines()),
            seconds=answer["ended"] - answer["began"],
            since_signal=answer["ended"] - float(sent.read_text()) if sent.exists() else None,
        )

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def training(kind: str, outputs: Path, *more: str) -> list[str]:
    """The command of a short run of a kind, a checkpoint after each epoch.

    Args:
        kind: one of KINDS.
        outputs: the run becomes `kind/run` in it.
        more: options.
    """
    sets = [*KINDS[kind], "training.checkpoints.every_epochs=1"]
    given = [word for each in sets for word in ("--set", each)]
    return [
        *("train", kind, *given, "--device", "cpu", "--threads", "1"),
        *("--output", str(outputs), "--name", "run", *(more or ("--no-pictures",))),
    ]


def resuming(folder: Path) -> list[str]:
    """The command that goes on with a run."""
    return ["train", "--resume", str(folder), "--no-pictures"]


@dataclass(frozen=True)
class Whole:
    """A run that nothing happened to."""

    kind: str
    folder: Path
    """Of the run."""
    outcome: Outcome

    def first(self, call: str) -> int:
        """The number of the first call that reads so: `rename .*run.json`."""
        return self._numbers(call)[0]

    def last(self, call: str) -> int:
        """The number of the last."""
        return self._numbers(call)[-1]

    def _numbers(self, call: str) -> list[int]:
        pattern = re.compile(call)
        return [i for i, each in enumerate(self.outcome.calls, 1) if pattern.search(each)]


def whole(worker: Worker, kind: str, root: Path, **more: Any) -> Whole:
    """Train without a fault."""
    work = Path(tempfile.mkdtemp(prefix=f"{kind}-whole-", dir=root))
    outcome = worker.run(training(kind, work / "outputs"), work, **more)
    assert outcome.code == 0, outcome.said
    return Whole(kind, work / "outputs" / kind / "run", outcome)


def fault(worker: Worker, good: Whole, root: Path, call: int, mode: int, **more: Any) -> str:
    """Train with a fault, and resume.

    Args:
        worker: to run it.
        good: the run that the end is held to.
        root: for the folders of the run.
        call: which call is hit, from 1.
        mode: what comes of it.
        more: see worker.py.

    Returns:
        What is wrong with what came of it; empty for nothing.
    """
    with tempfile.TemporaryDirectory(dir=root) as name:
        work = Path(name)
        outcome = worker.run(training(good.kind, work / "outputs"), work, call, mode, **more)
        problem = (
            out_of_order(outcome, mode, killed="kill_after" in more)
            or resumed(worker, good, work, must=was_saved(outcome, call, mode))
        )  # fmt: skip
        return f"{problem}\nbefore that: {outcome.said}" if problem else ""


def out_of_order(outcome: Outcome, mode: int, *, killed: bool = False) -> str:
    """What is wrong with the way in which a command with a fault ended."""
    if outcome.code == KILLED and (killed or mode in {BEFORE, AFTER, TORN}):
        return ""
    if outcome.code == 0:  # it was over already, or what failed was not needed
        return ""
    if mode in {NO_SPACE, BROKEN} and outcome.code in {1, 4}:
        reason = "No space left on device" if mode == NO_SPACE else "Input/output error"
        words = " ".join(outcome.said.split())
        return "" if reason in words and "Traceback" not in words else f"it says: {outcome.said}"
    return f"it ended with {outcome.code}"


def was_saved(outcome: Outcome, call: int, mode: int) -> bool:
    """Whether the state of an epoch had reached the disk for certain."""
    done = outcome.calls
    if mode == NO_SPACE:
        done = done[: call - 1]
    elif mode == BROKEN:
        done = done[: call - 1] + done[call:]
    elif mode not in {AFTER, TORN}:  # the last one may have been under way
        done = done[:-1]
    return any(re.match(r"(rename|write) .*/\d+\.state$", each) for each in done)


def resumed(worker: Worker, good: Whole, work: Path, *, must: bool) -> str:
    """Go on with what a fault has left.

    Returns:
        What is wrong with the end of it. Where no epoch `must` have been kept, it may also be
        refused in order.
    """
    folder = work / "outputs" / good.kind / "run"
    again = worker.run(resuming(folder), work)
    if not must and again.code in {2, 4} and "Traceback" not in again.said:
        return ""
    if again.code != 0:
        return f"resumed, it ended with {again.code}: {again.said}"
    left = [path.name for path in work.rglob(".*") if path.is_file()]
    return f"it left {left}" if left else different(good.folder, folder)


def different(one: Path, other: Path) -> str:
    """What two runs differ in, or nothing."""
    difference = first_difference(one, other)
    if difference:
        return difference
    status = runs.load(other).run["status"]
    if status != "finished":
        return f"its status is {status}"
    try:
        before, after = newest(one), newest(other)
    except RunError as error:
        return str(error)
    for group in ("variables", "optimizer", "best"):
        for a, b in zip(getattr(before, group), getattr(after, group), strict=True):
            if a.tobytes() != b.tobytes():
                return f"the last checkpoint differs in its {group}"
    return ""
