"""Training as it goes: a row per epoch and one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from nncli.listener import Listener
from nncli.results import EpochRecord

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import ProgressColumn
    from rich.text import Text

SPARKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 12
BAR_WIDTH = 24
EPOCH_WIDTH = 9
TIME_WIDTH = 9
NARROW = 78
"""Below this many columns the live line keeps a short bar, the loss and the time left."""
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
    return decimal(value)


def decimal(value: float) -> str:
    """`0.9350`; `3.21e-05` where four decimals would show too little or too much."""
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.2e}"


def duration(seconds: float) -> str:
    """`28ms`, `0.9s`, `2m 05s`, `1h 02m`."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02}m"


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
        metrics = "  ".join(f"{name} {decimal(value)}" for name, value in record.metrics.items())
        best = "  best" if record.best else ""
        self._print(f"epoch {number}/{self.epochs}  {metrics}  {duration(record.seconds)}{best}")


class LiveListener(Listener):
    """A row per epoch in scrollback, and one live line with bar, time left and sparkline."""

    def __init__(self, screen: Console) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self.screen = screen
        self.wide = screen.width >= NARROW
        unicode = screen.encoding.startswith("utf")
        self.progress = Progress(
            SpinnerColumn("dots" if unicode else "line", style="cyan"),
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(bar_width=max(8, min(BAR_WIDTH, screen.width - 70))),
            TextColumn("{task.fields[metrics]}", markup=False),
            _time_left(),
            TextColumn("{task.fields[spark]}", markup=False),
            console=screen,
            transient=True,
        )
        self._begin("starting", None)
        self.progress.start()
        self.epochs = self.steps = self.done = 0
        self.losses: list[float] = []
        self.columns: tuple[str, ...] = ()
        self.column_width = 12

    def _begin(self, text: str, total: int | None) -> None:
        """A new live line; a task of Rich cannot lose its total again."""
        for task in self.progress.task_ids:
            self.progress.remove_task(task)
        self.task = self.progress.add_task(text, total=total, metrics="", spark="")

    def status(self, text: str) -> None:
        """Show it in the live line."""
        self._begin(text, None)

    def phase(self, name: str, epochs: int, steps: int) -> None:
        """Name it where there are several, and begin a new bar and table."""
        self.epochs, self.steps, self.done = epochs, steps, 0
        self.losses, self.columns = [], ()
        if name in PHASES:
            self.screen.print(f"\n{PHASES[name]}", style="bold")
        self._begin(f"epoch 1/{epochs}", epochs * steps)

    def step(self, step: int) -> None:
        """Move the bar."""
        self.progress.update(self.task, completed=self.done * self.steps + step)

    def epoch(self, record: EpochRecord, number: int) -> None:
        """Print its row and move on."""
        self.done = number
        monitored = "val_loss" if "val_loss" in record.metrics else "loss"
        self.losses.append(record.metrics[monitored])
        if not self.columns:
            self._head(tuple(record.metrics))
        self.screen.print(self._row(record, number), soft_wrap=True)
        following = min(number + 1, self.epochs)
        self.progress.update(
            self.task,
            description=f"epoch {following}/{self.epochs}",
            completed=number * self.steps,
            metrics=self._latest(record.metrics),
            spark=self._curve(monitored),
        )

    def _latest(self, metrics: Mapping[str, float]) -> str:
        """`loss 0.481  acc 90.1%`."""
        text = f"loss {metrics['loss']:#.3g}"
        if not self.wide or "accuracy" not in metrics:
            return text
        return f"{text}  acc {metrics['accuracy']:.1%}"

    def _curve(self, monitored: str) -> str:
        """`val loss █▃▁`, always as wide as when it is full: the bar must not jump."""
        if not self.wide:
            return ""
        spark = sparkline(self.losses).ljust(SPARK_WIDTH)
        return f"{HEADINGS.get(monitored, monitored)} {spark}"

    def _head(self, names: tuple[str, ...]) -> None:
        """Choose the columns that fit: narrower ones, then the monitored part's alone."""
        beside = EPOCH_WIDTH + TIME_WIDTH + len(" ★")
        validated = tuple(name for name in names if name.startswith("val_"))
        choices = [(names, 12), (names, 9), (validated or names[:1], 9)]
        fitting = (c for c in choices if beside + len(c[0]) * c[1] <= self.screen.width)
        self.columns, self.column_width = next(fitting, choices[-1])
        heading = "epoch".rjust(EPOCH_WIDTH)
        for name in self.columns:
            heading += HEADINGS.get(name, name).rjust(self.column_width)
        self.screen.print(heading + "time".rjust(TIME_WIDTH), style="dim", soft_wrap=True)

    def _row(self, record: EpochRecord, position: int) -> Text:
        from rich.text import Text

        row = Text(f"{position}/{self.epochs}".rjust(EPOCH_WIDTH), "bold")
        monitored = "val_" if "val_loss" in record.metrics else "loss"
        for name in self.columns:
            style = "bold green" if record.best and name.startswith(monitored) else ""
            text = number(name, record.metrics[name])
            row.append(text.rjust(self.column_width), style)
        row.append(duration(record.seconds).rjust(TIME_WIDTH), "dim")
        row.append(" ★" if record.best else "", "green")
        return row

    def close(self) -> None:
        """Remove the live line and show the cursor again."""
        self.progress.stop()


def _time_left() -> ProgressColumn:
    """`00:14 left`, once the speed is known."""
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class TimeLeft(ProgressColumn):
        max_refresh = 0.5

        def render(self, task: Task) -> Text:
            if task.time_remaining is None or task.total is None:
                return Text("")
            minutes, seconds = divmod(int(task.time_remaining), 60)
            hours, minutes = divmod(minutes, 60)
            clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
            return Text(f"{clock} left", "cyan")

    return TimeLeft()


def sparkline(values: list[float]) -> str:
    """The last values as a row of blocks, the lowest ▁ and the highest █; `!` is no number."""
    shown = values[-SPARK_WIDTH:]
    finite = [value for value in shown if math.isfinite(value)]
    if not finite:
        return "!" * len(shown)
    low, span = min(finite), max(finite) - min(finite) or 1.0
    top = len(SPARKS) - 1
    return "".join(
        SPARKS[round((value - low) / span * top)] if math.isfinite(value) else "!"
        for value in shown
    )
