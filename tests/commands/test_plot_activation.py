from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nncli.activations import ACTIVATIONS
from nncli.cli import main


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_picture_lands_in_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot-activation", "relu"]) == 0
    written = Path("outputs/activations/relu.png")
    assert written.read_bytes().startswith(b"\x89PNG")
    out = capsys.readouterr().out
    assert str(written) in out
    assert "max(0, x)" in out


@pytest.mark.parametrize(
    ("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")]
)
def test_the_ending_chooses_the_format(ending: str, start: bytes) -> None:
    assert main(["plot-activation", "gelu", "-o", f"new/folder/a.{ending}", "--theme", "dark"]) == 0
    assert Path(f"new/folder/a.{ending}").read_bytes().startswith(start)


def test_many_names_make_one_picture_with_a_short_name() -> None:
    assert main(["plot-activation", *ACTIVATIONS, "--no-derivative"]) == 0
    (written,) = Path("outputs/activations").iterdir()
    assert written.name == f"linear-sigmoid-relu-and-{len(ACTIVATIONS) - 3}-more.png"


def test_csv_holds_the_numbers_to_the_last_digit() -> None:
    arguments = ["relu", "sigmoid", "--range", "-3", "3", "--points", "7", "--csv", "n/c.csv"]
    assert main(["plot-activation", *arguments]) == 0
    with Path("n/c.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["x", "relu", "relu_slope", "sigmoid", "sigmoid_slope"]
    x = np.array([float(row["x"]) for row in rows])
    assert x.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert [float(row["sigmoid"]) for row in rows] == (1 / (1 + np.exp(-x))).tolist()
    assert [float(row["relu_slope"]) for row in rows] == [0, 0, 0, 0, 1, 1, 1]


def test_the_list_has_every_activation_with_its_formula(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["plot-activation", "--list"]) == 0
    out = capsys.readouterr().out
    for row in ACTIVATIONS.values():
        assert row.name in out
        assert row.text in out
    assert "swish = silu" in out
    assert not Path("outputs").exists()


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot-activation", "swish", "--json", "--csv", "c.csv", "-o", "s.svg"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert document["files"] == ["s.svg", "c.csv"]
    assert document["range"] == [-5, 5]
    assert [row["name"] for row in document["activations"]] == ["silu"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no activation was named"),
        (["sigmoit"], "sigmoid"),
        (["softmax"], "not element-wise"),
        (["relu", "--range", "5", "-5"], "low must be smaller"),
        (["relu", "--range", "nan", "5"], "LOW of --range is 'nan'"),
        (["relu", "--range", "-5", "inf"], "HIGH of --range is 'inf'"),
        (["relu", "--range", "a", "5"], "'a'"),
        (["relu", "--points", "1"], "1 points"),
        (["relu", "--points", "1000000000"], "1000000000 points"),
        (["relu", "-o", "relu.jpg"], ".jpg"),
        (["relu", "-o", "relu"], "PNG, SVG or PDF"),
        (["relu", "-o", "a.png", "--csv", "a.png"], "a.png"),
        (["relu", "--theme", "pink"], "pink"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_written(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot-activation", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in " ".join(captured.err.split())
    assert captured.out == ""
    assert not list(Path().iterdir())


def test_help_and_refusals_load_no_framework() -> None:
    code = (
        "import sys; from nncli.cli import main\n"
        "main(['plot-activation', '--help']); main(['plot-activation', 'sigmoit'])\n"
        "loaded = {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
