"""Whether two runs are the same to the last bit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import runs
from nncli.cli import main
from nncli.errors import RunError
from nncli.verification import changed_since, first_difference, weights_of
from tests.documents.read import document_of
from tests.tiny import tiny_run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, started: None) -> Path:
    """Holds a run, `rnn/rnn`."""
    folder = tmp_path_factory.mktemp("outputs")
    tiny_run("rnn", folder, tmp_path_factory)
    return folder


@pytest.fixture
def two(root: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The run, and a copy to change."""
    run = root / "rnn" / "rnn"
    return run, Path(shutil.copytree(run, tmp_path / "copy"))


def test_a_run_is_the_same_as_itself(two: tuple[Path, Path]) -> None:
    one, other = two
    assert first_difference(one, other) == ""
    assert changed_since(*map(runs.read_record, (one, other))) == []
    assert len(weights_of(one)) >= 5


def change_history(folder: Path) -> None:
    path = folder / "history.csv"
    lines = path.read_text().splitlines()
    cells = lines[2].split(",")
    cells[2] = repr(float(np.nextafter(float(cells[2]), 1)))
    path.write_text("\n".join([*lines[:2], ",".join(cells), *lines[3:]]) + "\n")


def change_metrics(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["test"]["mean_absolute_error"] = 0.5
    (folder / "metrics.json").write_text(json.dumps(metrics))


def change_weights(folder: Path) -> None:
    from nncli import backend

    model = backend.keras().models.load_model(folder / "model.keras")
    kernel = model.layers[-1].kernel
    changed = kernel.numpy()
    changed[3, 0] = np.nextafter(changed[3, 0], np.float32(1))
    kernel.assign(changed)
    model.save(folder / "model.keras")


def change_answers(folder: Path) -> None:
    with np.load(folder / "forecast.npz") as stored:
        arrays: dict[str, Any] = dict(stored)
    arrays["one_step"] = arrays["one_step"] + 1e-9
    np.savez(folder / "forecast.npz", **arrays)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (change_history, "loss of epoch 2: "),
        (change_metrics, "test.mean_absolute_error: "),
        (change_weights, "weight layers/dense/vars/0: 1 of 32 numbers"),
        (change_answers, "answer one_step: 20 of 20 numbers"),
    ],
)
def test_the_first_difference_is_told(
    change: Callable[[Path], None], said: str, two: tuple[Path, Path]
) -> None:
    change(two[1])
    assert first_difference(*two).startswith(said)


def test_what_has_changed_since_is_told(two: tuple[Path, Path]) -> None:
    record = json.loads((two[1] / "run.json").read_text())
    record["versions"]["keras"] = "9.9"
    (two[1] / "run.json").write_text(json.dumps(record))
    (told,) = changed_since(*map(runs.read_record, two))
    assert told.startswith("versions.keras 3.")
    assert told.endswith(" then, 9.9 now")


def test_a_run_without_its_model_is_not_compared(two: tuple[Path, Path]) -> None:
    (two[1] / "model.keras").unlink()
    with pytest.raises(RunError, match=r"model.keras cannot be read"):
        first_difference(*two)


@pytest.mark.slow
def test_verify_trains_again_and_compares(
    root: Path,
    two: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    capfd.readouterr()
    assert main(["verify", "rnn", "-o", str(root)]) == 0
    assert "rnn repeats to the last bit: 3 epochs" in " ".join(capfd.readouterr().out.split())
    change_weights(two[1])
    monkeypatch.setattr(  # it would train what it has just trained
        "nncli.commands.verify._train_again",
        lambda _, kind, into, **__: shutil.copytree(two[0], Path(into) / kind / "again"),
    )
    assert main(["verify", str(two[1]), "--json"]) == 1
    document = document_of(capfd.readouterr().out, "verify")
    assert document["same"] is False
    assert document["difference"].startswith("weight layers/dense/vars/0: 1 of 32")
    assert document["changed"] == []


def test_only_a_finished_run_is_verified(
    two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads((two[1] / "run.json").read_text())
    (two[1] / "run.json").write_text(json.dumps({**record, "status": "interrupted"}))
    assert main(["verify", str(two[1])]) == 4
    assert "is interrupted, so nothing tells what it would end with" in capsys.readouterr().err
