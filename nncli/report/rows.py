"""The rows of the epochs in a terminal's scrollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nncli.listener import PhaseStart
from nncli.report.console import print_sentence
from nncli.report.units import HEADINGS, duration, number
from nncli.results import EpochRecord

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MOST_ROWS = 40
"""Of more epochs not every one has its row on a terminal."""
ROWS = 25
"""About so many are shown then."""
TIME_WIDTH = 8
NUMBER_WIDTHS = (12, 11, 10)
"""Of a column of figures: the first that fits."""


class EpochTable:
    """The rows of the epochs of one phase: the columns that fit, whole ones alone."""

    def __init__(self, screen: Console, start: PhaseStart, every: int = 1) -> None:
        """Rows for `start`, after a phase with a row for every so many epochs."""
        self.screen, self.start = screen, start
        self.every, self.every_before = _every(start.epochs), every
        self.last: tuple[EpochRecord, int] | None = None
        self.waits = False
        """Whether the last epoch has no row yet."""
        self.columns: tuple[str, ...] = ()
        self.epoch_width = self.column_width = self.fits = 0

    def takes(self, record: EpochRecord, number: int) -> bool:
        """Note an epoch: is a row to be printed for it?"""
        self.last, self.waits = (record, number), True
        return number in {1, self.start.epochs} or number % self.every == 0

    def print_row(self) -> None:
        """Print the row of the last epoch, below a heading where the columns are new."""
        assert self.last is not None
        record, _ = self.last
        if self.screen.width != self.fits:
            known = self.columns, self.column_width
            self._choose(tuple(record.metrics))
            if (self.columns, self.column_width) != known:
                self._print_heading(first=not known[0])
        self.screen.print(self._row(*self.last), soft_wrap=True)
        self.waits = False

    def _choose(self, names: tuple[str, ...]) -> None:
        """Leave out columns until the rest fits: the one that chooses the best epoch stays."""
        self.fits = self.screen.width
        validated = self.start.monitor.startswith("val_")
        order = sorted(
            names,
            key=lambda name: (
                name != self.start.monitor,
                name.startswith("val_") != validated,
                not name.endswith("loss"),
            ),
        )
        self.epoch_width = max(7, 2 * len(str(self.start.epochs)) + 1) + 2
        beside = self.epoch_width + TIME_WIDTH + len(" ★")
        for count in range(len(order), 0, -1):
            for width in NUMBER_WIDTHS:
                self.columns = tuple(name for name in names if name in order[:count])
                self.column_width = width
                if beside + count * width <= self.screen.width:
                    return

    def _print_heading(self, *, first: bool) -> None:
        from rich.text import Text

        if first and self.every not in {1, self.every_before}:
            said = f"a row for every {self.every}th epoch, all of them in history.csv"
            print_sentence(self.screen, Text(), Text(said, "dim"))
        heading = "epoch".rjust(self.epoch_width)
        for name in self.columns:
            heading += HEADINGS.get(name, name).rjust(self.column_width)
        self.screen.print(Text(heading + "time".rjust(TIME_WIDTH), "dim"), soft_wrap=True)

    def _row(self, record: EpochRecord, position: int) -> Text:
        from rich.text import Text

        place = f"{position}/{self.start.epochs}"
        row = Text.assemble((place.rjust(self.epoch_width), "bold"))
        validated = self.start.monitor.startswith("val_")
        for name in self.columns:
            chosen = record.best and name.startswith("val_") == validated
            text = number(name, record.metrics[name])
            row.append(text.rjust(self.column_width), "bold green" if chosen else "")
        row.append(duration(record.seconds).rjust(TIME_WIDTH), "dim")
        return row.append(" ★" if record.best else "", "green")


def _every(epochs: int) -> int:
    """Every how many epochs there is a row: 1 up to `MOST_ROWS`, then 5, 10, 20, 50, 100 …"""
    if epochs <= MOST_ROWS:
        return 1
    scale = 1
    while True:
        for step in (5, 10, 20):
            if epochs / (step * scale) <= ROWS:
                return step * scale
        scale *= 10
