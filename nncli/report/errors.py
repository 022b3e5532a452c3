"""Errors on standard error, or as data."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nncli.errors import (
    ConfigError,
    DataError,
    ExitCode,
    Interrupted,
    NncliError,
    Problem,
    in_one_line,
)
from nncli.report.ci import annotate_error
from nncli.report.console import console, print_json, print_sentence, relative, spelled, visible

if TYPE_CHECKING:
    from rich.console import Console

    from nncli.documents.error import ConfigProblem, Failure

MOST_PROBLEMS = 20
"""How many problems are printed; `--json` has all."""


def print_error(error: NncliError, *, as_json: bool = False) -> None:
    """What was given, what was wanted, and what to do next; all problems of a config."""
    annotate_error(error)
    if as_json:
        print_json({"document": "error", "error": failure(error)})
        return
    from rich.text import Text

    screen = console(stderr=True)
    headline = Text(visible(error.message), "bold")
    print_sentence(screen, Text("error: ", "bold red"), headline)
    if isinstance(error, ConfigError):
        problems = [problem for problem in error.problems if problem.line or problem.path]
        digits = max((len(str(problem.line)) for problem in problems), default=1)
        for problem in problems[:MOST_PROBLEMS]:
            _print_problem(screen, problem, digits + 2)
        if len(problems) > MOST_PROBLEMS:
            screen.print(f"and {len(problems) - MOST_PROBLEMS} more\n")
    if error.hint:
        print_sentence(screen, Text("help: ", "bold green"), Text(visible(error.hint)))


def _print_problem(screen: Console, problem: Problem, width: int) -> None:
    """A problem as rustc shows one: what, where, the source lines, carets and advice.

    `width` is that of the column of line numbers.
    """
    from rich.text import Text

    path, message, advice = map(visible, (problem.path, problem.message, problem.advice))
    what = Text.assemble((path, "bold cyan"), ": " if path else "", message)
    print_sentence(screen, Text(), what)
    argument = problem.source and not problem.line
    place = "the command line" if argument else visible(relative(problem.place))
    screen.print(Text.assemble((f"{'':{width - 1}}--> ", "blue"), place), soft_wrap=True)
    if problem.source:
        _print_source(screen, problem, width, advice)
    elif advice:
        print_sentence(screen, Text(f"{'':{width}}   "), Text(advice, "bold red"))
    screen.print()


def _print_source(screen: Console, problem: Problem, width: int, advice: str) -> None:
    """The source lines, carets under the place, and the advice beside them or below."""
    from rich.cells import cell_len
    from rich.text import Text

    bar = " │ "
    start, end = problem.column - 1, problem.column - 1 + problem.length
    cuts = 2 * spelled(screen, Text("…")).cell_len - 2  # `...` is wider
    first, last = _window(start, end, max(20, screen.width - width - len(bar)) - cuts)
    for number, line in problem.source:
        gutter = Text(f"{number or '':>{width}}{bar}", "blue")
        screen.print(Text.assemble(gutter, Text(_cut(line, first, last))), soft_wrap=True)
    _, line = problem.source[-1]
    before = ("…" if first else "") + visible(line[first:start].ljust(start - first))
    marked = visible(line[start : min(end, last)])
    gutter = Text(f"{'':{width}}{bar}", "blue")
    carets = " " * cell_len(before) + "^" * max(1, cell_len(marked))
    if screen.is_terminal and gutter.cell_len + cell_len(f"{carets} {advice}") > screen.width:
        screen.print(Text.assemble(gutter, Text(carets, "bold red")), soft_wrap=True)
        for part in Text(advice).wrap(screen, max(20, screen.width - gutter.cell_len)):
            part.rstrip()
            screen.print(Text.assemble(gutter, Text(part.plain, "bold red")), soft_wrap=True)
    else:
        screen.print(
            Text.assemble(gutter, Text(f"{carets} {advice}".rstrip(), "bold red")), soft_wrap=True
        )


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
    return left + visible(line[first:last]) + right


def failure(error: NncliError) -> Failure:
    """The same content for `--json`."""
    told: Failure = {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "exit_code": int(error.exit_code),
    }
    if isinstance(error, ConfigError):
        told["problems"] = [_problem(problem) for problem in error.problems]
    if isinstance(error, DataError):
        told["places"] = error.places
    return told


def _problem(problem: Problem) -> ConfigProblem:
    return {
        "path": problem.path,
        "message": problem.message,
        "advice": problem.advice,
        "origin": problem.origin,
        "line": problem.line,
        "column": problem.column,
        "length": problem.length,
        "source": [{"line": line, "text": text} for line, text in problem.source],
        "related": problem.related,
    }


def print_interrupted(error: KeyboardInterrupt, code: int, *, as_json: bool) -> None:
    """A signal ended the command before it had anything to tell."""
    sys.stderr.write("interrupted\n")
    if as_json:
        told: Failure = {
            "type": Interrupted.__name__,
            "message": str(error) or "interrupted",
            "hint": None,
            "exit_code": code,
        }
        print_json({"document": "error", "error": told})


def print_unexpected(error: BaseException, noise: str, *, as_json: bool = False) -> None:
    """A mistake of ours: what it was, in one line, and what TensorFlow had said; also as data."""
    from rich.text import Text

    screen = console(stderr=True)
    what = f"{type(error).__name__}: {in_one_line(error)}"
    screen.print(Text.assemble(("error: ", "bold red"), (what, "bold")), soft_wrap=True)
    if noise.strip():
        screen.print(Text(noise.strip(), "dim"), soft_wrap=True)
    screen.print(
        Text.assemble(("help: ", "bold green"), "run again with --verbose to see where"),
        soft_wrap=True,
    )
    if as_json:
        told: Failure = {
            "type": type(error).__name__,
            "message": str(error),
            "hint": None,
            "exit_code": int(ExitCode.FAILED),
        }
        print_json({"document": "error", "error": told})
