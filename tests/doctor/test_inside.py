"""TensorFlow that is broken, crashes, hangs or writes: made packages in its place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from nncli import status
from nncli.doctor import examine, judge_tensorflow
from nncli.doctor.inside import Failed, Inside, explained
from nncli.errors import BackendError
from tests.doctor import made

BROKEN = "print('welcome'); raise ImportError('libfoo.so.1: [/x] cannot open\\nshared object file')"
CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
ABORT = "import os; os.write(2, b'F0000 compiled for AVX\\n\\n'); os.abort()"
HANG = "import time; time.sleep(60)"


def path_with(folder: Path, code: str) -> list[str]:
    """Where Python looks first for a `keras` of this code."""
    (folder / "keras.py").write_text(code, encoding="utf-8")
    return [str(folder), *sys.path]


@pytest.mark.parametrize(
    ("code", "said", "hint"),
    [
        (BROKEN, "keras cannot be imported: libfoo.so.1: [/x] cannot open shared", "reinstall"),
        (
            CRASH,
            "TensorFlow ended the process, an illegal instruction",
            "virtual machine",
        ),
        (ABORT, "ended the process, SIGABRT: F0000 compiled for AVX", "pip install"),
        ("import os; os._exit(3)", "ended the process, exit code 3", "pip install"),
    ],
)
def test_what_goes_wrong_inside_is_told_outside(
    code: str, said: str, hint: str, tmp_path: Path
) -> None:
    with closing(Inside(path_with(tmp_path, code))) as inside:
        failed = inside.take()
    assert isinstance(failed, Failed)
    assert said in failed.reason
    assert hint in failed.hint
    assert "\n" not in failed.reason
    assert judge_tensorflow(failed).status == "problem"


def test_what_hangs_is_given_up(tmp_path: Path) -> None:
    began = time.monotonic()
    heard: list[str] = []
    with status.told_to(heard.append), closing(Inside(path_with(tmp_path, HANG), 3)) as inside:
        failed = inside.take()
    assert heard == ["importing TensorFlow"]
    assert failed.reason == "importing TensorFlow took more than 3 seconds"
    assert time.monotonic() - began < 30


def test_a_broken_tensorflow_costs_no_other_check(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    machine = made.machine(tmp_path / "root", output=tmp_path, path=path_with(tmp_path, BROKEN))
    checks = {check.name: check for check in examine(machine)}
    assert len(checks) == 14
    assert checks["tensorflow"].status == "problem"
    assert checks["gpu"].status == "ok"
    assert checks["training"].status == "skipped"
    assert checks["pictures"].status == "ok"


def test_without_a_process_all_else_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> int:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda _: full())
    (tmp_path / "root").mkdir()
    checks = {
        check.name: check for check in examine(made.machine(tmp_path / "root", output=tmp_path))
    }
    assert len(checks) == 14
    assert checks["tensorflow"].status == "problem"
    assert "No usable temporary directory" in checks["tensorflow"].finding
    assert checks["training"].status == "skipped"
    assert checks["outputs"].status == "ok"


def test_a_check_that_fails_is_a_problem_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise ZeroDivisionError("[/x]")

    monkeypatch.setattr("nncli.training.memory.available", fail)
    (tmp_path / "root").mkdir()
    machine = made.machine(tmp_path / "root", output=tmp_path, path=path_with(tmp_path, BROKEN))
    checks = {check.name: check for check in examine(machine)}
    assert checks["memory"].status == "problem"
    assert checks["memory"].finding.endswith("ZeroDivisionError: [/x]")
    assert checks["packages"].status == "ok"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no /proc")
def test_the_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from nncli.doctor.inside import Inside\n"
        "inside = Inside(sys.argv[1:]); print(inside._worker.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, *path_with(tmp_path, HANG)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as outer:
        assert outer.stdout is not None
        number = int(outer.stdout.readline())
        time.sleep(1)  # it is at work
        assert Path(f"/proc/{number}").exists()
        os.kill(outer.pid, signal.SIGKILL)
    until = time.monotonic() + 20
    while _runs(number) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(number)


def _runs(number: int) -> bool:
    """Whether a process is there, and no mere entry of one that has ended."""
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def test_a_traceback_in_a_message_is_left_out() -> None:
    message = (
        "tensorflow cannot be imported: Traceback (most recent call last):\n"
        '  File "x.py", line 70, in <module>\n    from y import *\n'
        "ImportError: DLL load failed while importing _pywrap\n\n\n"
        "Failed to load the native TensorFlow runtime.\nSee https://…"
    )
    failed = explained(BackendError(message, hint="reinstall"))
    assert failed.reason == (
        "tensorflow cannot be imported: ImportError: DLL load failed while importing _pywrap"
    )
    assert "Visual C++" in failed.hint


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("numpy.dtype size changed, may indicate binary incompatibility", "numpy tensorflow"),
        ("cannot import name 'runtime_version' from 'google.protobuf'", "pip install --upgrade"),
        ("/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.27' not found", "too old"),
        ("something else", "pip install --force-reinstall nncli"),
    ],
)
def test_known_errors_have_their_hint(said: str, hint: str) -> None:
    failed = explained(ImportError(said))
    assert said in failed.reason
    assert hint in failed.hint
