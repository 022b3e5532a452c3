"""What surrounds the command: a piped run says the same anywhere, and nothing on standard error.

Other rows of the same list are held elsewhere: a full device, a reader that has left and closed
streams in `test_cli.py`; colours and dumb terminals in `test_terminal.py`; all bad names of runs
in `test_runs.py`; the style that needs Graphviz, where it is missing, in `plots/test_graphviz.py`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from nncli import process
from nncli.errors import ExitCode
from nncli.training import checkpoint
from tests.quick_training import __file__ as quick_training

NNCLI = (sys.executable, "-m", "nncli")
PACKAGE = Path(process.__file__).parent
NOWHERE = "/proc/nowhere" if Path("/proc/self").exists() else "/dev/null/nowhere"
"""A folder that nobody can make, root neither."""
ASCII = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
HOMELESS = (
    "HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "MPLCONFIGDIR",
    "KERAS_HOME",
    "NNCLI_CACHE",
)

ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    "no home, narrow, without colours": {"COLUMNS": "20", "NO_COLOR": "1", "MPLBACKEND": "TkAgg"},
    "a home that cannot be written, dumb": {
        "HOME": NOWHERE,
        "TERM": "dumb",
        "MPLBACKEND": "nonsense",
        "KERAS_BACKEND": "torch",
    },
    "no folder for matplotlib, ascii": {**ASCII, "MPLCONFIGDIR": NOWHERE, "COLUMNS": "-1"},
}
COMMANDS = (
    ("neuron", "--plot", "neuron.svg"),
    ("plot-activation", "relu", "-o", "relu.png"),
    ("config", "validate", "cnn"),
    ("data", "check", "sine", "-o", "checked"),
)


def run(
    words: tuple[str, ...], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """A command with nothing of the user's own about it but what `environment` says."""
    kept = {name: value for name, value in os.environ.items() if name not in HOMELESS}
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        [*NNCLI, *words],
        capture_output=True,
        cwd=folder,
        env={**kept, "TMPDIR": str(temporary), **environment},
        timeout=120,
        check=False,
    )


def assert_quiet(done: subprocess.CompletedProcess[bytes]) -> None:
    """It ended well, with no word on standard error and no escape on standard output."""
    assert done.stderr == b"", done.stderr.decode()
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_command_is_quiet_anywhere(name: str, tmp_path: Path) -> None:
    environment = ENVIRONMENTS[name]
    for words in COMMANDS:
        done = run(words, tmp_path, environment)
        assert_quiet(done)
        if words[0] == "data":
            assert done.stdout.split()[-4:] == b"0 warnings, 0 errors".split()
        if environment.keys() >= ASCII.keys():
            done.stdout.decode("ascii")
    pictures = [path for path in tmp_path.rglob("*.*g") if path.is_file()]
    assert len(pictures) == 3
    assert min(path.stat().st_size for path in pictures) > 5_000
    # one folder of fonts for all of them, none for each
    left = {path.name for path in (tmp_path / "temporary").iterdir()}
    assert left <= {"nncli-matplotlib"}


KERAS_JSON = {"floatx": "float16", "image_data_format": "channels_first", "epsilon": 0.5}
SMALL = (
    *("train", "cnn", "--epochs", "2", "--name", "run", "--device", "cpu"),
    *("--set", "data.train_per_class=4", "--set", "model.filters=[4]"),
)


def test_the_numbers_are_the_same_in_any_environment(tmp_path: Path) -> None:
    """One training with all that could change its bits or be in its way, one with nothing."""
    odd, bare = tmp_path / "odd", tmp_path / "bare"
    home = odd / "home"
    (home / ".keras").mkdir(parents=True)
    bare.mkdir()
    settings = json.dumps({**KERAS_JSON, "backend": "jax"})
    (home / ".keras" / "keras.json").write_text(settings, encoding="utf-8")
    hostile = {
        **ASCII,
        "HOME": str(home),
        "KERAS_BACKEND": "torch",
        "MPLBACKEND": "TkAgg",
        "MPLCONFIGDIR": NOWHERE,
        "COLUMNS": "20",
        "TERM": "dumb",
        "NO_COLOR": "1",
    }
    # Graphviz is missing where nothing is on the path: no picture of a run needs it
    done = run(SMALL, odd, {**hostile, "PATH": str(home)})
    assert_quiet(done)
    done.stdout.decode("ascii")
    assert_quiet(run(SMALL, bare, {"HOME": NOWHERE}))
    folders = [root / "outputs" / "cnn" / "run" for root in (odd, bare)]
    for name in ("metrics.json", "predictions.npz", "data.json", "layers.json", "confusion.png"):
        one, other = ((folder / name).read_bytes() for folder in folders)
        assert one == other, name
    states = [checkpoint.newest(folder) for folder in folders]
    for one, other in zip(states[0].variables, states[1].variables, strict=True):
        assert one.tobytes() == other.tobytes()
    assert not list(home.rglob("keras*.lock"))
    assert [path.name for path in (home / ".keras").iterdir()] == ["keras.json"]


@pytest.mark.parametrize("name", ["/absolute", "n" * 300])
def test_a_name_that_is_no_folder_is_one_line(name: str, tmp_path: Path) -> None:
    done = run(("train", "rnn", "--name", name), tmp_path, {})
    assert done.returncode == ExitCode.USAGE
    assert done.stderr.startswith(b"error: ")
    assert len(done.stderr.splitlines()) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["temporary"]


def test_ctrl_c_reaches_a_job_that_a_script_has_put_in_the_background(tmp_path: Path) -> None:
    """Its shell starts it with SIGINT ignored, which Python would leave so."""
    words = [sys.executable, quick_training, "--wait", str(tmp_path / "never")]
    root = {"PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(
        ["/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **root},
    ) as started:
        assert started.stdout is not None
        for line in started.stdout:
            if b"epoch 2/8" in line:
                break
        started.send_signal(signal.SIGINT)
        assert started.wait(30) == ExitCode.INTERRUPTED
        assert started.stderr is not None
        assert started.stderr.read() == b"interrupted\n"


def test_no_duration_comes_from_a_clock_that_can_be_set_back() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\btime\.time(_ns)?\(|\bfrom time import\b.*\btime\b", text), path
        for called in re.findall(r"datetime\.(?:utc)?now\([^)]*\)(.{10})", text):
            assert called == ".isoformat", path  # told, not counted with
