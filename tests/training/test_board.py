"""What TensorBoard reads is what history.csv says, and what goes wrong there costs nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from nncli import runs
from nncli.cli import main
from nncli.errors import ExitCode
from nncli.results import PRETRAINING, TENSORBOARD, EpochRecord
from nncli.training.board import Board
from tests.commands.test_train import TINY
from tests.tiny import tiny_run
from tests.training.test_features import Told

Points = dict[str, dict[int, float]]


def train(kind: str, root: Path, *more: str) -> int:
    command = ["train", kind, "--output", str(root), "--device", "cpu", "--no-pictures", "--quiet"]
    return main([*command, *more])


def points(folder: Path) -> Points:
    """By tag and step; no step may be there twice."""
    events = EventAccumulator(str(folder), {"tensors": 0}).Reload()
    found: Points = {}
    for tag in events.Tags()["tensors"]:
        each = [(e.step, tensor_util.make_ndarray(e.tensor_proto)) for e in events.Tensors(tag)]
        found[tag] = {step: float(value) for step, value in each}
        assert len(found[tag]) == len(each), f"{folder} has a step of {tag} twice"
    return found


def expected(history: tuple[EpochRecord, ...]) -> tuple[Points, Points]:
    """Of training and of validation."""
    train: Points = {}
    validation: Points = {}
    for record in history:
        figures = {**record.metrics, "learning_rate": record.learning_rate}
        for name, value in figures.items():
            part = validation if name.startswith("val_") else train
            part.setdefault(f"epoch_{name.removeprefix('val_')}", {})[record.epoch] = value
    return train, validation


def check(folder: Path) -> tuple[EpochRecord, ...]:
    """The files say what history.csv says."""
    history, board = runs.load(folder).history, folder / TENSORBOARD
    parts = {
        "": tuple(each for each in history if each.phase != PRETRAINING),
        "pretrain": tuple(each for each in history if each.phase == PRETRAINING),
    }
    for place, records in parts.items():
        for name, wanted in zip(("train", "validation"), expected(records), strict=True):
            found = points(board / place / name) if (board / place / name).is_dir() else {}
            assert found.keys() == wanted.keys()
            for tag, values in wanted.items():
                assert found[tag] == pytest.approx(values, rel=1e-6)
    return history


@pytest.mark.parametrize("kind", ["rnn", "transfer"])
def test_they_are_the_numbers_of_the_history(kind: str, started: None, tmp_path: Path) -> None:
    assert train(kind, tmp_path, *TINY[kind], "--tensorboard", "--name", "run") == 0
    folder = tmp_path / kind / "run"
    assert check(folder)
    names = {path.parent.relative_to(folder / TENSORBOARD).as_posix()
             for path in (folder / TENSORBOARD).rglob("events.*")}  # fmt: skip
    both = {"train", "validation"}
    assert (
        names
        == {
            "rnn": {"train"},
            "transfer": {*both, *(f"{a}/{b}" for a in ("pretrain", "scratch") for b in both)},
        }[kind]
    )
    if kind == "transfer":  # the network to compare with is in no history
        scratch = points(folder / TENSORBOARD / "scratch" / "validation")["epoch_loss"]
        assert sorted(scratch) == [1, 2]


def test_a_run_that_goes_on_writes_each_epoch_once(started: None, tmp_path: Path) -> None:
    assert train("rnn", tmp_path, "--epochs=2", "--tensorboard", "--name=run") == 0
    folder = tmp_path / "rnn" / "run"
    # by itself: it began with it
    assert main(["train", "--resume", str(folder), "--epochs=5", "--no-pictures", "--quiet"]) == 0
    assert len(check(folder)) == 5


def test_without_it_there_are_none_and_nothing_else_is_other(
    started: None, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert train("rnn", tmp_path, *TINY["rnn"], "--name=with", "--tensorboard") == 0
    one, other = tmp_path / "rnn" / "with", tiny_run("rnn", tmp_path, tmp_path_factory)
    assert not (other / TENSORBOARD).exists()
    for name in ("metrics.json", "config.yaml"):
        text, without = ((each / name).read_text().splitlines()[1:] for each in (one, other))
        assert text == without
    assert main(["runs", "show", str(one)]) == 0
    assert main(["runs", "delete", str(one), "--yes"]) == 0
    assert not one.exists()


def test_where_it_is_not_installed_it_is_said_before_anything_is_loaded(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['tensorboard'] = None; from nncli.cli import main; "
        "code = main(sys.argv[1:]); print({'tensorflow', 'numpy', 'pydantic'} & set(sys.modules)); "
        "sys.exit(code)"
    )

    def run(*arguments: str) -> Any:
        command = [sys.executable, "-c", script, "train", *arguments, "--output", str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = run("rnn", "--tensorboard")
    assert done.returncode == ExitCode.USAGE
    assert done.stderr.splitlines() == [
        "error: --tensorboard needs the package tensorboard, which is not installed",
        "help: pip install 'nncli[tensorboard]'",
    ]
    assert done.stdout == "set()\n"
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_began_with_it_needs_it_to_go_on(
    started: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train("rnn", tmp_path, "--epochs=1", "--tensorboard", "--name=run") == 0
    before = (tmp_path / "rnn" / "run" / "run.json").read_bytes()
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    assert main(["train", "--resume", str(tmp_path / "rnn" / "run"), "--epochs=2"]) == 2
    assert "pip install 'nncli[tensorboard]'" in capsys.readouterr().err
    assert (tmp_path / "rnn" / "run" / "run.json").read_bytes() == before


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nothing may be mounted here")
    yield disk
    # TensorFlow never closes the file of a writer that failed
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_told_once(
    started: None, tiny_disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told = Told()
    board = Board(tiny_disk / TENSORBOARD, (), told)
    for number in range(1, 401):
        board.epoch(EpochRecord("train", number, {"loss": 0.5}, 0.1, 1.0, best=True), number)
    board.close()
    (note,) = told.notes
    assert note.startswith(f"nothing more is written into {tiny_disk / TENSORBOARD}: ")
    assert note.endswith("No space left on device")
    assert points(tiny_disk / TENSORBOARD / "train")["epoch_loss"][1] == 0.5
    del board
    assert capfd.readouterr().err == ""


def test_a_folder_that_cannot_be_made_costs_no_training(
    started: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("rnn", tmp_path, "--epochs=1", "--name=run") == 0
    folder = tmp_path / "rnn" / "run"
    (folder / TENSORBOARD).write_text("in the way")
    capsys.readouterr()
    again = ["train", "--resume", str(folder), "--epochs=3", "--tensorboard", "--no-pictures"]
    assert main(again) == 0
    assert f"note: nothing more is written into {folder / TENSORBOARD}" in capsys.readouterr().out
    assert len(runs.load(folder).history) == 3


def test_a_folder_that_was_removed_is_not_made_anew(started: None, tmp_path: Path) -> None:
    told = Told()
    board = Board(tmp_path / TENSORBOARD, (), told)
    (tmp_path / TENSORBOARD).rmdir()
    board.epoch(EpochRecord("train", 1, {"loss": 0.5}, 0.1, 1.0, best=True), 1)
    assert told.notes == [f"nothing more is written into {tmp_path / TENSORBOARD}: it was removed"]
    assert list(tmp_path.iterdir()) == []
