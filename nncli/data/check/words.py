"""How findings speak of samples."""

from __future__ import annotations

from collections.abc import Sequence

from nncli.data.dataset import Dataset, Split

PARTS = {"train": "training", "validation": "validation", "test": "test"}
_NOUNS = {"images": "picture", "sequences": "sequence", "series": "window"}


def noun(dataset: Dataset, count: int = 2) -> str:
    """What a sample is called, `picture`, or several of them."""
    return _NOUNS[dataset.family] + ("" if count == 1 else "s")


def many(dataset: Dataset, count: int, part: str) -> str:
    """`1 training picture`, `1,168 training pictures`."""
    return f"{count:,} {PARTS[part]} {noun(dataset, count)}"


def place(part_name: str, part: Split, row: int) -> str:
    """What a sample is called: its file, or its row in its part."""
    return part.names[row] if part.names else f"{part_name} {row}"


def quoted(name: str) -> str:
    """A class name in a sentence."""
    return f"'{name}'"


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a`, `a and b`, `a, b, c and 7 more`."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def share_of(share: float) -> str:
    """A share with the digits that matter: `12%`, `2.5%`."""
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}" if share >= 0.001 else "under 0.1%"
