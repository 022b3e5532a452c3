"""From a file and the command line to one checked config.

Precedence, lowest first: defaults < config file < `--set` < named options. Each value keeps the
place it came from, so that every problem is shown where it was written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nncli.config.problems import explain, shown
from nncli.config.sections import Config, Section
from nncli.config.shipped import shipped_configs
from nncli.config.strict_yaml import (
    KeyPath,
    Place,
    Tree,
    dotted,
    is_printable,
    parse,
    read_text,
)
from nncli.errors import ConfigError, Problem, UsageError, unknown_name


@dataclass(frozen=True)
class Override:
    """A value from the command line: `Override("training.epochs", 5, "--epochs 5")`."""

    path: str
    value: Any
    origin: str

    @classmethod
    def from_set(cls, text: str) -> Override:
        """`training.epochs=5`, as `--set` takes it; the value is read as YAML.

        Raises:
            UsageError: no `=`, an empty key, or a value that is not YAML.
        """
        path, equals, value = text.partition("=")
        if not equals or not all(path.strip().split(".")) or not is_printable(path):
            raise UsageError(
                f"--set '{text}' is not KEY=VALUE",
                hint="write it like --set training.epochs=5",
            )
        origin = f"--set {text}"
        try:
            return cls(path.strip(), parse(value, origin).value, origin)
        except ConfigError as error:
            first = error.problems[0]
            problem = Problem(path.strip(), first.message, first.advice, origin)
            hint = "put single quotes around the whole: --set 'model.units=[16, 8]'"
            raise ConfigError(
                f"--set has a value that is not YAML: {value}", [problem], hint=hint
            ) from error


@dataclass(frozen=True)
class Loaded:
    """A checked config and where its values came from."""

    config: Config
    origins: Mapping[str, str]
    """By dotted key: `my.yaml:7`, `--set training.epochs=5`; keys not here are defaults."""


def find(name: str) -> Path:
    """The file that `--config NAME` means: a shipped name, or else a path.

    Raises:
        UsageError: a bare word that names neither.
    """
    shipped = shipped_configs()
    if name in shipped:
        return shipped[name]
    path = Path(name)
    is_path = path.suffix in {".yaml", ".yml"} or len(path.parts) != 1
    if is_path or os.path.exists(name):  # noqa: PTH110 - Path.exists raises for a long name
        return path
    raise unknown_name("config", name, list(shipped))


def load(
    schema: type[Config],
    kind: str,
    name: str | None = None,
    overrides: Sequence[Override] = (),
) -> Loaded:
    """Read, merge and check a config of `kind`.

    `name` is a shipped config or a path; without it the defaults of the kind are taken.

    Raises:
        ConfigError: with every problem found, in the order of the file.
        UsageError: an unknown name.
    """
    tree = Tree({})
    folder = Path()
    if name is not None:
        path = find(name)
        folder = path.parent
        tree = parse(read_text(path), str(path))
        if tree.value is None:
            tree.value = {}
        if not isinstance(tree.value, dict):
            problem = tree.problem((), "a config is a mapping", "write `key: value`", at_key=False)
            raise ConfigError(f"{path} is not a config", [problem])
    for override in overrides:
        _apply(tree, override)
    title = name or f"the config of {kind}"
    given = tree.value.setdefault("kind", kind)
    if given != kind:
        other = f", or run nncli train {given}" if isinstance(given, str) and given else ""
        message = f"{shown(given)}, but the command trains {kind}"
        problem = tree.problem(("kind",), message, f"write {kind}{other}", at_key=False)
        raise ConfigError(f"{title} has another kind", [problem])
    schema.complete(tree.value)
    config = _validate(schema, tree, title)
    return Loaded(_resolve_paths(config, tree, folder.resolve()), _origins(tree))


def _apply(tree: Tree, override: Override) -> None:
    keys: KeyPath = tuple(override.path.split("."))
    place = Place(override.origin)
    node = tree.value
    for end, key in enumerate(keys[:-1], start=1):
        if not isinstance(node.get(key), dict):
            node[key] = {}
            tree.keys[keys[:end]] = place
            tree.values[keys[:end]] = place
        node = node[key]
    node[keys[-1]] = override.value
    for table in (tree.keys, tree.values):
        for below in [path for path in table if path[: len(keys)] == keys]:
            del table[below]
        table[keys] = place


def _validate(schema: type[Config], tree: Tree, name: str) -> Config:
    try:
        # JSON mode: a list may become a tuple and a text a path, but never a text a number
        text = json.dumps(tree.value, ensure_ascii=False).encode(errors="replace")
        return schema.model_validate_json(text, strict=True)
    except ValidationError as error:
        problems = explain(error, tree, schema)
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise ConfigError(
        f"{name} has {count}",
        problems,
        hint=f"see a valid one with nncli train {tree.value['kind']} --dry-run",
    )


def _resolve_paths(config: Config, tree: Tree, folder: Path) -> Config:
    """Paths written in a file are relative to it; those of the command line to where it is run."""

    def resolve(section: Section, path: KeyPath) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for key in type(section).model_fields:
            value = getattr(section, key)
            if isinstance(value, Section):
                inner = resolve(value, (*path, key))
                if inner:
                    changed[key] = value.model_copy(update=inner)
            elif isinstance(value, Path):
                place = tree.values.get((*path, key))
                base = folder if place is not None and place.line else Path.cwd()
                with suppress(RuntimeError):  # ~nobody: taken as it is, and not found later
                    value = value.expanduser()
                changed[key] = base / value
        return changed

    return config.model_copy(update=resolve(config, ()))


def _origins(tree: Tree) -> dict[str, str]:
    return {
        dotted(path): f"{place.origin}:{place.line}" if place.line else place.origin
        for path, place in tree.values.items()
        if path
    }
