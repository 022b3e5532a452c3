"""The model as a column of cards: what each layer does, what it gives, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nncli.errors import RunError
from nncli.plots.figure import Theme, new_figure
from nncli.plots.labels import (
    CONTEXT,
    MONO,
    SMALL,
    fit_header,
    put,
    shorten,
    subject,
    text_width,
    whole_percent,
)
from nncli.results import LayerRow, StoredRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CARD_WIDTH = 7.0
NARROW_CARD_WIDTH = 5.6
CARD_HEIGHT = 0.68
GAP = 0.27
BETWEEN_COLUMNS = 0.6
MARGIN = 0.33
STRIP = 0.13
COLUMNS = ((14, 1), (44, 2))
"""Up to so many layers, so many columns; three beyond."""
TYPE_SIZE = 12.0
NAME_SIZE = 9.0

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


def _total(run: StoredRun) -> tuple[int, int]:
    """All and trainable parameters.

    Raises:
        RunError: the run has no layers.
    """
    if not run.layers:
        raise RunError(
            f"{run.name} holds no list of layers, so there is no architecture to draw",
            hint="train again: the run folder is from a training that did not start",
        )
    return (
        sum(layer.parameters for layer in run.layers),
        sum(layer.trainable_parameters for layer in run.layers),
    )


def _has_frozen(run: StoredRun) -> bool:
    return any(layer.frozen or _partly(layer) for layer in run.layers)


def _partly(layer: LayerRow) -> bool:
    """Whether a nested model is trained in part."""
    return layer.family == "base" and 0 < layer.trainable_parameters < layer.parameters


def architecture_finding(run: StoredRun) -> str:
    """What the diagram shows, in one sentence: the title and the alternative text."""
    total, trainable = _total(run)
    start = f"{subject(run)}: "
    if not total:
        return f"{start}no parameters"
    if _has_frozen(run):
        return f"{start}{trainable:,} of {total:,} parameters are trained"
    largest = max(run.layers, key=lambda layer: layer.parameters)
    share = whole_percent(largest.parameters / total)
    return f"{start}{total:,} parameters, {share} of them in {largest.name}"


def draw_architecture(run: StoredRun, theme: Theme) -> Figure:
    """One card a layer from top to bottom, in several columns for long models.

    Raises:
        RunError: the run has no layers.
    """
    total, trainable = _total(run)
    count = len(run.layers)
    columns = next((columns for most, columns in COLUMNS if count <= most), 3)
    rows = -(-count // columns)
    columns = -(-count // rows)
    card = CARD_WIDTH if columns == 1 else NARROW_CARD_WIDTH
    width = 2 * MARGIN + columns * card + (columns - 1) * BETWEEN_COLUMNS
    figure = new_figure(width, 1, theme)
    note = "output shape, without the batch"
    context = [run.name, f"{count} layer{'s' if count != 1 else ''}"]
    if _has_frozen(run):
        context.append("hatched: frozen")
    header = fit_header(architecture_finding(run), context, width - 2 * MARGIN)
    top = header.height + 0.34
    height = top + rows * CARD_HEIGHT + (rows - 1) * GAP + 0.54
    figure.set_size_inches(width, height)
    header.draw(figure, theme, MARGIN)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_axis_off()
    for column in range(columns):
        right = MARGIN + column * (card + BETWEEN_COLUMNS) + card
        put(ax, right, top - 0.1, note, size=SMALL, colour=theme.muted, ha="right")
    corners = [
        (
            MARGIN + (index // rows) * (card + BETWEEN_COLUMNS),
            top + (index % rows) * (CARD_HEIGHT + GAP),
        )
        for index in range(count)
    ]
    for index, (layer, (left, upper)) in enumerate(zip(run.layers, corners, strict=True)):
        _card(ax, theme, layer, left, upper, card, total)
        if index + 1 < count:
            _arrow(ax, theme, (left, upper), corners[index + 1], card)
    foot = height - 0.24
    put(ax, MARGIN, foot, f"{total:,} parameters", size=11, colour=theme.text, bold=True)
    put(ax, width - MARGIN, foot, _shares(run, total, trainable), size=CONTEXT,
        colour=theme.muted, ha="right")  # fmt: skip
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


def _cost(layer: LayerRow, total: int) -> str:
    """The second line at the right of a card."""
    if layer.family == "input":
        return "what the model is fed"
    if not layer.parameters:
        return "no parameters"
    word = "parameter" if layer.parameters == 1 else "parameters"
    text = f"{layer.parameters:,} {word} ({whole_percent(layer.parameters / total)})"
    if layer.frozen:
        return f"{text} · frozen"
    if layer.trainable_parameters < layer.parameters:
        return f"{text} · {layer.trainable_parameters:,} trainable"
    return text


def _shape(layer: LayerRow) -> str:
    return " × ".join("?" if size is None else f"{size}" for size in layer.output_shape) or "1"


def _card(
    ax: Axes, theme: Theme, layer: LayerRow, left: float, upper: float, width: float, total: int
) -> None:
    from matplotlib import rc_context
    from matplotlib.patches import FancyBboxPatch, Rectangle

    colours = FAMILIES.get(layer.family, FAMILIES["other"])
    colour = colours[theme.name == "dark"]
    face = theme.shade if theme.name == "dark" else theme.background
    box = FancyBboxPatch(
        (left, upper), width, CARD_HEIGHT, boxstyle="round,pad=0,rounding_size=0.07",
        facecolor=face, edgecolor=colour, linewidth=1.6,
        linestyle=(0, (4, 2)) if layer.frozen else "-", zorder=3,
    )  # fmt: skip
    with rc_context({"hatch.linewidth": 1.2}):
        partly = _partly(layer)
        strip = Rectangle(
            (left, upper), STRIP, CARD_HEIGHT, linewidth=0, zorder=3.1,
            facecolor=face if layer.frozen or partly else colour, edgecolor=colour,
            hatch="/////" if layer.frozen or partly else None,
        )  # fmt: skip
    ax.add_patch(box)
    ax.add_patch(strip)
    strip.set_clip_path(box)
    if partly:  # the trained, upper layers of the base stand at the end
        share = layer.trainable_parameters / layer.parameters
        solid = Rectangle(
            (left, upper + CARD_HEIGHT * (1 - share)), STRIP, CARD_HEIGHT * share, linewidth=0,
            facecolor=colour, zorder=3.2,
        )  # fmt: skip
        ax.add_patch(solid)
        solid.set_clip_path(box)
    first, second = upper + 0.285, upper + 0.53
    start, end = left + STRIP + 0.16, left + width - 0.18
    shape, cost = _shape(layer), _cost(layer, total)
    room = end - start - text_width(shape, TYPE_SIZE, bold=True) - 0.25
    kind = "Input" if layer.family == "input" else layer.type
    kind = shorten(kind, room, TYPE_SIZE, bold=True)
    put(ax, start, first, kind, size=TYPE_SIZE, colour=theme.text, bold=True, zorder=5)
    put(ax, end, first, shape, size=TYPE_SIZE, colour=theme.text, bold=True, ha="right", zorder=5)
    if layer.family != "input":
        used = text_width(kind, TYPE_SIZE, bold=True) + 0.12
        if room - used > 0.4:
            name = shorten(layer.name, room - used, NAME_SIZE, family=MONO)
            put(ax, start + used, first, name, size=NAME_SIZE, colour=theme.muted, family=MONO,
                zorder=5)  # fmt: skip
    put(ax, end, second, cost, size=SMALL, colour=theme.muted, ha="right", zorder=5)
    room = end - start - text_width(cost, SMALL) - 0.25
    settings = layer.settings or (
        f"{layer.layers_inside} layers inside" if layer.layers_inside else ""
    )
    if settings and room > 0.4:
        put(ax, start, second, shorten(settings, room, SMALL), size=SMALL, colour=theme.text,
            zorder=5)  # fmt: skip


def _arrow(
    ax: Axes, theme: Theme, here: tuple[float, float], there: tuple[float, float], card: float
) -> None:
    """From the card at `here` to the next one, below it or at the top of the next column."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    middle = here[0] + card / 2
    lower = here[1] + CARD_HEIGHT
    if there[0] == here[0]:
        points = [(middle, lower), (middle, there[1])]
    else:
        gutter = here[0] + card + BETWEEN_COLUMNS / 2
        side = there[1] + CARD_HEIGHT / 2
        points = [
            (here[0] + card, here[1] + CARD_HEIGHT / 2),
            (gutter, here[1] + CARD_HEIGHT / 2),
            (gutter, side),
            (there[0], side),
        ]
    ax.add_patch(
        FancyArrowPatch(
            path=Path(points),
            arrowstyle="-|>,head_length=4,head_width=2.2",
            linewidth=1.3,
            color=theme.muted,
            shrinkA=0,
            shrinkB=0,
            zorder=2,
            joinstyle="miter",
            capstyle="butt",
        )
    )
