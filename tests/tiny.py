"""Tiny runs that were really trained, one for all tests of all processes: nobody writes to them."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

import pytest

from nncli.cli import main

OPTIONS: dict[str, tuple[str, ...]] = {
    "rnn": ("rnn", "--epochs", "3"),
    "series": ("rnn", "--epochs", "2", "--set", "model.units=[4]", "--set", "data.window=6"),
    "lstm": (
        *("lstm", "--epochs", "2", "--set", "data.samples=60", "--set", "data.steps=20"),
        *("--set", "model.units=[4,4]"),
    ),
    "cnn": (
        *("cnn", "--epochs", "2", "--set", "data.train_per_class=8", "--set", "model.filters=[4]"),
    ),
    "transfer": (
        *("transfer", "--epochs", "2", "--set", "pretraining.epochs=1"),
        *("--set", "pretraining.data.train_per_class=4", "--set", "data.train_per_class=2"),
    ),
}
"""What each is trained with."""


def tiny_run(name: str, root: Path, factory: pytest.TempPathFactory) -> Path:
    """A copy of one of them as `root/<kind>/<name>`.

    Args:
        name: a key of OPTIONS.
        root: where the copy goes.
        factory: of pytest, for the place that all its processes share.
    """
    base = factory.getbasetemp()
    shared = (base.parent if base.name.startswith("popen-") else base) / "tiny-runs"
    shared.mkdir(exist_ok=True)
    kind, *options = OPTIONS[name]
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = shared / kind / name
        if not (made / "metrics.json").exists():
            if name == "series":
                from tests.data.made import write_csv

                options += ["--data", str(write_csv(shared / "sold.csv", rows=90))]
            place = ["--output", str(shared), "--name", name, "--device", "cpu", "--no-pictures"]
            assert main(["train", kind, *options, *place, "--quiet"]) == 0
    copied = root / kind / name
    shutil.copytree(made, copied)
    return copied
