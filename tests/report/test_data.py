"""What is printed of a dataset: whole numbers, few places, all marks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nncli.report.console import print_json
from nncli.report.data import data_document, print_data_report, print_sources, tally
from nncli.results import DataFinding, DataReport, PartFacts, SourceRow

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


def part(name: str, counts: dict[str, int], **how: Any) -> PartFacts:
    settings: dict[str, Any] = {
        "name": name,
        "samples": sum(counts.values()),
        "shape": (28, 28, 1),
        "dtype": "uint8",
        "bytes": sum(counts.values()) * 28 * 28 * 4,
        "minimum": 0.0,
        "maximum": 255.0,
        "mean": 58.394,
        "deviation": 85.94,
        "classes": counts,
    }
    return PartFacts(**{**settings, **how})


ERROR = DataFinding("error", "leak", "12 test pictures are copies", "remove them",
                    tuple(f"test {i} = train {i}" for i in range(12)))  # fmt: skip
WARNING = DataFinding("warning", "missing-class", "no picture of 'dog'", "give some", ("dog",))


def report(classes: int = 3, **how: Any) -> DataReport:
    counts = {f"class {i}": 100 + i for i in range(classes)}
    settings: dict[str, Any] = {
        "source": "folder",
        "path": str(Path.cwd() / "photos"),
        "kind": "cnn",
        "family": "images",
        "task": "classification",
        "input_shape": (28, 28, 1),
        "numbers": "pixels",
        "classes": tuple(counts),
        "parts": (part("train", counts), part("test", dict.fromkeys(counts, 40))),
        "fingerprint": "0123456789abcdef",
        "notes": ("a note",),
        "findings": (ERROR, WARNING),
        "passed": ("all is well with this",),
    }
    return DataReport(**{**settings, **how})


def printed(capsys: Captured, shown: DataReport, **how: Any) -> list[str]:
    settings: dict[str, Any] = {"picture": None, "shows": "", "failed": "", "quiet": False}
    print_data_report("nncli data check", shown, **{**settings, **how})
    out, err = capsys.readouterr()
    assert bool(err) == bool(how.get("failed"))
    return out.splitlines()


def test_the_whole(capsys: Captured) -> None:
    lines = printed(capsys, report(), picture=Path("out/data.png"), shows="403 pictures")

    assert lines == [
        "nncli data check  folder photos · 28 × 28 pixels, grey · 3 classes · for cnn · "
        "fingerprint 0123456789ab ",
        "note: a note",
        "",
        "part    samples   from    to    mean   deviation   as float32",
        "─────────────────────────────────────────────────────────────",
        "train       303      0   255   58.39       85.94       950 kB",
        "test        120      0   255   58.39       85.94       376 kB",
        "from, to, mean and deviation: pixels",
        "",
        "class     train   test   all",
        "───────────────────────────────────────────────",
        "class 0     100     40   140   ████████████████",
        "class 1     101     40   141   ████████████████",
        "class 2     102     40   142   ████████████████",
        "",
        "✓ all is well with this",
        "! warning: no picture of 'dog'",
        "  give some",
        "✗ error: 12 test pictures are copies",
        "  remove them",
        *(f"    test {i} = train {i}" for i in range(5)),
        "    and 7 more, all with --json",
        "saved out/data.png  403 pictures",
        "1 warning, 1 error",
    ]


def test_quiet_leaves_errors_and_the_result(capsys: Captured) -> None:
    lines = printed(capsys, report(), picture=Path("data.png"), shows="x", quiet=True)

    assert lines[0] == "✗ error: 12 test pictures are copies"
    assert lines[-1] == "1 warning, 1 error"
    assert not [line for line in lines if "warning:" in line or "saved" in line or "note" in line]


@pytest.mark.parametrize(
    ("findings", "words"),
    [((), "0 warnings, 0 errors"), ((WARNING, WARNING), "2 warnings, 0 errors"),
     ((ERROR, ERROR, WARNING), "1 warning, 2 errors")],
)  # fmt: skip
def test_the_tally(findings: tuple[DataFinding, ...], words: str) -> None:
    assert tally(report(findings=findings)) == words


def test_of_many_classes_the_largest_and_the_smallest(capsys: Captured) -> None:
    lines = printed(capsys, report(classes=100))
    rows = [line.split()[1] for line in lines if line.startswith("class ")]

    assert rows[1:] == ["99", "98", "97", "96", "95", "4", "3", "2", "1", "0"]
    assert "and 90 classes between the largest and smallest" in lines


@pytest.mark.parametrize("columns", ["20", "40", "60", "200"])
def test_a_narrow_screen_cuts_no_number(
    columns: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = printed(capsys, report())
    tables = [line for line in lines if line.startswith(("train  ", "test  ", "class "))]

    assert all("303" in line for line in tables if line.startswith("train"))
    if int(columns) >= 40:
        assert all(len(line) <= int(columns) for line in tables)
    assert ("as float32" in "".join(lines)) == (int(columns) >= 60)


def test_sequences_and_series_in_the_header(capsys: Captured) -> None:
    head = printed(capsys, report(family="sequences", input_shape=(100, 10), path=None))[0]
    assert "folder · 100 steps of 10 features · 3 classes" in head
    head = printed(capsys, report(family="series", input_shape=(24, 1), classes=0))[0]
    assert "windows of 24 values · classification" in head
    steps = replace(report().parts[0], steps=(7, 15, 29))
    assert "7 / 15 / 29" in "\n".join(printed(capsys, report(parts=(steps,))))


def test_what_could_not_be_read(capsys: Captured) -> None:
    places = ("/data/cat/1.jpg (not a picture)", "/data/dog/2.jpg (truncated)")
    finding = DataFinding("error", "unreadable", "2 pictures cannot be read", "repair", places)
    bare = DataReport("folder", "/data", "cnn", findings=(finding,))

    assert printed(capsys, bare) == [
        "nncli data check  folder /data · for cnn ",
        "✗ error: 2 pictures cannot be read",
        "  repair",
        "    /data/cat/1.jpg (not a picture)",
        "    /data/dog/2.jpg (truncated)",
        "0 warnings, 1 error",
    ]


def test_nothing_moves_the_cursor(capsys: Captured) -> None:
    evil = "a\x1b[31mb\rc\nd"
    counts = {evil: 50, "b": 50}
    finding = DataFinding("warning", "x", f"found {evil}", evil, (evil,))
    shown = report(
        classes=0, parts=(part("train", counts),), findings=(finding,), notes=(evil,), numbers=evil
    )
    shown = replace(shown, classes=tuple(counts), path=f"/{evil}")
    text = "\n".join(printed(capsys, shown, picture=Path("x.png"), shows=evil))

    assert "\x1b" not in text
    assert "\r" not in text


def test_a_picture_that_failed_is_told(capsys: Captured) -> None:
    print_data_report(
        "nncli data check", report(), picture=None, shows="", failed="no room", quiet=False
    )
    assert capsys.readouterr().err == "warning: the picture could not be drawn: no room\n"


def test_the_document_has_all_places(capsys: Captured) -> None:
    print_json(data_document(report(), picture=Path("d.png"), shows="this", failed=""))
    document = json.loads(capsys.readouterr().out)

    assert document["schema_version"] == 1
    assert (document["warnings"], document["errors"], document["samples"]) == (1, 1, 423)
    assert len(document["findings"][0]["places"]) == 12
    assert document["parts"]["train"]["samples"] == 303
    assert document["parts"]["train"]["classes"]["class 1"] == 101
    assert document["picture"] == {"file": "d.png", "shows": "this"}
    assert document["failed_picture"] is None


def test_the_document_of_what_could_not_be_read(capsys: Captured) -> None:
    bare = DataReport("folder", None, "cnn", findings=(ERROR,))
    print_json(data_document(bare, picture=None, shows="", failed=""))
    document = json.loads(capsys.readouterr().out)

    assert document["parts"] == {}
    assert document["fingerprint"] is document["family"] is document["picture"] is None


def test_sources(capsys: Captured) -> None:
    rows = [
        SourceRow("digits", ("cnn", "transfer"), "digits of scikit-learn", False, False),
        SourceRow("folder", ("cnn",), "your own pictures", True, False),
        SourceRow("mnist", ("cnn",), "70,000 digits", False, True),
    ]
    print_sources(rows)
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "digits  cnn, transfer  digits of scikit-learn"
    assert lines[1] == "folder  cnn            your own pictures  (data.path)"
    assert lines[2] == "mnist   cnn            70,000 digits  (downloads on first use)"
