"""From the name of a config to its values, with those of the config that it `extends`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nncli.config.shipped import shipped_configs
from nncli.config.strict_yaml import parse, read_text
from nncli.config.tree import KeyPath, Tree, shown
from nncli.errors import ConfigError, Problem, UsageError, unknown_name

EXTENDS = "extends"
"""The key of a config file that names the config it builds on: a shipped one, or a path relative
to the file."""


def find(name: str, folder: Path = Path()) -> Path:
    """The file that a name means: a shipped config, or else a path relative to `folder`.

    Raises:
        UsageError: a bare word that names neither.
    """
    shipped = shipped_configs()
    if name in shipped:
        return shipped[name]
    path = folder / name
    is_path = path.suffix in {".yaml", ".yml"} or len(Path(name).parts) != 1
    if is_path or os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a long name
        return path
    raise unknown_name("config", name, list(shipped))


def read(name: str) -> Tree:
    """The values of a config over those of the configs that it extends, each with its place.

    A section is laid over the section below it key by key. Where both name a data source and
    not the same one, the lower section is left out: its keys describe other data.

    Raises:
        UsageError: an unknown name.
        ConfigError: a file that cannot be read as a config.
    """
    paths = [find(name)]
    trees = [_one_file(paths[0], name)]
    while EXTENDS in trees[-1].value:
        path = _next(trees[-1], paths)
        if path is None:
            trees[0].lacks_base = True
            break
        base = trees[-1].value[EXTENDS]
        try:
            lower = _one_file(path, base if base in shipped_configs() else str(path))
        except ConfigError as error:
            trees[-1].problems += _at_the_name(trees[-1], error)
            trees[0].lacks_base = True
            break
        trees.append(lower)
        paths.append(path)
    for tree in trees:
        tree.extends = tree.values.get((EXTENDS,))
        tree.value.pop(EXTENDS, None)
        tree.forget((EXTENDS,))
    for lower in trees[1:]:
        _lay_over(trees[0], lower)
    return trees[0]


def _one_file(path: Path, origin: str) -> Tree:
    tree = parse(read_text(path, origin), origin)
    tree.folders[origin] = path.resolve().parent
    if tree.value is None:
        tree.value = {}
    if not isinstance(tree.value, dict):
        problem = tree.problem((), "a config is a mapping", "write `key: value`", at_key=False)
        raise ConfigError(f"{origin} is not a config", [*tree.problems, problem])
    return tree


def _next(tree: Tree, paths: Sequence[Path]) -> Path | None:
    """The file that the last of a chain extends; where there is none, a problem of its tree."""
    name = tree.value[EXTENDS]
    if tree.is_broken((EXTENDS,)):
        return None
    message, advice = "", ""
    if not isinstance(name, str) or not name:
        message = f"{shown(name)} is not the name of a config"
        advice = "write a shipped name or a path"
    else:
        try:
            path = find(name, paths[-1].parent)
            if path.resolve() not in [earlier.resolve() for earlier in paths]:
                return path
            names = [earlier.name for earlier in paths]
            begin = [earlier.resolve() for earlier in paths].index(path.resolve())
            message = f"a circle: {' extends '.join([*names[begin:], path.name])}"
            advice = "a config cannot build on itself"
        except UsageError as error:
            message, advice = error.message, error.hint or ""
    tree.problems.append(tree.problem((EXTENDS,), message, advice, at_key=False))
    return None


def _at_the_name(tree: Tree, error: ConfigError) -> list[Problem]:
    """The problems of a file that is extended; one of the whole file is shown where it is named."""
    if any(problem.line for problem in error.problems):
        return list(error.problems)
    return [tree.problem((EXTENDS,), error.message, error.hint or "", at_key=False)]


def _lay_over(tree: Tree, lower: Tree) -> None:
    """Take from `lower` what `tree` does not say."""

    def merge(mine: dict[str, Any], theirs: dict[str, Any], path: KeyPath) -> None:
        for key, value in theirs.items():
            here = (*path, key)
            if key not in mine:
                mine[key] = value
                tree.adopt(lower, here)
            elif isinstance(mine[key], dict) and isinstance(value, dict):
                merge_sections(mine[key], value, here)

    def merge_sections(mine: dict[str, Any], theirs: dict[str, Any], path: KeyPath) -> None:
        if not _other_data(mine, theirs):
            merge(mine, theirs, path)

    merge(tree.value, lower.value, ())
    tree.lines |= lower.lines
    tree.folders |= lower.folders
    tree.problems += lower.problems


def _other_data(upper: dict[str, Any], lower: dict[str, Any]) -> bool:
    """Whether two sections describe data of different sources."""
    return "source" in upper and "source" in lower and upper["source"] != lower["source"]
