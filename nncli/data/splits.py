"""How samples are divided into parts: what all sources share, so that no two do it differently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from nncli.config import Contradiction
from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Array

if TYPE_CHECKING:
    Indices = NDArray[np.intp]
else:
    Indices = Any  # for annotations alone, which nothing evaluates

ValidationShare = Annotated[float, Field(ge=0, lt=1)]
TestShare = Annotated[float, Field(gt=0, lt=1)]

# The first number after the seed. The order of the samples in training has its own (2), so that
# a source that draws more numbers never changes it.
_STREAM = 1


def generator(seed: int, purpose: int) -> np.random.Generator:
    """Random numbers that depend on the seed and on what they are for, and on nothing else."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, _STREAM, purpose])))


def impossible_shares(validation: float, test: float) -> Iterator[Contradiction]:
    """Shares that leave nothing to train on."""
    if validation + test >= 1:
        yield Contradiction(
            ("test", "validation"),
            f"validation {validation:g} and test {test:g} leave nothing to train on",
            "make them smaller",
        )


def impossible_split(
    counts: Sequence[int], validation: float, test: float, why: Sequence[str] = ()
) -> Iterator[Contradiction]:
    """What `split_three` would refuse, before there are any samples.

    Args:
        counts: samples of each class.
        validation: its share.
        test: its share.
        why: other keys that the counts come from.
    """
    yield from impossible_shares(validation, test)
    if validation + test >= 1:
        return
    samples, smallest = sum(counts), min(counts)
    measured, chosen = part_size(samples, test), part_size(samples, validation)
    for key, size, left in (
        ("test", measured, samples - measured),
        ("validation", chosen, samples - measured - chosen),
    ):
        if size == 0:
            continue
        more = ", or take more samples" if why else ""
        if size < len(counts):
            what, advice = f"a {key} part of {size} samples", f"give {key} a larger share{more}"
        elif left < len(counts):
            what, advice = f"the {left} samples left to train on", f"make {key} smaller{more}"
        elif smallest < 2:
            what, advice = "the smallest class", f"give {key} another share{more}"
        else:
            smallest -= -(-smallest * size // (left + size))
            continue
        text = f"too few for each of {len(counts)} classes to be in every part: {what}"
        yield Contradiction((key, *why), text, advice)
        return


def train_size(train: int, smallest: int, classes: int, per_class: int | None) -> int | None:
    """The training part that `few_per_class` leaves; None where it takes counting.

    Args:
        train: samples of the training part before.
        smallest: at least how many of them each class has.
        classes: how many there are.
        per_class: how many of each are taken; None for all.
    """
    if per_class is None:
        return train
    return per_class * classes if per_class <= smallest else None


def fewest(counts: Sequence[int], per_class: int | None) -> int:
    """At least how many samples the training part has, from at least how many of each class."""
    return max(1, sum(max(0, min(count, per_class or count)) for count in counts))


def limited_counts(counts: Sequence[int], limit: int) -> list[int]:
    """How many of each group `limit` samples have: at least one, and else as its share is.

    Args:
        counts: samples of each group, at least one.
        limit: not fewer than there are groups.
    """
    groups, total = len(counts), sum(counts)
    if limit >= total:
        return list(counts)
    # one of each, and of the rest as many as its share, the largest remainders first
    shares = [(count - 1) * (limit - groups) for count in counts]
    rest = max(1, total - groups)
    taken = [1 + share // rest for share in shares]
    by_remainder = sorted(range(groups), key=lambda i: (-(shares[i] % rest), i))
    for i in by_remainder[: limit - sum(taken)]:
        taken[i] += 1
    return taken


def part_size(samples: int, share: float) -> int:
    """How many of `samples` a share is: at least one, unless the share is 0."""
    return max(1, round(samples * share)) if share > 0 else 0


def split_off(
    name: str, what: str, pool: Indices, labels: Array, size: int, random: np.random.Generator
) -> tuple[Indices, Indices]:
    """Take `size` samples out of `pool`, with each class in its proportion.

    Args:
        name: the data's name, for errors.
        what: the part that is made, `test`.
        pool: (candidates,) indices that may be taken.
        labels: (samples,) class of every sample, in the pool or not.
        size: how many to take.
        random: drawn from once.

    Returns:
        The indices that stay, and those taken; both in random order.

    Raises:
        DataError: too few samples for every class to be on both sides.
    """
    from sklearn.model_selection import train_test_split

    counts = np.unique_counts(labels[pool])
    classes = len(counts.values)
    smallest = int(counts.counts.min())
    if smallest < 2 or size < classes or len(pool) - size < classes:
        raise DataError(
            f"{name}: {len(pool)} samples of {classes} classes (the smallest has {smallest}) "
            f"are too few to take {size} for the {what} part",
            hint="give more samples of each class, or change data.validation and data.test",
        )
    state = int(random.integers(2**32))
    stay, taken = train_test_split(
        pool, test_size=size, stratify=labels[pool], random_state=state, shuffle=True
    )
    return np.asarray(stay, dtype=np.intp), np.asarray(taken, dtype=np.intp)


def split_three(
    name: str, labels: Array, validation: float, test: float, seed: int
) -> tuple[Indices, Indices, Indices]:
    """Stratified training, validation and test indices; shares are of all samples.

    Raises:
        DataError: too few samples.
    """
    samples = len(labels)
    everything = np.arange(samples, dtype=np.intp)
    random = generator(seed, 0)
    rest, test_part = split_off(name, "test", everything, labels, part_size(samples, test), random)
    train, validation_part = split_validation(
        name, rest, labels, part_size(samples, validation), random
    )
    return train, validation_part, test_part


def split_validation(
    name: str, pool: Indices, labels: Array, size: int, random: np.random.Generator
) -> tuple[Indices, Indices]:
    """`split_off` for the validation part; a size of 0 leaves the pool whole.

    Raises:
        DataError: too few samples.
    """
    if size == 0:
        return pool, np.empty(0, dtype=np.intp)
    return split_off(name, "validation", pool, labels, size, random)


def few_per_class(pool: Indices, labels: Array, count: int, seed: int) -> Indices:
    """At most `count` samples of each class out of `pool`, chosen by the seed."""
    order = generator(seed, 1).permutation(pool)
    chosen = [order[labels[order] == label][:count] for label in np.unique(labels[order])]
    return np.concatenate(chosen)
