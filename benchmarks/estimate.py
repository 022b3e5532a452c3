"""What `nncli train --estimate` says, beside what the run then takes.

    python benchmarks/estimate.py
    python benchmarks/estimate.py --kinds cnn,lstm --rounds 1

The lesson's models as they are, whole processes: in each round the estimate, then the run. Prints
the medians, and the ratios of the estimate to the run; ends with 1 where the median of one is not
within a factor of 1.5. Where the run stopped early, its time is that of all epochs: what it took,
and the epochs that it was spared, each as long as its mean.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from measure import PAUSE, end_on_signal, run
from table import machine, table

WITHIN = 1.5
"""Times too much or too little that an estimate may be."""
UNITS = {"time": "s", "memory": "MB", "disk": "MB"}


@dataclass(frozen=True)
class Taken:
    """What one process takes, or is said to take."""

    time: float
    """Seconds, from its start to its end."""
    memory: float
    """Megabytes at its peak."""
    disk: float
    """Megabytes at its fullest."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kinds", default="rnn,lstm,cnn,transfer")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows, wrong = [], []
    for kind in options.kinds.split(","):
        pairs = [(estimated(kind), taken(kind)) for _ in range(options.rounds)]
        for what, unit in UNITS.items():
            told, real = (
                [getattr(each, what) for each in side] for side in zip(*pairs, strict=True)
            )
            ratios = [one / other for one, other in zip(told, real, strict=True)]
            ratio = statistics.median(ratios)
            is_within = 1 / WITHIN <= ratio <= WITHIN
            numbers = (f"{statistics.median(side):.1f}" for side in (told, real))
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            rows.append([kind, f"{what}, {unit}", *numbers, f"{ratio:.2f}", spread])
            print(*rows[-1], "" if is_within else "!", flush=True)
            if not is_within:
                wrong.append(f"{kind}: {what} is {ratio:.2f} times what it took")
    columns = ("kind", "of what", "estimate", "run", "ratio", "from, to")
    print(f"\n{options.rounds} round(s) on {machine()}\n\n{table(columns, rows)}")
    print(*(f"FAILED: {each}" for each in wrong), sep="\n")
    return 1 if wrong else 0


def estimated(kind: str) -> Taken:
    """What is said of a run."""
    with tempfile.TemporaryDirectory() as name:
        told = json.loads(nncli(kind, Path(name), "--estimate", "--json").output)
    disk, memory = told["disk"]["bytes"], told["memory"]["bytes"]
    return Taken(told["seconds"], memory / 1e6, disk / 1e6)


def taken(kind: str) -> Taken:
    """What a run takes."""
    with tempfile.TemporaryDirectory() as name:
        watch = Watch(Path(name) / "outputs")
        used = nncli(kind, Path(name), "--name", "run", "--quiet")
        disk = watch.end()
        folder = Path(name) / "outputs" / kind / "run"
        metrics = json.loads((folder / "metrics.json").read_text())
        config = (folder / "config.yaml").read_text()
        seconds = used.wall
        if metrics["stopped"] == "early stopping":
            epochs = int(config.partition("  epochs: ")[2].split()[0])
            record = json.loads((folder / "run.json").read_text())
            each = record["seconds"]["train"] / metrics["epochs"]
            seconds += each * (epochs - metrics["epochs"])
    return Taken(seconds, used.memory, disk / 1e6)


def nncli(kind: str, place: Path, *more: str):
    command = [sys.executable, "-m", "nncli", "train", kind, "--no-cache", *more]
    return run([*command, "--output", str(place / "outputs")], place, os.environ)


class Watch:
    """Looks again and again what a folder holds."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.most = folder, 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """The most bytes that there were at one moment."""
        self._ended.set()
        self._thread.join()
        return self.most

    def _look(self) -> None:
        while not self._ended.wait(PAUSE / 5):
            self.most = max(self.most, sum(map(size, self.folder.rglob("*"))))


def size(path: Path) -> int:
    """Of a file, in bytes; 0 where it has gone meanwhile."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


if __name__ == "__main__":
    end_on_signal()
    sys.exit(main())
