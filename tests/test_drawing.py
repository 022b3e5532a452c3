"""Another process draws what this one would, to the byte, and is gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nncli import plots
from nncli.drawing import Artist, Worker, artist, rehearse
from nncli.errors import RunError
from nncli.results import FailedFigure, SavedFigure, StoredRun, Task
from nncli.specimen import specimen
from tests.made import run_folder
from tests.page.runs import whole
from tests.plots import runs

PICTURES = {"curves.png", "architecture.png", "confusion.png", "predictions.png", "report.html"}


def classifier() -> StoredRun:
    history = {name: values[:5] for name, values in runs.digits_history().items()}
    return whole(runs.with_history(history, predictions=runs.digits_predictions()))


def drawn_in(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in PICTURES}


def test_it_draws_what_this_process_would(tmp_path: Path) -> None:
    here, there = (run_folder(classifier(), tmp_path / name) for name in ("here", "there"))
    alone = Artist(ahead=False).draw(here)
    with artist(wanted=True, threads=2) as at_work:
        assert at_work._worker is not None
        together = at_work.draw(there)
    assert drawn_in(here) == drawn_in(there)
    assert [(each.name, type(each)) for each in alone] == [
        (each.name, type(each)) for each in together
    ]
    assert {each.path for each in together if isinstance(each, SavedFigure)} == {
        there / name for name in PICTURES
    }


@pytest.mark.parametrize("task", ["classification", "forecast"])
def test_a_rehearsal_draws_every_figure_of_the_task(task: Task) -> None:
    run = specimen(task)
    assert set(plots.figures_of(run)) == {
        "curves",
        "architecture",
        *({"confusion", "predictions"} if task == "classification" else {"forecast"}),
    }
    assert rehearse(task).failed == {}


def test_a_rehearsal_leaves_nothing_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here, there = (run_folder(classifier(), tmp_path / name) for name in ("here", "there"))
    Artist(ahead=False).draw(here)
    with artist(wanted=True, threads=2) as at_work:
        at_work.rehearse("forecast")
        at_work.rehearse("classification")
        drawn = at_work.draw(there)
    assert all(isinstance(each, SavedFigure) for each in drawn)
    assert drawn_in(here) == drawn_in(there)
    assert {path.name for path in tmp_path.iterdir()} == {"here", "there"}


def test_a_rehearsal_of_a_lost_one_is_no_error() -> None:
    with artist(wanted=True, threads=2) as at_work:
        assert at_work._worker is not None
        at_work._worker.kill()
        at_work._worker.wait()
        at_work.rehearse("forecast")
    Artist(ahead=False).rehearse("forecast")


@pytest.mark.parametrize(("wanted", "threads"), [(False, 8), (True, 1)])
def test_none_is_started_for_nothing(wanted: bool, threads: int) -> None:
    with artist(wanted=wanted, threads=threads) as at_work:
        assert at_work._worker is None


def test_a_lost_one_is_replaced_by_this_process(tmp_path: Path) -> None:
    folder = run_folder(classifier(), tmp_path)
    with artist(wanted=True, threads=2) as at_work:
        assert at_work._worker is not None
        at_work._worker.kill()
        at_work._worker.wait()
        drawn = at_work.draw(folder)
    assert all(isinstance(each, SavedFigure) for each in drawn)
    assert len(drawn_in(folder)) == len(PICTURES)


def test_a_figure_that_fails_is_told(tmp_path: Path) -> None:
    folder = run_folder(classifier(), tmp_path)
    (folder / "curves.png").mkdir()
    with artist(wanted=True, threads=2) as at_work:
        drawn = at_work.draw(folder)
    failed = [each for each in drawn if isinstance(each, FailedFigure)]
    assert [each.name for each in failed] == ["curves"]
    assert "curves.png" in failed[0].reason


def test_a_folder_that_cannot_be_read_is_this_processs_error(tmp_path: Path) -> None:
    with artist(wanted=True, threads=2) as at_work, pytest.raises(RunError, match="not a run"):
        at_work.draw(tmp_path)


def test_it_ends_with_the_block_whatever_happens() -> None:
    def interrupted() -> None:
        with artist(wanted=True, threads=2) as at_work:
            workers.append(at_work._worker)
            raise KeyboardInterrupt

    workers: list[Worker | None] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    (worker,) = workers
    assert worker is not None
    assert worker.returncode is not None


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_it_ends_with_the_process_that_started_it() -> None:
    code = (
        "from nncli.drawing import Artist\n"
        "artist = Artist(ahead=True)\n"
        "print(artist._worker.pid, flush=True)\n"
        "input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(worker)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # what nobody has waited for is no longer at work
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_it_is_waited_for_until_it_has_rehearsed(tmp_path: Path) -> None:
    with artist(wanted=True, threads=2) as at_work:
        at_work.rehearse("classification")
        at_work.wait()
        began = time.monotonic()
        at_work.wait()
        assert time.monotonic() - began < 1, "it had nothing more to do"
        assert at_work.draw(run_folder(classifier(), tmp_path))
    Artist(ahead=False).wait()
