"""Runs commands of nncli in forks of a process that has imported TensorFlow: seconds saved each.

A job comes in as one line of JSON and its outcome goes out as one. Started with the library of
preload.c in LD_PRELOAD.

TensorFlow has no threads before its first operation, so a fork of what merely imported it is as
good as a fresh process. It imports all else that a training does, too.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nncli import backend, cli, files, process, profile, runs
from nncli.training import checkpoint as module
from nncli.training.checkpoint import Checkpoint, keep_newest


def prepare() -> None:
    """Import what a training imports, and run none of it."""
    backend.tensorflow()
    import h5py  # noqa: F401
    import sklearn.metrics  # noqa: F401

    import nncli.commands.train.work
    import nncli.data.check
    import nncli.diagnosis
    import nncli.models.describe
    import nncli.report.model
    import nncli.schema
    import nncli.training.features  # noqa: F401


def serve() -> None:
    """One fork a line, until the input ends."""
    prepare()
    answers = os.fdopen(os.dup(1), "w")
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            answers.close()
            run(job)
        code = wait(child, job.get("kill_after"), job.get("limit", 120.0))
        outcome = {"code": code, "began": began, "ended": time.monotonic()}
        print(json.dumps(outcome), file=answers, flush=True)


def wait(child: int, kill_after: float | None, limit: float) -> int:
    """The exit code, or the signal that ended it as a negative number."""
    deadline = time.monotonic() + (limit if kill_after is None else kill_after)
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(job: dict[str, Any]) -> None:
    """Be the command, then end as it does."""
    code = 99
    try:
        os.setsid()
        told = os.open(job["output"], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(told, 1)
        os.dup2(told, 2)
        os.environ.update(job["environment"])
        sys.argv = ["nncli", *job["arguments"]]
        for name in job.get("changes", ()):
            CHANGES[name]()
        if "signal" in job:
            send(signal.Signals(job["signal"]), job["part"], job["delay"], job["sent"])
        if job["folder"]:
            log = os.open(job["log"], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            arm = ctypes.CDLL(None).fault_arm
            arm.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.c_int]
            arm(os.fsencode(job["folder"]), job["call"], job["mode"], log)
        code = cli.main(job["arguments"])
    except BaseException:
        traceback.print_exc()
    process.leave(code)


def send(number: signal.Signals, part: str, delay: float, sent: str) -> None:
    """Send this process a signal while it is in a part of the work, from a thread beside it.

    Args:
        number: of the signal.
        part: which, see `nncli.profile`.
        delay: seconds from its beginning on.
        sent: a file that is told when.
    """

    def watch() -> None:
        while part not in profile._clock._open:
            time.sleep(0.0005)
        time.sleep(delay)
        Path(sent).write_text(repr(time.monotonic()))
        os.kill(os.getpid(), number)

    threading.Thread(target=watch, daemon=True).start()


def write_in_place() -> None:
    """A writer that is not safe: the old file is gone before the new one is there."""

    @contextmanager
    def straight(path: Path) -> Iterator[Path]:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path

    for each in (files, runs, module):
        each.whole_file = straight  # type: ignore[attr-defined]


def keep_one_checkpoint() -> None:
    """Another: the old checkpoint goes before the new one comes."""
    really = module.write

    def emptied(folder: Path, checkpoint: Checkpoint) -> None:
        keep_newest(folder, 0)
        really(folder, checkpoint)

    module.write = emptied


CHANGES: dict[str, Callable[[], None]] = {
    "write in place": write_in_place,
    "keep one checkpoint": keep_one_checkpoint,
}
"""Mistakes that the tests must find."""


if __name__ == "__main__":
    serve()
