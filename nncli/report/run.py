"""A training run on the terminal, from the header to the list of files."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from nncli.errors import ExitCode
from nncli.report import training as lines
from nncli.report.ci import annotate_missed, write_junit
from nncli.report.console import console, print_json, print_sentence
from nncli.report.estimate import document, print_estimate, print_sums
from nncli.report.live_report import LiveReport
from nncli.report.model import print_model
from nncli.report.profile import print_profile
from nncli.report.progress import PlainListener
from nncli.requirements import Verdict
from nncli.results import (
    CHECKPOINTS,
    REPORT,
    Advice,
    FailedFigure,
    LayerRow,
    Result,
    RunEstimate,
    SavedFigure,
    StoredRun,
)

if TYPE_CHECKING:
    from nncli.documents.training import Metrics


class RunReport(LiveReport):
    """Prints one run: everything, the result line alone (`quiet`), or JSON.

    In a `with` block its `listener` shows progress in the way that fits where the output goes.
    """

    def __init__(
        self,
        command: str,
        *,
        quiet: bool,
        as_json: bool,
        profile: bool = False,
        junit: Path | None = None,
    ) -> None:
        super().__init__(
            console(stderr=as_json), quiet=quiet
        )  # with --json, stdout is the document's
        self.command = command
        self.junit = junit
        self.verdicts: Sequence[Verdict] = ()
        self.profile = profile
        self.as_json = as_json

    def __enter__(self) -> Self:
        super().__enter__()
        if self.live is None and not self.quiet:
            self.listener = PlainListener(sys.stderr if self.as_json else sys.stdout)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        super().__exit__(kind, error, None)
        if self.junit is not None:
            write_junit(self.junit, self.command, self.verdicts, error)

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
        with self.live.above() if self.live is not None else nullcontext():
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
        self.listener.close()
        if self.as_json:
            print_json({"document": "train --dry-run", "config": config, "layers": layers})
            return
        lines.print_config(self.screen, text)
        self.begin(layers, facts, notes, None)

    def begin_estimate(self, facts: Sequence[str], notes: Sequence[str]) -> None:
        """What the run is, and what may go wrong with it: a step may take all memory there is."""
        if self.quiet:
            return
        with self.live.above() if self.live is not None else nullcontext():
            lines.print_header(self.screen, f"{self.command} --estimate", facts, None)
            lines.print_notes(self.screen, notes)
            self.screen.print()

    def estimate(self, found: RunEstimate, output: Path) -> None:
        """What the run will take; with `quiet` the sums alone."""
        self.listener.close()
        if self.as_json:
            print_json(document(found))
        elif self.quiet:
            print_sums(self.screen, found, output)
        else:
            print_estimate(self.screen, found, output)

    def end(
        self,
        folder: Path,
        stored: StoredRun,
        drawn: Sequence[SavedFigure | FailedFigure],
        advice: Sequence[Advice],
        spent: Mapping[str, float],
        verdicts: Sequence[Verdict] = (),
    ) -> None:
        """What was reached, what the numbers say, and what each file is.

        Args:
            folder: the run's.
            stored: what is in it.
            drawn: its pictures, and those that could not be drawn.
            advice: what was found about the run and what helps.
            spent: seconds by part, see `nncli.profile`; shown where they were asked for.
            verdicts: what became of what was required.
        """
        self.listener.close()
        self.verdicts = verdicts
        saved, failed = lines.drawn_and_failed(drawn)
        if self.as_json:
            annotate_missed(verdicts)  # elsewhere an error says so
            print_json(
                {
                    "document": "train",
                    "run": str(folder),
                    "metrics": cast("Metrics", stored.metrics),
                    "advice": advice,
                    "figures": sorted(saved.keys() - {REPORT}),
                    "report": REPORT if REPORT in saved else None,
                    "failed_figures": failed,
                    "requirements": lines.verdict_rows(verdicts),
                    "seconds": stored.run["seconds"],
                    "profile": stored.run.get("profile", {}),
                }
            )
            return
        if not self.quiet:
            self.screen.print()
        seconds = None if self.quiet else stored.run["seconds"]["train"]
        lines.print_reached(self.screen, stored.metrics, seconds)
        lines.print_verdicts(self.screen, verdicts)
        if not self.quiet:
            lines.print_advice(self.screen, [each.text for each in advice])
            saved.pop(REPORT, None)  # among the files that every run has, at the end
            lines.print_files(self.screen, folder, saved)
        if self.profile:
            self.screen.print()
            print_profile(self.screen, spent)

    def interrupted(self, folder: Path, result: Result) -> None:
        """Where the finished epochs are; to whoever still reads."""
        self.listener.close()
        from rich.text import Text

        epochs = len(result.history)
        count = "1 finished epoch" if epochs == 1 else f"{epochs} finished epochs"
        kept = f"the best of them is in {folder}" if result.best_epoch else "nothing to keep yet"
        again = ["nncli", "train", "--resume", str(folder)]
        can_go_on = any((folder / CHECKPOINTS).glob("*.state"))
        screen = console(stderr=True)
        # `| head -1` is to be silent, but who sits at the terminal should know
        if result.exit_code != ExitCode.READER_GONE or screen.is_terminal:
            print_sentence(screen, Text(), Text(f"interrupted after {count}; {kept}"))
            if can_go_on:
                print_sentence(screen, Text("go on with: "), Text(shlex.join(again)))
        self._tell_interrupted(folder, result, shlex.join(again) if can_go_on else None)

    def _tell_interrupted(self, folder: Path, result: Result, resume: str | None) -> None:
        if self.as_json:
            print_json(
                {
                    "document": "train interrupted",
                    "run": str(folder),
                    "stopped": "interrupted",
                    "epochs": len(result.history),
                    "best_epoch": result.best_epoch,
                    "resume": resume,
                }
            )

    def not_drawn(self, folder: Path, result: Result) -> None:
        """A signal came after the training and before its pictures."""
        self.listener.close()
        from rich.text import Text

        text = f"{folder} is trained and saved; nncli plot {shlex.quote(str(folder))} draws it"
        print_sentence(console(stderr=True), Text(), Text(text))
        self._tell_interrupted(folder, result, None)

    def nothing_left(self, folder: Path, verdicts: Sequence[Verdict]) -> None:
        """A run that was to go on is finished; what was required of it may be so or not."""
        from rich.text import Text

        self.listener.close()
        self.verdicts = verdicts
        if self.as_json:
            print_json(
                {
                    "document": "train finished",
                    "run": str(folder),
                    "stopped": "finished",
                    "resume": None,
                    "requirements": lines.verdict_rows(verdicts),
                }
            )
            return
        text = f"{folder} is finished: nothing is left to train; --epochs N trains it longer"
        print_sentence(self.screen, Text(), Text(text))
        lines.print_verdicts(self.screen, verdicts)
