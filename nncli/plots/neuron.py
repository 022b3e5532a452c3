"""One neuron as a diagram: what each input adds to the sum, and what becomes of the sum."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nncli.activations import get
from nncli.neuron import NeuronResult
from nncli.plots.figure import LIGHT, Theme, new_figure
from nncli.plots.labels import fit_text, short, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

MOST = 6
"""Above this many inputs, the `MOST - 1` that add most are drawn and the others summed up."""
WIDTH = 10.8
LONGEST_SUM = 4.5
"""Inches of the sum that is written out."""
RADIUS = 0.43
SUM_RADIUS = 0.66


def draw_neuron(result: NeuronResult, theme: Theme = LIGHT) -> Figure:
    """The neuron that `result` describes: z = Σ w·x + b, y = f(z).

    The thickness of an edge is |w·x|, its colour and dash the sign of w·x.

    Args:
        result: from `nncli.neuron.compute`.
        theme: the palette.
    """
    rows = _rows(result)
    height = max(4.5, 1.55 + 0.99 * len(rows))
    figure = new_figure(WIDTH, height, theme)
    # One unit is one inch, so that circles are round and sizes can be reasoned about.
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(0, height)
    ax.set_axis_off()
    _headings(ax, result, len(rows), height, theme)
    middle = (height - 1.15) / 2 + (0.1 if len(rows) <= 3 else 0.0)
    centre = (5.1, middle)
    largest = max([abs(row[3]) for row in rows] + [1e-300])
    for index, (name, value, weight, product, exact) in enumerate(rows):
        y = middle + 0.99 * ((len(rows) - 1) / 2 - index)
        _draw_edge(ax, (1.25, y), centre, weight, product, abs(product) / largest, theme)
        _draw_input(ax, (1.25, y), name, value, exact, theme)
    _draw_sum(ax, centre, result, theme)
    _draw_activation(ax, (7.45, middle), result, theme)
    _draw_output(ax, (9.75, middle), result, theme)
    _arrow(ax, (centre[0] + SUM_RADIUS, middle), (6.57, middle), theme.text)
    _arrow(ax, (8.33, middle), (9.75 - 0.52, middle), theme.text)
    return figure


def _rows(result: NeuronResult) -> list[tuple[str, str, str, float, bool]]:
    """What to draw per row: (name, value, weight, product, whether it is a single input)."""
    count = len(result.inputs)
    order = list(range(count))
    if count > MOST:
        largest = sorted(order, key=lambda i: -abs(result.products[i]))[: MOST - 1]
        order = sorted(largest)
    rows = [
        (
            f"$x_{{{i + 1}}}$",
            short(result.inputs[i]),
            f"$w_{{{i + 1}}}$ = {short(result.weights[i])}",
            result.products[i],
            True,
        )
        for i in order
    ]
    if count > MOST:
        others = [result.products[i] for i in range(count) if i not in order]
        rows.append((f"{len(others):,}", "more", "their sum", math.fsum(others), False))
    return rows


def _signed(value: float) -> str:
    return short(value) if value < 0 else f"+{short(value)}"


def _in_sum(value: float) -> str:
    return f"({short(value)})" if value < 0 else short(value)


def _sign_colour(value: float, theme: Theme) -> str:
    return theme.validation if value < 0 else theme.train


def _headings(ax: Axes, result: NeuronResult, rows: int, height: float, theme: Theme) -> None:
    title = ax.text(
        0.5,
        height - 0.36,
        f"One neuron: y = {result.activation}(Σ w·x + b) = {short(result.output)}",
        color=theme.text,
        fontsize=14,
        fontweight="bold",
        va="center",
    )
    _fit(title, WIDTH - 1.0)
    count = len(result.inputs)
    products = " + ".join(
        f"{_in_sum(x)}·{_in_sum(w)}"
        for x, w in zip(result.inputs[:MOST], result.weights[:MOST], strict=True)
    )
    if count > MOST or text_width(products, 10) > LONGEST_SUM:
        products = f"{count:,} products w·x"
    sign = "−" if result.bias < 0 else "+"
    bias = f"{sign} {short(abs(result.bias))}"
    words = (
        f"z = {products} {bias} = {short(result.weighted_sum)}   ·   "
        f"edges: what each input adds to z (thickness); dashed: lowers it"
    )
    if rows < count:
        words += f"   ·   the {rows - 1} largest are drawn"
    subtitle = ax.text(0.5, height - 0.7, words, color=theme.muted, fontsize=10, va="center")
    _fit(subtitle, WIDTH - 1.0)


def _draw_input(
    ax: Axes,
    at: tuple[float, float],
    name: str,
    value: str,
    exact: bool,
    theme: Theme,
) -> None:
    from matplotlib.patches import Circle

    ax.add_patch(
        Circle(
            at,
            RADIUS,
            facecolor=theme.background,
            edgecolor=theme.text,
            linewidth=1.5,
            linestyle="-" if exact else (0, (3, 2)),
            zorder=3,
        )
    )
    x, y = at
    top = ax.text(
        x, y + 0.15, name, color=theme.muted, fontsize=11, ha="center", va="center", zorder=4
    )
    bottom = _word(ax, x, y - 0.14, value, theme.text, 11, bold=True)
    for text in (top, bottom):
        _fit(text, 1.7 * RADIUS)


def _draw_edge(
    ax: Axes,
    start: tuple[float, float],
    centre: tuple[float, float],
    weight: str,
    product: float,
    share: float,
    theme: Theme,
) -> None:
    """A line from an input to the sum, with its weight and what it adds."""
    (x0, y0), (x1, y1) = start, centre
    length = math.hypot(x1 - x0, y1 - y0)
    along = ((x1 - x0) / length, (y1 - y0) / length)
    first = (x0 + along[0] * RADIUS, y0 + along[1] * RADIUS)
    last = (x1 - along[0] * SUM_RADIUS, y1 - along[1] * SUM_RADIUS)
    color = _sign_colour(product, theme) if product else theme.muted
    thickness = 1.2 + 4.6 * share
    ax.plot(
        [first[0], last[0]],
        [first[1], last[1]],
        color=color,
        linewidth=thickness,
        # Dashes are counted in line widths: a thin line needs longer ones.
        linestyle="-" if product >= 0 else (0, (max(2.2, 7 / thickness), max(1.0, 3 / thickness))),
        solid_capstyle="butt",
        dash_capstyle="butt",
        zorder=2,
    )
    for share_of_way, words, shade, bold in (
        (0.34, weight, theme.text, False),
        (0.72, _signed(product), color, True),
    ):
        text = ax.text(
            first[0] + share_of_way * (last[0] - first[0]),
            first[1] + share_of_way * (last[1] - first[1]),
            words,
            color=shade,
            fontsize=10.5,
            fontweight="bold" if bold else "normal",
            ha="center",
            va="center",
            zorder=4,
            bbox={"facecolor": theme.background, "edgecolor": "none", "pad": 2},
        )
        _fit(text, 1.05)


def _draw_sum(ax: Axes, centre: tuple[float, float], result: NeuronResult, theme: Theme) -> None:
    from matplotlib.patches import Circle

    x, y = centre
    ax.add_patch(
        Circle(
            centre,
            SUM_RADIUS,
            facecolor=theme.shade,
            edgecolor=theme.text,
            linewidth=1.8,
            zorder=3,
        )
    )
    ax.text(x, y + 0.19, "Σ", color=theme.text, fontsize=20, ha="center", va="center", zorder=4)
    total = _word(ax, x, y - 0.24, f"z = {short(result.weighted_sum)}", theme.text, 11, bold=True)
    _fit(total, 1.7 * SUM_RADIUS)
    color = _sign_colour(result.bias, theme)
    _word(ax, x, y + SUM_RADIUS + 0.66, f"bias b = {_signed(result.bias)}", color, 10.5, bold=True)
    _arrow(ax, (x, y + SUM_RADIUS + 0.5), (x, y + SUM_RADIUS + 0.02), color)


def _draw_activation(
    ax: Axes, centre: tuple[float, float], result: NeuronResult, theme: Theme
) -> None:
    """A card with the curve of f around z, and the point (z, y) on it."""
    from matplotlib.patches import FancyBboxPatch

    x, y = centre
    ax.add_patch(
        FancyBboxPatch(
            (x - 0.78, y - 0.66),
            1.56,
            1.32,
            boxstyle="round,pad=0.08",
            facecolor=theme.shade,
            edgecolor=theme.text,
            linewidth=1.8,
            zorder=3,
        )
    )
    activation = get(result.activation)
    reach = max(4.0, 1.3 * abs(result.weighted_sum))
    at = np.linspace(-reach, reach, 400)
    values = activation.f(at)
    # What towers over the point would press the rest of the curve flat.
    ceiling = max(2.0, 3 * abs(result.output), 1.1 * reach)
    values = np.where(np.abs(values) <= ceiling, values, np.nan)
    bottom = min(0.0, float(np.nanmin(values)))
    top = max(0.0, float(np.nanmax(values)))
    height = (top - bottom) or 1.0

    def across(z: float) -> float:
        return x + 0.7 * z / reach

    def up(value: float) -> float:
        return y - 0.3 + 0.86 * (value - bottom) / height

    ax.plot([across(-reach), across(reach)], [up(0)] * 2, color=theme.muted, lw=0.9, zorder=4)
    ax.plot([across(0)] * 2, [y - 0.36, y + 0.6], color=theme.muted, lw=0.9, zorder=4)
    ax.plot(
        [across(float(z)) for z in at],
        [up(float(value)) for value in values],
        color=theme.third,
        linewidth=2.4,
        zorder=5,
    )
    z, output = result.weighted_sum, result.output
    ax.plot([across(z)] * 2, [up(0), up(output)], color=theme.text, lw=1, linestyle=":", zorder=5)
    ax.plot(
        [across(z)],
        [up(output)],
        marker="o",
        markersize=8,
        markerfacecolor=theme.third,
        markeredgecolor=theme.background,
        markeredgewidth=1.4,
        zorder=6,
    )
    name = _word(ax, x, y - 0.55, result.activation, theme.text, 11, bold=True, zorder=6)
    _fit(name, 1.55)
    slope = _word(ax, x, y - 0.95, f"slope f′(z) = {short(result.slope)}", theme.muted, 10)
    _fit(slope, 2.2)


def _draw_output(ax: Axes, centre: tuple[float, float], result: NeuronResult, theme: Theme) -> None:
    from matplotlib.patches import Circle

    x, y = centre
    # The palette's text green: white on the brighter fill green is too faint to read.
    ax.add_patch(Circle(centre, 0.5, facecolor=theme.right, edgecolor="none", zorder=3))
    value = _word(ax, x, y, short(result.output), theme.background, 13, bold=True)
    _fit(value, 0.88)
    ax.text(x, y - 0.71, "output y", color=theme.muted, fontsize=10, ha="center", va="center")


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str) -> None:
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": color,
            "linewidth": 1.8,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 12,
        },
        zorder=2.5,
    )


def _word(
    ax: Axes,
    x: float,
    y: float,
    words: str,
    color: str,
    size: float,
    *,
    bold: bool = False,
    zorder: float = 4,
) -> Text:
    """Words centred on a place."""
    return ax.text(
        x,
        y,
        words,
        color=color,
        fontsize=size,
        fontweight="bold" if bold else "normal",
        ha="center",
        va="center",
        zorder=zorder,
    )


def _fit(text: Text, inches: float) -> None:
    figure = text.get_figure(root=True)
    assert figure is not None
    fit_text(text, inches * figure.dpi)
