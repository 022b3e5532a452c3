"""The two consoles, and the one way to print JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from nncli.documents import SCHEMA_VERSION
from nncli.errors import ReaderGone
from nncli.files import finite
from nncli.process import answer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from nncli.documents.every import Document

PIPE_WIDTH = 100
DUMB = {"dumb", "unknown"}
"""Terminals, by `TERM`, that cannot move the cursor."""


def console(*, stderr: bool = False) -> Console:
    """A console for results, or for problems (`stderr=True`).

    Whether it may use colour and move the cursor is decided by what the stream is, never by
    FORCE_COLOR; text is printed as it is (no `[markup]`), and characters that the stream's
    encoding lacks are replaced.
    """
    from rich.console import Console, ConsoleDimensions

    class OwnConsole(Console):
        def on_broken_pipe(self) -> None:
            raise ReaderGone  # `nncli.cli.main` ends the process, not Rich

        @property
        def size(self) -> ConsoleDimensions:
            """As it is now; `COLUMNS` may ask for less, but a terminal has no more."""
            width, height = super().size
            return ConsoleDimensions(min(given or width, width), height)

        @size.setter
        def size(self, size: tuple[int, int]) -> None:
            self._width, self._height = size

    stream: TextIO = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    dumb = os.environ.get("TERM", "").lower() in DUMB
    environment = dict(os.environ)
    if dumb:
        del environment["TERM"]  # Rich takes such a terminal for 80 columns wide
    columns = environment.pop("COLUMNS", "")
    given = int(columns) if columns.isdecimal() and len(columns) < 5 else 0
    return OwnConsole(
        file=stream,
        force_terminal=terminal,
        force_interactive=terminal and not dumb,
        color_system="auto" if terminal and not dumb else None,
        markup=False,
        highlight=False,
        emoji=False,
        width=None if terminal else given or PIPE_WIDTH,
        legacy_windows=False,
        _environ=environment,
    )


def print_json(document: Document) -> None:
    """Print the one document of `--json`, what it is first, with every float to its last digit.

    A number that is not finite becomes null; where the stream's encoding lacks characters they
    are written as JSON's own escapes.
    """
    first = {"schema_version": SCHEMA_VERSION, "document": document["document"]}
    print_document({**first, **document})


def print_document(document: Mapping[str, Any]) -> None:
    """Print a JSON document whose form is not ours to version, as it is."""
    whole = finite(document)
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(whole, indent=2, ensure_ascii=not unicode, allow_nan=False)
    with answer():
        print(text, flush=True)


def print_sentence(screen: Console, bullet: Text, text: Text) -> None:
    """Print `text` after `bullet`: one line in a pipe, whole words below each other elsewhere."""
    from rich.text import Text

    if not screen.is_terminal:
        screen.print(Text.assemble(bullet, text), soft_wrap=True)
        return
    bullet, text = spelled(screen, bullet), spelled(screen, text)
    # a bullet of more than half a line stands above its text
    if screen.width < 2 * bullet.cell_len and screen.width < bullet.cell_len + text.cell_len:
        bullet.rstrip()
        if bullet:
            screen.print(bullet, soft_wrap=True)
        bullet = Text("  ")
    blank = Text(" " * bullet.cell_len)
    room = max(1, screen.width - bullet.cell_len)
    for position, line in enumerate(_lines(text, room)):
        screen.print(Text.assemble(blank if position else bullet, line), soft_wrap=True)


def _lines(text: Text, columns: int) -> list[Text]:
    """Lines of whole words; a longer word than a line is left whole, to be copied as it is."""
    from rich.text import Text

    lines: list[Text] = []
    for paragraph in text.split("\n", allow_blank=True):
        first, *words = paragraph.split(" ", allow_blank=True) or [Text()]
        lines.append(first)
        for word in words:
            if lines[-1].cell_len + 1 + word.cell_len <= columns:
                lines[-1] = Text.assemble(lines[-1], " ", word)
            else:
                lines.append(word)
    for line in lines:
        line.rstrip()
    return lines


def spelled(screen: Console, text: Text) -> Text:
    """Text as the screen's encoding can say it, so that its width is known: `->` for `→`."""
    from rich.text import Text

    encoding = getattr(screen.file, "encoding", None)
    if not encoding or screen.encoding.startswith("utf") or text.plain.isascii():
        return text
    errors = getattr(screen.file, "errors", None) or "strict"
    said = Text()
    for position, character in enumerate(text.plain):
        written = character.encode(encoding, errors).decode(encoding)
        said.append(written, text.get_style_at_offset(screen, position))
    return said


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
