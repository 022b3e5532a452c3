"""Runs command lines, each in a process of its own that is forked from this one.

Reads a line of JSON, `{"arguments", "folder"}`, for each from standard input, and writes a line of
what was measured to standard output. nncli is loaded once, TensorFlow never.
"""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

MOST_SECONDS = 10.0
"""Of the clock; on a busy machine a second of work takes several."""


WARM = (
    "train transfer --no-pictures --set model.base=none.keras -o none",
    "train transfer --no-pictures --set model.weights=none.h5 -o none",
    "train cnn --no-pictures --set data.source=npz --set data.path=none.npz -o none",
    "train cnn --no-pictures --set data.source=folder --set data.path=none -o none",
    "train rnn --no-pictures --set data.source=csv --set data.path=none.csv -o none",
    "train lstm --no-pictures --set data.source=ts --set data.path=none.ts -o none",
    "train --resume none",
    "plot none",
    "report none",
    "predict none",
)
"""Lines that are refused: what Typer and pydantic make of each command is made once."""


def load() -> None:
    """What a command imports before it looks at anything is not what its refusal costs."""
    import h5py  # noqa: F401
    import PIL.Image
    import simplejpeg  # noqa: F401

    import nncli.cli
    import nncli.data
    import nncli.data.check
    import nncli.models.gate.hdf5
    import nncli.page
    import nncli.plots.stored
    import nncli.report.errors
    import nncli.report.predictions
    import nncli.report.run
    import nncli.runs
    import nncli.schema
    import nncli.trained.predict
    import nncli.training.checkpoint

    PIL.Image.init()
    with redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
        for line in WARM:
            nncli.cli.main(line.split())
    gc.collect()
    gc.freeze()  # or every child copies what its collector looks at
    assert "tensorflow" not in sys.modules


def measured(arguments: list[str], folder: str) -> dict[str, Any]:
    """Run one command line and tell what it cost."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        run(arguments, Path(folder))
    while True:
        ended, status, used = os.wait4(child, os.WNOHANG)
        late = time.monotonic() - began > MOST_SECONDS
        if ended:
            break
        if late:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.002)
    return {
        "code": "hung" if late else os.waitstatus_to_exitcode(status),
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024,
    }


def run(arguments: list[str], folder: Path) -> None:
    """In the child: never returns."""
    code = 99
    try:
        for stream, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder / "work")
        sys.argv[1:] = arguments
        from nncli.cli import main

        code = main(arguments)
        (folder / "loaded").write_text(" ".join({"tensorflow", "keras"} & sys.modules.keys()))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    load()
    for line in sys.stdin:
        print(json.dumps(measured(**json.loads(line))), flush=True)  # noqa: T201
