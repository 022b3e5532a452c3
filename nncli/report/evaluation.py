"""What a trained model is worth on some samples, on the terminal and as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nncli.report import training as lines
from nncli.report.ci import annotate_missed, write_junit
from nncli.report.console import console, print_json, print_sentence, visible
from nncli.report.live_report import LiveReport
from nncli.report.table import Column, print_table
from nncli.report.units import decimal
from nncli.requirements import Verdict
from nncli.results import Evaluation, FailedFigure, SavedFigure

if TYPE_CHECKING:
    from rich.text import Text

    from nncli.documents.evaluation import ClassifierEvaluation, Evaluate, ForecastEvaluation

MOST_CLASSES = 20
"""Of more classes those with the lowest recall are printed; `--json` has all."""
NAME_WIDTH = 24
FILES = {
    "evaluation.json": "the figures, and what they are of",
    "predictions.npz": "truth and probabilities of each sample",
    "forecast.npz": "truth and forecasts",
}


class EvaluationReport(LiveReport):
    """Prints one evaluation: everything, the result lines alone (`quiet`), or JSON."""

    def __init__(
        self, command: str, *, quiet: bool, as_json: bool, junit: Path | None = None
    ) -> None:
        super().__init__(console(stderr=as_json), quiet=quiet)
        self.command, self.as_json, self.junit = command, as_json, junit
        self.verdicts: Sequence[Verdict] = ()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        super().__exit__(kind, error, None)
        if self.junit is not None:
            write_junit(self.junit, self.command, self.verdicts, error, "measures")

    def end(
        self,
        found: Evaluation,
        place: Path | None,
        drawn: Sequence[SavedFigure | FailedFigure],
        verdicts: Sequence[Verdict],
    ) -> None:
        """The figures, whether they are those of the training, and where they are.

        Args:
            found: what was measured.
            place: the folder that it is kept in; None where it is not.
            drawn: its pictures, and those that could not be drawn.
            verdicts: what became of what was required.
        """
        from rich.text import Text

        self.listener.close()
        self.verdicts = verdicts
        saved, failed = lines.drawn_and_failed(drawn)
        if self.as_json:
            annotate_missed(verdicts)  # elsewhere an error says so
            print_json(_document(found, place, sorted(saved), failed, verdicts))
            return
        screen = self.screen
        if not self.quiet:
            device = found.record["device"]["name"]
            lines.print_header(screen, self.command, [visible(found.data), device], None)
            lines.print_notes(screen, [visible(note) for note in found.notes])
            screen.print()
            classifies = found.task == "classification"
            columns = _classes(found.figures) if classifies else _horizons(found.figures)
            print_table(screen, columns)
            if classifies and len(found.figures["classes"]) > MOST_CLASSES:
                more = f"the {MOST_CLASSES} classes with the lowest recall; --json has all"
                print_sentence(screen, Text(), Text(more, "dim"))
            screen.print()
        for position, sentence in enumerate(_sentences(found.figures)):
            bullet = Text("  ") if position else Text("✓ ", "bold green")
            print_sentence(screen, bullet, Text(sentence, "" if position else "bold"))
        self._print_changed(found)
        lines.print_verdicts(screen, verdicts)
        if place is not None and not self.quiet:
            there = {name: told for name, told in FILES.items() if (place / name).exists()}
            lines.print_files(screen, place, {**saved, **there})

    def _print_changed(self, found: Evaluation) -> None:
        """Whether training measured the same."""
        from rich.text import Text

        if not found.own:
            return
        if not found.changed:
            same = "the same figures as after training, to the last digit"
            print_sentence(self.screen, Text("  "), Text(same, "dim"))
            return
        first = found.changed[0]
        more = f", and {len(found.changed) - 1} more" if len(found.changed) > 1 else ""
        print_sentence(
            self.screen,
            Text("! ", "bold yellow"),
            Text(f"not what training measured: {first}{more}", "yellow"),
        )


def _document(
    found: Evaluation,
    place: Path | None,
    figures: Sequence[str],
    failed: Mapping[str, str],
    verdicts: Sequence[Verdict],
) -> Evaluate:
    return {
        "document": "evaluate",
        "run": found.run,
        "data": found.data,
        "own_test_part": found.own,
        "changed": found.changed,
        "notes": found.notes,
        "test": cast("ClassifierEvaluation | ForecastEvaluation", found.figures),
        "folder": None if place is None else str(place),
        "figures": figures,
        "failed_figures": failed,
        "requirements": lines.verdict_rows(verdicts),
        "record": found.record,
    }


def _sentences(figures: Mapping[str, Any]) -> list[str]:
    """The figures of the whole, the most telling first."""
    if "accuracy" in figures:
        return list(_of_classes(figures))
    return list(_of_series(figures))


def _of_classes(figures: Mapping[str, Any]) -> list[str]:
    right = round(figures["accuracy"] * figures["samples"])
    found = [
        f"accuracy {figures['accuracy']:.1%} ({right:,} of {figures['samples']:,}; "
        f"{_interval(figures['accuracy_interval_95'])})",
        f"balanced accuracy {figures['balanced_accuracy']:.1%} "
        f"({_interval(figures['balanced_accuracy_interval_95'])})",
        f"macro F1 {figures['macro_f1']:.1%} ({_interval(figures['macro_f1_interval_95'])})",
    ]
    top = figures["top_k_accuracy"]
    if top:
        told = ", ".join(f"{k} likeliest {share:.1%}" for k, share in top.items())
        found.append(f"true class among the {told}")
    low, high = figures["loss_interval_95"]
    found.append(
        f"log loss {decimal(figures['loss'])} (95% interval {decimal(low)} to {decimal(high)})"
    )
    error = figures["expected_calibration_error"]
    found.append(f"as sure as right to within {error * 100:.1f} points (ECE)")
    return found


def _of_series(figures: Mapping[str, Any]) -> list[str]:
    error, naive = figures["mean_absolute_error"], figures["persistence_mean_absolute_error"]
    low, high = figures["mean_absolute_error_interval_95"]
    found = [
        f"mean absolute error {decimal(error)} in {visible(str(figures['unit']))}, one step ahead "
        f"(95% interval {decimal(low)} to {decimal(high)})"
    ]
    if naive:
        change = round(error / naive - 1, 2)
        told = f"{abs(change):.0%} {'below' if change < 0 else 'above'}" if change else "as good as"
        found.append(f"{told} repeating the last value ({decimal(naive)})")
    found.append(f"root mean squared error {decimal(figures['root_mean_squared_error'])}")
    scaled = figures["mean_absolute_scaled_error"]
    if scaled is not None:
        found.append(
            f"{scaled:.2f} times the error of repeating the last value in the training part (MASE)"
        )
    if figures["free_running_steps"]:
        found.append(
            f"free running for {figures['free_running_steps']:,} steps: mean absolute error "
            f"{decimal(figures['free_running_mean_absolute_error'])}"
        )
    return found


def _interval(pair: Sequence[float]) -> str:
    return f"95% interval {pair[0]:.1%} to {pair[1]:.1%}"


def _classes(figures: Mapping[str, Any]) -> list[Column]:
    from rich.text import Text

    rows = list(figures["classes"].items())
    if len(rows) > MOST_CLASSES:
        there = [row for row in rows if row[1]["samples"]]
        rows = sorted(there, key=lambda row: row[1]["recall"])[:MOST_CLASSES]

    def share(row: Mapping[str, Any], key: str) -> Text:
        if not row["samples"] and key != "precision":
            return Text("–", "dim")
        return Text(f"{row[key]:.1%}")

    def named(name: str) -> str:
        name = visible(name)
        return name if len(name) <= NAME_WIDTH else f"{name[: NAME_WIDTH - 1]}…"

    intervals = [
        Text(
            "–"
            if row["recall_interval_95"] is None
            else "{:.0%} to {:.0%}".format(*row["recall_interval_95"]),
            "dim",
        )
        for _, row in rows
    ]
    return [
        Column("class", [Text(named(name)) for name, _ in rows], "left"),
        Column("samples", [Text(f"{row['samples']:,}") for _, row in rows], drop=2),
        Column("precision", [share(row, "precision") for _, row in rows], drop=1),
        Column("recall", [share(row, "recall") for _, row in rows]),
        Column("95% interval", intervals, drop=4),
        Column("F1", [share(row, "f1") for _, row in rows], drop=3),
    ]


def _horizons(figures: Mapping[str, Any]) -> list[Column]:
    from rich.text import Text

    rows = figures["horizons"]

    def told(key: str, style: str = "") -> list[Text]:
        return [
            Text("–" if row[key] is None else decimal(row[key]), style) for row in rows.values()
        ]

    return [
        Column("steps ahead", [Text(steps, "bold") for steps in rows]),
        Column("forecasts", [Text(f"{row['forecasts']:,}") for row in rows.values()], drop=3),
        Column("MAE", told("mean_absolute_error")),
        Column("RMSE", told("root_mean_squared_error"), drop=2),
        Column("last value's MAE", told("persistence_mean_absolute_error", "dim"), drop=1),
        Column("MASE", told("mean_absolute_scaled_error"), drop=4),
    ]
