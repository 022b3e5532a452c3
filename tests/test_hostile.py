"""Files and paths of strangers: each refused with its class's exit code, at once, and no more.

A row makes a file and gives a command line. Every row runs in a process of its own, forked from
one that has nncli loaded: it may take a second, 200 MB, must not load TensorFlow, run anything
that the file holds, or write anything anywhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import data, models

MOST_CPU = 1.0
"""Seconds of work."""
MOST_MEMORY = 200_000_000
"""Bytes more than a process that does nothing."""

Ask = Callable[[Sequence[str], Path], dict[str, Any]]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@dataclass(frozen=True)
class Row:
    """Something to refuse."""

    name: str
    file: str
    """What it is called in the folder that the command is run in."""
    make: Callable[[Path], object]
    arguments: tuple[str, ...]
    code: int
    said: str


TRAIN = ("--no-pictures", "--output", "out")


def base(what: dict[str, Any]) -> list[Row]:
    line = ("train", "transfer", *TRAIN, "--set", "model.base=a.keras")
    return [Row(f"base: {n}", "a.keras", make, line, 4, said) for n, (make, said) in what.items()]


def weights(what: dict[str, Any]) -> list[Row]:
    line = ("train", "transfer", *TRAIN, "--set", "model.weights=a.h5")
    return [Row(f"weights: {n}", "a.h5", make, line, 4, said) for n, (make, said) in what.items()]


def samples(what: data.Rows, source: str, file: str, kind: str = "cnn", *more: str) -> list[Row]:
    sets = (f"data.source={source}", f"data.path={file}", *more)
    line = ("train", kind, *TRAIN, *(word for each in sets for word in ("--set", each)))
    return [
        Row(f"{source}: {name}", file, make, line, 3, said) for name, (make, said) in what.items()
    ]


def inputs(what: data.Rows, family: str, file: str, *, same: bool = True) -> list[Row]:
    """To be asked about; what is wrong is said in the `same` words as when it is learned from."""
    line = ("predict", "cnn-digits-001", file, "--runs-in", "made")
    return [
        Row(f"predict {family} {file}: {name}", file, data.asked(family, make), line, 3,
            said if same else "")
        for name, (make, said) in what.items()
    ]  # fmt: skip


def _in_archive(raw: Callable[[], bytes], member: str) -> Callable[[Path], object]:
    return lambda path: models.keras_file(path, **{member: raw()})  # type: ignore[arg-type]


def _alone(raw: Callable[[], bytes]) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(raw())


CONFIGS = {n: (_in_archive(raw, "config"), said) for n, (raw, said) in models.CONFIGS.items()}
INSIDE = {n: (_in_archive(raw, "weights"), said) for n, (raw, said) in models.WEIGHTS.items()}
ALONE = {n: (_alone(raw), said) for n, (raw, said) in models.WEIGHTS.items()}

USES = (
    ("evaluate", "a"),
    ("predict", "a", "x.png"),
    ("export", "a", "--format", "onnx"),
)
"""Command lines that use a run's model."""
ROWS = [
    *base(CONFIGS),
    *base(INSIDE),
    *base(models.ARCHIVES),
    *base(models.PLACES),
    *weights(ALONE),
    *weights(models.PLACES),
    *samples(data.NPY, "npy", "a.npy", "cnn", "data.labels=a.npy"),
    *samples(data.NPZ, "npz", "a.npz"),
    *samples(data.IDX, "idx", "a-idx3", "cnn", "data.labels=a-idx3"),
    *samples({n: (data.folder_with(m), s) for n, (m, s) in data.PICTURES.items()}, "folder", "a"),
    *samples(data.CSV, "csv", "a.csv", "rnn"),
    *samples(data.CSV, "table", "a.csv", "rnn"),
    *samples(data.TS, "ts", "a.ts", "lstm"),
    *inputs(data.NPY, "images", "a.npy"),
    *inputs(data.NPZ, "images", "a.npz"),
    *inputs(data.IDX, "images", "a-idx3", same=False),
    *inputs(data.PICTURES, "images", "a.png", same=False),
    *inputs(data.CSV, "images", "a.csv", same=False),
    *inputs(data.CSV, "sequences", "a.csv", same=False),
    *inputs(data.CSV, "series", "a.csv"),
    *inputs(data.TS, "sequences", "a.ts"),
    *(
        Row(f"config: {name}", "c.yaml", make, ("train", "cnn", *TRAIN, "-c", "c.yaml"), 2, said)
        for name, (make, said) in data.YAML.items()
    ),
    *(
        Row(f"name: {name}", "", lambda _: None, ("train", "cnn", *TRAIN, f"--name={each}"), 2, "")
        for name, each in data.NAMES.items()
    ),
    *(
        Row(f"{command}: {name}", "a", make, (command, "a"), 4, said)
        for command in ("plot", "report")
        for name, (make, said) in data.RUNS.items()
    ),
    *(
        Row(f"runs diff: {name}", "a", make, ("runs", "diff", "a", "a"), 4, said)
        for name, (make, said) in data.RUNS.items()
        if said.startswith(("run.json", "metrics.json", "config.yaml"))
    ),
    *(
        Row(f"{line[0]}: {name}", "a", make, line, 4, said)
        for line in USES
        for name, (make, said) in data.USED.items()
    ),
    *(
        Row(f"resume: {n}", "a", make, ("train", "--resume", "a"), 2 if said == "tag" else 4, said)
        for n, (make, said) in data.STATES.items()
    ),
]


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder, with its size and time."""
    found = ((path, path.lstat()) for path in folder.rglob("*"))
    return {str(path): (status.st_size, status.st_mtime_ns) for path, status in found}


@pytest.fixture(scope="module")
def worker() -> Iterator[Ask]:
    """Runs command lines and tells what they cost."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, told = process.stdin, process.stdout

        def ask(arguments: Sequence[str], folder: Path) -> dict[str, Any]:
            asked.write(json.dumps({"arguments": arguments, "folder": str(folder)}) + "\n")
            asked.flush()
            measured: dict[str, Any] = json.loads(told.readline())
            return measured

        yield ask
        asked.close()


@pytest.fixture(scope="module")
def idle(worker: Ask, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Bytes that a process takes which does nothing."""
    folder = tmp_path_factory.mktemp("idle")
    (folder / "work").mkdir()
    return int(worker(["--version"], folder)["memory"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_stranger_is_refused(row: Row, tmp_path: Path, worker: Ask, idle: int) -> None:
    work = tmp_path / "work"
    work.mkdir()
    row.make(work / row.file)
    before = contents(work)
    cost = worker(row.arguments, tmp_path)
    said = (tmp_path / "stderr").read_text()
    assert cost["code"] == row.code, said
    assert said.startswith("error: ")
    assert row.said in said
    assert (tmp_path / "stdout").read_text() == ""
    assert (tmp_path / "loaded").read_text() == "", "TensorFlow was loaded"
    assert contents(work) == before, "something was written"
    assert cost["cpu"] < MOST_CPU
    assert cost["memory"] - idle < MOST_MEMORY


def test_names_of_rows_are_their_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
