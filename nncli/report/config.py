"""Configs on the terminal: the shipped ones, a resolved one, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nncli.errors import UsageError
from nncli.report.console import console, print_sentence
from nncli.report.errors import failure, print_error
from nncli.results import ShippedConfig

if TYPE_CHECKING:
    from nncli.documents.config import ConfigValidate


def print_shipped(rows: Sequence[ShippedConfig]) -> None:
    """The shipped configs: what each trains on what, and which need a network at first."""
    from rich.text import Text

    screen = console()
    width = max(len(row.name) for row in rows)
    data = max(len(row.data) for row in rows)
    kinds = max(len(row.kind) for row in rows)
    for row in rows:
        mark = "  (downloads on first use)" if row.needs_network else ""
        line = Text.assemble(
            (f"{row.name:<{width}}", "bold cyan"),
            f"  {row.kind:<{kinds}}  {row.data:<{data}}  ",
            row.summary,
            (mark, "yellow"),
        )
        if screen.is_terminal and line.cell_len > screen.width:
            head = Text.assemble(
                (row.name, "bold cyan"), f"  {row.kind} on {row.data}", (mark, "yellow")
            )
            print_sentence(screen, Text(), head)
            print_sentence(screen, Text("  "), Text(row.summary))
        else:
            screen.print(line, soft_wrap=True)
    screen.print()
    said = "nncli train KIND --config NAME runs one, nncli config copy NAME makes it yours"
    print_sentence(screen, Text(), Text(said))


def print_yaml(text: str) -> None:
    """A config; what follows a `#` is dim."""
    from rich.text import Text

    screen = console()
    for line in text.splitlines():
        value, mark, comment = line.partition("  # ")
        screen.print(Text.assemble(value, (mark + comment, "dim")), soft_wrap=True)


def print_copied(kind: str, target: Path, schema: Path) -> None:
    """The two files, and how to run the config."""
    import shlex

    screen = console()
    screen.print(f"saved {target}", soft_wrap=True)
    screen.print(f"saved {schema}, by which editors complete and check it", soft_wrap=True)
    screen.print(f"nncli train {kind} --config {shlex.quote(str(target))}", soft_wrap=True)


@dataclass(frozen=True)
class Checked:
    """What came of checking one config."""

    file: str
    kind: str = ""
    data: str = ""
    error: UsageError | None = None


def print_checked(checked: Sequence[Checked]) -> None:
    """Each config with what it trains, or its problems on standard error; then how many."""
    from rich.text import Text

    screen = console()
    for row in checked:
        if row.error is not None:
            print_error(row.error)
        else:
            text = Text.assemble(("✓ ", "green"), row.file, (f"  {row.kind} on {row.data}", "dim"))
            screen.print(text, soft_wrap=True)
    wrong = sum(row.error is not None for row in checked)
    count = "1 config" if len(checked) == 1 else f"{len(checked)} configs"
    if wrong == 0:
        result = "valid" if len(checked) == 1 else "all valid"
    else:
        result = f"{len(checked) - wrong} valid, {wrong} not"
    screen.print(f"{count}: {result}")


def check_document(checked: Sequence[Checked]) -> ConfigValidate:
    """The same for `--json`."""
    wrong = sum(row.error is not None for row in checked)
    return {
        "document": "config validate",
        "valid": len(checked) - wrong,
        "invalid": wrong,
        "configs": [
            {
                "file": row.file,
                "valid": row.error is None,
                "kind": row.kind or None,
                "data": row.data or None,
                "error": None if row.error is None else failure(row.error),
            }
            for row in checked
        ],
    }
