"""What every figure owes its reader: all text on the canvas, none over another, all legible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from nncli.plots.figure import THEMES

Look = tuple[str, str, bool]
"""A case, a theme, and whether the figure is narrow."""


def looks(cases: Iterable[str]) -> list[Look]:
    """Every case wide in one theme and narrow in the other, by turns; the gallery has all."""
    found: list[Look] = []
    themes = list(THEMES)
    for index, case in enumerate(cases):
        found += [(case, themes[(index + narrow) % 2], bool(narrow)) for narrow in range(2)]
    return found


SLACK = 1.0
"""Pixels that a box may reach over another or over the edge: boxes are wider than their ink."""
CONTRAST = 4.5
"""The contrast that WCAG 2 AA asks of text."""


def visible_texts(figure: Figure) -> list[tuple[Text, Bbox]]:
    """Every text that the figure shows, tick labels included, with its box in pixels."""
    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    renderer = canvas.get_renderer()
    shown: list[tuple[Text, Bbox]] = []
    for text in _texts(figure):
        if not text.get_text().strip():
            continue
        # An annotation's own extent takes in its arrow, which may well cross the canvas.
        box = Text.get_window_extent(text, renderer)
        if box.width > 0 and box.height > 0:
            shown.append((text, box))
    return shown


def _texts(artist: object) -> Iterator[Text]:
    """The visible texts below `artist`; of an axis only the ticks that are really drawn."""
    if not artist.get_visible():  # type: ignore[attr-defined]
        return
    if isinstance(artist, Text):
        yield artist
        return
    if isinstance(artist, Axis):
        low, high = sorted(artist.get_view_interval())
        margin = 1e-9 * (high - low)
        for tick in [*artist.get_major_ticks(), *artist.get_minor_ticks()]:
            if low - margin <= tick.get_loc() <= high + margin:
                yield from (t for t in (tick.label1, tick.label2) if t.get_visible())
        yield from (t for t in (artist.label, artist.offsetText) if t.get_visible())
        return
    axison = getattr(artist, "axison", True)
    for child in artist.get_children():  # type: ignore[attr-defined]
        if isinstance(child, Axis) and not axison:
            continue
        yield from _texts(child)


def contrast(foreground: object, background: object) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2 defines it."""

    def luminance(colour: object) -> float:
        rgb = np.asarray(to_rgb(colour))  # type: ignore[arg-type]
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    lighter, darker = sorted((luminance(foreground), luminance(background)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _without(figure: Figure, texts: Sequence[Text]) -> np.ndarray:
    """(height, width) colours of the picture without `texts`, each as one number."""
    shown = [(text, text.get_alpha(), text.get_visible()) for text in texts]
    for text in texts:
        # A text's own box is part of what lies behind it.
        if text.get_bbox_patch() is None:
            text.set_visible(False)
        else:
            text.set_alpha(0.0)
    figure.canvas.draw()
    for text, alpha, visible in shown:
        text.set_alpha(alpha)
        text.set_visible(visible)
    pixels = np.asarray(figure.canvas.buffer_rgba()).astype(np.int32)  # type: ignore[attr-defined]
    return pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]


def _background(pixels: np.ndarray, box: Bbox) -> str:
    """The commonest colour inside `box`."""
    height, width = pixels.shape
    left, right = max(0, int(box.x0)), min(width, int(np.ceil(box.x1)) + 1)
    top, bottom = max(0, int(height - box.y1)), min(height, int(np.ceil(height - box.y0)) + 1)
    colours, counts = np.unique(pixels[top:bottom, left:right], return_counts=True)
    return f"#{colours[counts.argmax()]:06x}"


def assert_readable(figure: Figure, *, contrast_at_least: float = CONTRAST) -> None:
    """Fail when a text leaves the canvas, lies over another, or is too faint to read."""
    shown = visible_texts(figure)
    assert shown, "a figure without any text explains nothing"
    width, height = figure.canvas.get_width_height()
    problems: list[str] = []
    for text, box in shown:
        inside = (
            box.x0 >= -SLACK
            and box.y0 >= -SLACK
            and box.x1 <= width + SLACK
            and box.y1 <= height + SLACK
        )
        if not inside:
            corners = [round(float(edge)) for edge in box.extents]
            problems.append(f"{text.get_text()!r} leaves the {width}×{height} canvas: {corners}")
    edges = np.array([box.extents for _, box in shown])
    lower, upper = edges[:, None], edges[None]
    across = np.minimum(lower[..., 2], upper[..., 2]) - np.maximum(lower[..., 0], upper[..., 0])
    down = np.minimum(lower[..., 3], upper[..., 3]) - np.maximum(lower[..., 1], upper[..., 1])
    for index, next_to in np.argwhere(np.triu((across > SLACK) & (down > SLACK), 1)):
        one, other = shown[index][0].get_text(), shown[next_to][0].get_text()
        # The same text at the same place twice (a twin axis) reads as one.
        if one != other or not np.allclose(edges[index], edges[next_to], atol=SLACK):
            problems.append(
                f"{one!r} and {other!r} overlap "
                f"by {across[index, next_to]:.0f}×{down[index, next_to]:.0f} pixels"
            )
    pixels = _without(figure, [text for text, _ in shown])
    for text, box in shown:
        ratio = contrast(text.get_color(), _background(pixels, box))
        if ratio < contrast_at_least:
            problems.append(f"{text.get_text()!r} has a contrast of {ratio:.2f}")
    assert not problems, "\n".join(problems)
