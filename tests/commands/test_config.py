"""`nncli config …` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nncli.cli import main
from nncli.config import json_schema, load, shipped_configs, to_dict
from nncli.config.shipped import summary
from nncli.config.strict_yaml import parse
from nncli.schema import SCHEMAS, kind_of
from tests.documents.read import document_of

Captured = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("here")


def answer(capsys: Captured, *arguments: str, code: int = 0) -> str:
    assert main(["config", *arguments]) == code
    out, err = capsys.readouterr()
    assert bool(err) == bool(code)
    return out


# list


def test_list_has_every_shipped_config(capsys: Captured) -> None:
    lines = answer(capsys, "list").splitlines()

    listed = {line.split()[0]: line for line in lines[:-2]}
    assert set(listed) == set(shipped_configs())
    assert "rnn" in listed["rnn"].split()
    assert listed["cnn-mnist"].endswith("(downloads on first use)")
    assert "downloads" not in listed["cnn"]
    for name, line in listed.items():
        assert summary(shipped_configs()[name]) in line


def test_list_as_data(capsys: Captured) -> None:
    rows = {row["name"]: row for row in json.loads(answer(capsys, "list", "--json"))["configs"]}

    assert rows["transfer-vgg16-cifar10"] == {
        "name": "transfer-vgg16-cifar10",
        "kind": "transfer",
        "data": "cifar10",
        "summary": "The lesson's transfer learning: VGG16 under a new head, on CIFAR-10",
        "needs_network": True,
    }
    assert not rows["lstm-ts"]["needs_network"]


# show


def test_show_prints_the_complete_config(capsys: Captured) -> None:
    Path("my.yaml").write_text("kind: cnn\nmodel: {units: 64}\n")
    shown = answer(capsys, "show", "cnn", "--config", "my.yaml", "--set", "training.epochs=3")

    document = parse(shown, "").value
    assert document["model"]["units"] == 64
    assert document["training"]["epochs"] == 3
    assert document == to_dict(load(SCHEMAS, "cnn", "my.yaml").config) | {
        "training": document["training"]
    }


@pytest.mark.parametrize(
    ("name", "kind"), [("cnn", "cnn"), ("cnn-mnist", "cnn"), ("./my.yaml", "rnn")]
)
def test_show_takes_a_kind_a_name_or_a_path(name: str, kind: str, capsys: Captured) -> None:
    Path("my.yaml").write_text("kind: rnn\n")

    assert answer(capsys, "show", name).startswith(f"kind: {kind}\n")


def test_show_says_where_each_value_comes_from(capsys: Captured) -> None:
    Path("my.yaml").write_text("kind: cnn\n\ntraining:\n  batch_size: 8\n  epochs: 2\n")
    shown = answer(
        capsys, "show", "my.yaml", "--origins", "--set", "model.units=9", "--epochs", "4",
        "--set", "training.epochs=3",
    )  # fmt: skip

    origins = {
        line.partition(":")[0].strip(): line.partition("  # ")[2]
        for line in shown.splitlines()
        if "  # " in line
    }
    assert origins["batch_size"] == "my.yaml:4"
    assert origins["epochs"] == "--epochs"
    assert origins["units"] == "--set"
    assert origins["kind"] == "my.yaml:1"
    assert origins["optimizer"] == "default"
    assert parse(shown, "").value["training"]["epochs"] == 4, "it is still a config"
    values = [line for line in shown.splitlines() if not line.endswith(":")]
    assert all("  # " in line for line in values), "every value has one"


def test_show_as_data(capsys: Captured) -> None:
    document = json.loads(answer(capsys, "show", "rnn", "--origins", "--json", "--seed", "5"))

    assert document["config"]["seed"] == 5
    assert document["origins"]["seed"] == "--seed"
    assert document["origins"]["model.units"] == "default"
    assert "origins" not in json.loads(answer(capsys, "show", "rnn", "--json"))


def test_show_refuses_what_train_refuses(capsys: Captured) -> None:
    assert main(["config", "show", "cnn", "--epochs", "x", "--set", "sed=1"]) == 2
    err = capsys.readouterr().err
    assert "--epochs x" in err
    assert "did you mean 'seed'?" in err
    assert main(["config", "show", "cnn-mnist", "--config", "my.yaml"]) == 2
    assert "are two configs" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*shipped_configs()])
def test_what_is_shown_is_a_config_that_means_the_same(name: str, capsys: Captured) -> None:
    Path("shown.yaml").write_text(answer(capsys, "show", name, "--origins"))

    assert load(SCHEMAS, None, "shown.yaml").config == load(SCHEMAS, None, name).config


@pytest.mark.parametrize("column", ["a: b", "with  # sign", "zwei\nZeilen", "é中", "x" * 200])
def test_no_text_breaks_the_comments(column: str, capsys: Captured) -> None:
    quoted = json.dumps(column)
    arguments = ["--set", "data.source=csv", "--set", "data.path=s.csv", "--set"]
    shown = answer(capsys, "show", "rnn", *arguments, f"data.column={quoted}", "--origins")

    assert parse(shown, "").value["data"]["column"] == column


# copy


def test_copy_gives_a_file_that_runs_and_says_how(capsys: Captured) -> None:
    out = answer(capsys, "copy", "cnn-mnist")

    assert "saved cnn-mnist.yaml" in out
    first, second, *rest = Path("cnn-mnist.yaml").read_text(encoding="utf-8").splitlines()
    assert first == "# yaml-language-server: $schema=cnn.schema.json"
    assert second == "# nncli train cnn --config cnn-mnist.yaml"
    shipped = shipped_configs()["cnn-mnist"].read_text(encoding="utf-8").splitlines()
    assert rest == shipped[1:]
    assert json.loads(Path("cnn.schema.json").read_text(encoding="utf-8")) == json_schema(
        SCHEMAS, "cnn"
    )


@pytest.mark.parametrize(
    ("target", "file"), [("my.yaml", "my.yaml"), ("sub", "sub/cnn.yaml"), ("new/my.yml", None)]
)
def test_copy_to_a_file_or_a_folder(target: str, file: str | None, capsys: Captured) -> None:
    Path("sub").mkdir()
    answer(capsys, "copy", "cnn", target)

    path = Path(file or target)
    assert path.is_file()
    assert path.with_name("cnn.schema.json").is_file()
    assert load(SCHEMAS, None, str(path)).config == load(SCHEMAS, "cnn").config


def test_copy_never_overwrites_without_force(capsys: Captured) -> None:
    Path("my.yaml").write_text("mine\n")
    assert main(["config", "copy", "cnn", "my.yaml"]) == 2
    assert capsys.readouterr().err == (
        "error: my.yaml is already there\nhelp: give another name, or --force\n"
    )
    assert Path("my.yaml").read_text() == "mine\n"
    assert not Path("cnn.schema.json").exists(), "nothing half done"

    answer(capsys, "copy", "cnn", "my.yaml", "--force")
    assert Path("my.yaml").read_text() != "mine\n"


def test_copy_replaces_its_own_schema_and_no_other_file(capsys: Captured) -> None:
    Path("cnn.schema.json").write_text('{"title": "nncli config: cnn", "old": true}')
    answer(capsys, "copy", "cnn")
    assert '"old"' not in Path("cnn.schema.json").read_text(encoding="utf-8")

    Path("rnn.schema.json").write_text("[1]")
    assert main(["config", "copy", "rnn"]) == 2
    assert "not a schema of nncli" in capsys.readouterr().err
    assert not Path("rnn.yaml").exists()


@pytest.mark.parametrize("name", [*shipped_configs()])
def test_every_copy_is_valid(name: str, capsys: Captured) -> None:
    answer(capsys, "copy", name, "my file.yaml")

    line = Path("my file.yaml").read_text(encoding="utf-8").splitlines()[1]
    assert line.startswith(f"# nncli train {kind_of(name)} --config 'my file.yaml'")
    answer(capsys, "validate", "my file.yaml")


def test_copy_of_a_name_that_is_none(capsys: Captured) -> None:
    assert main(["config", "copy", "cnn-mnst"]) == 2
    assert "did you mean 'cnn-mnist'?" in capsys.readouterr().err


# validate


def test_validate_counts(capsys: Captured) -> None:
    Path("good.yaml").write_text("kind: cnn\n")
    Path("bad.yaml").write_text("kind: cnn\nseed: x\n")
    assert answer(capsys, "validate", "good.yaml") == (
        "✓ good.yaml  cnn on digits\n1 config: valid\n"
    )
    assert main(["config", "validate", "good.yaml", "bad.yaml", "none.yaml", "rnn"]) == 2
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "✓ good.yaml  cnn on digits",
        "✓ rnn  rnn on sine",
        "4 configs: 2 valid, 2 not",
    ]
    assert "bad.yaml:2:7" in err
    assert "none.yaml does not exist" in err


def test_validate_as_data(capsys: Captured) -> None:
    Path("bad.yaml").write_text("kind: cnn\nseed: x\n")
    assert main(["config", "validate", "--json", "cnn", "bad.yaml"]) == 2
    out, err = capsys.readouterr()
    document = document_of(out, "config validate")
    assert err == ""
    assert (document["valid"], document["invalid"]) == (1, 1)
    good, bad = document["configs"]
    assert (good["valid"], good["kind"], good["data"], good["error"]) == (
        True, "cnn", "digits", None,
    )  # fmt: skip
    (problem,) = bad["error"]["problems"]
    assert (problem["path"], problem["line"], problem["column"]) == ("seed", 2, 7)


def test_validate_needs_to_know_the_kind(capsys: Captured) -> None:
    Path("my.yaml").write_text("training: {epochs: 3}\n")
    assert main(["config", "validate", "my.yaml"]) == 2
    assert "nobody knows what it trains" in capsys.readouterr().err
    answer(capsys, "validate", "my.yaml", "--kind", "lstm")
    assert main(["config", "validate", "my.yaml", "--kind", "ltsm"]) == 2
    assert "did you mean 'lstm'?" in capsys.readouterr().err


def test_validate_without_a_file(capsys: Captured) -> None:
    assert main(["config", "validate"]) == 2
    assert "FILE" in capsys.readouterr().err


# schema


@pytest.mark.parametrize("kind", [None, *SCHEMAS])
def test_schema_is_one_json_document(kind: str | None, capsys: Captured) -> None:
    document: Any = json.loads(answer(capsys, "schema", *([kind] if kind else [])))

    assert document == json_schema(SCHEMAS, kind)
    assert document["$schema"].endswith("2020-12/schema")


def test_config_alone_lists_its_commands(capsys: Captured) -> None:
    assert main(["config"]) == 2
    out = capsys.readouterr().out
    for command in ("list", "show", "copy", "validate", "schema"):
        assert f"  {command} " in out
