"""Every shipped config: found by name, opens with its command, says nothing but the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from nncli.cli import main
from nncli.config import load, shipped_configs, to_dict
from nncli.config.strict_yaml import parse
from nncli.models import KINDS
from nncli.schema import schema

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
    assert load(schema(kind), kind, name).config.kind == kind
    first = SHIPPED[name].read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"# nncli train {kind} --config {name}")


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_kinds_own_config_is_its_defaults(kind: str) -> None:
    named = to_dict(load(schema(kind), kind, kind).config)
    assert named == to_dict(load(schema(kind), kind).config)


def test_it_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "cnn", "--config", "cnn", "--set", "model.nothing=1"]) == 2
    assert "model.nothing" in capsys.readouterr().err, "the config was read: its key is refused"
