"""Configs as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from nncli.config.sections import Config
from nncli.config.strict_yaml import meaning, parse
from nncli.config.tree import dotted


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
    if any(character in text for character in "\n\r\x85\u2028\u2029"):
        style = '"'  # on one line, with escapes
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(str, _represent_text)


def to_yaml(config: Config, comment: str = "", origins: Mapping[str, str] | None = None) -> str:
    """The complete config as YAML that `load` reads back to the same config.

    `comment` becomes its first line. With `origins` each value is followed by where it is from.
    """
    one_line = 2**31
    body = yaml.dump(
        to_dict(config), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=one_line
    )
    if origins is not None:
        body = _with_comments(body, origins)
    return (f"# {_printable(comment)}\n" if comment else "") + body


def _with_comments(body: str, origins: Mapping[str, str]) -> str:
    """Each value's origin behind it, all in one column unless a line is very long."""
    lines = body.splitlines()
    places = parse(body, "").values.items()
    line_of = {dotted(path): place.line for path, place in places if dotted(path) in origins}
    longest = max((len(lines[line - 1]) for line in line_of.values()), default=0)
    column = min(longest, _COMMENT_COLUMN)
    for key, line in line_of.items():
        lines[line - 1] = f"{lines[line - 1]:<{column}}  # {_printable(origins[key])}"
    return "\n".join(lines) + "\n"


_COMMENT_COLUMN = 40


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
