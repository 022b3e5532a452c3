"""Tables whose columns drop out where the terminal is narrow; what stays is never cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Literal

from nncli.report.console import spelled

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GAPS = (3, 2)
"""Blanks between columns: the first of these that lets the table fit."""
AT_ONCE = 100
"""Lines that Rich is given at a time: it takes its time for each thing, and room for each line."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    title: str
    cells: Sequence[Text]
    side: Literal["left", "right"] = "right"
    drop: int = 0
    """The higher, the sooner it goes where there is no room; 0 stays."""

    @cached_property
    def width(self) -> int:
        """Of its widest cell."""
        from rich.cells import cell_len

        return max(cell_len(self.title), *(cell.cell_len for cell in self.cells))


def print_table(screen: Console, columns: Sequence[Column]) -> None:
    """Print a table, its titles dim above a rule."""
    from rich.text import Text

    columns, gap = _fit([_spelled(screen, column) for column in columns], screen.width)
    widths = [column.width for column in columns]
    sides = [column.side for column in columns]
    titles = [Text(column.title, "dim") for column in columns]
    rows = zip(*(column.cells for column in columns), strict=True)
    above = [_line(titles, widths, sides, gap), Text("─" * _width(columns, gap), "dim")]
    lines = chain(above, (_line(cells, widths, sides, gap) for cells in rows))
    while some := list(islice(lines, AT_ONCE)):
        screen.print(Text("\n").join(some), soft_wrap=True)


def fits(screen: Console, columns: Sequence[Column]) -> bool:
    """Whether a table with all its columns is no wider than the screen."""
    return _width([_spelled(screen, column) for column in columns], GAPS[-1]) <= screen.width


def _spelled(screen: Console, column: Column) -> Column:
    """The column as the screen's encoding can say it."""
    from rich.text import Text

    return replace(
        column,
        title=spelled(screen, Text(column.title)).plain,
        cells=[spelled(screen, cell) for cell in column.cells],
    )


def _fit(columns: Sequence[Column], width: int) -> tuple[list[Column], int]:
    """The columns that fit, and how many blanks stand between them."""
    kept = list(columns)
    while True:
        for gap in GAPS:
            if _width(kept, gap) <= width:
                return kept, gap
        first_to_go = max(kept, key=lambda column: column.drop)
        if not first_to_go.drop:
            return kept, GAPS[-1]
        kept.remove(first_to_go)


def _width(columns: Sequence[Column], gap: int) -> int:
    return sum(column.width for column in columns) + gap * (len(columns) - 1)


def _line(cells: Sequence[Text], widths: Sequence[int], sides: Sequence[str], gap: int) -> Text:
    from rich.text import Text

    line = Text()
    before = 0
    for cell, width, side in zip(cells, widths, sides, strict=True):
        blanks = width - cell.cell_len
        before += blanks if side == "right" else 0
        if before:
            line.append(" " * before)
        line.append_text(cell)
        before = gap + (blanks if side == "left" else 0)
    line.rstrip()
    return line
