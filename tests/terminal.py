"""A terminal for tests: a real pseudo-terminal, and the screen that a person would see."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyte

ENDED = 60.0
"""Seconds after which a test gives up waiting."""
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")
CUT = re.compile(r"\x1b\[\?7l.*?\x1b\[\?7h", re.DOTALL)
"""What is written while too long a line is cut, not broken."""
QUICK = [sys.executable, str(Path(__file__).parent / "quick_training.py")]
"""A training of a second or two, without TensorFlow."""


class Terminal:
    """A command on a terminal of so many columns and rows."""

    def __init__(
        self, command: Sequence[str], columns: int = 80, rows: int = 40, **environment: str
    ) -> None:
        self.columns = columns
        self.screen = pyte.HistoryScreen(columns, rows, history=5000, ratio=0.5)
        self._feed = pyte.ByteStream(self.screen).feed
        self._lock = threading.Lock()
        self.frames: list[list[str]] = []
        """What was on the screen, each time something had come."""
        self.raw = b""
        self.code = 0
        hidden = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "COLORTERM", "TERM"}
        kept = {name: value for name, value in os.environ.items() if name not in hidden}
        size = struct.pack("HHHH", rows, columns, 0, 0)
        # its controlling terminal, so that Ctrl-C is a key and not a system call
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            os.execvpe(command[0], command, {**kept, "TERM": "xterm-256color", **environment})
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the command has ended
            while data := os.read(self.descriptor, 65536):
                with self._lock:
                    self.raw += data
                    self._feed(data)
                    self.frames.append(self._display())

    def _display(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def wait_for(self, seen: Callable[[list[str]], bool], seconds: float = ENDED) -> list[str]:
        """The first screen of which `seen` is true."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._lock:
                found = self._display()
            if seen(found):
                return found
            if not self._reader.is_alive():
                break
            time.sleep(0.01)
        raise AssertionError("never seen; the last screen:\n" + "\n".join(self._display()))

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.descriptor, keys)

    def resize(self, columns: int, rows: int = 40) -> None:
        """Make the window narrower or wider."""
        with self._lock:
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, size)
            self.screen.resize(rows, columns)
            self.columns = columns

    def end(self, seconds: float = ENDED) -> Terminal:
        """Wait until the command has ended."""
        self._reader.join(seconds)
        if self._reader.is_alive():
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        self._reader.join(5)
        os.close(self.descriptor)
        return self

    @property
    def lines(self) -> list[str]:
        """All that can be scrolled to, at the end."""
        above = [
            "".join(row[column].data for column in range(self.columns)).rstrip()
            for row in self.screen.history.top
        ]
        return above + self._display()

    @property
    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines)

    @property
    def widest(self) -> str:
        """The widest line that was written; a terminal cuts the live ones itself."""
        written = CUT.sub("\r", self.raw.decode("utf-8", "replace"))
        plain = SEQUENCE.sub("", written)
        return max(re.split(r"[\r\n]+", plain), key=len)

    def is_given_back(self) -> bool:
        """Whether the cursor is visible, at the beginning of an empty line."""
        cursor = self.screen.cursor
        below = self._display()[cursor.y :]
        return not cursor.hidden and cursor.x == 0 and not any(below)
