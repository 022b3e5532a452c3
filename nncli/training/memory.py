"""How much memory a training step takes, and how many samples a step can have with what is free."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import Any

from nncli.errors import TrainingError
from nncli.models.kind import Phase
from nncli.training.broken import layers_of

NEAR = 0.8
"""Of the memory that is free, more than this is nearly all: other programs take some, too."""
SMALLER = "use a smaller model, smaller samples, or a machine with more memory"
BYTES = 4
"""Of a float32; half precision keeps its weights in it, too."""
STATE = 4
"""Of each trainable weight: itself, its gradient, and two moments of the optimizer."""
KEPT = 2
"""Of each value that a layer gives: itself, and its gradient."""
GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
"""Of each unit of a recurrent layer at each of its steps: what going back through them needs."""


def fixed(model: Any) -> int:
    """Bytes that a step takes whatever its batch is: weights, gradients, the optimizer.

    4 · (weights + 3 · trainable weights)
    """
    weights, trainable = numbers(model.weights), numbers(model.trainable_weights)
    return BYTES * (weights + (STATE - 1) * trainable)


def numbers(weights: Iterable[Any]) -> int:
    """How many there are in all arrays together."""
    return sum(int(prod(weight.shape)) for weight in weights)


def per_sample(model: Any) -> int:
    """Bytes that a step takes for each sample of its batch: what the layers give, to go back.

    4 · 2 · Σ values of each layer; a recurrent layer has them for each gate and step. Before the
    first layer that learns nothing is kept: the largest of those layers counts alone.
    """
    passed, kept, learns = 0, 0, False
    for layer in layers_of(model):
        learns = learns or bool(layer.trainable_weights)
        values = _values(layer)
        if learns:
            kept += values
        else:
            passed = max(passed, values)
    return BYTES * KEPT * max(kept, passed)


def _values(layer: Any) -> int:
    """Numbers that a layer gives for one sample."""
    try:
        given, taken = layer.output.shape, layer.input.shape
    except (AttributeError, ValueError):  # used several times, or gives more than one
        return 0
    gates = GATES.get(type(layer).__name__)
    if gates is None:
        return prod(side or 1 for side in given[1:])
    return gates * (taken[1] or 1) * int(layer.units)


def available() -> int | None:
    """Bytes that this process may still take; None where the system does not say."""
    found = [_free_of_system(), _free_of_group()]
    return min((each for each in found if each is not None), default=None)


def _free_of_system() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, LookupError):  # not Linux
        return None


def _free_of_group() -> int | None:
    """What a container leaves."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        return max(0, limit - int((group / "memory.current").read_text(encoding="ascii")))
    except (OSError, ValueError):  # no group, or one without a limit
        return None


def resident() -> int | None:
    """Bytes that this process takes now; None where the system does not say."""
    return _of_process("VmRSS")


def peak() -> int | None:
    """The most bytes that it has taken at a time; None where the system does not say."""
    found = _of_process("VmHWM")
    if found is not None:
        return found
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _of_process(field: str) -> int | None:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields[field].split()[0]) * 1024
    except (OSError, ValueError, LookupError):  # not Linux
        return None


def room() -> int | None:
    """Bytes that a process like this one may take, with what this one has; None for not known."""
    free, own = available(), resident()
    return None if free is None or own is None else free + own


def nearness(phases: Iterable[Phase], batch_size: int, taken: int, free: int | None) -> str | None:
    """A warning that a run takes nearly all memory, or more than there is.

    Args:
        phases: of its plan.
        batch_size: samples of a step.
        taken: bytes of the run at its peak.
        free: bytes that there are; None where that is not known.
    """
    if free is None or taken <= NEAR * free:
        return None
    sample = max(1, *(per_sample(phase.model) for phase in phases))
    fits = batch_size - -(-int(taken - NEAR * free) // sample)
    told = f"the run takes about {_size(taken)}, {_size(free)} are free"
    advice = (
        f"training.batch_size: {1 << fits.bit_length() - 1} should fit" if fits > 0 else SMALLER
    )
    return f"memory may run out: {told}; {advice}"


def fitting_batch(model: Any, free: int) -> int:
    """The largest power of 2 that fits as a batch; 0 for none."""
    samples = (free - fixed(model)) // max(1, per_sample(model))
    return 1 << samples.bit_length() - 1 if samples > 0 else 0


def shortage(phases: Iterable[Phase], batch_size: int) -> str | None:
    """A warning that memory will not do, before the system ends the process without a word."""
    free = available()
    for phase in phases:
        if free is not None and _needed(phase.model, batch_size) > free:
            told = _told(phase.model, batch_size, free)
            return f"memory may run out: {told}; {_advice(phase.model, batch_size, free)}"
    return None


def out_of_memory(model: Any, batch_size: int) -> TrainingError:
    """What to say when memory ran out: what was needed, what there is, and what would fit."""
    free = available()
    told = _told(model, batch_size, free)
    return TrainingError(f"out of memory: {told}", hint=_advice(model, batch_size, free))


def _told(model: Any, batch_size: int, free: int | None) -> str:
    needed = _size(_needed(model, batch_size))
    there = "" if free is None else f", {_size(free)} are free"
    return f"a step of {batch_size:,} samples takes about {needed}{there}"


def _advice(model: Any, batch_size: int, free: int | None) -> str:
    """A batch size, where one fits: in half of what is free, for libraries copy."""
    if free is None:
        return f"use a smaller training.batch_size than {batch_size}"
    fits = min(fitting_batch(model, free // 2), batch_size // 2)
    if fits:
        return f"training.batch_size: {fits} should fit"
    return SMALLER


def _needed(model: Any, batch_size: int) -> int:
    return fixed(model) + batch_size * per_sample(model)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
