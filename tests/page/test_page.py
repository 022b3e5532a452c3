"""The page as HTML: whole, escaped, equal to the stored numbers, and in need of nothing."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any
from xml.etree import ElementTree

import pytest

from nncli import page as pages
from nncli import runs as folders
from nncli.errors import UsageError
from nncli.page import Page, facts, render, tables
from nncli.page.pictures import Image, Picture
from nncli.plots import FIGURES
from nncli.plots.figure import THEMES
from nncli.results import StoredRun
from tests.page import runs
from tests.page.read import Element, read
from tests.plots.readable import contrast
from tests.plots.runs import records, with_history

ELEMENTS = {
    *("html", "head", "meta", "link", "title", "style", "body", "header", "nav", "main"),
    *("section", "h1", "h2", "h3", "p", "a", "ul", "li", "dl", "dt", "dd", "div", "span", "bdi"),
    *("strong", "cite", "code", "pre", "details", "summary", "figure", "picture", "source", "img"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


@cache
def made(kind: str) -> tuple[StoredRun, Page, Element]:
    page = runs.page(kind)
    return runs.KINDS[kind](), page, read(page.html)


def labelled(document: Element, label: str) -> Element:
    (found,) = [e for e in document.everything() if e.attributes.get("aria-label") == label]
    return found


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without pictures, where their words alone are looked at."""

    def blank(name: str, draw: object, finding: Callable[[], str]) -> Picture:
        return Picture(name, finding(), {"light": (Image("data:,", 2, 2), Image("data:,", 1, 1))})

    monkeypatch.setattr(pages, "picture", blank)


@pytest.mark.parametrize("kind", list(runs.KINDS))
def test_it_is_whole_and_needs_nothing(kind: str) -> None:
    run, page, document = made(kind)
    assert not page.failed
    everything = list(document.everything())
    assert {element.tag for element in everything} <= ELEMENTS
    for element in everything:
        assert not [name for name in element.attributes if name.startswith("on")]
        assert "style" not in element.attributes
        for name in ("src", "srcset", "href"):
            assert element.attributes.get(name, "#").startswith(("data:", "#"))
    assert not re.search(r"url\(|@import|https?:", document.all("style")[0].text)
    (heading,) = document.all("h1")
    assert heading.text == document.all("title")[0].text == pages._harmless(page.title)
    identifiers = [e["id"] for e in everything if "id" in e.attributes]
    assert len(identifiers) == len(set(identifiers))
    for link in document.all("nav")[0].all("a"):
        assert document.by_id(link["href"].removeprefix("#")).tag == "section"
    for cell in document.all("th"):
        assert cell["scope"] in {"col", "row"}
    wanted = {name for name, kind in FIGURES.items() if getattr(run, kind.needs)}
    images = document.all("img")
    assert {image["alt"] for image in images} == {
        pages._harmless(FIGURES[name].finding(run)) for name in wanted
    }


def test_nothing_but_its_own_style_and_pictures_is_allowed() -> None:
    _, _, document = made("cnn")
    policy = next(
        each["content"]
        for each in document.all("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    style = document.all("style")[0].text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'", "img-src data:", f"style-src 'sha256-{digest}'", "base-uri 'none'",
        "form-action 'none'",
    ]  # fmt: skip


@pytest.mark.parametrize("theme", list(THEMES))
def test_every_colour_of_letters_can_be_read(theme: str) -> None:
    palette = THEMES[theme]
    for colour in (palette.text, palette.muted, palette.train, palette.right):
        for background in (palette.background, palette.shade):
            assert contrast(colour, background) >= 4.5


def test_every_figure_is_there_light_and_dark_wide_and_narrow() -> None:
    _, _, document = made("cnn")
    figures = document.all("figure")
    assert len(figures) == 4
    for each in figures:
        assert [picture["class"] for picture in each.all("picture")] == list(THEMES)
        for picture in each.all("picture"):
            (narrow,), (wide,) = picture.all("source"), picture.all("img")
            assert narrow["media"] == "(max-width: 640px)"
            assert int(narrow["width"]) <= 500 < int(wide["width"])
            theme = THEMES[picture["class"]]
            (other,) = [one for one in THEMES.values() if one is not theme]
            for uri, element in ((narrow["srcset"], narrow), (wide["src"], wide)):
                start, _, encoded = uri.partition(",")
                assert start == "data:image/svg+xml;base64"
                svg = base64.b64decode(encoded).decode("utf-8")
                root = ElementTree.fromstring(svg)
                assert int(element["width"]) == round(float(root.get("width", "")[:-2]) * 96 / 72)
                assert theme.background.lower() in svg
                assert other.muted.lower() not in svg


@pytest.mark.parametrize("kind", ["cnn", "transfer", "diverged"])
def test_every_epoch_has_the_numbers_of_the_history(kind: str) -> None:
    run, _, document = made(kind)
    table = labelled(document, "every epoch")
    headings = [cell.text for cell in table.all("thead")[0].all("th")]
    rows = [[cell.text for cell in row.all("th", "td")] for row in table.all("tbody")[0].all("tr")]
    stored = list(csv.DictReader(io.StringIO(folders.history_csv(run.history))))
    assert len(rows) == len(stored)
    for row, wanted in zip(rows, stored, strict=True):
        shown = dict(zip(headings, row, strict=True))
        best = shown.pop("best")
        assert (best == "best so far") == (wanted.pop("best") == "true")
        assert shown == wanted


def test_very_many_epochs_are_text_and_all_there(undrawn: None) -> None:
    count = pages.MOST_EPOCHS_IN_TABLE + 1
    losses = [1 / (epoch + 1) for epoch in range(count)]
    run = runs.whole(with_history({"loss": losses, "val_loss": losses}))
    document = read(render([run]).html)
    lines = labelled(document, "every epoch").text.splitlines()
    assert len(lines) == count + 1
    assert [line.split(",")[2] for line in lines[1:]] == [str(loss) for loss in losses]


def test_hostile_texts_are_only_texts() -> None:
    run, page, document = made("hostile")
    assert not document.all("script", "b", "svg")
    assert "\x1b" not in page.html
    assert "\u202e" not in page.html
    page.html.encode("utf-8")
    everything = document.text
    for name in runs.HOSTILE:
        assert pages._harmless(name) in everything
    assert "{{ 7*7 }}" in document.by_id("reproduce").text
    classes = next(
        e for e in document.all("div") if "each class" in (e.attributes.get("aria-label") or "")
    )
    names = [row.all("th")[0].text for row in classes.all("tbody")[0].all("tr")]
    assert names == [pages._harmless(name) for name in runs.HOSTILE]
    assert document.all("title")[0].text.startswith(run.name)


def test_what_is_no_letter_is_shown_as_such() -> None:
    assert pages._harmless("a\u202eb\x00\ud800\x9b\u2066") == "a�b����"
    assert pages._harmless("שלום 👩\u200d🔬 a\u00a0b\n\tc") == "שלום 👩\u200d🔬 a\u00a0b\n\tc"


def test_key_figures() -> None:
    run, _, document = made("cnn")
    (tiles,) = document.all("dl")
    shown = {
        tile.all("dt")[0].text: [each.text for each in tile.all("dd")] for tile in tiles.all("div")
    }
    best = run.history[run.metrics["best_epoch"] - 1].metrics
    assert shown["best validation loss"][0] == f"{best['val_loss']:.3f}"
    assert shown["validation accuracy"][0] == f"{best['val_accuracy'] * 100:.1f} %"
    accuracy = run.metrics["test"]["accuracy"]
    assert shown["test accuracy"] == [
        f"{accuracy * 100:.1f} %", "95 % interval 90.0 to 95.0 %, 897 samples"
    ]  # fmt: skip
    assert shown["parameters"] == ["225,034", "all trained"]
    facts = document.all("header")[0].all("p")[0].text.split(" · ")
    assert facts == [
        "CNN on digits", "8 epochs in 1 min 11 s on CPU",
        "300 train, 400 validation, 897 test samples", "seed 7", "2026-03-01 09:05 UTC",
        "nncli\u00a00.1.0, TensorFlow\u00a02.21.0, Keras\u00a03.15.1",
    ]  # fmt: skip
    remarks = [item.text for item in document.all("main")[0].all("ul")[0].all("li")]
    assert "warning class 8 has a third of the samples of class 1" in remarks
    assert "note 8 × 8 pixels enlarged to 28 × 28" in remarks


def test_a_forecast_is_compared_with_the_last_value() -> None:
    _, page, document = made("forecast")
    labels = [each.text for each in document.all("dt")]
    assert labels == [
        "best training loss", "mean absolute error", "repeating the last value", "parameters"
    ]  # fmt: skip
    assert "repeating the last value" in page.title
    assert document.by_id("errors").all("h2")[0].text == "Forecast of the test part"


def test_baselines_stand_beside_the_run() -> None:
    _, _, document = made("transfer")
    rows = [
        [cell.text for cell in row.all("th", "td")]
        for row in document.by_id("baselines").all("tbody")[0].all("tr")
    ]
    assert rows[0][0] == "this run"
    assert rows[1][1] == "49.2 %"
    assert rows[1][2].endswith("points better")
    assert rows[2][1] == "failed: no memory"
    assert "7 epochs after 2 of pretraining" in document.all("header")[0].text


def test_how_it_ended_is_said() -> None:
    assert "the loss is no number from epoch 3 on" in made("diverged")[1].title
    _, _, document = made("interrupted")
    assert "interrupted after 1 epoch" in document.all("main")[0].all("ul")[0].text
    assert "errors" not in [link["href"] for link in document.all("a")]


def test_a_run_without_a_finished_epoch_has_a_page() -> None:
    run = runs.whole(with_history({"val_loss": []}), stopped="interrupted")
    page = render([run])
    assert page.title.endswith("no epoch was finished")
    read(page.html)


def test_a_figure_that_fails_is_told_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ValueError("no <paint>")

    monkeypatch.setitem(FIGURES, "curves", replace(FIGURES["curves"], draw=fail))
    page = render([runs.interrupted()])
    assert page.failed == {"curves": "ValueError: no <paint>"}
    training = read(page.html).by_id("training")
    assert not training.all("img")
    assert "could not be drawn: ValueError: no <paint>" in training.text
    assert read(page.html).by_id("model").all("img"), "the others are drawn"


def test_compared_runs(undrawn: None) -> None:
    first, *others = runs.compared()
    document = read(render([first, *others]).html)
    remarks = document.all("main")[0].all("ul")[0].all("li")
    assert remarks[0].text == "compared cnn-2 reaches the lowest validation loss, " + str(
        round(min(record.metrics["val_loss"] for record in others[0].history), 3)
    )
    section = document.by_id("compare")
    headings = [cell.text for cell in section.all("thead")[0].all("th")]
    assert headings == ["run", "learning rate", "best epoch", "val loss", "val accuracy",
                        "test accuracy", "gap at the end", "time"]  # fmt: skip
    rows = [[c.text for c in row.all("th", "td")] for row in section.all("tbody")[0].all("tr")]
    assert [row[1] for row in rows] == ["0.004", "0.001", "0.002"]
    losses = [min(record.metrics["val_loss"] for record in run.history) for run in (first, *others)]
    best = losses.index(min(losses))
    assert [row[0].endswith("★ best") for row in rows] == [place == best for place in range(3)]
    last = first.history[-1].metrics
    assert rows[0][6] == f"{last['val_loss'] - last['loss']:+.3f}"[:6]
    assert section.all("img")[0]["alt"]


def test_many_differing_settings_get_a_table_of_their_own() -> None:
    first, second = runs.cnn("a"), runs.cnn("b")
    changed = {**second.config, "model": {f"key_{i}": i for i in range(6)}}
    second = replace(second, config=changed)
    table = tables.settings([first, second])
    assert table is not None
    assert table.rows[0] == ("model.key_0", "–", "0")
    assert "key 0" not in tables.comparison([first, second]).headings


def test_runs_of_different_tasks_are_not_compared(undrawn: None) -> None:
    with pytest.raises(UsageError):
        render([runs.interrupted(), runs.forecast()])


def test_the_config_is_yaml_again() -> None:
    import yaml

    run = runs.hostile()
    text = tables.config_text(run.config)
    shown = {str(k): v for k, v in yaml.safe_load(text).items()}
    assert shown == run.config


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.94, "0.9 s"), (59.96, "1 min 00 s"), (3725, "1 h 02 min")]
)
def test_durations(seconds: float, words: str) -> None:
    assert facts.duration(seconds) == words


def test_records_may_differ_in_their_metrics() -> None:
    run = runs.interrupted()
    more = records({"loss": [0.1]}, [("head", 1)])
    table = tables.epochs(replace(run, history=(*run.history, *more)))
    assert table.rows[1][2:6] == ("0.1", "", "", "")
