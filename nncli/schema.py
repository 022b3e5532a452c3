"""The config class of each kind: its own model and training sections, and every data source
that its model can learn from. Assembled from KINDS and SOURCES, so a new row is in it at once.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Union, get_args

from pydantic import Field, create_model

from nncli.config import Config
from nncli.data import SOURCES
from nncli.errors import unknown_name
from nncli.models import KINDS, ModelKind


def find_kind(name: str) -> ModelKind:
    """The row of KINDS.

    Raises:
        UsageError: an unknown kind, with did-you-mean.
    """
    if name not in KINDS:
        raise unknown_name("kind", name, list(KINDS))
    return KINDS[name]


@cache
def schema(name: str) -> type[Config]:
    """The config class of one kind, with every default and limit.

    Raises:
        UsageError: an unknown kind.
    """
    kind = find_kind(name)
    sections = tuple(
        source.section for source in SOURCES.values() if source.family in kind.families
    )
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
    made: type[Config] = create_model(
        f"{name.capitalize()}Config", __base__=kind.config, __doc__=kind.summary, **fields
    )
    made.default_source = kind.default_source
    return made
