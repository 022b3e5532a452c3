from __future__ import annotations

import csv
import gc
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from nncli import __version__, cli, process
from nncli.cli import main
from nncli.errors import ExitCode, Interrupted, ReaderGone

NNCLI = (sys.executable, "-m", "nncli")


def run(
    *arguments: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*NNCLI, *arguments],
        capture_output=True,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}".replace("nncli", " ".join(NNCLI))],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "unloaded"),
    [
        ([], 2, "tensorflow keras matplotlib numpy rich pydantic"),
        (["--help"], 0, "tensorflow keras matplotlib numpy rich pydantic"),
        (["-h"], 0, "tensorflow keras matplotlib numpy rich pydantic"),
        (["--version"], 0, "tensorflow keras matplotlib numpy rich pydantic"),
        (["train", "--help"], 0, "tensorflow keras matplotlib numpy rich pydantic"),
        (["doctor", "--help"], 0, "tensorflow keras matplotlib numpy rich pydantic"),
        (["runs"], 2, "tensorflow keras matplotlib numpy rich pydantic"),
        (["runs", "list", "--help"], 0, "tensorflow keras matplotlib numpy rich pydantic"),
        (["runs", "show", "no-run"], 2, "tensorflow keras matplotlib numpy pydantic yaml"),
        (["predict", "no-run", "a.png"], 2, "tensorflow keras matplotlib numpy pydantic yaml"),
        (["export", "no-run", "-f", "onx"], 2, "tensorflow keras matplotlib numpy"),
        (["export", "no-run", "-f", "onnx"], 2, "tensorflow keras matplotlib numpy"),
        (["train", "rnn", "--epochs", "x"], 2, "tensorflow keras matplotlib numpy"),
        (["train", "cnn", "--set", "model.x=1"], 2, "tensorflow keras matplotlib numpy"),
        (
            ["train", "rnn", "--estimate", "--dry-run"],
            2,
            "tensorflow keras matplotlib numpy pydantic",
        ),
        (["train", "rnn", "--name", "../x"], 2, "tensorflow keras matplotlib"),
        (["schema", "trian"], 2, "tensorflow keras matplotlib numpy"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_cheap_question_loads_nothing_heavy(
    arguments: list[str], code: int, unloaded: str
) -> None:
    script = (
        "import sys; from nncli.cli import main; code = main(sys.argv[2:]); sys.stderr.write("
        "'LOADED' + ' '.join(m for m in sys.argv[1].split() if m in sys.modules)); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, unloaded, *arguments], capture_output=True, text=True
    )
    assert done.returncode == code
    assert done.stderr.rpartition("LOADED")[2] == ""
    if "error" not in done.stderr:
        assert done.stdout.startswith(("Usage: nncli", f"nncli {__version__}"))
        assert done.stderr == "LOADED"


@pytest.mark.parametrize(
    ("words", "built"),
    [
        (["neuron", "--bias", "config"], {"neuron": []}),
        (["config", "show", "validate"], {"config": ["show"]}),
        (["config", "--help"], {"config": ["list", "show", "copy", "validate", "schema"]}),
        (["data", "lst"], {"data": ["check", "list"]}),
        (["runs", "diff", "list"], {"runs": ["diff"]}),
        ([], None),
        (["--version", "neuron"], None),
        (["nuron"], None),
    ],
)
def test_only_the_command_that_is_named_is_built(
    words: list[str], built: dict[str, list[str]] | None
) -> None:
    def names(whole: typer.Typer) -> dict[str, list[str]]:
        group = get_command(whole)
        assert isinstance(group, TyperGroup)
        return {name: [*getattr(row, "commands", ())] for name, row in group.commands.items()}

    before = names(cli.app)
    assert len(before) > 5
    assert names(cli._only(cli.app, words)) == (before if built is None else built)
    assert names(cli.app) == before


def test_garbage_is_looked_for_seldom_while_a_command_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []
    monkeypatch.setattr(cli, "_call", lambda _: seen.append(gc.get_threshold()) or 0)
    before, standard = gc.get_threshold(), (700, 10, 10)
    gc.set_threshold(*standard)
    try:
        assert main(["--version"]) == 0
        assert gc.get_threshold() == standard
    finally:
        gc.set_threshold(*before)
    assert seen[0][0] > standard[0]


@pytest.mark.parametrize(
    ("code", "stdout", "ends_with"), [(0, "", 0), (3, "", 3), (0, "/dev/full", 1)]
)
def test_the_process_is_left_at_once_but_in_order(
    code: int, stdout: str, ends_with: int, tmp_path: Path
) -> None:
    # Python itself would wait for the thread
    script = (
        "import atexit, sys, threading, time\n"
        "from nncli.process import leave\n"
        "atexit.register(lambda: sys.stderr.write('last words'))\n"
        "threading.Thread(target=time.sleep, args=[60]).start()\n"
        "print('buffered')\n"
        f"leave({code})"
    )
    if stdout and not Path(stdout).exists():
        pytest.skip("no such device")
    target = Path(stdout or tmp_path / "out")
    with target.open("w") as stream:
        done = subprocess.run(
            [sys.executable, "-c", script],
            stdout=stream,
            stderr=subprocess.PIPE,
            timeout=30,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
        )
    assert done.returncode == ends_with
    assert done.stderr == b"last words"
    assert stdout or target.read_text() == "buffered\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "did you mean 'train'?"),
        (["qqq"], "nncli --help"),
        (["train", "rnn", "--epocs", "3"], "did you mean --epochs?"),
        (["train", "rnn", "--qqq"], "nncli train has no option --qqq"),
        (["--verbos"], "--ver"),
        (["train", "cn"], "did you mean 'cnn'?"),
        (["train", "[/x]"], "unknown kind '[/x]'"),
        (["export", "x", "--format", "onx"], "did you mean 'onnx'?"),
        (["export", "x", "--format", "keras", "--tolerance", "-1"], "give 0 or more"),
        (["train"], "nncli train --help"),
        (["train", "rnn", "cnn"], "cnn"),
        (["train", "rnn", "--epochs"], "--epochs"),
        (["train", "rnn", "--name", "../x"], "'../x' cannot be a run's name"),
        (["train", "rnn", "--name", ""], "'' cannot be a run's name"),
        (["train", "rnn", "--name", "\x1b[31mred"], "\\x1b[31mred"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.startswith("error: ")
    assert "Traceback" not in captured.err
    assert "\x1b" not in captured.err
    assert len(captured.err.splitlines()) == 2


def test_a_wrong_value_of_an_option_is_a_problem_of_the_config(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["train", "rnn", "--epochs", "many"]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "error: the command line has 1 problem\n"
        "training.epochs: 'many' is not a whole number\n"
        "  --> the command line\n"
        "    │ --epochs many\n"
        "    │          ^^^^ write a number, e.g. 3\n\n"
        "help: see a valid one with nncli config show rnn\n"
    )


def test_errors_are_data_under_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "rnn", "--epocs", "3", "--json"]) == ExitCode.USAGE
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["error"]["hint"] == "did you mean --epochs?"
    assert document["error"]["exit_code"] == 2
    assert captured.err == ""


@pytest.fixture
def _broken_neuron(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("[/x] went wrong\nand more of it")

    monkeypatch.setattr("nncli.neuron.compute", fail)
    monkeypatch.setattr("nncli.backend._noise", ["E0000 what TensorFlow wrote\n"])


@pytest.mark.usefixtures("_broken_neuron")
def test_a_mistake_of_ours_is_one_line_and_the_kept_noise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["neuron"]) == ExitCode.FAILED
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ZeroDivisionError: [/x] went wrong\n")
    assert "E0000 what TensorFlow wrote" in captured.err
    assert "Traceback" not in captured.err
    assert "--verbose" in captured.err


@pytest.mark.usefixtures("_broken_neuron")
def test_verbose_shows_the_traceback_from_anywhere_on_the_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNCLI_VERBOSE", "")  # so that it is put back
    for arguments in (["neuron", "--verbose"], ["--verbose", "neuron"]):
        assert main(arguments) == ExitCode.FAILED
        assert "Traceback (most recent call last)" in capsys.readouterr().err
    assert main(["train", "cn", "--verbose"]) == ExitCode.USAGE
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.usefixtures("_broken_neuron")
def test_a_mistake_of_ours_is_data_under_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["neuron", "--json"]) == ExitCode.FAILED
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["type"] == "ZeroDivisionError"
    assert error["exit_code"] == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (Interrupted(15), 143), (Interrupted(1), 129)],
)
def test_an_interruption_has_the_signals_code(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*_: Any) -> None:
        raise error

    monkeypatch.setattr("nncli.neuron.compute", stop)
    assert main(["neuron"]) == code
    assert capsys.readouterr() == ("", "interrupted\n")


def test_a_signal_that_a_library_takes_for_another_error_stays_a_signal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """TensorFlow does so while it traces."""

    def interrupted(_: list[str]) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise TypeError("failed to convert") from None
        return 0

    def failed(_: list[str]) -> int:
        raise TypeError("failed to convert")

    monkeypatch.setattr(cli, "_call", interrupted)
    assert main(["--version"]) == 143
    assert capsys.readouterr().err == "interrupted\n"
    monkeypatch.setattr(cli, "_call", failed)
    assert main(["--version"]) == 1


def test_a_reader_that_has_left_is_told_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def leave(*_: Any) -> None:
        raise ReaderGone

    monkeypatch.setattr("nncli.neuron.compute", leave)
    monkeypatch.setattr("nncli.process.abandon_output", lambda: None)
    assert main(["neuron"]) == ExitCode.READER_GONE
    assert capsys.readouterr() == ("", "")


def test_a_signal_gives_the_terminal_back_before_all_else() -> None:
    heard: list[str] = []

    def work() -> None:
        with (
            process.borrowed_terminal(lambda: heard.append("given back"), lambda: None),
            process.hold_signals(),
        ):
            signal.raise_signal(signal.SIGTERM)
            heard.append("goes on")

    handlers = process.catch_signals()
    try:
        with pytest.raises(Interrupted):
            work()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert heard == ["given back", "goes on"]
    assert signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL


def test_signal_handlers_are_put_back() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    main(["--version"])
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_a_hang_up_is_ignored_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        handlers = process.catch_signals()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert set(handlers) == {signal.SIGINT, signal.SIGTERM}
        for number, handler in handlers.items():
            signal.signal(number, handler)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_piped_neuron_writes_no_escape_and_no_problem() -> None:
    done = run("neuron", FORCE_COLOR="1", TERM="xterm-256color", PYTHONWARNINGS="default")
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"0.7310585786300049" in done.stdout
    assert b"\x1b" not in done.stdout


def test_a_reader_that_leaves_is_no_error() -> None:
    done = shell("nncli plot-activation --list | head -1; echo ${PIPESTATUS[0]}")
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] in {"0", "141"}
    left = shell("nncli neuron | true; echo ${PIPESTATUS[0]}")
    assert left.stderr == ""
    assert left.stdout.strip() in {"0", "141"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
@pytest.mark.parametrize("command", ["neuron", "neuron --json", "--help", "--version"])
def test_a_full_disk_is_one_line(command: str) -> None:
    done = shell(f"nncli {command} > /dev/full")
    assert done.returncode == ExitCode.FAILED
    assert done.stderr == "error: cannot write the output: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(closed: str) -> None:
    done = shell(f"nncli neuron {closed}")
    assert done.returncode == 0
    assert done.stderr == ""


def test_the_shell_can_complete_commands() -> None:
    done = run(_NNCLI_COMPLETE="1", _NNCLI_LINE="nncli tr")
    assert done.returncode == 0
    assert [line.partition(b"\t")[0] for line in done.stdout.splitlines()] == [b"train"]


ASCII = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_a_terminal_without_unicode_gets_ascii() -> None:
    done = run("neuron", **ASCII)
    assert done.returncode == 0
    assert done.stderr == b""
    text = done.stdout.decode("ascii")
    assert "y = sigmoid(w1.x1 + ... + b)" in text
    assert "?" not in text
    listed = run("plot-activation", "--list", **ASCII)
    assert listed.returncode == 0
    assert "?" not in listed.stdout.decode("ascii")
    wrong = run("train", "r…é\udcff", **ASCII)
    assert wrong.returncode == ExitCode.USAGE
    assert b"Traceback" not in wrong.stderr
    wrong.stderr.decode("ascii")


@pytest.fixture(scope="module")
def fake_keras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `keras` that ends the process when it is imported."""
    folder = tmp_path_factory.mktemp("fake")
    (folder / "keras.py").write_text("import os; os._exit(99)", encoding="utf-8")
    return folder


def test_an_output_that_cannot_be_written_is_refused_before_the_framework(
    fake_keras: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    outputs = [tmp_path / "file", tmp_path / "file" / "below"]
    if Path("/proc/self").exists():
        outputs.append(Path("/proc/outputs"))
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o555)
        outputs.append(tmp_path / "locked")
    for output in outputs:
        done = run("train", "rnn", "-o", str(output), PYTHONPATH=str(fake_keras))
        assert done.returncode == ExitCode.MODEL, (output, done.stderr)
        assert done.stderr.startswith(b"error: ")
        assert b"--output" in done.stderr
    control = run("train", "rnn", "-o", str(tmp_path / "fine"), PYTHONPATH=str(fake_keras))
    assert control.returncode == 99


@dataclass
class Trained:
    """A finished process of `nncli train`."""

    folder: Path
    code: int
    out: bytes
    err: bytes

    @property
    def record(self) -> Any:
        return json.loads((self.folder / "run.json").read_text(encoding="utf-8"))

    @property
    def epochs(self) -> list[dict[str, str]]:
        with (self.folder / "history.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A short run, piped."""
    root = tmp_path_factory.mktemp("outputs")
    done = subprocess.run(
        [*NNCLI, "train", "rnn", "-o", str(root), "--name", "whole", "--epochs", "2"],
        capture_output=True,
        timeout=150,
        env={**os.environ, "TERM": "xterm-256color", "FORCE_COLOR": "1"},
    )
    return Trained(root / "rnn" / "whole", done.returncode, done.stdout, done.stderr)


def test_a_piped_run_is_quiet_and_plain(whole: Trained) -> None:
    assert whole.code == 0, whole.err
    assert whole.err == b""
    assert b"\x1b" not in whole.out
    assert b"\r" not in whole.out
    text = whole.out.decode()
    assert "Total params: 1121 (4.38 KB)" in text
    assert "epoch 2/2  loss " in text
    assert "best epoch 2 of 2" in text
    assert whole.record["status"] == "finished"
    assert {"model.keras", "metrics.json", "curves.png"} <= {p.name for p in whole.folder.iterdir()}


def test_a_taken_name_is_refused_and_nothing_changes(whole: Trained) -> None:
    folder = whole.folder
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    done = run("train", "rnn", "-o", str(folder.parent.parent), "--name", "whole", "--epochs", "1")
    assert done.returncode == ExitCode.MODEL
    assert b"there is a run" in done.stderr
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before
