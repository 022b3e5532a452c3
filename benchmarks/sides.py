"""Who does a job, and one turn of it: a whole process that starts afresh."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs import Job, Training
from measure import CommandError, Used, run
from outcome import (
    Outcome,
    UnequalError,
    differences,
    differences_in_order,
    differences_of_torch,
    stored,
    told,
    unsaid,
)

HERE = Path(__file__).parent
PLAIN, NNCLI, AGAIN, TORCH = "plain", "nncli", "nncli, again", "PyTorch"
OURS = (NNCLI, AGAIN)
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
"""What TensorFlow is told by whether to take oneDNN's kernels."""


@dataclass(frozen=True)
class Side:
    """One of those who do a job."""

    name: str
    command: tuple[str, ...]
    """With `{made}` and `{epochs}` in it."""
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Turn:
    """One process of a side."""

    used: Used
    outcome: Outcome | None
    """None for a job that does not train."""

    @property
    def trained(self) -> Outcome:
        """The outcome of a training."""
        assert self.outcome is not None
        return self.outcome


def sides(job: Job, *, in_order: bool = False) -> list[Side]:
    """Who does a job: the plain script first, then nncli, then who else there is.

    Args:
        job: with its arguments.
        in_order: whether the samples are taken in their own order; only by the first two.
    """
    shared = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    if in_order:  # nncli always takes them, TensorFlow not on every CPU: the last bits differ
        shared[ONEDNN] = "1"
    asked = {**shared, **job.environment}
    script = [sys.executable, str(HERE / "plain" / job.plain[0]), *job.plain[1:]]
    ours = [nncli_command(), *job.nncli]
    if in_order:
        script.append("in-order")
        ours += ["--set", "training.shuffle=false"]
    if not isinstance(job, Training):
        return [Side(PLAIN, tuple(script), shared), Side(NNCLI, tuple(ours), asked)]
    fresh = ["--no-cache"] if has_cache() else []
    both = [Side(PLAIN, tuple(script), shared), Side(NNCLI, (*ours, *fresh), asked)]
    if job.extracts and has_cache() and not in_order:
        both.append(Side(AGAIN, tuple(ours), asked))
    if job.torch and has_torch() and not in_order:
        torch = (sys.executable, str(HERE / "pytorch" / job.torch[0]), *job.torch[1:])
        both.append(Side(TORCH, torch, shared))
    return both


def nncli_command() -> str:
    """The installed command that belongs to this Python."""
    path = Path(sys.executable).with_name("nncli")
    if not path.is_file():
        sys.exit(f"there is no {path}: install nncli for this Python first")
    return str(path)


@functools.cache
def has_cache() -> bool:
    """Whether this nncli keeps features from run to run, and can be told not to."""
    command = [nncli_command(), "train", "--help"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return "--no-cache" in done.stdout


def has_torch() -> bool:
    """Whether this Python has PyTorch."""
    return importlib.util.find_spec("torch") is not None


def make(jobs: Sequence[Job], folder: Path) -> None:
    """Write the data and the weights that jobs read, in a process of its own.

    Raises:
        CommandError: it did not end well.
    """
    names = {name: None for job in jobs for name in job.made}
    command = [sys.executable, str(HERE / "made.py"), str(folder), *names]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise CommandError(f"{' '.join(command)} ended with {done.returncode}\n{done.stderr}")


def take_turn(job: Job, side: Side, epochs: int, made: Path) -> Turn:
    """Let a side do the job once, in an empty folder that is removed.

    Raises:
        CommandError: it did not end well, or told no result.
        UnequalError: a command that does not train said or drew something else.
    """
    folder = made / "run"
    command = [each.format(made=made, epochs=epochs) for each in side.command]
    # one cache for all of them, and nobody else's: pyplot's list of fonts, nncli's features
    cache = str(made / "cache")
    environment = {**side.environment, "XDG_CACHE_HOME": cache, "NNCLI_CACHE": cache}
    try:
        used = run(command, folder, environment)
        if isinstance(job, Training):
            return Turn(used, stored(folder) if side.name in OURS else told(used.output))
        lacks = unsaid(job, folder, used.output, ours=side.name in OURS)
        if lacks:
            raise UnequalError(f"{job.name}, {side.name}: {'; '.join(lacks)}")
        return Turn(used, None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def warm_up(job: Job, taking_part: Sequence[Side], made: Path) -> None:
    """Let each side do the job once, one epoch of it, so that all find the same.

    That is: compiled files, the disk's cache, and nncli's features.

    Raises:
        CommandError: one did not end well.
        UnequalError: a command that does not train said or drew something else.
    """
    for side in taking_part:
        take_turn(job, side, 1, made)


def take_turns(
    job: Job, taking_part: Sequence[Side], epochs: int, pairs: int, made: Path
) -> dict[str, list[Turn]]:
    """All sides in rounds, each round in the other order: the turns of each.

    Raises:
        CommandError: one did not end well.
        UnequalError: one did other work than the plain script, or came to another result.
    """
    turns: dict[str, list[Turn]] = {side.name: [] for side in taking_part}
    for number in range(pairs):
        for side in taking_part[:: -1 if number % 2 else 1]:
            turns[side.name].append(take_turn(job, side, epochs, made))
        for side in taking_part[1:]:
            check(job, side, epochs, turns[PLAIN][-1], turns[side.name][-1])
    return turns


def check(
    job: Job, side: Side, epochs: int, plain: Turn, other: Turn, *, in_order: bool = False
) -> None:
    """Refuse to compare what is not equal.

    Raises:
        UnequalError: saying in what.
    """
    if not isinstance(job, Training):
        return  # held against what it says already
    how = differences_of_torch if side.name == TORCH else differences
    found = (differences_in_order if in_order else how)(job, epochs, plain.trained, other.trained)
    if found:
        raise UnequalError(f"{job.name}, {side.name}: {'; '.join(found)}")
