"""A model's rows as the cards of a diagram: in reading order, with what feeds which.

A nested model is one card, or a group of its own cards. Of a large model, a layer takes the
normalization and activation behind it onto its card, and equal blocks in a row become one.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from nncli.results import LayerRow, linked

MOST_CARDS = 60
"""A model of more layers is folded."""
MOST_OPEN = 2
"""So many kinds of blocks, the commonest, are shown open, each where it comes first."""
MOST_OPEN_CARDS = 12
"""All of them together."""
LONGEST_PERIOD = 4
"""In units: what is tried as the part that repeats."""

_ACTIVATIONS = {"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax"}
_MERGES = {
    *("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"),
}
_BLOCK = re.compile(r"(.*?(?:block|expanded_conv)_?\d+[a-z]?)(?![a-z0-9])")
"""What the layers of one block have in common in the names of `keras.applications`."""


@dataclass(frozen=True)
class Card:
    """What one card says."""

    key: int
    """Unique in the diagram."""
    title: str
    """The class, `Conv2D`, or `Block ×3`."""
    name: str
    settings: str
    output_shape: tuple[int | None, ...]
    parameters: int
    trainable_parameters: int
    family: str
    frozen: bool
    joins: tuple[str, ...] = ()
    """The names of what it brings together."""
    times: int = 1
    """How many equal blocks it stands for."""
    lane: int = 0
    """0 on the main path; a branch beside it has a higher one, within its group."""

    @property
    def partly(self) -> bool:
        """Whether what it holds is trained in part, by the freezing of layers inside."""
        several = self.family == "base" or self.title.startswith("Block")
        return several and 0 < self.trainable_parameters < self.parameters


@dataclass(frozen=True)
class Group:
    """Cards within a frame: a nested model, or the first of equal blocks."""

    card: Card
    """What the frame says; as a card, it would stand for all of it."""
    parts: tuple[Card | Group, ...]

    @property
    def lane(self) -> int:
        """As a card's."""
        return self.card.lane


Part = Card | Group


@dataclass(frozen=True)
class Diagram:
    """A model as it is drawn."""

    parts: tuple[Part, ...]
    """In reading order, from the input to the answer."""
    edges: tuple[tuple[int, int], ...]
    """From card to card, by their keys; in reading order of what is fed."""

    @property
    def cards(self) -> tuple[Card, ...]:
        """All cards, those in groups too, in reading order."""
        return tuple(_cards(self.parts))


def _cards(parts: Sequence[Part]) -> Iterator[Card]:
    for part in parts:
        if isinstance(part, Group):
            yield from _cards(part.parts)
        else:
            yield part


def diagram(rows: Sequence[LayerRow], *, expand: bool = False) -> Diagram:
    """The cards of a model; with `expand`, those inside its nested models too."""
    fold = _count(rows, expand) > MOST_CARDS
    level = _Level(linked(rows), expand=expand, fold=fold, keys=itertools.count())
    place = {card.key: number for number, card in enumerate(_cards(level.parts))}
    edges = sorted(set(level.edges), key=lambda edge: (place[edge[1]], place[edge[0]]))
    return Diagram(tuple(level.parts), tuple(edges))


def _count(rows: Sequence[LayerRow], expand: bool) -> int:
    return sum(_count(row.inside, expand) if expand and row.inside else 1 for row in rows)


@dataclass
class _Cluster:
    """Layers that share a card, and the clusters that feed them."""

    rows: list[LayerRow]
    feeding: list[int] = field(default_factory=list)

    @property
    def head(self) -> LayerRow:
        return self.rows[0]


@dataclass(frozen=True)
class _Block:
    """Clusters `first` … `end` of the order: `times` equal runs of them."""

    first: int
    end: int
    times: int = 1

    @property
    def period(self) -> int:
        return (self.end - self.first) // self.times


@dataclass(frozen=True)
class _Place:
    """Where a cluster is drawn."""

    entries: tuple[int, ...]
    """Cards that take what is fed to it, one for each tensor or one for all."""
    exits: tuple[int, ...]
    """Cards that give what it gives."""
    block: int
    run: int
    """Which of the equal runs of the block it is in."""


class _Level:
    """The cards of one model, nested models as deep as they are expanded."""

    def __init__(
        self, rows: Sequence[LayerRow], *, expand: bool, fold: bool, keys: Iterator[int]
    ) -> None:
        self.expand, self.fold, self.keys = expand, fold, keys
        self.parts: list[Part] = []
        self.edges: list[tuple[int, int]] = []
        self._clusters = _clusters(rows, fold)
        self._order, self._lanes = _order(self._clusters)
        self._position = {cluster: place for place, cluster in enumerate(self._order)}
        self._places: dict[int, _Place] = {}
        blocks = self._blocks()
        self._closed = self._to_open(blocks)
        for number, block in enumerate(blocks):
            self._add(block, number)
        self._connect()
        fed = {source for cluster in self._clusters for source in cluster.feeding}
        inputs = [
            cluster
            for cluster in self._order
            if self._clusters[cluster].head.family == "input" or not self._clusters[cluster].feeding
        ]
        self.entries = tuple(self._places[cluster].entries[0] for cluster in inputs)
        self.exits = tuple(
            self._places[cluster].exits[-1] for cluster in self._order if cluster not in fed
        )

    def _blocks(self) -> list[_Block]:
        """What becomes one part each: single clusters and, in folded models, blocks."""
        if not self.fold:
            return [_Block(place, place + 1) for place in range(len(self._order))]
        units = self._units()
        signatures = [self._signature(first, end) for first, end in units]
        found: list[_Block] = []
        start = 0
        while start < len(units):
            period, times = _repetition(signatures, start)
            end = start + period * times
            found.append(_Block(units[start][0], units[end - 1][1], times))
            start = end
        return found

    def _structure(self, block: _Block) -> tuple[object, ...]:
        """What blocks of one kind have in common, whatever their sizes."""
        return self._signature(block.first, block.first + block.period, sizes=False)

    def _to_open(self, blocks: Sequence[_Block]) -> set[object]:
        """The kinds of blocks that are shown open once."""
        kinds: Counter[object] = Counter()
        sizes: dict[object, int] = {}
        for block in blocks:
            if block.period > 1:
                structure = self._structure(block)
                kinds[structure] += block.times
                sizes[structure] = block.period
        found: set[object] = set()
        for kind, _ in kinds.most_common(MOST_OPEN):
            if sizes[kind] + sum(sizes[other] for other in found) <= MOST_OPEN_CARDS:
                found.add(kind)
        return found

    def _units(self) -> list[tuple[int, int]]:
        """Ranges of the order between which one tensor alone goes on: blocks, or single cards.

        Neighbours that belong to one block by their names are one unit.
        """
        last_use = list(range(len(self._order)))
        for cluster in self._order:
            for source in self._clusters[cluster].feeding:
                first, last = sorted((self._position[source], self._position[cluster]))
                last_use[first] = max(last_use[first], last)
        units: list[tuple[int, int]] = []
        names: list[str | None] = []
        start = furthest = 0
        for place, last in enumerate(last_use):
            if furthest <= place:  # nothing from before goes past this one
                name = self._block_name(start, place + 1)
                if name is not None and names and names[-1] == name:
                    units[-1] = (units[-1][0], place + 1)
                else:
                    units.append((start, place + 1))
                    names.append(name)
                start = place + 1
            furthest = max(furthest, last)
        if start < len(last_use):
            units.append((start, len(last_use)))
        return units

    def _block_name(self, first: int, end: int) -> str | None:
        """`conv2_block1`, where it is the only one among the names."""
        rows = [row for place in range(first, end) for row in self._at(place).rows]
        matches = (_BLOCK.match(row.name) for row in rows)
        names = {match[1] for match in matches if match}
        return names.pop() if len(names) == 1 else None

    def _at(self, place: int) -> _Cluster:
        return self._clusters[self._order[place]]

    def _signature(self, first: int, end: int, *, sizes: bool = True) -> tuple[object, ...]:
        """What equal blocks have in common: classes, settings and what feeds which."""
        return tuple(
            (
                tuple(
                    # the rate of dropout often grows from block to block
                    (row.type, "" if row.family == "dropout" else row.settings, row.frozen)
                    if sizes
                    else row.type
                    for row in self._at(place).rows
                ),
                tuple(
                    max(-1, self._position[source] - first) for source in self._at(place).feeding
                ),
            )
            for place in range(first, end)
        )

    def _add(self, block: _Block, number: int) -> None:
        period = block.period
        if block.end - block.first == 1:
            self._add_single(block.first, number)
            return
        structure = self._structure(block)
        lane = min(self._lanes[self._order[place]] for place in range(block.first, block.end))
        summary = self._block_card(block, lane)
        if structure not in self._closed:
            self.parts.append(summary)
            for place in range(block.first, block.end):
                run = (place - block.first) // period
                self._place(place, (summary.key,), (summary.key,), number, run)
            return
        self._closed.remove(structure)
        outside, self.parts = self.parts, []
        for place in range(block.first, block.first + period):
            self._add_single(place, number, below=lane)
        self.parts, inside = outside, self.parts
        self.parts.append(Group(summary, tuple(inside)))
        for place in range(block.first + period, block.end):
            same = self._places[self._order[block.first + (place - block.first) % period]]
            run = (place - block.first) // period
            self._place(place, same.entries, same.exits, number, run)

    def _place(
        self, place: int, entries: tuple[int, ...], exits: tuple[int, ...], block: int, run: int = 0
    ) -> None:
        self._places[self._order[place]] = _Place(entries, exits, block, run)

    def _add_single(self, place: int, number: int, *, below: int = 0) -> None:
        cluster = self._at(place)
        lane = self._lanes[self._order[place]] - below
        joins = tuple(self._clusters[source].head.name for source in cluster.feeding)
        card = _card(next(self.keys), cluster.rows, joins, lane)
        if self.expand and cluster.head.inside:
            inner = _Level(linked(cluster.head.inside), expand=True, fold=self.fold, keys=self.keys)
            self.edges += inner.edges
            self.parts.append(Group(card, tuple(inner.parts)))
            self._place(place, inner.entries, inner.exits, number)
        else:
            self.parts.append(card)
            self._place(place, (card.key,), (card.key,), number)

    def _block_card(self, block: _Block, lane: int) -> Card:
        rows = [row for place in range(block.first, block.end) for row in self._at(place).rows]
        each = rows[: len(rows) // block.times]
        parameters = sum(row.parameters for row in rows)
        trainable = sum(row.trainable_parameters for row in rows)
        families: Counter[str] = Counter()
        for row in rows:
            families[row.family] += row.parameters
        single = block.period == 1
        return Card(
            key=next(self.keys),
            title=(each[0].type if single else "Block")
            + (f" ×{block.times}" if block.times > 1 else ""),
            name=_names(rows, self._block_name(block.first, block.first + block.period),
                        self._block_name(block.end - block.period, block.end)),
            settings=_cluster_settings(each) if single else _contents(each),
            output_shape=rows[-1].output_shape,
            parameters=parameters,
            trainable_parameters=trainable,
            family=families.most_common(1)[0][0],
            frozen=parameters > 0 and trainable == 0,
            times=block.times,
            lane=lane,
        )  # fmt: skip

    def _connect(self) -> None:
        for target in self._order:
            cluster = self._clusters[target]
            there = self._places[target]
            for source in cluster.feeding:
                here = self._places[source]
                if here.block == there.block and here.run != there.run:
                    continue  # from one of the equal blocks to the next
                entry = there.entries[0]
                if len(there.entries) > 1:
                    names = {row.name for row in self._clusters[source].rows}
                    tensor = next(
                        (n for n, name in enumerate(cluster.head.inputs) if name in names), 0
                    )
                    entry = there.entries[min(tensor, len(there.entries) - 1)]
                if here.exits[-1] != entry:
                    self.edges.append((here.exits[-1], entry))


def _clusters(rows: Sequence[LayerRow], fold: bool) -> list[_Cluster]:
    """The layers that share a card; without `fold` each has its own."""
    fed: dict[str, set[str]] = {row.name: set() for row in rows}
    for row in rows:
        for name in row.inputs:
            if name in fed:
                fed[name].add(row.name)
    clusters: list[_Cluster] = []
    of: dict[str, int] = {}
    for row in rows:
        sources = set(row.inputs)
        source = next(iter(sources)) if len(sources) == 1 else None
        if (
            fold
            and source in of
            and fed[source] == {row.name}
            and clusters[of[source]].rows[-1].name == source
            and _shares(clusters[of[source]].rows, row)
        ):
            of[row.name] = of[source]
            clusters[of[source]].rows.append(row)
        else:
            of[row.name] = len(clusters)
            clusters.append(_Cluster([row]))
    for row in rows:
        own = clusters[of[row.name]]
        for name in row.inputs:
            if name in of and clusters[of[name]] is not own and of[name] not in own.feeding:
                own.feeding.append(of[name])
    return clusters


def _shares(rows: Sequence[LayerRow], row: LayerRow) -> bool:
    """Whether `row` goes onto the card of the rows before it."""
    head, last = rows[0], rows[-1]
    weighted = head.family in ("convolution", "dense")
    if row.family == "normalization":
        return weighted and len(rows) == 1
    if row.type in _ACTIVATIONS:
        able = weighted or head.family == "normalization" or head.type in _MERGES
        return able and last.type not in _ACTIVATIONS
    return False


def _order(clusters: Sequence[_Cluster]) -> tuple[list[int], list[int]]:
    """Clusters in reading order, and the lane of each.

    Every cluster comes after those that feed it. Where paths join, the longest is written first
    and keeps the lane; each further one follows in the next lane. A shared layer that a later one
    feeds too stands where it is first used.
    """
    depth = [0] * len(clusters)
    feeding = _without_loops(clusters)
    fed = {source for sources in feeding for source in sources}
    waiting = list(range(len(clusters)))
    while waiting:  # a source may stand below what it feeds: then once more
        late = []
        for number in waiting:
            if any(not depth[source] for source in feeding[number]):
                late.append(number)
            else:
                depth[number] = 1 + max((depth[source] for source in feeding[number]), default=0)
        waiting = late

    def longest_first(sources: Sequence[int]) -> list[int]:
        return sorted(sources, key=lambda source: -depth[source])

    order: list[int] = []
    lanes = [0] * len(clusters)
    seen: set[int] = set()
    ends = longest_first([number for number in range(len(clusters)) if number not in fed])
    # Every frame of the walk: a cluster, its lane, what still feeds it, branches so far.
    walk: list[tuple[int, int, list[int], list[int]]] = [
        (-1, 0, [*ends, *range(len(clusters))], [0])
    ]
    while walk:
        cluster, lane, waiting, branches = walk[-1]
        if not waiting:
            walk.pop()
            if cluster >= 0:
                order.append(cluster)
            continue
        source = waiting.pop(0)
        if source in seen:
            continue
        seen.add(source)
        lanes[source] = lane + branches[0]
        branches[0] += 1
        walk.append((source, lanes[source], longest_first(feeding[source]), [0]))
    return order, lanes


def _without_loops(clusters: Sequence[_Cluster]) -> list[list[int]]:
    """What feeds each cluster, less what itself is fed by it: rows are in order of first use."""
    following: dict[int, list[int]] = {}
    for number, cluster in enumerate(clusters):
        for source in cluster.feeding:
            following.setdefault(source, []).append(number)

    def leads_to(start: int, end: int) -> bool:
        seen, waiting = {start}, [start]
        while waiting:
            for number in following.get(waiting.pop(), ()):
                if number == end:
                    return True
                if number not in seen:
                    seen.add(number)
                    waiting.append(number)
        return False

    return [
        [source for source in cluster.feeding if source < number or not leads_to(number, source)]
        for number, cluster in enumerate(clusters)
    ]


def _repetition(signatures: Sequence[object], start: int) -> tuple[int, int]:
    """The length and the number of the equal runs at `start` that cover the most units.

    What has equal neighbours within itself is no run: they are one by themselves.
    """
    best = (1, 1)
    for period in range(1, LONGEST_PERIOD + 1):
        run = signatures[start : start + period]
        if any(one == other for one, other in pairwise(run)):
            break
        times = 1
        while signatures[start + times * period : start + (times + 1) * period] == run:
            times += 1
        if times > 1 and period * (times - 1) > best[0] * (best[1] - 1):
            best = (period, times)
    return best


def _card(key: int, rows: Sequence[LayerRow], feeding: tuple[str, ...], lane: int) -> Card:
    head = rows[0]
    parameters = sum(row.parameters for row in rows)
    trainable = sum(row.trainable_parameters for row in rows)
    return Card(
        key=key,
        title="Input" if head.family == "input" else head.type,
        name=head.name,
        settings=_cluster_settings(rows),
        output_shape=rows[-1].output_shape,
        parameters=parameters,
        trainable_parameters=trainable,
        family=head.family,
        frozen=parameters > 0 and trainable == 0,
        joins=feeding if len(feeding) > 1 and head.calls == 1 else (),
        lane=lane,
    )


def _cluster_settings(rows: Sequence[LayerRow]) -> str:
    head, *others = rows
    first = head.settings or (f"{head.layers_inside} layers inside" if head.layers_inside else "")
    return " · ".join(filter(None, [first, *(_short(row) for row in others)]))


def _short(row: LayerRow) -> str:
    return row.settings or row.type if row.type in _ACTIVATIONS else row.type


def _contents(rows: Sequence[LayerRow]) -> str:
    """`3 Conv2D, 3 BatchNormalization, 2 relu, Add`."""
    counts = Counter(_short(row) for row in rows)
    return ", ".join(f"{count} {name}" if count > 1 else name for name, count in counts.items())


def _names(rows: Sequence[LayerRow], first: str | None, last: str | None) -> str:
    """`conv2_block2 … conv2_block3`."""
    start, end = first or rows[0].name, last or rows[-1].name
    return start if start == end else f"{start} … {end}"
