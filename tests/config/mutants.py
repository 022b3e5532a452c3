"""Valid configs written in any style of YAML, and mistakes put into them, one at a time.

A config is a tree of nodes that knows how each scalar is written. A mutation changes the tree and
names the nodes where its problem may be shown; the writer then notes where each node comes to
stand. What a value may be is read from the JSON Schema, by a checker of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from nncli.config import Override, json_schema, keys, load, shipped_configs, to_dict
from nncli.config.strict_yaml import meaning, parse, read_text
from nncli.config.tree import KeyPath, dotted
from nncli.errors import ConfigError, Problem
from nncli.schema import SCHEMAS, kind_of

Schema: TypeAlias = dict[str, Any]
KINDS = tuple(SCHEMAS)


# The tree of a text


@dataclass(eq=False)
class Scalar:
    """A value as it is written."""

    text: str


@dataclass(eq=False)
class Items:
    """A list."""

    items: list[Node]


@dataclass(eq=False)
class Pair:
    """A key with its value."""

    key: str
    value: Node
    written: str = ""
    """The key as it is written, where that is not left to the writer."""
    mark: str = ""
    """An anchor or a tag before the key."""
    tab_before: Scalar | None = None
    """Stands for a tab in the indentation."""
    tab_after: Scalar | None = None
    """Stands for a tab behind the colon."""


@dataclass(eq=False)
class Keys:
    """A mapping."""

    pairs: list[Pair]
    block: bool = False
    """Whether it has to be written as a block."""

    def get(self, key: str) -> Pair | None:
        return next((pair for pair in self.pairs if pair.key == key), None)


@dataclass(eq=False)
class Marked:
    """A value with an anchor or a tag before it."""

    mark: str
    value: Node


Node: TypeAlias = Scalar | Items | Keys | Marked
Thing: TypeAlias = Node | Pair


def plain(node: Node) -> Any:
    """What a node means."""
    if isinstance(node, Scalar):
        if node.text[:1] == '"':
            return json.loads(node.text)
        return node.text[1:-1] if node.text[:1] == "'" else meaning(node.text)
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    if isinstance(node, Marked):
        return plain(node.value)
    return {pair.key: plain(pair.value) for pair in node.pairs}


def walk(keys: Keys, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Keys, Pair]]:
    """Every key with the section that it is in."""
    for pair in keys.pairs:
        yield (*path, pair.key), keys, pair
        if isinstance(pair.value, Keys):
            yield from walk(pair.value, (*path, pair.key))


def inside(thing: Thing, path: KeyPath) -> Iterator[tuple[Thing, KeyPath]]:
    """A node or pair and everything in it."""
    yield thing, path
    if isinstance(thing, Pair):
        yield from inside(thing.value, path)
    elif isinstance(thing, Keys):
        for pair in thing.pairs:
            yield from inside(pair, (*path, pair.key))
    elif isinstance(thing, Items):
        for index, item in enumerate(thing.items):
            yield from inside(item, (*path, index))


def tree_of(value: Any, random: Random) -> Node:
    """A plain value as a node, its scalars written in one of the ways they can be."""
    if isinstance(value, dict):
        return Keys([Pair(key, tree_of(inner, random)) for key, inner in value.items()])
    if isinstance(value, list):
        return Items([tree_of(item, random) for item in value])
    return Scalar(_scalar(value, random))


_PLAIN = re.compile(r"[^\W\d][\w./-]*( [\w./-]+)*")


def _scalar(value: Any, random: Random) -> str:
    if value is None:
        return random.choice(["null", "~", "Null"])
    if isinstance(value, bool):
        return random.choice(["true", "True"] if value else ["false", "False"])
    if isinstance(value, int):
        ways = [str(value), str(value), f"+{value}", hex(value)] if value >= 0 else [str(value)]
        return random.choice(ways)
    if isinstance(value, float):
        ways = [repr(value), f"{value:e}", f"{value:.3E}"]
        return random.choice([way for way in ways if float(way) == value])
    return _text(value, random)


def _text(value: str, random: Random) -> str:
    ways = [json.dumps(value, ensure_ascii=False)]
    if "'" not in value:
        ways.append(f"'{value}'")
    if _PLAIN.fullmatch(value) and meaning(value) == value:
        ways += [value, value]
    return random.choice(ways)


# Writing it down


@dataclass(frozen=True)
class Spot:
    """Where something stands, from 1; a length of 0 is that of a block, which may be any."""

    line: int
    """0 for an argument."""
    column: int
    length: int
    argument: str = ""
    """Empty for the file."""


_COMMENTS = ("# note", "# kind: wrong, seed: 017", "#", "# größer – 中文", "# a: &b *c !!d")


class Writer:
    """Writes a tree as YAML and notes where each node comes to stand."""

    def __init__(self, random: Random, *, line: int = 1, column: int = 1) -> None:
        self.random = random
        self.done: list[str] = []
        self.line, self.column = line, column
        self.one_line = line == 0
        self.step = random.choice([2, 2, 4, 1])
        self.tidy = self.one_line or random.choice([True, False])
        self.spots: dict[Thing, Spot] = {}

    @property
    def text(self) -> str:
        return "".join(self.done)

    def put(self, text: str) -> None:
        self.done.append(text)
        self.column += len(text)

    def end_line(self) -> None:
        if not self.tidy and self.random.randrange(4) == 0:
            self.put("  " + self.random.choice(_COMMENTS))
        self._break()

    def _break(self) -> None:
        self.done.append("\n")
        self.line, self.column = self.line + 1, 1

    def mark(self, thing: Thing, start: tuple[int, int]) -> None:
        line, column = start
        length = self.column - column if self.line == line else 1
        self.spots[thing] = Spot(line, column, max(1, length))

    def document(self, root: Keys) -> str:
        if not self.tidy:
            self.put(self.random.choice(["", "", "---", "%YAML 1.2\n---"]))
            if self.column > 1:
                self.line += self.done[-1].count("\n")
                self._break()
        if not root.pairs:
            self.value(root)
            self._break()
        elif not root.block and self.random.randrange(12) == 0:
            self.flow(root)
            self.end_line()
        else:
            self.block(root, 0)
        return self.text

    def block(self, keys: Keys, indent: int) -> None:
        for pair in keys.pairs:
            if not self.tidy and self.random.randrange(5) == 0:
                self.put(self.random.choice(["", " " * indent, *_COMMENTS]))
                self._break()
            self.put(" " * indent)
            if pair.tab_before is not None:
                self._put_tab(pair.tab_before)
            if not indent and keys not in self.spots:
                self.spots[keys] = Spot(self.line, self.column, 0)
            self._key(pair)
            value = pair.value
            if isinstance(value, Marked) and not isinstance(value.value, Scalar):
                self.put(" ")
                self._decorate(value)
                value = value.value
            if isinstance(value, Keys) and value.pairs and (value.block or self._as_block()):
                self.spots[value] = self.spots[pair]  # of lines of its own the key says more
                self.end_line()
                self.block(value, indent + self.step)
            elif isinstance(value, Items) and value.items and self._as_block():
                self.spots[value] = self.spots[pair]
                self._block_items(value, indent)
            else:
                self._after_colon(pair, value)
                self.end_line()

    def _as_block(self) -> bool:
        return self.random.randrange(3) > 0

    def _block_items(self, items: Items, indent: int) -> None:
        self.end_line()
        more = self.random.choice([0, self.step])
        for item in items.items:
            self.put(" " * (indent + more) + "- ")
            self.value(item)
            self.end_line()

    def _key(self, pair: Pair) -> None:
        start = self.line, self.column
        if pair.mark:
            self.put(pair.mark)
            self.mark(pair, start)
            self.put(" ")
            start = self.line, self.column
        self.put(pair.written or _text(pair.key, self.random))
        if not pair.mark:
            self.mark(pair, start)
        self.put(":")

    def _after_colon(self, pair: Pair, value: Node) -> None:
        if isinstance(value, Scalar) and not value.text:
            self.spots[value] = self.spots[pair]  # nothing else is there to point at
            return
        if pair.tab_after is not None:
            self._put_tab(pair.tab_after)
        self.put(" " if self.tidy else self.random.choice([" ", "   "]))
        self.value(value)

    def _put_tab(self, tab: Scalar) -> None:
        self.spots[tab] = Spot(self.line, self.column, 1)
        self.put("\t")

    def _decorate(self, value: Marked) -> None:
        start = self.line, self.column
        self.put(value.mark)
        self.mark(value, start)

    def value(self, node: Node) -> None:
        """A value inside a line."""
        start = self.line, self.column
        if isinstance(node, Marked):
            self._decorate(node)
            self.put(" ")
            self.value(node.value)
            return
        if isinstance(node, Scalar):
            self.put(node.text)
        else:
            self.flow(node)
        self.mark(node, start)

    def flow(self, node: Keys | Items) -> None:
        start = self.line, self.column
        opening, closing = "{}" if isinstance(node, Keys) else "[]"
        self.put(opening)
        inner: Sequence[Pair | Node] = node.pairs if isinstance(node, Keys) else node.items
        for index, each in enumerate(inner):
            if index:
                self.put(",")
                if not self.tidy and self.random.randrange(6) == 0:
                    self._break()
                    self.put(" " * 8)
                else:
                    self.put(" ")
            if isinstance(each, Pair):
                self._key(each)
                self._after_colon(each, each.value)
                if isinstance(each.value, Scalar) and not each.value.text:
                    self.put(" ")
            else:
                self.value(each)
        self.put(closing)
        self.mark(node, start)


# What a config may hold


@cache
def schema_of(kind: str) -> Schema:
    return json_schema(SCHEMAS, kind)


def choices(kind: str, schema: Schema) -> list[Schema]:
    """What a value may be, references followed."""
    if "$ref" in schema:
        return choices(kind, schema_of(kind)["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return [each for one in inner for each in choices(kind, one)] if inner else [schema]


def is_right(kind: str, value: Any, schema: Schema | None = None) -> bool:
    """Whether a value is right by itself, by the JSON Schema; 3.0 is no whole number."""
    options = choices(kind, schema_of(kind) if schema is None else schema)
    return any(_fits(kind, value, option) for option in options)


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def _fits(kind: str, value: Any, schema: Schema) -> bool:
    wanted = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if wanted is not None:
        if True in [each for each in wanted if isinstance(each, bool)] and isinstance(value, str):
            value = value.lower()  # a flag takes `Yes` too
        return any(type(value) is type(each) and value == each for each in wanted)
    if "type" in schema and type(value) not in _TYPES[schema["type"]]:
        return False
    if isinstance(value, dict):
        known = schema["properties"]
        return set(schema.get("required", ())) <= set(value) <= set(known) and all(
            is_right(kind, inner, known[key]) for key, inner in value.items()
        )
    if isinstance(value, list):
        return schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 1e9) and all(
            is_right(kind, item, schema["items"]) for item in value
        )
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None
    return _in_range(value, schema)


def _in_range(value: Any, schema: Schema) -> bool:
    return (
        ("minimum" not in schema or value >= schema["minimum"])
        and ("maximum" not in schema or value <= schema["maximum"])
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
    )


@cache
def known_keys(kind: str) -> dict[str, tuple[str, ...]]:
    """The keys of every section of a kind, by its dotted path."""
    found: dict[str, list[str]] = {}
    for key in keys(SCHEMAS[kind]):
        section, _, name = key.path.rpartition(".")
        found.setdefault(section, []).append(name)
    return {section: tuple(names) for section, names in found.items()}


@cache
def all_keys() -> tuple[str, ...]:
    names = (name for kind in KINDS for known in known_keys(kind).values() for name in known)
    return tuple(dict.fromkeys(names))


# Valid configs


def valid_document(kind: str, random: Random) -> dict[str, Any]:
    """A config that is right: shipped, complete, one that extends another, or any at all."""
    ways = [_any, _any, _any, _shipped, _complete, _extending]
    document = _shuffled(random.choice(ways)(kind, random), random)
    if "kind" in document or random.choice([True, False]):
        document = {"kind": kind} | document
    return _repaired(kind, document)


@cache
def _names(kind: str) -> tuple[str, ...]:
    return tuple(name for name in shipped_configs() if kind_of(name) == kind)


@cache
def _written(name: str) -> str:
    return json.dumps(parse(read_text(shipped_configs()[name]), name).value)


@cache
def _resolved(name: str) -> str:
    return json.dumps(to_dict(load(SCHEMAS, None, name).config))


def _shipped(kind: str, random: Random) -> dict[str, Any]:
    return dict(json.loads(_written(random.choice(_names(kind)))))


def _complete(kind: str, random: Random) -> dict[str, Any]:
    return dict(json.loads(_resolved(random.choice(_names(kind)))))


def _extending(kind: str, random: Random) -> dict[str, Any]:
    mine = _any(kind, random)
    few = {key: mine[key] for key in mine if key != "data" and random.randrange(2)}
    return {"extends": random.choice(_names(kind))} | few


def _any(kind: str, random: Random) -> dict[str, Any]:
    document = dict(_value(kind, schema_of(kind), random))
    document.pop("extends", None)
    document.pop("kind", None)
    return document


def _value(kind: str, schema: Schema, random: Random) -> Any:
    """A value that is right by itself, often at the end of its range."""
    schema = random.choice(choices(kind, schema))
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return random.choice(schema["enum"])
    match schema["type"]:
        case "object":
            required = schema.get("required", ())
            return {
                key: _value(kind, inner, random)
                for key, inner in schema["properties"].items()
                if key in required or random.randrange(4)
            }
        case "array":
            length = random.randint(schema.get("minItems", 0), min(schema.get("maxItems", 4), 3))
            return [_value(kind, schema["items"], random) for _ in range(length)]
        case "integer":
            least = schema.get("minimum", 0)
            most = schema.get("maximum", 2**40)
            near = random.randint(least, min(most, least + 60))
            return random.choice([near, near, near, least, most, schema.get("default") or least])
        case "number":
            low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1e-9)
            high = schema.get("maximum", schema.get("exclusiveMaximum", 100) - 1e-9)
            some = random.choice([0.05, 0.125, 0.1, 1e-3, 1e-5, 1.5, 1])
            usual = schema.get("default") or low
            return random.choice([min(high, max(low, some)), low, high, usual, usual])
        case "null":
            return None
    return _some_text(schema, random)


def _some_text(schema: Schema, random: Random) -> str:
    pattern = schema.get("pattern", "")
    if pattern.startswith("^(auto"):
        return random.choice(["auto", "cpu", "gpu", "gpu:0", "gpu:12"])
    ending = re.fullmatch(r"\\\.(\w+)\$", pattern)
    if ending:
        return f"nets/my net.{ending[1]}"
    return random.choice(
        ["photos", "data/series.csv", "Größe – 中文", "it's", "a: b", "# no", "017"]
    )


def _shuffled(document: dict[str, Any], random: Random) -> dict[str, Any]:
    order = list(document)
    if random.choice([True, False]):
        random.shuffle(order)
    return {
        key: _shuffled(document[key], random) if isinstance(document[key], dict) else document[key]
        for key in order
    }


def _repaired(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    """The document without the keys that exclude others."""
    for _ in range(8):
        problems = refused(kind, document)
        if not problems:
            return document
        for problem in problems:
            _drop(document, re.sub(r"\[.*", "", problem.path).split("."))
    return {"kind": kind}


def _drop(document: dict[str, Any], path: Sequence[str]) -> None:
    """Take out a key, or its section where the key is not written."""
    node: Any = document
    for key in path[:-1]:
        if not isinstance(node.get(key), dict):
            node.pop(key, None)
            return
        node = node[key]
    if path[-1] in node:
        del node[path[-1]]
    elif len(path) > 1:
        _drop(document, path[:-1])


def refused(kind: str, document: dict[str, Any]) -> Sequence[Problem]:
    """The problems of a document that is given as one long line."""
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False)
        file.flush()
        try:
            load(SCHEMAS, kind, file.name)
        except ConfigError as error:
            problems = error.problems
        except Exception as error:
            error.add_note(f"{kind}: {json.dumps(document, ensure_ascii=False)}")
            raise
        else:
            return ()
    assert problems, f"refused without a problem: {kind}: {document}"
    return problems


# Mistakes


@dataclass
class Change:
    """What a mutation did, in terms of the tree."""

    what: str
    at: list[tuple[Thing, KeyPath]] = field(default_factory=list)
    """Where a problem may be shown, and the key that it is then about."""
    changed: list[KeyPath] = field(default_factory=list)
    """The keys that are no longer what they were: a problem may name them as related."""
    depends: list[KeyPath] = field(default_factory=list)
    """The sections that mean something else now."""
    certain: bool = False
    """Wrong, whatever the schema says."""
    more: str = ""
    """Text behind the document."""

    def missing(self, root: Keys, path: KeyPath) -> None:
        """A key that is no longer there is missed by the section that it was in."""
        above = [at_path(root, path[:end]) for end in range(len(path) - 1, 0, -1)]
        self.at.append((next((pair for pair in above if pair is not None), root), path))
        base = root.get("extends")
        if path == ("kind",) and base is not None:  # that config's is taken
            self.at.append((base.value, path))

    def discriminator(self, path: KeyPath) -> None:
        """A key that decides what others mean."""
        if path[-1] == "source":
            self.depends.append(path[:-1])
        if path in {("kind",), ("extends",)}:
            self.depends.append(())


def at_path(root: Keys, path: KeyPath) -> Pair | None:
    node: Node = root
    pair = None
    for key in path:
        pair = node.get(str(key)) if isinstance(node, Keys) else None
        if pair is None:
            return None
        node = pair.value
    return pair


Mutation: TypeAlias = Callable[[str, Keys, Random], Change | None]


def _pick(root: Keys, random: Random) -> tuple[KeyPath, Keys, Pair] | None:
    every = list(walk(root))
    return random.choice(every) if every else None


def drop(kind: str, root: Keys, random: Random) -> Change | None:
    if (picked := _pick(root, random)) is None:
        return None
    path, section, pair = picked
    section.pairs.remove(pair)
    change = Change(f"drop {dotted(path)}", changed=[path])
    change.missing(root, path)
    change.discriminator(path)
    return change


def _typo(key: str, random: Random) -> str:
    at = random.randrange(len(key))
    ways = [
        key[:at] + key[at + 1 :],
        key[:at] + key[at] * 2 + key[at + 1 :],
        key[:at] + "x" + key[at + 1 :],
        key.upper(),
        key.replace("_", "-"),
        key + " ",
        key + "s",
    ]
    return random.choice([way for way in ways if way != key])


_ODD_KEYS = (
    "", "~", "null", "true", "5", "0", "[0]", "017", "a.b", "model.units", "data.source", ".", "..",
    "größe", "épochs", "e\u0301pochs", "ключ", "キー", "\U0001f600", "a b", "#", "a: b", "-", "- a",
    "'", '"', "\\", "[/x]", "[bold]", "{}", "%s", "{0}", "__class__", "model_config", "x" * 300,
    "<< ", "<<", "*", "&a", "!!str", "\xa0", "a\tb", "a\nb",
)  # fmt: skip


def rename(kind: str, root: Keys, random: Random) -> Change | None:
    if (picked := _pick(root, random)) is None:
        return None
    path, section, pair = picked
    known = known_keys(kind).get(dotted(path[:-1]), ())
    name = random.choice(
        [
            _typo(pair.key, random),
            _typo(pair.key, random),
            random.choice([*known, "seed"]),
            random.choice(all_keys()),
            random.choice(_ODD_KEYS),
        ]
    )
    if name == pair.key:
        return None
    change = Change(f"rename {dotted(path)} to {name!r}", changed=[path])
    _rename(pair, name, random)
    change.missing(root, path)
    change.discriminator(path)
    _added(kind, change, section, pair, (*path[:-1], name))
    return change


def _rename(pair: Pair, name: str, random: Random) -> None:
    pair.key = name
    if not _PLAIN.fullmatch(name):
        pair.written = json.dumps(name, ensure_ascii=False)


def _added(kind: str, change: Change, section: Keys, pair: Pair, path: KeyPath) -> None:
    """A key that was not in a section before: unknown, twice there, or one that it may have."""
    change.changed.append(path)
    change.discriminator(path)
    same = [each for each in section.pairs if each.key == pair.key]
    if len(same) > 1:
        change.at.append((same[1], path))
        change.certain = True
        if same[0] is pair:  # the other one is skipped, and what is in this one counts
            change.at += [*inside(pair.value, path), *_missed(kind, pair, path)]
    elif pair.key in (*known_keys(kind).get(dotted(path[:-1]), ()), "extends"):
        change.at += [*inside(pair, path), *_missed(kind, pair, path)]
    else:
        change.at.append((pair, path))


def _missed(kind: str, pair: Pair, path: KeyPath) -> Iterator[tuple[Thing, KeyPath]]:
    """A section is where the keys that it lacks are asked for."""
    for key in known_keys(kind).get(dotted(path), ()):
        yield pair, (*path, key)


_WRONG_TEXTS = (
    "ten", "", "null", "~", "true", "no", "yes", "On", "3", "3.0", "2.5", "-1", "0", "-0",
    "1e3", "1_000", "1:30", "0o17", "0x1F", "0b1", "'1,000'", "NaN", "nan", "inf", "None",
    "'5'", '"0.5"', '"true"', "''", "' '", "99999999999999999999", "9" * 400, "'größe'", "[]",
    "1e-400", "2**3", "1 000", "5%", "1.2.3", "+", "1e", "e3", "-1e-9", "1.0000000001",
)  # fmt: skip


def _near_misses(old: Node, random: Random) -> list[str]:
    """What is almost the value that was there."""
    if not isinstance(old, Scalar) or not old.text:
        return []
    value = plain(old)
    if old.text[0] not in "'\"":
        texts = [f"'{old.text}'"]
    else:
        texts = [value] if _PLAIN.fullmatch(value) else []
    if type(value) is int:
        texts += [f"{value}.0", f"{value}.5", f"-{value}", str(value + 2**33)]
    if isinstance(value, str) and value:
        texts.append(json.dumps(_typo(value, random), ensure_ascii=False))
    return texts


_NEVER = ("017", "00", "-007", ".inf", "-.INF", ".nan", "1e999", "9" * 401, "0x" + "f" * 500)


def retype(kind: str, root: Keys, random: Random) -> Change | None:
    if (picked := _pick(root, random)) is None:
        return None
    path, _, pair = picked
    old = pair.value
    change = Change("", changed=[path])
    change.discriminator(path)
    new, change.certain = _other_value(kind, path, old, random)
    if isinstance(old, Items) and old.items and random.randrange(2):
        index = random.randrange(len(old.items))
        new, change.certain = _other_value(kind, path, old.items[index], random)
        before = plain(old)
        old.items[index] = new = _in_list(new)
        if not change.certain and repr(plain(old)) == repr(before):  # [3.0] == [3]
            return None
        wrong = change.certain or not _right_at(kind, path, plain(old))
        change.what = f"retype {dotted(path)}[{index}]"
        change.at += inside(new, (*path, index))
        if not wrong:
            change.at.append((old, path))
        return change
    if not change.certain and plain(new) == plain(old) and type(plain(new)) is type(plain(old)):
        return None
    pair.value = new
    change.what = f"retype {dotted(path)}"
    change.at += inside(new, path)
    change.at += _missed(kind, pair, path)
    return change


def _in_list(node: Node) -> Node:
    """The same as an item of a list, where nothing cannot stand for null."""
    return Scalar("~") if isinstance(node, Scalar) and not node.text else node


def _right_at(kind: str, path: KeyPath, value: Any) -> bool:
    """Whether a value is right for the key at a path, in any of the sections that have it."""
    return any(_fits(kind, value, option) for option in _options(kind, path))


def _options(kind: str, path: KeyPath) -> list[Schema]:
    """What the value at a path may be, in any of the sections that have the key."""
    options = [schema_of(kind)]
    for key in path:
        inner = [o["properties"][key] for o in options if key in o.get("properties", {})]
        options = [choice for each in inner for choice in choices(kind, each)]
    return options


def _and_items(kind: str, options: list[Schema]) -> list[Schema]:
    return options + [c for o in options if "items" in o for c in choices(kind, o["items"])]


def _other_value(kind: str, path: KeyPath, old: Node, random: Random) -> tuple[Node, bool]:
    """Another value for a key, and whether no key can have it."""
    options = _and_items(kind, _options(kind, path))
    way = random.randrange(10)
    if way == 0:
        return Scalar(random.choice(_NEVER)), True
    if way == 1:
        inner = random.choice([_in_list(old), Scalar("3"), Scalar("x"), Scalar("~")])
        return Items([inner, *random.choice([[], [Scalar("4")]])]), False
    if way == 2:
        name = random.choice([str(path[-1]), "x", random.choice(all_keys())])
        return Keys([Pair(name, random.choice([old, Scalar("3")]))]), False
    if way == 3:
        return Keys([]) if random.randrange(2) else Items([]), False
    if way <= 5:
        ends = [end for option in options for end in _out_of_range(option)]
        if ends:
            return Scalar(random.choice(ends)), False
    if way == 6:
        words = [word for option in options for word in option.get("enum", ())]
        words += [o["const"] for o in options if "const" in o]
        if words:
            return tree_of(random.choice(words), random), False
    near = _near_misses(old, random) if random.randrange(2) else []
    return Scalar(random.choice(near or _WRONG_TEXTS)), False


def _out_of_range(option: Schema) -> list[str]:
    ends = []
    for name, by in (("minimum", -1), ("maximum", 1)):
        if name in option:
            ends += [str(option[name]), str(option[name] + by), str(option[name] + by * 1e-3)]
    ends += [repr(option[n]) for n in ("exclusiveMinimum", "exclusiveMaximum") if n in option]
    return ends


def duplicate(kind: str, root: Keys, random: Random) -> Change | None:
    if (picked := _pick(root, random)) is None:
        return None
    path, section, pair = picked
    value = tree_of(plain(pair.value), random)
    if random.randrange(2):
        value, _ = _other_value(kind, path, value, random)
    copy = Pair(pair.key, value)
    section.pairs.insert(random.randint(0, len(section.pairs)), copy)
    second = [each for each in section.pairs if each.key == pair.key][1]
    change = Change(f"duplicate {dotted(path)}", [(second, path)], [path], certain=True)
    # what is skipped is read all the same: a number that is none is a second mistake
    change.at += inside(copy.value, path)
    change.at += _missed(kind, copy, path)
    if second is pair:
        change.discriminator(path)
    return change


def nest(kind: str, root: Keys, random: Random) -> Change | None:
    if (picked := _pick(root, random)) is None:
        return None
    path, _, pair = picked
    inner = Pair(pair.key, pair.value)
    pair.value = Keys([inner])
    change = Change(f"nest {dotted(path)} under itself", changed=[path])
    change.discriminator(path)
    below = (*path, pair.key)
    if path in {(name,) for name in schema_of(kind)["properties"]} or dotted(path) in known_keys(
        kind
    ):
        change.at.append((inner, below))
        change.at += _missed(kind, pair, path)
    change.at.append((pair.value, path))
    return change


def move(kind: str, root: Keys, random: Random) -> Change | None:
    if (picked := _pick(root, random)) is None:
        return None
    path, section, pair = picked
    homes: list[tuple[KeyPath, Keys]] = [((), root)]
    homes += [(p, each.value) for p, _, each in walk(root) if isinstance(each.value, Keys)]
    homes = [home for home in homes if home[0][: len(path)] != path and home[1] is not section]
    if not homes:
        return None
    where, home = random.choice(homes)
    section.pairs.remove(pair)
    home.pairs.insert(random.randint(0, len(home.pairs)), pair)
    new = (*where, pair.key)
    change = Change(f"move {dotted(path)} to {dotted(new)}", changed=[path])
    change.missing(root, path)
    change.discriminator(path)
    _added(kind, change, home, pair, new)
    return change


_VALUE_MARKS = (
    "&a",
    "!!int",
    "!!str",
    "!own",
    "!!python/object:os.system",
    "!<x>",
    "!",
    "!<tag:yaml.org,2002:int>",
)
_KEY_MARKS = ("&a", "!!str", "!own")


def trick(kind: str, root: Keys, random: Random) -> Change | None:
    """Things that YAML has and a config has not."""
    if (picked := _pick(root, random)) is None:
        return None
    path, section, pair = picked
    way = random.choice(["mark", "key mark", "alias", "merge", "tab", "tab after", "document"])
    change = Change(f"{way} at {dotted(path)}", changed=[path], certain=True)
    match way:
        case "mark":
            pair.value = Marked(random.choice(_VALUE_MARKS), pair.value)
            change.at.append((pair.value, path))
        case "key mark":
            pair.mark = random.choice(_KEY_MARKS)
            change.at.append((pair, path))
        case "alias":
            pair.value = Scalar("*a")
            change.at.append((pair.value, path))
            change.discriminator(path)
        case "merge":
            below: Node = Scalar("*a")
            if random.randrange(2):
                below = Keys([Pair("seed", Scalar("1"))])
            merge = Pair("<<", below, "<<")
            section.pairs.insert(random.randint(0, len(section.pairs)), merge)
            change.at.append((merge, (*path[:-1], "<<")))
            if isinstance(below, Scalar):
                change.at.append((below, (*path[:-1], "<<")))
            change.changed = []
        case "tab" | "tab after":
            _in_lines(root, path)
            tab = Scalar("")
            pair.value = Scalar("x")
            if way == "tab":
                pair.tab_before = tab
            else:
                pair.tab_after = tab
            change.at.append((tab, ()))
        case "document":
            change.more = random.choice(["---\n", "---\nseed: 1\n", "--- {a: 1}\n", "...\n---\n"])
    return change


def _in_lines(root: Keys, path: KeyPath) -> None:
    """Let every section down to a key be written as lines, not in brackets."""
    root.block = True
    for end in range(1, len(path)):
        above = at_path(root, path[:end])
        if above is not None and isinstance(above.value, Keys):
            above.value.block = True


MUTATIONS: tuple[Mutation, ...] = (
    drop,
    rename,
    rename,
    retype,
    retype,
    retype,
    duplicate,
    nest,
    move,
    trick,
)


@dataclass(frozen=True)
class Mutant:
    """A config with one mistake in it, or with none where the mistake happens to be right."""

    what: str
    kind: str | None
    """What it is loaded as; None where the file has to say it."""
    text: str
    wrong: bool
    """Whether it has to be refused."""
    places: tuple[tuple[Spot, str], ...]
    """Where a problem may be shown, and the dotted key that it is then about."""
    depends: frozenset[Spot]
    """The places in the sections whose meaning changed."""
    changed: tuple[str, ...]
    """The dotted keys that a problem may name as related."""
    document: dict[str, Any]
    """What it means, where that is one thing."""
    elsewhere: bool = False
    """Whether a problem may be in the file that it extends."""
    arguments: tuple[str, ...] = ()
    """What is given with `--set`."""


def mutant(random: Random) -> Mutant:
    """A valid config with one mutation."""
    kind = random.choice(KINDS)
    root = tree_of(valid_document(kind, random), random)
    assert isinstance(root, Keys)
    change = None
    while change is None:
        if not root.pairs:
            root.pairs.append(Pair("seed", Scalar("7")))
        change = random.choice(MUTATIONS)(kind, root, random)
    return _finished(kind, root, change, random)


def unchanged(random: Random) -> Mutant:
    """A valid config with no mutation."""
    kind = random.choice(KINDS)
    root = tree_of(valid_document(kind, random), random)
    assert isinstance(root, Keys)
    return _finished(kind, root, Change("nothing"), random)


def _finished(kind: str, root: Keys, change: Change, random: Random) -> Mutant:
    writer = Writer(random)
    text = writer.document(root)
    spots = writer.spots
    places = [(spots[thing], dotted(path)) for thing, path in change.at if thing in spots]
    if change.more:
        line = writer.line + change.more.startswith("...")
        places.append((Spot(line, 1, 3), ""))
        text += change.more
    elif not change.certain and random.randrange(6) == 0:
        text = text.removesuffix("\n")
    if random.randrange(8) == 0:
        text = text.replace("\n", "\r\n")
    document = plain(root)
    of_others: set[Spot] = set()
    for path in change.depends:
        of_others |= {spots[t] for t, p in inside(root, ()) if p[: len(path)] == path}
    named = document.get("kind")
    known = isinstance(named, str) and named in KINDS
    given = None if (known or ("kind",) in change.changed) and random.randrange(2) else kind
    return Mutant(
        what=change.what,
        kind=given,
        text=text,
        wrong=change.certain
        or not (known or named is None)
        or not is_right(given or (str(named) if known else kind), document),
        places=tuple(places),
        depends=frozenset(of_others),
        changed=tuple(dotted(path) for path in change.changed),
        document=document,
        elsewhere=("extends",) in change.changed,
    )


# The same on the command line


def set_mutant(random: Random) -> Mutant:
    """A valid file, and `--set` arguments of which one has a mutation."""
    kind = random.choice(KINDS)
    root = tree_of(valid_document(kind, random), random)
    assert isinstance(root, Keys)
    if not root.pairs:
        root.pairs.append(Pair("seed", Scalar("7")))
    writer = Writer(random)
    text = writer.document(root)
    every = [each for each in walk(root) if each[2].key not in {"kind", "extends"}]
    arguments: list[str] = []
    others: list[tuple[KeyPath, Spot]] = []
    for path, _, pair in every:
        if not isinstance(pair.value, Keys) and len(arguments) < 3 and random.randrange(4) == 0:
            same = tree_of(plain(pair.value), random)
            argument, parts, things = _argument(path, same, random)
            arguments.append(argument)
            spots = [*parts, *things.values()]
            others += [(path, replace(spot, argument=argument)) for spot in spots]
    path, _, pair = random.choice(every or list(walk(root)))
    value, certain = _other_value(kind, path, tree_of(plain(pair.value), random), random)
    given, depends = path, Change("")
    way = random.choice(["value", "value", "value", "key", "mark", "alias"])
    if way == "key":
        at = random.randrange(len(path))
        name = random.choice(
            [_typo(str(path[at]), random).strip(), random.choice(all_keys()), "ключ"]
        )
        given = (*path[:at], name or "x", *path[at + 1 :])
    elif way == "mark":
        same = tree_of(plain(pair.value), random)
        value, certain = Marked(random.choice(_VALUE_MARKS), same), True
    elif way == "alias":
        value, certain = Scalar("*a"), True
    argument, parts, things = _argument(given, value, random)
    document = plain(root)
    _overlay(document, given, plain(value))
    depends.discriminator(given)
    others += [(path, writer.spots[t]) for t, path in inside(root, ()) if t in writer.spots]
    places = _places_of_set(kind, given, value, parts, things)
    return Mutant(
        what=f"{way} of --set {dotted(path)}",
        kind=kind,
        text=text,
        wrong=certain or given[0] == "extends" or not is_right(kind, document),
        places=tuple((replace(spot, argument=argument), dotted(key)) for spot, key in places),
        depends=frozenset(
            spot
            for above in depends.depends
            for path, spot in others
            if path[: len(above)] == above
        ),
        changed=(dotted(given),),
        document=document,
        arguments=(*arguments, argument),
    )


def _places_of_set(
    kind: str, path: KeyPath, value: Node, parts: list[Spot], things: dict[Thing, Spot]
) -> Iterator[tuple[Spot, KeyPath]]:
    """Where the problem of a key that `--set` gives may be shown, and the key it is then about."""
    for end, part in enumerate(parts, start=1):
        yield part, path[:end]
        for key in known_keys(kind).get(dotted(path[:end]), ()):
            yield part, (*path[:end], key)
    if isinstance(value, Scalar) and not value.text:
        yield replace(things[value], column=things[value].column - 1), path  # the `=`
    if path[-1] == "source":  # what that source needs is asked for here
        for key in known_keys(kind).get(dotted(path[:-1]), ()):
            yield things[value], (*path[:-1], key)
    for thing, inner in inside(value, path):
        if thing in things:
            yield things[thing], inner


def _argument(
    path: KeyPath, value: Node, random: Random
) -> tuple[str, list[Spot], dict[Thing, Spot]]:
    """`--set` of a value: the argument, where each part of the key stands, and each value."""
    blank, behind = random.choice([("", ""), ("", ""), (" ", " ")])
    option = f"--set {blank}"
    key = dotted(path)
    column, parts = len(option) + 1, []
    for part in path:
        parts.append(Spot(0, column, len(str(part))))
        column += len(str(part)) + 1
    start = f"{option}{key}{behind}="
    writer = Writer(random, line=0, column=len(start) + 1)
    writer.value(value)
    return start + writer.text, parts, writer.spots


def _overlay(document: dict[str, Any], path: KeyPath, value: Any) -> None:
    node = document
    for key in path[:-1]:
        if not isinstance(node.get(str(key)), dict):
            node[str(key)] = {}
        node = node[str(key)]
    node[str(path[-1])] = value


# What is wrong with the answer


@dataclass
class Verdict:
    """What became of a mutant."""

    refused: bool
    positions: int = 0
    """How many problems were reported."""
    direct: int = 0
    """How many of them at what was mutated; the others at what only therefore is wrong."""
    faults: list[str] = field(default_factory=list)


def judge(mutant: Mutant, path: Path) -> Verdict:
    """Load a mutant and hold what comes back against what was done to it."""
    path.write_text(mutant.text, encoding="utf-8", newline="")
    given = [Override.from_set(argument.removeprefix("--set ")) for argument in mutant.arguments]
    try:
        config = load(SCHEMAS, mutant.kind, str(path), given).config
    except ConfigError as error:
        verdict = Verdict(True, len(error.problems))
        if not error.problems:
            verdict.faults.append("refused without a problem")
        lines = re.split("\r\n|\n", mutant.text)
        for problem in error.problems:
            verdict.faults += _faults(mutant, problem, str(path), lines)
        alone = [p for p in error.problems if not p.related]
        places = [(p.origin, p.line, p.column, p.length) for p in alone]
        if len(set(places)) < len(places):
            shown = " and ".join(f"[{p.path}] {p.message}" for p in alone)
            verdict.faults.append(f"two problems at one place: {shown}")
        verdict.direct = sum(_is_direct(mutant, each) for each in error.problems)
        if mutant.wrong and not verdict.direct and not mutant.depends and not verdict.faults:
            verdict.faults.append("no problem at the mistake itself")
        return verdict
    verdict = Verdict(False)
    if mutant.wrong:
        verdict.faults.append("accepted")
    else:
        got = to_dict(config)
        verdict.faults += list(_not_obeyed(mutant.document, got, path.parent))
    return verdict


def _faults(mutant: Mutant, problem: Problem, file: str, lines: list[str]) -> Iterator[str]:
    where = f"{problem.place}:{problem.column}+{problem.length} [{problem.path}] {problem.message}"
    if not problem.message:
        yield f"no message: {where}"
    if problem.origin not in {file, *mutant.arguments}:
        # what is no longer said here is what the config that it extends says
        about = any(_below(problem.path, changed) for changed in mutant.changed)
        if not (about or mutant.elsewhere or _is_related(mutant, problem)):
            yield f"in another file, {problem.origin}: {where}"
        return
    if problem.origin != file:
        lines = [problem.origin]
    number = problem.line if problem.origin == file else problem.line + 1
    if not 1 <= number <= len(lines):
        yield f"no such line: {where}"
        return
    line = lines[number - 1]
    start, end = problem.column - 1, problem.column - 1 + problem.length
    if not 0 <= start < end <= len(line):
        yield f"carets outside of the line: {where}"
    if problem.source[-1] != (problem.line, line):
        yield f"another line is shown: {where}"
    if not (
        _is_direct(mutant, problem)
        or _is_related(mutant, problem)
        or any(_stands_at(problem, spot) for spot in mutant.depends)
    ):
        yield f"not at the mistake: {where}"


def _stands_at(problem: Problem, spot: Spot) -> bool:
    return (
        (problem.line, problem.column) == (spot.line, spot.column)
        and (problem.length == spot.length or not spot.length)
        and (problem.origin == spot.argument or bool(problem.line))
    )


def _is_direct(mutant: Mutant, problem: Problem) -> bool:
    return any(
        _stands_at(problem, spot) and problem.path in {"", path} for spot, path in mutant.places
    )


def _is_related(mutant: Mutant, problem: Problem) -> bool:
    return any(
        _below(related, changed) for related in problem.related for changed in mutant.changed
    )


def _below(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))


def _not_obeyed(
    document: dict[str, Any], config: dict[str, Any], folder: Path, path: str = ""
) -> Iterator[str]:
    """The values that were written and are not those of the config."""
    for key, value in document.items():
        here = f"{path}{key}"
        if here == "extends":
            continue
        if key not in config:
            yield f"not obeyed: {here} is not in the config"
        elif isinstance(value, dict) and isinstance(config[key], dict):
            yield from _not_obeyed(value, config[key], folder, f"{here}.")
        elif not _same(value, config[key], folder):
            yield f"not obeyed: {here} is {value!r}, the config has {config[key]!r}"


def _same(written: Any, got: Any, folder: Path) -> bool:
    if isinstance(got, bool) and isinstance(written, str):
        return got == (written.lower() in {"yes", "on"})
    if isinstance(got, bool) != isinstance(written, bool):
        return False
    if isinstance(written, str) and isinstance(got, str):
        path = Path(written).expanduser()
        return got == written or Path(got) in {folder / path, Path.cwd() / path}
    if isinstance(got, float) and isinstance(written, int):
        return float(written) == got
    return bool(written == got)
