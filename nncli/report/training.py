"""What a training run prints: the header, the dry run, and what was reached."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncli.report.progress import number

if TYPE_CHECKING:
    from rich.console import Console

FILES = {
    "model.keras": "the best epoch's weights, for Keras",
    "history.csv": "one row per epoch",
    "metrics.json": "the figures",
    "config.yaml": "the complete config, to repeat the run",
    "run.json": "command, versions, seed, device, times",
    "summary.txt": "the layers as the lesson prints them",
}


def print_header(screen: Console, command: str, facts: Sequence[str], folder: Path | None) -> None:
    """`nncli train cnn  digits · seed 42 · CPU → outputs/cnn/cnn-digits-001`."""
    from rich.text import Text

    text = Text.assemble((command, "bold"), "  ", (" · ".join(facts), "dim"))
    if folder is not None:
        text.append(f" → {_shown(folder)}", "dim")
    screen.print(text, soft_wrap=True)


def print_notes(screen: Console, notes: Sequence[str]) -> None:
    """What the user should know about data and model."""
    from rich.text import Text

    for note in notes:
        screen.print(Text.assemble(("note: ", "yellow"), note), soft_wrap=True)


def print_reached(screen: Console, metrics: Mapping[str, Any], seconds: float) -> None:
    """What the run reached: the best epoch, the test part, the comparisons."""
    from rich.text import Text

    for line in reached(metrics):
        screen.print(Text.assemble(("✓ ", "bold green"), line), soft_wrap=True)
    if metrics["stopped"] == "early stopping":
        screen.print(
            Text(f"  stopped early after epoch {metrics['epochs']}", "dim"), soft_wrap=True
        )
    screen.print(Text(f"  trained in {seconds:.1f} s", "dim"))


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
            f"test accuracy {test['accuracy']:.1%} ({right} of {test['samples']:,}; "
            f"95 % interval {low:.1%} to {high:.1%})"
        )
    elif "mean_absolute_error" in test:
        lines.append(_forecast_line(test))
    lines += [_baseline_line(baseline, test) for baseline in metrics["baselines"]]
    return lines


def _forecast_line(test: Mapping[str, Any]) -> str:
    error, naive = test["mean_absolute_error"], test["persistence_mean_absolute_error"]
    text = f"test error {number('error', error)} {test['unit']} (mean absolute, one step ahead)"
    if naive == 0:
        return text
    change = error / naive - 1
    side = "below" if change < 0 else "above"
    return f"{text}, {abs(change):.0%} {side} repeating the last value ({number('error', naive)})"


def _baseline_line(baseline: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    other = baseline["metrics"]["accuracy"]
    gain = (test["accuracy"] - other) * 100
    verdict = f"transfer is {abs(gain):.1f} points {'better' if gain >= 0 else 'worse'}"
    return f"{baseline['meaning']}: test accuracy {other:.1%}, {verdict}"


def print_files(screen: Console, folder: Path, figures: Mapping[str, str]) -> None:
    """The run folder, and what each file in it is."""
    from rich.text import Text

    listed = {name: meaning for name, meaning in FILES.items() if (folder / name).exists()}
    listed = {**figures, **listed}
    width = max(len(name) for name in listed) + 2
    screen.print(Text(f"\n  {_shown(folder)}{os.sep}", "bold"), soft_wrap=True)
    for name, meaning in listed.items():
        screen.print(
            Text.assemble("  ", (name.ljust(width), "cyan"), (meaning, "dim")), soft_wrap=True
        )


def print_failed_figures(screen: Console, failed: Mapping[str, str]) -> None:
    """Pictures that could not be drawn, and why; the run itself is whole."""
    from rich.text import Text

    for name, reason in failed.items():
        screen.print(
            Text.assemble(("warning: ", "yellow"), f"{name} could not be drawn: {reason}"),
            soft_wrap=True,
        )


def _shown(folder: Path) -> str:
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)


def print_config(screen: Console, text: str) -> None:
    """A resolved config."""
    from rich.text import Text

    screen.print(Text(text), soft_wrap=True)
