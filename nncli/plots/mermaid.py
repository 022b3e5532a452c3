"""The model as Mermaid text, which GitHub and many editors draw: for a README."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nncli.plots.architecture import (
    FAMILIES,
    cost_text,
    shape_text,
    total_parameters,
)
from nncli.plots.cards import Card, Group, Part, diagram
from nncli.plots.labels import clean
from nncli.results import StoredRun

_WIDER = '%%{init: {"flowchart": {"wrappingWidth": 500}}}%%'
"""Or labels are broken at 200 pixels, in the middle of a line."""
_PLAIN = frozenset(" .,+-_%/=()·×…")
"""What stands for itself in a label, beside letters and digits."""


def mermaid_text(run: StoredRun, *, expand: bool = False) -> str:
    """A `flowchart TD`: a node a card, dashed where frozen, an arrow from each to what it feeds.

    Args:
        expand: show what is inside nested models. Of large ones, equal blocks are one node.

    Raises:
        RunError: the run has no layers.
    """
    total = total_parameters(run)
    shown = diagram(run.layers, expand=expand)
    lines = [_WIDER, "flowchart TD", *_nodes(shown.parts, total, "    ")]
    lines += [f"    n{source} --> n{target}" for source, target in shown.edges]
    lines += _classes(shown.parts)
    return "\n".join(lines) + "\n"


def _nodes(parts: Sequence[Part], total: int, indent: str) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Group):
            yield f'{indent}subgraph g{part.card.key}["{_label(part.card, total, framed=True)}"]'
            yield from _nodes(part.parts, total, indent + "    ")
            yield f"{indent}end"
        else:
            yield f'{indent}n{part.key}["{_label(part, total)}"]'


def _label(card: Card, total: int, *, framed: bool = False) -> str:
    title = f"<b>{escape(card.title)}</b>"
    if card.family != "input" and card.name != card.title:
        title += f" {escape(card.name)}"
    nested = card.family == "base"
    lines = [
        "" if framed and not nested else card.settings,
        "" if framed else shape_text(card.output_shape),
        "" if card.family == "input" else cost_text(card, total),
    ]
    # the title of a frame has one line
    between = " · " if framed else "<br/>"
    return between.join([title, *(escape(line) for line in lines if line)])


def escape(text: str) -> str:
    """`text` for a label: whatever could end it, or be taken for markup, as a character code."""
    # two dollars would begin a formula, codes or not; a word joiner between them shows nothing
    text = clean(text).replace("$", "$\u2060")
    return "".join(
        letter if letter.isalnum() or letter in _PLAIN else f"#{ord(letter)};" for letter in text
    )


def _classes(parts: Sequence[Part]) -> Iterator[str]:
    """The look of each family, and dashes for what is frozen."""
    members: dict[str, list[str]] = {}
    for name, card in _named(parts):
        family = card.family if card.family in FAMILIES else "other"
        members.setdefault(family, []).append(name)
        if card.frozen:
            members.setdefault("frozen", []).append(name)
    for family, (colour, _) in FAMILIES.items():
        if family in members:
            yield f"    classDef {family} stroke:{colour},stroke-width:2px"
    if "frozen" in members:
        yield "    classDef frozen stroke-dasharray:6 4"
    for family in (*FAMILIES, "frozen"):
        if family in members:
            yield f"    class {','.join(members[family])} {family}"


def _named(parts: Sequence[Part]) -> Iterator[tuple[str, Card]]:
    for part in parts:
        if isinstance(part, Group):
            yield f"g{part.card.key}", part.card
            yield from _named(part.parts)
        else:
            yield f"n{part.key}", part
