"""A folder of broken configs: every mistake of each, at its exact place and in exact words.

Beside `NAME.yaml` stands `NAME.expected`: a problem is its place (`line:column+length`, behind
the file's name where it is another file), then its key and message, then what to do.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nncli.cli import main
from nncli.config import load
from nncli.errors import ConfigError, Problem
from nncli.schema import SCHEMAS

FOLDER = Path(__file__).parent / "broken"
CASES = sorted(FOLDER.glob("*.yaml"))


def described(problem: Problem, file: str) -> str:
    where = f"{problem.line}:{problem.column}+{problem.length}" if problem.line else "whole file"
    if problem.origin != file:
        where = f"{problem.origin} {where}"
    lines = [where, f"    {problem.path or '(file)'}: {problem.message}"]
    return "\n".join([*lines, f"    {problem.advice}"] if problem.advice else lines)


def test_there_are_enough() -> None:
    assert len(CASES) >= 80
    assert {path.stem for path in CASES} == {path.stem for path in FOLDER.glob("*.expected")}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_problem_and_its_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ConfigError) as caught:
        load(SCHEMAS, None, path.name)

    error = caught.value
    found = [described(problem, path.name) for problem in error.problems]
    if not any(problem.line for problem in error.problems):
        found.append(f"    {error.hint}")
    expected = path.with_suffix(".expected").read_text(encoding="utf-8")
    assert "\n".join(found) + "\n" == expected


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_carets_are_inside_the_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ConfigError) as caught:
        load(SCHEMAS, None, path.name)

    for problem in caught.value.problems:
        if problem.line:
            number, line = problem.source[-1]
            assert number == problem.line
            assert problem.length >= 1
            assert problem.column - 1 + problem.length <= max(len(line), problem.column)


def test_all_of_them_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER)
    names = [path.name for path in CASES]

    assert main(["config", "validate", *names]) == 2
    out, err = capsys.readouterr()
    assert out == f"{len(names)} configs: 0 valid, {len(names)} not\n"
    assert err.count("error: ") == len(names)
    assert "Traceback" not in err

    assert main(["config", "validate", "--json", *names]) == 2
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["valid"], document["invalid"], err) == (0, len(names), "")
    for row, path in zip(document["configs"], CASES, strict=True):
        problems = row["error"]["problems"]
        places = [p["line"] for p in problems if p["origin"] == path.name and p["line"]]
        expected = path.with_suffix(".expected").read_text(encoding="utf-8")
        assert places == [int(line.split(":")[0]) for line in expected.splitlines()
                          if line[0].isdigit()]  # fmt: skip
