"""A training run on the terminal, from the header to the list of files."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nncli.listener import Listener
from nncli.report import training as lines
from nncli.report.console import console, print_json
from nncli.report.model import print_model
from nncli.report.progress import LiveListener, PlainListener
from nncli.results import LayerRow, Result


class RunReport:
    """Prints one run: everything, the result line alone (`quiet`), or JSON."""

    def __init__(self, command: str, *, quiet: bool, as_json: bool) -> None:
        self.command = command
        self.quiet = quiet
        self.as_json = as_json
        # with --json, standard output belongs to the document
        self.screen = console(stderr=as_json)

    def listener(self) -> Listener:
        """Shows progress in the way that fits where the output goes."""
        if self.quiet:
            return Listener()
        if self.screen.is_interactive:
            return LiveListener(self.screen)
        return PlainListener(sys.stderr if self.as_json else sys.stdout)

    def begin(
        self,
        layers: Sequence[LayerRow],
        facts: Sequence[str],
        notes: Sequence[str],
        folder: Path | None,
    ) -> None:
        """The header, the notes and the model table."""
        if self.quiet:
            return
        lines.print_header(self.screen, self.command, facts, folder)
        lines.print_notes(self.screen, notes)
        self.screen.print()
        print_model(self.screen, layers)
        self.screen.print()

    def dry_run(
        self,
        config: Mapping[str, Any],
        text: str,
        layers: Sequence[LayerRow],
        facts: Sequence[str],
        notes: Sequence[str],
    ) -> None:
        """The resolved config and the model table."""
        if self.as_json:
            rows = [
                {
                    "name": row.name,
                    "type": row.type,
                    "output_shape": row.output_shape,
                    "parameters": row.parameters,
                    "frozen": row.frozen,
                }
                for row in layers
            ]
            print_json({"config": config, "layers": rows})
            return
        lines.print_config(self.screen, text)
        self.begin(layers, facts, notes, None)

    def end(
        self,
        folder: Path,
        metrics: Mapping[str, Any],
        seconds: Mapping[str, float],
        saved: Mapping[str, str],
        failed: Mapping[str, str],
    ) -> None:
        """What was reached and what each file is.

        Args:
            folder: the run's.
            metrics: what metrics.json holds.
            seconds: wall time by part, as run.json has it.
            saved: pictures, by file name, with what each shows.
            failed: pictures that could not be drawn, with the reason.
        """
        lines.print_failed_figures(console(stderr=True), failed)
        if self.as_json:
            print_json(
                {
                    "run": str(folder),
                    "metrics": metrics,
                    "figures": sorted(saved),
                    "failed_figures": failed,
                    "seconds": seconds,
                }
            )
            return
        if not self.quiet:
            self.screen.print()
        lines.print_reached(self.screen, metrics, None if self.quiet else seconds["train"])
        if not self.quiet:
            lines.print_files(self.screen, folder, saved)

    def interrupted(self, folder: Path, result: Result) -> None:
        """Where the finished epochs are."""
        epochs = len(result.history)
        count = "1 finished epoch" if epochs == 1 else f"{epochs} finished epochs"
        kept = f"the best of them is in {folder}" if result.best_epoch else "nothing to keep yet"
        console(stderr=True).print(f"interrupted after {count}; {kept}", soft_wrap=True)
        if self.as_json:
            print_json(
                {
                    "run": str(folder),
                    "stopped": "interrupted",
                    "epochs": epochs,
                    "best_epoch": result.best_epoch,
                }
            )
