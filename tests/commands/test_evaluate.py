"""`nncli evaluate` as a user runs it: real runs, real samples, real pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import runs
from nncli.cli import main
from nncli.trained.model import open_run
from tests.data.made import write_csv, write_npz
from tests.documents.read import document_of
from tests.tiny import OPTIONS, tiny_run

PICTURES = {
    "classification": {"confusion.png", "predictions.png", "calibration.png"},
    "forecast": {"forecast.png"},
}


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def evaluate(folder: Path, *more: str) -> int:
    return main(["evaluate", str(folder), "--device", "cpu", *more])


@pytest.mark.parametrize("name", OPTIONS)
def test_the_own_test_part_gives_the_figures_of_the_training_to_the_bit(
    name: str, here: Path, tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tiny_run(name, here, tmp_path_factory)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    capsys.readouterr()
    drawn = name in {"cnn", "series"}
    assert evaluate(folder, "--pictures" if drawn else "--no-pictures") == 0
    out = capsys.readouterr().out
    assert "the same figures as after training, to the last digit" in out
    place = folder / "evaluations" / "test-001"
    found, stored = read(place / "evaluation.json"), runs.load(folder)
    assert found["changed"] == []
    for figure, value in stored.metrics["test"].items():
        if figure != "classes":
            assert found["test"][figure] == value, figure
    array = "predictions.npz" if stored.task == "classification" else "forecast.npz"
    with np.load(place / array) as now, np.load(folder / array) as then:
        for each in then.files:
            assert np.array_equal(now[each], then[each]), each
    wanted = PICTURES[stored.task] | ({"horizons.png"} if name == "series" else set())
    assert {path.name for path in place.glob("*.png")} == (wanted if drawn else set())
    # nothing of the run itself was touched
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert after == before


def test_the_second_one_lies_beside_the_first(
    here: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny_run("cnn", here, tmp_path_factory)
    for _ in range(2):
        assert evaluate(folder, "--no-pictures", "--quiet") == 0
    names = {path.name for path in (folder / "evaluations").iterdir()}
    assert names == {"test-001", "test-002"}
    assert not list((folder / "evaluations").rglob("*.png"))
    capsys.readouterr()
    assert evaluate(folder, "--no-save", "--json") == 0
    document = document_of(capsys.readouterr().out, "evaluate")
    assert document["folder"] is None
    assert document["own_test_part"] is True
    assert document["test"]["accuracy"] == runs.load(folder).metrics["test"]["accuracy"]
    assert {path.name for path in (folder / "evaluations").iterdir()} == names


def test_other_samples_through_the_preparation_of_the_run(
    here: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run's own test part as an archive, labelled by name: the same figures again."""
    from nncli import data

    folder = tiny_run("cnn", here, tmp_path_factory)
    config = open_run(folder).config
    test = data.load(config.data, config.seed).test
    write_npz(here / "other.npz", x=np.asarray(test.x), y=test.y.astype(str))
    capsys.readouterr()
    given = ["--data", str(here / "other.npz"), "--json"]
    assert evaluate(folder, *given) == 0
    document = document_of(capsys.readouterr().out, "evaluate")
    expected = runs.load(folder).metrics["test"]
    for figure in ("accuracy", "loss", "confusion", "balanced_accuracy"):
        assert document["test"][figure] == expected[figure]
    assert document["own_test_part"] is False
    assert Path(document["folder"]).name == "other.npz-001"
    assert set(document["figures"]) == PICTURES["classification"]


def test_a_series_by_horizon(
    here: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny_run("series", here, tmp_path_factory)
    other = write_csv(here / "more.csv", rows=60)
    capsys.readouterr()
    assert evaluate(folder, "--data", str(other), "--horizon", "4", "--json", "--no-save") == 0
    figures = document_of(capsys.readouterr().out, "evaluate")["test"]
    assert list(figures["horizons"]) == ["1", "2", "3", "4"]
    assert figures["samples"] == 54
    first = figures["horizons"]["1"]
    assert first["mean_absolute_error"] == figures["mean_absolute_error"]
    naive = figures["naive_error_of_training"]
    assert figures["mean_absolute_scaled_error"] == figures["mean_absolute_error"] / naive


def test_requirements(
    here: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny_run("cnn", here, tmp_path_factory)
    quick = ["--no-save", "--no-pictures", "--quiet"]
    assert evaluate(folder, *quick, "--require", "test.top_k_accuracy.5 > 0.1") == 0
    junit = here / "found.xml"
    wanted = ["--require", "test.accuracy > 0.999", "--junit", str(junit)]
    assert evaluate(folder, *quick, *wanted) == 5
    assert "not reached: test.accuracy > 0.999" in capsys.readouterr().err
    text = junit.read_text()
    assert 'failures="1"' in text
    assert 'name="measures"' in text


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--require", "test.acuracy > 1"], 2, "did you mean 'test.accuracy'?"),
        (["--require", "validation.loss < 1"], 2, "will not have"),
        (["--data", "nowhere.npz"], 3, "nowhere.npz"),
        (["--data", "nothing"], 2, "'nothing' is no source"),
        (["--data", "waves"], 2, "it takes pictures of 28 × 28 × 1"),
        (["--set", "data.sise=8"], 2, "did you mean data.size?"),
        (["--set", "model.units=8"], 2, "the model is trained"),
        (["--data", "digits", "--set", "data.size=big"], 2, "data.size"),
        (["--horizon", "3"], 2, "--horizon is for forecasts"),
        (["--device", "tpu"], 2, "not a device"),
    ],
)
def test_what_is_refused(
    options: list[str], code: int, said: str, here: Path,
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tiny_run("cnn", here, tmp_path_factory)
    capsys.readouterr()
    assert main(["evaluate", str(folder), *options]) == code
    assert said in capsys.readouterr().err
    assert not (folder / "evaluations").exists()


def test_samples_that_are_no_longer_those_that_were_trained_on(
    here: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny_run("series", here, tmp_path_factory)
    config = (folder / "config.yaml").read_text()
    path = open_run(folder).config.data.path  # type: ignore[attr-defined]
    changed = here / "sold.csv"
    changed.write_text(path.read_text().replace("1900-02,", "1900-02,1"))
    (folder / "config.yaml").write_text(config.replace(str(path), str(changed)))
    assert evaluate(folder) == 3
    assert "no longer those that series was trained on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "edit", "code", "said"),
    [
        ("data.json", lambda text: text.replace('"unit"', '"os"'), 4, "no preparation 'os'"),
        ("data.json", lambda text: text.replace("28", "29", 1), 4, "not the one that"),
        ("data.json", lambda text: text.replace('"9"', '"9", "10"'), 4, "not the one that"),
        ("data.json", lambda text: text[:40], 4, "damaged"),
        ("data.json", lambda text: text.replace('"columns"', '"tables"'), 4, "an older nncli"),
        ("metrics.json", lambda _: "{}", 4, "damaged"),
        ("config.yaml", lambda text: text.replace("kernel_size: 3", "kernel_size: x"), 4,
         "model.kernel_size"),
        ("model.keras", lambda _: "no model", 4, "model.keras"),
    ],
)  # fmt: skip
def test_a_run_that_is_not_whole(
    file: str, edit: Any, code: int, said: str, here: Path,
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tiny_run("cnn", here, tmp_path_factory)
    path = folder / file
    text = path.read_text(errors="replace") if file != "model.keras" else ""
    path.write_text(edit(text))
    assert evaluate(folder) == code
    assert said in capsys.readouterr().err


def test_the_model_of_another_run_is_found_out(
    here: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny_run("cnn", here, tmp_path_factory)
    other = tiny_run("lstm", here, tmp_path_factory)
    shutil.copy(other / "model.keras", folder / "model.keras")
    assert evaluate(folder) == 4
    assert "takes (20, 10) and answers (5,)" in capsys.readouterr().err
