"""The scripts: short, clean, and they train what the run trained."""

from __future__ import annotations

import csv
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nncli import backend
from nncli.errors import ExportError
from nncli.trained.export import FORMATS, export
from nncli.trained.export.code.layers import layer_code, quoted, value_code
from nncli.trained.model import OpenedRun

Opened = Callable[[str], OpenedRun]
KINDS = ("cnn", "rnn", "lstm", "transfer")


def settings(layer: Any) -> dict[str, Any]:
    """What a layer was made with; tuples are lists, as in a file."""
    own = {"name", "dtype", "trainable"}
    given = {key: value for key, value in layer.get_config().items() if key not in own}
    return dict(json.loads(json.dumps(given)))


def written(opened_run: Opened, kind: str, folder: Path) -> Path:
    path = folder / "mine.py"
    made = export(opened_run(kind), FORMATS["code"], path, 1e-6)
    assert made.beside == (path.with_suffix(".npz"),)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_script_is_clean_and_builds_the_run_s_model(
    kind: str, opened_run: Opened, tmp_path: Path
) -> None:
    path = written(opened_run, kind, tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.npz", "mine.py"]
    script = runpy.run_path(str(path))
    run = opened_run(kind)
    model, trained = script["build"](), run.load_model()
    assert model.count_params() == trained.count_params()
    assert model.count_params() == sum(layer.parameters for layer in run.stored.layers)
    plain = [type(layer).__name__ for layer in model.layers]
    assert plain == [type(layer).__name__ for layer in trained.layers]
    for one, other in zip(model.layers, trained.layers, strict=True):
        if hasattr(one, "layers"):
            continue
        assert settings(one) == settings(other)
    said = path.read_text(encoding="utf-8")
    assert f"The model: {model.count_params():,} parameters." in said
    assert "nncli" not in said.replace("Written by nncli", "")
    assert max(map(len, said.splitlines())) <= 88
    for command in (["check", "--select", "E,F,I,B,UP,SIM"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(path)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def told(said: str) -> tuple[list[float], str]:
    """The training loss of each epoch that a script tells, and the figure at its end."""
    losses = [float(loss) for loss in re.findall(r" - loss: (\S+)", said)]
    (figure,) = re.findall(r"test (?:accuracy|error) (\S+)", said)
    return losses, figure


def epochs(run: OpenedRun) -> list[float]:
    with (run.folder / "history.csv").open(encoding="utf-8", newline="") as stream:
        return [float(row["loss"]) for row in csv.DictReader(stream)]


def test_a_script_trains_as_the_run_did(opened_run: Opened, tmp_path: Path) -> None:
    """From the same first weights, on the same samples in the same order."""
    path = written(opened_run, "rnn", tmp_path)
    done = subprocess.run(
        [sys.executable, path.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    losses, figure = told(done.stdout)
    assert losses == pytest.approx(epochs(opened_run("rnn")), abs=2e-4)
    error = opened_run("rnn").stored.metrics["test"]["mean_absolute_error"]
    assert float(figure) == pytest.approx(error, rel=1e-3)


@pytest.mark.slow
def test_a_script_of_several_phases_does(
    opened_run: Opened,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = written(opened_run, "transfer", tmp_path)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    runpy.run_path(path.name, run_name="__main__")
    losses, figure = told(capsys.readouterr().out)
    wanted = epochs(opened_run("transfer"))
    assert len(losses) == len(wanted) == 4
    assert losses[0] == pytest.approx(wanted[0], abs=0.01)
    # what dropout takes away is drawn otherwise, and there are 25 pictures to learn from
    assert losses == pytest.approx(wanted, abs=0.3)
    accuracy = opened_run("transfer").stored.metrics["test"]["accuracy"]
    assert float(figure.rstrip("%")) / 100 == pytest.approx(accuracy, abs=0.1)


def test_a_script_that_builds_something_else_is_not_written(
    opened_run: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nncli.trained.export.code import script

    def doubled(layer: Any, **given: Any) -> str:
        return layer_code(layer, **given).replace("Dense(8", "Dense(16")

    monkeypatch.setattr(script, "layer_code", doubled)
    with pytest.raises(ExportError, match="with other weights"):
        export(opened_run("cnn"), FORMATS["code"], tmp_path / "mine.py", 1e-4)
    assert list(tmp_path.iterdir()) == []


def test_no_name_becomes_a_line_of_the_script(opened_run: Opened, tmp_path: Path) -> None:
    """Names come with the data, and with a folder that somebody else has made."""
    run = opened_run("cnn")
    evil = '"""\nraise SystemExit("caught")\n"""'
    learned = run.learned.model_copy(update={"classes": (evil, *run.learned.classes[1:])})
    changed = replace(run, stored=replace(run.stored, name=evil), learned=learned)
    export(changed, FORMATS["code"], tmp_path / "mine.py", 1e-6)
    said = (tmp_path / "mine.py").read_text(encoding="utf-8")
    assert not [line for line in said.splitlines() if line.startswith("raise")]
    series = opened_run("rnn")
    assert series.learned.series is not None
    named = series.learned.series.model_copy(update={"name": evil})
    changed = replace(series, learned=series.learned.model_copy(update={"series": named}))
    export(changed, FORMATS["code"], tmp_path / "other.py", 1e-6)


@pytest.mark.usefixtures("started")
def test_a_layer_is_written_as_one_would_write_it() -> None:
    layers = backend.keras().layers
    for layer, wanted in (
        (layers.Dense(3), "keras.layers.Dense(3)"),
        (layers.Dense(3, activation="softmax"), 'keras.layers.Dense(3, activation="softmax")'),
        (layers.MaxPooling2D(2), "keras.layers.MaxPooling2D((2, 2))"),
        (layers.LSTM(4, return_sequences=True), "keras.layers.LSTM(4, return_sequences=True)"),
        (layers.GlobalMaxPooling2D(), "keras.layers.GlobalMaxPooling2D()"),
        (layers.RandomFlip("vertical", seed=5), 'keras.layers.RandomFlip("vertical", seed=5)'),
    ):
        assert layer_code(layer) == wanted
        assert eval(wanted, {"keras": backend.keras()}).name != layer.name
    assert "dtype" not in layer_code(layers.Dense(3))
    assert layer_code(layers.Dense(3), dtype="float32") == 'keras.layers.Dense(3, dtype="float32")'


def test_any_text_and_value_is_python() -> None:
    for value in ('a"b', "a\\b", "a\nb\t", "é", "\x1b[31m", "{x}", ("a", 1.5), (None,), True):
        assert eval(value_code(value)) == value
    assert quoted("é") == '"é"'
