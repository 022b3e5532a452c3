"""The record that describes a data source; the rows are in `nncli.data.SOURCES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nncli.config import Section
from nncli.data.dataset import Dataset, Facts, Family


class DataSection(Section):
    """The settings of a data source."""

    source: str
    """Where the samples come from; each source narrows it to its name."""

    def facts(self) -> Facts:
        """What these settings say of the samples before one is read."""
        return Facts()


@dataclass(frozen=True)
class Source:
    """Where samples come from."""

    name: str
    """As `data.source` names it, `fashion-mnist`."""
    sections: Mapping[Family, type[DataSection]]
    """Its settings, with their defaults and limits, for each kind of sample that it gives; their
    first field `source` holds the name."""
    load: Callable[[Any, int], Dataset]
    """`load(settings, seed)` reads and splits; the same seed gives the same parts."""
    summary: str
    """One line for tables."""
    needs_network: bool = False
    """True where the first use downloads."""

    @property
    def families(self) -> tuple[Family, ...]:
        """What a sample of it can be."""
        return tuple(self.sections)

    @property
    def section(self) -> type[DataSection]:
        """The settings where only their names, texts and limits matter: those of all families
        are alike in them."""
        return next(iter(self.sections.values()))
