"""`nncli train --resume`: what a killed process leaves, and how it goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nncli import runs
from nncli.cli import main
from nncli.results import CHECKPOINTS

TINY = ["--epochs", "4", "--set", "data.train_per_class=4", "--set", "model.filters=[4]",
        "--set", "model.dropout=0.3", "--set", "training.early_stopping=null",
        "--set", "training.checkpoints.every_epochs=1"]  # fmt: skip


def train(*arguments: str) -> int:
    return main(["train", *arguments, "--no-pictures", "--quiet"])


def weights(folder: Path) -> list[Any]:
    from nncli import backend

    model = backend.keras().models.load_model(folder / "model.keras", compile=False)
    return list(model.get_weights())


def same_numbers(one: Path, other: Path) -> None:
    assert (one / "metrics.json").read_bytes() == (other / "metrics.json").read_bytes()
    first, second = (runs.load(folder).history for folder in (one, other))
    assert [each.metrics for each in first] == [each.metrics for each in second]
    for a, b in zip(weights(one), weights(other), strict=True):
        assert np.array_equal(a, b)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, started: None) -> Path:
    """Holds a run of four epochs, `whole`."""
    folder = tmp_path_factory.mktemp("outputs")
    assert train("cnn", *TINY, "-o", str(folder), "--name", "whole", "--device", "cpu") == 0
    return folder


def cut(root: Path, name: str, *, epochs: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run like `whole` whose process was killed after so many epochs."""
    from nncli.training.checkpoint import Keeper

    class Killed(BaseException):
        pass

    really = Keeper.epoch

    def dying(self: Keeper, model: Any, records: Any, *more: Any) -> None:
        really(self, model, records, *more)
        if len(records) == epochs:
            raise Killed

    def nothing(*_: object) -> None:
        """A killed process tidies nothing up."""

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "epoch", dying)
        patch.setattr(runs.Run, "__exit__", lambda self, *_: self.close())
        with pytest.raises(Killed):
            train("cnn", *TINY, "-o", str(root), "--name", name, "--device", "cpu")
    folder = root / "cnn" / name
    assert json.loads((folder / "run.json").read_text())["status"] == "running"
    assert not (folder / "metrics.json").exists()
    return folder


@pytest.fixture
def killed(root: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """After two epochs; of its own for each test."""
    template = root / "cnn" / "template"
    if not template.exists():
        cut(root, "template", epochs=2, monkeypatch=monkeypatch)
    name = f"killed-{abs(hash(request.node.name))}"
    return Path(shutil.copytree(template, root / "cnn" / name))


def test_it_ends_as_the_run_that_was_not_cut_off(root: Path, killed: Path) -> None:
    assert train("--resume", str(killed)) == 0
    same_numbers(killed, root / "cnn" / "whole")
    record = json.loads((killed / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["resumed"] == [2]
    assert [path.name for path in (killed / CHECKPOINTS).iterdir()] == ["000004.state"]


def test_its_name_is_enough_and_its_kind_may_be_said(root: Path, killed: Path) -> None:
    assert train("cnn", "--resume", killed.name, "-o", str(root)) == 0
    assert json.loads((killed / "run.json").read_text())["status"] == "finished"


def test_a_finished_run_says_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = root / "cnn" / "whole"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert train("--resume", str(folder)) == 0
    assert "is finished: nothing is left to train" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_finished_run_is_judged(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = ["--resume", "whole", "-o", str(root)]
    assert train(*again, "--require", "epochs == 4") == 0
    capsys.readouterr()
    assert train(*again, "--require", "epochs == 5") == 5
    assert "not reached: epochs == 5: it is 4" in capsys.readouterr().err
    assert train(*again, "--require", "epochs == 5", "--json") == 5
    document = json.loads(capsys.readouterr().out)
    assert [each["met"] for each in document["requirements"]] == [False]


def test_a_finished_run_is_trained_longer(root: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(root / "cnn" / "whole", root / "cnn" / "longer"))
    longer = [word if word != "4" else "6" for word in TINY]
    assert train("cnn", *longer, "-o", str(tmp_path), "--name", "six", "--device", "cpu") == 0
    assert train("--resume", str(folder), "--epochs", "6") == 0
    same_numbers(folder, tmp_path / "cnn" / "six")
    assert yaml.safe_load((folder / "config.yaml").read_text())["training"]["epochs"] == 6


def refused(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    capsys.readouterr()
    assert train(*arguments) == code
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--set", "seed=1", "--name", "x"], "--set, --name would change it"),
        (["--epochs", "1"], "2 epochs are trained, --epochs 1 is fewer"),
        (["--learning-rate", "0.1"], "--learning-rate would change it"),
    ],
)
def test_nothing_but_the_end_can_change(
    more: list[str], said: str, killed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (killed / "run.json").read_bytes()
    assert said in refused(capsys, 2, "--resume", str(killed), *more)
    assert (killed / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("learning_rate: 0.001", "learning_rate: 0.01", "config.training.learning_rate 0.001 then"),
        ("train_per_class: 4", "train_per_class: 5", "samples"),
    ],
)
def test_a_changed_config_is_refused(
    old: str, new: str, said: str, killed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = killed / "config.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    error = refused(capsys, 4, "--resume", str(killed))
    assert "cannot go on to the same numbers" in error
    assert said in error
    assert json.loads((killed / "run.json").read_text())["status"] == "running"


def test_other_versions_are_refused(
    killed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nncli import backend

    now = backend.versions()
    monkeypatch.setattr(backend, "versions", lambda: {**now, "keras": "9.9"})
    error = refused(capsys, 4, "--resume", str(killed))
    assert f"versions.keras {now['keras']} then, 9.9 now" in error


def test_no_checkpoint_is_an_error(
    root: Path, killed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(killed / CHECKPOINTS)
    assert "holds no checkpoint" in refused(capsys, 4, "--resume", str(killed))
    assert "unknown run" in refused(capsys, 2, "--resume", "nosuch", "-o", str(root))


def test_a_damaged_newest_one_costs_an_epoch(root: Path, killed: Path) -> None:
    path = killed / CHECKPOINTS / "000002.state"
    path.write_bytes(path.read_bytes()[:-100])
    assert train("--resume", str(killed)) == 0
    same_numbers(killed, root / "cnn" / "whole")
    assert json.loads((killed / "run.json").read_text())["resumed"] == [1]


def test_a_run_at_work_is_refused(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with runs.reopen(killed):
        assert "in use by another process" in refused(capsys, 4, "--resume", str(killed))


def test_what_was_cut_off_is_told_with_the_way_on(
    killed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["report", str(killed)]) == 4
    assert f"nncli train --resume {killed} goes on with it" in " ".join(
        capsys.readouterr().err.split()
    )


def test_nothing_to_train_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert "train what?" in refused(capsys, 2)
