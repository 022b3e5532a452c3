"""The line at the bottom of a terminal that is drawn again and again while something works."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO, TextIOBase, UnsupportedOperation
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

INTERVAL = 0.1
"""Seconds between two drawings."""
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
ERASE_BELOW, ERASE_RIGHT = "\x1b[J", "\x1b[K"
CUT, BREAK = "\x1b[?7l", "\x1b[?7h"
"""What happens to a line that is too long."""


class LiveLine:
    """One line, drawn ten times a second by a thread of its own.

    After each drawing the cursor waits at the line's beginning. A terminal that is made narrower
    breaks the line in two and keeps the cursor at its beginning, so that all of it is below the
    cursor and can be erased.
    """

    def __init__(self, screen: Console, render: Callable[[int], Text]) -> None:
        """Draw `render(columns)`, which is at most so many columns wide."""
        self.screen, self._render = screen, render
        self._terminal = _own(screen.file)
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._wanted = True
        self._hidden = False
        self._drawn = ""
        self._columns = 0
        self.refresh()
        threading.Thread(target=self._keep_drawing, name="nncli-live", daemon=True).start()

    def _keep_drawing(self) -> None:
        while not self._ended.wait(INTERVAL):
            try:
                self.refresh()
            except (OSError, ValueError):  # the terminal is gone: who prints will be told
                return

    def refresh(self) -> None:
        """Draw it as it is now."""
        with self._lock:
            if self._wanted and self._in_front():
                self._draw()

    def _draw(self) -> None:
        columns = self.screen.width - 1  # a full line would have the next one begin
        with self.screen.capture() as captured:
            self.screen.print(self._render(columns), end="", soft_wrap=True)
        text = captured.get()
        if text == self._drawn and columns == self._columns:
            return
        before = "\r" if self._hidden else HIDE_CURSOR
        if self._drawn and columns != self._columns:
            before += ERASE_BELOW
        # cut, should the terminal be made narrower just now
        self._write(f"{before}{CUT}{text}{ERASE_RIGHT}{BREAK}\r")
        self._hidden, self._drawn, self._columns = True, text, columns

    def _in_front(self) -> bool:
        """Whether the terminal is ours: `nncli train cnn &` must not draw over the prompt."""
        try:
            return os.tcgetpgrp(self.screen.file.fileno()) == os.getpgrp()
        except (OSError, AttributeError):  # not the controlling terminal
            return True

    @contextmanager
    def above(self) -> Iterator[None]:
        """Print in the block; the line moves below what was printed."""
        with self._lock:
            self._erase()
            try:
                yield
            finally:
                self.refresh()

    def _erase(self) -> None:
        if self._drawn:
            resized = self.screen.width - 1 != self._columns
            # not always: tmux keeps all that is erased below the top of a screen as history
            self._write(f"\r{ERASE_BELOW if resized else ERASE_RIGHT}")
            self._drawn = ""

    def hide(self) -> None:
        """Erase the line and show the cursor, until `show`; at any time, also from a signal."""
        if not self._lock.acquire(timeout=1):  # a thread that waits for a terminal that stands
            return
        try:
            self._wanted = False
            self._erase()
            if self._hidden:
                self._write(SHOW_CURSOR)
                self._hidden = False
        finally:
            self._lock.release()

    def show(self) -> None:
        """Draw the line again."""
        self._wanted = not self._ended.is_set()
        self.refresh()

    def close(self) -> None:
        """Erase the line for good."""
        self._ended.set()
        self.hide()
        if self._terminal is not None:
            self._terminal.close()

    def _write(self, text: str) -> None:
        stream = self.screen.file
        if self._terminal is None:
            stream.write(text)
            stream.flush()
            return
        assert isinstance(stream, TextIOBase)
        data = text.encode(stream.encoding or "utf-8", stream.errors or "strict")
        while data:
            data = data[self._terminal.write(data) :]


def _own(stream: IO[str]) -> FileIO | None:
    """Another way to the terminal that a stream writes to.

    TensorFlow's noise is caught by taking file descriptor 2 away while it starts. Unlike a
    stream's buffer this one also takes what a signal's handler writes while something else is
    being written.
    """
    try:
        return FileIO(os.dup(stream.fileno()), "w")
    except (OSError, UnsupportedOperation):
        return None
