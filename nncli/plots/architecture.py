"""The model as cards: what each layer does, what it gives, what it costs, and what feeds which.

Cards stand below each other, in several columns where there are many. A branch beside the main
path is set in; what skips cards runs down beside them. A nested model is one card, or a frame
around its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from nncli.errors import RunError
from nncli.plots.cards import Card, Diagram, Group, Part, diagram
from nncli.plots.figure import Theme, new_figure
from nncli.plots.labels import (
    CONTEXT,
    MONO,
    SMALL,
    fit_header,
    line_height,
    put,
    shorten,
    subject,
    text_width,
    whole_percent,
    wrap,
)
from nncli.results import LayerRow, StoredRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN_WIDTH = 7.0
NARROWER_COLUMN_WIDTH = 5.6
"""Where there are several columns."""
PHONE_WIDTH = 4.8
GAP = 0.27
BETWEEN_COLUMNS = 0.6
MARGIN = 0.33
PHONE_MARGIN = 0.2
STRIP = 0.13
COLUMNS = ((14, 1), (44, 2))
"""Up to so many cards, so many columns; three beyond."""
TYPE_SIZE = 12.0
NAME_SIZE = 9.0
MOST_LINES = 3
"""Of what a card says in words."""
FIRST_LINE = 0.285
NEXT_LINE = 0.245
BELOW_LINES = 0.15
LANE = 0.3
"""How far a branch is set in."""
MOST_LANES = 4
RAIL = 0.15
"""Between what skips cards and what skips others beside it."""
BESIDE_CARDS = 0.05
FRAME = 0.13
"""Between a frame and what is in it."""
CONTINUED = 0.36
"""The head of a frame that goes on in the next column."""
SOURCE = 0.32
"""A card that repeats where the last column's output goes on to."""
STACKED = 0.05
"""How far each card of a stack stands out."""

FAMILIES: dict[str, tuple[str, str]] = {
    "input": ("#6E7781", "#8B949E"),
    "augmentation": ("#5F7D00", "#A5C936"),
    "convolution": ("#D55E00", "#F58A3C"),
    "pooling": ("#B57B00", "#E3B341"),
    "reshape": ("#2F8FCB", "#8FD0F5"),
    "dense": ("#009E73", "#3CCB9B"),
    "recurrent": ("#0063A6", "#4C8DFF"),
    "dropout": ("#C0659A", "#E08DB8"),
    "normalization": ("#7A6A2F", "#BBAA66"),
    "base": ("#7D3C98", "#B583D6"),
    "other": ("#59636E", "#9AA4AF"),
}
"""Colour of the strip of each family of layers, on light and on dark."""


@dataclass
class _Item:
    """Something in a column, from top to bottom: a card, or where a frame begins or ends."""

    kind: str
    """`card`, `open`, `close`, `continued` (a frame in the next column) or `source`."""
    card: Card
    frames: tuple[Group, ...] = ()
    """Those around it, its own included, the outermost first."""
    lines: tuple[_Line, ...] = ()
    height: float = 0.0
    left: float = 0.0
    right: float = 0.0
    """From the left edge of its column."""
    top: float = 0.0
    x: float = 0.0
    """The left edge of its column."""

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def holds(self) -> bool:
        """Whether lines begin and end at it."""
        return self.kind in ("card", "source")


@dataclass(frozen=True)
class _Words:
    text: str
    size: float
    muted: bool = False
    bold: bool = False
    mono: bool = False

    @property
    def width(self) -> float:
        return text_width(self.text, self.size, bold=self.bold, family=_family(self.mono))

    def cut(self, width: float) -> _Words:
        short = shorten(self.text, width, self.size, bold=self.bold, family=_family(self.mono))
        return _Words(short, self.size, self.muted, self.bold, self.mono)


def _family(mono: bool) -> str:
    return MONO if mono else "DejaVu Sans"


@dataclass(frozen=True)
class _Line:
    """One line of a card: words at its left, and at its right."""

    left: tuple[_Words, ...] = ()
    right: _Words | None = None


def total_parameters(run: StoredRun) -> int:
    """All parameters.

    Raises:
        RunError: the run has no layers.
    """
    if not run.layers:
        raise RunError(
            f"{run.name} holds no list of layers, so there is no architecture to draw",
            hint="train again: the run folder is from a training that did not start",
        )
    return sum(layer.parameters for layer in run.layers)


def _trainable(run: StoredRun) -> int:
    return sum(layer.trainable_parameters for layer in run.layers)


def _has_frozen(run: StoredRun) -> bool:
    return any(layer.frozen or _partly(layer) for layer in run.layers)


def _partly(layer: LayerRow) -> bool:
    """Whether a nested model is trained in part."""
    return layer.family == "base" and 0 < layer.trainable_parameters < layer.parameters


def architecture_finding(run: StoredRun) -> str:
    """What the diagram shows, in one sentence: the title and the alternative text."""
    total, trainable = total_parameters(run), _trainable(run)
    start = f"{subject(run)}: "
    if not total:
        return f"{start}no parameters"
    if _has_frozen(run):
        return f"{start}{trainable:,} of {total:,} parameters are trained"
    largest = max(run.layers, key=lambda layer: layer.parameters)
    share = whole_percent(largest.parameters / total)
    return f"{start}{total:,} parameters, {share} of them in {largest.name}"


def _context(run: StoredRun, shown: Diagram, *, expand: bool) -> list[str]:
    nested = [layer for layer in run.layers if expand and layer.inside]
    count = len(run.layers) - len(nested)
    layers = [f"{count} layer{'s' if count != 1 else ''}"]
    layers += [f"{layer.layers_inside} in {layer.type}" for layer in nested]
    context = [run.name, " and ".join(layers)]
    if _has_frozen(run):
        context.append("hatched: frozen")
    if any(card.times > 1 for card in (part.card for part in _groups(shown.parts))) or any(
        card.times > 1 for card in shown.cards
    ):
        context.append("×3: three blocks of a kind in a row")
    return context


def _groups(parts: Sequence[Part]) -> list[Group]:
    found = [part for part in parts if isinstance(part, Group)]
    return [*found, *(inner for group in found for inner in _groups(group.parts))]


def draw_architecture(
    run: StoredRun, theme: Theme, *, narrow: bool = False, expand: bool = False
) -> Figure:
    """One card a layer from top to bottom, in several columns for long models.

    Args:
        narrow: one column, as wide as a phone.
        expand: show what is inside nested models. Of large ones, equal blocks are one card.

    Raises:
        RunError: the run has no layers.
    """
    total, trainable = total_parameters(run), _trainable(run)
    shown = diagram(run.layers, expand=expand)
    plan = _Plan(shown, total, narrow=narrow)
    margin = PHONE_MARGIN if narrow else MARGIN
    columns = len(plan.columns)
    width = 2 * margin + columns * plan.width + (columns - 1) * BETWEEN_COLUMNS
    inner = width - 2 * margin
    figure = new_figure(width, 1, theme)
    header = fit_header(architecture_finding(run), _context(run, shown, expand=expand), inner)
    top = header.height + 0.34
    foot = [f"{total:,} parameters", _shares(run, total, trainable)]
    needed = text_width(foot[0], 11, bold=True) + 0.3 + text_width(foot[1], CONTEXT)
    footer = 0.54 if needed <= inner else 0.54 + line_height(CONTEXT)
    lowest = max(column[-1].bottom for column in plan.columns)
    height = top + lowest + footer
    figure.set_size_inches(width, height)
    header.draw(figure, theme, margin)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_axis_off()
    for number, column in enumerate(plan.columns):
        left = margin + number * (plan.width + BETWEEN_COLUMNS)
        put(ax, left + column[0].right, top - 0.1, "output shape, without the batch", size=SMALL,
            colour=theme.muted, ha="right")  # fmt: skip
        for item in column:
            item.top += top
            item.x = left
    _Drawing(ax, theme, plan).draw()
    base = height - footer + 0.3
    put(ax, margin, base, foot[0], size=11, colour=theme.text, bold=True)
    if needed <= inner:
        put(ax, width - margin, base, foot[1], size=CONTEXT, colour=theme.muted, ha="right")
    else:
        text = shorten(foot[1], inner, CONTEXT)
        put(ax, margin, base + line_height(CONTEXT), text, size=CONTEXT, colour=theme.muted)
    return figure


def _shares(run: StoredRun, total: int, trainable: int) -> str:
    if trainable == total:
        return "all trainable" if total else "nothing to train"
    frozen = sum(
        layer.parameters - layer.trainable_parameters
        for layer in run.layers
        if layer.frozen or _partly(layer)
    )
    parts = [f"{trainable:,} trainable", f"{frozen:,} frozen" if frozen else ""]
    if total - trainable - frozen:
        # The running means of normalization follow the data, not the gradient.
        parts.append(f"{total - trainable - frozen:,} not by gradient")
    return " · ".join(part for part in parts if part)


def cost_text(card: Card, total: int) -> str:
    """`320 parameters (<1 %)`, and what of them is trained where that is not all."""
    if not card.parameters:
        return "no parameters"
    word = "parameter" if card.parameters == 1 else "parameters"
    text = f"{card.parameters:,} {word} ({whole_percent(card.parameters / total)})"
    if card.frozen:
        return f"{text} · frozen"
    if card.trainable_parameters < card.parameters:
        return f"{text} · {card.trainable_parameters:,} trainable"
    return text


def shape_text(shape: Sequence[int | None]) -> str:
    """`26 × 26 × 32`, the batch left out; `1` for a single number."""
    return " × ".join("?" if size is None else f"{size}" for size in shape) or "1"


def settings_text(card: Card) -> str:
    """What matters, and for a merge what it brings together."""
    joined = ""
    if card.joins:
        joined = f"joins {', '.join(card.joins[:-1])} and {card.joins[-1]}"
    return " · ".join(filter(None, [joined, card.settings]))


def _lines(
    card: Card, width: float, total: int, *, settings: str | None = None, fed: str = "the model"
) -> list[_Line]:
    """The words of a card in `width` inches: two lines, or as many as they need."""
    title = _Words(card.title, TYPE_SIZE, bold=True)
    shape = _Words(shape_text(card.output_shape), TYPE_SIZE, bold=True)
    name = None
    if card.family != "input" and card.name != card.title:
        name = _Words(card.name, NAME_SIZE, muted=True, mono=True)
    lines: list[_Line] = []
    room = width - shape.width - 0.25
    if title.width <= room or name is None:
        title = title.cut(max(room, 0.5))
        room -= title.width + 0.12
        beside = name is not None and (name.width <= room or room > 1.2)
        lines.append(_Line((title, name.cut(room)) if name and beside else (title,), shape))
        name = None if beside else name
        if name is not None:
            lines.append(_Line((name.cut(width),)))
    else:
        lines.append(_Line((title.cut(width),)))
        room = width - min(shape.width, width - 0.6) - 0.25
        lines.append(_Line((name.cut(room),) if room > 0.4 else (), shape.cut(width)))
    what = settings_text(card) if settings is None else settings
    cost = f"what {fed} is fed" if card.family == "input" else cost_text(card, total)
    texts = wrap(what, width, SMALL)
    if len(texts) > MOST_LINES:
        last = shorten(" ".join(texts[MOST_LINES - 1 :]), width, SMALL)
        texts = [*texts[: MOST_LINES - 1], last]
    lines += [_Line((_Words(text, SMALL),)) for text in texts]
    for text in wrap(cost, width, SMALL):
        words = _Words(text, SMALL, muted=True)
        before = lines[-1]
        used = sum(word.width + 0.12 for word in before.left) + 0.13
        if before.right is None and used + words.width <= width:
            lines[-1] = _Line(before.left, words)
        else:
            lines.append(_Line((), words))
    return lines


class _Plan:
    """Where everything stands, before anything is drawn."""

    def __init__(self, shown: Diagram, total: int, *, narrow: bool) -> None:
        self.total = total
        self.cards = {card.key: card for card in shown.cards}
        self.place = {card.key: place for place, card in enumerate(shown.cards)}
        self.edges = shown.edges
        self.flow = list(_flow(shown.parts))
        self.around = {item.card.key: item.frames for item in self.flow if item.holds}
        count = len(self.cards)
        columns = next((columns for most, columns in COLUMNS if count <= most), 3)
        columns = 1 if narrow else columns
        self.lane = LANE * 0.7 if narrow else LANE
        self.beside = self._beside()
        self.rails = self._rails()
        self.gutters: dict[int | None, float] = {}
        for (frame, _), rail in self.rails.items():
            needed = BESIDE_CARDS + RAIL * (rail + 1)
            self.gutters[frame] = max(self.gutters.get(frame, 0.0), needed)
        self.width = COLUMN_WIDTH if columns == 1 else NARROWER_COLUMN_WIDTH
        self.width += 0.3 * max((len(frames) for frames in self.around.values()), default=0)
        if narrow:
            self.width = PHONE_WIDTH - 2 * PHONE_MARGIN
        for item in self.flow:
            self._measure(item)
        self.columns = self._columns(columns)

    def _common(self, one: int, other: int) -> int | None:
        """The innermost frame around both cards, by its key; None outside of all."""
        found = None
        for here, there in zip(self.around[one], self.around[other], strict=False):
            if here is not there:
                break
            found = here.card.key
        return found

    def adjacent(self, source: int, target: int) -> bool:
        """Whether nothing stands between two cards."""
        return self.place[target] == self.place[source] + 1

    def _beside(self) -> dict[tuple[int, int], int]:
        """The lines that run down at the left of higher lanes, with the lane of each."""
        found: dict[tuple[int, int], int] = {}
        order = list(self.cards)
        for source, target in self.edges:
            first, last = self.place[source], self.place[target]
            frames = self.around[source]
            if last <= first + 1 or frames != self.around[target]:
                continue
            lane = self._lane(self.cards[source].lane)
            between = [self._lane_within(key, frames) for key in order[first + 1 : last]]
            if self._lane(self.cards[target].lane) <= lane and all(
                other is not None and other > lane for other in between
            ):
                found[source, target] = lane
        return found

    def _lane_within(self, key: int, frames: tuple[Group, ...]) -> int | None:
        """The lane of a card or of the frame that it is in, seen from within `frames`."""
        around = self.around[key]
        if around[: len(frames)] != frames:
            return None
        part: Part = around[len(frames)] if len(around) > len(frames) else self.cards[key]
        return self._lane(part.lane)

    @staticmethod
    def _lane(lane: int) -> int:
        return min(lane, MOST_LANES)

    def _rails(self) -> dict[tuple[int | None, int], int]:
        """The place of each line that skips cards, beside them: by frame and source, from 0."""
        spans: dict[tuple[int | None, int], list[int]] = {}
        for source, target in self.edges:
            if self.adjacent(source, target) or (source, target) in self.beside:
                continue
            span = spans.setdefault((self._common(source, target), source), [])
            span += [self.place[source], self.place[target]]
        rails: dict[tuple[int | None, int], int] = {}
        taken: dict[tuple[int | None, int], list[tuple[int, int]]] = {}
        for key, span in sorted(
            spans.items(), key=lambda each: (max(each[1]) - min(each[1]), min(each[1]))
        ):
            first, last = min(span), max(span)
            rail = 0
            while any(first < end and start < last for start, end in taken.get((key[0], rail), [])):
                rail += 1
            taken.setdefault((key[0], rail), []).append((first, last))
            rails[key] = rail
        return rails

    def _inner(self, frames: tuple[Group, ...]) -> tuple[float, float]:
        """The left and right end of lane 0 within `frames`."""
        left, right = 0.0, self.width - self.gutters.get(None, 0.0)
        for frame in frames:
            left += self._lane(frame.lane) * self.lane + FRAME
            left += STRIP if _nested(frame.card) else 0.0
            right -= FRAME + self.gutters.get(frame.card.key, 0.0)
        return left, right

    def _measure(self, item: _Item) -> None:
        frames = item.frames if item.holds else item.frames[:-1]
        left, right = self._inner(frames)
        item.left = left + self._lane(item.card.lane) * self.lane
        item.right = right - STACKED * _behind(item)
        if item.kind in ("close", "continued", "source"):
            item.height = {"close": FRAME, "continued": CONTINUED, "source": SOURCE}[item.kind]
            return
        card, settings = item.card, None
        if item.kind == "open" and not _nested(card):
            settings = f"the first of {card.times} is shown" if card.times > 1 else ""
        fed = frames[-1].card.title if frames and _nested(frames[-1].card) else "the model"
        width = item.right - item.left - _strip(item) - 0.16 - 0.18
        item.lines = tuple(_lines(card, width, self.total, settings=settings, fed=fed))
        item.height = FIRST_LINE + NEXT_LINE * (len(item.lines) - 1) + BELOW_LINES

    def rail_x(self, source: int, target: int) -> float | None:
        """How far from the left a skipping line runs down; None for lines that skip nothing."""
        frame = self._common(source, target)
        rail = self.rails.get((frame, source))
        if rail is None:
            return None
        frames = self.around[source]
        keys = [around.card.key for around in frames]
        _, right = self._inner(frames[: keys.index(frame) + 1] if frame is not None else ())
        return right + BESIDE_CARDS + RAIL * (rail + 0.5)

    def _columns(self, count: int) -> list[list[_Item]]:
        """The flow in `count` columns, as even as the places allow where it may be broken."""
        best: tuple[float, list[list[_Item]]] | None = None
        # from where one line goes on to where several do, if that is worth it
        for least, better in ((0, 1.0), (1, 0.9), (2, 0.7)):
            breaks = [0, *self._breaks(least), len(self.flow)]
            columns = self._divided(breaks, count)
            tallest = max(column[-1].bottom for column in columns)
            even = sum(column[-1].bottom for column in columns) / count
            if best is None or tallest < better * best[0]:
                best = (tallest, columns)
            if best[0] <= 1.15 * even + 1:
                break
        assert best is not None
        return best[1]

    def _breaks(self, least: int) -> list[int]:
        """Places in the flow where a column may end.

        Args:
            least: 0 where the last card alone feeds the first of the next column, 1 where it
                alone feeds what follows, 2 wherever no lane is cut through.
        """
        found: list[int] = []
        passed = 0
        for place, (item, following) in enumerate(pairwise(self.flow), start=1):
            passed += item.holds
            if item.kind == "open" or following.kind == "close" or not passed:
                continue
            if least < 2 and any(frame.card.family != "base" for frame in following.frames[
                : None if following.holds else -1
            ]):  # fmt: skip
                continue  # a block stays together
            crossing = [
                (source, target)
                for source, target in self.edges
                if (self.place[source] < passed) != (self.place[target] < passed)
            ]
            backward = any(self.place[source] >= passed for source, _ in crossing)
            if backward or any(edge in self.beside for edge in crossing):
                continue
            sources = {self.place[source] for source, _ in crossing}
            targets = {self.place[target] for _, target in crossing}
            plain = sources == {passed - 1} and targets == {passed}
            if plain or (least == 1 and sources == {passed - 1}) or least == 2:
                found.append(place)
        return found

    def _divided(self, breaks: Sequence[int], count: int) -> list[list[_Item]]:
        """The division whose tallest column is the shortest, the first columns fullest."""
        made: dict[tuple[int, int], list[_Item]] = {}

        def column(start: int, end: int) -> list[_Item]:
            if (start, end) not in made:
                made[start, end] = self._column(start, end)
            return made[start, end]

        best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, (0,))}
        for _ in range(count):
            reached = dict(best)
            for end in breaks[1:]:
                for start in (start for start in breaks if start < end and start in best):
                    height = max(best[start][0], column(start, end)[-1].bottom)
                    if end not in reached or height <= reached[end][0]:
                        reached[end] = (height, (*best[start][1], end))
            best = reached
        ends = best[len(self.flow)][1]
        return [column(start, end) for start, end in pairwise(ends)]

    def _column(self, start: int, end: int) -> list[_Item]:
        """Copies of the flow's items from `start` to `end`, set below each other from 0 on."""
        items = [_copy(item) for item in self.flow[start:end]]
        first = items[0]
        open_before = first.frames if first.holds else first.frames[:-1]
        head = [
            _Item("continued", frame.card, open_before[: depth + 1])
            for depth, frame in enumerate(open_before)
        ]
        keys = {item.card.key for item in items if item.holds}
        passed = sum(item.holds for item in self.flow[:start])
        sources: dict[int, set[int]] = {}
        for source, target in self.edges:
            if target in keys and self.place[source] < passed:
                sources.setdefault(source, set()).add(target)
        last = next((key for key, place in self.place.items() if place == passed - 1), -1)
        following = next((item.card.key for item in items if item.holds), -1)
        if sources != {last: {following}}:
            head += [
                _Item("source", self.cards[source], open_before)
                for source in sorted(sources, key=lambda key: self.place[key])
            ]
        final = items[-1]
        open_after = final.frames if final.kind != "close" else final.frames[:-1]
        tail = [
            _Item("close", frame.card, open_after[: depth + 1])
            for depth, frame in reversed(list(enumerate(open_after)))
        ]
        for item in (*head, *tail):
            self._measure(item)
        column = [*head, *items, *tail]
        below = 0.0
        for before, item in zip([None, *column], column, strict=False):
            if before is not None and item.kind != "close":
                below += 0.2 if before.kind in ("open", "continued") else GAP
                if before.kind == item.kind == "source":
                    below -= 0.17
            item.top = below + (STACKED * 2 if before is not None and _behind(before) else 0)
            below = item.bottom
        return column


def _nested(card: Card) -> bool:
    """Whether a card or frame is a nested model, and no block of layers."""
    return card.family == "base"


def _strip(item: _Item) -> float:
    """The width of the coloured strip at the left; the frame of a block has none."""
    return STRIP if item.kind == "card" or _nested(item.card) else 0.0


def _behind(item: _Item) -> int:
    """How many cards of a stack show behind one that stands for several."""
    return min(item.card.times - 1, 2) if item.kind == "card" else 0


def _copy(item: _Item) -> _Item:
    return _Item(item.kind, item.card, item.frames, item.lines, item.height, item.left, item.right)


def _flow(parts: Sequence[Part], frames: tuple[Group, ...] = ()) -> list[_Item]:
    found: list[_Item] = []
    for part in parts:
        if isinstance(part, Group):
            inside = (*frames, part)
            found.append(_Item("open", part.card, inside))
            found += _flow(part.parts, inside)
            found.append(_Item("close", part.card, inside))
        else:
            found.append(_Item("card", part, frames))
    return found


class _Drawing:
    """Puts a plan onto axes whose units are inches, down from the top."""

    def __init__(self, ax: Axes, theme: Theme, plan: _Plan) -> None:
        self.ax, self.theme, self.plan = ax, theme, plan

    def draw(self) -> None:
        for column in self.plan.columns:
            self._frames(column)
            for item in column:
                if item.kind in ("card", "open"):
                    if item.kind == "card":
                        self._card(item)
                    self._write(item)
                elif item.kind == "source":
                    self._source(item)
                elif item.kind == "continued":
                    self._continued(item)
            self._lines_within(column)
        for here, there in pairwise(self.plan.columns):
            self._to_next_column(here, there)

    def _colour(self, card: Card) -> str:
        return FAMILIES.get(card.family, FAMILIES["other"])[self.theme.name == "dark"]

    def _frames(self, column: Sequence[_Item]) -> None:
        opened: list[_Item] = []
        for item in column:
            if item.kind in ("open", "continued"):
                opened.append(item)
            elif item.kind == "close":
                begin = opened.pop()
                self._box(begin, item.bottom, depth=len(opened))

    def _card(self, item: _Item) -> None:
        for behind in range(_behind(item), 0, -1):
            self._box(item, item.bottom, shift=behind * STACKED)
        self._box(item, item.bottom)

    def _box(self, item: _Item, bottom: float, *, shift: float = 0.0, depth: int = 0) -> None:
        from matplotlib import rc_context
        from matplotlib.patches import FancyBboxPatch, Rectangle

        card, theme = item.card, self.theme
        colour = self._colour(card)
        frame = item.kind != "card"
        face = theme.card
        if frame:
            face = _mixed(theme.background, colour, 0.07 + 0.04 * depth)
        left, width, height = item.x + item.left, item.right - item.left, bottom - item.top
        order = (1 + 0.1 * depth if frame else 3) - shift
        box = FancyBboxPatch(
            (left + shift, item.top + shift), width, height,
            boxstyle="round,pad=0,rounding_size=0.07", facecolor=face, edgecolor=colour,
            linewidth=1.6, linestyle=(0, (4, 2)) if card.frozen else "-", zorder=order,
        )  # fmt: skip
        self.ax.add_artist(box)
        if shift or not _strip(item):
            return
        hatched = card.frozen or card.partly
        with rc_context({"hatch.linewidth": 1.2}):
            strip = Rectangle(
                (left, item.top), STRIP, height, linewidth=0, zorder=order + 0.01,
                facecolor=face if hatched else colour, edgecolor=colour,
                hatch="/////" if hatched else None,
            )  # fmt: skip
        self.ax.add_artist(strip)
        strip.set_clip_path(box)
        if card.partly:  # the trained, upper layers of the base stand at the end
            share = card.trainable_parameters / card.parameters
            solid = Rectangle(
                (left, item.top + height * (1 - share)), STRIP, height * share, linewidth=0,
                facecolor=colour, zorder=order + 0.02,
            )  # fmt: skip
            self.ax.add_artist(solid)
            solid.set_clip_path(box)

    def _write(self, item: _Item) -> None:
        start, end = item.x + item.left + _strip(item) + 0.16, item.x + item.right - 0.18
        for number, line in enumerate(item.lines):
            base = item.top + FIRST_LINE + number * NEXT_LINE
            left = start
            for words in line.left:
                self._put(left, base, words)
                left += words.width + 0.12
            if line.right is not None:
                self._put(end, base, line.right, ha="right")

    def _put(self, x: float, y: float, words: _Words, *, ha: str = "left") -> None:
        colour = self.theme.muted if words.muted else self.theme.text
        put(self.ax, x, y, words.text, size=words.size, colour=colour, bold=words.bold,
            family=_family(words.mono), ha=ha, zorder=5)  # fmt: skip

    def _continued(self, item: _Item) -> None:
        left = item.x + item.left + _strip(item) + 0.16
        title = _Words(item.card.title, TYPE_SIZE, bold=True)
        title = title.cut(item.right - item.left - STRIP - 1.3)
        self._put(left, item.top + FIRST_LINE - 0.02, title)
        self._put(
            left + title.width + 0.12, item.top + FIRST_LINE - 0.02,
            _Words("continued", SMALL, muted=True),
        )  # fmt: skip

    def _source(self, item: _Item) -> None:
        """What feeds this column from the one before."""
        from matplotlib.patches import FancyBboxPatch

        text = _Words(f"from {item.card.name}", NAME_SIZE, muted=True, mono=True)
        text = text.cut(item.right - item.left - 0.4)
        self.ax.add_artist(
            FancyBboxPatch(
                (item.x + item.left, item.top), item.right - item.left, item.height,
                boxstyle="round,pad=0,rounding_size=0.07", facecolor=self.theme.background,
                edgecolor=self.theme.muted, linewidth=1.0, zorder=3,
            )
        )  # fmt: skip
        self._put(item.x + item.left + 0.18, item.top + 0.2, text)

    def _lines_within(self, column: Sequence[_Item]) -> None:
        """The arrows between what stands in one column."""
        holding = [item for item in column if item.holds]
        at = {item.card.key: item for item in holding}
        next_to = {(here.card.key, there.card.key) for here, there in pairwise(holding)}
        for source, target in self.plan.edges:
            if source not in at or target not in at:
                continue
            here, there = at[source], at[target]
            if (source, target) in next_to:
                self._down(column, here, there)
            elif (source, target) in self.plan.beside:
                x = here.x + here.left + self.plan.lane * 0.65
                self._arrow([(x, here.bottom), (x, there.top)])
            else:
                x = here.x + (self.plan.rail_x(source, target) or 0.0)
                start = here.bottom - min(0.2, here.height / 2)
                end = there.top + min(0.2, there.height / 2)
                self._arrow([
                    (here.x + here.right, start), (x, start), (x, end),
                    (there.x + there.right, end),
                ])  # fmt: skip

    def _down(self, column: Sequence[_Item], here: _Item, there: _Item) -> None:
        """Straight to the next card, by way of the frames that begin between them."""
        first, last = column.index(here), column.index(there)
        heads = [item for item in column[first + 1 : last] if item.kind == "open"]
        upper = here
        for lower in (*heads, there):
            narrower = min(upper, lower, key=lambda item: item.right - item.left)
            x = here.x + (narrower.left + narrower.right) / 2
            x = min(max(x, here.x + max(upper.left, lower.left) + 0.1), here.x + upper.right)
            bottom = upper.bottom + STACKED * _behind(upper)
            self._arrow([(x, bottom), (x, lower.top)])
            upper = lower

    def _to_next_column(self, here: Sequence[_Item], there: Sequence[_Item]) -> None:
        last = next(item for item in reversed(here) if item.holds)
        taking = [item for item in there if item.holds]
        first = next((item for item in taking if item.card.key == last.card.key), taking[0])
        if (
            first.card.key != last.card.key
            and (last.card.key, first.card.key) not in self.plan.edges
        ):
            return
        gutter = last.x + self.plan.width + BETWEEN_COLUMNS / 2
        level = last.top + last.height / 2
        side = first.top + first.height / 2
        self._arrow([
            (last.x + last.right, level), (gutter, level), (gutter, side),
            (first.x + first.left, side),
        ])  # fmt: skip

    def _arrow(self, points: Sequence[tuple[float, float]]) -> None:
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        self.ax.add_artist(
            FancyArrowPatch(
                path=Path(list(points)),
                arrowstyle="-|>,head_length=4,head_width=2.2",
                linewidth=1.3,
                color=self.theme.muted,
                shrinkA=0,
                shrinkB=0,
                zorder=2.5,
                joinstyle="miter",
                capstyle="butt",
            )
        )


def _mixed(background: str, colour: str, share: float) -> str:
    """`background` with a little of `colour` in it."""
    from matplotlib.colors import to_hex, to_rgb

    pairs = zip(to_rgb(background), to_rgb(colour), strict=True)
    red, green, blue = (below + share * (above - below) for below, above in pairs)
    return to_hex((red, green, blue))
