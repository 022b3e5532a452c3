"""The documents as one JSON Schema (draft 2020-12), made from their types and the texts there."""

from __future__ import annotations

from typing import Any, Union

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from nncli.config.describe import texts_of
from nncli.config.json_schema import DIALECT
from nncli.documents import SCHEMA_VERSION
from nncli.documents.error import Error
from nncli.documents.every import documents

VERSION = {
    "const": SCHEMA_VERSION,
    "type": "integer",
    "description": "Goes up where a key goes, or comes to mean something else.",
}
DOCUMENT = "What this is: the others have other words here."


def json_schema(command: str = "") -> dict[str, Any]:
    """What a command may print with `--json`: its document in each of its forms, or an error.

    Args:
        command: one of `nncli.documents.every.commands`; empty for all.
    """
    wanted = f"{command} ".lstrip()
    found = [each for name, each in documents().items() if f"{name} ".startswith(wanted)]
    chosen = list(dict.fromkeys([*found, Error]))
    any_of: Any = Union[tuple(chosen)]  # noqa: UP007 - of types that are not known before
    adapter: TypeAdapter[Any] = TypeAdapter(any_of)
    definitions = adapter.json_schema(mode="serialization", schema_generator=_Generator)["$defs"]
    for each in chosen:
        document = definitions[each.__name__]
        fields = document["properties"]
        fields["document"]["description"] = DOCUMENT
        own = {"schema_version": VERSION, "document": fields.pop("document")}
        document["properties"] = {**own, **fields}
        document["required"] = list(dict.fromkeys([*own, *document["required"]]))
    return {
        "$schema": DIALECT,
        "title": f"nncli {command} --json".replace("  ", " "),
        "oneOf": [{"$ref": f"#/$defs/{each.__name__}"} for each in chosen],
        "$defs": _untitled(definitions),
    }


class _Generator(GenerateJsonSchema):
    """Pydantic's, with the text under each field, no title made of its name, and no other key."""

    def typed_dict_schema(self, schema: Any) -> dict[str, Any]:
        return _described(super().typed_dict_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        return _described(super().dataclass_schema(schema), schema["cls"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        """A record's fields are there whether they have a default or not."""
        return bool(field.get("required", total) if field["type"] == "typed-dict-field" else True)

    def default_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])


def _described(made: dict[str, Any], kind: type) -> dict[str, Any]:
    texts: dict[str, str] = {}
    for each in (*getattr(kind, "__orig_bases__", ()), kind):  # at run time a TypedDict has no base
        texts |= texts_of(each)
    for name, field in made["properties"].items():
        if name in texts:
            field["description"] = texts[name]
    meaning = " ".join((kind.__doc__ or "").split())
    return {**made, "description": meaning, "additionalProperties": False}


def _untitled(node: Any) -> Any:
    """The same schema without titles, which are names in Python."""
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _untitled(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }
