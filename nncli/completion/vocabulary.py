"""The words that a shell offers and that take long to find out, written down in words.json.

Whoever presses TAB waits, and more than half of that would go into loading what configs are
checked with. A test holds the file to what the tables and the section classes say; `write` makes
it anew.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

WRITTEN = Path(__file__).with_name("words.json")


class Key(NamedTuple):
    """A key that a config may have."""

    path: str
    """Dotted."""
    description: str
    is_section: bool
    values: list[str]
    """What may stand there, where that is a list of words."""


class Vocabulary(NamedTuple):
    """Names with their meanings, in the order of their tables."""

    kinds: dict[str, str]
    sources: dict[str, str]
    formats: dict[str, str]
    configs: dict[str, str]
    kind_of: dict[str, str]
    """Of each shipped config, what it trains."""
    keys: Mapping[str, list[Key]]
    """Of each kind's configs; a section comes before what is in it."""


@cache
def vocabulary() -> Vocabulary:
    """What is written down."""
    found = json.loads(WRITTEN.read_text(encoding="utf-8"))
    keys = {kind: [Key(*row) for row in rows] for kind, rows in found.pop("keys").items()}
    return Vocabulary(**found, keys=keys)


def collected() -> Vocabulary:
    """What should be written down."""
    from nncli.config import keys, shipped_configs
    from nncli.config.shipped import summary
    from nncli.data import SOURCES
    from nncli.models import KINDS
    from nncli.schema import SCHEMAS, kind_of
    from nncli.trained.export import FORMATS

    return Vocabulary(
        kinds={row.name: row.summary for row in KINDS.values()},
        sources={row.name: row.summary for row in SOURCES.values()},
        formats={row.name: row.summary for row in FORMATS.values()},
        configs={name: summary(path) for name, path in shipped_configs().items()},
        kind_of={name: kind_of(name) for name in shipped_configs()},
        keys={
            kind: [
                Key(row.path, row.description, row.is_section, list(row.values))
                for row in keys(SCHEMAS[kind])
            ]
            for kind in SCHEMAS
        },
    )


def write() -> None:
    """Write down what should be."""
    text = json.dumps(collected()._asdict(), ensure_ascii=False, indent=0)
    WRITTEN.write_text(text + "\n", encoding="utf-8", newline="\n")
