"""Errors on standard error, or as data."""

from __future__ import annotations

import os
from typing import Any

from nncli.errors import ConfigError, NncliError, Problem
from nncli.report.console import console, print_json

MOST_PROBLEMS = 20
"""How many problems are printed; `--json` has all."""


def print_error(error: NncliError, *, as_json: bool = False) -> None:
    """What was given, what was wanted, and what to do next; all problems of a config."""
    if as_json:
        print_json({"error": error_document(error)})
        return
    from rich.text import Text

    screen = console(stderr=True)
    headline = _visible(error.message)
    screen.print(Text.assemble(("error: ", "bold red"), (headline, "bold")), soft_wrap=True)
    if isinstance(error, ConfigError):
        problems = [problem for problem in error.problems if problem.line or problem.path]
        digits = max((len(str(problem.line)) for problem in problems), default=1)
        for problem in problems[:MOST_PROBLEMS]:
            screen.print(_problem(problem, digits + 2, screen.width), soft_wrap=True)
        if len(problems) > MOST_PROBLEMS:
            screen.print(f"and {len(problems) - MOST_PROBLEMS} more\n")
    if error.hint:
        hint = _visible(error.hint)
        screen.print(Text.assemble(("help: ", "bold green"), hint), soft_wrap=True)


def _problem(problem: Problem, width: int, screen_width: int) -> Any:
    """A problem as rustc shows one: what, where, the source lines, carets and advice.

    `width` is that of the column of line numbers.
    """
    from rich.cells import cell_len
    from rich.text import Text

    path, message, advice = map(_visible, (problem.path, problem.message, problem.advice))
    text = Text.assemble((path, "bold cyan"), ": " if path else "", message)
    bar = " │ "
    text.append(f"\n{'':{width - 1}}--> ", "blue").append(_visible(_relative(problem.place)))
    if not problem.source:
        text.append(f"\n{'':{width}}   {advice}\n" if advice else "\n", "bold red")
        return text
    start, end = problem.column - 1, problem.column - 1 + problem.length
    first, last = _window(start, end, max(20, screen_width - width - len(bar)))
    for number, line in problem.source:
        seen = _cut(line, first, last)
        text.append(f"\n{number:>{width}}{bar}", "blue").append(seen)
    before = ("…" if first else "") + _visible(line[first:start].ljust(start - first))
    marked = _visible(line[start : min(end, last)])
    carets = " " * cell_len(before) + "^" * max(1, cell_len(marked))
    text.append(f"\n{'':{width}}{bar}", "blue")
    text.append(f"{carets} {advice}".rstrip() + "\n", "bold red")
    return text


def _window(start: int, end: int, room: int) -> tuple[int, int]:
    """The columns to show of source lines, so that the place is among them."""
    if end <= room - 1:
        return 0, room - 1
    first = max(0, min(start - 2, end - room // 2))  # half the room is left to the advice
    return first, first + room - 2


def _cut(line: str, first: int, last: int) -> str:
    """The columns of a line from `first` to before `last`, `…` for what is left out."""
    left = "…" if first else ""
    right = "…" if len(line) > last else ""
    return left + _visible(line[first:last]) + right


def _visible(text: str) -> str:
    """Text that moves no cursor and sets no colour: one character for each of its own."""
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else " "
        if character == "\t"
        else "�"
        for character in text
    )


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
    what = f"{type(error).__name__}: {next(iter(str(error).strip().splitlines()), '')}"
    screen.print(Text.assemble(("error: ", "bold red"), (what, "bold")), soft_wrap=True)
    if noise.strip():
        screen.print(Text(noise.strip(), "dim"), soft_wrap=True)
    screen.print(
        Text.assemble(("help: ", "bold green"), "run again with --verbose to see where"),
        soft_wrap=True,
    )
