"""Answers on the terminal, and for programs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from nncli.report.predictions import (
    MOST_REPORTED,
    CsvWriter,
    Format,
    answer_writer,
    percent,
    print_outlook,
)
from nncli.results import Answers, Unreadable
from tests.plots.asked import outlook, without_dates

CLASSES = ("cat", "dog, small", "bird")


def answers(*names: str, seed: int = 0, lost: int = 0) -> Answers:
    scores = np.exp(np.random.default_rng(seed).normal(0, 2, (len(names), 3)))
    return Answers(
        names=names,
        probabilities=(scores / scores.sum(axis=1, keepdims=True)).astype(np.float32),
        x=np.zeros((len(names), 2, 2, 1)),
        unreadable=tuple(Unreadable(f"lost{i}.png", "not a picture") for i in range(lost)),
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [(1, "100.0%"), (0.99999, "99.9%"), (0.983, "98.3%"), (1e-9, "<0.1%"), (0, "0.0%")],
)
def test_only_what_is_all_or_nothing_is_shown_as_such(share: float, text: str) -> None:
    assert percent(share) == text


def test_a_table_begins_once_and_keeps_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    writer = answer_writer("table", CLASSES, 3)
    writer.add(answers("a.png", "bb.png"))
    writer.add(answers("c.png", seed=1))
    writer.close([Path("sheet.png")])
    heading, _, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "class", "probability", "next"]
    assert {row.index("%") for row in rows[:3]} == {heading.index("probability") + 10}
    assert rows[3].startswith("3 answered: ")
    assert rows[4] == "saved sheet.png"


@pytest.mark.parametrize(("columns", "shown"), [(100, 3), (50, 2), (30, 1), (10, 1)])
def test_where_it_is_narrow_the_likeliest_class_stays(
    columns: int, shown: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    writer = answer_writer("table", CLASSES, 3)
    writer.add(answers("a.png", "bb.png"))
    for line in capsys.readouterr().out.splitlines()[2:]:
        assert line.count("%") == shown
        assert len(line) <= max(columns, 38)


def test_what_moves_the_cursor_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    writer = answer_writer("table", ("\x1b[31mcat", "dog"), 2)
    writer.add(Answers(("\x1b[2J.png",), np.array([[0.9, 0.1]], np.float32), np.zeros((1, 1)),
                       (Unreadable("\x1b[3J", "gone"),)))  # fmt: skip
    writer.close()
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "\x1b[2J" not in out


def test_csv_is_read_back_to_the_last_digit(capsys: pytest.CaptureFixture[str]) -> None:
    said = answers("a,b.png", "é.png", "c\n.png")
    writer = CsvWriter(CLASSES)
    writer.add(said)
    writer.add(answers())
    writer.close()
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    found = np.array([[float(row[f"p_{name}"]) for name in CLASSES] for row in rows], np.float32)
    np.testing.assert_array_equal(found, said.probabilities)
    assert [row["name"] for row in rows] == list(said.names)
    assert [row["class"] for row in rows] == [CLASSES[i] for i in said.probabilities.argmax(axis=1)]


def test_many_that_cannot_be_read_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    writer = answer_writer("jsonl", CLASSES, 2)
    writer.add(answers("a.png", lost=MOST_REPORTED + 5))
    writer.close()
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == MOST_REPORTED + 6  # each has its line
    assert len(err.splitlines()) == MOST_REPORTED + 2
    assert err.splitlines()[-2:] == [
        "warning: and 5 more cannot be read",
        "error: 25 cannot be read; 1 answered",
    ]


@pytest.mark.parametrize("format", ["table", "csv", "jsonl"])
def test_a_forecast_in_every_format(format: Format, capsys: pytest.CaptureFixture[str]) -> None:
    asked = outlook(3, errors=2)
    print_outlook(asked, format, [])
    out = capsys.readouterr().out
    if format == "csv":
        rows = list(csv.DictReader(io.StringIO(out)))
        assert [float(row["value"]) for row in rows] == asked.ahead.tolist()
        assert [row["test_error"] for row in rows] == ["10.0", "11.0", ""]
    elif format == "jsonl":
        lines = [json.loads(line) for line in out.splitlines()]
        assert [line["value"] for line in lines] == asked.ahead.tolist()
        assert [line["date"] for line in lines] == list(asked.labels)
    else:
        assert "±11.0000" in out
        assert "–" in out
        assert asked.labels[-1] in out


def test_a_forecast_without_dates_has_no_column_of_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_outlook(without_dates(3, 5, 9), "table", [Path("a.png")])
    out = capsys.readouterr().out
    assert "date" not in out
    assert out.startswith("Passengers: 3 steps, where it is ")
    assert "saved a.png" in out
