"""What a run must have reached, for scripts: `test.accuracy >= 0.97`.

A figure is named as it stands in metrics.json, the names of its places joined by dots:
`test.accuracy`, `validation.loss`, `test.classes.cat.recall`, `baselines.scratch.accuracy`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from nncli.errors import UsageError, closest

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
EXAMPLE = "'test.accuracy >= 0.97'"
_FORM = re.compile(r"\s*(?P<figure>[^<>=]+?)\s*(?P<comparison>[<>]=?|==)\s*(?P<limit>[^<>=]+?)\s*")


@dataclass(frozen=True)
class Requirement:
    """A figure, and how it must compare with a number or with another figure."""

    figure: str
    comparison: str
    """One of COMPARISONS."""
    limit: float | str

    @property
    def text(self) -> str:
        """`test.accuracy >= 0.97`."""
        limit = self.limit if isinstance(self.limit, str) else f"{self.limit:g}"
        return f"{self.figure} {self.comparison} {limit}"


@dataclass(frozen=True)
class Verdict:
    """What became of a requirement."""

    requirement: Requirement
    value: float | None
    """None where the run has no such figure."""
    limit: float | None
    met: bool

    @property
    def text(self) -> str:
        """`test.accuracy >= 0.97: it is 0.983`; a limit that is a figure is told too."""
        value = "there is none" if self.value is None else f"it is {self.value:.4g}"
        if isinstance(self.requirement.limit, str):
            value += ", against none" if self.limit is None else f", against {self.limit:.4g}"
        return f"{self.requirement.text}: {value}"


def parse(text: str) -> Requirement:
    """A requirement as it is written on a command line.

    Raises:
        UsageError: it has another form.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise UsageError(
            f"--require {text[:60]!r} is not a figure, one of {', '.join(COMPARISONS)}, "
            "and a number or another figure",
            hint=f"write e.g. --require {EXAMPLE}",
        )
    limit: float | str = found["limit"]
    with suppress(ValueError):  # another figure
        limit = float(found["limit"])
    if isinstance(limit, float) and not math.isfinite(limit):
        raise UsageError(
            f"--require {text[:60]!r} compares with {limit}, which decides nothing",
            hint="compare with a finite number",
        )
    return Requirement(found["figure"], found["comparison"], limit)


def check_known(requirements: Iterable[Requirement], known: Collection[str]) -> None:
    """Refuse figures that a run will not have, before it is trained.

    Raises:
        UsageError: with the nearest name, and those that there are.
    """
    for requirement in requirements:
        named = [requirement.figure, requirement.limit]
        for figure in (each for each in named if isinstance(each, str) and each not in known):
            guess = closest(figure, known)
            few = ", ".join(name for name in known if ".classes." not in name)
            raise UsageError(
                f"--require asks for {figure!r}, which this run will not have",
                hint=f"did you mean {guess!r}?" if guess else f"there are: {few}",
            )


def figures_of(metrics: Mapping[str, Any]) -> dict[str, float]:
    """All numbers of metrics.json by their dotted names."""
    baselines = {each["name"]: each["metrics"] for each in metrics.get("baselines", ())}
    return dict(_numbers({**metrics, "baselines": baselines}))


def _numbers(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield above + name, value


def judge(requirements: Iterable[Requirement], metrics: Mapping[str, Any]) -> tuple[Verdict, ...]:
    """Hold the figures of a run against what was required of it."""
    figures = figures_of(metrics)

    def one(requirement: Requirement) -> Verdict:
        value = figures.get(requirement.figure)
        given = requirement.limit
        limit = figures.get(given) if isinstance(given, str) else given
        met = (
            value is not None
            and limit is not None
            and COMPARISONS[requirement.comparison](value, limit)
        )
        return Verdict(requirement, value, limit, met)

    return tuple(map(one, requirements))
