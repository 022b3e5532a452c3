"""`nncli train KIND --estimate`: what it says, what it leaves behind, and what it refuses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nncli.cli import main
from nncli.errors import ExitCode
from tests.commands.test_train import TINY
from tests.training.test_estimate import WITHIN, peak

NNCLI = (sys.executable, "-m", "nncli")


def estimated(capsys: pytest.CaptureFixture[str], root: Path, kind: str, *more: str) -> Any:
    capsys.readouterr()
    command = ["train", kind, "--estimate", "--json", "--device", "cpu", "--output", str(root)]
    assert main([*command, *more]) == 0
    return json.loads(capsys.readouterr().out)


def seconds_of(phase: dict[str, Any]) -> float:
    epoch = phase["steps"] * phase["step"] + phase["validation"]
    fixed = phase["features"] + phase["setup"] + phase["saving"]
    return float(fixed + phase["epochs"] * epoch)


@pytest.mark.parametrize("kind", list(TINY))
def test_the_time_is_the_sum_of_its_parts_and_nothing_is_left(
    kind: str, started: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = estimated(capsys, tmp_path, kind, *TINY[kind], "--no-pictures")
    for phase in told["phases"]:
        assert phase["seconds"] == pytest.approx(seconds_of(phase))
        assert min(phase[part] for part in ("setup", "step", "features")) >= 0
        assert phase["step"] > 0
        assert phase["saving"] > 0 or phase["name"] == "scratch"
    parts = [*told["before"].values(), *told["after"].values()]
    assert told["seconds"] == pytest.approx(sum(parts) + sum(map(seconds_of, told["phases"])))
    names = {"transfer": ["pretrain", "head", "scratch"]}.get(kind, ["train"])
    assert [phase["name"] for phase in told["phases"]] == names
    assert {"test", "save", "baselines"} >= told["after"].keys() >= {"test", "save"}
    assert told["at_most"] == (kind in {"lstm", "cnn"})
    assert told["warnings"] == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_said_on_the_terminal(
    started: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--estimate", "--output", str(tmp_path / "outputs"), "--device", "cpu"]
    assert main(["train", "rnn", *TINY["rnn"], *more]) == 0
    whole = capsys.readouterr().out
    assert "nncli train rnn --estimate  sine · " in whole
    assert f"are free for {tmp_path / 'outputs'}" in whole
    assert [line.split()[0] for line in whole.splitlines() if "3 × 1" in line] == ["train"]
    assert "draw" in whole
    assert "epoch 1" not in whole
    assert main(["train", "cnn", *TINY["cnn"], *more, "--quiet", "--no-pictures"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["time", "memory", "disk"]
    assert lines[0].endswith("at most, for early stopping may end it sooner")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "option", ["--dry-run", "--resume=latest", "--require=epochs > 1", "--junit=x.xml", "--profile"]
)
def test_what_says_nothing_of_an_estimate_is_refused(
    option: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "cnn", "--estimate", option]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert f"{option.partition('=')[0]} has no place beside it" in said
    assert list(here.iterdir()) == []


def test_a_run_that_nearly_fills_the_memory_is_warned_of(
    started: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from nncli.training import memory

    taken = memory.peak()
    if taken is None:
        pytest.skip("this system does not tell what a process takes")
    monkeypatch.setattr(memory, "room", lambda: 1_100 * taken // 1_000)
    told = estimated(capsys, tmp_path, "rnn", *TINY["rnn"], "--no-pictures")
    (warning,) = told["warnings"]
    assert warning.startswith("memory may run out: the run takes about ")
    assert told["memory"]["bytes"] >= taken


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    command = [*NNCLI, "train", "lstm", "--estimate", "--no-pictures", "-o", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"nncli train lstm --estimate")
        process.stdout.readline()  # TensorFlow is at work from here on
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert b"Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_memory_and_disk_are_those_of_the_run(tmp_path: Path) -> None:
    """Seconds, and the other kinds, are measured by benchmarks/estimate.py."""
    script = (
        "import sys; from nncli.cli import main; from nncli.training import memory; "
        "code = main(sys.argv[1:]); print(memory.peak(), file=sys.stderr); sys.exit(code)"
    )

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        options = ["--output", str(tmp_path), "--epochs", "6", "--no-pictures"]
        command = [sys.executable, "-c", script, "train", "rnn", *options, *more]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    told = json.loads(run("--estimate", "--json").stdout)
    memory = int(run("--name", "run", "--quiet").stderr.split()[-1])
    assert 1 / WITHIN < told["memory"]["bytes"] / memory < WITHIN
    assert 1 / WITHIN < told["disk"]["bytes"] / peak(tmp_path / "rnn" / "run") < WITHIN
