from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nncli import page as pages
from nncli.cli import main
from nncli.plots import FIGURES
from tests.made import run_folder
from tests.page import runs
from tests.page.read import read
from tests.tiny import tiny_run


@pytest.fixture
def short(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder whose page has no pictures."""
    monkeypatch.setattr(pages, "figures_of", lambda _: ())
    return run_folder(runs.interrupted(), here / "outputs")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was really trained."""
    return tiny_run("cnn", tmp_path_factory.mktemp("outputs"), tmp_path_factory)


def test_a_trained_run_as_a_page(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(trained), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["report"] == str(trained / "report.html")
    assert said["failed_figures"] == {}
    document = read((trained / "report.html").read_text(encoding="utf-8"))
    assert document.all("h1")[0].text == said["finding"]
    assert len(document.all("figure")) == 4
    (table,) = [e for e in document.all("div") if e.attributes.get("aria-label") == "every epoch"]
    headings, *rows = [[c.text for c in row.all("th", "td")] for row in table.all("tr")]
    with (trained / "history.csv").open(encoding="utf-8", newline="") as file:
        stored = list(csv.DictReader(file))
    assert len(rows) == len(stored) == 2
    for row, wanted in zip(rows, stored, strict=True):
        shown = dict(zip(headings, row, strict=True))
        assert {**shown, "best": ""} == {**wanted, "best": ""}
    assert "train_per_class: 8" in document.by_id("reproduce").text


def test_it_stands_in_the_run_s_folder(short: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "latest"]) == 0
    assert (short / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    assert first == f"saved {Path('outputs/cnn/cnn-digits-003/report.html')}"
    assert second.strip() == "cnn-digits-003: validation accuracy 40.0 % at epoch 1"
    assert err == ""


def test_it_takes_neither_tensorflow_nor_the_data(here: Path) -> None:
    folder = run_folder(replace(runs.interrupted(), layers=()), here / "outputs")
    code = (
        f"from nncli.cli import main; assert main(['report', {str(folder)!r}]) == 0\n"
        "import sys; print('LOADED', *{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert {"matplotlib", "jinja2"} <= loaded
    assert not loaded & {"tensorflow", "keras", "sklearn", "scipy"}


def test_several_runs_are_compared(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = [replace(run, layers=()) for run in runs.compared()]
    for run in bare:
        run_folder(run, here / "elsewhere")
    names = ["cnn-3", "cnn-1", "cnn-3"]
    assert main(["report", *names, "--runs-in", "elsewhere"]) == 0
    (page,) = (here / "outputs" / "comparisons").iterdir()
    assert page.name == "cnn-3-cnn-1.html"
    rows = read(page.read_text(encoding="utf-8")).by_id("compare").all("tbody")[0].all("tr")
    assert [row.all("bdi")[0].text for row in rows] == ["cnn-3", "cnn-1"]


def test_the_file_can_be_chosen(short: Path, here: Path) -> None:
    assert main(["report", str(short), "--output", "pages/one.html"]) == 0
    assert (here / "pages" / "one.html").is_file()
    assert not (short / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing"], 2, "nothing"),
        (["latest", "--output", "page.pdf"], 2, "page.pdf is not the name of an HTML file"),
        (["latest", "-o", "outputs"], 2, "outputs/report.html"),
        (["damaged"], 4, "metrics.json is damaged"),
        (["cnn-digits-003", "forecast"], 2, "cannot be compared"),
        ([], 2, "RUN"),
    ],
)
def test_refusals(
    arguments: list[str],
    code: int,
    said: str,
    short: Path,
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bare = replace(runs.forecast(), name="forecast", layers=(), forecast=None)
    run_folder(bare, here / "outputs")
    broken = run_folder(replace(runs.interrupted(), name="damaged"), here / "outputs")
    (broken / "metrics.json").write_text("{", encoding="utf-8")
    os.utime(short / "run.json")
    assert main(["report", *arguments]) == code
    assert said in capsys.readouterr().err
    assert not list(here.rglob("*.html"))


def test_a_figure_that_fails_is_told(
    short: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ValueError("no paint")

    monkeypatch.setitem(FIGURES, "curves", replace(FIGURES["curves"], draw=fail))
    monkeypatch.setattr(pages, "figures_of", lambda _: ("curves",))
    assert main(["report", str(short)]) == 0
    assert "curves could not be drawn: ValueError: no paint" in capsys.readouterr().err
    assert (short / "report.html").is_file()


@pytest.mark.parametrize("found", [True, False])
def test_the_browser(
    found: bool, short: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: asked.append(url) or found)
    assert main(["report", "latest", "--open", "--json"]) == 0
    assert asked == [(short / "report.html").as_uri()]
    out, err = capsys.readouterr()
    assert json.loads(out)["runs"] == [str(Path("outputs/cnn/cnn-digits-003"))]
    assert ("no browser was found" in err) != found
