"""What every figure owes its reader: all text on the canvas, none over another, all legible."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SLACK = 1.0
"""Pixels that a box may reach over another or over the edge: boxes are wider than their ink."""
CONTRAST = 4.5
"""The contrast that WCAG 2 AA asks of text."""


def visible_texts(figure: Figure) -> list[tuple[Text, Bbox]]:
    """Every text that the figure shows, tick labels included, with its box in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
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


def _background(figure: Figure, box: Bbox) -> tuple[float, float, float]:
    """The commonest colour inside `box` of the picture without its texts."""
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    height, width = pixels.shape[:2]
    left, right = max(0, int(box.x0)), min(width, int(np.ceil(box.x1)) + 1)
    top, bottom = max(0, int(height - box.y1)), min(height, int(np.ceil(height - box.y0)) + 1)
    patch = pixels[top:bottom, left:right].reshape(-1, 3)
    colours, counts = np.unique(patch, axis=0, return_counts=True)
    red, green, blue = colours[counts.argmax()] / 255
    return float(red), float(green), float(blue)


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
            edges = [round(float(edge)) for edge in box.extents]
            problems.append(f"{text.get_text()!r} leaves the {width}×{height} canvas: {edges}")
    for index, (one, box) in enumerate(shown):
        for other, other_box in shown[index + 1 :]:
            across = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
            down = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
            # The same text at the same place twice (a twin axis) reads as one.
            same = one.get_text() == other.get_text() and np.allclose(
                box.extents, other_box.extents, atol=SLACK
            )
            if across > SLACK and down > SLACK and not same:
                problems.append(
                    f"{one.get_text()!r} and {other.get_text()!r} overlap "
                    f"by {across:.0f}×{down:.0f} pixels"
                )
    # Transparent, not invisible: a text's own box is part of what lies behind it.
    opacity = [text.get_alpha() for text, _ in shown]
    for text, _ in shown:
        text.set_alpha(0.0)
    figure.canvas.draw()
    for (text, _), alpha in zip(shown, opacity, strict=True):
        text.set_alpha(alpha)
    for text, box in shown:
        ratio = contrast(text.get_color(), _background(figure, box))
        if ratio < contrast_at_least:
            problems.append(f"{text.get_text()!r} has a contrast of {ratio:.2f}")
    assert not problems, "\n".join(problems)
