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
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from nncli.config.tree import KeyPath, Place, Tree, dotted
from nncli.errors import ConfigError, Problem

MAX_BYTES = 512 * 1024
"""PyYAML takes a second for twice that; a shipped config has a thousand."""
MAX_DEPTH = 32
MAX_VALUES = 20_000
MAX_DIGITS = 400
MAX_PROBLEMS = 100
"""Of the text itself; a file with more of them is not a config at all."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"([-+]?)0+([0-9].*)")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")  # what PyYAML counts as one
_NOT_PRINTABLE = yaml.reader.Reader.NON_PRINTABLE
_DECORATION = re.compile(r"!<[^>]*>|[^\s,\[\]{}]+")
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
        r"expected ',' or '(.)', but got .*",
        r"neither ',' nor '\1' in a bracket that is open",
        "close it, or put a comma between values",
    ),
)


def read_text(path: Path, origin: str = "") -> str:
    """The text of a config file, which errors call `origin`.

    Raises:
        ConfigError: not a regular file, too large, or not UTF-8.
    """
    origin = origin or str(path)

    def refuse(message: str, hint: str) -> ConfigError:
        return ConfigError(f"{origin} {message}", [Problem("", message, origin=origin)], hint=hint)

    try:
        if not path.exists():
            raise refuse("does not exist", "check the path; nncli config list shows shipped ones")
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
    wide = _wide_encoding(raw)
    if wide:
        raise refuse(f"is {wide}; a config is UTF-8", "save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(raw, error.start, origin) from error


def _wide_encoding(raw: bytes) -> str:
    """The name of an encoding of two or four bytes a character, by its mark or its zeros."""
    if raw.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "UTF-32"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    begin = raw[:200]
    if len(begin) >= 4 and b"\x00" in begin:
        for first, second in ((0, 1), (1, 0)):  # text of ASCII has a zero in every second byte
            if not any(begin[first::2]) and all(begin[second::2]):
                return "UTF-16 without a mark"
    return ""


def _not_utf8(raw: bytes, start: int, origin: str) -> ConfigError:
    """The error for a byte that UTF-8 does not have there, with the line read as Windows does."""
    byte = raw[start : start + 1]
    try:
        text, encoding = raw.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        text, encoding = raw.decode("latin-1"), "Latin-1"
    tree = Tree(None, lines={origin: _LINE_END.split(text)})
    problem = tree.located(
        "",
        f"byte 0x{byte[0]:02X} is not UTF-8; in {encoding} it is {text[start]!r}",
        "save the file as UTF-8",
        _place_of(text, start, origin),
    )
    return ConfigError(f"{origin} is not UTF-8 (line {problem.line})", [problem])


def parse(text: str, origin: str) -> Tree:
    """The values of a YAML text and where each was written.

    What a config must not contain is noted in the tree's `problems`, and reading goes on.

    Raises:
        ConfigError: where it cannot go on, with all problems up to there.
    """
    tree = Tree(None, lines={origin: _LINE_END.split(text)})

    def stop(place: Place, what: str, advice: str) -> ConfigError:
        problem = tree.located("", what, advice, place)
        return ConfigError(f"{origin} cannot be read as a config", [*tree.problems, problem])

    builder = _Builder(tree, origin)
    try:
        builder.build(text)
    except yaml.MarkedYAMLError as error:
        bracket = builder.open[-1] if builder.open else None
        place, what, advice = _in_plain_words(error, origin, tree.lines[origin], bracket)
        raise stop(place, what, advice) from error
    except yaml.reader.ReaderError as error:
        place = _place_of(text, error.position, origin)
        what = f"character U+{error.character:04X} is not allowed in YAML"
        raise stop(place, what, "remove it") from error
    except (ValueError, OverflowError) as error:  # PyYAML converts some numbers unchecked
        escapes = (e for e in _WIDE_ESCAPE.finditer(text) if int(e[0][2:], 16) > 0x10FFFF)
        found = next(escapes, None)
        place = _place_of(text, found.start() if found else 0, origin, 10 if found else 1)
        what = "there is no such character" if found else "this is not YAML"
        raise stop(place, what, "remove it") from error
    except _CannotGoOnError as error:
        raise ConfigError(f"{origin} cannot be read as a config", tree.problems) from error
    return tree


def is_printable(text: str) -> bool:
    """Whether YAML allows all its characters: no control characters, no half of a pair."""
    return _NOT_PRINTABLE.search(text) is None


def _place_of(text: str, position: int, origin: str, length: int = 1) -> Place:
    before = _LINE_END.split(text[:position])
    return Place(origin, len(before), len(before[-1]) + 1, length)


def _in_plain_words(
    error: yaml.MarkedYAMLError, origin: str, lines: list[str], bracket: Place | None
) -> tuple[Place, str, str]:
    """The place, what is wrong there and what to do, from PyYAML's error.

    `bracket` is the last one that is open at that point.
    """
    given = error.problem or "this is not YAML"
    what, advice = given, "check quotes, brackets, colons and indentation near here"
    for pattern, ours, todo in _SYNTAX:
        found = re.match(pattern, given)
        if found:
            what, advice = found.expand(ours), todo
            break
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Place(origin), what, advice
    ends = "<stream end>" in given
    later = given.startswith("expected ','") and bracket and mark.line + 1 > bracket.line
    if bracket is not None and (ends or later):
        opens = lines[bracket.line - 1][bracket.column - 1]
        closes = {"[": "]", "{": "}"}.get(opens, "end")
        return bracket, f"the bracket that opens here has no {closes}", "close it"
    glued = re.match(r"\s*[\w.-]+(:)\S", lines[mark.line - 1]) if mark.line else None
    if glued and given.startswith("mapping values"):  # read as text that goes on below
        place = Place(origin, mark.line, glued.start(1) + 1)
        return place, "a ':' without a space after it", "put one there"
    begun = any(end in given for end in ("end of stream", "expected ':'"))
    if begun and error.context_mark is not None:
        mark = error.context_mark  # where it began, not where the text ran out
    before = lines[mark.line][: mark.column + 1] if mark.line < len(lines) else ""
    if not begun and "\t" in before and not before.strip():
        what, advice = "a tab", "use spaces; YAML allows no tabs here"
    return Place(origin, mark.line + 1, mark.column + 1), what, advice


class _CannotGoOnError(Exception):
    """The last of the tree's problems leaves nothing to read after it."""


class _Builder:
    """Turns PyYAML's events into plain values, noting places and refusing traps."""

    def __init__(self, tree: Tree, origin: str) -> None:
        self.tree = tree
        self.origin = origin
        self.count = 0
        self.events: Iterator[yaml.Event] = iter(())
        self.open: list[Place] = []
        """The brackets that are not closed yet."""

    def build(self, text: str) -> None:
        self.events = yaml.parse(text, Loader=yaml.SafeLoader)
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, (), "a second document starts here", "keep one")
                    raise _CannotGoOnError
                self.tree.value = self._node(next(self.events), (), 1)

    def _place(self, event: yaml.Event) -> Place:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        length = end.column - start.column if end.line == start.line else 1
        return Place(self.origin, start.line + 1, start.column + 1, max(1, length))

    def _refuse(
        self,
        event: yaml.Event,
        path: KeyPath,
        message: str,
        advice: str,
        *,
        length: int = 0,
        broken: bool = True,
    ) -> None:
        """Note a problem of the text; of a `broken` value nothing more can be said."""
        place = self._place(event)
        place = replace(place, length=length or place.length)
        self.tree.problems.append(self.tree.located(dotted(path), message, advice, place))
        if broken:
            self.tree.broken.add(path)
        if len(self.tree.problems) >= MAX_PROBLEMS:
            raise _CannotGoOnError

    def _refuse_unprintable(self, event: yaml.ScalarEvent, path: KeyPath) -> None:
        found = _NOT_PRINTABLE.search(event.value)
        if found:
            what = f"holds the control character U+{ord(found[0]):04X}"
            self._refuse(event, path, what, "remove it")

    def _node(self, event: yaml.Event, path: KeyPath, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            what = f"alias *{event.anchor}: a config has none"
            self._refuse(event, path, what, "write the value out")
            return None
        assert isinstance(event, yaml.NodeEvent)
        self._refuse_decoration(event, path)
        if depth > MAX_DEPTH:
            self._refuse(event, path, f"nested deeper than {MAX_DEPTH} levels", "flatten it")
            raise _CannotGoOnError
        self.count += 1
        if self.count > MAX_VALUES:
            self._refuse(event, path, f"more than {MAX_VALUES:,} values", "shorten it")
            raise _CannotGoOnError
        nothing = isinstance(event, yaml.ScalarEvent) and not event.value and event.style is None
        place = self.tree.keys.get(path) if nothing else None  # there is nothing to point at
        self.tree.values[path] = place or self._place(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        assert isinstance(event, yaml.CollectionStartEvent)
        if event.flow_style:
            self.open.append(self._place(event))
        value = self._collection(event, path, depth)
        if event.flow_style:
            self.open.pop()
        return value

    def _collection(self, event: yaml.CollectionStartEvent, path: KeyPath, depth: int) -> Any:
        following: yaml.Event
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(following := next(self.events), yaml.SequenceEndEvent):
                items.append(self._node(following, (*path, len(items)), depth + 1))
            self._extend(path, following)
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(following := next(self.events), yaml.MappingEndEvent):
            self._pair(following, mapping, path, depth)
        self._extend(path, following)
        return mapping

    def _pair(self, event: yaml.Event, mapping: dict[str, Any], path: KeyPath, depth: int) -> None:
        """Read a key and its value into `mapping`; of a key that may not be, the problem alone."""
        if not isinstance(event, yaml.ScalarEvent):
            if isinstance(event, yaml.AliasEvent):
                what, advice = f"alias *{event.anchor}: a config has none", "write the key out"
            else:
                what, advice = "a key must be a word", "write `key: value`"
            self._refuse(event, path, what, advice, broken=False)
            if not isinstance(event, yaml.AliasEvent):
                self._skip(event, path, depth)
            self._skip(next(self.events), path, depth)
            return
        inside = (*path, event.value)
        if event.value == "<<" and event.implicit[0]:
            what = "merge key <<: a config has none"
            self._refuse(event, inside, what, "write the keys out", broken=False)
            self._skip(next(self.events), inside, depth)
            return
        self._refuse_decoration(event, inside)
        self._refuse_unprintable(event, inside)
        if event.value in mapping:
            first = self.tree.keys[inside]
            where = f"first given at line {first.line}, column {first.column}"
            what = f"duplicate key, {where}"
            self._refuse(event, inside, what, "keep one of the two", broken=False)
            self._skip(next(self.events), inside, depth)
            return
        self.tree.keys[inside] = self._place(event)
        mapping[event.value] = self._node(next(self.events), inside, depth + 1)

    def _skip(self, event: yaml.Event, path: KeyPath, depth: int) -> None:
        """Read a node for the problems in it, leaving no value and no place behind."""
        kept = dict(self.tree.keys), dict(self.tree.values)
        self._node(event, path, depth + 1)
        self.tree.keys, self.tree.values = kept

    def _extend(self, path: KeyPath, event: yaml.Event) -> None:
        """Let the place of `[...]` or `{...}` reach to its closing bracket, if on one line."""
        place, end = self.tree.values[path], event.end_mark
        assert end is not None
        if end.line + 1 == place.line:
            length = max(1, end.column + 1 - place.column)
            self.tree.values[path] = replace(place, length=length)

    def _refuse_decoration(self, event: yaml.NodeEvent, path: KeyPath) -> None:
        anchor, tag = event.anchor, getattr(event, "tag", None)
        if anchor is None and tag is None:
            return
        place = self._place(event)
        line = self.tree.lines[self.origin][place.line - 1]
        noun = "tag" if anchor is None else "anchor"
        found = _DECORATION.match(line, place.column - 1)
        written = found[0] if found else ""
        message = f"{noun} {written}: a config has none"
        # a tag says that the text means something else than it says
        doubt = tag is not None and isinstance(event, yaml.ScalarEvent)
        self._refuse(event, path, message, "remove it", length=len(written), broken=doubt)

    def _scalar(self, event: yaml.ScalarEvent, path: KeyPath) -> Any:
        text: str = event.value
        if not event.implicit[0] or event.style is not None:
            self._refuse_unprintable(event, path)
            return text
        zero = _LEADING_ZERO.fullmatch(text)
        if zero and _FLOAT.fullmatch(text):
            better = zero[1] + zero[2]
            advice = f"write {better}, or '{text}' for text"
            self._refuse(event, path, f"{text} has a leading zero", advice)
            return None
        value = meaning(text)
        if isinstance(value, float) and not math.isfinite(value):
            self._refuse(event, path, f"{text} is not a finite number", "write one that is")
            return None
        if isinstance(value, int) and len(text) > MAX_DIGITS:
            self._refuse(event, path, f"a number of {len(text)} digits", "write a shorter one")
            return None
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
