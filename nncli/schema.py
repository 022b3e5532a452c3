"""The config class of each kind: its own model and training sections, and every data source
that its model can learn from. Assembled from KINDS and SOURCES, so a new row is in it at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args

from pydantic import Field, create_model

from nncli.config import load, shipped_configs
from nncli.config.shipped import summary
from nncli.config.strict_yaml import parse, read_text
from nncli.data import SOURCES
from nncli.data.source import DataSection
from nncli.errors import unknown_name
from nncli.models import KINDS, ModelKind
from nncli.models.kind import KindConfig
from nncli.results import ShippedConfig


def find_kind(name: str) -> ModelKind:
    """The row of KINDS.

    Raises:
        UsageError: an unknown kind, with did-you-mean.
    """
    if name in KINDS:
        return KINDS[name]
    error = unknown_name("kind", name, list(KINDS))
    if name in shipped_configs():
        error.hint = f"it is a shipped config: nncli train {kind_of(name)} --config {name}"
    raise error


@cache
def schema(name: str) -> type[KindConfig]:
    """The config class of one kind, with every default and limit.

    Raises:
        UsageError: an unknown kind.
    """
    kind = find_kind(name)
    sections = tuple(_sections(kind))
    union: Any = Union[sections]  # noqa: UP007 - the members are known only here
    data: Any = Annotated[union, Field(discriminator="source")]
    fields: dict[str, Any] = {
        "kind": (Literal[name], name),
        "data": (data, ...),
        "model": (kind.settings, Field(default_factory=dict, validate_default=True)),
        "training": (kind.training, Field(default_factory=kind.training)),
    }
    if "pretraining" in kind.config.model_fields:
        optional = kind.config.model_fields["pretraining"].annotation
        inner = next(part for part in get_args(optional) if part is not type(None))
        narrowed = create_model(inner.__name__, __base__=inner, data=(data, ...))
        fields["pretraining"] = (narrowed | None, None)
    made: type[KindConfig] = create_model(
        f"{name.capitalize()}Config", __base__=kind.config, __doc__=kind.summary, **fields
    )
    made.default_source = kind.default_source
    return made


def _sections(kind: ModelKind) -> Iterator[type[DataSection]]:
    """The settings of each source that the kind can learn from, as samples of its family."""
    for source in SOURCES.values():
        family = next((family for family in kind.families if family in source.sections), None)
        if family is not None:
            yield source.sections[family]


class _Schemas(Mapping[str, type[KindConfig]]):
    """`schema` as a table, each class made when it is first asked for."""

    def __getitem__(self, kind: str) -> type[KindConfig]:
        return schema(kind)

    def __contains__(self, kind: object) -> bool:
        return kind in KINDS

    def __iter__(self) -> Iterator[str]:
        return iter(KINDS)

    def __len__(self) -> int:
        return len(KINDS)


SCHEMAS: Mapping[str, type[KindConfig]] = _Schemas()
"""The config class of every kind, by its name."""


def kind_of(name: str) -> str:
    """What a shipped config trains."""
    path = shipped_configs()[name]
    return str(parse(read_text(path), name).value["kind"])


def shipped() -> list[ShippedConfig]:
    """The shipped configs as rows of a table, in the order of the kinds."""
    rows = []
    for name, path in shipped_configs().items():
        config = load(SCHEMAS, None, name).config
        source = config.data.source
        rows.append(
            ShippedConfig(
                name=name,
                kind=config.kind,
                data=source,
                summary=summary(path),
                needs_network=SOURCES[source].needs_network or config.needs_network,
            )
        )
    return sorted(rows, key=lambda row: list(KINDS).index(row.kind))
