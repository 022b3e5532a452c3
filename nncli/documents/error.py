"""What any command prints instead of its document where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired

from typing_extensions import TypedDict


class SourceLine(TypedDict):
    """A line of a config, or an argument."""

    line: int
    """0 for an argument."""
    text: str


class ConfigProblem(TypedDict):
    """One mistake in a config, at its place."""

    path: str
    """Dotted key, `training.epochs`; empty for a problem of the whole file."""
    message: str
    """What was given and what is wrong with it."""
    advice: str
    """What to write instead."""
    origin: str
    """The file's name, or the argument that carried the value, `--set seed=x`."""
    line: int
    """1-based; 0 for an argument, and for a problem of a whole file."""
    column: int
    """1-based, counted in characters; 0 for a problem of the whole origin."""
    length: int
    """How many characters are wrong."""
    source: Sequence[SourceLine]
    """The lines around; the last one holds the place."""
    related: Sequence[str]
    """The other keys that it takes to go wrong like this."""


class Failure(TypedDict):
    """What went wrong."""

    type: str
    """The class in `nncli.errors`, as ConfigError or DataError; of what nncli did not foresee the
    class in Python; Interrupted for a signal."""
    message: str
    """What was given and what was wanted."""
    hint: str | None
    """What to do next."""
    exit_code: int
    """That of the process: 1 failed, 2 command line or config, 3 data, 4 model or run folder,
    5 a requirement, 128 and more signals."""
    problems: NotRequired[Sequence[ConfigProblem]]
    """Of a ConfigError: all of them."""
    places: NotRequired[Sequence[str]]
    """Of a DataError: all files or rows that are concerned, where it names only some."""


class Error(TypedDict):
    """A command that failed before it had anything to tell."""

    document: Literal["error"]
    error: Failure
