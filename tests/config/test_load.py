"""From files and the command line to one config: precedence, paths, origins, round trips."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nncli.config import Config, Override, load, shipped_configs, to_dict, to_yaml
from nncli.data import SOURCES
from nncli.errors import ConfigError, UsageError
from nncli.models import KINDS
from nncli.schema import SCHEMAS


def made(kind: str, text: str | None, folder: Path, *overrides: Override) -> Config:
    name = None
    if text is not None:
        path = folder / "my.yaml"
        path.write_text(text, encoding="utf-8")
        name = str(path)
    return load(SCHEMAS, kind, name, overrides).config


def set_(*texts: str) -> list[Override]:
    return [Override.from_set(text) for text in texts]


# Precedence


def test_defaults_file_set_and_named_options(tmp_path: Path) -> None:
    text = "seed: 1\ntraining: {epochs: 2, batch_size: 3}\n"
    overrides = [
        *set_("training.epochs=4", "training.batch_size=5"),
        Override.from_option("seed", "--seed", "6"),
        Override.from_option("training.epochs", "--epochs", "7"),
    ]

    config = made("cnn", text, tmp_path, *overrides)

    assert config.training.learning_rate == 0.001  # default
    assert made("cnn", text, tmp_path).training.batch_size == 3  # file < default
    assert config.training.batch_size == 5  # --set < file
    assert config.training.epochs == 7  # named < --set
    assert config.seed == 6


def test_the_last_set_wins(tmp_path: Path) -> None:
    assert made("cnn", None, tmp_path, *set_("seed=1", "seed=2")).seed == 2


@pytest.mark.parametrize(
    ("kind", "text", "path", "value"),
    [
        ("rnn", "model.units=[16,8]", ("model", "units"), (16, 8)),
        ("rnn", "model.units=[16, 8]", ("model", "units"), (16, 8)),
        ("rnn", " model.units =[4]", ("model", "units"), (4,)),
        ("cnn", "training.learning_rate=1e-4", ("training", "learning_rate"), 1e-4),
        ("cnn", "training.early_stopping=null", ("training", "early_stopping"), None),
        ("cnn", "training.early_stopping.patience=2", ("training", "early_stopping"), 2),
        ("cnn", "training.early_stopping={patience: 2}", ("training", "early_stopping"), 2),
        ("cnn", "data={source: mnist}", ("data", "source"), "mnist"),
        ("rnn", "data={source: csv, path: a=b.csv}", ("data", "path"), Path.cwd() / "a=b.csv"),
        ("cnn", 'model.activation="tanh"', ("model", "activation"), "tanh"),
    ],
)
def test_values_of_set(
    kind: str, text: str, path: tuple[str, str], value: object, tmp_path: Path
) -> None:
    got = getattr(getattr(made(kind, None, tmp_path, *set_(text)), path[0]), path[1])

    assert getattr(got, "patience", got) == value


def test_set_of_a_section_below_a_plain_value(tmp_path: Path) -> None:
    text = "training:\n  early_stopping: null\n"

    config = made("cnn", text, tmp_path, *set_("training.early_stopping.patience=3"))

    assert config.training.early_stopping is not None
    assert config.training.early_stopping.patience == 3


def test_set_may_mend_a_file(tmp_path: Path) -> None:
    config = made("cnn", "training: {epochs: -5}\n", tmp_path, *set_("training.epochs=5"))

    assert config.training.epochs == 5


@pytest.mark.parametrize("text", ["", "x", "training.epochs", "=3", ".a=3", "a..b=3", "\udcff=1"])
def test_set_without_key_or_value(text: str) -> None:
    with pytest.raises(UsageError, match="is not KEY=VALUE") as caught:
        Override.from_set(text)

    assert caught.value.hint == "write it like --set training.epochs=5"


@pytest.mark.parametrize(
    ("text", "message", "column", "length"),
    [
        ("model.units=[16", "the bracket that opens here has no ]", 19, 1),
        ("seed=017", "017 has a leading zero", 12, 3),
        ("seed=&x 1", "anchor &x: a config has none", 12, 2),
        ("seed=b: c: d", "a ':' where no key can stand", 16, 1),
        ("seed=\udcff", "character U+DCFF is not allowed in YAML", 12, 1),
    ],
)
def test_set_with_a_value_that_is_not_yaml(
    text: str, message: str, column: int, length: int
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(SCHEMAS, "rnn", None, set_(text))

    (problem,) = caught.value.problems
    assert caught.value.message == "the command line has 1 problem"
    assert problem.message == message
    assert problem.path == text.partition("=")[0]
    assert problem.origin == problem.place == f"--set {text}"
    assert (problem.line, problem.column, problem.length) == (0, column, length)
    assert problem.source == ((0, f"--set {text}"),)
    if "[" in text:
        assert "single quotes" in problem.advice


# Names, origins, paths


def test_a_shipped_config_by_its_name() -> None:
    assert load(SCHEMAS, "rnn", "rnn").config.kind == "rnn"


@pytest.mark.parametrize("name", sorted(shipped_configs()))
def test_shipped_configs_are_valid(name: str) -> None:
    kind = name.partition("-")[0]

    assert load(SCHEMAS, kind, name).config.kind == kind


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("cnm", "unknown config 'cnm'", "did you mean 'cnn'?"),
        ("something", "unknown config 'something'", "choose one of cnn"),
        ("cnm.yaml", "cnm.yaml does not exist", "nncli config list shows shipped ones"),
        ("no/such", "no/such does not exist", "nncli config list shows shipped ones"),
        ("", ". is a folder", "give a YAML file"),
        ("n" * 300, f"unknown config '{'n' * 300}'", "choose one of cnn"),
    ],
)
def test_unknown_names(name: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(SCHEMAS, "cnn", name)

    assert caught.value.message == message
    assert hint in str(caught.value.hint)


def leaves(document: dict[str, Any], above: str = "") -> Iterator[str]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield above + key


def test_origins(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("seed: 1\n\ntraining:\n  epochs: 2\n  batch_size: 3\n")
    overrides = [*set_("training.epochs=4"), Override.from_option("seed", "--seed", "6")]

    loaded = load(SCHEMAS, "cnn", str(path), overrides)
    origins = loaded.origins()

    assert origins["training.batch_size"] == f"{path}:5"
    assert origins["training.epochs"] == "--set"
    assert origins["seed"] == "--seed"
    assert origins["training.learning_rate"] == "default"
    assert set(origins) == set(leaves(to_dict(loaded.config)))


def test_paths_belong_to_where_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", "/home/me")

    def path(value: str, *overrides: str) -> Path:
        config: Any = made(
            "rnn", f"data: {{source: csv, path: {value}}}\n", there, *set_(*overrides)
        )
        found: Path = config.data.path
        return found

    assert path("a.csv") == there / "a.csv"
    assert path("../a.csv") == there / "../a.csv"
    assert path("/abs/a.csv") == Path("/abs/a.csv")
    assert path("~/a.csv") == Path("/home/me/a.csv")
    assert path("~nobody-of-this-name/a.csv") == there / "~nobody-of-this-name/a.csv"
    assert path("a.csv", "data.path=b.csv") == here / "b.csv"
    assert path("a.csv", "data={source: csv, path: b.csv}") == here / "b.csv"
    assert path("a.csv", "data.window=3") == there / "a.csv"

    text = "data: {size: 32}\nmodel: {base: VGG16, weights: w.weights.h5}\n"
    transfer: Any = made("transfer", text, there)
    assert transfer.model.weights == there / "w.weights.h5"
    inner = "pretraining: {data: {source: folder, path: p, size: 28, color: grayscale}}\n"
    pretrained: Any = made("transfer", inner, there)
    assert pretrained.pretraining.data.path == there / "p"


def test_a_relative_name_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "my.yaml").write_text("data: {source: csv, path: a.csv}\n")
    monkeypatch.chdir(tmp_path)

    config: Any = load(SCHEMAS, "rnn", "sub/my.yaml").config

    assert config.data.path == tmp_path / "sub" / "a.csv"


def test_a_saved_base_is_looked_for_beside_its_config(tmp_path: Path) -> None:
    text = "model: {base: mine.keras}\n"

    config: Any = made("transfer", text, tmp_path)

    assert config.model.base == tmp_path / "mine.keras"
    assert config.model.weights == "saved"
    (tmp_path / "elsewhere").mkdir()
    assert made("transfer", to_yaml(config), tmp_path / "elsewhere") == config


# Round trips

REQUIRED = {
    "csv": "path: s.csv",
    "table": "path: t.csv",
    "ts": "path: s",
    "folder": "path: p",
    "npz": "path: a.npz",
    "npy": "path: x.npy",
    "idx": "path: i",
}
PRETRAINING = {"cifar10": "cifar100", "cifar100": "cifar10", "folder": "folder, path: q"}
EVERY = [
    (kind.name, source.name)
    for kind in KINDS.values()
    for source in SOURCES.values()
    if set(source.families) & set(kind.families)
]


@pytest.mark.parametrize(("kind", "source"), EVERY)
def test_what_is_written_is_read_back(kind: str, source: str, tmp_path: Path) -> None:
    required = f", {REQUIRED[source]}" if source in REQUIRED else ""
    given = f"data: {{source: {source}{required}}}\n"
    if kind == "transfer" and source in PRETRAINING:  # of the size and the colours of the task
        given += f"pretraining: {{data: {{source: {PRETRAINING[source]}}}}}\n"
    config = made(kind, given, tmp_path)

    text = to_yaml(config, "nncli train")

    assert text.startswith("# nncli train\nkind: ")
    (tmp_path / "elsewhere").mkdir()
    again = made(kind, text, tmp_path / "elsewhere")
    assert again == config
    assert to_yaml(again, "nncli train") == text


@pytest.mark.parametrize("kind", KINDS)
def test_the_written_config_is_complete(kind: str, tmp_path: Path) -> None:
    config = made(kind, None, tmp_path)

    document = to_dict(config)

    assert set(document) == set(type(config).model_fields)
    assert set(document["training"]) == set(type(config.training).model_fields)


@pytest.mark.parametrize(
    "name",
    [
        *[
            "no",
            "1e3",
            ".5",
            "017",
            "08",
            "1:30",
            "2024-01-01",
            "null",
            "~",
            "0x1F",
            "0o17",
            "true",
            "'",
            '"',
            "#x",
            "&a",
            "<<",
            "é中",
            "%",
            "@",
        ],
        *("a: b", " x ", "- x", "x" * 300, "two words " * 30),
    ],
)
def test_texts_stay_texts(name: str, tmp_path: Path) -> None:
    quoted = "'" + name.replace("'", "''") + "'"
    config: Any = made("rnn", f"data: {{source: csv, path: s.csv, column: {quoted}}}\n", tmp_path)
    assert config.data.column == name

    again: Any = made("rnn", to_yaml(config), tmp_path)

    assert again.data.column == name


def test_a_comment_is_one_line(tmp_path: Path) -> None:
    config = made("cnn", None, tmp_path)

    text = to_yaml(config, "a\nseed: 7\x1b")

    assert text.splitlines()[0] == "# a?seed: 7?"
    assert made("cnn", text, tmp_path) == config


# What a refused config costs

CODE = """
import sys
from nncli.cli import main
code = main(sys.argv[1:])
heavy = [m for m in ("tensorflow", "keras", "matplotlib", "sklearn", "PIL") if m in sys.modules]
print(code, heavy)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--config", "my.yaml"], ["--set", "model.unit=3"], ["--config", "nothing"]],
)
def test_a_refused_config_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("training: {epochs: -5}\n")

    done = subprocess.run(
        [sys.executable, "-c", CODE, "train", "transfer", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )

    assert done.stdout == "2 []\n"
