"""What the process was given, and other Pythons that it starts."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from nncli import process


def test_another_python_takes_no_module_out_of_the_current_folder(tmp_path: Path) -> None:
    for name in ("json", "matplotlib", "random"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user')")
    call = "import json, matplotlib, random; print(sys.argv[1:])"
    done = subprocess.run(
        process.python(call, "a", "b"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "['a', 'b']\n"), done.stderr


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone keeps what is freed")
def test_freed_memory_is_returned() -> None:
    script = """
from pathlib import Path
from nncli.process import return_memory
def megabytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
before = megabytes()
held = [b"x" * size for size in range(100_000, 101_000)]
last = held[-1]
del held
kept = megabytes()
return_memory()
print(kept - before, megabytes() - before)
"""
    done = subprocess.run(process.python(script), capture_output=True, text=True, timeout=60)
    kept, returned = map(float, done.stdout.split())
    assert kept > 80, done.stderr
    assert returned < 20


def test_what_libraries_make_of_a_signal_is_not_told() -> None:
    """Of 135 Ctrl-C while TensorFlow traced, two had a traceback of it on the screen."""
    script = """
import os, signal, sys
from nncli import process
class Lost:
    def __del__(self):
        raise TypeError("of a library")
def lose():
    Lost()
handlers = process.catch_signals()
lose()
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    lose()
    sys.excepthook(SystemError, SystemError("of a library"), None)
process.give_back_signals(handlers)
lose()
"""
    done = subprocess.run(
        process.python("exec(sys.argv[1])", script), capture_output=True, text=True, timeout=60
    )
    assert done.stderr.count("of a library") == 2  # before the signal, and after the command
