"""A run's pictures and its report, drawn by a process that gets ready while the run is at work.

Loading matplotlib and drawing take seconds of one CPU, and the training another one. So `artist`
starts a process that loads what it needs, rehearses, and reads the run folder when it is told;
where the system can fork, two then share the work. It ends with the block. Where there is one CPU
alone, or the process is lost, this process draws: the files are the same to the byte.
"""

from __future__ import annotations

import gc
import io
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, NoReturn

from nncli import process
from nncli.backend import KEEP_OPEN
from nncli.results import REPORT, FailedFigure, SavedFigure, StoredRun, Task

if TYPE_CHECKING:
    from nncli.page import Page

Drawn = list[SavedFigure | FailedFigure]


def draw(folder: Path) -> Drawn:
    """The pictures and the report of a finished run, each figure that fails as a FailedFigure.

    Raises:
        RunError: the run folder cannot be read.
    """
    from nncli import runs

    run = runs.load(folder)
    return _pictures(run, folder) + _report(run, folder)


def _pictures(run: StoredRun, folder: Path) -> Drawn:
    from nncli import plots

    return plots.save_all(run, folder, plots.figures_of(run))


def _report(run: StoredRun, folder: Path) -> Drawn:
    from nncli import page

    return [page.save(run, folder / REPORT)]


class Artist:
    """Draws a finished run; `close` ends the process that does it."""

    def __init__(self, *, ahead: bool) -> None:
        """With `ahead` a process gets ready at once."""
        self._worker: Worker | None = _start() if ahead else None

    def draw(self, folder: Path) -> Drawn:
        """As `nncli.drawing.draw`."""
        answer = None
        if self._worker is not None:
            process.return_memory()  # the two that draw need some
            answer = _ask(self._worker, folder)
        return draw(folder) if answer is None else answer

    def rehearse(self, task: Task) -> None:
        """Let the process draw a specimen of a run meanwhile: half of what a first one costs."""
        if self._worker is not None:
            _send(self._worker, task)

    def wait(self) -> None:
        """Until the process has done all that it was asked for."""
        if self._worker is not None:
            _ask(self._worker, None)

    def close(self) -> None:
        """End the process, at work or not; what it had half written goes with it."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.terminate()
        try:
            worker.wait(timeout=1)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        for stream in (worker.stdin, worker.stdout):
            if stream is not None:
                with suppress(OSError):  # what was never sent
                    stream.close()


@contextmanager
def artist(*, wanted: bool, threads: int) -> Iterator[Artist]:
    """An artist for the block.

    Args:
        wanted: whether a run will be drawn at all.
        threads: CPUs at hand; with one alone nothing is drawn beside something else.
    """
    at_work = Artist(ahead=wanted and threads > 1)
    try:
        yield at_work
    finally:
        at_work.close()


Worker = subprocess.Popen[bytes]


def _start() -> Worker:
    """A process that gets ready; it ends when this one does, however that happens."""
    return subprocess.Popen(
        process.python("from nncli.drawing import main; main()"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if KEEP_OPEN in os.environ else subprocess.DEVNULL,
        # figures multiply no large matrices, and threads do not go well with forking
        env={"OPENBLAS_NUM_THREADS": "1", **os.environ},
    )


def _ask(worker: Worker, folder: Path | None) -> Drawn | None:
    """What the worker drew; None where it was lost, or could not read the folder."""
    assert worker.stdout is not None
    request = None if folder is None else folder.absolute()
    return _answer(worker.stdout) if _send(worker, request) else None


def _send(worker: Worker, request: Path | Task | None) -> bool:
    """Ask for something; False where the worker is lost."""
    assert worker.stdin is not None
    try:
        pickle.dump(request, worker.stdin)
        worker.stdin.flush()
    except OSError:
        return False
    return True


def _answer(stream: IO[bytes]) -> Drawn | None:
    """What a process of ours says that it drew; None where it has ended without a word."""
    try:
        return list(pickle.load(stream))
    except (EOFError, OSError, pickle.UnpicklingError):
        return None


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Get ready, and draw each folder that is asked for, until nobody asks any more.

    A task in place of a folder asks for a rehearsal, which has no answer; None for an answer alone.
    """
    _get_ready()
    while True:
        try:
            request = pickle.load(requests)
        except EOFError:
            return
        if request is None:
            pickle.dump([], answers)
            answers.flush()
            continue
        if not isinstance(request, Path):
            with suppress(Exception):  # what it is good for is time alone
                rehearse(request)
            gc.collect()
            gc.freeze()  # what is left stays, and need not be looked at with each figure's garbage
            continue
        pickle.dump(_draw_by_two(request) if hasattr(os, "fork") else draw(request), answers)
        answers.flush()


def rehearse(task: Task) -> Page:
    """Draw a specimen of a run, and keep nothing but what was learned by it."""
    from nncli import page, plots
    from nncli.plots.figure import LIGHT
    from nncli.specimen import specimen

    run = specimen(task)
    for name in plots.figures_of(run):
        plots.FIGURES[name].draw(run, LIGHT).savefig(io.BytesIO(), format="png")
    return page.render([run])


def _draw_by_two(folder: Path) -> Drawn:
    """The same as `draw`; the report by a copy of this process, which has no threads."""
    from nncli import runs

    run = runs.load(folder)
    reader, writer = os.pipe()
    copy = os.fork()
    if not copy:
        try:
            with os.fdopen(writer, "wb") as stream:
                pickle.dump(_report(run, folder), stream)
        finally:
            os._exit(0)  # what waits in the buffers is the original's
    _copies.append(copy)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        drawn, report = _pictures(run, folder), _answer(stream)
    os.waitpid(_copies.pop(), 0)
    return drawn + (_report(run, folder) if report is None else report)


_copies: list[int] = []
"""Processes that draw for this one."""


def _get_ready() -> None:
    """Load what the first figure would load."""
    from nncli.plots.figure import LIGHT, load_matplotlib, new_figure

    process.collect_seldom()  # figures leave much garbage, but this process does not live long
    load_matplotlib()
    from nncli import page, runs  # noqa: F401
    from nncli.plots import stored  # noqa: F401
    from nncli.plots.labels import text_width

    figure = new_figure(1, 1, LIGHT)
    figure.add_subplot()
    figure.savefig(io.BytesIO())
    text_width("ŷ", 9)


def main() -> NoReturn:
    """The process of an artist."""

    def stop(number: int, _: FrameType | None) -> None:
        for copy in _copies:
            os.kill(copy, number)
        sys.exit(128 + number)  # half-written files are removed on the way

    # Ctrl-C reaches all processes of a terminal, but whoever started this one decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # answers alone go to whoever waits for them
    try:
        serve(sys.stdin.buffer, answers)
    finally:
        process.leave(0)  # whoever waits for the end is told of nothing but the end
