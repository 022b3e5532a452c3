"""One process measured from outside: seconds, CPU and peak memory, its children included.

Standard library only: a process begins as a copy of the one that starts it, so a large one would
be found in every peak.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")
PAUSE = 0.1
"""Seconds between two looks at the memory of a process and its children."""
GRACE = 2.0
"""Seconds that a child may outlive its parent, to clean up; longer, and it is work unmeasured."""


class CommandError(Exception):
    """It did not end well, or told no result."""


@dataclass(frozen=True)
class Used:
    """What one process took."""

    wall: float
    """Seconds from its start to its end."""
    cpu: float
    """Seconds of all cores, its children's included."""
    memory: float
    """Megabytes at the peak: its own resident ones, or its and its children's proportional ones
    at one moment, whichever is more."""
    output: str
    """Its standard output."""


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Used:
    """Run a command in a folder, its output in files there.

    Raises:
        CommandError: an exit code other than 0, or a child that goes on when it has ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    out, errors = folder / "stdout.txt", folder / "stderr.txt"
    with out.open("wb") as out_file, errors.open("wb") as errors_file:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out_file,
            stderr=errors_file,
            start_new_session=True,
        )
        with Family(process.pid) as family:
            try:
                _, status, used = os.wait4(process.pid, 0)
            except BaseException:  # whoever interrupts this wants no process to go on
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)  # Popen did not wait for it itself
    left = family.outliving(GRACE)
    if left:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise CommandError(f"{' '.join(command)} left {len(left)} process(es) behind")
    if process.returncode:
        told = errors.read_text(errors="replace")[-2000:]
        raise CommandError(f"{' '.join(command)} ended with {process.returncode}\n{told}")
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024  # bytes there, KiB elsewhere
    return Used(
        wall=wall,
        cpu=used.ru_utime + used.ru_stime,
        memory=max(used.ru_maxrss / unit, family.peak),
        output=out.read_text(errors="replace"),
    )


class Family:
    """Watches the memory of a process and of all that it starts; nothing without `/proc`."""

    def __init__(self, process: int) -> None:
        self.peak = 0.0
        """Megabytes of all together at the worst moment seen; 0 while there is only one."""
        self._first = process
        self._members = {process}
        self._strangers: set[int] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Family:
        """Begin to watch."""
        if PROCESSES.is_dir():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def outliving(self, grace: float) -> set[int]:
        """Which of them still run, after some seconds at most, when the first one has ended."""
        if not PROCESSES.is_dir():
            return set()
        until = time.perf_counter() + grace
        while (left := self._living() - {self._first}) and time.perf_counter() < until:
            time.sleep(PAUSE)
        return left

    def _watch(self) -> None:
        while not self._ended.wait(PAUSE):
            members = self._living()
            if len(members) > 1:
                self.peak = max(self.peak, sum(map(proportional, members)))

    def _living(self) -> set[int]:
        """All of the session, and all that members have started, that are no zombies."""
        found = {int(each.name) for each in PROCESSES.iterdir() if each.name.isdecimal()}
        living = set()
        for process in sorted(found - self._strangers):
            stat = stat_of(process)
            if stat is None:
                continue
            state, parent, session = stat
            if session != self._first and not {parent, process} & self._members:
                self._strangers.add(process)
            elif state not in "ZX":
                living.add(process)
        self._members |= living
        return living


def stat_of(process: int) -> tuple[str, int, int] | None:
    """State, parent and session of a process; None if it has gone."""
    try:
        text = (PROCESSES / str(process) / "stat").read_text()
    except OSError:
        return None
    state, parent, _, session = text.rpartition(")")[2].split()[:4]  # its name may hold anything
    return state, int(parent), int(session)


def proportional(process: int) -> float:
    """Megabytes of a process, each page that is shared divided among those that share it."""
    try:
        text = (PROCESSES / str(process) / "smaps_rollup").read_text()
    except OSError:
        return 0.0  # it has ended
    lines = (line.split() for line in text.splitlines())
    return sum(int(words[1]) for words in lines if words[0] == "Pss:") * 1024 / 1e6


def end_on_signal() -> None:
    """Let SIGTERM end this process like Ctrl-C does: with what it started."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def median_ratio(numbers: Sequence[float], peers: Sequence[float]) -> float:
    """The median of the ratios of each number to its peer of the same round."""
    return statistics.median(one / other for one, other in zip(numbers, peers, strict=True))
