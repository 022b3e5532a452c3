"""What a command printed, held against the schema that is published."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from nncli.documents.every import documents
from nncli.documents.json_schema import json_schema


@cache
def validator(command: str = "") -> Draft202012Validator:
    """Of all that a command may print."""
    return Draft202012Validator(json_schema(command))


@cache
def _validator_of(name: str) -> Draft202012Validator:
    """Of one document, whose complaints are about its keys instead of about all that it is not."""
    whole = json_schema()
    return Draft202012Validator(
        {"$ref": f"#/$defs/{documents()[name].__name__}", "$defs": whole["$defs"]}
    )


def document_of(text: str, command: str = "") -> dict[str, Any]:
    """The only document in a text, which is one that the command may print."""
    found: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    assert list(found)[:2] == ["schema_version", "document"]
    wrong = best_match(_validator_of(found["document"]).iter_errors(found))
    assert wrong is None, f"{found['document']}: {wrong.json_path}: {wrong.message}"
    assert validator(command).is_valid(found), f"{found['document']} is nothing of {command}"
    return found
