"""How errors look on standard error, and as JSON on standard output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nncli.cli import main
from nncli.errors import ConfigError, NncliError, Problem, UsageError
from nncli.report.errors import MOST_PROBLEMS, print_error, print_unexpected

Captured = pytest.CaptureFixture[str]

BAD = """\
# a lesson
kind: cnn
data:
  source: digits
training:
  epochs: -5
  optimizer: adm
  learning_rate: 1e-3
  leraning_rate: 0.01
  early_stopping: {patience: three}
"""
SHOWN = """\
error: bad.yaml has 4 problems
training.epochs: -5 is too small
   --> bad.yaml:6:11
   5 │ training:
   6 │   epochs: -5
     │           ^^ must be at least 1

training.optimizer: 'adm' is not one of adam, adamw, sgd, rmsprop
   --> bad.yaml:7:14
   6 │   epochs: -5
   7 │   optimizer: adm
     │              ^^^ did you mean 'adam'?

training.leraning_rate: unknown key
   --> bad.yaml:9:3
   8 │   learning_rate: 1e-3
   9 │   leraning_rate: 0.01
     │   ^^^^^^^^^^^^^ did you mean 'learning_rate'?

training.early_stopping.patience: 'three' is not a whole number
   --> bad.yaml:10:30
   9 │   leraning_rate: 0.01
  10 │   early_stopping: {patience: three}
     │                              ^^^^^ write a number, e.g. 3

help: see a valid one with nncli config show cnn
"""


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    (tmp_path / "bad.yaml").write_text(BAD)
    return tmp_path / "bad.yaml"


@pytest.mark.parametrize("columns", [None, "80", "200"])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_refused_config(
    bad: Path,
    columns: str | None,
    absolute: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)

    code = main(["train", "cnn", "--config", str(bad) if absolute else "bad.yaml"])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.replace(f"error: {bad}", "error: bad.yaml") == SHOWN


def test_a_narrow_terminal_shows_the_part_with_the_carets(
    bad: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("COLUMNS", "36")

    main(["train", "cnn", "--config", "bad.yaml"])

    lines = capsys.readouterr().err.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("  10 │"))
    assert lines[at].startswith("  10 │ …")
    start = lines[at].index("three")
    assert lines[at + 1].startswith("     │" + " " * (start - 6) + "^^^^^ write a number")
    assert max(len(line) for line in lines if "│" in line and "^" not in line) <= 36


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "bad.yaml"],
        ["--set", "training.epochs"],
        ["--set", "training.epochs=[1"],
        ["--config", "no-such-config"],
        ["--epochs", "-1"],
    ],
)
def test_json_is_one_document_on_standard_output(
    bad: Path, arguments: list[str], capsys: Captured
) -> None:
    code = main(["train", "cnn", "--json", *arguments])

    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (code, err) == (2, "")
    assert document["schema_version"] == 1
    assert document["error"]["exit_code"] == 2
    assert document["error"]["message"]


def test_json_has_every_problem_with_its_place(bad: Path, capsys: Captured) -> None:
    main(["train", "cnn", "--json", "--config", "bad.yaml"])

    error = json.loads(capsys.readouterr().out)["error"]
    assert error["type"] == "ConfigError"
    assert len(error["problems"]) == 4
    assert error["problems"][1] == {
        "path": "training.optimizer",
        "message": "'adm' is not one of adam, adamw, sgd, rmsprop",
        "advice": "did you mean 'adam'?",
        "origin": "bad.yaml",
        "line": 7,
        "column": 14,
        "length": 3,
        "source": [
            {"line": 6, "text": "  epochs: -5"},
            {"line": 7, "text": "  optimizer: adm"},
        ],
        "related": [],
    }


def test_json_names_the_other_keys_of_a_contradiction(capsys: Captured) -> None:
    main(["train", "cnn", "--json", "--set", "data.validation=0.6", "--set", "data.test=0.5"])

    (problem,) = json.loads(capsys.readouterr().out)["error"]["problems"]
    assert (problem["path"], problem["related"]) == ("data.test", ["data.validation"])
    assert problem["source"] == [{"line": 0, "text": "--set data.test=0.5"}]


OF_OPTIONS = """\
error: the command line has 3 problems
training.epochs: 'x' is not a whole number
  --> the command line
    │ --set training.epochs=x
    │                       ^ write a number, e.g. 3

model.unit: unknown key
  --> the command line
    │ --set model.unit=3
    │             ^^^^ did you mean 'units'?

seed: -1 is too small
  --> the command line
    │ --seed -1
    │        ^^ must be at least 0

help: see a valid one with nncli config show cnn
"""


def test_a_problem_of_an_argument_is_shown_in_it(capsys: Captured) -> None:
    main(["train", "cnn", "--set", "training.epochs=x", "--set", "model.unit=3", "--seed", "-1"])

    assert capsys.readouterr().err == OF_OPTIONS


def test_problems_of_a_file_come_before_those_of_the_command_line(
    bad: Path, capsys: Captured
) -> None:
    main(["train", "cnn", "--config", "bad.yaml", "--set", "training.epochs=x"])

    err = capsys.readouterr().err
    assert err.startswith("error: bad.yaml and the command line have 4 problems\n")
    assert [line for line in err.splitlines() if "-->" in line] == [
        "   --> bad.yaml:7:14",
        "   --> bad.yaml:9:3",
        "   --> bad.yaml:10:30",
        "   --> the command line",
    ]


def shown(problem: Problem, capsys: Captured) -> list[str]:
    print_error(ConfigError("my.yaml has 1 problem", [problem]))
    return capsys.readouterr().err.splitlines()


def problem_at(line: str, part: str) -> Problem:
    return Problem(
        "a", "wrong", "mend it", "my.yaml", 1, line.index(part) + 1, len(part), ((1, line),)
    )


def test_carets_stand_under_wide_characters(capsys: Captured) -> None:
    lines = shown(problem_at("{中文: x, k: 日本}", "日本"), capsys)

    assert lines[-2] == "    │ " + " " * len("{....: x, k: ") + "^^^^ mend it"


def test_tabs_take_one_column(capsys: Captured) -> None:
    lines = shown(problem_at("a:\tx", "x"), capsys)

    assert lines[-3:-1] == ["  1 │ a: x", "    │    ^ mend it"]


def test_a_line_of_a_megabyte_is_cut(capsys: Captured) -> None:
    line = "a" * 500_000 + "HERE" + "b" * 500_000

    lines = shown(problem_at(line, "HERE"), capsys)

    assert max(map(len, lines)) <= 100
    assert lines[-3][6] == lines[-3][-1] == "…"
    assert lines[-2].index("^^^^") == lines[-3].index("HERE")


def test_a_mark_wider_than_the_screen(capsys: Captured) -> None:
    lines = shown(problem_at("k: " + "x" * 500, "x" * 500), capsys)

    assert len(lines[-3]) <= 100
    assert "^ mend it" in lines[-2]


def test_control_characters_do_not_reach_the_terminal(capsys: Captured) -> None:
    evil = "\x1b[31m\x07\u202e\udc80"
    problem = Problem(evil, evil, evil, evil, 1, 1, 3, ((1, evil + "x"),))
    print_error(ConfigError(evil, [problem], hint=evil))

    err = capsys.readouterr().err
    assert not set(evil) & set(err) - set("[31m")
    assert "�[31m" in err


def test_markup_is_text(capsys: Captured) -> None:
    print_error(UsageError("no [units] and [/x] here", hint="see [bold]this[/bold] :smile:"))

    assert capsys.readouterr().err == (
        "error: no [units] and [/x] here\nhelp: see [bold]this[/bold] :smile:\n"
    )


def test_an_error_without_help(capsys: Captured) -> None:
    print_error(NncliError("it broke"))

    assert capsys.readouterr().err == "error: it broke\n"


def test_very_many_problems_are_counted(capsys: Captured) -> None:
    problems = [Problem(f"k{i}", "unknown key", origin="my.yaml", line=i) for i in range(1, 501)]
    error = ConfigError("my.yaml has 500 problems", problems)

    print_error(error)
    print_error(error, as_json=True)

    out, err = capsys.readouterr()
    assert err.count("unknown key") == MOST_PROBLEMS
    assert err.endswith(f"and {500 - MOST_PROBLEMS} more\n\n")
    assert len(json.loads(out)["error"]["problems"]) == 500


@pytest.mark.parametrize(
    ("text", "first"),
    [("", "ValueError: "), ("  \n", "ValueError: "), ("one\ntwo", "ValueError: one")],
)
def test_a_mistake_of_ours_is_one_line(text: str, first: str, capsys: Captured) -> None:
    print_unexpected(ValueError(text), "")

    assert capsys.readouterr().err == (
        f"error: {first}\nhelp: run again with --verbose to see where\n"
    )
