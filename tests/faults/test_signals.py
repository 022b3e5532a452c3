"""A signal in any part of a training ends it in order, and it goes on to the same bits."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import harness
from tests.faults.harness import Whole, Worker
from tests.faults.signals import MOMENTS, Moment, interrupted

ONE_EACH = list({moment.part: moment for moment in MOMENTS}.values())
"""One of each part; `make faults` takes all, in each kind."""
PATIENCE = 15.0
"""Seconds that it may take here, where other tests use the same cores; see `make faults`."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(harness.compiler() is None, reason="needs a C compiler"),
]


@pytest.fixture
def transfer(whole_of: Callable[[str], Whole]) -> Whole:
    """A run that has all parts."""
    return whole_of("transfer")


@pytest.mark.parametrize("moment", ONE_EACH, ids=lambda moment: moment.part)
def test_it_ends_in_order_and_goes_on(
    moment: Moment, worker: Worker, transfer: Whole, tmp_path: Path
) -> None:
    assert interrupted(worker, transfer, tmp_path, moment, PATIENCE) == ""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.0, 0.6])
def test_while_a_fresh_process_imports(
    seconds: float, number: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "nncli", "train", "rnn", "--no-pictures", "-o", str(tmp_path)]
    started = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        # a shell lets what it begins in the background ignore it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not catches(started.pid, signal.SIGTERM):  # Python itself has to start
        time.sleep(0.001)
    time.sleep(seconds)
    started.send_signal(number)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 128 + number
    assert b"Traceback" not in said


def catches(process: int, number: signal.Signals) -> bool:
    """Whether it has a handler of its own."""
    fields = Path(f"/proc/{process}/status").read_text().split()
    return bool(int(fields[fields.index("SigCgt:") + 1], 16) >> number - 1 & 1)
