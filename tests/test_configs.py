"""Every shipped config: found by name, opens with its command, says nothing but the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from nncli.cli import main
from nncli.config import load, shipped_configs, to_dict
from nncli.config.shipped import summary
from nncli.config.strict_yaml import parse
from nncli.data import SOURCES
from nncli.models import KINDS
from nncli.schema import SCHEMAS

SHIPPED = shipped_configs()


def kind_of(path: Path) -> str:
    kind = parse(path.read_text(encoding="utf-8"), str(path)).value["kind"]
    assert isinstance(kind, str)
    return kind


def test_there_is_one_for_every_kind_by_its_name() -> None:
    assert set(KINDS) <= set(SHIPPED)


@pytest.mark.parametrize("name", list(SHIPPED))
def test_it_is_valid_and_opens_with_its_command(name: str) -> None:
    kind = kind_of(SHIPPED[name])
    assert load(SCHEMAS, kind, name).config.kind == kind
    first = SHIPPED[name].read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"# nncli train {kind} --config {name}")


@pytest.mark.parametrize("name", list(SHIPPED))
def test_it_says_what_it_is_for_and_what_each_value_does(name: str) -> None:
    text = SHIPPED[name].read_text(encoding="utf-8")
    assert 20 <= len(summary(SHIPPED[name])) <= 80
    assert max(map(len, text.splitlines())) <= 100

    for line in text.splitlines():
        key, colon, value = line.partition(":")
        says = key.strip() in {"kind", "source", "classes"} or line.startswith("#")
        if colon and value.strip() and not says:
            assert " # " in value, f"{line} has no word of what it does"


def test_there_is_one_for_every_source() -> None:
    found = {load(SCHEMAS, None, name).config.data.source for name in SHIPPED}
    assert found == set(SOURCES)


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_kinds_own_config_is_its_defaults(kind: str) -> None:
    named = to_dict(load(SCHEMAS, kind, kind).config)
    assert named == to_dict(load(SCHEMAS, kind).config)


def test_it_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "cnn", "--config", "cnn", "--set", "model.nothing=1"]) == 2
    assert "model.nothing" in capsys.readouterr().err, "the config was read: its key is refused"
