"""The record that describes a data source; the rows are in `nncli.data.SOURCES`."""

from __future__ import annotations

from collections.abc import Callable
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
    family: Family
    """What one sample is."""
    section: type[DataSection]
    """Its settings, with their defaults and limits; its field `source` holds the name."""
    load: Callable[[Any, int], Dataset]
    """`load(settings, seed)` reads and splits; the same seed gives the same parts."""
    summary: str
    """One line for tables."""
    needs_network: bool = False
    """True where the first use downloads."""
