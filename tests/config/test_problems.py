"""Every mistake in a config: its words, its advice and its exact place."""

from __future__ import annotations

from pathlib import Path

import pytest

from nncli.config import Override, load
from nncli.errors import ConfigError, ExitCode, Problem
from nncli.schema import SCHEMAS


def problems(kind: str, text: str | None, folder: Path, *sets: str) -> tuple[Problem, ...]:
    name = None
    if text is not None:
        (folder / "bad.yaml").write_text(text, encoding="utf-8")
        name = str(folder / "bad.yaml")
    with pytest.raises(ConfigError) as caught:
        load(SCHEMAS, kind, name, [Override.from_set(each) for each in sets])
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.problems


def marked(problem: Problem) -> str:
    """What the carets stand under."""
    line, text = problem.source[-1]
    assert line == problem.line
    return text[problem.column - 1 : problem.column - 1 + problem.length]


BAD = """\
# a lesson
kind: cnn
data:
  source: digits
training:
  epochs: -5
  optimizer: adm
  learning_rate: 1e-3
  leraning_rate: 0.01
  early_stopping: {patience: three}
model:
  filters: [32, x, 0]
"""


def test_all_problems_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = problems("cnn", BAD, tmp_path, "seed=-1")

    assert [(p.path, p.line, p.column, p.length) for p in found] == [
        ("training.epochs", 6, 11, 2),
        ("training.optimizer", 7, 14, 3),
        ("training.leraning_rate", 9, 3, 13),
        ("training.early_stopping.patience", 10, 30, 5),
        ("model.filters[1]", 12, 17, 1),
        ("model.filters[2]", 12, 20, 1),
        ("seed", 0, 12, 2),
    ]
    assert [p.message for p in found[:2]] == [
        "-5 is too small",
        "'adm' is not one of adam, adamw, sgd, rmsprop",
    ]
    assert found[0].source == ((5, "training:"), (6, "  epochs: -5"))


@pytest.mark.parametrize(
    ("sets", "headline"),
    [
        ([], "bad.yaml has 6 problems"),
        (["seed=-1"], "bad.yaml and the command line have 7 problems"),
    ],
)
def test_the_headline_counts(sets: list[str], headline: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    with pytest.raises(ConfigError) as caught:
        load(SCHEMAS, "cnn", str(path), [Override.from_set(each) for each in sets])

    assert caught.value.message == f"{tmp_path}/{headline}"
    assert caught.value.hint == "see a valid one with nncli config show cnn"


@pytest.mark.parametrize(
    ("kind", "given", "path", "under", "message", "advice"),
    [
        ("cnn", "training.epochs=x", "training.epochs", "x", "'x' is not a whole number",
         "write a number, e.g. 3"),
        ("cnn", "training.epochs=", "training.epochs", "=", "null is not a whole number",
         "write a number, e.g. 3"),
        ("cnn", "seed='3'", "seed", "'3'", "'3' is not a whole number", "write 3 without quotes"),
        ("cnn", "training.epoch=3", "training.epoch", "epoch", "unknown key",
         "did you mean 'epochs'?"),
        ("cnn", "training.lr=3", "training.lr", "lr", "unknown key",
         "did you mean 'learning_rate'?"),
        ("cnn", " trainin.epochs =3", "trainin", "trainin", "unknown key",
         "did you mean 'training'?"),
        ("cnn", "epochs=3", "epochs", "epochs", "unknown key",
         "this key belongs under 'training:'"),
        ("rnn", "model.filters=[3]", "model.filters", "filters", "unknown key",
         "only for kind cnn"),
        ("cnn", "training.epochs.x=3", "training.epochs", "epochs",
         "{'x': 3} is not a whole number", "write a number, e.g. 3"),
        ("cnn", "training={epochs: -5}", "training.epochs", "-5", "-5 is too small",
         "must be at least 1"),
        ("cnn", "model.filters=[32, x]", "model.filters[1]", "x", "'x' is not a whole number",
         "write a number, e.g. 3"),
        ("cnn", "seed=017", "seed", "017", "017 has a leading zero", "write 17, or '017' for text"),
        ("cnn", "training={epochs: 1, epochs: 2}", "training.epochs", "epochs",
         "duplicate key, first given at line 1, column 17", "keep one of the two"),
        ("cnn", "kind=rnn", "kind", "rnn", "'rnn', but the command trains cnn",
         "write cnn, or run nncli train rnn"),
        ("cnn", "extends=cnn-mnist", "extends", "extends",
         "a config file extends another, the command line does not",
         "give the file or the name with --config"),
        ("rnn", "data.source=cvs", "data.source", "cvs",
         "'cvs' is not one of sine, csv, table, waves, ts, npz, npy, idx", "did you mean 'csv'?"),
        ("rnn", "data.source=csv", "data.path", "csv", "missing, and it has no default",
         "add --set data.path=…"),
        ("cnn", "data.validation=0.9", "data.validation", "0.9",
         "validation 0.9 and test 0.2 leave nothing to train on", "make them smaller"),
        ("transfer", "pretraining=null", "pretraining", "null", "null, but weights are pretrain",
         "say what to train the base on, or set model.weights to random"),
    ],
)  # fmt: skip
def test_problems_of_set_are_shown_in_the_argument(
    kind: str, given: str, path: str, under: str, message: str, advice: str, tmp_path: Path
) -> None:
    (problem,) = problems(kind, None, tmp_path, given)

    assert (problem.path, problem.message, problem.advice) == (path, message, advice)
    assert problem.place == f"--set {given}"
    assert problem.source == ((0, f"--set {given}"),)
    assert marked(problem) == under


@pytest.mark.parametrize(
    ("path", "option", "text", "under", "message"),
    [
        ("training.epochs", "--epochs", "-5", "-5", "-5 is too small"),
        ("training.epochs", "--epochs", "3.5", "3.5", "3.5 is not a whole number"),
        ("training.learning_rate", "--learning-rate", "nan", "nan", "'nan' is not a number"),
        ("training.learning_rate", "--learning-rate", ".nan", ".nan",
         ".nan is not a finite number"),
        ("training.device", "--device", "gpux", "gpux", "'gpux' is not a device"),
        ("seed", "--seed", "[1", "[", "the bracket that opens here has no ]"),
    ],
)  # fmt: skip
def test_problems_of_named_options(
    path: str, option: str, text: str, under: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(SCHEMAS, "cnn", None, [Override.from_option(path, option, text)])

    (problem,) = caught.value.problems
    assert (problem.path, problem.message) == (path, message)
    assert problem.place == f"{option} {text}"
    assert marked(problem) == under
    assert caught.value.message == "the command line has 1 problem"


def test_all_arguments_are_judged_together(tmp_path: Path) -> None:
    found = problems("cnn", None, tmp_path, "model.filters=[1", "seed=x", "data.sise=3")

    assert [problem.origin for problem in found] == [
        "--set model.filters=[1",
        "--set seed=x",
        "--set data.sise=3",
    ]


def test_values_that_exclude_each_other_are_found_beside_other_mistakes(tmp_path: Path) -> None:
    text = "data: {validation: 0.9, size: x}\ntraining: {epochs: -5, monitor: val_loss}\nxy: 1\n"

    found = problems("cnn", text, tmp_path)

    assert [p.path for p in found] == ["data.validation", "data.size", "training.epochs", "xy"]


def test_nothing_is_concluded_from_a_value_that_is_wrong_itself(tmp_path: Path) -> None:
    text = "data: {validation: 1.5, test: 0.2}\nmodel: {filters: [1, 2, x], kernel_size: 29}\n"

    found = problems("cnn", text, tmp_path)

    assert [p.path for p in found] == ["data.validation", "model.filters[2]"]


def test_the_command_line_is_blamed_before_the_file(tmp_path: Path) -> None:
    (problem,) = problems("cnn", "data: {validation: 0.5}\n", tmp_path, "data.test=0.6")

    assert problem.place == "--set data.test=0.6"
    assert problem.related == ("data.validation",)


@pytest.mark.parametrize(
    ("given", "under", "message", "advice"),
    [
        ("rnn", "rnn", "'rnn', but the command trains cnn", "write cnn, or run nncli train rnn"),
        ("cnnn", "cnnn", "'cnnn' is not one of rnn, lstm, cnn, transfer", "did you mean 'cnn'?"),
        ("5", "5", "5 is not one of rnn, lstm, cnn, transfer", "write cnn"),
        ("null", "null", "null is not one of rnn, lstm, cnn, transfer", "write cnn"),
    ],
)
def test_a_kind_that_is_not_the_commands(
    given: str, under: str, message: str, advice: str, tmp_path: Path
) -> None:
    first, *rest = problems("cnn", f"kind: {given}\nepoch: 3\n", tmp_path)

    assert (first.path, first.message, first.advice) == ("kind", message, advice)
    assert marked(first) == under
    # of another kind's config nothing more can be said, in spite of a slip it can
    assert [problem.path for problem in rest] == ([] if given == "rnn" else ["epoch"])


def test_a_long_value_is_shortened(tmp_path: Path) -> None:
    (problem,) = problems("cnn", f"training: {{optimizer: {'x' * 500}}}\n", tmp_path)

    assert len(problem.message) < 120
