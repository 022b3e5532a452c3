"""What a run will take, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nncli.profile import PARTS
from nncli.report.console import print_sentence
from nncli.report.table import Column, print_table
from nncli.report.units import duration, size_text
from nncli.results import PhaseEstimate, RunEstimate

if TYPE_CHECKING:
    from rich.console import Console

    from nncli.documents.training import EstimatedPhase, TrainEstimate

MEANINGS = {**PARTS, "baselines": "building and measuring the networks to compare with"}


def document(found: RunEstimate) -> TrainEstimate:
    """An estimate as `--json` gives it."""
    return {
        "document": "train --estimate",
        "seconds": found.seconds,
        "at_most": found.early,
        "before": dict(found.before),
        "phases": [_phase(phase) for phase in found.phases],
        "after": dict(found.after),
        "memory": {"bytes": found.memory, "free": found.memory_free},
        "disk": {"bytes": found.disk, "free": found.disk_free},
        "warnings": list(found.warnings),
    }


def _phase(phase: PhaseEstimate) -> EstimatedPhase:
    return {
        "name": phase.name,
        "samples": phase.samples,
        "epochs": phase.epochs,
        "steps": phase.steps,
        "features": phase.features,
        "setup": phase.setup,
        "step": phase.step,
        "validation": phase.validation,
        "saving": phase.saving,
        "seconds": phase.seconds,
    }


def print_estimate(screen: Console, found: RunEstimate, output: Path) -> None:
    """Where the time will go, the sum of it, memory and disk beside what there is.

    Args:
        screen: where.
        found: the estimate.
        output: the folder that the run's own would be made in.
    """
    from rich.text import Text

    parts: list[tuple[str, str, str, str, float, str]] = [
        *(_part(name, seconds) for name, seconds in found.before.items()),
        *(
            (
                phase.name,
                f"{phase.samples:,}",
                f"{phase.epochs:,} × {phase.steps:,}",
                duration(phase.step),
                phase.seconds,
                "",
            )
            for phase in found.phases
        ),
        *(_part(name, seconds) for name, seconds in found.after.items()),
        ("whole", "", "", "", found.seconds, "from the start of the command to its end"),
    ]
    print_table(
        screen,
        [
            Column("part", [Text(part[0]) for part in parts], "left"),
            Column("samples", [Text(part[1]) for part in parts], drop=2),
            Column("epochs × steps", [Text(part[2]) for part in parts], drop=3),
            Column("a step", [Text(part[3]) for part in parts], drop=1),
            Column("time", [Text(duration(part[4])) for part in parts]),
            Column("of what", [Text(part[5], "dim") for part in parts], "left", drop=4),
        ],
    )
    screen.print()
    print_sums(screen, found, output)


def _part(name: str, seconds: float) -> tuple[str, str, str, str, float, str]:
    return name, "", "", "", seconds, MEANINGS[name]


def print_sums(screen: Console, found: RunEstimate, output: Path) -> None:
    """The sums alone: what it will take, and what there is."""
    from rich.text import Text

    most = "at most, for early stopping may end it sooner" if found.early else ""
    lines: Mapping[str, str] = {
        "time": f"about {duration(found.seconds)} {most}".rstrip(),
        "memory": _against(found.memory, found.memory_free, "are free"),
        "disk": _against(found.disk, found.disk_free, f"are free for {output}"),
    }
    for name, text in lines.items():
        print_sentence(screen, Text(name.ljust(8), "bold"), Text(text))
    for warning in found.warnings:
        print_sentence(screen, Text("warning: ", "yellow"), Text(warning))


def _against(count: int | None, free: int | None, words: str) -> str:
    taken = "not known on this system" if count is None else f"about {size_text(count)}"
    return taken if free is None else f"{taken}, {size_text(free)} {words}"
