"""What a training run prints: the header, the dry run, and what was reached."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncli.report.console import console, print_sentence
from nncli.report.units import duration, number
from nncli.results import REPORT, FailedFigure, SavedFigure

if TYPE_CHECKING:
    from rich.console import Console

    from nncli.documents.training import Required
    from nncli.requirements import Verdict

FILES = {
    "model.keras": "the best epoch's weights, for Keras",
    "history.csv": "one row per epoch",
    "metrics.json": "the figures",
    "config.yaml": "the complete config, to repeat the run",
    "run.json": "command, versions, seed, device, times",
    "data.json": "classes and scaling, to prepare other samples alike",
    "tensorboard/": "one point per epoch: tensorboard --logdir RUN",
    "summary.txt": "the layers as the lesson prints them",
    REPORT: "all of it on one page: nncli report RUN --open",
}


def print_header(screen: Console, command: str, facts: Sequence[str], folder: Path | None) -> None:
    """`nncli train cnn  digits · seed 42 · CPU → outputs/cnn/cnn-digits-001`."""
    from rich.text import Text

    text = Text.assemble((command, "bold"), "  ", (" · ".join(facts), "dim"))
    where = Text(f"→ {shown(folder)}" if folder is not None else "", "dim")
    if screen.is_terminal and text.cell_len + 1 + where.cell_len > screen.width:
        print_sentence(screen, Text(), text)
        screen.print(where, soft_wrap=True)
    else:
        screen.print(Text.assemble(text, " ", where), soft_wrap=True)


def print_notes(screen: Console, notes: Sequence[str]) -> None:
    """What the user should know about data and model."""
    from rich.text import Text

    for note in notes:
        print_sentence(screen, Text("note: ", "yellow"), Text(note))


def print_reached(screen: Console, metrics: Mapping[str, Any], seconds: float | None) -> None:
    """What the run reached: the best epoch, the test part, the comparisons.

    Args:
        screen: where.
        metrics: metrics.json.
        seconds: what training took; None for the results alone.
    """
    from rich.text import Text

    whole = metrics["stopped"] != "diverged"
    for position, line in enumerate(reached(metrics)):
        mark = ("✓ ", "bold green") if whole else ("! ", "bold yellow")
        bullet = Text("  ") if position else Text(*mark)
        print_sentence(screen, bullet, Text(line, "" if position else "bold"))
    if seconds is not None:
        early = metrics["stopped"] == "early stopping"
        text = f"trained in {duration(seconds)}"
        text += f", stopped early after epoch {metrics['epochs']}" if early else ""
        print_sentence(screen, Text("  "), Text(text, "dim"))


def print_verdicts(screen: Console, verdicts: Sequence[Verdict]) -> None:
    """What became of what was required."""
    from rich.text import Text

    for each in verdicts:
        mark = ("✓ ", "bold green") if each.met else ("✗ ", "bold red")
        print_sentence(screen, Text(*mark), Text(f"required {each.text}"))


def verdict_rows(verdicts: Sequence[Verdict]) -> list[Required]:
    """The same as data."""
    return [
        {
            "text": each.requirement.text,
            "value": each.value,
            "limit": each.limit,
            "met": each.met,
        }
        for each in verdicts
    ]


def print_advice(screen: Console, advice: Sequence[str]) -> None:
    """What was found about the run, and what helps."""
    from rich.text import Text

    for sentence in advice:
        print_sentence(screen, Text("  "), Text(sentence, "yellow"))


def reached(metrics: Mapping[str, Any]) -> list[str]:
    """The findings of a run as sentences."""
    lines = []
    part, name = (
        ("validation", "validation loss") if metrics["validation"] else ("train", "training loss")
    )
    figures = metrics[part]
    if metrics["best_epoch"]:
        text = f"best epoch {metrics['best_epoch']} of {metrics['epochs']}: "
        text += f"{name} {number('loss', figures['loss'])}"
        if "accuracy" in figures:
            text += f" · {part} accuracy {number('accuracy', figures['accuracy'])}"
        lines.append(text)
    test = metrics["test"]
    if "accuracy" in test:
        low, high = test["accuracy_interval_95"]
        right = round(test["accuracy"] * test["samples"])
        lines.append(
            f"test accuracy {test['accuracy']:.1%} ({right:,} of {test['samples']:,}; "
            f"95% interval {low:.1%} to {high:.1%})"
        )
    elif "mean_absolute_error" in test:
        lines.append(_forecast_line(test))
    lines += [_baseline_line(baseline, test) for baseline in metrics["baselines"]]
    return lines


def _forecast_line(test: Mapping[str, Any]) -> str:
    error, naive = test["mean_absolute_error"], test["persistence_mean_absolute_error"]
    text = f"test error {number('error', error)} in {test['unit']}, one step ahead (mean absolute)"
    if naive == 0:
        return text
    change = round(error / naive - 1, 2)
    verdict = f"{abs(change):.0%} {'below' if change < 0 else 'above'}" if change else "as good as"
    return f"{text}: {verdict} repeating the last value ({number('error', naive)})"


def _baseline_line(baseline: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    if baseline["failed"]:
        return f"{baseline['meaning']}: failed, {baseline['failed']}"
    other = baseline["metrics"]["accuracy"]
    gain = round((test["accuracy"] - other) * 100, 1)
    verdict = f"{abs(gain):.1f} points {'better' if gain > 0 else 'worse'}" if gain else "as good"
    verdict = f"transfer is {verdict}"
    return f"{baseline['meaning']}: test accuracy {other:.1%}, {verdict}"


def print_files(screen: Console, folder: Path, figures: Mapping[str, str]) -> None:
    """The run folder, and what each file in it is."""
    from rich.text import Text

    listed = {name: meaning for name, meaning in FILES.items() if (folder / name).exists()}
    listed = {**figures, **listed}
    width = max(len(name) for name in listed) + 2
    where = shown(folder)
    screen.print(Text(f"\n  {where}{os.sep}", "bold"), soft_wrap=True)
    for name, meaning in listed.items():
        bullet = Text.assemble("  ", (name.ljust(width), "cyan"))
        print_sentence(screen, bullet, Text(meaning.replace("RUN", shlex.quote(where)), "dim"))


def drawn_and_failed(
    drawn: Sequence[SavedFigure | FailedFigure],
) -> tuple[dict[str, str], dict[str, str]]:
    """What each file is good for, and why each that is not there failed; these are told too."""
    failed = {each.name: each.reason for each in drawn if isinstance(each, FailedFigure)}
    print_failed_figures(console(stderr=True), failed)
    saved = {each.path.name: each.meaning for each in drawn if isinstance(each, SavedFigure)}
    return saved, failed


def print_failed_figures(screen: Console, failed: Mapping[str, str]) -> None:
    """Pictures that could not be drawn, and why; the run itself is whole."""
    from rich.text import Text

    for name, reason in failed.items():
        screen.print(
            Text.assemble(("warning: ", "yellow"), f"{name} could not be drawn: {reason}"),
            soft_wrap=True,
        )


def shown(folder: Path) -> str:
    """A path below the current folder without its beginning."""
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)


def print_config(screen: Console, text: str) -> None:
    """A resolved config."""
    from rich.text import Text

    screen.print(Text(text), soft_wrap=True)
