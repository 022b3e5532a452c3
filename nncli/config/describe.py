"""What each key of a section means, and each field of other types, read from the text under it.

Pydantic can do this while a class is made, and then every start of the program pays for it.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache

from pydantic import BaseModel


def descriptions(section: type[BaseModel]) -> dict[str, str]:
    """Each field's text, by name, on one line; its own or that of the class it comes from."""
    found: dict[str, str] = {}
    for base in reversed(section.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:  # whose source is long
            found |= texts_of(base)
    return {name: found[name] for name in section.model_fields if name in found}


def texts_of(kind: type) -> dict[str, str]:
    """The texts under the fields that a class itself has, each on one line."""
    return _texts(kind.__module__).get(kind.__name__, {})


@cache
def _texts(module: str) -> dict[str, dict[str, str]]:
    """The texts under the fields of every class of a module, by class and field."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (OSError, TypeError):  # an installation without sources has none to show
        return {}
    return {
        node.name: _under_fields(node)
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef)
    }


def _under_fields(node: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, text in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            found[field.target.id] = " ".join(text.value.value.split())
    return found
