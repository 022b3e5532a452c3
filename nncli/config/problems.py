"""What pydantic found, in words that say what was given, what was wanted and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nncli.config.strict_yaml import KeyPath, Tree
from nncli.errors import Problem, closest

_LIMITS = {
    "greater_than_equal": ("too small", "must be at least", "ge"),
    "greater_than": ("too small", "must be more than", "gt"),
    "less_than_equal": ("too large", "must be at most", "le"),
    "less_than": ("too large", "must be less than", "lt"),
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


def explain(error: ValidationError, tree: Tree, schema: type[BaseModel]) -> list[Problem]:
    """Every problem at its place, in the order of the file."""
    problems: dict[tuple[str, str], Problem] = {}
    for detail in error.errors(include_url=False):
        problem = _problem(detail, tree, schema)
        problems.setdefault((problem.path, problem.place), problem)
    return sorted(problems.values(), key=lambda p: (p.line == 0, p.line, p.column))


def _problem(detail: ErrorDetails, tree: Tree, schema: type[BaseModel]) -> Problem:
    path, models = _locate(detail["loc"], tree.value, schema)
    kind, context = detail["type"], detail.get("ctx", {})
    given = detail["input"]
    if kind == "extra_forbidden":
        advice = _advice_for_key(str(path[-1]), models, schema)
        return tree.problem(path, "unknown key", advice, at_key=True)
    if kind == "missing":
        return tree.problem(path, "missing, and it has no default", "add it", at_key=True)
    if kind in _LIMITS:
        word, wanted, limit = _LIMITS[kind]
        return tree.problem(
            path, f"{_shown(given)} is {word}", f"{wanted} {context[limit]}", at_key=False
        )
    if kind in {"literal_error", "union_tag_invalid"}:
        return _choice_problem(detail, path, tree)
    if kind == "union_tag_not_found":
        discriminator = str(context["discriminator"]).strip("'")
        return tree.problem(
            (*path, discriminator), "missing, and it has no default", "add it", at_key=True
        )
    if kind == "contradiction":
        where = (*path, context["key"]) if context["key"] else path
        return tree.problem(where, context["message"], context["advice"], at_key=False)
    if kind == "string_pattern_mismatch" and path[-1:] == ("device",):
        return tree.problem(
            path, f"{_shown(given)} is not a device", "write auto, cpu, gpu or gpu:N", at_key=False
        )
    if kind in _WANTED:
        what, advice = _WANTED[kind]
        return tree.problem(path, f"{_shown(given)} is not {what}", advice, at_key=False)
    message = detail["msg"].removeprefix("Value error, ")
    return tree.problem(path, f"{_shown(given)}: {message}", "", at_key=False)


def _choice_problem(detail: ErrorDetails, path: KeyPath, tree: Tree) -> Problem:
    context = detail.get("ctx", {})
    if detail["type"] == "union_tag_invalid":
        discriminator = str(context["discriminator"]).strip("'")
        path, given = (*path, discriminator), context["tag"]
        choices = [choice.strip("'") for choice in context["expected_tags"].split(", ")]
    else:
        given = detail["input"]
        choices = context["expected"].replace("' or '", "', '").split(", ")
        choices = [choice.strip("'") for choice in choices]
    guess = closest(str(given), choices)
    advice = f"did you mean '{guess}'?" if guess else f"write one of {', '.join(choices)}"
    return tree.problem(
        path, f"{_shown(given)} is not one of {', '.join(choices)}", advice, at_key=False
    )


def _shown(value: Any) -> str:
    """A value as the user wrote it, shortened."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


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


def _advice_for_key(key: str, models: list[type[BaseModel]], schema: type[BaseModel]) -> str:
    known = [name for model in models for name in model.model_fields]
    for section, field in schema.model_fields.items():
        for model in _sections_in(field.annotation):
            if key in model.model_fields and model not in models:
                return f"this key belongs under '{section}:'"
    guess = closest(key, known)
    return f"did you mean '{guess}'?" if guess else f"known keys: {', '.join(sorted(set(known)))}"
