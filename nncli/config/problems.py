"""What pydantic found, in words that say what was given, what was wanted and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nncli.config.strict_yaml import meaning
from nncli.config.tree import KeyPath, Tree, dotted, shown
from nncli.errors import Problem, closest

MOST_PROBLEMS = 500
"""How many values are explained: who has more does not need the rest, and each takes a while."""
_LIMITS = {
    "greater_than_equal": ("too small", "must be at least", "ge"),
    "greater_than": ("too small", "must be more than", "gt"),
    "less_than_equal": ("too large", "must be at most", "le"),
    "less_than": ("too large", "must be less than", "lt"),
}
_MISSING = {"missing", "union_tag_not_found"}
_LENGTHS = {
    "too_short": ("too short", "must hold at least", "min_length"),
    "too_long": ("too long", "may hold at most", "max_length"),
}
_WANTED = {
    "int_type": ("a whole number", "write a number, e.g. 3"),
    "int_from_float": ("a whole number", "write a number, e.g. 3"),
    "int_parsing": ("a whole number", "write a number, e.g. 3"),
    "float_type": ("a number", "write a number, e.g. 0.001"),
    "float_parsing": ("a number", "write a number, e.g. 0.001"),
    "finite_number": ("a finite number", "write a number, e.g. 0.001"),
    "bool_type": ("true or false", "write true or false"),
    "bool_parsing": ("true or false", "write true or false"),
    "string_type": ("text", "write text; put quotes around a number"),
    "path_type": ("a path", "write a file name"),
    "list_type": ("a list", "write a list, e.g. [64, 64]"),
    "tuple_type": ("a list", "write a list, e.g. [64, 64]"),
    "dict_type": ("a section", "write keys under it"),
    "model_type": ("a section", "write keys under it"),
    "model_attributes_type": ("a section", "write keys under it"),
}


@dataclass(frozen=True)
class Finding:
    """One value that is wrong by itself."""

    path: KeyPath
    problem: Problem
    unknown_key: bool
    """Whether the key itself is the mistake, so that no value of a known key is in doubt."""
    is_value: bool
    """Whether there is a value to be wrong: a missing one is not written anywhere."""


def explain(
    error: ValidationError,
    tree: Tree,
    document: dict[str, Any],
    kind: str,
    schemas: Mapping[str, type[BaseModel]],
) -> list[Finding]:
    """What pydantic found in a document, up to `MOST_PROBLEMS`, in words and at its place.

    Args:
        error: pydantic's.
        tree: where each value was written.
        document: what was validated: the tree's value with the defaults that depend on it.
        kind: which of the schemas it was validated against.
        schemas: those of all kinds, for keys that another kind knows.
    """
    schema = schemas[kind]
    found: dict[KeyPath, list[tuple[ErrorDetails, list[type[BaseModel]]]]] = {}
    for detail in error.errors(include_url=False)[:MOST_PROBLEMS]:
        path, models = _locate(detail["loc"], document, schema)
        if detail["type"].startswith("union_tag"):
            path = (*path, str(detail.get("ctx", {})["discriminator"]).strip("'"))
        found.setdefault(path, []).append((detail, models))
    findings = []
    for path, details in found.items():
        # a value that may be this or that fails as each of them: keep what says most
        detail, models = min(details, key=lambda each: each[0]["type"] in _WANTED)
        wanted = dict.fromkeys(_WANTED[d["type"]] for d, _ in details if d["type"] in _WANTED)
        unknown = detail["type"] == "extra_forbidden"
        if unknown:
            advice = _advice_for_key(path, models, kind, schemas) + _way_out(tree, path)
            problem = tree.problem(path, "unknown key", advice, at_key=True)
        else:
            problem = _problem(detail, path, tree, list(wanted))
        findings.append(Finding(path, problem, unknown, detail["type"] not in _MISSING))
    return [each for each in findings if not _follows(each, found, tree)] or findings


def _follows(finding: Finding, found: Iterable[KeyPath], tree: Tree) -> bool:
    """Whether a finding only says again, or elsewhere, what another one says at its place.

    Of a list with a wrong item pydantic also says that it is too short; and a default that was
    taken over from a wrong value is as wrong.
    """
    path = finding.path
    below = any(len(other) > len(path) and other[: len(path)] == path for other in found)
    copied = not finding.unknown_key and finding.is_value and path not in tree.values
    return below or copied


def _way_out(tree: Tree, path: KeyPath) -> str:
    """How to keep a file's keys from a source that the command line chose instead of its own."""
    source = (*path[:-1], "source")
    chosen, written = tree.values.get(source), tree.keys.get(path)
    if chosen is None or chosen.line or written is None or not written.line:
        return ""
    section = dotted(path[:-1])
    return f"; --set '{section}={{source: {tree.written(source)}}}' leaves the section out"


def _problem(
    detail: ErrorDetails, path: KeyPath, tree: Tree, alternatives: list[tuple[str, str]]
) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    number = type(detail["input"]) in {int, float}
    given = (tree.written(path) if number else None) or shown(detail["input"])
    if kind in _MISSING:
        return _missing(tree, path)
    if kind in _LIMITS:
        word, wanted, limit = _LIMITS[kind]
        bound = context[limit]
        whole = isinstance(bound, float) and bound.is_integer()
        advice = f"{wanted} {int(bound) if whole else bound}"
        return tree.problem(path, f"{given} is {word}", advice, at_key=False)
    if kind in {"too_short", "too_long"}:
        word, wanted, limit = _LENGTHS[kind]
        values = "1 value" if context[limit] == 1 else f"{context[limit]} values"
        return tree.problem(path, f"{given} is {word}", f"{wanted} {values}", at_key=False)
    if kind in {"literal_error", "union_tag_invalid"}:
        return _choice_problem(detail, path, tree)
    if kind == "wrong_value":
        return tree.problem(path, context["message"], context["advice"], at_key=False)
    if kind == "string_pattern_mismatch" and path[-1:] == ("device",):
        return tree.problem(
            path, f"{given} is not a device", "write auto, cpu, gpu or gpu:N", at_key=False
        )
    if kind in _WANTED:
        what = " or ".join(each for each, _ in alternatives)
        advice = _advice_for_type(kind, detail["input"]) or alternatives[-1][1]
        return tree.problem(path, f"{given} is not {what}", advice, at_key=False)
    message = detail["msg"].removeprefix("Value error, ")
    return tree.problem(path, f"{given}: {message}", "", at_key=False)


def _missing(tree: Tree, path: KeyPath) -> Problem:
    """A key that has to be there, shown where the section that lacks it was chosen."""
    message, advice = "missing, and it has no default", f"add {path[-1]}: …"
    source = (*path[:-1], "source")
    place = tree.values.get(source)
    if place is not None and not place.line:  # the command line asked for this kind of data
        problem = tree.problem(source, message, f"add --set {dotted(path)}=…", at_key=False)
        return replace(problem, path=dotted(path))
    return tree.problem(path, message, advice, at_key=True)


def _advice_for_type(kind: str, given: Any) -> str:
    """What to write instead, where the value that was given shows what was meant."""
    what = _WANTED[kind][0]
    number = meaning(given) if isinstance(given, str) else given
    if what == "a list" and type(given) in {int, float, str}:
        return f"write [{given}]"
    if what == "a section" and given is None:
        return "write keys under it, or remove it"
    if what == "a section" and isinstance(given, str) and re.match(r"[\w-]+:\S", given):
        return "put a space after the ':'"
    if what == "a whole number" and isinstance(number, float) and number.is_integer():
        return f"write {number:.0f}"
    if "number" in what and isinstance(given, str):
        if type(number) in {int, float}:
            return f"write {given} without quotes"
        return _written_otherwise(given)
    return ""


def _written_otherwise(given: str) -> str:
    """The number that people mean by `20%`, `0,001` and `1_000`."""
    share = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", given)
    if share:
        return f"write {float(share[1]) / 100:g}"
    if re.fullmatch(r"\d+,\d{1,2}|0,\d+", given):
        return f"write {given.replace(',', '.')}, with a point"
    if re.fullmatch(r"\d{1,3}([_' ,]\d{3})+", given):
        return f"write {re.sub(r'[^0-9]', '', given)}"
    return ""


def _choice_problem(detail: ErrorDetails, path: KeyPath, tree: Tree) -> Problem:
    context = detail.get("ctx", {})
    if detail["type"] == "union_tag_invalid":
        given = context["tag"]
        choices = [choice.strip("'") for choice in context["expected_tags"].split(", ")]
    else:
        given = detail["input"]
        choices = context["expected"].replace("' or '", "', '").split(", ")
        choices = [choice.strip("'") for choice in choices]
    guess = closest(str(given), choices)
    advice = f"did you mean '{guess}'?" if guess else "write one of them"
    return tree.problem(
        path, f"{shown(given)} is not one of {', '.join(choices)}", advice, at_key=False
    )


def _locate(
    loc: tuple[int | str, ...], value: Any, schema: type[BaseModel]
) -> tuple[KeyPath, list[type[BaseModel]]]:
    """The key path of pydantic's location, without the tags of unions in it.

    Returns:
        The path, and the section classes that its last key could belong to.
    """
    path: list[str | int] = []
    models: list[type[BaseModel]] = [schema]
    node = value
    for position, part in enumerate(loc):
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        if isinstance(node, dict) and isinstance(part, str) and (part in node or fields):
            path.append(part)
            node = node.get(part)
            if position < len(loc) - 1:
                models = [m for field in fields for m in _sections_in(field.annotation)]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            path.append(part)
            node = node[part]
        elif isinstance(part, str):  # the tag of a union: keep the member it names
            models = [m for m in models if _tag(m) == part] or models
    return tuple(path), models


def _sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _sections_in(argument)


def _tag(model: type[BaseModel]) -> str | None:
    source = model.model_fields.get("source")
    return str(source.default) if source is not None else None


def _advice_for_key(
    path: KeyPath,
    models: list[type[BaseModel]],
    kind: str,
    schemas: Mapping[str, type[BaseModel]],
) -> str:
    """Where an unknown key belongs, or what it was meant to be."""
    key, schema = str(path[-1]), schemas[kind]
    known = list(dict.fromkeys(name for model in models for name in model.model_fields))
    above = tuple(part for part in path[:-1] if isinstance(part, str))
    if len(models) == 1 and _tag(models[0]) is not None:
        sources = [str(_tag(model)) for model in _sections_at(schema, above, key)]
        if sources:
            some = ", ".join(sources[:-1])
            return f"only for source {f'{some} or ' * bool(some)}{sources[-1]}"
    homes = [home for home in _homes(schema) if home[0] != above and key in home[1]]
    homes.sort(key=lambda home: home[0][: len(above)] != above)  # a section below comes first
    if homes:
        home = ".".join(homes[0][0])
        where = f"under '{home}:'" if home else f"outside of '{'.'.join(above)}:'"
        return f"this key belongs {where}"
    kinds = [other for other in schemas if _sections_at(schemas[other], above, key)]
    if kinds:
        return f"only for kind {' or '.join(kinds)}"
    guess = closest(key, known)
    return f"did you mean '{guess}'?" if guess else f"known keys: {', '.join(known)}"


def _homes(
    schema: type[BaseModel], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Every section's path and its keys."""
    fields = schema.model_fields
    yield path, set(fields)
    for name, field in fields.items():
        for model in _sections_in(field.annotation):
            yield from _homes(model, (*path, name))


def _sections_at(schema: type[BaseModel], path: tuple[str, ...], key: str) -> list[type[BaseModel]]:
    """The section classes that can stand at a path and know a key."""
    models = [schema]
    for part in path:
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        models = [inner for field in fields for inner in _sections_in(field.annotation)]
    return [model for model in models if key in model.model_fields]
