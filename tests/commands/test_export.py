from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nncli import backend
from nncli.cli import main
from nncli.errors import ExitCode
from nncli.trained import export as room
from tests.made import run_folder
from tests.page import runs


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was really trained."""
    root = tmp_path_factory.mktemp("outputs")
    tiny = ["--epochs", "1", "--set", "data.train_per_class=4", "--set", "model.filters=[4]"]
    place = ["-o", str(root), "--name", "tiny", "--no-pictures", "--quiet"]
    assert main(["train", "cnn", "--device", "cpu", *place, *tiny]) == 0
    return root / "cnn" / "tiny"


def test_it_goes_into_the_run_s_folder(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["export", "tiny", "--format", "keras", "--runs-in", str(trained.parent.parent)]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    path = trained / "exports" / "tiny.keras"
    assert path.is_file()
    assert err == ""
    assert out.startswith(f"✓ {path}")
    assert "grey pictures of 28×28, pixels from 0 to 255; any number at once" in out
    assert "the probabilities of 10 classes" in out
    assert "answers as the run does in Keras on 256 samples of the test part" in out
    assert "tiny.keras.json" in out
    assert len(out.splitlines()) == 5
    before = path.read_bytes()
    assert main(arguments) == ExitCode.USAGE
    assert "already there" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert main([*arguments, "--force", "--json"]) == 0
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert err == ""
    assert said["path"] == str(path)
    assert said["beside"] == [f"{path}.json"]
    assert said["format"] == "keras"
    assert 0 <= said["difference"] < said["tolerance"] == room.TOLERANCE
    assert main(["runs", "show", str(trained)]) == 0
    assert "exports/" in capsys.readouterr().out


def test_a_difference_that_is_not_allowed_is_a_failure(
    trained: Path, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = room.FORMATS["keras"]
    wrong = replace(row, answers=lambda *given: row.answers(*given) + 0.5)
    monkeypatch.setitem(room.FORMATS, "keras", wrong)
    arguments = ["export", str(trained), "-f", "keras", "-o", "mine.keras"]
    assert main(arguments) == ExitCode.FAILED
    assert "by up to 0.5 on 256 samples, where 0.0001 is allowed" in capsys.readouterr().err
    assert list(here.iterdir()) == []
    assert main([*arguments, "--tolerance", "1"]) == 0
    assert {path.name for path in here.iterdir()} == {"mine.keras", "mine.keras.json"}


def test_an_interruption_leaves_nothing(
    trained: Path, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow takes a signal in the middle of its work for a mistake of somebody's."""
    import signal

    def interrupted(_: Any, path: Path) -> None:
        path.write_text("half of it", encoding="utf-8")
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise TypeError("failed to convert") from None

    row = replace(room.FORMATS["keras"], write=interrupted)
    monkeypatch.setitem(room.FORMATS, "keras", row)
    assert main(["export", str(trained), "-f", "keras", "-o", "mine.keras"]) == 143
    assert capsys.readouterr().err == "interrupted\n"
    assert list(here.iterdir()) == []


@pytest.fixture
def _no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: Any) -> None:
        raise AssertionError("TensorFlow was started")

    monkeypatch.setattr(backend, "start", start)


@pytest.mark.usefixtures("_no_tensorflow")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["latest", "-f", "onx"], 2, "did you mean 'onnx'?"),
        (["latest", "-f", "saved_model"], 2, "did you mean 'saved-model'?"),
        (["latest", "-f", "zip"], 2, "keras, saved-model, onnx, tflite, code"),
        (["latest"], 2, "--format"),
        (["lates", "-f", "keras"], 2, "unknown run"),
        (["latest", "-f", "keras", "-o", "a.onnx"], 2, "--output a.keras"),
        (["latest", "-f", "keras", "-o", "taken"], 2, "already there"),
        (["latest", "-f", "keras", "-o", "file/a.keras"], 4, "is not a folder"),
        (["latest", "-f", "keras", "--tolerance", "nan"], 2, "0 or more"),
        (["latest", "-f", "keras"], 4, "an older nncli"),
    ],
)
def test_what_cannot_be_is_refused_before_tensorflow(
    arguments: list[str], code: int, said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_folder(runs.interrupted(), here / "outputs")
    (here / "taken").mkdir()
    (here / "taken" / f"{run.name}.keras").touch()
    (here / "file").touch()
    assert main(["export", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


@pytest.mark.usefixtures("_no_tensorflow")
def test_a_run_that_is_not_over_is_refused(
    trained: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    for name, said in (("metrics.json", "not"), ("model.keras", "no model.keras")):
        folder = shutil.copytree(trained, here / f"without-{name}")
        (folder / name).unlink()
        assert main(["export", str(folder), "-f", "keras"]) == ExitCode.MODEL
        assert said in capsys.readouterr().err
        assert not list(folder.glob("exports/without*"))
