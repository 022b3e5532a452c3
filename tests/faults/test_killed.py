"""A training that is killed, torn or out of disk at its file calls goes on to the same bits."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import harness
from tests.faults.harness import AFTER, BEFORE, BROKEN, NO_SPACE, TORN, Whole, Worker

POINTS = {"rnn": 12, "transfer": 6}
"""How many calls are hit here; `make faults` hits all, of all kinds."""

pytestmark = pytest.mark.skipif(harness.compiler() is None, reason="needs a C compiler")


@pytest.fixture(scope="session")
def rnn(whole_of: Callable[[str], Whole]) -> Whole:
    return whole_of("rnn")


def test_every_file_of_a_run_is_written_by_calls_that_are_counted(rnn: Whole) -> None:
    """Or a kill between two of them would leave what no test has seen."""
    calls = rnn.outcome.calls
    files = [path for path in rnn.folder.rglob("*") if path.is_file()]
    assert len(files) >= 8
    for path in files:
        hidden = rf"{re.escape(str(path.parent))}/\.{re.escape(path.stem)}\.\d+\.part"
        for call in (f"open {hidden}", f"write {hidden}", f"fsync {hidden}", f"rename {path}$"):
            assert any(re.match(call, each) for each in calls), call


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(POINTS))
def test_killed_again_and_again_it_goes_on_to_the_same_bits(
    kind: str, worker: Worker, whole_of: Callable[[str], Whole], tmp_path: Path
) -> None:
    """Each time another call is the last one, and what goes on is killed in its turn."""
    good = whole_of(kind)
    folder = tmp_path / "outputs" / kind / "run"
    chance = random.Random(kind)
    command = harness.training(kind, tmp_path / "outputs")
    # the first time after the first epoch, later from the first call on
    call = chance.randint(good.first("rename .*state$") + 1, good.last("rename .*state$"))
    for _ in range(POINTS[kind]):
        mode = chance.choice([BEFORE, AFTER, TORN])
        outcome = worker.run(command, tmp_path, call, mode)
        assert outcome.code == harness.KILLED, outcome.said
        command, call = harness.resuming(folder), chance.randint(1, 65)
    assert harness.resumed(worker, good, tmp_path, must=True) == ""


@pytest.mark.slow
def test_without_a_finished_epoch_it_says_so(worker: Worker, rnn: Whole, tmp_path: Path) -> None:
    saved = rnn.first("rename .*state$")
    for call, mode in ((saved, BEFORE), (rnn.first("write .*config"), TORN)):
        assert harness.fault(worker, rnn, tmp_path, call, mode) == ""


@pytest.mark.slow
@pytest.mark.parametrize("mode", [NO_SPACE, BROKEN])
@pytest.mark.parametrize("call", ["write .*000002", "rename .*model.keras", "fsync .*metrics"])
def test_a_disk_that_fails_costs_no_epoch(
    call: str, mode: int, worker: Worker, rnn: Whole, tmp_path: Path
) -> None:
    assert harness.fault(worker, rnn, tmp_path, rnn.first(call), mode) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "call", "mode", "found"),
    [
        ("write in place", "write .*run.json", TORN, "resumed, it ended with 4"),
        ("keep one checkpoint", "unlink .*0002.state", AFTER, "resumed, it ended with 4"),
    ],
)
def test_a_writer_that_is_not_safe_is_found(
    mistake: str, call: str, mode: int, found: str, worker: Worker, tmp_path: Path
) -> None:
    """These tests can fail."""
    good = harness.whole(worker, "rnn", tmp_path, changes=[mistake])
    problem = harness.fault(worker, good, tmp_path, good.last(call), mode, changes=[mistake])
    assert problem.startswith(found)
