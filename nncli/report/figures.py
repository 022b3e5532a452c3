"""Pictures that were drawn, and those that could not be."""

from __future__ import annotations

from collections.abc import Sequence

from nncli.report.console import console, print_json, print_sentence
from nncli.results import FailedFigure, SavedFigure


def print_figures(
    saved: Sequence[SavedFigure], failed: Sequence[FailedFigure], *, as_json: bool
) -> None:
    """Each picture with what it shows; those that failed as warnings on standard error."""
    from rich.text import Text

    from nncli.report.training import print_failed_figures

    print_failed_figures(console(stderr=True), {figure.name: figure.reason for figure in failed})
    if as_json:
        print_json(
            {
                "document": "plot",
                "figures": [
                    {"name": each.name, "file": str(each.path), "finding": each.finding}
                    for each in saved
                ],
                "failed_figures": {each.name: each.reason for each in failed},
            }
        )
        return
    screen = console()
    for each in saved:
        screen.print(Text(f"saved {each.path}", "bold"), soft_wrap=True)
        print_sentence(screen, Text("  "), Text(each.finding, "dim"))
