"""Whether a run repeats, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nncli.report.console import console, print_sentence
from nncli.results import StoredRun


def print_verified(folder: Path, run: StoredRun, difference: str, changed: Sequence[str]) -> None:
    """Whether it is the same, where it first is not, and what may have made it so.

    Args:
        folder: of the run.
        run: what is in it.
        difference: the first one; empty for none.
        changed: what the run was made with that is other now.
    """
    from rich.text import Text

    screen = console()
    if not difference:
        text = f"{folder} repeats to the last bit: {len(run.history):,} epochs, figures, weights"
        print_sentence(screen, Text("✓ ", "bold green"), Text(text, "bold"))
    else:
        text = f"{folder} does not repeat: {difference}"
        print_sentence(screen, Text("✗ ", "bold red"), Text(text, "bold"))
    for each in changed:
        print_sentence(screen, Text("  "), Text(f"changed: {each}", "yellow"))
