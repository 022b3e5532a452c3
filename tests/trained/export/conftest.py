"""Small runs of every kind that were really trained, once for all tests of a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nncli.cli import main
from nncli.trained.model import OpenedRun, open_run

TRAININGS = {
    "cnn": (
        *("cnn", "--epochs", "1", "--set", "data.train_per_class=6"),
        *("--set", "model.filters=[4]", "--set", "model.units=8", "--set", "model.dropout=0.2"),
        *("--set", "model.augmentation.rotation=10", "--set", "model.augmentation.contrast=0.2"),
    ),
    "rnn": (
        *("rnn", "--epochs", "2", "--set", "model.units=[4]"),
        *("--set", "data.source=csv", "--set", "data.window=6"),
        *("--set", "data.column=sold", "--set", "data.input_columns=[price]"),
        *("--set", "data.inputs=relative"),
    ),
    "lstm": ("lstm", "--epochs", "2", "--set", "model.units=[4,3]", "--set", "data.source=ts"),
    "transfer": (
        *("transfer", "--epochs", "2", "--set", "pretraining.epochs=1"),
        *("--set", "model.units=8", "--set", "model.compare=[]"),
        *("--set", "model.fine_tune={layers: 2, epochs: 1}"),
    ),
}
"""What each is trained with."""


@pytest.fixture(scope="session")
def data_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A series with a column beside it, and sequences of unequal lengths, on the disk."""
    folder = tmp_path_factory.mktemp("data")
    rows = [f"{300 + 40 * (n % 7) + n},{5 + n % 3}" for n in range(80)]
    (folder / "sales.csv").write_text("sold,price\n" + "\n".join(rows) + "\n", encoding="utf-8")
    lines = [
        *("@problemName made", "@timestamps false", "@missing false", "@univariate false"),
        *("@dimensions 2", "@equalLength false", "@classLabel true up down", "@data"),
    ]
    for n in range(40):
        label, slope = ("up", 1) if n % 2 else ("down", -1)
        values = [100 + slope * step + n % 5 for step in range(5 + n % 4)]
        second = [n % 3 + step / 10 for step in range(len(values))]
        lines.append(f"{','.join(map(str, values))}:{','.join(map(str, second))}:{label}")
    (folder / "made.ts").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"rnn": folder / "sales.csv", "lstm": folder / "made.ts"}


@pytest.fixture(scope="session")
def run_of(
    tmp_path_factory: pytest.TempPathFactory, data_files: dict[str, Path], started: None
) -> Callable[[str], Path]:
    """The folder of the run of a kind, trained when it is first asked for."""
    root = tmp_path_factory.mktemp("outputs")

    def trained(kind: str) -> Path:
        folder = root / kind / "made"
        if not folder.is_dir():
            own = ["--set", f"data.path={data_files[kind]}"] if kind in data_files else []
            place = ["-o", str(root), "--name", "made", "--no-pictures", "--quiet"]
            assert main(["train", *TRAININGS[kind], *own, *place, "--device", "cpu"]) == 0
        return folder

    return trained


@pytest.fixture(scope="session")
def opened_run(run_of: Callable[[str], Path]) -> Callable[[str], OpenedRun]:
    """The run of a kind, opened."""
    return lambda kind: open_run(run_of(kind))
