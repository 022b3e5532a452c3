"""Two runs side by side, on the terminal and as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nncli.differences import ABSENT
from nncli.report.console import console, print_sentence, visible
from nncli.report.run_details import FINGERPRINT
from nncli.report.runs import NONE, STATUS_STYLES, row_document
from nncli.report.table import Column, fits, print_table
from nncli.report.units import duration, number, short
from nncli.results import RunDifference

if TYPE_CHECKING:
    from rich.console import Console

    from nncli.documents.runs import Differing, RunsDiff

    Pairs = Mapping[str, tuple[str, str]]


def print_difference(found: RunDifference) -> None:
    """The settings that differ, what else does, and the figures."""
    from rich.text import Text

    screen = console()
    titles = _titles(found)
    for title, row in zip(titles, (found.one.row, found.other.row), strict=True):
        facts = f"  {row.kind} on {row.data or NONE}, "
        line = Text.assemble(
            (title, "bold"), visible(facts), (row.status, STATUS_STYLES[row.status])
        )
        print_sentence(screen, Text(), line)
    settings = {key: _texts(pair) for key, pair in found.settings.items()}
    _print_pairs(screen, "setting", titles, settings, "the configs are the same")
    others = {key: _texts(pair) for key, pair in found.circumstances.items()}
    same = "samples, versions and device are the same"
    _print_pairs(screen, "beside the config", titles, others, same)
    if "data.fingerprint" in others:
        print_sentence(
            screen,
            Text("note: ", "yellow"),
            Text("they saw different samples: compare their figures with care"),
        )
    figures = {_heading(name): _figures(name, pair) for name, pair in found.figures.items()}
    _print_pairs(screen, "figure", titles, figures, "neither has figures yet")


def _titles(found: RunDifference) -> tuple[str, str]:
    """A name for each that tells it from the other."""
    rows = found.one.row, found.other.row
    one, other = (visible(row.name) for row in rows)
    if one == other:
        one, other = (visible(f"{row.kind}/{row.name}") for row in rows)
    if one == other:
        one, other = (visible(str(row.folder)) for row in rows)
    return one, other


def _print_pairs(
    screen: Console, what: str, titles: tuple[str, str], pairs: Pairs, if_none: str
) -> None:
    """A table of pairs, or where it is too wide each below its key."""
    from rich.text import Text

    screen.print()
    if not pairs:
        print_sentence(screen, Text(), Text(if_none, "dim"))
        return
    keys = [Text(visible(key), "bold") for key in pairs]
    columns = [Column(what, keys, "left")]
    for side, title in enumerate(titles):
        columns.append(Column(title, [Text(pair[side]) for pair in pairs.values()]))
    if fits(screen, columns):
        print_table(screen, columns)
        return
    width = max(len(title) for title in titles) + 2
    print_sentence(screen, Text(), Text(f"{what}:", "dim"))
    for key, pair in pairs.items():
        print_sentence(screen, Text(), Text(visible(key), "bold"))
        for title, text in zip(titles, pair, strict=True):
            print_sentence(screen, Text(f"  {title.ljust(width)}", "dim"), Text(text))


def _texts(pair: tuple[Any, Any]) -> tuple[str, str]:
    one, other = map(_text, pair)
    if one != other and len(one) == len(other) == len(_FINGERPRINT_FORM):
        return one[:FINGERPRINT], other[:FINGERPRINT]
    return one, other


_FINGERPRINT_FORM = "0" * 64
"""A SHA-256 digest is as long."""


def _text(value: object) -> str:
    """A value as YAML has it on one line."""
    if value is ABSENT:
        return NONE
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _heading(name: str) -> str:
    """`test MAE`, `time`."""
    return "time" if name == "seconds" else short(name.replace(" ", "_"))


def _figures(name: str, pair: tuple[float | None, float | None]) -> tuple[str, str]:
    one, other = (_figure(name, value) for value in pair)
    return one, other


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return NONE
    if name == "seconds":
        return duration(value)
    return f"{value:,}" if isinstance(value, int) else number(name, value)


def difference_document(found: RunDifference) -> RunsDiff:
    """The same for `--json`; of a key that only one has, only its value stands there."""
    return {
        "document": "runs diff",
        "a": row_document(found.one.row),
        "b": row_document(found.other.row),
        "settings": [_differing(key, pair) for key, pair in found.settings.items()],
        "circumstances": [_differing(key, pair) for key, pair in found.circumstances.items()],
        "figures": [
            {"key": key, "a": one, "b": other} for key, (one, other) in found.figures.items()
        ],
    }


def _differing(key: str, pair: tuple[Any, Any]) -> Differing:
    row: Differing = {"key": key}
    one, other = pair
    if one is not ABSENT:
        row["a"] = one
    if other is not ABSENT:
        row["b"] = other
    return row
