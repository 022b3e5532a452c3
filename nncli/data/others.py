"""Labelled samples that a run did not learn from, treated as those that it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nncli.data.dataset import Series, Split
from nncli.errors import DataError

Part = Literal["test", "all"]


@dataclass(frozen=True)
class Others:
    """Samples to measure a trained model on."""

    test: Split
    """x as `data.load` gives it, before any preparation; y by the run's classes, or for a forecast
    as the model answers; names where the samples have some."""
    series: Series | None = None
    """Set for a forecast."""
    digest: str = ""
    """SHA-256 over the bytes of the files that were read; empty where there are none."""
    notes: tuple[str, ...] = ()
    """What the user should know about how they were read."""


def not_shaped(place: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> DataError:
    """The error for samples of another shape than the model takes."""
    return DataError(
        f"{place} has samples of {_sides(shape)}, but the model takes {_sides(wanted)}",
        hint="give samples like those that it was trained on",
    )


def _sides(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{side:,}" for side in shape)
