"""What machines that run commands read."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from nncli.cli import main
from nncli.errors import DataError
from nncli.report.ci import annotate, annotate_error, write_junit
from nncli.requirements import judge, parse


def test_nothing_is_marked_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    annotate("it failed")
    assert capsys.readouterr() == ("", "")


def test_a_failure_is_marked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    annotate_error(DataError("50% of\nit", hint="look"))
    annotate("wrong", file="a,b:c.yaml", line=7)
    assert capsys.readouterr().err.splitlines() == [
        "::error title=nncli::50%25 of%0Ait%0Alook",
        "::error file=a%2Cb%3Ac.yaml,line=7,title=nncli::wrong",
    ]


def test_each_problem_of_a_config_is_marked_at_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    path = tmp_path / "my.yaml"
    path.write_text("kind: cnn\ntraining:\n  epochs: -5\n  leraning_rate: 0.01\n")
    assert main(["config", "validate", str(path)]) == 2
    marks = [line for line in capsys.readouterr().err.splitlines() if line.startswith("::error")]
    assert [mark.partition(",title")[0] for mark in marks] == [
        f"::error file={path},line=3",
        f"::error file={path},line=4",
    ]


def test_a_junit_that_cannot_be_written_is_refused_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "rnn", "--output", str(tmp_path / "runs"), "--junit", str(tmp_path)]
    assert main(arguments) == 4
    assert f"cannot write {tmp_path}: it is a folder" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_junit_has_a_case_for_each_requirement(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    verdicts = judge([parse("test.loss < 1"), parse("test.loss < 0.1")], {"test": {"loss": 0.5}})
    write_junit(path, "nncli train cnn", verdicts, None)
    suite = ElementTree.parse(path).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    told = {case.get("name"): [each.get("message") for each in case] for case in suite}
    assert told == {
        "trains": [],
        "test.loss < 1": [],
        "test.loss < 0.1": ["test.loss < 0.1: it is 0.5"],
    }


def test_junit_says_what_ended_a_training(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    write_junit(path, "nncli train cnn", (), DataError("a <b> & \x00 \x1b"))
    suite = ElementTree.parse(path).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "1")
    (error,) = suite.iter("error")
    assert str(error.get("message")).startswith("a <b> & ")
