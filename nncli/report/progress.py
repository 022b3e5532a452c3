"""Training as it goes: rows and one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from nncli.errors import ReaderGone
from nncli.listener import Listener, PhaseStart
from nncli.report.console import print_sentence, spelled, visible
from nncli.report.live import LiveLine
from nncli.report.rows import EpochTable
from nncli.report.running import ASCII, UNICODE, RunningPhase, epoch_line
from nncli.report.units import decimal, duration
from nncli.results import EpochRecord

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SLOW = 2.0
"""Seconds after which a stage says how long it has lasted."""
COMPILING = "compiling: the first step takes a few seconds"
PHASES = {
    "pretrain": "training the base on other classes",
    "head": "training the head, the base is frozen",
    "fine_tune": "fine-tuning the last layers of the base",
    "scratch": "for comparison: the same network from scratch",
    "random": "for comparison: the same network on a random base, frozen",
}


def phase_title(start: PhaseStart) -> str:
    """`phase 2 of 4: training the head, the base is frozen`; empty where there is only one."""
    if start.name not in PHASES:
        return ""
    which = f"phase {start.position} of {start.count}: " if start.count > 1 else ""
    return which + PHASES[start.name]


class PlainListener(Listener):
    """One line an epoch, flushed, without any control character."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.epochs = 0

    def _print(self, text: str) -> None:
        try:
            print(text, file=self.stream, flush=True)
        except BrokenPipeError:
            raise ReaderGone from None

    def status(self, text: str, *, takes_long: bool = False) -> None:
        """Print what takes long as a line of its own: a log stays short."""
        if takes_long:
            self._print(f"{visible(text)} ...")

    def note(self, text: str) -> None:
        """Print it as a line of its own."""
        self._print(f"note: {visible(text)}")

    def phase(self, start: PhaseStart) -> None:
        """Name the phase, where there are several."""
        self.epochs = start.epochs
        title = phase_title(start)
        if title:
            self._print(f"{title}:")

    def epoch(self, record: EpochRecord, number: int) -> None:
        """`epoch 3/8  loss 0.2492  accuracy 0.9350  …  0.8s  best`."""
        metrics = "  ".join(f"{name} {decimal(value)}" for name, value in record.metrics.items())
        best = "  best" if record.best else ""
        self._print(f"epoch {number}/{self.epochs}  {metrics}  {duration(record.seconds)}{best}")


class LiveListener(Listener):
    """Rows of epochs in scrollback, and one live line: what is going on, or bar and time left."""

    def __init__(self, screen: Console) -> None:
        self.screen = screen
        self.glyphs = UNICODE if screen.encoding.startswith("utf") else ASCII
        self.stage, self.began = "starting", time.monotonic()
        self.running: RunningPhase | None = None
        self.table: EpochTable | None = None
        self.every = 1
        self.line = LiveLine(screen, self._render)

    @contextmanager
    def above(self) -> Iterator[None]:
        """Print in the block, above the live line."""
        with self.line.above():
            yield

    def status(self, text: str, *, takes_long: bool = False) -> None:  # noqa: ARG002
        """Show it in the live line."""
        self._end_phase()
        if text != self.stage:
            self.stage, self.began = visible(text), time.monotonic()
            self.line.refresh()

    def note(self, text: str) -> None:
        """Print it above the live line."""
        from rich.text import Text

        with self.line.above():
            print_sentence(self.screen, Text("note: ", "yellow"), Text(visible(text)))

    def phase(self, start: PhaseStart) -> None:
        """Name it where there are several, and begin a new bar and table."""
        self._end_phase()
        title = phase_title(start)
        if title:
            from rich.text import Text

            with self.line.above():
                if start.position > 1:
                    self.screen.print()
                print_sentence(self.screen, Text(), Text(title, "bold"))
        self.stage, self.began = COMPILING, time.monotonic()
        self.table = EpochTable(self.screen, start, self.every)
        self.every = self.table.every
        self.running = RunningPhase(start)
        self.line.refresh()

    def step(self, step: int) -> None:
        """Note it; the line's own thread draws the bar."""
        assert self.running is not None
        self.running.step(step)

    def epoch(self, record: EpochRecord, number: int) -> None:
        """Print its row, where it is its turn."""
        assert self.running is not None
        assert self.table is not None
        self.running.epoch(record, number)
        if self.table.takes(record, number):
            with self.line.above():
                self.table.print_row()

    def _end_phase(self) -> None:
        """The last epoch has its row, whenever training stopped."""
        if self.table is not None and self.table.waits:
            with self.line.above():
                self.table.print_row()
        self.running = self.table = None

    def hide(self) -> None:
        """Give the terminal back, until `show`."""
        self.line.hide()

    def show(self) -> None:
        """Take the terminal again."""
        self.line.show()

    def close(self) -> None:
        """Remove the live line and show the cursor again."""
        self.line.close()
        self._end_phase()

    def _render(self, columns: int) -> Text:
        from rich.text import Text

        now = time.monotonic()
        spinner = self.glyphs.spinner[int(now * 10) % len(self.glyphs.spinner)]
        line = Text.assemble((f"{spinner} ", "cyan"))
        running = self.running
        if running is not None and running.is_moving:
            return line.append_text(epoch_line(running, columns - 2, self.glyphs, now))
        lasted = now - self.began
        after = f" {int(lasted)}s" if lasted >= SLOW else ""
        stage = spelled(self.screen, Text(self.stage)).plain
        line.append(_whole_words(stage, columns - line.cell_len - len(after)))
        return line.append(after, "dim")


def _whole_words(text: str, columns: int) -> str:
    """As many of its words as there is room for."""
    from rich.cells import cell_len, set_cell_size

    while cell_len(text) > columns and " " in text:
        text = text.rpartition(" ")[0]
    return text if cell_len(text) <= columns else set_cell_size(text, max(0, columns))
