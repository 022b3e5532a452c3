"""Where the time of a command goes: seconds by part, each second counted in one part only.

`part` is called from anywhere, as `status.tell` is; `spent` gives the account. It begins with the
process itself, so that Python's own start is in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PARTS: Mapping[str, str] = {
    "start": "Python, the command line and the config",
    "data": "reading, dividing and checking the samples",
    "import": "loading and starting TensorFlow and Keras",
    "build": "the model and its optimizer",
    "features": "frozen layers, once over the samples",
    "compile": "tracing: until the first steps of each phase are done",
    "train": "the other steps of training",
    "validate": "the validation part, after each epoch",
    "test": "measuring on the test part",
    "baselines": "the networks to compare with: all of their work",
    "save": "writing the run folder",
    "draw": "pictures and report; waiting for them, where other processes draw",
    "print": "the terminal",
    "other": "all else",
}
"""What the parts are, in the order in which they begin."""


class Clock:
    """Counts seconds to the innermost part that is open; outside of all to `other`."""

    def __init__(self) -> None:
        self.restart()

    def restart(self, before: float = 0.0) -> None:
        """Begin anew; `before` are seconds that are over already, counted as `start`."""
        self._seconds: dict[str, float] = {"start": before} if before else {}
        self._open: list[str] = []
        self._sealed = 0
        self._since = time.monotonic()

    @contextmanager
    def part(self, name: str, *, whole: bool = False) -> Iterator[None]:
        """What happens inside counts as `name`, except for the parts in it.

        Args:
            name: one of PARTS.
            whole: the parts inside are not counted for themselves.
        """
        if self._sealed:
            yield
            return
        self._count()
        self._open.append(name)
        self._sealed += whole
        try:
            yield
        finally:
            self._sealed -= whole
            self._count()
            self._open.pop()

    def move(self, source: str, target: str, seconds: float) -> None:
        """Count `seconds` that went to `source` as `target`, for what is known only afterwards."""
        if self._sealed:
            return
        self._count()
        self._seconds[source] = self._seconds.get(source, 0.0) - seconds
        self._seconds[target] = self._seconds.get(target, 0.0) + seconds

    def spent(self) -> dict[str, float]:
        """Seconds by part up to now, to the millisecond; those that never began left out."""
        self._count()
        return {name: round(self._seconds[name], 3) for name in PARTS if name in self._seconds}

    def _count(self) -> None:
        now = time.monotonic()
        name = self._open[-1] if self._open else "other"
        self._seconds[name] = self._seconds.get(name, 0.0) + now - self._since
        self._since = now


def _age() -> float:
    """Seconds since this process began, where the system tells it; else 0."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        return max(0.0, uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0


def first_call(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, the time of its first call counted as `name`."""
    called: list[None] = []

    def counted(*arguments: Any) -> Any:
        if called:
            return function(*arguments)
        called.append(None)
        with part(name):
            return function(*arguments)

    return counted


_clock = Clock()
part = _clock.part
move = _clock.move
spent = _clock.spent


def begin() -> None:
    """Start the account anew with the age of the process, which is a command of its own."""
    _clock.restart(_age())
