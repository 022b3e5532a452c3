"""YAML 1.2 values with the place of each, and none of YAML's traps.

`1e-3` is a number, `no` is text, 017 and duplicate keys are refused, and so are anchors,
aliases, merge keys, tags and a second document: a config needs none of them, and each has cost
somebody a run. PyYAML's event stream gives syntax and positions; what a scalar means is decided
here (YAML 1.2.2, core schema, section 10.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nncli.errors import ConfigError, Problem

KeyPath = tuple[str | int, ...]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_VALUES = 20_000

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Place:
    """Where a key or value was written."""

    origin: str
    """The file, or the option that carried it."""
    line: int = 0
    """1-based; 0 where there is no line."""
    column: int = 0
    """1-based."""
    length: int = 1


@dataclass
class Tree:
    """Plain values, and the place of every key and value by its path."""

    value: Any
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    """Source lines by origin, to show beside a problem."""

    def problem(self, path: KeyPath, message: str, advice: str, *, at_key: bool) -> Problem:
        """A problem at `path`, or at the nearest thing above it that was written somewhere."""
        first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
        place = None
        for end in range(len(path), -1, -1):
            place = first.get(path[:end]) or second.get(path[:end])
            if place is not None:
                break
        return located(dotted(path), message, advice, place or Place("default"), self.lines)


def dotted(path: KeyPath) -> str:
    """`("model", "units", 0)` as `model.units[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def located(
    path: str, message: str, advice: str, place: Place, lines: dict[str, list[str]]
) -> Problem:
    """A problem with the source lines around its place."""
    source = lines.get(place.origin, [])
    shown: tuple[tuple[int, str], ...] = ()
    if 0 < place.line <= len(source):
        first = max(1, place.line - 1)
        shown = tuple((number, source[number - 1]) for number in range(first, place.line + 1))
    return Problem(
        path, message, advice, place.origin, place.line, place.column, place.length, shown
    )


def read_text(path: Path) -> str:
    """The text of a config file.

    Raises:
        ConfigError: not a regular file, too large, or not UTF-8.
    """
    origin = str(path)

    def refuse(message: str, hint: str) -> ConfigError:
        return ConfigError(f"{origin} {message}", [Problem("", message, origin=origin)], hint=hint)

    try:
        if not path.exists():
            raise refuse("does not exist", "check the path, or name a shipped config")
        if not path.is_file():
            what = "a folder" if path.is_dir() else "not a regular file"
            raise refuse(f"is {what}", "give a YAML file")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise refuse(f"has {size:,} bytes; a config has at most {MAX_BYTES:,}", "shorten it")
        raw = path.read_bytes()
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}", "check its permissions") from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse("is UTF-16; a config is UTF-8", "save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise refuse(f"is not UTF-8 (line {line})", "save it as UTF-8") from error


def parse(text: str, origin: str) -> Tree:
    """The values of a YAML text and where each was written.

    Raises:
        ConfigError: a syntax error, or something that a config must not contain.
    """
    tree = Tree(None, lines={origin: text.splitlines()})
    try:
        _Builder(tree, origin).build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(origin, mark.line + 1, mark.column + 1) if mark is not None else Place(origin)
        what = (error.problem or "this is not YAML").replace("\\t", "a tab")
        raise _syntax_error(tree, place, what, _advice_for(text, place)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        raise _syntax_error(
            tree,
            Place(origin, line, column),
            f"character {error.character!r} is not allowed in YAML",
            "remove it",
        ) from error
    return tree


def _advice_for(text: str, place: Place) -> str:
    lines = text.splitlines()
    if 0 < place.line <= len(lines) and "\t" in lines[place.line - 1][: place.column]:
        return "indent with spaces; YAML allows no tabs"
    return "check quotes, brackets, colons and indentation near here"


def _syntax_error(
    tree: Tree, place: Place, message: str, advice: str, path: str = ""
) -> ConfigError:
    problem = located(path, message, advice, place, tree.lines)
    return ConfigError(f"{place.origin} cannot be read as a config", [problem])


class _Builder:
    """Turns PyYAML's events into plain values, noting places and refusing traps."""

    def __init__(self, tree: Tree, origin: str) -> None:
        self.tree = tree
        self.origin = origin
        self.count = 0

    def build(self, text: str) -> None:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refuse(event, (), "a second document starts here", "keep one")
                self.tree.value = self._node(next(events), events, (), 1)

    def _place(self, event: yaml.Event) -> Place:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        length = end.column - start.column if end.line == start.line else 1
        return Place(self.origin, start.line + 1, start.column + 1, max(1, length))

    def _refuse(self, event: yaml.Event, path: KeyPath, message: str, advice: str) -> ConfigError:
        return _syntax_error(self.tree, self._place(event), message, advice, dotted(path))

    def _node(
        self, event: yaml.Event, events: Iterator[yaml.Event], path: KeyPath, depth: int
    ) -> Any:
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(event, path, f"alias *{event.anchor}", "write the value out")
        assert isinstance(event, yaml.NodeEvent)
        tag = getattr(event, "tag", None)
        if event.anchor:
            raise self._refuse(event, path, f"anchor &{event.anchor}", "write the value out")
        if tag is not None:
            raise self._refuse(event, path, f"tag {tag}", "write a plain value")
        if depth > MAX_DEPTH:
            raise self._refuse(event, path, f"nested deeper than {MAX_DEPTH} levels", "flatten it")
        self.count += 1
        if self.count > MAX_VALUES:
            raise self._refuse(event, path, f"more than {MAX_VALUES:,} values", "shorten it")
        self.tree.values[path] = self._place(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                items.append(self._node(event, events, (*path, len(items)), depth + 1))
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            self._key(event, mapping, path)
            assert isinstance(event, yaml.ScalarEvent)
            key = event.value
            self.tree.keys[(*path, key)] = self._place(event)
            mapping[key] = self._node(next(events), events, (*path, key), depth + 1)
        return mapping

    def _key(self, event: yaml.Event, mapping: dict[str, Any], path: KeyPath) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refuse(event, path, "a key must be a word", "write `key: value`")
        if event.value == "<<" and event.implicit[0]:
            raise self._refuse(event, path, "merge key <<", "write the keys out")
        if event.anchor or event.tag is not None:
            raise self._refuse(event, path, "an anchor or tag on a key", "write a plain key")
        if event.value in mapping:
            first = self.tree.keys[(*path, event.value)]
            raise self._refuse(
                event,
                (*path, event.value),
                f"duplicate key, first given at line {first.line}",
                "keep one of the two",
            )

    def _scalar(self, event: yaml.ScalarEvent, path: KeyPath) -> Any:
        text: str = event.value
        if not event.implicit[0] or event.style is not None:
            return text
        if text in {"", "~", "null", "Null", "NULL"}:
            return None
        if text in {"true", "True", "TRUE"}:
            return True
        if text in {"false", "False", "FALSE"}:
            return False
        if _LEADING_ZERO.fullmatch(text):
            raise self._refuse(
                event,
                path,
                f"{text} has a leading zero",
                f"write {text.lstrip('+-0') or 0}, or '{text}' for text",
            )
        if _INTEGER.fullmatch(text):
            return int(text) if len(text) < 400 else text
        if _BASED.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return self._finite(float(text), event, path)
        if _NOT_FINITE.fullmatch(text):
            return self._finite(float(text.replace(".", "", 1)), event, path)
        return text

    def _finite(self, number: float, event: yaml.ScalarEvent, path: KeyPath) -> float:
        if number - number != 0:
            raise self._refuse(event, path, f"{event.value} is not a finite number", "write one")
        return number
