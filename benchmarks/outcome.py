"""What a run came to, as either side tells it, and whether two runs did the same work."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs import Job, Training
from measure import CommandError

FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy")
SMALLEST_PICTURE = 5_000
"""Bytes of a PNG that shows something."""


class UnequalError(Exception):
    """Two sides did not do the same, or came to other results."""


@dataclass(frozen=True)
class Outcome:
    """A finished training."""

    samples: tuple[int, int]
    """Of the training and the validation part."""
    parameters: int
    seconds: tuple[float, ...]
    """Of each epoch, its validation included."""
    figures: Mapping[str, tuple[float, ...]]
    """Of each epoch, by Keras's names; those of FIGURES that there are."""


def told(output: str) -> Outcome:
    """What a plain script says of its training in its last line, a JSON object.

    Raises:
        CommandError: there is none.
    """
    try:
        line = json.loads(output.strip().splitlines()[-1])
        train, validation = line["samples"]
        return Outcome(
            samples=(train, validation),
            parameters=line["parameters"],
            seconds=tuple(line["seconds"]),
            figures={name: tuple(line[name]) for name in FIGURES if name in line},
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise CommandError(f"the plain script told no result: {error!r}") from error


def stored(folder: Path) -> Outcome:
    """What nncli wrote of the one training below a folder.

    Raises:
        CommandError: none, or several.
    """
    found = list(folder.glob("outputs/*/*/run.json"))
    if len(found) != 1:
        raise CommandError(f"{folder} holds {len(found)} runs of nncli")
    run: dict[str, Any] = json.loads(found[0].read_text())
    metrics: dict[str, Any] = json.loads(found[0].with_name("metrics.json").read_text())
    with found[0].with_name("history.csv").open(newline="") as file:
        epochs = list(csv.DictReader(file))
    samples = run["data"]["samples"]
    return Outcome(
        samples=(samples["train"], samples.get("validation", 0)),
        parameters=metrics["parameters"],
        seconds=tuple(float(row["seconds"]) for row in epochs),
        figures={
            name: tuple(float(row[name]) for row in epochs) for name in FIGURES if name in epochs[0]
        },
    )


def differences(job: Training, epochs: int, plain: Outcome, other: Outcome) -> list[str]:
    """In what nncli did other work than the plain script, or came to another result."""
    found = [
        f"{what}: {other_value} instead of {plain_value}"
        for what, plain_value, other_value in (
            ("samples", plain.samples, other.samples),
            ("parameters", plain.parameters, other.parameters),
            ("epochs", epochs * job.phases, len(other.figures["loss"])),
            ("epochs of the plain script", epochs * job.phases, len(plain.figures["loss"])),
            ("figures", sorted(plain.figures), sorted(other.figures)),
        )
        if plain_value != other_value
    ]
    if found:
        return found
    for name in FIGURES:
        if name not in plain.figures or name == "val_loss":
            continue
        one, two = plain.figures[name][-1], other.figures[name][-1]
        apart, most = abs(one - two), job.accuracy_within
        if name == "loss":
            apart, most = share(one, two), job.loss_within
        if not apart <= most:  # a NaN is never equal
            found.append(f"last {name}: {two:.6g} instead of {one:.6g}, at most {most:g} apart")
    return found


def differences_in_order(job: Training, epochs: int, plain: Outcome, other: Outcome) -> list[str]:
    """The same where both took the samples in one order: the loss of every epoch is the same."""
    found = [
        f"epoch {number}: training loss {two:.7g} instead of {one:.7g}"
        for number, (one, two) in enumerate(
            zip(plain.figures["loss"], other.figures["loss"], strict=False), 1
        )
        if not share(one, two) <= job.same_order
    ]
    return [*differences(job, epochs, plain, other), *found]


def differences_of_torch(job: Training, epochs: int, plain: Outcome, other: Outcome) -> list[str]:
    """The same of PyTorch, whose first weights and number of biases are others."""
    found = []
    if other.samples != plain.samples:
        found.append(f"samples: {other.samples} instead of {plain.samples}")
    wanted = epochs * job.phases
    if len(other.figures["loss"]) != wanted:
        found.append(f"epochs: {len(other.figures['loss'])} instead of {wanted}")
    if not other.figures["loss"][-1] <= job.torch_loss:
        found.append(f"last loss: {other.figures['loss'][-1]:.6g}, more than {job.torch_loss:g}")
    return found


def share(one: float, two: float) -> float:
    """How far two numbers are apart, as a share of the larger one."""
    return abs(one - two) / max(abs(one), abs(two), 1e-12)


def unsaid(job: Job, folder: Path, output: str, *, ours: bool) -> list[str]:
    """What a command that does not train failed to say or to draw."""
    found = []
    if job.says and (ours or job.same_text) and job.says not in output:
        found.append(f"its output lacks '{job.says}'")
    if job.picture:
        pictures = [path.read_bytes() for path in folder.rglob(job.picture)]
        drawn = [
            picture
            for picture in pictures
            if picture.startswith(b"\x89PNG") and len(picture) >= SMALLEST_PICTURE
        ]
        if len(drawn) != 1:
            found.append(f"it drew {len(drawn)} pictures {job.picture}")
    return found
