"""Send a training a signal in any part of its work, and go on with what it leaves."""

from __future__ import annotations

import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.faults import harness
from tests.faults.harness import Whole, Worker


@dataclass(frozen=True)
class Moment:
    """When it comes."""

    number: signal.Signals
    part: str
    """One of `nncli.profile.PARTS`."""
    delay: float = 0.0
    """Seconds after the beginning of the part."""


MOMENTS = [
    Moment(signal.SIGINT, "data"),
    Moment(signal.SIGTERM, "data"),
    Moment(signal.SIGTERM, "import"),
    Moment(signal.SIGINT, "build"),
    Moment(signal.SIGTERM, "features"),
    Moment(signal.SIGINT, "features"),
    Moment(signal.SIGTERM, "compile"),
    Moment(signal.SIGINT, "train", 0.01),
    Moment(signal.SIGTERM, "train", 0.3),
    Moment(signal.SIGINT, "train", 0.6),
    Moment(signal.SIGTERM, "save"),
    Moment(signal.SIGINT, "test"),
    Moment(signal.SIGTERM, "test"),
    Moment(signal.SIGINT, "draw", 0.1),
    Moment(signal.SIGTERM, "draw", 0.3),
]
"""In every part of a run; each signal in those that wait for others or compute."""
SOON = 2.0
"""Seconds that an end in order may take where training steps are short."""


def interrupted(worker: Worker, good: Whole, root: Path, moment: Moment, soon: float = SOON) -> str:
    """Train, interrupt at the moment, and resume.

    Args:
        worker: to run it.
        good: the run that the end is held to.
        root: for the folders of the run.
        moment: of the signal.
        soon: seconds within which it ends.

    Returns:
        What is wrong with what came of it; empty for nothing.
    """
    with tempfile.TemporaryDirectory(dir=root) as name:
        work = Path(name)
        draws = moment.part == "draw"
        outcome = worker.run(
            harness.training(good.kind, work / "outputs", *(["--pictures"] if draws else [])),
            work,
            signal=int(moment.number),
            part=moment.part,
            delay=moment.delay,
        )
        problem = _ended(outcome, moment, soon) or _goes_on(worker, good, work, outcome)
        return f"{moment}: {problem}\n{outcome.said}" if problem else ""


def _ended(outcome: harness.Outcome, moment: Moment, soon: float) -> str:
    if outcome.since_signal is None:
        return "the part never began"
    if outcome.code != 128 + moment.number:
        return f"it ended with {outcome.code}"
    if outcome.since_signal > soon:
        return f"it ended {outcome.since_signal:.1f} s after the signal"
    return "" if "Traceback" not in outcome.said else "it ended with a traceback"


def _goes_on(worker: Worker, good: Whole, work: Path, outcome: harness.Outcome) -> str:
    """Whatever was finished is kept, and how to go on is said."""
    folder = work / "outputs" / good.kind / "run"
    saved = harness.was_saved(outcome, 0, harness.COUNT)
    ways = (f"--resume {folder}", f"nncli plot {folder} draws it")
    if saved and not any(way in " ".join(outcome.said.split()) for way in ways):
        return "it does not say how to go on"
    return harness.resumed(worker, good, work, must=saved)
