"""From a file and the command line to one checked config.

Precedence, lowest first: defaults < what the file extends < the file < `--set` < named options.
Each value keeps the place it came from, so that every problem is shown where it was written.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from nncli.config.inherit import read
from nncli.config.overrides import Override, apply
from nncli.config.problems import MOST_PROBLEMS, explain
from nncli.config.sections import Config, Contradiction, Section
from nncli.config.tree import KeyPath, Tree, dotted, shown
from nncli.errors import ConfigError, Problem, closest

C = TypeVar("C", bound=Config)
Schemas = Mapping[str, type[C]]
"""The config class of every kind."""


@dataclass(frozen=True)
class Loaded(Generic[C]):
    """A checked config and where its values came from."""

    config: C
    tree: Tree
    unsettled: C
    """The config with its plain defaults, before those that depend on the samples."""

    def origins(self) -> dict[str, str]:
        """Where each value is from, by dotted key: `default`, `my.yaml:7`, `--set`, `--epochs`."""
        return {dotted(path): self._origin(path) for path in _leaves(self.config)}

    def settle(self, facts: Any) -> Loaded[C]:
        """Hold the config against the samples once they are read.

        Raises:
            ConfigError: the samples are not what it takes them for.
        """
        config = self.unsettled.settled(self.tree.is_written, facts)
        problems = list(_contradictions(config.across(facts), config, self.tree))
        if problems:
            raise _refused(self.tree, problems, config.kind)
        return replace(self, config=config)

    def _origin(self, path: KeyPath) -> str:
        # a value inside a list, or under a section that was given whole, has a place of its own
        place = self.tree.values.get(path)
        if place is None:
            return "default"
        return f"{place.origin}:{place.line}" if place.line else place.origin.split()[0]


def load(
    schemas: Schemas[C],
    kind: str | None,
    name: str | None = None,
    overrides: Sequence[Override] = (),
) -> Loaded[C]:
    """Read, merge and check a config.

    Args:
        schemas: the config class of every kind.
        kind: what the command trains; None takes what the file says.
        name: a shipped config or a path; without it the defaults of the kind are taken.
        overrides: the command line's values, the stronger ones last.

    Raises:
        ConfigError: with every problem found, in the order they were written.
        UsageError: an unknown name.
    """
    if kind is not None:
        schemas[kind]  # an unknown one is the first thing to say
    tree = read(name) if name is not None else Tree({})
    for override in overrides:
        apply(tree, override)
    kind = _kind(tree, kind, list(schemas))
    config, problems, left_out = _validate(schemas, kind, tree)
    problems = [*tree.problems, *problems]
    if config is not None and not tree.lacks_base:
        settled = config.settled(tree.is_written)
        found = [*settled.all_contradictions(), *settled.across()]
        problems += _contradictions(found, settled, tree, [*left_out, *tree.broken])
    if problems or config is None:
        raise _refused(tree, problems, kind)
    config = _resolve_paths(config, tree)
    return Loaded(config.settled(tree.is_written), tree, config)


def _kind(tree: Tree, wanted: str | None, kinds: list[str]) -> str:
    """What the config trains; a mistake that leaves it open ends the reading."""
    key = ("kind",)
    given = tree.value.setdefault("kind", wanted)
    if given in kinds and wanted in {given, None}:
        return str(given)
    if given in kinds:
        message = f"{shown(given)}, but the command trains {wanted}"
        advice = f"write {wanted}, or run nncli train {given}"
    elif key not in tree.values:
        if tree.lacks_base:  # it may stand there
            raise _refused(tree, tree.problems, wanted or kinds[0])
        message = "missing, so nobody knows what it trains"
        advice = f"add kind: with one of {', '.join(kinds)}"
    else:
        guess = closest(str(given), kinds)
        message = f"{shown(given)} is not one of {', '.join(kinds)}"
        advice = f"did you mean '{guess}'?" if guess else f"write {wanted or 'one of them'}"
    place = tree.values.get(key)
    if place is not None and place.line and tree.extends and place.origin != tree.extends.origin:
        # the file below is right, only to build on it is not
        advice = f"write kind: {wanted} here, or run nncli train {given}"
        tree.problems.append(tree.located("kind", message, advice, tree.extends))
    elif not tree.is_broken(key):
        tree.problems.append(tree.problem(key, message, advice, at_key=False))
    if wanted is None or given in kinds:
        raise _refused(tree, tree.problems, wanted or kinds[0])
    tree.value["kind"] = wanted  # a slip in this one word: the rest can be judged all the same
    return wanted


def _validate(
    schemas: Schemas[C], kind: str, tree: Tree
) -> tuple[C | None, list[Problem], list[KeyPath]]:
    """The config, what is wrong with its values by themselves, and where.

    Where something is wrong, the config is what remains without it, so that the right values can
    still be held against each other; None where nothing can be made of them.
    """
    schema = schemas[kind]
    document = copy.deepcopy(tree.value)
    problems: list[Problem] | None = None
    left_out: list[KeyPath] = []
    unknown: list[KeyPath] = []
    while True:
        complete = copy.deepcopy(document)
        schema.complete(complete)
        try:
            # JSON mode: a list may become a tuple and a text a path, but never a text a number
            text = json.dumps(complete, ensure_ascii=False).encode(errors="replace")
            return schema.model_validate_json(text, strict=True), problems or [], left_out + unknown
        except ValidationError as error:
            error_count = error.error_count()
            found = explain(error, tree, complete, kind, schemas)
        if problems is None:
            judged = (f for f in found if f.unknown_key or not tree.is_broken(f.path))
            problems = [each.problem for each in judged]
        if error_count > MOST_PROBLEMS:
            return None, problems, left_out
        removed = False
        for each in found:
            if any(each.path[: len(out)] == out for out in left_out):
                continue  # it went with the section that it is in
            path = _remove(document, each.path)
            removed = removed or bool(path)
            if path:
                (unknown if each.unknown_key else left_out).append(path)
        if not removed:
            return None, problems, left_out


def _remove(document: dict[str, Any], path: KeyPath) -> KeyPath:
    """Take out the value at a path, or the nearest above it; its path, or () for none."""
    node: Any = document
    nearest: tuple[dict[str, Any], KeyPath] | None = None
    for end, part in enumerate(path, start=1):
        if not isinstance(node, dict) or part not in node:
            break
        nearest = (node, path[:end])
        node = node[part]
    if nearest is None:
        return ()
    del nearest[0][str(nearest[1][-1])]
    return nearest[1]


def _contradictions(
    found: Iterable[Contradiction], config: Config, tree: Tree, wrong: Sequence[KeyPath] = ()
) -> Iterable[Problem]:
    """As problems, without those that rest on a value that is wrong by itself."""
    for contradiction in found:
        keys = [tuple(key.split(".")) for key in contradiction.keys]
        paths: list[KeyPath] = [key for key in keys if _has(config, key)] or list(keys[:1])
        if any(_touch(path, other) for path in paths for other in wrong):
            continue
        at = tree.blamed(paths)
        yield tree.problem(
            at,
            contradiction.message,
            contradiction.advice,
            at_key=False,
            related=[path for path in paths if path != at],
        )


def _has(section: Section, keys: tuple[str, ...]) -> bool:
    """Whether the config has a key: which ones the data has depends on its source."""
    for key in keys:
        if not isinstance(section, Section) or key not in type(section).model_fields:
            return False
        section = getattr(section, key)
    return True


def _touch(first: KeyPath, second: KeyPath) -> bool:
    """Whether one path is the other, or lies above it."""
    return all(a == b for a, b in zip(first, second, strict=False))


def _refused(tree: Tree, problems: Sequence[Problem], kind: str) -> ConfigError:
    problems = sorted(problems, key=tree.order)
    files = [p.origin for p in problems if p.line or p.origin not in tree.lines]
    names = list(dict.fromkeys(files))
    if any(p.origin in tree.lines and not p.line for p in problems):
        names.append("the command line")
    who = " and ".join(names) if names != ["default"] else f"the config of {kind}"
    have = "have" if len(names) > 1 else "has"
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    if len(problems) >= MOST_PROBLEMS:
        count = f"{MOST_PROBLEMS} problems and more"
    hint = f"see a valid one with nncli config show {kind}"
    return ConfigError(f"{who} {have} {count}", problems, hint=hint)


def _resolve_paths(config: C, tree: Tree) -> C:
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
                base = Path.cwd() if place is None else tree.folders[place.origin]
                with suppress(RuntimeError):  # ~nobody: taken as it is, and not found later
                    value = value.expanduser()
                changed[key] = base / value
        return changed

    return config.model_copy(update=resolve(config, ()))


def _leaves(section: Section, path: KeyPath = ()) -> Iterable[KeyPath]:
    """The path of every value that is not a section."""
    for key in type(section).model_fields:
        value = getattr(section, key)
        if isinstance(value, Section):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)
