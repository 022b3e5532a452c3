from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nncli import options, plots
from nncli.cli import main
from nncli.plots.figure import THEMES, Theme
from nncli.results import StoredRun
from tests.made import run_folder
from tests.plots import runs


@pytest.fixture
def cnn(here: Path) -> Path:
    history = {name: values[:3] for name, values in runs.digits_history().items()}
    return run_folder(
        runs.with_history(history, name="cnn-1", predictions=runs.digits_predictions(60)),
        here / "outputs",
    )


@pytest.fixture
def rnn(here: Path) -> Path:
    run = replace(runs.sine_run(), name="rnn-1", metrics={"monitor": "loss", "best_epoch": 2})
    history = runs.records({"loss": [0.5, 0.4], "mean_absolute_error": [0.5, 0.4]})
    return run_folder(replace(run, history=history), here / "outputs")


def test_everything_is_drawn_again(
    cnn: Path, rnn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", "cnn-1"]) == 0
    names = ["curves", "architecture", "confusion", "predictions"]
    assert sorted(path.stem for path in cnn.glob("*.png")) == sorted(names)
    said = capsys.readouterr().out
    for name in names:
        assert f"saved {Path('outputs/cnn/cnn-1') / name}.png" in said
    assert main(["plot", "latest"]) == 0
    assert {path.stem for path in rnn.glob("*.png")} == {"curves", "architecture", "forecast"}


def test_theme_format_and_choice(cnn: Path, here: Path) -> None:
    options = ["--theme", "dark", "--format", "svg", "--only", "curves", "--output", "slides"]
    assert main(["plot", str(cnn), *options]) == 0
    (picture,) = (here / "slides").iterdir()
    assert picture.name == "curves.svg"
    assert THEMES["dark"].background.lower() in picture.read_text(encoding="utf-8").lower()
    assert not list(cnn.glob("*.svg"))


def test_a_picture_that_fails_is_told_and_the_others_are_drawn(
    cnn: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(run: StoredRun, theme: Theme, **_: Any) -> Any:
        raise ValueError("no paint")

    broken = replace(plots.FIGURES["confusion"], draw=fail)
    monkeypatch.setitem(plots.FIGURES, "confusion", broken)
    assert main(["plot", "cnn-1"]) == 1
    assert "confusion could not be drawn: ValueError: no paint" in capsys.readouterr().err
    assert (cnn / "predictions.png").exists()


def test_several_runs_in_one_picture(
    cnn: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = {name: values[:5] for name, values in runs.digits_history(5, 12).items()}
    run_folder(runs.with_history(history, name="cnn-2"), here / "outputs")
    assert main(["plot", "cnn-1", "cnn-2", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["figures"]
    assert row["file"] == str(Path("outputs/comparisons/cnn-1-cnn-2.png"))
    assert Path(row["file"]).stat().st_size > 10_000
    assert "reaches the lowest validation loss" in row["finding"]


def test_the_names_of_many_runs_make_a_short_file_name() -> None:
    path = options.comparison_of([f"cnn-digits-{number:03}" for number in range(40)], ".png")
    assert path.name == "cnn-digits-000-and-39-more.png"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "unknown run 'nothing'"),
        (["cnn-1", "--only", "curve"], "did you mean 'curves'?"),
        (["cnn-1", "--only", "forecast"], "holds nothing to draw forecast from"),
        (["cnn-1", "--only", "curves", "--expand"], "--only architecture"),
        (["cnn-1", "cnn-1", "--only", "curves"], "are for one run"),
        (["cnn-1", "rnn-1"], ""),
        (["cnn-1", "--format", "gif"], "png"),
        ([], "RUN"),
    ],
)
def test_slips(
    cnn: Path, rnn: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["plot", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(cnn.glob("*.png"))


def test_the_architecture_in_other_styles(cnn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", "cnn-1", "--style", "mermaid"]) == 0
    text = (cnn / "architecture.md").read_text(encoding="utf-8")
    assert text.startswith("```mermaid\n")
    assert "\nflowchart TD\n" in text
    assert text.endswith("\n```\n")
    assert main(["plot", "cnn-1", "--expand"]) == 2
    assert "holds no base model to expand" in capsys.readouterr().err


def test_a_base_is_expanded(here: Path) -> None:
    conv = runs.row("block1_conv1", "Conv2D", "64 filters 3×3 · relu", (64, 64, 64), 1_792)
    base = replace(runs.vgg_layers()[1], inside=(conv,), layers_inside=1)
    run = runs.with_history({"loss": [1.0], "val_loss": [1.0]}, kind="transfer", name="t")
    layers = (runs.vgg_layers()[0], base, *runs.vgg_layers()[2:])
    folder = run_folder(replace(run, layers=layers), here / "outputs")
    assert main(["plot", "t", "--expand", "--format", "svg"]) == 0
    assert (folder / "architecture-expanded.svg").exists()
    assert main(["plot", "t", "--expand", "--style", "mermaid"]) == 0
    assert "block1_conv1" in (folder / "architecture-expanded.md").read_text(encoding="utf-8")


def test_a_damaged_run_is_named(cnn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cnn / "history.csv").write_text("phase\n", encoding="utf-8")
    assert main(["plot", "cnn-1"]) == 4
    assert "history.csv is damaged" in capsys.readouterr().err
