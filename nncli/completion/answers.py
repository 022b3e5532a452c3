"""The words that fit: kinds, shipped configs, activations, runs, and the keys of a config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from nncli.completion.vocabulary import Vocabulary

Answers = list[tuple[str, str]]
"""Each word with its meaning."""


def kinds(incomplete: str) -> Answers:
    """The kinds of model."""
    return _fitting(_known().kinds, incomplete)


def configs(incomplete: str) -> Answers:
    """The shipped configs."""
    return _fitting(_known().configs, incomplete)


def kinds_and_configs(incomplete: str) -> Answers:
    """What `config show` takes by name."""
    return list((dict(configs(incomplete)) | dict(kinds(incomplete))).items())


def sources(incomplete: str) -> Answers:
    """The data sources."""
    return _fitting(_known().sources, incomplete)


def activations(incomplete: str) -> Answers:
    """The activation functions."""
    from nncli.activations import ACTIVATIONS

    return _fitting({row.name: row.text for row in ACTIVATIONS.values()}, incomplete)


def formats(incomplete: str) -> Answers:
    """What a model is exported to."""
    return _fitting(_known().formats, incomplete)


def documents(context: typer.Context, incomplete: str) -> Answers:
    """The commands that take --json, word by word."""
    from nncli.documents.every import commands

    before = [*(context.params.get("words") or ())]
    found = {
        words[len(before)]: text
        for words, text in ((name.split(), text) for name, text in commands().items())
        if words[:-1] == before
    }
    return _fitting(found, incomplete)


def runs(context: typer.Context, incomplete: str) -> Answers:
    """The runs by name, the newest first."""
    root = Path(context.params.get("runs_in") or "outputs")
    records = root.glob("*/*/run.json")
    folders = [record.parent for record in records if not record.parent.name.startswith(".")]
    folders.sort(key=lambda folder: (folder / "run.json").stat().st_mtime_ns, reverse=True)
    rows = [(folder.name, folder.parent.name) for folder in folders]
    rows += [("latest", rows[0][0])] if rows else []
    return [(name, meaning) for name, meaning in rows if name.startswith(incomplete)]


def settings(context: typer.Context, incomplete: str) -> Answers:
    """A key of the config, level by level, and after the `=` what it may be."""
    key, equals, _ = incomplete.partition("=")
    found: dict[str, str] = {}
    for kind in _kinds_on_line(context):
        for row in _known().keys[kind]:
            if equals and row.path == key:
                found |= {f"{key}={value}": _meaning(key, value) for value in row.values}
            elif not equals and row.path.startswith(incomplete):
                rest = row.path[len(incomplete) :]
                level = incomplete + re.split(r"(?<=\.)", rest, maxsplit=1)[0]
                end = "." if row.is_section else "="
                found.setdefault(level if level.endswith(".") else level + end, row.description)
    return _fitting(found, incomplete)


def _known() -> Vocabulary:
    """Read only once a shell asks: every command comes by here."""
    from nncli.completion.vocabulary import vocabulary

    return vocabulary()


def _kinds_on_line(context: typer.Context) -> list[str]:
    """The kind that the line names, itself or by a shipped config; else all."""
    given, known = context.params, _known()
    for name in map(str, (given.get("kind", given.get("name")), given.get("config"))):
        if name in known.kinds:
            return [name]
        if name in known.kind_of:
            return [known.kind_of[name]]
    return list(known.kinds)


def _meaning(key: str, value: str) -> str:
    return _known().sources.get(value, "") if key.endswith("data.source") else ""


def _fitting(meanings: Mapping[str, str], incomplete: str) -> Answers:
    return [each for each in meanings.items() if each[0].startswith(incomplete)]
