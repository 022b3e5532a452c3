"""Every key that a config may have, with what it means and what may stand there.

Read off the section classes themselves, without building what checks them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, WithJsonSchema
from pydantic.fields import FieldInfo

from nncli.config.describe import descriptions


@dataclass(frozen=True)
class Key:
    """A key that a config may have."""

    path: str
    """Dotted."""
    description: str
    is_section: bool
    values: tuple[str, ...] = ()
    """What may stand there, where that is a list of words."""


TAG = "source"
"""The key that says which of several sections one is."""


def keys(schema: type[BaseModel]) -> list[Key]:
    """The keys of a kind's configs, those of all data sources, a section before what is in it."""
    found: dict[str, Key] = {}

    def walk(section: type[BaseModel], above: str) -> None:
        texts = descriptions(section)
        for name, field in section.model_fields.items():
            path = above + name
            choices = list(_choices(field.annotation, field.metadata))
            sections = [choice for choice in choices if isinstance(choice, type)]
            words = [str(choice) for choice in choices if not isinstance(choice, type)]
            before = found.get(path)
            values = tuple(dict.fromkeys([*(before.values if before else ()), *words]))
            text = before.description if before else texts.get(name, "")
            if name == TAG and above:  # each source's own text says what that source is
                text = found[above.removesuffix(".")].description
            found[path] = Key(path, text, bool(sections), values)
            for inner in sections:
                walk(inner, f"{path}.")

    walk(schema, "")
    return list(found.values())


def _choices(annotation: Any, metadata: list[Any]) -> Iterator[str | type[BaseModel]]:
    """The sections and the words that an annotation allows."""
    for each in metadata:
        if isinstance(each, WithJsonSchema):
            yield from _words(each.json_schema or {})
            return
    if annotation is NoneType:
        yield "null"
    elif get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif hasattr(annotation, "__metadata__"):
        yield from _choices(get_args(annotation)[0], list(annotation.__metadata__))
    elif get_origin(annotation) not in {tuple, list}:
        for argument in get_args(annotation):
            if isinstance(argument, FieldInfo):
                continue
            yield from _choices(argument, [])


def _words(schema: dict[str, Any]) -> Iterator[str]:
    """The words of a field that states its JSON Schema itself."""
    for choice in (schema, *schema.get("anyOf", ())):
        words = choice.get("enum", ())
        if True in words:  # its other words mean the same
            words = ("true", "false")
        yield from map(str, words)
