"""Every mistake in a config: its words, its advice and its exact place."""

from __future__ import annotations

from pathlib import Path

import pytest

from nncli.config import Override, load
from nncli.errors import ConfigError, ExitCode, Problem
from nncli.schema import schema


def problems(kind: str, text: str | None, folder: Path, *sets: str) -> tuple[Problem, ...]:
    name = None
    if text is not None:
        (folder / "bad.yaml").write_text(text, encoding="utf-8")
        name = str(folder / "bad.yaml")
    with pytest.raises(ConfigError) as caught:
        load(schema(kind), kind, name, [Override.from_set(each) for each in sets])
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.problems


def marked(problem: Problem) -> str:
    """What the carets stand under."""
    line, text = problem.source[-1]
    assert line == problem.line
    return text[problem.column - 1 : problem.column - 1 + problem.length]


TABLE = [
    # unknown keys
    ("cnn", "{sede: 3}", "sede", "sede", "unknown key", "did you mean 'seed'?"),
    ("cnn", "{epochs: 3}", "epochs", "epochs", "unknown key", "this key belongs under 'training:'"),
    ("cnn", "{units: 3}", "units", "units", "unknown key", "this key belongs under 'model:'"),
    ("cnn", "{patience: 3}", "patience", "patience", "unknown key",
     "this key belongs under 'training.early_stopping:'"),
    ("cnn", "{training: {patience: 3}}", "training.patience", "patience", "unknown key",
     "this key belongs under 'training.early_stopping:'"),
    ("cnn", "{training: {early_stopping: {epochs: 3}}}", "training.early_stopping.epochs", "epochs",
     "unknown key", "this key belongs under 'training:'"),
    ("cnn", "{model: {seed: 3}}", "model.seed", "seed", "unknown key",
     "this key belongs outside of 'model:'"),
    ("cnn", "{xyzzy: 3}", "xyzzy", "xyzzy", "unknown key",
     "known keys: kind, seed, data, model, training"),
    ("cnn", "{training: {learning-rate: 3}}", "training.learning-rate", "learning-rate",
     "unknown key", "did you mean 'learning_rate'?"),
    ("cnn", "{training: {early_stopping: {paitence: 3}}}", "training.early_stopping.paitence",
     "paitence", "unknown key", "did you mean 'patience'?"),
    ("cnn", "{data: {source: digits, sise: 9}}", "data.sise", "sise", "unknown key",
     "did you mean 'size'?"),
    ("cnn", "{data: {path: x}}", "data.path", "path", "unknown key", "only for source folder"),
    ("cnn", "{data: {source: mnist, size: 9}}", "data.size", "size", "unknown key",
     "only for source digits or folder"),
    ("transfer", "{pretraining: {data: {source: mnist, size: 9}}}", "pretraining.data.size", "size",
     "unknown key", "only for source digits or folder"),
    ("transfer", "{pretraining: {batch_size: 9, data: {source: digits}}}", "pretraining.batch_size",
     "batch_size", "unknown key", "this key belongs under 'training:'"),
    # types
    ("cnn", "{seed: three}", "seed", "three", "'three' is not a whole number",
     "write a number, e.g. 3"),
    ("cnn", "{seed: '3'}", "seed", "'3'", "'3' is not a whole number", "write 3 without quotes"),
    ("cnn", "{seed: 1e3}", "seed", "1e3", "1e3 is not a whole number", "write 1000"),
    ("cnn", "{seed: 2.5}", "seed", "2.5", "2.5 is not a whole number", "write a number, e.g. 3"),
    ("cnn", "{seed: true}", "seed", "true", "true is not a whole number", "write a number, e.g. 3"),
    ("cnn", "{seed: null}", "seed", "null", "null is not a whole number", "write a number, e.g. 3"),
    ("cnn", "{seed: [1, 2]}", "seed", "[1, 2]", "[1, 2] is not a whole number",
     "write a number, e.g. 3"),
    ("cnn", "{training: {learning_rate: no}}", "training.learning_rate", "no",
     "'no' is not a number", "write a number, e.g. 0.001"),
    ("cnn", "{training: {learning_rate: '1e-3'}}", "training.learning_rate", "'1e-3'",
     "'1e-3' is not a number", "write 1e-3 without quotes"),
    ("cnn", "{model: {filters: 32}}", "model.filters", "32", "32 is not a list", "write [32]"),
    ("cnn", "{model: {filters: [32, x]}}", "model.filters[1]", "x", "'x' is not a whole number",
     "write a number, e.g. 3"),
    ("cnn", "{model: {filters: []}}", "model.filters", "[]", "[] is too short",
     "must hold at least 1 value"),
    ("cnn", "{model: {filters: [1,1,1,1,1,1,1,1,1]}}", "model.filters", "[1,1,1,1,1,1,1,1,1]",
     "[1, 1, 1, 1, 1, 1, 1, 1, 1] is too long", "may hold at most 8 values"),
    ("cnn", "{training: 5}", "training", "5", "5 is not a section", "write keys under it"),
    ("cnn", "{training: [a]}", "training", "[a]", "['a'] is not a section", "write keys under it"),
    ("cnn", "{data: 5}", "data", "5", "5 is not a section", "write keys under it"),
    ("cnn", "{model: null}", "model", "null", "null is not a section",
     "write keys under it, or remove it"),
    ("rnn", "{data: {source: csv, path: 5}}", "data.path", "5", "5 is not text",
     "write text; put quotes around a number"),
    ("rnn", "{data: {source: csv, path: x, column: 1.5}}", "data.column", "1.5",
     "1.5 is not text or a whole number", "write a number, e.g. 3"),
    # limits
    ("cnn", "{training: {epochs: -5}}", "training.epochs", "-5", "-5 is too small",
     "must be at least 1"),
    ("cnn", "{training: {epochs: 0x0}}", "training.epochs", "0x0", "0x0 is too small",
     "must be at least 1"),
    ("cnn", "{training: {epochs: 10000000}}", "training.epochs", "10000000",
     "10000000 is too large", "must be at most 1000000"),
    ("cnn", "{training: {learning_rate: 0}}", "training.learning_rate", "0", "0 is too small",
     "must be more than 0"),
    ("cnn", "{training: {learning_rate: 1e1000000}}", None, "1e1000000",
     "1e1000000 is not a finite number", "write one that is"),
    ("cnn", "{model: {dropout: 1}}", "model.dropout", "1", "1 is too large", "must be less than 1"),
    ("cnn", "{model: {filters: [32, 0]}}", "model.filters[1]", "0", "0 is too small",
     "must be at least 1"),
    ("cnn", "{seed: 4294967296}", "seed", "4294967296", "4294967296 is too large",
     "must be at most 4294967295"),
    ("rnn", "{data: {source: csv, path: x, column: 0}}", "data.column", "0", "0 is too small",
     "must be at least 1"),
    # choices
    ("cnn", "{training: {optimizer: adm}}", "training.optimizer", "adm",
     "'adm' is not one of adam, adamw, sgd, rmsprop", "did you mean 'adam'?"),
    ("cnn", "{training: {optimizer: 'x y'}}", "training.optimizer", "'x y'",
     "'x y' is not one of adam, adamw, sgd, rmsprop", "write one of them"),
    ("cnn", "{training: {optimizer: 5}}", "training.optimizer", "5",
     "5 is not one of adam, adamw, sgd, rmsprop", "write one of them"),
    ("cnn", "{training: {device: gpux}}", "training.device", "gpux", "'gpux' is not a device",
     "write auto, cpu, gpu or gpu:N"),
    ("transfer", "{model: {compare: [scrath]}}", "model.compare[0]", "scrath",
     "'scrath' is not one of scratch, random", "did you mean 'scratch'?"),
    # sources and kinds
    ("cnn", "{data: {source: digit}}", "data.source", "digit",
     "'digit' is not one of digits, mnist, fashion-mnist, cifar10, cifar100, folder",
     "did you mean 'digits'?"),
    ("rnn", "{data: {source: mnist}}", "data.source", "mnist",
     "'mnist' is not one of sine, csv, waves, ts", "write one of them"),
    ("rnn", "{data: {source: csv}}", "data.path", "data", "missing, and it has no default",
     "add it"),
    ("cnn", "{data: {source: folder}}", "data.path", "data", "missing, and it has no default",
     "add it"),
    ("transfer", "{model: {base: VGG16}, pretraining: {epochs: 3}}", "pretraining.data",
     "pretraining", "missing, and it has no default", "add it"),
    ("transfer", "{model: {fine_tune: {epochs: 3}}}", "model.fine_tune.layers", "fine_tune",
     "missing, and it has no default", "add it"),
    ("cnn", "{kind: rnn}", "kind", "rnn", "'rnn', but the command trains cnn",
     "write cnn, or run nncli train rnn"),
    ("cnn", "{kind: 5}", "kind", "5", "5, but the command trains cnn", "write cnn"),
    ("cnn", "{kind: null}", "kind", "null", "null, but the command trains cnn", "write cnn"),
    ("cnn", "[a, b]", "", "[a, b]", "a config is a mapping", "write `key: value`"),
    ("cnn", "seed", "", "seed", "a config is a mapping", "write `key: value`"),
    # contradictions
    ("cnn", "{data: {validation: 0.9}}", "data.test", "{validation: 0.9}",
     "validation 0.9 and test 0.2 leave nothing to train on", "make them smaller"),
    ("cnn", "{data: {validation: 0.5, test: 0.6}}", "data.test", "0.6",
     "validation 0.5 and test 0.6 leave nothing to train on", "make them smaller"),
    ("rnn", "{data: {end: -1}}", "data.end", "-1", "-1 is not after start 0", "make it larger"),
    ("transfer", "{model: {base: VGG61}}", "model.base", "VGG61",
     "'VGG61' is not a network of keras.applications, small-cnn or a .keras file",
     "did you mean 'VGG19'?"),
    ("transfer", "{model: {base: VGG16, weights: imagent}}", "model.weights", "imagent",
     "'imagent' is not one of pretrain, imagenet, random, saved or an .h5 weights file",
     "did you mean 'imagenet'?"),
    ("transfer", "{model: {base: VGG16, weights: pretrain}}", "model.weights", "pretrain",
     "there are no pretrain weights for base 'VGG16'",
     "small-cnn takes pretrain, networks of keras.applications take imagenet"),
    ("transfer", "{model: {base: small-cnn, weights: imagenet}}", "model.weights", "imagenet",
     "there are no imagenet weights for base 'small-cnn'",
     "small-cnn takes pretrain, networks of keras.applications take imagenet"),
    ("transfer", "{model: {base: VGG16, weights: saved}}", "model.weights", "saved",
     "'saved' does not go with base 'VGG16'",
     "saved is for .keras files; write imagenet, random or a file"),
    ("transfer", "{model: {base: VGG16, alpha: 0.5}}", "model.alpha", "0.5", "VGG16 has no alpha",
     "only MobileNet, MobileNetV2, MobileNetV3Large, MobileNetV3Small have"),
    ("transfer", "{pretraining: {data: {source: digits}}, model: {base: VGG16}}", "pretraining",
     "{data: {source: digits}}",
     "weights are imagenet, so nothing is trained before the transfer",
     "remove it, or use base: small-cnn with weights: pretrain"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "path", "under", "message", "advice"), TABLE)
def test_a_problem(
    kind: str,
    text: str,
    path: str | None,
    under: str,
    message: str,
    advice: str,
    tmp_path: Path,
) -> None:
    (problem,) = problems(kind, f"# a comment\n\n{text}\n", tmp_path)

    assert problem.message == message
    assert problem.advice == advice
    assert path is None or problem.path == path
    assert problem.line == 3
    assert marked(problem) == under
    assert problem.source == ((2, ""), (3, text))
    assert problem.place == f"{tmp_path / 'bad.yaml'}:3:{problem.column}"


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
        ("seed", 0, 0, 1),
    ]
    assert [p.message for p in found[:2]] == [
        "-5 is too small",
        "'adm' is not one of adam, adamw, sgd, rmsprop",
    ]
    assert found[0].source == ((5, "training:"), (6, "  epochs: -5"))


@pytest.mark.parametrize(("sets", "count"), [([], "6 problems"), (["seed=-1"], "7 problems")])
def test_the_headline_counts(sets: list[str], count: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    with pytest.raises(ConfigError) as caught:
        load(schema("cnn"), "cnn", str(path), [Override.from_set(each) for each in sets])

    assert caught.value.message == f"{path} has {count}"
    assert caught.value.hint == "see a valid one with nncli train cnn --dry-run"


@pytest.mark.parametrize(
    ("kind", "given", "path", "message", "advice"),
    [
        ("cnn", "training.epochs=x", "training.epochs", "'x' is not a whole number",
         "write a number, e.g. 3"),
        ("cnn", "training.epochs=", "training.epochs", "null is not a whole number",
         "write a number, e.g. 3"),
        ("cnn", "training.epoch=3", "training.epoch", "unknown key", "did you mean 'epochs'?"),
        ("cnn", "trainin.epochs=3", "trainin", "unknown key", "did you mean 'training'?"),
        ("cnn", "epochs=3", "epochs", "unknown key", "this key belongs under 'training:'"),
        ("cnn", "training.epochs.x=3", "training.epochs", "{'x': 3} is not a whole number",
         "write a number, e.g. 3"),
        ("cnn", "training={epochs: -5}", "training.epochs", "-5 is too small",
         "must be at least 1"),
        ("cnn", "kind=rnn", "kind", "'rnn', but the command trains cnn",
         "write cnn, or run nncli train rnn"),
        ("rnn", "data.source=cvs", "data.source", "'cvs' is not one of sine, csv, waves, ts",
         "did you mean 'csv'?"),
        ("rnn", "data.source=csv", "data.path", "missing, and it has no default", "add it"),
        ("cnn", "data.validation=0.9", "data.test",
         "validation 0.9 and test 0.2 leave nothing to train on", "make them smaller"),
        ("transfer", "pretraining=null", "pretraining", "null, but weights are pretrain",
         "write weights"),
    ],
)  # fmt: skip
def test_problems_of_set_name_the_option(
    kind: str, given: str, path: str, message: str, advice: str, tmp_path: Path
) -> None:
    (problem,) = problems(kind, None, tmp_path, given)

    assert (problem.path, problem.message, problem.advice) == (path, message, advice)
    assert problem.place == f"--set {given}"
    assert problem.source == ()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (Override("training.epochs", -5, "--epochs -5"), "-5 is too small"),
        (Override("training.learning_rate", float("nan"), "--learning-rate nan"),
         "nan is not a finite number"),
        (Override("training.device", "\udcff", "--device ?"), "'?' is not a device"),
    ],
)  # fmt: skip
def test_problems_of_named_options(override: Override, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(schema("cnn"), "cnn", None, [override])

    (problem,) = caught.value.problems
    assert problem.message == message
    assert problem.place == override.origin
    assert caught.value.message == "the config of cnn has 1 problem"


def test_a_long_value_is_shortened(tmp_path: Path) -> None:
    (problem,) = problems("cnn", f"training: {{optimizer: {'x' * 500}}}\n", tmp_path)

    assert len(problem.message) < 120
