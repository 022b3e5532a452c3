"""The record that describes a data source; the rows are in `nncli.data.SOURCES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nncli.config import Section
from nncli.data.dataset import Dataset, Facts, Family

if TYPE_CHECKING:
    from nncli.data.learned import Learned
    from nncli.data.others import Others


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
    others: Callable[[Any, Learned, int], Others]
    """`others(settings, learned, seed)` reads labelled samples to measure a trained model on,
    treated as those that it learned from: the test part where they are divided, else all."""
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
