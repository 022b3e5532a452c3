from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Iterator

import pytest
from rich.console import Console

from nncli.listener import Listener
from nncli.report.progress import (
    SPARK_WIDTH,
    LiveListener,
    PlainListener,
    decimal,
    duration,
    number,
    sparkline,
)
from nncli.results import EpochRecord

NAN, INF = float("nan"), float("inf")
METRICS = {"loss": 0.24916, "accuracy": 0.935, "val_loss": 0.40621, "val_accuracy": 0.85333}


def record(epoch: int, best: bool = True, **metrics: float) -> EpochRecord:
    return EpochRecord("train", epoch, metrics or METRICS, 0.001, 0.84, best)


def train(listener: Listener, epochs: int = 3, phase: str = "train") -> None:
    listener.status("extracting [/x]")
    listener.phase(phase, epochs, 2)
    for epoch in range(1, epochs + 1):
        for step in range(2):
            listener.step(step)
        listener.epoch(record(epoch, best=epoch == 2), epoch)
    listener.status("measuring on the test part")
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
        "training the head, the base is frozen:",
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
    listener.phase("train", 1, 1)
    listener.epoch(record(1, loss=NAN, val_loss=INF), 1)
    assert "loss nan  val_loss inf" in stream.getvalue()


@contextlib.contextmanager
def terminal(columns: int) -> Iterator[tuple[Console, list[bytes]]]:
    """A console on a pseudo-terminal, and what is written to it."""
    master, slave = os.openpty()
    written: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):
            while data := os.read(master, 65536):
                written.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        # a fixed terminal type: what the tests run in does not matter
        environment = {"TERM": "xterm-256color"}
        yield (
            Console(file=stream, width=columns, force_terminal=True, _environ=environment),
            written,
        )
    reader.join(5)
    os.close(master)


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_live_line_gives_the_terminal_back(columns: int) -> None:
    with terminal(columns) as (screen, written):
        listener = LiveListener(screen)
        train(listener)
        listener.close()
    text = b"".join(written).decode()
    assert text.count("\x1b[?25l") == 1
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")
    assert text.count("val loss") >= 1
    assert text.count("★") == 1
    for value in ("0.4062", "85.3%", *(("0.2492", "93.5%") if columns > 60 else ())):
        assert text.count(value) >= 3


def test_an_exception_gives_the_terminal_back() -> None:
    def fail(screen: Console) -> None:
        listener = LiveListener(screen)
        try:
            listener.phase("train", 3, 2)
            raise KeyboardInterrupt
        finally:
            listener.close()

    with terminal(80) as (screen, written), contextlib.suppress(KeyboardInterrupt):
        fail(screen)
    text = b"".join(written)
    assert text.rfind(b"\x1b[?25h") > text.rfind(b"\x1b[?25l") >= 0


def test_rows_stand_below_their_headings() -> None:
    stream = io.StringIO()
    listener = LiveListener(Console(file=stream, width=120, color_system=None))
    listener.phase("fine_tune", 1000, 2)
    listener.epoch(record(7, best=False), 7)
    listener.epoch(record(1000, best=False), 1000)
    listener.close()
    heading, first, last = (
        line for line in stream.getvalue().splitlines() if "loss" in line or "/1000 " in line
    )
    assert len(heading) == len(first) == len(last)
    assert first.split() == ["7/1000", "0.2492", "93.5%", "0.4062", "85.3%", "0.8s"]
    assert heading.index("val acc") + len("val acc") == first.index("85.3%") + len("85.3%")
    assert "fine-tuning" in stream.getvalue()


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


def test_a_sparkline_shows_the_last_values() -> None:
    assert sparkline([100.0, *range(SPARK_WIDTH)]).startswith("▁")
    assert len(sparkline(list(map(float, range(100))))) == SPARK_WIDTH


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
