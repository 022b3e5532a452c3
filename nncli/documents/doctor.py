"""The document of `nncli doctor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from nncli.results import CheckStatus


class Checked(TypedDict):
    """Something that nncli, or a GPU for it, needs, and how it is here."""

    name: str
    """A word, `tensorflow`, `gpu`."""
    status: CheckStatus
    """A problem keeps nncli from working; `skipped` is what could not be looked at."""
    finding: str
    """What was found, in one sentence."""
    hint: str | None
    """What to do about it."""
    facts: Mapping[str, Any]
    """The same in plain values."""


class Doctor(TypedDict):
    """Whether all is there that nncli needs."""

    document: Literal["doctor"]
    warnings: int
    problems: int
    """How many; with any the exit code is 1."""
    checks: Sequence[Checked]
