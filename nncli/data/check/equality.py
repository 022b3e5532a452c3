"""Findings about samples that are equal: in one part, in two, or under two classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from nncli.data.check.words import PARTS, many, noun, place, share_of
from nncli.data.dataset import Dataset
from nncli.lazy import NDArray, np
from nncli.results import Copy, DataFinding

MUCH_LEAKED = 0.01
"""Up to this share of a part, copies of training samples move its figures less than chance does."""


@dataclass(frozen=True)
class _Sample:
    part: str
    label: int
    place: str


def by_equality(dataset: Dataset) -> Iterator[DataFinding]:
    """Copies that are there, and those that the source has left out already.

    Windows of a series overlap anyway, and equal ones may well be followed by another value.
    """
    yield from _left_out(dataset, dataset.copies)
    if dataset.task == "forecast":
        return
    groups = _equal_ones(dataset)
    for first, second in combinations(dataset.parts, 2):
        yield from _leak(dataset, first, second, groups)
    for part in dataset.parts:
        yield from _duplicates(dataset, part, groups)
    two = [group for group in groups if len({sample.label for sample in group}) > 1]
    if two:
        named = [
            " = ".join(f"{each.place} ({dataset.classes[each.label]})" for each in group)
            for group in two
        ]
        yield _two_labels(dataset, named)


def _equal_ones(dataset: Dataset) -> list[list[_Sample]]:
    """Samples that are equal to each other, two or more in each group."""
    parts = dataset.parts
    names = list(parts)
    digests = np.concatenate([part.digests for part in parts.values()])
    labels = np.concatenate([part.y for part in parts.values()])
    of_part = np.repeat(np.arange(len(names)), [len(part) for part in parts.values()])
    rows = np.concatenate([np.arange(len(part)) for part in parts.values()])
    _, group, size = np.unique(digests, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(size[group] > 1)
    order: NDArray[np.intp] = shared[np.argsort(group[shared], kind="stable")]
    ends = np.flatnonzero(np.diff(group[order])) + 1
    return [
        [
            _Sample(name, int(labels[i]), place(name, parts[name], int(rows[i])))
            for i in members
            for name in (names[of_part[i]],)
        ]
        for members in np.split(order, ends)
        if len(members)
    ]


def _leak(
    dataset: Dataset, first: str, second: str, groups: Sequence[Sequence[_Sample]]
) -> Iterator[DataFinding]:
    """Samples of one part that an earlier one has too: the later one's figures are too good."""
    places = []
    for group in groups:
        known = [sample.place for sample in group if sample.part == first]
        again = [sample.place for sample in group if sample.part == second]
        places += [f"{each} = {known[0]}" for each in again if known]
    if not places:
        return
    share = len(places) / len(dataset.parts[second])
    are = "is" if len(places) == 1 else "are"
    yield DataFinding(
        "error" if share > MUCH_LEAKED else "warning",
        "leak",
        f"{many(dataset, len(places), second)} ({share_of(share)} of that part) {are} in the "
        f"{PARTS[first]} part too: figures on them are too good",
        hint=f"remove them from the {PARTS[first]} part",
        places=tuple(places),
    )


def _duplicates(
    dataset: Dataset, part: str, groups: Sequence[Sequence[_Sample]]
) -> Iterator[DataFinding]:
    places = []
    for group in groups:
        first, *others = [sample.place for sample in group if sample.part == part] or [""]
        places += [f"{other} = {first}" for other in others]
    if places:
        are = "is a copy of another" if len(places) == 1 else "are copies of others"
        yield DataFinding(
            "warning",
            "duplicates",
            f"{many(dataset, len(places), part)} {are} in the same part",
            hint="remove the copies: they count twice",
            places=tuple(places),
        )


def _two_labels(dataset: Dataset, places: Sequence[str]) -> DataFinding:
    stand = "stands" if len(places) == 1 else "stand"
    return DataFinding(
        "warning",
        "two-labels",
        f"{len(places):,} {noun(dataset, len(places))} {stand} under two classes: nothing can tell "
        "which of them is right",
        hint="correct the labels",
        places=tuple(places),
    )


def _left_out(dataset: Dataset, copies: Sequence[Copy]) -> Iterator[DataFinding]:
    """What is known of the data at hand: its next user may not leave copies out."""
    across = [copy for copy in copies if copy.across]
    inside = [copy for copy in copies if not copy.across]
    for code, some, what in (
        ("leak", across, "in two parts: left out of the one that is not measured"),
        ("duplicates", inside, "twice: left out once"),
    ):
        if some:
            stands = "stands" if len(some) == 1 else "stand"
            yield DataFinding(
                "warning",
                code,
                f"{len(some):,} {noun(dataset, len(some))} {stands} {what}",
                hint="remove the copies, or whoever else uses this data will count them",
                places=tuple(f"{copy.place} = {copy.of}" for copy in some),
            )
    relabelled = [f"{copy.place} = {copy.of}" for copy in copies if copy.relabelled]
    if relabelled:
        yield _two_labels(dataset, relabelled)
