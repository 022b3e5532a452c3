from __future__ import annotations

import io
import json
import sys

import pytest
from rich.console import Console
from rich.text import Text

from nncli.report.console import PIPE_WIDTH, console, print_json, print_noise, print_sentence


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
    print_json({"a": [0.1 + 0.2, float("nan"), float("inf")], "b": "é"})
    out = capsys.readouterr().out
    document = json.loads(out, parse_constant=lambda text: pytest.fail(text))
    assert document == {"schema_version": 1, "a": [0.1 + 0.2, None, None], "b": "é"}
    assert "é" in out


def test_json_keeps_characters_that_the_stream_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    print_json({"b": "é…"})
    assert json.loads(stream.buffer.getvalue())["b"] == "é…"  # type: ignore[attr-defined]


def test_sentences_wrap_below_themselves() -> None:
    stream = io.StringIO()
    screen = Console(file=stream, width=30, force_terminal=True, color_system=None)
    print_sentence(screen, Text("✓ "), Text("one two three four five six seven [/x]"))
    assert stream.getvalue() == "✓ one two three four five six\n  seven [/x]\n"


def test_noise_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_noise("  \n")
    print_noise("E0000 [/x] cannot open libfoo.so\n")
    assert capsys.readouterr() == ("", "E0000 [/x] cannot open libfoo.so\n")
