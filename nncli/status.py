"""What is going on right now, told from anywhere to whoever watches; to nobody by default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_watchers: list[Callable[[str], None]] = []


def tell(text: str) -> None:
    """Say what has begun: `reading 25,000 pictures`."""
    for hear in _watchers:
        hear(text)


def is_watched() -> bool:
    """Whether somebody hears it."""
    return bool(_watchers)


@contextmanager
def told_to(hear: Callable[[str], None]) -> Iterator[None]:
    """Let `hear` be told until the block ends."""
    _watchers.append(hear)
    try:
        yield
    finally:
        _watchers.remove(hear)
