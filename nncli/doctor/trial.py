"""A training of a few seconds, in the way of every run, that must learn."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from typing import Any

SETTINGS = (
    *("data.size=14", "model.filters=[16]", "model.units=32", "training.epochs=2"),
    *("training.learning_rate=0.005", "training.checkpoints=null"),
)
"""The lesson's CNN, made small: two seconds on two cores, with nine of ten digits right."""
SEED = 42
ENOUGH = 0.5
"""Accuracy on the test part: guessing gets a tenth of the ten digits."""


@dataclass(frozen=True)
class Trial:
    """What came of the training, and of its repetition."""

    device: str
    images: int
    """Trained on."""
    seconds: float
    """Of the first training alone."""
    losses: tuple[float, ...]
    """Of its epochs."""
    accuracy: float
    """On the test part."""
    guessing: float
    """What the commonest class alone would get there."""
    repeats: bool
    """Whether the second training gave the same losses and weights to the last bit."""
    peak: int | None
    """Bytes of memory that the process took at most; None where the system does not say."""


def train() -> Trial:
    """Train twice, in memory.

    Raises:
        NncliError: whatever goes wrong.
    """
    import numpy as np

    from nncli import backend, data, status, training
    from nncli.config import Override, load
    from nncli.config.sections import available_threads
    from nncli.schema import SCHEMAS, find_kind

    status.tell("reading digits")
    loaded = load(SCHEMAS, "cnn", None, [Override.from_set(each) for each in SETTINGS])
    dataset = data.load(loaded.config.data, SEED)
    settings = loaded.settle(dataset.facts).config
    done: list[tuple[Any, list[bytes], float]] = []
    for told in ("training a small CNN", "training it again, to the same bits"):
        status.tell(told)
        device = backend.start("auto", available_threads(), SEED)
        plan = find_kind("cnn").plan(settings, dataset, None)
        began = time.monotonic()
        result = training.fit("cnn", plan, dataset, settings.training, SEED)
        seconds = time.monotonic() - began
        weights = [np.asarray(weight.numpy()).tobytes() for weight in plan.model.weights]
        done.append((result, weights, seconds))
    (first, weights, seconds), (second, same_weights, _) = done
    losses, again = (
        tuple(float(record.metrics["loss"]) for record in each.history) for each in (first, second)
    )
    _, counts = np.unique(dataset.test.y, return_counts=True)
    return Trial(
        device=device.name,
        images=len(dataset.train),
        seconds=seconds,
        losses=losses,
        accuracy=float(first.test.get("accuracy", math.nan)),
        guessing=float(counts.max() / counts.sum()),
        repeats=losses == again and weights == same_weights,
        peak=_peak(),
    )


def _peak() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
