"""YAML 1.2 values with the place of each, and none of YAML's traps.

`1e-3` is a number, `no` is text, 017 and duplicate keys are refused, and so are anchors,
aliases, merge keys, tags and a second document: a config needs none of them, and each has cost
somebody a run. PyYAML's event stream gives syntax and positions; what a scalar means is decided
here (YAML 1.2.2, core schema, section 10.3).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from nncli.errors import ConfigError, Problem

KeyPath = tuple[str | int, ...]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_VALUES = 20_000
MAX_DIGITS = 400

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"([-+]?)0+([0-9].*)")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")  # what PyYAML counts as one
_NOT_PRINTABLE = yaml.reader.Reader.NON_PRINTABLE
_WIDE_ESCAPE = re.compile(r"\\U[0-9a-fA-F]{8}")

# PyYAML's words for the usual slips, and ours: what is wrong, and what to do.
_SYNTAX = (
    (r"found character '\\t'", "a tab", "use spaces; YAML allows no tabs here"),
    (
        r"found character '([@`%])'",
        r"\1 cannot begin a value",
        "put quotes around the text",
    ),
    (
        r"mapping values are not allowed",
        "a ':' where no key can stand",
        "check the indentation, or put quotes around text that holds ': '",
    ),
    (
        r"expected <block end>, but found '<scalar>'",
        "text after the end of a value",
        "put the whole value into quotes, or remove this",
    ),
    (
        r"expected the node content, but found '(.)'",
        r"\1 cannot begin a value",
        "put quotes around the text",
    ),
    (
        r"expected <block end>|expected '<document start>', but found '<block",
        "the indentation does not fit the lines above",
        "indent keys of one section alike",
    ),
    (r"could not find expected ':'", "a key without ':'", "write `key: value`"),
    (
        r"found unexpected end of stream",
        "this quote is never closed",
        "close it",
    ),
    (
        r"expected ',' or '(.)', but got '<stream end>'",
        r"the bracket that opens here has no \1",
        "close it",
    ),
    (
        r"expected ',' or '(.)', but got .*",
        r"neither ',' nor '\1' in a bracket that is open",
        "close it, or put a comma between values",
    ),
)


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

    def written(self, path: KeyPath) -> str | None:
        """The text that stands at the value's place, if it was read from a file."""
        place = self.values.get(path)
        lines = self.lines.get(place.origin, []) if place is not None else []
        if place is None or not 0 < place.line <= len(lines):
            return None
        return lines[place.line - 1][place.column - 1 : place.column - 1 + place.length]

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
            inside = path / "config.yaml"
            wanted = str(inside) if inside.is_file() else "a YAML file"
            raise refuse(f"is {what}", f"give {wanted}")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise refuse(f"is larger than a config may be ({MAX_BYTES:,} bytes)", "shorten it")
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
    tree = Tree(None, lines={origin: _LINE_END.split(text)})
    try:
        _Builder(tree, origin).build(text)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(tree, *_in_plain_words(error, origin, tree.lines[origin])) from error
    except yaml.reader.ReaderError as error:
        place = _place_of(text, error.position, origin)
        what = f"character U+{error.character:04X} is not allowed in YAML"
        raise _syntax_error(tree, place, what, "remove it") from error
    except (ValueError, OverflowError) as error:  # PyYAML converts some numbers unchecked
        escapes = (e for e in _WIDE_ESCAPE.finditer(text) if int(e[0][2:], 16) > 0x10FFFF)
        found = next(escapes, None)
        place = _place_of(text, found.start() if found else 0, origin, 10 if found else 1)
        what = "there is no such character" if found else "this is not YAML"
        raise _syntax_error(tree, place, what, "remove it") from error
    return tree


def is_printable(text: str) -> bool:
    """Whether YAML allows all its characters: no control characters, no half of a pair."""
    return _NOT_PRINTABLE.search(text) is None


def _place_of(text: str, position: int, origin: str, length: int = 1) -> Place:
    before = _LINE_END.split(text[:position])
    return Place(origin, len(before), len(before[-1]) + 1, length)


def _in_plain_words(
    error: yaml.MarkedYAMLError, origin: str, lines: list[str]
) -> tuple[Place, str, str]:
    """The place, what is wrong there and what to do, from PyYAML's error."""
    given = error.problem or "this is not YAML"
    what, advice = given, "check quotes, brackets, colons and indentation near here"
    for pattern, ours, todo in _SYNTAX:
        found = re.match(pattern, given)
        if found:
            what, advice = found.expand(ours), todo
            break
    mark = error.problem_mark or error.context_mark
    unclosed = any(end in given for end in ("end of stream", "<stream end>", "expected ':'"))
    if unclosed and error.context_mark is not None:
        mark = error.context_mark  # where it began, not where the text ran out
    if mark is None:
        return Place(origin), what, advice
    line = lines[mark.line] if mark.line < len(lines) else ""
    if not unclosed and "\t" in line[: mark.column + 1] and not line[: mark.column + 1].strip():
        what, advice = "a tab", "use spaces; YAML allows no tabs here"
    return Place(origin, mark.line + 1, mark.column + 1), what, advice


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

    def _refuse(
        self, event: yaml.Event, path: KeyPath, message: str, advice: str, length: int = 0
    ) -> ConfigError:
        place = self._place(event)
        place = replace(place, length=length or place.length)
        return _syntax_error(self.tree, place, message, advice, dotted(path))

    def _refuse_unprintable(self, event: yaml.ScalarEvent, path: KeyPath) -> None:
        found = _NOT_PRINTABLE.search(event.value)
        if found:
            what = f"holds the control character U+{ord(found[0]):04X}"
            raise self._refuse(event, path, what, "remove it")

    def _node(
        self, event: yaml.Event, events: Iterator[yaml.Event], path: KeyPath, depth: int
    ) -> Any:
        if isinstance(event, yaml.AliasEvent):
            what = f"alias *{event.anchor}: a config has none"
            raise self._refuse(event, path, what, "write the value out")
        assert isinstance(event, yaml.NodeEvent)
        self._refuse_decoration(event, path)
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
            self._extend(path, event)
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            self._key(event, mapping, path)
            assert isinstance(event, yaml.ScalarEvent)
            key = event.value
            self.tree.keys[(*path, key)] = self._place(event)
            mapping[key] = self._node(next(events), events, (*path, key), depth + 1)
        self._extend(path, event)
        return mapping

    def _extend(self, path: KeyPath, event: yaml.Event) -> None:
        """Let the place of `[...]` or `{...}` reach to its closing bracket, if on one line."""
        place, end = self.tree.values[path], event.end_mark
        assert end is not None
        if end.line + 1 == place.line:
            length = max(1, end.column + 1 - place.column)
            self.tree.values[path] = replace(place, length=length)

    def _refuse_decoration(self, event: yaml.Event, path: KeyPath) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            noun, written = "anchor", f"&{anchor}"
        elif tag is not None:
            noun, written = "tag", tag.replace("tag:yaml.org,2002:", "!!")
        else:
            return
        message = f"{noun} {written}: a config has none"
        raise self._refuse(event, path, message, "remove it", len(written))

    def _key(self, event: yaml.Event, mapping: dict[str, Any], path: KeyPath) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refuse(event, path, "a key must be a word", "write `key: value`")
        if event.value == "<<" and event.implicit[0]:
            what = "merge key <<: a config has none"
            raise self._refuse(event, path, what, "write the keys out")
        self._refuse_decoration(event, path)
        self._refuse_unprintable(event, path)
        if event.value in mapping:
            first = self.tree.keys[(*path, event.value)]
            raise self._refuse(
                event,
                (*path, event.value),
                f"duplicate key, first given at line {first.line}, column {first.column}",
                "keep one of the two",
            )

    def _scalar(self, event: yaml.ScalarEvent, path: KeyPath) -> Any:
        text: str = event.value
        if not event.implicit[0] or event.style is not None:
            self._refuse_unprintable(event, path)
            return text
        zero = _LEADING_ZERO.fullmatch(text)
        if zero and _FLOAT.fullmatch(text):
            better = zero[1] + zero[2]
            raise self._refuse(
                event,
                path,
                f"{text} has a leading zero",
                f"write {better}, or '{text}' for text",
            )
        value = meaning(text)
        if isinstance(value, float) and not math.isfinite(value):
            raise self._refuse(event, path, f"{text} is not a finite number", "write one that is")
        if isinstance(value, int) and len(text) > MAX_DIGITS:
            raise self._refuse(
                event, path, f"a number of {len(text)} digits", "write a shorter one"
            )
        return value


def meaning(text: str) -> Any:
    """The value that a plain scalar stands for (YAML 1.2.2, section 10.3.2)."""
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    if text in {"true", "True", "TRUE"}:
        return True
    if text in {"false", "False", "FALSE"}:
        return False
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= MAX_DIGITS else 10**MAX_DIGITS
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text
