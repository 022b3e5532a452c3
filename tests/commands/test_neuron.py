from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nncli.cli import main


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_options_it_is_the_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["neuron"]) == 0
    out = capsys.readouterr().out
    assert "Output of the neuron: 0.7310585786300049" in out
    assert "z = Σ w·x + b = 0.9000000000000001 + 0.1" in out
    assert "∂y/∂w" in out
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        (100, "input x weight w w·x ∂y/∂w = f′(z)·x ∂y/∂x = f′(z)·w"),
        (60, "input x weight w w·x ∂y/∂w = f′(z)·x"),
        (36, "input x weight w w·x"),
        (30, "input weight w w·x"),
        (20, "weight w w·x"),
    ],
)
def test_where_it_is_narrow_whole_columns_go_and_no_number_is_cut(
    columns: int,
    headings: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    line = ["neuron", "--inputs", "1.23456789,2e-9,3e9", "--weights", "0.123456789,-0.2,0.3"]
    assert main(line) == 0
    out = capsys.readouterr().out
    table = out[out.index("\n\n") : out.index("sum ")].split("\n")
    assert " ".join(table[2].split()) == headings
    assert max(map(len, table)) <= columns
    assert "0.152416" in out
    assert "…" not in "".join(table)


def test_json_keeps_every_digit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["neuron", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert document["output"] == 0.7310585786300049
    assert document["products"] == [2 * 0.5, 3 * -0.3, 1 * 0.8]
    assert set(document) >= {"weighted_sum", "slope", "d_weights", "d_inputs", "d_bias"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--inputs", "-1,2", "--weights", "-0.3,0.5", "--bias", "-1"],
        ["--inputs=-1, 2", "--weights=-0.3, 5e-1", "--bias=-1.0"],
    ],
)
def test_negative_numbers_are_numbers(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["neuron", *arguments, "--activation", "Linear", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["output"] == pytest.approx(0.3)


def test_plot_writes_the_diagram(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["neuron", "--plot", "pictures/n.svg", "--theme", "dark"]) == 0
    assert "<svg" in Path("pictures/n.svg").read_text(encoding="utf-8")
    assert "pictures/n.svg" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--inputs", "1,b,3"], "'b'"),
        (["--inputs", "1,nan,3"], "'nan'"),
        (["--weights", "1,-inf,3"], "'-inf'"),
        (["--inputs", "1e999,1,1"], "'1e999'"),
        (["--inputs", "1,,3"], "item 2 of --inputs is empty"),
        (["--inputs", ""], "--inputs is empty"),
        (["--weights", " "], "--weights is empty"),
        (["--bias", "x"], "'x'"),
        (["--bias", "nan"], "'nan'"),
        (["--inputs", "1,2"], "2 inputs and 3 weights were given"),
        (["--activation", "sigmoit"], "sigmoid"),
        (["--activation", "softmax"], "not element-wise"),
        (["--plot", "n.gif"], ".gif"),
    ],
)
def test_bad_input_is_refused_with_the_item(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["neuron", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in " ".join(captured.err.split())
    assert captured.out == ""
    assert not list(Path().iterdir())


def test_it_loads_neither_tensorflow_nor_matplotlib() -> None:
    code = (
        "import sys; from nncli.cli import main\n"
        "assert main(['neuron']) == 0\n"
        "loaded = {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
