"""What nncli doctor found, on the terminal and as data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from nncli.report.console import console, print_sentence, visible
from nncli.report.live_report import LiveReport
from nncli.results import Check, CheckStatus

if TYPE_CHECKING:
    from nncli.documents.doctor import Checked, Doctor

MARKS: dict[CheckStatus, tuple[str, str]] = {
    "ok": ("✓ ", "bold green"),
    "warning": ("! ", "bold yellow"),
    "problem": ("✗ ", "bold red"),
    "skipped": ("– ", "dim"),
}
WIDE = 72
"""Columns from which on the findings stand below each other."""
NAME_WIDTH = 12


class DoctorReport(LiveReport):
    """Prints each check as it is done, or none of them (`as_json`)."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__(console(stderr=as_json))  # standard output belongs to the document
        self.as_json = as_json

    def print(self, check: Check) -> None:
        """The finding, and below it what to do."""
        from rich.text import Text

        if self.as_json:
            return
        mark, style = MARKS[check.status]
        heavy = "" if check.status == "ok" else style
        with self.live.above() if self.live is not None else nullcontext():
            screen = self.screen
            finding = Text(visible(check.finding), "dim" if check.status == "skipped" else "")
            if screen.is_terminal and screen.width < WIDE:
                text = Text.assemble((f"{check.name}: ", heavy or "bold"), finding)
                print_sentence(screen, Text(mark, style), text)
                indent = "  "
            else:
                bullet = Text.assemble((mark, style), (f"{check.name:<{NAME_WIDTH}}", heavy))
                print_sentence(screen, bullet, finding)
                indent = " " * (len(mark) + NAME_WIDTH)
            if check.hint:
                print_sentence(screen, Text(indent), Text(visible(check.hint), "green"))
            if not screen.is_terminal:
                sys.stdout.flush()  # a log shows what has been done when something hangs

    def end(self, checks: Sequence[Check]) -> None:
        """How many of each."""
        style = {"problem": "bold red", "warning": "bold yellow"}
        worst = next((each for each in style if any(c.status == each for c in checks)), "")
        self.screen.print(tally(checks), style=style.get(worst, "bold green"), soft_wrap=True)


def tally(checks: Sequence[Check]) -> str:
    """`14 checks: 1 warning, 0 problems`."""
    warnings, problems = counts(checks)
    return (
        f"{len(checks)} checks: {warnings} warning{'' if warnings == 1 else 's'}, "
        f"{problems} problem{'' if problems == 1 else 's'}"
    )


def counts(checks: Sequence[Check]) -> tuple[int, int]:
    """Of the warnings, and of the problems."""
    statuses = [check.status for check in checks]
    return statuses.count("warning"), statuses.count("problem")


def doctor_document(checks: Sequence[Check]) -> Doctor:
    """The same for `--json`, with what was found as plain values."""
    warnings, problems = counts(checks)
    return {
        "document": "doctor",
        "warnings": warnings,
        "problems": problems,
        "checks": [_row(check) for check in checks],
    }


def _row(check: Check) -> Checked:
    return {
        "name": check.name,
        "status": check.status,
        "finding": check.finding,
        "hint": check.hint or None,
        "facts": check.facts,
    }
