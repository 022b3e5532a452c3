from __future__ import annotations

import io
import json
import sys

import pytest
from rich.console import Console
from rich.text import Text

from nncli import process
from nncli.report.console import (
    PIPE_WIDTH,
    console,
    print_json,
    print_noise,
    print_sentence,
    spelled,
)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


def test_a_pipe_gets_no_escape_byte(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    screen = console()
    assert screen.width == PIPE_WIDTH
    assert not screen.is_terminal
    assert not screen.is_interactive
    screen.print(Text("[red]x[/x] :smile:", "bold red"))
    console(stderr=True).print("problem", style="red")
    assert capsys.readouterr() == ("[red]x[/x] :smile:\n", "problem\n")


def test_columns_are_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "33")
    assert console().width == 33


@pytest.mark.parametrize("columns", ["", "0", "-3", "wide", "3.5", "999999999", "²"])
def test_columns_that_are_none_are_ignored(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert console().width == PIPE_WIDTH


@pytest.mark.parametrize(
    ("environment", "escapes", "interactive"),
    [
        ({"TERM": "xterm-256color"}, True, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False, True),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_a_terminal_gets_what_it_can_show(
    environment: dict[str, str],
    escapes: bool,
    interactive: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal())
    screen = console()
    screen.print("x", style="red")
    assert ("\x1b[31m" in sys.stdout.getvalue()) == escapes  # type: ignore[attr-defined]
    assert screen.is_interactive == interactive


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [0.1 + 0.2, float("nan"), float("inf")], "document": "é"})
    out = capsys.readouterr().out
    document = json.loads(out, parse_constant=lambda text: pytest.fail(text))
    assert document == {"schema_version": 1, "document": "é", "a": [0.1 + 0.2, None, None]}
    assert list(document)[:2] == ["schema_version", "document"]
    assert "é" in out


def test_json_keeps_characters_that_the_stream_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    print_json({"document": "é…"})
    assert json.loads(stream.buffer.getvalue())["document"] == "é…"  # type: ignore[attr-defined]


def test_sentences_wrap_below_themselves() -> None:
    stream = io.StringIO()
    screen = Console(file=stream, width=30, force_terminal=True, color_system=None)
    print_sentence(screen, Text("✓ "), Text("one two three four five six seven [/x]"))
    assert stream.getvalue() == "✓ one two three four five six\n  seven [/x]\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_the_style_of_a_bullet_ends_with_it(terminal: bool) -> None:
    stream = io.StringIO()
    screen = Console(
        file=stream, width=30, force_terminal=True, color_system="standard", _environ={}
    )
    screen._force_terminal = terminal
    print_sentence(screen, Text("note: ", "yellow"), Text("words [/x]"))
    assert stream.getvalue() == "\x1b[33mnote: \x1b[0mwords [/x]\n"


def test_what_is_longer_than_a_line_is_left_whole() -> None:
    """A path is to be copied: the terminal breaks it, and joins it again."""
    stream = io.StringIO()
    screen = Console(file=stream, width=30, force_terminal=True, color_system=None)
    path = "/a/path/that/is/longer/than/a/whole/line"
    print_sentence(screen, Text("→ "), Text(f"in {path} it is"))
    assert stream.getvalue() == f"→ in\n  {path}\n  it is\n"


def test_a_bullet_that_takes_the_line_stands_above_its_text() -> None:
    stream = io.StringIO()
    screen = Console(file=stream, width=24, force_terminal=True, color_system=None)
    print_sentence(screen, Text("  architecture.png  "), Text("the model, layer by layer"))
    assert stream.getvalue() == "  architecture.png\n  the model, layer by\n  layer\n"


def test_what_is_spelled_in_ascii_is_measured_so() -> None:
    process.make_streams_safe()  # names the way to spell
    stream = io.TextIOWrapper(
        io.BytesIO(), encoding="ascii", errors="nncli-ascii", write_through=True
    )
    screen = Console(file=stream, width=20, force_terminal=True, color_system=None)
    print_sentence(screen, Text("✓ "), Text("→ → → → → → → → → →"))
    lines = stream.buffer.getvalue().decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("ok -> ->")
    assert max(map(len, lines)) <= 20
    assert spelled(screen, Text("a→b", "bold")).plain == "a->b"


def test_noise_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_noise("  \n")
    print_noise("E0000 [/x] cannot open libfoo.so\n")
    assert capsys.readouterr() == ("", "E0000 [/x] cannot open libfoo.so\n")
