"""Rows and tables of measurements, in Markdown that can be read in a terminal too."""

from __future__ import annotations

import os
import platform
import re
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from jobs import Job, Training
from measure import median_ratio
from sides import NNCLI, Turn, has_torch

WHOLE = ("job", "side", "plain s", "s", "ratio", "target", "CPU", "memory", "plain MB", "MB")
EPOCHS = (
    *("job", "side", "plain s", "s", "ratio", "target"),
    *("plain loss", "loss", "plain accuracy", "accuracy"),
)
"""Of the epochs after the first; the last one's loss, and its accuracy on the validation part
where there is one."""
TEXTS = 2
"""The first columns are no numbers."""
MOST_MEMORY = 1.15
"""The peak of nncli against the plain script's, at most."""
BEGIN, END = "<!-- compare.py writes from here -->", "<!-- to here -->"


def whole_row(job: Job, side: str, plain: Sequence[Turn], other: Sequence[Turn]) -> list[str]:
    """The whole processes: medians, and medians of the rounds' ratios."""

    def numbers(name: str, turns: Sequence[Turn]) -> list[float]:
        return [getattr(each.used, name) for each in turns]

    def ratio(name: str) -> float:
        return median_ratio(numbers(name, other), numbers(name, plain))

    def median(name: str, turns: Sequence[Turn]) -> float:
        return statistics.median(numbers(name, turns))

    ours = side == NNCLI
    return [
        *(job.name, side, seconds(median("wall", plain)), seconds(median("wall", other))),
        *against(ratio("wall"), job.target if ours else None),
        f"{ratio('cpu'):.2f}",
        against(ratio("memory"), MOST_MEMORY if ours else None)[0],
        *(f"{median('memory', turns):.0f}" for turns in (plain, other)),
    ]


def epochs_row(job: Training, side: str, plain: Sequence[Turn], other: Sequence[Turn]) -> list[str]:
    """The epochs after the first, which compiles, and what came of the last one."""
    first = len(plain[0].trained.seconds) // job.phases * (job.phases - 1)
    warm, others = (
        [statistics.median(each.trained.seconds[first + 1 :]) for each in turns]
        for turns in (plain, other)
    )
    return [
        *(job.name, side, seconds(statistics.median(warm)), seconds(statistics.median(others))),
        *against(median_ratio(others, warm), job.warm_target if side == NNCLI else None),
        *(last(turns[-1], "loss") for turns in (plain, other)),
        *(last(turns[-1], "val_accuracy", "accuracy") for turns in (plain, other)),
    ]


def last(turn: Turn, *names: str) -> str:
    """The first of these figures that there is, of the last epoch."""
    figures = turn.trained.figures
    return next((f"{figures[name][-1]:.4f}" for name in names if name in figures), "")


def against(ratio: float, most: float | None) -> tuple[str, str]:
    """A ratio, marked where it is more than it was to be, and what that is."""
    if most is None:
        return f"{ratio:.2f}", ""
    return f"{ratio:.2f}" + (" !" if ratio > most else ""), f"{most:.2f}"


def seconds(number: float) -> str:
    """In three digits."""
    if number >= 10:
        return f"{number:.1f}"
    return f"{number:.2f}" if number >= 1 else f"{number:.3f}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], texts: int = TEXTS) -> str:
    """Columns of one width each, texts to the left and numbers to the right."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if i < texts else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    rule = (f"{'-' * (width + 1)}{'-' if i < texts else ':'}" for i, width in enumerate(widths))
    return "\n".join([line(columns), f"|{'|'.join(rule)}|", *map(line, rows)])


def rows_of(text: str, columns: Sequence[str]) -> list[list[str]]:
    """The rows of the table in `text` that has these columns; none where there is none."""
    for each in re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE):
        lines = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in each.splitlines()
        ]
        if lines[0] == list(columns):
            return lines[2:]
    return []


def circumstances(command: Sequence[str], pairs: int) -> str:
    """How, when, where and with what it was measured."""
    return f"`{' '.join(command)}`, {date.today():%Y-%m-%d}: {pairs} rounds on {machine()}."


def machine() -> str:
    """The processor, the system, and the versions."""
    processor, memory = platform.processor() or platform.machine(), ""
    if Path("/proc/cpuinfo").is_file():
        names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        processor = names[0] if names else processor
        total = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
        memory = f", {int(total[1]) / 2**20:.0f} GiB" if total else ""
    gpu = "".join(f", {name}" for name in gpus())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ["tensorflow", "keras", "numpy", "nncli"]
    packages += ["torch"] if has_torch() else []
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{processor}, {cores} cores{memory}{gpu}, {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}, {versions}"
    )


def gpus() -> list[str]:
    """The names of NVIDIA's cards, with how much memory each has; empty without a driver."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else []


def between(text: str) -> str:
    """What stands between the two marks of a text."""
    return text.partition(BEGIN)[2].partition(END)[0]


def placed(text: str, written: str) -> str:
    """A text, with what stands between its two marks replaced.

    Raises:
        ValueError: it has not each mark once, in their order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise ValueError(f"it needs once {BEGIN} and behind it once {END}")
    return f"{before}{BEGIN}\n\n{written}\n\n{END}{after}"
