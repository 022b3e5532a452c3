from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nncli.cli import main
from nncli.errors import ExitCode
from nncli.training import estimate as estimating
from nncli.training.checkpoint import KEPT
from nncli.training.estimate import Estimate

WITHIN = 1.5
"""Times too much or too little that an estimate may be."""


def size(folder: Path, *patterns: str) -> int:
    return sum(path.stat().st_size for pattern in patterns for path in folder.rglob(pattern))


def peak(folder: Path) -> int:
    """What a finished run had on the disk at its worst moment; it has one checkpoint left."""
    checkpoint = size(folder, "*.state")
    saved, drawn = size(folder, "*.keras", "*.npz"), size(folder, "*.png", "*.html")
    moments = (
        *((KEPT + 1) * checkpoint, KEPT * checkpoint + saved),
        checkpoint + saved + drawn,
    )
    return max(moments) + size(folder, "*.json", "*.yaml", "*.csv", "*.txt")


@pytest.mark.parametrize(("kind", "drawn"), [("rnn", "--pictures"), ("cnn", "--no-pictures")])
def test_it_is_what_a_default_run_writes(
    kind: str, drawn: str, started: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Estimate] = []
    original = estimating.estimate

    def listen(*given: Any, **more: Any) -> Estimate:
        told.append(original(*given, **more))
        return told[0]

    monkeypatch.setattr(estimating, "estimate", listen)
    assert main(["train", kind, drawn, "--epochs=1", f"--output={tmp_path}", "--name=run"]) == 0
    folder = tmp_path / kind / "run"
    assert 1 / WITHIN < told[0].peak / peak(folder) < WITHIN
    # the numbers of a large model are what counts, and they are known
    assert told[0].checkpoint == pytest.approx(size(folder, "*.state"), rel=0.2)
    assert told[0].pictures == pytest.approx(size(folder, "*.png", "*.html"), rel=WITHIN - 1)


def test_the_worst_moment_depends_on_what_is_large() -> None:
    assert Estimate(checkpoint=9, model=2, answers=1, pictures=5, texts=1).peak == 28
    assert Estimate(checkpoint=2, model=9, answers=1, pictures=0, texts=1).peak == 15
    assert Estimate(checkpoint=2, model=1, answers=1, pictures=9, texts=1).peak == 14
    assert Estimate(checkpoint=0, model=1, answers=0, pictures=0, texts=1).peak == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nothing may be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_without_room_is_told_before_the_training(
    started: None, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "rnn", "--epochs", "1", "-o", str(small_disk / "outputs"), "--name", "run"]
    assert main(command) == ExitCode.MODEL
    captured = capsys.readouterr()
    assert f"but {small_disk} has 0.3 MB free" in captured.err
    assert "epoch" not in captured.out + captured.err
    assert not list(small_disk.iterdir())
    # it is enough for the numbers alone
    assert main([*command, "--no-pictures"]) == 0


def test_an_estimate_refuses_it_too(
    started: None, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "rnn", "--epochs=1", "--estimate", "-o", str(small_disk / "outputs")]
    assert main(command) == ExitCode.MODEL
    assert f"but {small_disk} has 0.3 MB free" in capsys.readouterr().err
    assert not list(small_disk.iterdir())
