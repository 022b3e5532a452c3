"""What the pictures and the report add to a training.

    python benchmarks/report.py

Trains the lesson's CNN once, then draws its pictures and writes its report in fresh processes
that have TensorFlow loaded, as `nncli train` has, and prints the seconds and their ratio to the
whole command without pictures.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TURNS = 5
TRAIN = [sys.executable, "-m", "nncli", "train", "cnn", "--quiet", "--no-pictures", "--name", "run"]
DRAW = """
import sys, time
from pathlib import Path
from nncli import backend, page, plots, runs
backend.start("cpu", 2, 42)
folder = Path(sys.argv[1])
run = runs.load(folder)
began = time.perf_counter()
plots.save_all(run, folder, plots.figures_of(run))
drawn = time.perf_counter()
page.save(run, folder / "report.html")
print(drawn - began, time.perf_counter() - drawn)
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "cnn" / "run"
        began = time.perf_counter()
        subprocess.run([*TRAIN, "--output", folder], check=True, stdout=subprocess.DEVNULL)
        whole = time.perf_counter() - began
        rows = []
        for _ in range(TURNS):
            done = subprocess.run(
                [sys.executable, "-c", DRAW, str(run)], check=True, capture_output=True, text=True
            )
            rows.append([float(number) for number in done.stdout.split()])
        size = (run / "report.html").stat().st_size
    print(f"nncli train cnn --no-pictures: {whole:.1f} s")
    for name, seconds in zip(("pictures", "report"), zip(*rows, strict=True), strict=True):
        median = statistics.median(seconds)
        print(
            f"{name}: median {median:.2f} s of {TURNS} ({min(seconds):.2f} to {max(seconds):.2f}), "
            f"{median / whole:.3f} of the command"
        )
    print(f"report.html: {size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
