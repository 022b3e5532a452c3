"""How the samples of one's own files become training, validation and test part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nncli.config import Contradiction
from nncli.data.copies import describe_copies, numbered
from nncli.data.dataset import Family
from nncli.data.source import DataSection
from nncli.data.splits import (
    Indices,
    TestShare,
    ValidationShare,
    few_per_class,
    generator,
    impossible_shares,
    limited_counts,
    part_size,
    split_off,
    split_validation,
)
from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Copy

PARTS = ("train", "validation", "test")
"""The parts that files may be divided into, by the numbers in `divide`; folders are named so."""
Side = Annotated[int, Field(ge=1, le=1_000_000)]
"""One dimension of a sample, as a config gives it."""


class DividedSection(DataSection):
    """What all sources of one's own samples to classify have in common."""

    path: Path
    """Where the samples are."""
    validation: ValidationShare = 0.15
    """Share of the samples that chooses the best epoch; 0 for none. Not used where the data has
    its own validation part."""
    test: TestShare = 0.2
    """Share of the samples to measure on. Not used where the data has its own test part."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most this many samples, all parts together, each class in its proportion, chosen by the
    seed; null takes all."""
    train_per_class: Annotated[int, Field(ge=1)] | None = None
    """Train on only this many samples of each class, chosen by the seed; null takes all."""

    def contradictions(self) -> Iterator[Contradiction]:
        """Shares that leave nothing to train on."""
        yield from impossible_shares(self.validation, self.test)


class LargeSection(DividedSection):
    """The same, of samples that may be more than fit in memory."""

    memory_limit: Annotated[int, Field(ge=0, le=10_000_000)] = 1000
    """Megabytes that the samples may take, as the 32-bit numbers that a network reads. Where
    they take more they are read from the disk in every epoch, with the same result."""

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether samples of (samples, …) may be held in memory."""
        return prod(shape) * 4 <= self.memory_limit * 1_000_000

    def note(self, shape: tuple[int, ...]) -> str:
        """What to say where they may not."""
        return (
            f"the samples take {prod(shape) * 4 / 1e6:,.0f} MB, more than data.memory_limit: "
            "they are read from the disk in every epoch"
        )


def whole_shape(family: Family, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a sample with its last dimension, where that is left out because it is 1."""
    return (*shape, 1) if len(shape) == (2 if family == "images" else 1) else shape


def check_other_file(path: Path, other: Path) -> None:
    """Refuse to measure on what was trained on.

    Raises:
        DataError: both are one file; it is called as `path` is written.
    """
    if path.exists() and other.exists() and path.samefile(other):
        raise DataError(
            f"{path} is named for training and for testing",
            hint="set data.test_path to another file",
        )


@dataclass(frozen=True)
class Division:
    """Which samples each part has; no two parts share one, nor a copy of one."""

    train: Indices
    validation: Indices
    """Empty for none."""
    test: Indices
    copies: tuple[Copy, ...]
    """Samples that no part has, being equal to others."""
    notes: tuple[str, ...]


def limited(
    name: str,
    labels: NDArray[np.int64],
    part: NDArray[np.int64],
    limit: int | None,
    seed: int,
) -> Indices:
    """At most `limit` samples, in their own order, each class of each part in its proportion.

    Raises:
        DataError: fewer than there are classes and parts.
    """
    everything = np.arange(len(labels), dtype=np.intp)
    if limit is None or limit >= len(labels):
        return everything
    groups = part * (int(labels.max()) + 1) + labels
    found, counts = np.unique(groups, return_counts=True)
    if limit < len(found):
        raise DataError(
            f"{name}: a limit of {limit} is too few for {len(found)} classes, each in its part",
            hint="raise data.limit",
        )
    take = limited_counts(counts.tolist(), limit)
    order = generator(seed, 2).permutation(everything)
    chosen = [
        order[groups[order] == group][:count] for group, count in zip(found, take, strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def divide(
    name: str,
    section: DividedSection,
    labels: NDArray[np.int64],
    part: NDArray[np.int64],
    classes: Sequence[str],
    digests: NDArray[np.void],
    seed: int,
    called: Callable[[int], str] = numbered,
) -> Division:
    """Divide samples, stratified, where they are not divided already.

    Copies are left out, so that no part holds what another does: of copies in two parts the
    measured one stays.

    Args:
        name: the data's name, for errors.
        section: the shares.
        labels: (samples,) index of the class.
        part: (samples,) index into `PARTS`; all 0 where nothing is divided yet.
        classes: their names.
        digests: (samples,) equal where two samples are.
        seed: chooses.
        called: what a sample is called, by its index.

    Raises:
        DataError: too few samples.
    """
    random = generator(seed, 0)
    keep, copies = _without_copies(digests, part)
    train, validation, test = (keep[part[keep] == number] for number in range(3))
    notes = []
    total = len(train)
    own_validation = bool((part == 1).any())
    _check_classes(name, classes, labels[train], len(copies))
    if (part == 2).any():
        if _chosen(section, "test"):
            notes.append("the data has its own test part: data.test is not used")
    else:
        train, test = split_off(name, "test", train, labels, part_size(total, section.test), random)
    if own_validation:
        if _chosen(section, "validation"):
            notes.append("the data has its own validation part: data.validation is not used")
    else:
        size = part_size(total, section.validation)
        train, validation = split_validation(name, train, labels, size, random)
    if section.train_per_class is not None:
        train = few_per_class(train, labels, section.train_per_class, seed)
    _check_classes(name, classes, labels[train], len(copies))
    described = describe_copies(copies, digests, labels, part, called) if len(copies) else ()
    return Division(train, validation, test, described, tuple(notes))


def _check_classes(
    name: str, classes: Sequence[str], train: NDArray[np.int64], copies: int
) -> None:
    """Refuse to train without one of the classes.

    Raises:
        DataError: naming it.
    """
    lost = np.setdiff1d(np.arange(len(classes)), train)
    if len(lost):
        why = f" after {copies:,} copies of others were left out" if copies else ""
        raise DataError(
            f"{name}: no sample of class '{classes[lost[0]]}' is left to train on{why}",
            hint="add some to the training part"
            + (", or remove their copies from the other parts" if copies else ""),
        )


def _chosen(section: DividedSection, key: str) -> bool:
    """Whether somebody wanted another share than the usual one."""
    usual = type(section).model_fields[key].default
    return key in section.model_fields_set and getattr(section, key) != usual


def _without_copies(digests: NDArray[np.void], part: NDArray[np.int64]) -> tuple[Indices, Indices]:
    """The samples without the equal ones, and the equal ones.

    A copy in the training part of a sample that is measured would make the figures too good. A
    test part that came as one is left as it is.
    """
    order = np.argsort(-part, kind="stable")
    _, first = np.unique(digests[order], return_index=True)
    keep = np.zeros(len(part), dtype=bool)
    keep[order[first]] = True
    keep |= part == PARTS.index("test")
    return np.flatnonzero(keep), np.flatnonzero(~keep)
