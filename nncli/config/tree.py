"""Plain values, the place that each was written at, and the problems found while reading them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nncli.errors import Problem

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where a key or value was written."""

    origin: str
    """The file as it was named, or the argument that carried it, `--set seed=3`."""
    line: int = 0
    """1-based; 0 for an argument, which is one line by itself."""
    column: int = 0
    """1-based; 0 for the whole of the origin."""
    length: int = 1


@dataclass
class Tree:
    """A config as it was written, before anything knows what its keys mean."""

    value: Any
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    """Source lines by origin, to show beside a problem."""
    folders: dict[str, Path] = field(default_factory=dict)
    """What a relative path is relative to, by origin."""
    problems: list[Problem] = field(default_factory=list)
    """What is wrong with the text itself."""
    extends: Place | None = None
    """Where the file names the one that it builds on."""
    lacks_base: bool = False
    """Whether that one could not be read, so that what is not here may be there."""
    broken: set[KeyPath] = field(default_factory=set)
    """Where such a problem left no value to judge."""

    def written(self, path: KeyPath) -> str | None:
        """The text that stands at the value's place."""
        place = self.values.get(path)
        if place is None or not place.column:
            return None
        start = place.column - 1
        return self._line(place)[start : start + place.length]

    def is_written(self, key: str) -> bool:
        """Whether somebody gave a dotted key a value."""
        return tuple(key.split(".")) in self.values

    def forget(self, path: KeyPath) -> None:
        """Let nothing be known of a key and of what is below it, since another takes its place."""
        for table in (self.keys, self.values):
            for below in [known for known in table if known[: len(path)] == path]:
                del table[below]
        self.broken = {known for known in self.broken if known[: len(path)] != path}

    def adopt(self, other: Tree, path: KeyPath) -> None:
        """Take over what another tree knows of a key and of what is below it."""
        for mine, theirs in ((self.keys, other.keys), (self.values, other.values)):
            mine |= {k: place for k, place in theirs.items() if k[: len(path)] == path}
        self.broken |= {k for k in other.broken if k[: len(path)] == path}

    def is_broken(self, path: KeyPath) -> bool:
        """Whether a problem of the text is at this path or above it."""
        return any(path[: len(broken)] == broken for broken in self.broken)

    def problem(
        self,
        path: KeyPath,
        message: str,
        advice: str,
        *,
        at_key: bool,
        related: Iterable[KeyPath] = (),
    ) -> Problem:
        """A problem at `path`, or at the nearest thing above it that was written somewhere."""
        place = None
        for end in range(len(path), -1, -1):
            key, value = self.keys.get(path[:end]), self.values.get(path[:end])
            # of a section in lines of its own, the key says more than its first line
            below = key is not None and value is not None and value.line > key.line
            place = (key or value) if at_key or below else (value or key)
            if place is not None:
                break
        others = tuple(dotted(other) for other in related)
        return self.located(dotted(path), message, advice, place or Place("default"), others)

    def located(
        self,
        path: str,
        message: str,
        advice: str,
        place: Place,
        related: tuple[str, ...] = (),
    ) -> Problem:
        """A problem with the source lines around its place."""
        shown: tuple[tuple[int, str], ...] = ()
        if place.line:
            source = self.lines.get(place.origin, [])
            first = max(1, place.line - 1)
            shown = tuple((n, source[n - 1]) for n in range(first, place.line + 1))
        elif place.column:
            shown = ((0, self._line(place)),)
        return Problem(
            path=path,
            message=message,
            advice=advice,
            origin=place.origin,
            line=place.line,
            column=place.column,
            length=place.length,
            source=shown,
            related=related,
        )

    def order(self, problem: Problem) -> tuple[int, int, int]:
        """Sorts problems as they were written: by file, then by argument, then by place."""
        origins = list(self.lines)
        position = origins.index(problem.origin) if problem.origin in origins else len(origins)
        return position, problem.line, problem.column

    def blamed(self, paths: Iterable[KeyPath]) -> KeyPath:
        """Which of the keys that exclude each other a problem is shown at.

        The first that the command line gave, or else the first that a file gave, the file itself
        before those that it extends: a default is nobody's mistake.
        """
        origins = list(self.lines)

        def rank(path: KeyPath) -> int:
            place = self.values.get(path)
            if place is None:
                return len(origins) + 1
            return 1 + origins.index(place.origin) if place.line else 0

        return min(paths, key=rank)

    def _line(self, place: Place) -> str:
        lines = self.lines.get(place.origin, [])
        number = max(1, place.line)
        return lines[number - 1] if number <= len(lines) else ""


def dotted(path: KeyPath) -> str:
    """`("model", "units", 0)` as `model.units[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def shown(value: Any) -> str:
    """A value as the user wrote it, shortened."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
