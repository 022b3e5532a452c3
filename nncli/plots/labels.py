"""Words in figures: measured before they are drawn, fitted into the room there is, kept apart.

Widths are in inches, sizes in points. Every text goes through `put`, so that a `$` in a class
name is a dollar sign and never the start of a formula.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nncli.plots.figure import (
    DOTS_PER_INCH,
    SANS,
    Theme,
    families,
    load_matplotlib,
    three_digits,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from nncli.results import StoredRun

MONO = "DejaVu Sans Mono"
TITLE = 15.0
CONTEXT = 10.5
HEADING = 11.5
SMALL = 9.5
ONE_LINE_FIRST = 5
"""Half points by which a name may shrink before it takes a second line, and one."""
LINE = 1.35
"""Height of a line of text, as a multiple of its size."""


TIED = "\0"
"""Between a number and its sign, where no line is broken; no text that was cleaned has one."""
_INSTEAD = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": "", "Cs": "\ufffd"}
"""What stands for a character that cannot be drawn, by its Unicode category."""


def printable(text: str) -> str:
    """`text` on one line, without what cannot be drawn."""
    return "".join(_INSTEAD.get(unicodedata.category(c), c) for c in text)


def clean(text: str) -> str:
    """`text` on one line: control characters and runs of spaces become one space."""
    return " ".join(printable(text).split())


@cache
def _renderer() -> RendererAgg:
    from matplotlib.backends.backend_agg import RendererAgg

    return RendererAgg(1, 1, DOTS_PER_INCH)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, *, bold: bool = False, family: str = SANS) -> float:
    """Width of one line of text in inches."""
    load_matplotlib()
    from matplotlib.font_manager import FontProperties

    text = printable(text)
    names = families(text) if family == SANS else [family]
    font = FontProperties(family=names, weight="bold" if bold else "normal", size=size)
    size_in_pixels = _renderer().get_text_width_height_descent(  # type: ignore[no-untyped-call]
        text, font, ismath=False
    )
    return float(size_in_pixels[0]) / DOTS_PER_INCH


def line_height(size: float, lines: int = 1) -> float:
    """Height of lines of text in inches."""
    return lines * size * LINE / 72


def shorten(text: str, width: float, size: float, *, bold: bool = False, family: str = SANS) -> str:
    """`text` on one line, with … in place of its later part where it is wider than `width`.

    The last three letters stay: in `category 28` and `category 29` they make the difference.
    """
    text = clean(text)
    if text_width(text, size, bold=bold, family=family) <= width:
        return text
    ending = text[-3:].lstrip()
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        shorter = f"{text[:middle].rstrip()}…{ending}"
        if text_width(shorter, size, bold=bold, family=family) <= width:
            fits = middle
        else:
            too_long = middle
    return f"{text[:fits].rstrip()}…{ending}" if fits else "…"


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """`text` as lines of at most `width`; a word too wide for a line is shortened."""
    pieces = [
        shorten(word.replace(TIED, " "), width, size, bold=bold)
        for word in clean(text).replace(" %", f"{TIED}%").split(" ")
    ]
    return _fill(pieces, width, size, bold=bold, gap=" ")


def fold(
    texts: Sequence[str], width: float, size: float, smallest: float, *, bold: bool = False
) -> list[tuple[float, list[str]]]:
    """Each text on one line or two, with its size: one for all, the largest at which all fit.

    Those that do not fit on two lines even at the `smallest` size are shortened, at that size.
    """
    texts = [clean(text) for text in texts]

    def fits(lines: Sequence[str], size: float) -> bool:
        return all(text_width(line, size, bold=bold) <= width for line in lines)

    def halves(text: str, size: float) -> list[str]:
        return _halves(text, width, size, bold=bold)

    hopeless = {text for text in texts if not fits(halves(text, smallest), smallest)}
    hopeful = [text for text in texts if text not in hopeless]
    sizes = np.arange(size, smallest - 0.01, -0.5).tolist()
    chosen = next((s for s in sizes[:ONE_LINE_FIRST] if fits(hopeful, s)), None)
    if chosen is None:
        chosen = next(s for s in sizes if all(fits(halves(text, s), s) for text in hopeful))
    return [
        (
            smallest if text in hopeless else chosen,
            [shorten(line, width, smallest, bold=bold) for line in halves(text, smallest)]
            if text in hopeless
            else halves(text, chosen),
        )
        for text in texts
    ]


def _halves(text: str, width: float, size: float, *, bold: bool) -> list[str]:
    """`text` on one line or two, broken after a space or a joining sign before `width`."""
    if text_width(text, size, bold=bold) <= width:
        return [text]
    breaks = [index for index, sign in enumerate(text[:-1], start=1) if sign in " -_/.,·"]
    fitting = [i for i in breaks if text_width(text[:i].rstrip(), size, bold=bold) <= width]
    if not fitting:
        return [text]
    return [text[: fitting[-1]].rstrip(), text[fitting[-1] :].lstrip()]


def _fill(
    pieces: Sequence[str], width: float, size: float, *, bold: bool = False, gap: str
) -> list[str]:
    lines: list[str] = []
    for piece in pieces:
        longer = f"{lines[-1]}{gap}{piece}" if lines else piece
        if lines and text_width(longer, size, bold=bold) <= width:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions as near to `wanted` as they can be with `gap` between neighbours.

    The order is kept, ties in the order given; all lie within `low` … `high` if they fit.
    """
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    groups: list[list[int]] = []
    centres: list[float] = []

    def centre(members: Sequence[int]) -> float:
        half = gap * (len(members) - 1) / 2
        mean = sum(wanted[index] for index in members) / len(members)
        return max(low + half, min(high - half, mean))

    for index in order:
        groups.append([index])
        centres.append(centre(groups[-1]))
        while len(groups) > 1:
            between = gap * (len(groups[-2]) + len(groups[-1])) / 2
            if centres[-1] - centres[-2] >= between - 1e-12:
                break
            groups[-2].extend(groups.pop())
            centres.pop()
            centres[-1] = centre(groups[-1])
    placed = [0.0] * len(wanted)
    for members, middle in zip(groups, centres, strict=True):
        first = middle - gap * (len(members) - 1) / 2
        for place, index in enumerate(members):
            placed[index] = first + gap * place
    return placed


def renderer_of(figure: Figure) -> RendererAgg:
    """What measures text: pixels at the figure's own dpi."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = figure.canvas  # its methods carry no types
    if not isinstance(canvas, FigureCanvasAgg):
        canvas = FigureCanvasAgg(figure)
    renderer: RendererAgg = canvas.get_renderer()
    return renderer


def fit_text(text: Text, width: float) -> None:
    """Make `text` smaller until it is at most `width` pixels wide."""
    figure = text.get_figure(root=True)
    assert figure is not None
    renderer = renderer_of(figure)
    while (size := float(text.get_fontsize())) > 4:
        wide = text.get_window_extent(renderer).width
        if wide <= width:
            return
        text.set_fontsize(max(4.0, min(size - 0.25, size * width / wide)))


def short(value: float) -> str:
    """Three significant digits without trailing zeros: `0.25`, `−0.752`, `1`."""
    digits = three_digits(value)
    return digits.rstrip("0").rstrip(".") if "." in digits and "e" not in digits else digits


def put(
    on: Axes | Figure,
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    colour: str,
    bold: bool = False,
    **how: Any,
) -> Text:
    """Write `text` on a figure or axes, taken literally."""
    text = printable(text)
    how.setdefault("va", "baseline")
    how.setdefault("family", families(text))
    return on.text(
        x,
        y,
        text,
        fontsize=size,
        color=colour,
        fontweight="bold" if bold else "normal",
        parse_math=False,
        **how,
    )


def inch_axes(figure: Figure) -> Axes:
    """Axes without ticks over the whole of `figure`, in inches from its left and top edges."""
    across, down = figure.get_size_inches()
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, across)
    ax.set_ylim(down, 0)
    ax.set_autoscale_on(False)
    ax.set_axis_off()
    return ax


def place_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at inches from the figure's left and top edges."""
    across, down = figure.get_size_inches()
    return figure.add_axes(
        (left / across, 1 - (top + height) / down, width / across, height / down)
    )


@dataclass(frozen=True)
class Header:
    """A figure's title, its finding, and the grey lines of context below it."""

    title: tuple[str, ...]
    title_size: float
    context: tuple[str, ...]

    @property
    def height(self) -> float:
        """Inches from the figure's top edge to below the last line."""
        return (
            0.18
            + line_height(self.title_size, len(self.title))
            + (0.04 + line_height(CONTEXT, len(self.context)) if self.context else 0)
        )

    def draw(self, figure: Figure, theme: Theme, left: float) -> None:
        """Write it at the top of `figure`, from `left` inches on."""
        across, down = figure.get_size_inches()
        below = 0.18
        for line in self.title:
            below += line_height(self.title_size)
            put(figure, left / across, 1 - (below - 0.07) / down, line, size=self.title_size,
                colour=theme.text, bold=True)  # fmt: skip
        below += 0.04
        for line in self.context:
            below += line_height(CONTEXT)
            put(figure, left / across, 1 - (below - 0.05) / down, line, size=CONTEXT,
                colour=theme.muted)  # fmt: skip


def fit_header(title: str, context: Sequence[str], width: float) -> Header:
    """The title on one line where smaller type allows it, else on several; then the context."""
    title = clean(title)
    size = TITLE
    while size > 12.5 and text_width(title, size, bold=True) > width:
        size -= 0.5
    lines = wrap(title, width, size, bold=True)
    if len(lines) > 1:
        size = TITLE - 1
        lines = wrap(title, width, size, bold=True)
    pieces: list[str] = []
    for part in context:
        pieces += wrap(part, width, CONTEXT)
    return Header(tuple(lines), size, tuple(_fill(pieces, width, CONTEXT, gap="   ·   ")))


def percent(share: float) -> str:
    """A share as three digits, `88.2 %`; only what is all or nothing is shown as such."""
    if share in (0.0, 1.0):
        return f"{share * 100:.0f} %"
    text = f"{share * 100:.1f}"
    if text == "100.0":
        return "99.9 %"
    if text == "0.0":
        return "<0.1 %"
    return f"{text} %"


def whole_percent(share: float) -> str:
    """A share without decimals, `88 %`, never rounded to all or nothing."""
    if 0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1:
        return ">99 %"
    return f"{share * 100:.0f} %"


def subject(run: StoredRun) -> str:
    """What was trained on what, `CNN on digits`."""
    kind = run.kind.upper() if len(run.kind) <= 4 else run.kind.capitalize()
    for holder in (run.config.get("data"), run.run.get("data")):
        if isinstance(holder, dict):
            name = holder.get("source") or holder.get("name")
            if isinstance(name, str) and name:
                return f"{kind} on {clean(name)}"
    return kind


@dataclass(frozen=True)
class End:
    """What stands at the right end of a line."""

    text: str
    y: float
    """Where the line ends, in the axes' data."""
    colour: str


def ends_width(ends: Sequence[End]) -> float:
    """Inches that the labels of `ends` need to the right of their axes."""
    return 0.16 + max((text_width(end.text, CONTEXT, bold=True) for end in ends), default=0.0)


def label_ends(ax: Axes, ends: Sequence[End]) -> None:
    """Name lines at the right edge of `ax`, pushed apart, a short line joining what moved.

    The limits and the position of `ax` must be final.
    """
    if not ends:
        return
    figure = cast("Figure", ax.figure)
    across, down = figure.get_size_inches()
    box = ax.get_position()
    width, height = box.width * across, box.height * down
    low, high = ax.get_ylim()
    shares = []
    for end in ends:
        y = float(np.clip(end.y, low, high)) if np.isfinite(end.y) else low
        at = ax.transAxes.inverted().transform(ax.transData.transform((ax.get_xlim()[1], y)))
        shares.append(float(at[1]))
    gap = line_height(CONTEXT)
    placed = spread([share * height for share in shares], gap, 0.05, height - 0.05)
    for end, share, y in zip(ends, shares, placed, strict=True):
        if abs(y - share * height) > 0.05 and np.isfinite(end.y):
            ax.plot([1 + 0.05 / width, 1 + 0.13 / width], [share, y / height],
                    transform=ax.transAxes, color=end.colour, linewidth=0.8, clip_on=False,
                    scalex=False, scaley=False)  # fmt: skip
        put(ax, 1 + 0.15 / width, y / height, end.text, size=CONTEXT, colour=end.colour,
            bold=True, transform=ax.transAxes, va="center_baseline")  # fmt: skip


def number_ticks(low: float, high: float, at_most: int = 6) -> tuple[list[float], list[str]]:
    """Round ticks within `low` … `high`, and their labels with as many decimals as they need."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=at_most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    slack = 1e-9 * (high - low)
    ticks = [0.0 if abs(t) < slack else float(t) for t in found if low - slack <= t <= high + slack]
    largest = max((abs(tick) for tick in ticks), default=0.0)
    if largest and not 1e-3 <= largest < 1e6:
        return ticks, [scientific(tick) for tick in ticks]
    for decimals in range(8):
        if all(abs(round(t, decimals) - t) <= 1e-6 * max(largest, 1e-9) for t in ticks):
            break
    return ticks, [f"{tick:,.{decimals}f}".replace("-", "−") for tick in ticks]


def scientific(value: float) -> str:
    """`2e−05`, `2.5e+07`, without superfluous zeros."""
    if value == 0:
        return "0"
    digits, power = f"{value:.2e}".split("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power):+03d}".replace("-", "−")


def step_ticks(first: int, last: int, at_most: int = 7) -> list[int]:
    """Round whole numbers from `first` to `last`, both included, not crowded at the ends."""
    if last - first < at_most:
        return list(range(first, last + 1))
    length = last - first
    step = next(
        factor * 10**power
        for power in range(12)
        for factor in (1, 2, 3, 4, 5)
        if length / (factor * 10**power) <= at_most - 1
    )
    start = -(-first // step) * step
    inner = [
        tick
        for tick in range(start, last + 1, step)
        if tick - first >= 0.6 * step and last - tick >= 0.6 * step
    ]
    return [first, *inner, last]


def fitting_step_ticks(first: int, last: int, width: float) -> list[int]:
    """As many of `step_ticks` as can be labelled on `width` inches."""
    for at_most in range(7, 2, -1):
        ticks = step_ticks(first, last, at_most)
        wide = [text_width(f"{tick:,}", 10) for tick in ticks]
        per_step = width / max(last - first, 1)
        if all(
            (b - a) * per_step > (wide_a + wide_b) / 2 + 0.08
            for a, b, wide_a, wide_b in zip(ticks, ticks[1:], wide, wide[1:], strict=False)
        ):
            return ticks
    return [first, last]


def set_ticks(ax: Axes, axis: str, ticks: Sequence[float], labels: Sequence[str]) -> None:
    """Fixed ticks with literal labels."""
    from matplotlib.ticker import NullLocator

    which = ax.xaxis if axis == "x" else ax.yaxis
    labels = [printable(label) for label in labels]
    which.set_ticks(list(ticks), labels=labels, fontsize=10, family=families("".join(labels)))
    which.set_minor_locator(NullLocator())
    for label in which.get_ticklabels():
        label.set_parse_math(False)


def mixed(colour: str, background: str, share: float) -> str:
    """`share` of `colour` over `background`."""
    from matplotlib.colors import to_hex, to_rgb

    over, under = np.asarray(to_rgb(colour)), np.asarray(to_rgb(background))
    return to_hex(tuple(share * over + (1 - share) * under))


def ink_on(colour: str) -> str:
    """Near-black or white, whichever reads better on `colour`."""
    from matplotlib.colors import to_rgb

    rgb = np.asarray(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    # Black and white read equally well at a luminance of 0.179.
    return "#FFFFFF" if luminance < 0.179 else "#000000"
