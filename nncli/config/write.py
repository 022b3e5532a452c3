"""Configs as text."""

from __future__ import annotations

from typing import Any

import yaml

from nncli.config.sections import Config
from nncli.config.strict_yaml import meaning


def to_dict(config: Config) -> dict[str, Any]:
    """The complete config as plain values: what YAML and JSON can hold."""
    document: dict[str, Any] = config.model_dump(mode="json")
    return document


class _Dumper(yaml.SafeDumper):
    """Short lists on one line, everything else as a block."""


def _represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    flat = all(not isinstance(item, (list, dict)) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # PyYAML knows YAML 1.1, where 1e3 is text and needs no quotes; `load` reads YAML 1.2
    style = None if meaning(text) == text else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(str, _represent_text)


def to_yaml(config: Config, comment: str = "") -> str:
    """The complete config as YAML that `load` reads back to the same config.

    `comment` becomes its first line.
    """
    body = yaml.dump(
        to_dict(config), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )
    line = "".join(character if character.isprintable() else "?" for character in comment)
    return (f"# {line}\n" if line else "") + body
