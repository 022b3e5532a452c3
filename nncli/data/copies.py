"""Which samples were left out because others are equal to them."""

from __future__ import annotations

from collections.abc import Callable

from nncli.lazy import NDArray, np
from nncli.results import Copy


def numbered(index: int) -> str:
    """What a sample is called that has no name."""
    return f"sample {index + 1}"


def describe_copies(
    copies: NDArray[np.intp],
    digests: NDArray[np.void],
    labels: NDArray[np.int64],
    part: NDArray[np.int64],
    name: Callable[[int], str] = numbered,
) -> tuple[Copy, ...]:
    """Each copy with the sample that stays in its place.

    Args:
        copies: indices of the samples left out; at least one equal to each is not among them.
        digests: (samples,) equal where two samples are.
        labels: (samples,) index of the class.
        part: (samples,) index of the part that each came in.
        name: what a sample is called, by its index.
    """
    out = np.zeros(len(digests), dtype=bool)
    out[copies] = True
    kept = {digests[i].tobytes(): i for i in np.flatnonzero(~out)[::-1]}
    found = []
    for i in copies:
        other = kept[digests[i].tobytes()]
        found.append(
            Copy(
                place=name(int(i)),
                of=name(int(other)),
                across=bool(part[i] != part[other]),
                relabelled=bool(labels[i] != labels[other]),
            )
        )
    return tuple(found)
