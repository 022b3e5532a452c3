from __future__ import annotations

import io
import os
import re
import threading
import time

import pytest
from rich.cells import cell_len
from rich.console import Console

from nncli.errors import ReaderGone
from nncli.listener import Listener, PhaseStart
from nncli.report import running as module
from nncli.report.progress import LiveListener, PlainListener
from nncli.report.running import SPARK_WIDTH, RunningPhase, sparkline
from nncli.report.units import TIME_LEFT_WIDTH, decimal, duration, number, time_left
from nncli.results import EpochRecord

NAN, INF = float("nan"), float("inf")
METRICS = {"loss": 0.24916, "accuracy": 0.935, "val_loss": 0.40621, "val_accuracy": 0.85333}


def record(epoch: int, best: bool = True, **metrics: float) -> EpochRecord:
    return EpochRecord("train", epoch, metrics or METRICS, 0.001, 0.84, best)


def start(name: str = "train", epochs: int = 3, steps: int = 2, **more: object) -> PhaseStart:
    return PhaseStart(name, epochs, steps, **{"monitor": "val_loss", "metric": "accuracy", **more})  # type: ignore[arg-type]


def train(listener: Listener, epochs: int = 3, phase: str = "train") -> None:
    listener.status("reading digits")
    listener.status("extracting [/x]", takes_long=True)
    listener.phase(start(phase, epochs, position=2, count=4))
    for epoch in range(1, epochs + 1):
        for step in range(2):
            listener.step(step)
        listener.epoch(record(epoch, best=epoch == 2), epoch)
    listener.status("measuring on the test part", takes_long=True)
    listener.close()


class CountingStream(io.StringIO):
    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def test_plain_lines() -> None:
    stream = CountingStream()
    train(PlainListener(stream), phase="head")
    text = stream.getvalue()
    assert text.splitlines() == [
        "extracting [/x] ...",
        "phase 2 of 4: training the head, the base is frozen:",
        *(
            f"epoch {n}/3  loss 0.2492  accuracy 0.9350  val_loss 0.4062  val_accuracy 0.8533  0.8s"
            + ("  best" if n == 2 else "")
            for n in (1, 2, 3)
        ),
        "measuring on the test part ...",
    ]
    assert all(character.isprintable() or character == "\n" for character in text)
    assert stream.flushes >= 6


def test_plain_lines_with_what_is_no_number() -> None:
    stream = io.StringIO()
    listener = PlainListener(stream)
    listener.phase(start(epochs=1))
    listener.epoch(record(1, loss=NAN, val_loss=INF), 1)
    assert "loss nan  val_loss inf" in stream.getvalue()


def test_a_reader_that_has_left_is_an_interruption() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(os.dup(write), "w") as stream:
        listener = PlainListener(stream)
        with pytest.raises(ReaderGone) as gone:
            listener.status("measuring", takes_long=True)
        assert gone.value.exit_code == 141
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # or closing it fails again
    os.close(write)


def listening(width: int = 120) -> tuple[LiveListener, io.StringIO]:
    stream = io.StringIO()
    return LiveListener(Console(file=stream, width=width, color_system=None)), stream


def printed(stream: io.StringIO) -> list[str]:
    """What stays: without the live line, which is erased by what follows it."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    return [line.rpartition("\r")[2] for line in text.split("\n")]


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 200])
def test_the_live_line_fits(columns: int) -> None:
    listener, _ = listening(columns)
    widths = set()
    for epochs, position in ((3, 1), (100, 2), (100_000, 4)):
        listener.phase(start("head", epochs, position=position, count=4))
        assert listener._render(columns - 1).cell_len <= columns - 1
        for epoch in range(1, 4):
            for step in range(2):
                listener.step(step)
                line = listener._render(columns - 1).plain
                if epoch > 1 or step > 0:
                    widths.add(cell_len(line))
            listener.epoch(record(epoch, loss=1.23e-5 / epoch, accuracy=1.0, val_loss=2.0), epoch)
    listener.close()
    assert max(widths) <= columns - 1


def test_the_spark_is_of_the_figure_that_chooses_the_best_epoch() -> None:
    listener, _ = listening()
    listener.phase(start(monitor="val_accuracy"))
    for epoch, share in ((1, 0.5), (2, 0.75), (3, 1.0)):
        listener.step(1)
        listener.epoch(
            record(epoch, loss=1.0, accuracy=0.5, val_loss=5.0 - epoch, val_accuracy=share), epoch
        )
    assert listener._render(119).plain.rstrip().endswith("val acc ▁▅█")
    listener.close()


def test_rows_stand_below_their_headings() -> None:
    listener, stream = listening()
    listener.phase(start("fine_tune", 1000))
    listener.epoch(record(1, best=False), 1)
    listener.epoch(record(1000, best=False), 1000)
    listener.close()
    heading, first, last = (
        line for line in printed(stream) if "val acc" in line or "/1000 " in line
    )
    assert len(heading) == len(first) == len(last)
    assert first.split() == ["1/1000", "0.2492", "93.5%", "0.4062", "85.3%", "0.8s"]
    assert heading.index("val acc") + len("val acc") == first.index("85.3%") + len("85.3%")
    assert "fine-tuning the last layers of the base" in printed(stream)


@pytest.mark.parametrize(
    ("columns", "monitor", "headings"),
    [
        (80, "val_loss", "epoch loss accuracy val loss val acc time"),
        (52, "val_loss", "epoch loss val loss val acc time"),
        (40, "val_loss", "epoch val loss val acc time"),
        (36, "val_loss", "epoch val loss time"),
        (36, "val_accuracy", "epoch val acc time"),
        (36, "loss", "epoch loss time"),
        (10, "val_loss", "epoch val loss time"),
    ],
)
def test_whole_columns_go_and_the_one_that_matters_stays(
    columns: int, monitor: str, headings: str
) -> None:
    listener, stream = listening(columns)
    listener.phase(start(monitor=monitor))
    listener.epoch(record(1), 1)
    listener.close()
    heading = next(line for line in printed(stream) if "epoch " in line and "time" in line)
    assert " ".join(heading.split()) == headings


@pytest.mark.parametrize(
    ("epochs", "ended", "rows"),
    [
        (40, 40, list(range(1, 41))),
        (100, 100, [1, *range(5, 101, 5)]),
        (100, 43, [1, *range(5, 41, 5), 43]),
        (5000, 2, [1, 2]),
        (5000, 1000, [1, 200, 400, 600, 800, 1000]),
    ],
)
def test_of_many_epochs_some_have_a_row_and_always_the_last(
    epochs: int, ended: int, rows: list[int]
) -> None:
    listener, stream = listening()
    listener.phase(start(epochs=epochs))
    for epoch in range(1, ended + 1):
        listener.epoch(record(epoch), epoch)
    listener.status("measuring")
    listener.close()
    found = [re.match(rf" +(\d+)/{epochs} ", line) for line in printed(stream)]
    assert [int(match[1]) for match in found if match] == rows


def test_printing_costs_little() -> None:
    """5,000 epochs of 3 ms each must not become slower by what is shown of them."""
    listener, stream = listening()
    listener.phase(start(epochs=5000))
    began = time.process_time()
    for epoch in range(1, 5001):
        listener.step(0)
        listener.step(1)
        listener.epoch(record(epoch), epoch)
    listener.close()
    assert time.process_time() - began < 1.5  # 0.05 s on an idle machine, and 15 s of training
    assert len(stream.getvalue()) < 20_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_counts_validation_and_not_compiling(clock: list[float]) -> None:
    running = RunningPhase(start(epochs=10, steps=4))
    assert running.seconds_left(clock[0]) is None
    for step, moment in enumerate((100.0, 130.0, 131.0, 132.0)):  # compiling takes 30 seconds
        clock[0] = moment
        running.step(step)
    assert running.seconds_left(clock[0]) == pytest.approx(37)  # no validation seen yet
    for epoch in range(1, 4):
        clock[0] += 6.0  # 4 steps and the validation
        running.epoch(record(epoch), epoch)
    assert running.seconds_left(clock[0]) == pytest.approx(42)
    assert running.seconds_left(clock[0] + 2) == pytest.approx(40)
    assert running.seconds_left(clock[0] + 60) == pytest.approx(36)  # a long epoch: it waits


def test_the_time_left_after_an_epoch_of_one_step(clock: list[float]) -> None:
    running = RunningPhase(start(epochs=3, steps=1))
    running.step(0)
    clock[0] += 30
    running.epoch(record(1), 1)
    assert running.seconds_left(clock[0]) is None
    clock[0] += 0.5
    running.epoch(record(2), 2)
    assert running.seconds_left(clock[0]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "00:00 left"),
        (13.2, "00:14 left"),
        (3599, "59:59 left"),
        (3720, "1h 02m left"),
        (43_320, "12h left"),
        (360_000, "4d 04h left"),
        (1_080_000, "12d left"),
    ],
)
def test_the_time_left_in_words(seconds: float, text: str) -> None:
    assert time_left(seconds) == text
    assert len(text) <= TIME_LEFT_WIDTH


def test_what_is_shown_can_be_hidden_and_shown_again() -> None:
    listener, stream = listening()
    listener.status("reading [/x] \x1b[31m\n")
    listener.hide()
    written = stream.getvalue()
    assert written.endswith("\r\x1b[K\x1b[?25h")
    assert "\x1b[31m" not in written
    listener.status("building the model")
    assert stream.getvalue() == written
    listener.show()
    assert "building the model" in stream.getvalue().removeprefix(written)
    listener.close()
    listener.show()
    assert stream.getvalue().endswith("\x1b[?25h")


def test_no_thread_stays_behind() -> None:
    before = threading.active_count()
    listener, _ = listening()
    listener.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        ([1.0], "▁"),
        ([2.0, 2.0, 2.0], "▁▁▁"),
        ([0.0, 1.0], "▁█"),
        ([1.0, NAN, 0.0, INF, -INF], "█!▁!!"),
        ([NAN, NAN], "!!"),
        ([3e38, -3e38, 0.0], "█▁▅"),
        ([5e-324, 0.0], "█▁"),
    ],
)
def test_sparklines(values: list[float], text: str) -> None:
    assert sparkline(values) == text


def test_a_sparkline_shows_all_values_in_its_width() -> None:
    falling = [1 / epoch for epoch in range(1, 5001)]
    assert sparkline(falling) == "█▂▁▁▁▁▁▁▁▁▁▁"
    assert len(sparkline(falling)) == SPARK_WIDTH
    rising_again = [*map(float, range(50, 0, -1)), *map(float, range(50))]
    assert sparkline(rising_again) == "█▇▅▄▃▁▁▂▄▅▆█"
    assert sparkline([*falling[:99], NAN]).endswith("!")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0ms"),
        (0.0284, "28ms"),
        (0.0996, "0.1s"),
        (59.94, "59.9s"),
        (59.96, "1m 00s"),
        (125, "2m 05s"),
        (3599.6, "1h 00m"),
        (3720, "1h 02m"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_numbers() -> None:
    assert number("val_accuracy", 0.85333) == "85.3%"
    assert number("loss", 0.85333) == "0.8533"
    assert [decimal(value) for value in (0.0, 1e-3, 9.99e-4, 9999.5, 1e4, -0.5, NAN, INF)] == [
        *("0.0000", "0.0010", "9.99e-04", "9999.5000", "1.00e+04", "-0.5000", "nan", "inf")
    ]
