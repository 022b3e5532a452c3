"""The config as JSON Schema (draft 2020-12), for editors and other tools.

Made from the same classes that a config is held against. It says what is right of each value by
itself; values that exclude each other only nncli itself finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from nncli.config.describe import descriptions
from nncli.config.inherit import EXTENDS
from nncli.config.load import C, Schemas
from nncli.config.sections import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Document = dict[str, Any]


def json_schema(schemas: Schemas[C], kind: str | None = None) -> Document:
    """The JSON Schema of one kind's configs; of all kinds', told apart by `kind`, without one.

    A default is stated where it is the same in every config.
    """
    if kind is not None:
        return {"$schema": DIALECT, "title": f"nncli config: {kind}", **_of_kind(schemas[kind])}
    choices: list[Document] = []
    definitions: Document = {}
    for name in schemas:
        one = _renamed(_of_kind(schemas[name]), f"{name}.")
        definitions |= {f"{name}.{key}": value for key, value in one.pop("$defs").items()}
        choices.append({**one, "required": ["kind", *one.get("required", ())]})
    return {
        "$schema": DIALECT,
        "title": "nncli config",
        "oneOf": choices,
        "$defs": definitions,
    }


class _Generator(GenerateJsonSchema):
    """Pydantic's, with the text under each field and without titles made of its name."""

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        made: JsonSchemaValue = super().model_schema(schema)
        made.pop("title", None)
        texts = descriptions(schema["cls"])
        for name, field in made.get("properties", {}).items():
            if name in texts:
                field["description"] = texts[name]
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def path_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ARG002
        return {"type": "string"}


def _of_kind(schema: type[Config]) -> Document:
    made: Document = _renamed(schema.model_json_schema(schema_generator=_Generator), "")
    complete: Document = {}
    schema.complete(complete)
    _drop_dependent_defaults(made, complete, schema.dependent)
    for section in list(made["$defs"].values()):
        source = section.get("properties", {}).get("source", {})
        if "const" in source and source["const"] != schema.default_source:
            section["required"] = ["source", *section.get("required", ())]
    text = "The config that this one builds on: a shipped name, or a path relative to this file."
    made["properties"] = {EXTENDS: {"type": "string", "description": text}, **made["properties"]}
    return made


def _drop_dependent_defaults(made: Document, complete: Document, keys: tuple[str, ...]) -> None:
    """Demand no key that is filled in, and state no default that other keys may change.

    Args:
        made: the schema, changed in place.
        complete: what an empty config is completed with.
        keys: other keys, dotted, whose default depends on others.
    """

    def walk(section: Document, values: Document) -> None:
        section["required"] = [key for key in section.get("required", ()) if key not in values]
        if not section["required"]:
            del section["required"]
        for key, value in values.items():
            field = section["properties"][key]
            field.pop("default", None)
            inner = _section(made, field, value)
            if inner is not None:
                walk(inner, value)

    walk(made, complete)
    for dotted in keys:
        sections = [made]
        *above, last = dotted.split(".")
        for key in above:
            fields = [s["properties"][key] for s in sections if key in s.get("properties", {})]
            sections = [choice for field in fields for choice in _choices(made, field)]
        for section in sections:
            section.get("properties", {}).get(last, {}).pop("default", None)


def _section(made: Document, field: Document, value: Any) -> Document | None:
    """The section that a field's value is checked against, if it is one."""
    if not isinstance(value, dict):
        return None
    for choice in _choices(made, field):
        source = choice.get("properties", {}).get("source", {})
        if "properties" in choice and source.get("const", value.get("source")) == value.get(
            "source"
        ):
            return choice
    return None


def _choices(made: Document, field: Document) -> Iterator[Document]:
    """What a field's value may be, references followed."""
    if "$ref" in field:
        field = made["$defs"][field["$ref"].removeprefix("#/$defs/")]
    inner = [*field.get("anyOf", ()), *field.get("oneOf", ())]
    if not inner:
        yield field
    for choice in inner:
        yield from _choices(made, choice)


def _renamed(node: Any, prefix: str) -> Any:
    """The same schema, its references to definitions renamed, without what OpenAPI adds."""
    if isinstance(node, list):
        return [_renamed(item, prefix) for item in node]
    if not isinstance(node, dict):
        return node
    old, new = "#/$defs/", f"#/$defs/{prefix}"
    return {
        key: value.replace(old, new) if key == "$ref" else _renamed(value, prefix)
        for key, value in node.items()
        if key != "discriminator"
    }
