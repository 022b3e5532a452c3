"""`make faults`: every file call of a run of each kind, 30 random kills, and signals in every part.

Killed before a call is killed after the one before it, for nothing else changes a file: each call
is hit after it, and in the middle where it writes. A full and a failing disk begin at each fourth.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from nncli.config.sections import available_threads
from tests.faults import harness
from tests.faults.harness import AFTER, BROKEN, COUNT, KINDS, NO_SPACE, TORN, Whole, Worker
from tests.faults.signals import MOMENTS, interrupted

RANDOM_KILLS = 30
WITHOUT: dict[str, set[str]] = {"transfer": set(), "rnn": {"features", "data"}}
"""Parts that a run of a kind has not, or that are over before a thread wakes. The others have no
frozen base."""

Point = Callable[[Worker, Path], str]
"""Tries one thing; what is wrong, or nothing."""


def main() -> int:
    """Try all points of the kinds that are asked for; 0 where all are good."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(KINDS), metavar="KIND")
    parser.add_argument("--every", type=int, default=1, help="take each Nth call alone")
    parser.add_argument("--only", default="", help="what has this in its title: signals")
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="nncli-faults-") as name:
        root = Path(name)
        workers: SimpleQueue[Worker] = SimpleQueue()
        count = available_threads()
        for number in range(count):
            (root / f"worker-{number}").mkdir()
            workers.put(Worker(root / f"worker-{number}"))
        for kind in options.kinds:
            began = time.monotonic()
            first = workers.get()
            good = harness.whole(first, kind, root)
            workers.put(first)
            print(f"{kind}: {len(good.outcome.calls)} file calls", flush=True)
            chosen = (each for each in tries(good, options.every) if options.only in each[0])
            for title, points in chosen:
                problems = [each for each in attempt(points, workers, root, count) if each]
                bad += len(problems)
                print(f"  {title:<34} {len(points) - len(problems)} of {len(points)}", flush=True)
                for each in problems[:5]:
                    print("    " + each.replace("\n", "\n    "), flush=True)
            print(f"  {(time.monotonic() - began) / 60:.1f} minutes", flush=True)
        for _ in range(count):
            workers.get().close()
    return min(bad, 1)


def tries(good: Whole, every: int) -> Iterator[tuple[str, Sequence[Point]]]:
    """What is tried of a kind, with a title."""

    def hit(call: int, mode: int) -> Point:
        return lambda worker, root: harness.fault(worker, good, root, call, mode)

    def killed(seconds: float) -> Point:
        return lambda worker, root: harness.fault(worker, good, root, 0, COUNT, kill_after=seconds)

    calls = range(1, len(good.outcome.calls) + 1, every)
    writes = [call for call in calls if good.outcome.calls[call - 1].startswith("write")]
    yield "killed after a call", [hit(call, AFTER) for call in calls]
    yield "killed in the middle of a write", [hit(call, TORN) for call in writes]
    yield "the disk full from a call on", [hit(call, NO_SPACE) for call in calls[::4]]
    yield "an error of the disk at a call", [hit(call, BROKEN) for call in calls[2::4]]
    chance = random.Random(good.kind)
    times = [chance.uniform(0, good.outcome.seconds) for _ in range(RANDOM_KILLS)]
    yield "killed at any time", [killed(seconds) for seconds in times]
    yield (
        "signals",
        [
            lambda worker, root, moment=moment: interrupted(worker, good, root, moment)
            for moment in MOMENTS
            if moment.part not in WITHOUT.get(good.kind, {"features"})
        ],
    )


def attempt(
    points: Sequence[Point], workers: SimpleQueue[Worker], root: Path, count: int
) -> list[str]:
    """Try all points, as many at a time as there are workers."""

    def one(point: Point) -> str:
        worker = workers.get()
        try:
            return point(worker, root)
        finally:
            workers.put(worker)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, points))


if __name__ == "__main__":
    sys.exit(main())
