"""Where the time of a run went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nncli.profile import PARTS
from nncli.report.table import Column, print_table
from nncli.report.units import duration

if TYPE_CHECKING:
    from rich.console import Console


def print_profile(screen: Console, spent: Mapping[str, float]) -> None:
    """Seconds by part in the order of their beginning, and their shares of the whole."""
    from rich.text import Text

    whole = sum(spent.values())
    rows = {**spent, "whole": whole}
    meanings = {**PARTS, "whole": "from the start of the process"}
    print_table(
        screen,
        [
            Column("part", [Text(name) for name in rows], "left"),
            Column("time", [Text(duration(seconds)) for seconds in rows.values()]),
            Column("share", [Text(f"{seconds / whole:.1%}") for seconds in rows.values()]),
            Column("of what", [Text(meanings[name], "dim") for name in rows], "left", drop=1),
        ],
    )
