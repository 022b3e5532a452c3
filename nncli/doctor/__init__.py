"""Is all here that nncli needs? Each check gives a `Check`; nothing is printed.

A check that fails in a way that nobody foresaw is a problem of its own and ends no other: where
something is broken, the rest must be told. So each imports what it looks at when it looks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict
from functools import partial
from typing import Any

from nncli import status
from nncli.doctor import downloads, gpu, places, system
from nncli.doctor.inside import PATIENCE, REINSTALL, Failed, Inside, Started, where
from nncli.doctor.machine import Machine
from nncli.doctor.trial import ENOUGH, Trial
from nncli.errors import reason_of
from nncli.results import Check

CHECKS: dict[str, Callable[[Machine], Check]] = {
    "python": system.check_python,
    "packages": system.check_packages,
    "processor": system.check_processor,
    "memory": system.check_memory,
    "settings": places.check_settings,
    "text": places.check_text,
    "outputs": places.check_outputs,
    "cache": places.check_cache,
    "pictures": places.check_pictures,
}
"""While TensorFlow starts; `examine` goes on with it."""
DOWNLOADS: dict[str, Callable[[Machine], Check]] = {
    "datasets": downloads.check_datasets,
    "weights": downloads.check_weights,
}
"""After it was started, for Keras then has its folder."""


def examine(machine: Machine, patience: float = PATIENCE) -> Iterator[Check]:
    """Look at everything, the training that must learn last.

    Args:
        machine: where to look.
        patience: seconds that TensorFlow may be silent.

    Yields:
        Each check as it is done.
    """
    with ExitStack() as stack:
        inside = _begun(machine, patience, stack)  # at work meanwhile
        yield from _each(CHECKS, machine)
        status.tell("importing TensorFlow")
        started = inside if isinstance(inside, Failed) else inside.take()
        yield judge_tensorflow(started)
        yield from _each(DOWNLOADS, machine)
        known = started if isinstance(started, Started) else None
        yield _isolated("gpu", lambda: gpu.explain(gpu.look(machine), machine, known))
        if known is None or isinstance(inside, Failed):
            finding = "TensorFlow does not start, so nothing can be trained"
            yield Check("training", "skipped", finding)
        else:
            yield judge_training(inside.take())


def _begun(machine: Machine, patience: float, stack: ExitStack) -> Inside | Failed:
    try:
        return stack.enter_context(closing(Inside(machine.path, patience)))
    except OSError as error:  # no folder for temporary files, no memory
        finding = f"no process can be started to try TensorFlow in: {error}"
        return Failed(finding, "make room in memory and in the folder for temporary files")


def _each(checks: dict[str, Callable[[Machine], Check]], machine: Machine) -> Iterator[Check]:
    for name, check in checks.items():
        status.tell(f"checking {name}")
        yield _isolated(name, partial(check, machine))


def _isolated(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except Exception as error:  # whatever is broken here: the other checks are still wanted
        hint = REINSTALL if isinstance(error, ImportError) else ""
        return Check(name, "problem", f"this could not be looked at: {reason_of(error)}", hint)


def judge_tensorflow(started: Started | Failed) -> Check:
    """Whether it starts."""
    if isinstance(started, Failed):
        place = where("tensorflow")
        finding = started.reason + (f" (TensorFlow is taken from {place})" if place else "")
        return Check("tensorflow", "problem", finding, started.hint, {"place": place or None})
    versions = started.versions
    finding = (
        f"TensorFlow {versions['tensorflow']} with Keras {versions['keras']} started "
        f"in {started.seconds:.1f} seconds"
    )
    return Check("tensorflow", "ok", finding, facts=asdict(started))


def judge_training(trial: Trial | Failed) -> Check:
    """Whether it learns, and gives the same numbers twice."""
    if isinstance(trial, Failed):
        return Check("training", "problem", trial.reason, trial.hint)
    facts: dict[str, Any] = asdict(trial)
    if not all(map(math.isfinite, trial.losses)):
        finding = f"the loss of a small CNN on {trial.device} is not a finite number"
        return Check("training", "problem", finding, _elsewhere(trial), facts)
    reached = (
        f"{trial.accuracy:.0%} of unseen digits right after {trial.seconds:.1f} seconds "
        f"on {trial.device}, guessing gets {trial.guessing:.0%}"
    )
    if not trial.accuracy >= ENOUGH:
        finding = f"a small CNN does not learn: {reached}"
        return Check("training", "problem", finding, _elsewhere(trial), facts)
    if not trial.repeats:
        finding = f"a small CNN learns ({reached}), but a second training gives other numbers"
        return Check("training", "warning", finding, _elsewhere(trial), facts)
    finding = f"a small CNN learns: {reached}; a second training gives the same bits"
    return Check("training", "ok", finding, facts=facts)


def _elsewhere(trial: Trial) -> str:
    if trial.device == "CPU":
        return f"{REINSTALL}; unset the variables of the settings above"
    return "look whether --device cpu does better; install the newest driver"
