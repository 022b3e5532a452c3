"""The two consoles, and the one way to print JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from nncli.files import finite

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SCHEMA_VERSION = 1
PIPE_WIDTH = 100


def console(*, stderr: bool = False) -> Console:
    """A console for results, or for problems (`stderr=True`).

    Whether it may use colour and move the cursor is decided by what the stream is, never by
    FORCE_COLOR; text is printed as it is (no `[markup]`), and characters that the stream's
    encoding lacks are replaced.
    """
    from rich.console import Console

    class OwnConsole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # `nncli.cli.main` ends the process, not Rich

    stream: TextIO = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    width = None if terminal or "COLUMNS" in os.environ else PIPE_WIDTH
    return OwnConsole(
        file=stream,
        force_terminal=terminal,
        force_interactive=terminal and os.environ.get("TERM") != "dumb",
        color_system="auto" if terminal else None,
        markup=False,
        highlight=False,
        emoji=False,
        width=width,
        legacy_windows=False,
    )


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document, `schema_version` first, with every float to its last digit.

    A number that is not finite becomes null; where the stream's encoding lacks characters they
    are written as JSON's own escapes.
    """
    print_document({"schema_version": SCHEMA_VERSION, **document})


def print_document(document: Mapping[str, Any]) -> None:
    """Print a JSON document whose form is not ours to version, as it is."""
    whole = finite(document)
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    print(json.dumps(whole, indent=2, ensure_ascii=not unicode, allow_nan=False))


def print_sentence(screen: Console, bullet: Text, text: Text) -> None:
    """Print `text` after `bullet`: one line in a pipe, whole words below each other elsewhere."""
    from rich.text import Text

    if not screen.is_terminal:
        screen.print(bullet + text, soft_wrap=True)
        return
    blank = Text(" " * bullet.cell_len)
    for position, line in enumerate(text.wrap(screen, max(20, screen.width - bullet.cell_len))):
        line.rstrip()
        screen.print((blank if position else bullet) + line, soft_wrap=True)


def visible(text: str) -> str:
    """Text that moves no cursor and sets no colour: one character for each of its own."""
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else " "
        if character == "\t"
        else "�"
        for character in text
    )


def relative(place: str) -> str:
    """A path below the current folder without its beginning."""
    return place.removeprefix(os.getcwd() + os.sep)  # noqa: PTH109 - a prefix of text


def print_noise(noise: str) -> None:
    """What a library wrote before it failed, on standard error."""
    from rich.text import Text

    if noise.strip():
        console(stderr=True).print(Text(noise.strip(), "dim"), soft_wrap=True)
