"""`nncli runs …` as a user meets it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nncli import runs
from nncli.cli import main
from nncli.results import StoredRun
from tests.documents.read import document_of
from tests.made import run_folder
from tests.plots.runs import digits_history, records, sine_run, with_history
from tests.terminal import Terminal

Captured = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("here")
DATA = {"source": "digits", "samples": {"train": 1438, "test": 359}, "fingerprint": "ab" * 32}


def cnn(name: str, *, epochs: int = 2, **changes: Any) -> StoredRun:
    history = {name: values[:epochs] for name, values in digits_history().items()}
    run = with_history(history, name=name)
    record = {"command": f"nncli train cnn --name {name}", "seed": 42, "data": DATA}
    record |= {"started": f"2026-01-0{epochs}T00:00:00+00:00", "versions": {"keras": "3.15.1"}}
    metrics = {"monitor": "val_loss", "best_epoch": epochs, "test": {"accuracy": 0.975}}
    return replace(run, run={**record, **changes}, metrics=metrics)


def rnn(name: str) -> StoredRun:
    history = records({"loss": [0.5, 0.4], "mean_absolute_error": [0.5, 0.4]})
    metrics = {"monitor": "loss", "best_epoch": 2, "test": {"mean_absolute_error": 0.25}}
    record = {"started": "2026-01-09T00:00:00+00:00", "data": {"source": "sine"}}
    return replace(sine_run(), name=name, history=history, metrics=metrics, run=record)


def cut_off(name: str, *, newest: int | None = 7) -> Path:
    """A folder as `kill -9` leaves it."""
    folder = Path("outputs/cnn") / name
    folder.mkdir(parents=True)
    record = {"status": "running", "started": "2026-01-05T00:00:00+00:00", "data": DATA}
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "config.yaml").write_text("kind: cnn\nseed: 42\n")
    if newest is not None:
        (folder / "checkpoints").mkdir()
        (folder / "checkpoints" / f"{newest:06}.state").write_bytes(b"state")
    return folder


def damaged(name: str) -> Path:
    folder = Path("outputs/cnn") / name
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"status": "fini')
    return folder


@pytest.fixture
def several(here: Path) -> None:
    """Runs of two kinds, one cut off, one damaged."""
    root = here / "outputs"
    run_folder(cnn("cnn-1", epochs=3), root)
    run_folder(cnn("cnn-2", epochs=4), root)
    run_folder(rnn("rnn-1"), root)
    cut_off("cnn-3")
    damaged("cnn-4")


@pytest.fixture
def running(here: Path) -> Iterator[Path]:
    """A run that a process is at: this one."""
    record = {"status": "running", "started": "2026-01-08T00:00:00+00:00"}
    with runs.create(here / "outputs", "cnn", "cnn", "at-work", record) as run:
        yield run.folder.relative_to(here)


def answer(capsys: Captured, *arguments: str, code: int = 0) -> str:
    """What is said, on standard error where something is wrong."""
    assert main(["runs", *arguments]) == code
    out, err = capsys.readouterr()
    assert bool(err) == bool(code)
    return out or err


def document(capsys: Captured, *arguments: str, code: int = 0) -> dict[str, Any]:
    assert main(["runs", *arguments, "--json"]) == code
    out, err = capsys.readouterr()
    assert err == ""
    return document_of(out, f"runs {arguments[0]}")


def listed(capsys: Captured, *arguments: str) -> list[str]:
    return [row["name"] for row in document(capsys, "list", *arguments)["runs"]]


def test_runs_alone_shows_what_there_is(capsys: Captured) -> None:
    assert main(["runs"]) == 2
    out = capsys.readouterr().out
    assert all(command in out for command in ("list", "show", "diff", "delete"))


# list


@pytest.mark.usefixtures("several")
def test_list_shows_every_run_and_how_it_is(capsys: Captured) -> None:
    lines = answer(capsys, "list").splitlines()
    rows = {line.split()[0]: line for line in lines if line.startswith(("cnn-", "rnn-"))}
    assert list(rows)[:5] == ["cnn-4", "rnn-1", "cnn-3", "cnn-2", "cnn-1"]
    assert "damaged" in rows["cnn-4"]
    assert "cut off" in lines[4]
    for text in ("cnn", "digits", "val loss", "97.5%", "1.5s", "finished"):
        assert text in rows["cnn-1"]
    assert "MAE 0.2500" in rows["rnn-1"]
    assert lines[-3:] == [
        "5 runs",
        "cnn-3 was cut off: nncli train --resume cnn-3 goes on with it",
        "1 run is damaged: nncli runs show cnn-4 says how",
    ]


@pytest.mark.usefixtures("several")
def test_a_row_as_data(capsys: Captured) -> None:
    found = document(capsys, "list")
    assert (found["total"], found["matching"]) == (5, 5)
    rows = {row["name"]: row for row in found["runs"]}
    best = digits_history()["val_loss"][2]
    assert rows["cnn-1"] == {
        "run": "outputs/cnn/cnn-1",
        "name": "cnn-1",
        "kind": "cnn",
        "data": "digits",
        "status": "finished",
        "started": "2026-01-03T00:00:00+00:00",
        "epochs": 3,
        "best": {"metric": "val_loss", "value": best, "epoch": 3},
        "test": {"metric": "accuracy", "value": 0.975},
        "seconds": 1.5,
        "can_go_on": False,
        "problem": None,
    }
    assert (rows["cnn-3"]["status"], rows["cnn-3"]["epochs"]) == ("cut off", 7)
    assert rows["cnn-3"]["can_go_on"]
    assert "run.json is damaged" in rows["cnn-4"]["problem"]


def test_a_run_that_is_at_work_is_running(running: Path, capsys: Captured) -> None:
    (row,) = document(capsys, "list")["runs"]
    assert (row["name"], row["status"], row["can_go_on"]) == (running.name, "running", False)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("", "cnn-4 rnn-1 cnn-3 cnn-2 cnn-1"),
        ("--reverse", "cnn-1 cnn-2 cnn-3 rnn-1 cnn-4"),
        ("--limit 2", "cnn-4 rnn-1"),
        ("--kind rnn", "rnn-1"),
        ("--kind lstm", ""),
        ("--status finished", "rnn-1 cnn-2 cnn-1"),
        ("--status cut-off", "cnn-3"),
        ("--status damaged", "cnn-4"),
        ("--status running", ""),
        ("--sort name", "cnn-1 cnn-2 cnn-3 cnn-4 rnn-1"),
        ("--sort epochs", "cnn-3 cnn-2 cnn-1 rnn-1 cnn-4"),
        ("--kind cnn --status finished --sort metric", "cnn-2 cnn-1"),
        ("--kind cnn --status finished --sort metric --reverse", "cnn-1 cnn-2"),
        ("--sort time --kind rnn", "rnn-1"),
        ("--runs-in outputs/cnn", ""),
    ],
)
@pytest.mark.usefixtures("several")
def test_runs_are_filtered_and_sorted(arguments: str, names: str, capsys: Captured) -> None:
    assert listed(capsys, *arguments.split()) == names.split()


@pytest.mark.usefixtures("several")
def test_what_is_left_out_is_counted(capsys: Captured) -> None:
    assert "2 of 5 runs" in answer(capsys, "list", "--limit", "2")
    assert "1 of 3 like that, all of 5 runs" in answer(
        capsys, "list", "--status", "finished", "--limit", "1"
    )
    assert answer(capsys, "list", "--kind", "lstm") == "none of 5 runs is like that\n"


def test_equal_names_are_told_apart_by_their_kind(capsys: Captured) -> None:
    cut_off("mine")
    run_folder(rnn("mine"), Path("outputs"))
    said = answer(capsys, "list")
    assert {line.split()[0] for line in said.splitlines()} >= {"cnn/mine", "rnn/mine"}
    assert "nncli train --resume cnn/mine goes on with it" in said


@pytest.mark.parametrize("folder", ["outputs", "no such"])
def test_no_runs_are_no_error(folder: str, capsys: Captured) -> None:
    Path("outputs/comparisons").mkdir(parents=True)
    said = answer(capsys, "list", "-o", folder)
    assert said == f"{folder} holds no runs; nncli train rnn makes one in outputs\n"
    assert document(capsys, "list", "-o", folder)["runs"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--kind", "cn"], "did you mean 'cnn'?"),
        (["list", "--limit", "0"], "--limit 0 shows nothing"),
        (["list", "--sort", "size"], "'size' is not one of"),
        (["list", "--output", "file"], "file is not a folder"),
        (["show", "rn-1"], "did you mean 'rnn-1'?"),
        (["show", "cnn-"], "the beginning of several runs"),
        (["diff", "cnn-1"], "'B'"),
        (["diff", "cnn-1", "cnn-9"], "did you mean"),
        (["delete"], "missing argument 'RUN'"),
        (["delete", "cnn-1"], "--yes deletes without asking"),
        (["delete", "cnn-1", "cnn-9", "--yes"], "unknown run 'cnn-9'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
@pytest.mark.usefixtures("several")
def test_a_wrong_command_line(arguments: list[str], said: str, capsys: Captured) -> None:
    Path("file").touch()
    assert said.lower() in answer(capsys, *arguments, code=2).lower()
    assert len(runs.folders(Path("outputs"))) == 5


@pytest.mark.usefixtures("several")
def test_a_narrow_terminal_is_kept_to() -> None:
    name = "a-name-that-is-longer-than-the-terminal-is-wide-001"
    run_folder(cnn(name), Path("outputs"))
    for arguments in (["list"], ["diff", "cnn-1", "cnn-2"]):
        terminal = Terminal([sys.executable, "-m", "nncli", "runs", *arguments], 40).end()
        assert terminal.code == 0
        assert len(terminal.widest) <= 40
    encoding = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "nncli", "runs", "list"]
    terminal = Terminal(command, 40, PYTHONCOERCECLOCALE="0", **encoding).end()
    assert "a-name-that-is..." in terminal.text
    assert "-wide-001" in terminal.text
    assert len(terminal.widest) <= 40
    assert "?" not in terminal.raw.decode("ascii").replace("\x1b[?", "")


# show


@pytest.mark.usefixtures("several")
def test_show_tells_what_is_known(capsys: Captured) -> None:
    said = answer(capsys, "show", "cnn-1")
    for text in (
        "nncli train cnn --name cnn-1",
        "finished",
        "digits · 1438 train, 359 test · fingerprint abababababab",
        "keras 3.15.1",
        "2026-01-03 00:00:00 UTC",
        "epoch 3 of 3",
        "97.5%",
        "metrics.json",
        "nncli plot outputs/cnn/cnn-1",
        "nncli report outputs/cnn/cnn-1 --open",
        "nncli train cnn --config outputs/cnn/cnn-1/config.yaml",
    ):
        assert text in said
    assert "--resume" not in said


@pytest.mark.usefixtures("several")
def test_show_as_data(capsys: Captured) -> None:
    found = document(capsys, "show", "cnn-1")
    assert found["record"]["seed"] == 42
    assert found["metrics"]["test"] == {"accuracy": 0.975}
    assert found["files"]["model.keras"] == len(b"model")
    assert found["commands"]["pictures"] == "nncli plot outputs/cnn/cnn-1"


@pytest.mark.usefixtures("several")
def test_a_run_that_was_cut_off_is_shown(capsys: Captured) -> None:
    said = answer(capsys, "show", "cnn-3")
    assert "cut off after epoch 7" in said
    assert "nncli train --resume outputs/cnn/cnn-3" in said
    cut_off("cnn-5", newest=None)
    said = answer(capsys, "show", "cnn-5")
    assert "cut off: no epoch was kept" in said
    assert "--resume" not in said


def test_why_a_run_failed_is_shown(capsys: Captured) -> None:
    folder = cut_off("cnn-1")
    record = {"status": "failed", "error": "out of memory: [/x]"}
    (folder / "run.json").write_text(json.dumps(record))
    assert "failed: out of memory: [/x]" in answer(capsys, "show", "latest")


@pytest.mark.usefixtures("several")
def test_a_damaged_run_is_an_error(capsys: Captured) -> None:
    for arguments in (["show", "cnn-4"], ["diff", "cnn-4", "cnn-1"]):
        assert "run.json is damaged" in answer(capsys, *arguments, code=4)


@pytest.mark.parametrize(
    "odd",
    [None, 7, "[/x]\x1b[31m", [1], {"a": {"b": 1}}, [{"a": 1.5}], True, float("nan"), 10**400],
)
def test_files_of_strangers_are_shown_as_they_are(odd: Any, capsys: Captured) -> None:
    folder = cut_off("one")
    keys = ("data", "seconds", "started", "error", "versions", "device", "command", "seed")
    record = {"status": "failed", **dict.fromkeys(keys, odd)}
    keys = ("kind", "task", "monitor", "epochs", "best_epoch", "train", "test", "baselines")
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "metrics.json").write_text(json.dumps(dict.fromkeys(keys, odd)))
    for arguments in (["list"], ["show", "one"], ["diff", "one", "one"]):
        assert "\x1b" not in answer(capsys, *arguments)
        document(capsys, *arguments)


def test_the_current_folder_can_be_shown(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = run_folder(cnn("cnn-1"), Path("outputs"))
    monkeypatch.chdir(folder)
    assert document(capsys, "show", ".")["name"] == "cnn-1"


# diff


def test_diff_shows_settings_circumstances_and_figures(capsys: Captured) -> None:
    root = Path("outputs")
    one, other = cnn("cnn-1"), cnn("cnn-2", epochs=3, data={**DATA, "fingerprint": "cd" * 32})
    config = {"kind": "cnn", "training": {"learning_rate": 0.001, "epochs": 2}}
    run_folder(replace(one, config=config), root)
    changed = {"kind": "cnn", "training": {"learning_rate": 0.01}}
    run_folder(replace(other, config=changed), root)
    lines = [line.split() for line in answer(capsys, "diff", "cnn-1", "cnn-2").splitlines()]
    assert ["training.learning_rate", "0.001", "0.01"] in lines
    assert ["training.epochs", "2", "–"] in lines
    assert ["data.fingerprint", "abababababab", "cdcdcdcdcdcd"] in lines
    assert ["test", "accuracy", "97.5%", "97.5%"] in lines
    assert ["best", "epoch", "2", "3"] in lines
    found = document(capsys, "diff", "cnn-1", "cnn-2")
    assert found["settings"] == [
        {"key": "training.learning_rate", "a": 0.001, "b": 0.01},
        {"key": "training.epochs", "a": 2},
    ]
    assert found["circumstances"] == [{"key": "data.fingerprint", "a": "ab" * 32, "b": "cd" * 32}]
    assert {"key": "test accuracy", "a": 0.975, "b": 0.975} in found["figures"]


@pytest.mark.usefixtures("several")
def test_a_run_does_not_differ_from_itself(capsys: Captured) -> None:
    said = answer(capsys, "diff", "cnn-1", "outputs/cnn/cnn-1")
    assert "the configs are the same" in said
    assert "samples, versions and device are the same" in said


@pytest.mark.usefixtures("several")
def test_a_run_without_figures_is_compared(capsys: Captured) -> None:
    found = document(capsys, "diff", "cnn-3", "cnn-1")
    assert {"key": "epochs", "a": 7, "b": 3} in found["figures"]
    assert {"key": "test accuracy", "a": None, "b": 0.975} in found["figures"]


# delete


@pytest.mark.usefixtures("several")
def test_runs_are_deleted(capsys: Captured) -> None:
    said = answer(capsys, "delete", "cnn-1", "outputs/cnn/cnn-1", "cnn/cnn-3", "--yes")
    assert said.splitlines()[0].startswith("deleted outputs/cnn/cnn-1  ")
    assert said.splitlines()[1].startswith("deleted outputs/cnn/cnn-3  ")
    found = document(capsys, "delete", "rnn-1", "--yes")
    assert [row["run"] for row in found["deleted"]] == ["outputs/rnn/rnn-1"]
    assert {path.name for path in Path("outputs").glob("*/*")} == {"cnn-2", "cnn-4"}


@pytest.mark.usefixtures("several")
def test_a_run_at_work_is_not_deleted_nor_those_beside_it(running: Path, capsys: Captured) -> None:
    said = answer(capsys, "delete", "cnn-1", running.name, "--yes", code=4)
    assert f"{running} is in use by another process" in said
    assert Path("outputs/cnn/cnn-1/run.json").exists()


def test_what_is_no_run_is_not_deleted(capsys: Captured) -> None:
    folder = Path("project")
    folder.mkdir()
    (folder / "run.json").write_text('{"name": "a project"}')
    assert "is not a run folder" in answer(capsys, "delete", "project", "--yes", code=4)
    (folder / "run.json").unlink()
    assert "there is no run 'project'" in answer(capsys, "delete", "project", "--yes", code=2)
    assert folder.is_dir()


@pytest.mark.parametrize(("typed", "left"), [(b"y\r", 4), (b"n\r", 5), (b"\r", 5), (b"\x04", 5)])
@pytest.mark.usefixtures("several")
def test_somebody_at_a_terminal_is_asked(typed: bytes, left: int) -> None:
    command = [sys.executable, "-m", "nncli", "runs", "delete", "cnn-1"]
    terminal = Terminal(command)
    terminal.wait_for(lambda screen: any("[y/N]" in line for line in screen))
    terminal.press(typed)
    terminal.end()
    assert terminal.code == 0
    assert ("deleted outputs/cnn/cnn-1" in terminal.text) == (left == 4)
    assert len(runs.folders(Path("outputs"))) == left
