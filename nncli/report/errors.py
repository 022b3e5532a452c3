"""Errors on standard error, or as data."""

from __future__ import annotations

import os
from typing import Any

from nncli.errors import ConfigError, NncliError, Problem
from nncli.report.console import console, print_json


def print_error(error: NncliError, *, as_json: bool = False) -> None:
    """What was given, what was wanted, and what to do next; all problems of a config."""
    if as_json:
        print_json({"error": error_document(error)})
        return
    from rich.text import Text

    screen = console(stderr=True)
    screen.print(Text.assemble(("error: ", "bold red"), (error.message, "bold")), soft_wrap=True)
    if isinstance(error, ConfigError):
        for problem in error.problems:
            if problem.line or problem.path:
                screen.print(_problem(problem), soft_wrap=True)
    if error.hint:
        screen.print(Text.assemble(("help: ", "bold green"), error.hint), soft_wrap=True)


def _problem(problem: Problem) -> Any:
    from rich.text import Text

    text = Text.assemble((problem.path, "bold cyan"), ": " if problem.path else "", problem.message)
    width = len(str(problem.line)) + 2 if problem.line else 3
    bar = " │ "
    text.append(f"\n{'':{width - 1}}--> ", "blue").append(_relative(problem.place))
    for number, line in problem.source:
        text.append(f"\n{number:>{width}}{bar}", "blue").append(line.replace("\t", " "))
    if problem.source:
        carets = " " * (problem.column - 1) + "^" * problem.length
        text.append(f"\n{'':{width}}{bar}", "blue")
        text.append(f"{carets} {problem.advice}\n", "bold red")
    elif problem.advice:
        text.append(f"\n{'':{width}}  {problem.advice}\n", "bold red")
    return text


def _relative(place: str) -> str:
    """A path below the current folder without its beginning."""
    return place.removeprefix(os.getcwd() + os.sep)  # noqa: PTH109 - a prefix of text


def error_document(error: NncliError) -> dict[str, Any]:
    """The same content for `--json`."""
    document: dict[str, Any] = {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "exit_code": int(error.exit_code),
    }
    if isinstance(error, ConfigError):
        document["problems"] = [
            {
                "path": problem.path,
                "message": problem.message,
                "advice": problem.advice,
                "origin": problem.origin,
                "line": problem.line,
                "column": problem.column,
                "length": problem.length,
            }
            for problem in error.problems
        ]
    return document


def print_unexpected(error: BaseException, noise: str) -> None:
    """A mistake of ours: what it was, in one line, and what TensorFlow had said."""
    from rich.text import Text

    screen = console(stderr=True)
    what = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
    screen.print(Text.assemble(("error: ", "bold red"), (what, "bold")), soft_wrap=True)
    if noise.strip():
        screen.print(Text(noise.strip(), "dim"), soft_wrap=True)
    screen.print(
        Text.assemble(("help: ", "bold green"), "run again with --verbose to see where"),
        soft_wrap=True,
    )
