"""Every command with `--json`, run for real: one document on standard output, as published.

A command that is new must have its document in `nncli.documents`, and its row here.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from nncli import cli, errors
from nncli.cli import main
from nncli.doctor.inside import Failed
from nncli.documents import SCHEMA_VERSION
from nncli.documents.every import documents
from nncli.documents.json_schema import json_schema
from nncli.errors import Interrupted, NncliError, Problem
from nncli.report import console
from tests.data.made import picture
from tests.documents.read import document_of, validator
from tests.made import run_folder
from tests.plots.runs import digits_history, with_history
from tests.tiny import tiny_run

Captured = pytest.CaptureFixture[str]

OF_THEIR_OWN = {"schema", "config schema", "completion"}
"""Commands without `--json`: what they print is a document already, or a program for a shell."""


def all_commands(group: TyperGroup, above: str = "") -> Iterator[tuple[str, set[str]]]:
    """Each command by its words, with its options."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from all_commands(command, f"{above}{name} ")
        else:
            options = {option for each in command.params for option in each.opts}
            yield above + name, options


def commands() -> Mapping[str, set[str]]:
    group = get_command(cli.app)
    assert isinstance(group, TyperGroup)
    return dict(all_commands(group))


@dataclass(frozen=True)
class Row:
    """A command line, and what it prints."""

    document: str
    words: str
    code: int = 0
    stop: str = ""
    """A method by whose end a signal comes."""


TINY = "--device cpu --no-pictures --quiet --json -o outputs --name new"
LISTENER = "nncli.listener.Listener"
ROWS = (
    Row("plot-activation", "plot-activation relu gelu --csv numbers.csv -o picture.svg"),
    Row("plot-activation --list", "plot-activation --list"),
    Row("plot-activation --list", "plot-activation --list swish"),
    Row("neuron", "neuron --inputs 0.1,0.2 --weights 3,1e-7 --bias 1e300 --plot neuron.svg"),
    # one of each kind that reaches what it is to is in test_train.py
    Row("train", f"train rnn --epochs 1 {TINY} --require epochs>=2 --require epochs>0", 5),
    Row("train --dry-run", f"train rnn --dry-run {TINY}"),
    Row("train --dry-run", f"train transfer --dry-run {TINY}"),
    Row("train --estimate", f"train rnn --epochs 2 --estimate {TINY}"),
    Row("train interrupted", f"train rnn --epochs 9 {TINY}", 143, f"{LISTENER}.epoch"),
    Row("train interrupted", f"train rnn --epochs 1 {TINY}", 143, "nncli.runs.Run.save"),
    Row("train finished", "train --resume outputs/cnn/one"),
    Row("evaluate", "evaluate trained --no-save"),
    Row("predict", "predict cnn digit.png photos --device cpu --plot sheet.svg", 3),
    Row("predict --steps", "predict trained --steps 3 --plot ahead.svg"),
    Row("doctor", "doctor", 1),
    Row("plot", "plot one -o pictures --only curves"),
    Row("plot", "plot one two -o pictures"),
    Row("report", "report one -o page.html"),
    Row("verify", "verify trained"),
    Row("export", "export trained --format keras"),
    Row("runs list", "runs list"),
    Row("runs list", "runs list --kind lstm"),
    Row("runs show", "runs show one"),
    Row("runs show", "runs show cut-off"),
    Row("runs diff", "runs diff one two"),
    Row("runs diff", "runs diff one cut-off"),
    Row("runs delete", "runs delete one two --yes"),
    Row("config list", "config list"),
    Row("config show", "config show cnn"),
    Row("config show", "config show rnn --origins --epochs 3"),
    Row("config copy", "config copy cnn-mnist my.yaml"),
    Row("config validate", "config validate cnn bad.yaml no-such", 2),
    Row("data check", "data check digits -o pictures"),
    Row("data check", "data check sine --no-picture"),
    Row("data check", "data check photos --no-picture", 3),
    Row("data list", "data list"),
    Row("error", "train cnn --config bad.yaml", 2),
    Row("error", f"train cnn --data photos {TINY}", 3),
    Row("error", "runs show damaged", 4),
    Row("error", f"train rnn {TINY}", 143, "nncli.data.load"),
)


@pytest.fixture
def place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A folder to work in, with runs in any state, a config and pictures that are none."""
    monkeypatch.chdir(tmp_path)
    rnn = tiny_run("rnn", tmp_path / "outputs", tmp_path_factory)
    rnn.rename(rnn.with_name("trained"))
    tiny_run("cnn", tmp_path / "outputs", tmp_path_factory)
    picture(0).save(tmp_path / "digit.png")
    # TensorFlow in another process is tried in test_doctor.py and in test_verification.py
    missing = Failed("it was not started", "start it")
    monkeypatch.setattr("nncli.doctor._begun", lambda *_: missing)
    monkeypatch.setattr(
        "nncli.commands.verify._train_again",
        lambda folder, kind, into, **_: shutil.copytree(folder, Path(into) / kind / "again"),
    )
    history = {name: values[:2] for name, values in digits_history(2).items()}
    for name in ("one", "two"):
        run_folder(with_history(history, name=name), tmp_path / "outputs")
    cut_off = tmp_path / "outputs" / "cnn" / "cut-off"
    damaged = tmp_path / "outputs" / "cnn" / "damaged"
    for folder, text in ((cut_off, '{"status": "running"}'), (damaged, '{"status":')):
        folder.mkdir()
        (folder / "run.json").write_text(text)
        (folder / "config.yaml").write_text("kind: cnn\n")
    (tmp_path / "bad.yaml").write_text("kind: cnn\ntraining: {epochs: -5, epoch: 3}\n")
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "1.png").write_text("no picture")
    return tmp_path


def signal_after(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process get a signal when a call has done its work."""
    really = resolve_name(method)

    def called(*arguments: Any, **named: Any) -> Any:
        answer = really(*arguments, **named)
        os.kill(os.getpid(), signal.SIGTERM)
        return answer

    monkeypatch.setattr(method, called)


def is_valid(document: dict[str, Any]) -> bool:
    return validator().is_valid(document)


def test_every_command_has_a_document_and_a_row() -> None:
    with_json = {name for name, options in commands().items() if "--json" in options}
    assert set(commands()) - with_json == OF_THEIR_OWN
    of = {
        command: {name for name in documents() if f"{name} ".startswith(f"{command} ")}
        for command in with_json
    }
    assert all(of.values()), "a command prints what is not published"
    assert {"error"}.union(*of.values()) == set(documents()), "a document of no command"
    assert {row.document for row in ROWS} == set(documents()), "a document that nothing prints"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.words.replace(TINY, "").strip())
def test_a_command_prints_what_is_published(
    row: Row, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    if row.stop:
        signal_after(row.stop, monkeypatch)
    words = [*row.words.split(), *([] if "--json" in row.words else ["--json"])]
    command = max((name for name in commands() if row.words.startswith(name)), key=len)
    capfd.readouterr()

    assert main(words) == row.code

    out, _ = capfd.readouterr()
    document = document_of(out, command)
    assert document["document"] == row.document
    if row.document == "error":
        assert document["error"]["exit_code"] == row.code

    # the schema would notice
    definition = json_schema()["$defs"][documents()[row.document].__name__]
    for key in definition["required"]:
        assert not is_valid({name: value for name, value in document.items() if name != key}), key
        assert not is_valid({**document, key: object}), key
    assert not is_valid({**document, "nonsense": None})
    assert not is_valid({**document, "schema_version": SCHEMA_VERSION + 1})


@pytest.mark.parametrize("command", ["", "--version", "runs", "trian", *commands()])
def test_a_wrong_command_line_is_a_document_too(command: str, capfd: Captured) -> None:
    """Of the commands without `--json` too."""
    assert main([*command.split(), "--nonsense", "--json"]) == 2
    out, err = capfd.readouterr()
    assert document_of(out)["error"]["type"] == "UsageError"
    assert err == ""


CLASSES = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, NncliError) and each is not errors.ConfigError
]
FAILURES: list[BaseException] = [
    *(each("it [/x] was so", hint="do this") for each in CLASSES),
    errors.ConfigError("1 problem", [Problem("seed", "-1 is too small", source=((0, "--seed"),))]),
    errors.DataError("2 files", places=["a.png", "b.png"]),
    *(ZeroDivisionError("of ours\nin two lines"), MemoryError(), OSError(2, "is not there", "a")),
    *(KeyboardInterrupt(), Interrupted(signal.SIGTERM)),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_every_class_of_error_is_a_document(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("nncli.neuron.compute", fail)
    monkeypatch.setattr("nncli.backend._noise", ["E0000 what TensorFlow wrote\n"])

    code = main(["neuron", "--json"])

    out, _ = capfd.readouterr()
    told = document_of(out, "neuron")["error"]
    known = {KeyboardInterrupt: "Interrupted", MemoryError: "NncliError"}
    assert told["type"] == known.get(type(error), type(error).__name__)
    assert told["exit_code"] == code > 0
    assert told["message"]
    assert told.get("places") == (
        list(error.places) if isinstance(error, errors.DataError) else None
    )
    assert ("problems" in told) == isinstance(error, errors.ConfigError)


@pytest.mark.parametrize("error", [errors.DiskError("full"), ValueError("full"), Interrupted(15)])
def test_what_fails_after_the_document_goes_to_standard_error(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    """Of a training that is JUnit's file, for one."""

    def print_and_fail(document: Any) -> None:
        really(document)
        raise error

    really = console.print_json
    monkeypatch.setattr("nncli.report.console.print_json", print_and_fail)

    interrupted = isinstance(error, Interrupted)
    assert main(["neuron", "--json"]) == (143 if interrupted else 1)
    out, err = capfd.readouterr()
    assert document_of(out, "neuron")["document"] == "neuron"
    assert (err == "interrupted\n") if interrupted else ("full" in err)


def test_a_signal_while_it_is_printed_waits_until_all_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    class Interrupting(io.StringIO):
        def write(self, text: str) -> int:
            half = len(text) // 2
            super().write(text[:half])
            signal.raise_signal(signal.SIGINT)
            return half + super().write(text[half:])

    monkeypatch.setattr(sys, "stdout", stream := Interrupting())
    # a second one would end the process
    monkeypatch.setattr(signal, "raise_signal", once(signal.raise_signal))

    assert main(["neuron", "--json"]) == 130
    assert document_of(stream.getvalue(), "neuron")["document"] == "neuron"
    assert capsys.readouterr().err == "interrupted\n"


def once(function: Callable[[int], None]) -> Callable[[int], None]:
    left = [function]
    return lambda number: left.pop()(number) if left else None


def test_another_command_line_of_the_process_has_its_own_document(capfd: Captured) -> None:
    for _ in range(2):
        assert main(["neuron", "--json"]) == 0
        assert document_of(capfd.readouterr().out, "neuron")
        assert main(["neuron", "--bias", "x", "--json"]) == 2
        assert document_of(capfd.readouterr().out, "neuron")["document"] == "error"
