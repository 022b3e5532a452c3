"""The documents of `nncli config`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from nncli.documents.error import Failure
from nncli.results import ShippedConfig


class ConfigList(TypedDict):
    """The configs that travel with nncli."""

    document: Literal["config list"]
    configs: Sequence[ShippedConfig]


class ConfigShow(TypedDict):
    """A complete config."""

    document: Literal["config show"]
    config: Mapping[str, Any]
    """`nncli config schema KIND` prints its schema."""
    origins: NotRequired[Mapping[str, str]]
    """Where each value is from, by dotted key: `default`, `my.yaml:7`; with `--origins`."""


class ConfigCopy(TypedDict):
    """A shipped config as a file of one's own."""

    document: Literal["config copy"]
    config: str
    """The file."""
    schema: str
    """The file beside it, by which editors complete and check it."""


class CheckedConfig(TypedDict):
    """What came of checking one config."""

    file: str
    """As it was named."""
    valid: bool
    kind: str | None
    """What it trains; null where it is not valid."""
    data: str | None
    """The data source; null where it is not valid."""
    error: Failure | None


class ConfigValidate(TypedDict):
    """What came of checking configs."""

    document: Literal["config validate"]
    valid: int
    """How many are."""
    invalid: int
    configs: Sequence[CheckedConfig]
