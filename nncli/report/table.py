"""Tables whose columns drop out where the terminal is narrow; what stays is never cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from nncli.report.console import spelled

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GAPS = (3, 2)
"""Blanks between columns: the first of these that lets the table fit."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    title: str
    cells: Sequence[Text]
    side: Literal["left", "right"] = "right"
    drop: int = 0
    """The higher, the sooner it goes where there is no room; 0 stays."""

    @property
    def width(self) -> int:
        """Of its widest cell."""
        from rich.cells import cell_len

        return max(cell_len(self.title), *(cell.cell_len for cell in self.cells))


def print_table(screen: Console, columns: Sequence[Column]) -> None:
    """Print a table, its titles dim above a rule."""
    from rich.text import Text

    columns, gap = _fit([_spelled(screen, column) for column in columns], screen.width)
    titles = [Text(column.title, "dim") for column in columns]
    screen.print(_line(columns, titles, gap), soft_wrap=True)
    screen.print(Text("─" * _width(columns, gap), "dim"), soft_wrap=True)
    for position in range(len(columns[0].cells)):
        cells = [column.cells[position] for column in columns]
        screen.print(_line(columns, cells, gap), soft_wrap=True)


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


def _line(columns: Sequence[Column], cells: Sequence[Text], gap: int) -> Text:
    from rich.text import Text

    line = Text()
    for column, cell in zip(columns, cells, strict=True):
        blanks = " " * (column.width - cell.cell_len)
        line.append(" " * gap if line else "")
        line.append(blanks if column.side == "right" else "").append_text(cell)
        line.append(blanks if column.side == "left" else "")
    line.rstrip()
    return line
