"""Words of the command line made into what a command takes, without pydantic.

Typer has pydantic read every word, one that is to stay a word too, and importing pydantic is a
third of a short command's time. A word that is plainly right is read here; any other, and with
it every complaint, is left to Typer. Where Typer keeps what reads a word is its own affair: a
Typer that keeps it elsewhere reads all words itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

RULES = (
    *("parser", "min", "max", "clamp", "case_sensitive", "exists", "file_okay", "dir_okay"),
    *("readable", "writable", "resolve_path", "allow_dash", "path_type"),
)
"""What a parameter can ask of its words beside their type; only Typer looks at it."""
LONGEST_NUMBER = 9
"""Digits of a whole number that is read here."""


class _Plain:
    """A command whose options and arguments read their words without pydantic."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All of them, the option --help too, which Typer adds late."""
        found: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in found:
            if isinstance(parameter, (TyperArgument, TyperOption)):
                _read_plainly(parameter)
        return found


class Command(_Plain, TyperCommand):
    """A command of nncli."""


class Group(_Plain, TyperGroup):
    """A command of nncli that has commands of its own."""


def _read_plainly(parameter: TyperArgument | TyperOption) -> None:
    if getattr(parameter, "_runtime_param", _Reader) is not None:
        return
    asked = parameter.type_descriptor.parameter_info
    usual = type(asked)()
    if all(getattr(asked, rule) == getattr(usual, rule) for rule in RULES):
        parameter._runtime_param = _Reader()  # type: ignore[assignment]


class _Reader:
    """Stands where Typer keeps what reads the words of one parameter."""

    def coerce(self, value: Any, param: TyperArgument | TyperOption, ctx: Any) -> Any:
        """The words of one parameter as its command takes them."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        try:
            return _read(value, param.type_descriptor.annotation)
        except ValueError:
            param._runtime_param = None  # so that Typer makes its own
            return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def _read(value: Any, annotation: Any) -> Any:
    """A word, or several, as the type that they are wanted as.

    Raises:
        ValueError: not plainly right.
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is list and isinstance(value, (tuple, list)):
        return [_read(item, parts[0]) for item in value]
    if origin is tuple and isinstance(value, (tuple, list)):
        return tuple(_read(item, part) for item, part in zip(value, parts, strict=True))
    if origin is Literal and isinstance(value, str) and value in parts:
        return value
    if annotation is str and isinstance(value, str) and _is_unicode(value):
        return value
    if annotation is int and type(value) in {int, str} and _is_number(str(value)):
        return int(value)
    if annotation is Path and isinstance(value, (str, Path)) and _is_usable(Path(value)):
        return Path(value)
    raise ValueError


def _is_unicode(text: str) -> bool:
    """Whether it holds no byte that the system's encoding does not know."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    plain = digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_NUMBER
    return plain and (digits == "0" or digits[0] != "0")


def _is_usable(path: Path) -> bool:
    """Whether it can be read, or nothing is there yet.

    Raises:
        ValueError: it can be no path.
    """
    try:
        path.stat()
    except OSError:
        return _is_unicode(str(path))
    return _is_unicode(str(path)) and os.access(path, os.R_OK)
