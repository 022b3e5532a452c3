"""Activation functions: one with all that matters about its slope, or several compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nncli.activations import Activation, Array, grid
from nncli.plots.figure import LIGHT, Dash, Theme, line_styles, new_figure, style_axes
from nncli.plots.labels import fit_text, renderer_of, short, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

FLAT = 0.05
"""Below this slope little is learned: the factor that backpropagation multiplies with."""
NARROW = 0.04
"""The share of the picture below which a flat zone is not worth naming."""
LARGEST = 1e100
"""What is larger is left out: matplotlib's own arithmetic overflows beyond."""


@dataclass(frozen=True)
class _Piece:
    """A stretch of the curve between two kinks, its ends being the limits from inside."""

    left: float
    """Where it starts: a kink, or the left end of the range."""
    x: Array
    f: Array
    slope: Array


def draw_activation(
    activations: Sequence[Activation],
    low: float,
    high: float,
    points: int,
    derivative: bool,
    theme: Theme = LIGHT,
) -> Figure:
    """A picture of one activation, or of several compared.

    Args:
        activations: at least one.
        low: the left end of x.
        high: the right end of x.
        points: how many x are computed from `low` to `high`.
        derivative: whether to draw the slope f′ too.
        theme: the palette.

    Raises:
        UsageError: a range or a number of points that make no curve.
    """
    assert activations, "a picture of nothing"
    x = grid(low, high, points)
    if len(activations) == 1:
        return _draw_one(activations[0], x, derivative, theme)
    return _draw_several(activations, x, derivative, theme)


# One activation


def _draw_one(activation: Activation, x: Array, derivative: bool, theme: Theme) -> Figure:
    figure = new_figure(8.0, 5.5, theme)
    ax = figure.add_axes((0.085, 0.11, 0.775, 0.665))
    style_axes(ax, theme)
    pieces = list(_pieces(activation, x))
    limits = _limits(activation, pieces, derivative)
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(*limits)
    ax.set_xlabel("x (input of the activation)", color=theme.muted, fontsize=10)
    _quiet_ticks(ax, theme, 10)
    _axis_cross(ax, theme)
    for level in _asymptotes(activation):
        if level != 0 and limits[0] < level < limits[1]:
            ax.axhline(level, color=theme.muted, linewidth=1, linestyle=":", zorder=1.5)
    for piece in pieces:
        ax.plot(piece.x, piece.f, color=theme.train, linewidth=2.8, zorder=3)
        if derivative:
            ax.plot(
                piece.x,
                piece.slope,
                color=theme.validation,
                linewidth=2,
                linestyle=(0, (6, 2.4)),
                zorder=3.2,
            )
    _headings(figure, ax, activation, theme)
    ends = [("f(x)", theme.train, _last(pieces[-1].f))]
    if derivative:
        ends.append(("slope f′(x)", theme.validation, _last(pieces[-1].slope)))
    _label_ends(ax, [(*end, "bold") for end in ends])

    placer = _Placer(figure, ax, pieces, derivative, [0.0, *_asymptotes(activation)])
    zones = list(_flat_zones(x, pieces)) if derivative else []
    for left, right, _ in zones:
        ax.axvspan(left, right, color=theme.shade, zorder=0, linewidth=0)
    _mark_points(activation, x, pieces, derivative, placer, ax, theme)
    for left, right, zero in zones:
        words = _zone_words(zero)
        placer.name_zone(left, right, words, color=theme.muted, fontsize=9)
    return figure


def _headings(figure: Figure, ax: Axes, activation: Activation, theme: Theme) -> None:
    """The formula as the title, the range at the right, the note under both."""
    left, right = ax.get_position().x0, 0.975
    output_range = figure.text(
        right,
        0.928,
        f"output range {activation.output_range}",
        color=theme.muted,
        fontsize=10,
        ha="right",
        va="center",
    )
    title = figure.text(
        left, 0.925, activation.formula, color=theme.text, fontsize=15.5, ha="left", va="center"
    )
    room = output_range.get_window_extent(renderer_of(figure)).x0 / figure.bbox.width
    fit_text(title, (room - left - 0.04) * figure.bbox.width)
    note = figure.text(
        left,
        0.825,
        f"{activation.name} · {activation.note}",
        color=theme.muted,
        fontsize=9.5,
        ha="left",
        va="center",
    )
    fit_text(note, (right - left) * figure.bbox.width)


def _mark_points(
    activation: Activation,
    x: Array,
    pieces: Sequence[_Piece],
    derivative: bool,
    placer: _Placer,
    ax: Axes,
    theme: Theme,
) -> None:
    """Dots and words for kinks, jumps, minima and maxima, the steepest place and f(0)."""
    for before, after in pairwise(pieces):
        kink = after.left
        here = np.array([kink])
        value = float(activation.f(here)[0])
        _dot(ax, kink, value, theme.train, theme)
        sides = (float(before.f[-1]), float(after.f[0]))
        jumps = not np.isclose(*sides, atol=1e-6)
        for side in sides if jumps else ():
            if not np.isclose(side, value, atol=1e-6):
                _dot(ax, kink, side, theme.train, theme, hollow=True)
        words = []
        if jumps:
            words.append(f"jump at {short(kink)}: {short(sides[0])} → {short(sides[1])}")
        if derivative:
            slopes = (float(before.slope[-1]), float(after.slope[0]))
            at_kink = float(activation.slope(here)[0])
            for side in slopes:
                hollow = not np.isclose(side, at_kink, atol=1e-6)
                if hollow or not np.isclose(side, value, atol=1e-6):
                    _dot(ax, kink, side, theme.validation, theme, hollow=hollow, small=True)
            if not jumps:
                change = f"{short(slopes[0])} → {short(slopes[1])}"
                words.append(f"kink at {short(kink)}: slope {change}")
        elif not jumps:
            words.append(f"kink at {short(kink)}")
        placer.annotate(kink, value, words[0], theme)

    for place, kind in _turning_points(activation.f, x):
        value = float(activation.f(np.array([place]))[0])
        _dot(ax, place, value, theme.train, theme)
        placer.annotate(place, value, f"{kind} ({short(place)}, {short(value)})", theme)
    if derivative:
        for place, kind in _turning_points(activation.slope, x):
            if kind == "maximum" and not np.isclose(place, activation.kinks, atol=0.01).any():
                value = float(activation.slope(np.array([place]))[0])
                _dot(ax, place, value, theme.validation, theme, small=True)
                words = [f"steepest: slope {short(value)} at {short(place)}"]
                placer.annotate(place, value, words[0], theme, color=theme.validation)
    at_zero = float(activation.f(np.zeros(1))[0])
    if x[0] < 0 < x[-1] and at_zero != 0:
        _dot(ax, 0, at_zero, theme.train, theme)
        placer.annotate(0, at_zero, f"(0, {short(at_zero)})", theme)


def _dot(
    ax: Axes,
    x: float,
    y: float,
    color: str,
    theme: Theme,
    *,
    hollow: bool = False,
    small: bool = False,
) -> None:
    ax.plot(
        [x],
        [y],
        marker="o",
        markersize=6.5 if small else 8.5,
        markerfacecolor=theme.background if hollow else color,
        markeredgecolor=color if hollow else theme.background,
        markeredgewidth=1.6,
        linestyle="none",
        zorder=4.2 if small else 4,
        clip_on=False,
    )


def _pieces(activation: Activation, x: Array) -> Iterator[_Piece]:
    """The curve cut at its kinks, so that no line is drawn across a jump."""
    inner = [kink for kink in activation.kinks if x[0] < kink < x[-1]]
    for left, right in pairwise([float(x[0]), *inner, float(x[-1])]):
        start = np.nextafter(left, np.inf) if left in inner else left
        stop = np.nextafter(right, -np.inf) if right in inner else right
        between = x[(x > start) & (x < stop)]
        at = np.concatenate([[start], between, [stop]])
        yield _Piece(left, at, _drawable(activation.f(at)), _drawable(activation.slope(at)))


def _drawable(values: Array) -> Array:
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


def _limits(
    activation: Activation, pieces: Sequence[_Piece], derivative: bool
) -> tuple[float, float]:
    """The y that show the whole curve, 0, and an asymptote that it comes near to."""
    values = [piece.f for piece in pieces]
    if derivative:
        values += [piece.slope for piece in pieces]
    drawn = np.concatenate(values)
    drawn = drawn[np.isfinite(drawn)]
    bottom = min(0.0, float(drawn.min())) if drawn.size else 0.0
    top = max(0.0, float(drawn.max())) if drawn.size else 1.0
    height = (top - bottom) or 1.0
    for level in _asymptotes(activation):
        if bottom - 0.15 * height < level < top + 0.15 * height:
            bottom, top = min(bottom, level), max(top, level)
    return bottom - 0.09 * height, top + 0.09 * height


def _asymptotes(activation: Activation) -> list[float]:
    """The levels that f comes to far to the left and far to the right."""
    far = activation.f(np.array([-1e9, 1e9]))
    return [round(float(level), 6) for level in far if abs(level) < 1e3]


def _flat_zones(x: Array, pieces: Sequence[_Piece]) -> Iterator[tuple[float, float, bool]]:
    """Stretches (left, right, whether exactly 0) on which the slope is nearly nothing."""
    width = float(x[-1] - x[0])
    found: list[tuple[float, float, bool]] = []
    for piece in pieces:
        flat = np.abs(piece.slope) < FLAT
        edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(int)))
        for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):
            zero = not piece.slope[first : last + 1].any()
            left, right = float(piece.x[first]), float(piece.x[last])
            if found and np.isclose(found[-1][1], left) and found[-1][2] == zero:
                left = found.pop()[0]
            found.append((left, right, zero))
    yield from ((a, b, zero) for a, b, zero in found if b - a >= NARROW * width)


def _zone_words(zero: bool) -> tuple[str, ...]:
    """What to write into a flat zone, the most telling first."""
    if zero:
        return (
            "slope 0: a unit stuck\nhere stops learning",
            "slope 0:\na unit stuck\nhere stops\nlearning",
            "slope\n0",
        )
    return (f"slope below {FLAT}:\nlearning is slow", f"slope\nbelow {FLAT}", f"slope\n< {FLAT}")


def _turning_points(function: Any, x: Array) -> Iterator[tuple[float, str]]:
    """Places (x, "minimum" or "maximum") inside the range where `function` turns."""
    low, high = float(x[0]), float(x[-1])
    at = np.linspace(low, high, 4001)
    values = _drawable(function(at))
    if not np.isfinite(values).all():
        return
    height = float(np.ptp(values))
    for sign, kind in ((1.0, "maximum"), (-1.0, "minimum")):
        signed = sign * values
        inner = signed[1:-1]
        # At least as high as both neighbours, and higher than some way off: no plateau counts.
        peaks = 1 + np.flatnonzero((inner >= signed[:-2]) & (inner > signed[2:]))
        for peak in peaks:
            near, step = at[peak], (high - low) / 4000
            around = sign * function(np.array([near - 40 * step, near + 40 * step]))
            if not (signed[peak] - around > 1e-4 * height).all() or peak < 40 or peak > 3960:
                continue
            for _ in range(6):
                fine = np.linspace(near - step, near + step, 201)
                tops = sign * function(fine)
                near = float(fine[np.flatnonzero(tops == tops.max())].mean())
                step /= 50
            yield (0.0 if abs(near) < 1e-6 * (high - low) else near), kind


# Several activations


def _draw_several(
    activations: Sequence[Activation], x: Array, derivative: bool, theme: Theme
) -> Figure:
    """f of all in one panel, and beside it their slopes."""
    crowd = len(activations)
    size = 9.5 if crowd <= 10 else 8.0 if crowd <= 18 else 6.5
    height = 5.2 if crowd <= 18 else 6.2
    figure = new_figure(11.6 if derivative else 8.0, height, theme)
    left = figure.dpi * 0.6 / figure.bbox.width
    gutter = _widest(figure, [row.name + " ↑" for row in activations], size) + 26 / 72 * figure.dpi
    gutter /= figure.bbox.width
    panels = 2 if derivative else 1
    width = (0.985 - left * panels - gutter * panels) / panels
    bottom, tall = 0.62 / height, 1 - (0.62 + 1.15) / height
    styles = line_styles(crowd, theme)
    for panel in range(panels):
        ax = figure.add_axes((left + panel * (width + gutter + left), bottom, width, tall))
        style_axes(ax, theme)
        _quiet_ticks(ax, theme, 7)
        ax.set_xlabel("x (input of the activation)", color=theme.muted, fontsize=10)
        ax.set_title(
            "slope f′(x)" if panel else "f(x)",
            loc="left",
            color=theme.text,
            fontsize=10.5,
            fontweight="bold",
        )
        curves = [
            [(p.x, p.slope if panel else p.f) for p in _pieces(row, x)] for row in activations
        ]
        ax.set_xlim(x[0], x[-1])
        ax.set_ylim(*_shared_limits(curves))
        _axis_cross(ax, theme)
        ends = []
        top = ax.get_ylim()[1]
        for row, curve, (color, dash) in zip(activations, curves, styles, strict=True):
            for at, values in curve:
                ax.plot(at, values, color=color, linestyle=dash, linewidth=2, zorder=3)
            end = _last(curve[-1][1])
            ends.append((row.name + (" ↑" if end > top else ""), color, end, "bold"))
        _label_ends(ax, ends, fontsize=size, dashes=[dash for _, dash in styles])
    title = figure.text(
        left,
        1 - 0.36 / height,
        f"{crowd} activations compared",
        color=theme.text,
        fontsize=14,
        fontweight="bold",
        va="center",
    )
    fit_text(title, (0.98 - left) * figure.bbox.width)
    subtitle = figure.text(
        left,
        1 - 0.68 / height,
        _comparison(activations, x),
        color=theme.muted,
        fontsize=9.5,
        va="center",
    )
    fit_text(subtitle, (0.98 - left) * figure.bbox.width)
    return figure


def _comparison(activations: Sequence[Activation], x: Array) -> str:
    """The largest slope of each on this range, which is what tells them apart in training."""
    span = f"from {short(float(x[0]))} to {short(float(x[-1]))}"
    steepest = {
        # Rounded: that no x falls on tanh's steepest place must not put it behind relu.
        row.name: round(float(np.nanmax(np.concatenate([p.slope for p in _pieces(row, x)]))), 3)
        for row in activations
    }
    ranked = sorted(steepest, key=lambda name: -steepest[name])
    if len(ranked) > 6:
        first, last = ranked[0], ranked[-1]
        return (
            f"largest slope {span}: {first} {short(steepest[first])} is the steepest, "
            f"{last} {short(steepest[last])} the flattest"
        )
    return f"largest slope {span}: " + " · ".join(f"{n} {short(steepest[n])}" for n in ranked)


def _shared_limits(curves: Sequence[Sequence[tuple[Array, Array]]]) -> tuple[float, float]:
    """The y for all curves; one that dwarfs the others may leave the picture at the top."""
    tops, bottoms = [], []
    for curve in curves:
        values = np.concatenate([values for _, values in curve])
        values = values[np.isfinite(values)]
        tops.append(max(0.0, float(values.max())) if values.size else 0.0)
        bottoms.append(min(0.0, float(values.min())) if values.size else 0.0)
    top, bottom = max(tops), min(bottoms)
    others = sorted(tops)[-2]
    if others > 0 and top > 9 * others:
        top = 3 * others
    height = (top - bottom) or 1.0
    return bottom - 0.06 * height, top + 0.06 * height


# Text


def _widest(figure: Figure, words: Sequence[str], size: float) -> float:
    """The width in pixels of the widest of `words`."""
    renderer = renderer_of(figure)
    widths = []
    for word in words:
        text = figure.text(0, 0, word, fontsize=size, fontweight="bold")
        widths.append(float(text.get_window_extent(renderer).width))
        text.remove()
    return max(widths)


def _last(values: Array) -> float:
    """The last value that can be drawn; infinity where the curve has left the picture."""
    return float(values[-1]) if np.isfinite(values[-1]) else np.inf


def _quiet_ticks(ax: Axes, theme: Theme, across: int) -> None:
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    for axis, most in ((ax.xaxis, across), (ax.yaxis, 9)):
        axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]))
        formatter = ScalarFormatter(useMathText=True)
        formatter.set_powerlimits((-3, 6))
        axis.set_major_formatter(formatter)
        axis.get_offset_text().set_color(theme.muted)
        axis.get_offset_text().set_fontsize(8.5)
    ax.tick_params(labelsize=9.5)


def _axis_cross(ax: Axes, theme: Theme) -> None:
    """The lines x = 0 and y = 0, where the range has them."""
    low, high = ax.get_xlim()
    if low < 0 < high:
        ax.axvline(0, color=theme.muted, linewidth=0.9, zorder=1.4)
    bottom, top = ax.get_ylim()
    if bottom < 0 < top:
        ax.axhline(0, color=theme.muted, linewidth=0.9, zorder=1.4)


def _label_ends(
    ax: Axes,
    ends: Sequence[tuple[str, str, float, str]],
    *,
    fontsize: float = 10,
    dashes: Sequence[Dash] = (),
) -> None:
    """Name each line (words, colour, last y, weight) at its right end, pushed apart when close.

    A label that had to move, or that has a dash to show, is tied to its line by a short stroke.
    """
    bottom, top = ax.get_ylim()
    height = ax.get_position().height * ax.figure.bbox.height * 72 / ax.figure.dpi  # points
    wanted = [(min(max(end[2], bottom), top) - bottom) / (top - bottom) for end in ends]
    gap = min(fontsize * 1.3 / height, 1 / max(1, len(ends) - 1))
    places = spread(wanted, gap, 0.0, 1.0)
    width = ax.get_position().width * ax.figure.bbox.width * 72 / ax.figure.dpi
    stroke = 20 / width if dashes else 5 / width
    for index, (words, color, _, weight) in enumerate(ends):
        if dashes:
            ax.plot(
                [1, 1 + stroke * 0.85],
                [wanted[index], places[index]],
                transform=ax.transAxes,
                color=color,
                linestyle=dashes[index],
                linewidth=1.2,
                clip_on=False,
                solid_capstyle="butt",
            )
        ax.text(
            1 + stroke,
            places[index],
            words,
            transform=ax.transAxes,
            color=color,
            fontsize=fontsize,
            fontweight=weight,
            ha="left",
            va="center_baseline",
        )


class _Placer:
    """Finds room for words inside the axes: on no other text, off the curves where possible."""

    def __init__(
        self,
        figure: Figure,
        ax: Axes,
        pieces: Sequence[_Piece],
        derivative: bool,
        levels: Sequence[float],
    ) -> None:
        self.ax = ax
        self.renderer = renderer_of(figure)
        self.point = figure.dpi / 72
        self.taken: list[Bbox] = []
        lines = [(p.x, values) for p in pieces for values in _shown(p, derivative)]
        self.ink = np.concatenate([self._trace(x, y) for x, y in lines])  # pixels, shape (n, 2)
        ends = np.array(ax.get_xlim()), np.array(ax.get_ylim())
        rules = [(np.zeros(2), ends[1]), *((ends[0], np.full(2, level)) for level in levels)]
        self.rules = np.concatenate([self._trace(x, y) for x, y in rules])

    def _trace(self, x: Array, y: Array) -> Array:
        """Points every few pixels along a line, so that none slips between two samples."""
        corners = self.ax.transData.transform(np.column_stack([x, y]))
        corners = corners[np.isfinite(corners).all(axis=1)]
        if len(corners) < 2:
            return np.asarray(corners, dtype=np.float64)
        length = np.concatenate([[0], np.hypot(*np.diff(corners, axis=0).T).cumsum()])
        steps = np.linspace(0, length[-1], int(min(length[-1] / 3 + 2, 5000)))
        return np.column_stack([np.interp(steps, length, corners[:, i]) for i in (0, 1)])

    def annotate(
        self, x: float, y: float, words: str, theme: Theme, *, color: str | None = None
    ) -> None:
        """Write `words` near the point (x, y) and tie them to it with a thin line."""
        anchor = self.ax.transData.transform((x, y))
        text = self.ax.text(
            0,
            0,
            words,
            transform=self.ax.transAxes,
            color=color or theme.text,
            fontsize=9.5,
            fontweight="bold",
            ha="center",
            va="center",
            zorder=5,
        )
        found = self._room(text, anchor, np.array(self.ax.bbox.extents))
        if found is None:
            text.remove()
            return
        axes = self.ax.transAxes.inverted()
        text.set_position(self._middle(found))
        nearest = np.clip(anchor, found.min, found.max)
        away = nearest - anchor
        distance = float(np.hypot(*away))
        if distance > 10 * self.point:
            start = anchor + away / distance * 5 * self.point
            line = axes.transform([start, nearest - away / distance * 1.5 * self.point])
            self.ax.plot(
                *line.T, transform=self.ax.transAxes, color=theme.muted, linewidth=0.9, zorder=3.8
            )

    def name_zone(self, left: float, right: float, choices: Sequence[str], **style: Any) -> None:
        """Write the first of `choices` that has room between x = left and x = right."""
        (x0, _), (x1, _) = self.ax.transData.transform([(left, 0), (right, 0)])
        bottom, top = self.ax.bbox.y0, self.ax.bbox.y1
        for words in choices:
            text = self.ax.text(
                0, 0, words, transform=self.ax.transAxes, ha="center", va="center", **style
            )
            wish = np.array([(x0 + x1) / 2, bottom + 0.78 * (top - bottom)])
            area = np.array([x0, bottom, x1, top])
            found = self._room(text, wish, area, near=0, clear=True)
            if found is not None:
                text.set_position(self._middle(found))
                return
            text.remove()

    def _middle(self, box: Bbox) -> tuple[float, float]:
        x, y = self.ax.transAxes.inverted().transform(
            ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        )
        return float(x), float(y)

    def _room(
        self,
        text: Text,
        wish: Array,
        area: Array,
        *,
        near: float = 13,
        clear: bool = False,
    ) -> Bbox | None:
        """The best place in `area` (pixels) for `text`: near `wish`, but not on it.

        None where it fits nowhere, or with `clear` nowhere off the curves.
        """
        from matplotlib.transforms import Bbox

        size = text.get_window_extent(self.renderer)
        pad = 3 * self.point
        half = np.array([size.width / 2 + pad, size.height / 2 + pad])
        low, high = area[:2] + half, area[2:] - half
        if (low > high).any():
            return None
        # A grid of centres, shape (33, 33): first axis x, second axis y.
        x, y = np.linspace(low, high, 33).T
        ink = _covered(self.ink, x, y, half)
        cost = 60 * ink + 4 * _covered(self.rules, x, y, half)
        if clear:
            cost[ink > 0] = np.inf
        gap_x = np.maximum(0, np.abs(x - wish[0]) - half[0])
        gap_y = np.maximum(0, np.abs(y - wish[1]) - half[1])
        away = np.hypot(gap_x[:, np.newaxis], gap_y)
        drift = np.hypot((x - wish[0])[:, np.newaxis], y - wish[1])
        cost += away + 0.3 * drift + 8 * np.maximum(0, near * self.point - away)
        for other in self.taken:
            beside = np.abs(x - (other.x0 + other.x1) / 2) >= half[0] + other.width / 2
            above = np.abs(y - (other.y0 + other.y1) / 2) >= half[1] + other.height / 2
            cost[~(beside[:, np.newaxis] | above)] = np.inf
        if not np.isfinite(cost).any():
            return None
        column, row = np.unravel_index(cost.argmin(), cost.shape)
        centre = np.array([x[column], y[row]])
        self.taken.append(Bbox([centre - half, centre + half]))
        return Bbox([centre - half + pad, centre + half - pad])


def _covered(ink: Array, x: Array, y: Array, half: Array) -> Array:
    """How many points of `ink` lie under a box at each centre, shape (x, y)."""
    across = np.abs(ink[:, 0] - x[:, np.newaxis]) < half[0]
    up = np.abs(ink[:, 1] - y[:, np.newaxis]) < half[1]
    # Counted, not multiplied: for so small a product NumPy starts threads, which wait for a core.
    counts = [np.count_nonzero(up[:, column], axis=1) for column in across]
    return np.asarray(counts, dtype=np.float64)


def _shown(piece: _Piece, derivative: bool) -> list[Array]:
    return [piece.f, piece.slope] if derivative else [piece.f]
