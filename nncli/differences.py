"""In what configs, versions and other trees of settings differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

Keys = tuple[str, ...]
"""Where a value stands: `("training", "learning_rate")`."""


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"

    def __str__(self) -> str:
        return self.value


ABSENT = Absent.ABSENT
"""Stands for the value where a tree has none."""


def differences(trees: Sequence[Mapping[str, Any]]) -> dict[Keys, tuple[Any, ...]]:
    """The keys whose values are not the same in all trees, in the trees' own order.

    Returns:
        The value of each tree by where it stands, `ABSENT` where it has none.
    """
    flat = [dict(leaves(tree)) for tree in trees]
    found: dict[Keys, tuple[Any, ...]] = {}
    for keys in dict.fromkeys(keys for tree in flat for keys in tree):
        values = tuple(tree.get(keys, ABSENT) for tree in flat)
        if any(value != values[0] for value in values[1:]):
            found[keys] = values
    return found


def changes(found: Mapping[Keys, tuple[Any, ...]]) -> list[str]:
    """Differences of two trees in words: `versions.keras 3.14.0 then, 3.15.1 now`."""
    return [f"{'.'.join(keys)} {then} then, {now} now" for keys, (then, now) in found.items()]


def changed_figures(
    then: Mapping[str, Any], now: Mapping[str, Any], *, more: bool = False
) -> Iterator[str]:
    """Figures of metrics.json that are not the same to the last digit, each with both values.

    Args:
        then: all of them, or those below one of its keys.
        now: the same.
        more: whether there may be others now.
    """
    old, new = dict(leaves(then)), dict(leaves(now))
    for keys in old if more else dict.fromkeys([*old, *new]):
        before, after = old.get(keys), new.get(keys)
        if json.dumps(before) != json.dumps(after):
            yield f"{'.'.join(keys)}: {before!r} then, {after!r} now"[:200]


def leaves(tree: Mapping[str, Any], above: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Each value that is no section, and where it stands."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*above, str(key)))
        else:
            yield (*above, str(key)), value
