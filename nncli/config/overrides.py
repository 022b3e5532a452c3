"""Values from the command line, laid over those of a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from nncli.config.inherit import EXTENDS
from nncli.config.strict_yaml import is_printable, parse
from nncli.config.tree import KeyPath, Place, Tree, dotted
from nncli.errors import ConfigError, Problem, UsageError


@dataclass(frozen=True)
class Override:
    """A value from the command line: `Override("training.epochs", "5", "--epochs 5", 0)`."""

    path: str
    """The dotted key."""
    text: str
    """The value as YAML."""
    argument: str
    """What was written on the command line; it ends with the value."""
    key_column: int = 0
    """Where the key begins in the argument, from 1; 0 where an option stands for it."""

    @classmethod
    def from_set(cls, text: str) -> Override:
        """`training.epochs=5`, as `--set` takes it.

        Raises:
            UsageError: no `=`, or an empty key.
        """
        path, equals, value = text.partition("=")
        key = path.strip()
        if not equals or not all(key.split(".")) or not is_printable(path):
            raise UsageError(
                f"--set '{text}' is not KEY=VALUE",
                hint="write it like --set training.epochs=5",
            )
        option = "--set "
        column = len(option) + len(path) - len(path.lstrip()) + 1
        return cls(key, value, option + text, column)

    @classmethod
    def from_option(cls, path: str, option: str, text: str) -> Override:
        """`--epochs 5`, an option that stands for one key."""
        return cls(path, text, f"{option} {text}")


def apply(tree: Tree, override: Override) -> None:
    """Lay one value over a tree; what is wrong with its text is noted in the tree."""
    keys: KeyPath = tuple(override.path.split("."))
    argument = override.argument
    tree.lines[argument] = [" ".join(argument.splitlines())]
    tree.folders[argument] = Path.cwd()
    given = _parsed(override, keys)
    places = _key_places(override, keys)
    if override.path == EXTENDS:
        message = "a config file extends another, the command line does not"
        advice = "give the file or the name with --config"
        tree.problems.append(tree.located(EXTENDS, message, advice, places[0]))
        return
    node = tree.value
    for end, key in enumerate(keys[:-1], start=1):
        if not isinstance(node.get(key), dict):
            node[key] = {}
            tree.keys[keys[:end]] = places[end - 1]
            tree.values[keys[:end]] = places[end - 1]
        node = node[key]
    tree.forget(keys)
    node[keys[-1]] = given.value
    tree.keys[keys] = places[-1]
    tree.keys |= {(*keys, *path): place for path, place in given.keys.items()}
    tree.values |= {(*keys, *path): place for path, place in given.values.items()}
    tree.broken |= {(*keys, *path) for path in given.broken}
    tree.problems += given.problems


def _parsed(override: Override, keys: KeyPath) -> Tree:
    """The value, its places counted in the argument."""
    argument = override.argument
    offset = len(argument) - len(override.text)
    try:
        # blanks in front change nothing but the columns
        given = parse(" " * offset + override.text, argument)
    except ConfigError as error:
        given = Tree(None, problems=list(error.problems), broken={()})
    whole = Place(argument, 0, offset + 1, max(1, len(override.text)))

    def place(found: Place) -> Place:
        return replace(found, line=0) if found.line == 1 else whole

    def problem(found: Problem) -> Problem:
        moved = place(Place(argument, found.line, found.column, found.length))
        inside = f".{found.path}" if found.path and found.path[0] != "[" else found.path
        path = dotted(keys) + inside
        advice = found.advice
        if "bracket" in found.message:
            advice += "; put single quotes around the whole: --set 'model.units=[16, 8]'"
        return Tree(None, lines={argument: [argument]}).located(path, found.message, advice, moved)

    given.problems = [problem(found) for found in given.problems]
    given.keys = {path: place(found) for path, found in given.keys.items()}
    given.values = {path: place(found) for path, found in given.values.items()} or {(): whole}
    if not override.text.strip():
        given.values[()] = Place(argument, 0, len(argument), 1)  # the `=` that nothing follows
    return given


def _key_places(override: Override, keys: KeyPath) -> list[Place]:
    """Where each part of the dotted key stands; the option itself where there is none."""
    if not override.key_column:
        return [Place(override.argument, 0, 1, override.argument.index(" "))] * len(keys)
    places, column = [], override.key_column
    for key in keys:
        places.append(Place(override.argument, 0, column, len(str(key))))
        column += len(str(key)) + 1
    return places
