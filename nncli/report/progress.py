"""Training as it goes: a row per epoch and one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from nncli.listener import Listener
from nncli.results import EpochRecord

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SPARKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 12
HEADINGS = {
    "mean_absolute_error": "MAE",
    "val_mean_absolute_error": "val MAE",
    "accuracy": "accuracy",
    "val_accuracy": "val acc",
    "val_loss": "val loss",
}
PHASES = {
    "pretrain": "training the base on other classes",
    "head": "training the head, the base is frozen",
    "fine_tune": "fine-tuning the last layers of the base",
    "scratch": "for comparison: the same network from scratch",
    "random": "for comparison: the same network on a random base, frozen",
}


def number(name: str, value: float) -> str:
    """A metric as people read it: shares in percent, losses with four decimals."""
    if name.endswith("accuracy"):
        return f"{value:.1%}"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.2e}"


class PlainListener(Listener):
    """One line an epoch, flushed, without any control character."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.epochs = 0

    def _print(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def status(self, text: str) -> None:
        """Print it as a line of its own."""
        self._print(f"{text} ...")

    def phase(self, name: str, epochs: int, steps: int) -> None:  # noqa: ARG002
        """Name the phase, where there are several."""
        self.epochs = epochs
        if name in PHASES:
            self._print(f"{PHASES[name]}:")

    def epoch(self, record: EpochRecord, number: int) -> None:
        """`epoch 3/8  loss 0.2492  accuracy 0.9350  …  0.8s  best`."""
        metrics = "  ".join(f"{name} {value:.4g}" for name, value in record.metrics.items())
        best = "  best" if record.best else ""
        self._print(f"epoch {number}/{self.epochs}  {metrics}  {record.seconds:.1f}s{best}")


class LiveListener(Listener):
    """A row per epoch in scrollback, and one live line with bar, time left and sparkline."""

    def __init__(self, screen: Console) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
        from rich.progress import TimeRemainingColumn as TimeLeft

        self.screen = screen
        self.progress = Progress(
            SpinnerColumn(style="cyan"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[metrics]}", markup=False),
            TimeLeft(compact=True),
            TextColumn("{task.fields[spark]}", style="cyan", markup=False),
            console=screen,
            transient=True,
        )
        self.task = self.progress.add_task("starting", total=None, metrics="", spark="")
        self.progress.start()
        self.epochs = self.steps = self.done = 0
        self.losses: list[float] = []
        self.headed: tuple[str, ...] = ()

    def status(self, text: str) -> None:
        """Show it in the live line."""
        self.progress.update(self.task, description=text, total=None, metrics="", spark="")

    def phase(self, name: str, epochs: int, steps: int) -> None:
        """Name it where there are several, and begin a new bar and table."""
        self.epochs, self.steps, self.done = epochs, steps, 0
        self.losses, self.headed = [], ()
        if name in PHASES:
            self.screen.print(f"\n{PHASES[name]}", style="bold")
        self.progress.reset(
            self.task, description=f"epoch 1/{epochs}", total=epochs * steps, metrics="", spark=""
        )

    def step(self, step: int) -> None:
        """Move the bar."""
        self.progress.update(self.task, completed=self.done * self.steps + step)

    def epoch(self, record: EpochRecord, number: int) -> None:
        """Print its row and move on."""
        self.done = number
        self.losses.append(record.metrics.get("val_loss", record.metrics["loss"]))
        if not self.headed:
            self.headed = tuple(record.metrics)
            self.screen.print(_heading(record.metrics), style="dim")
        self.screen.print(self._row(record, number))
        following = min(number + 1, self.epochs)
        self.progress.update(
            self.task,
            description=f"epoch {following}/{self.epochs}",
            completed=number * self.steps,
            metrics=f"loss {record.metrics['loss']:.3g}",
            spark=sparkline(self.losses),
        )

    def _row(self, record: EpochRecord, position: int) -> Text:
        from rich.text import Text

        row = Text(f"{position}/{self.epochs}".rjust(9), "bold")
        for name, value in record.metrics.items():
            style = "bold green" if record.best and name.startswith("val_") else ""
            row.append(number(name, value).rjust(12), style)
        row.append(f"{record.seconds:.1f}s".rjust(8), "dim")
        row.append(" ★" if record.best else "", "green")
        return row

    def close(self) -> None:
        """Remove the live line and show the cursor again."""
        self.progress.stop()


def _heading(metrics: Mapping[str, float]) -> str:
    names = (HEADINGS.get(name, name) for name in metrics)
    return "epoch".rjust(9) + "".join(name.rjust(12) for name in names) + "time".rjust(8)


def sparkline(values: list[float]) -> str:
    """The last values as a row of blocks, the lowest ▁ and the highest █."""
    shown = values[-SPARK_WIDTH:]
    finite = [value for value in shown if value == value and abs(value) != float("inf")]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    scale = (len(SPARKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        SPARKS[round((value - low) * scale)] if value in finite else "!" for value in shown
    )
