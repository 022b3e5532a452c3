"""What it costs that nothing is lost and that runs repeat to the bit.

    python benchmarks/safety.py
    python benchmarks/safety.py --kinds cnn,lstm --pairs 3

Whole trainings on built-in data, without pictures, in turns: as they are, without checkpoints, and
without TensorFlow's deterministic operations. Prints the median of the rounds' ratios of the
seconds: as they are, to without.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from measure import run

SIDES = ("as it is", "no checkpoints", "not deterministic")
TRAIN = """
import sys
from nncli import backend
from nncli.__main__ import run
side, sys.argv = sys.argv[1], ["nncli", *sys.argv[2:]]
if side == "not deterministic":
    backend.tensorflow().config.experimental.enable_op_determinism = lambda: None
else:
    backend.tensorflow()
run()
"""
"""TensorFlow is loaded first on all sides, to be changed on one."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", default="rnn,lstm,cnn,transfer")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    for kind in options.kinds.split(","):
        seconds: dict[str, list[float]] = {side: [] for side in SIDES}
        for turn in range(options.pairs):
            for side in SIDES if turn % 2 == 0 else reversed(SIDES):
                seconds[side].append(train(kind, side))
        medians = {side: statistics.median(seconds[side]) for side in SIDES}
        print(f"{kind}: median of {options.pairs} {medians['as it is']:.1f} s", flush=True)
        for side in SIDES[1:]:
            ratios = [a / b for a, b in zip(seconds["as it is"], seconds[side], strict=True)]
            print(
                f"  to {side}: {statistics.median(ratios):.3f} "
                f"({min(ratios):.3f} to {max(ratios):.3f})",
                flush=True,
            )
    return 0


def train(kind: str, side: str) -> float:
    """Seconds of one whole training."""
    off = ["--set", "training.checkpoints=null"] if side == "no checkpoints" else []
    command = [sys.executable, "-c", TRAIN, side, "train", kind, "--quiet", "--no-pictures"]
    with tempfile.TemporaryDirectory() as name:
        began = time.perf_counter()
        run([*command, *off, "--no-cache", "--output", name], Path(name), os.environ)
        return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
