"""Figures as a page holds them: SVG in data URIs, one for each palette and width of the screen."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from nncli.errors import reason_of
from nncli.plots.architecture import FAMILIES
from nncli.plots.figure import MORE_COLOURS, THEMES, Theme, without_missing_letters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PHONE = "(max-width: 640px)"
"""The screens that get the narrow drawing, as a media query."""
PIXELS_PER_INCH = 96
RECOLOURED = {"curves", "architecture", "forecast", "comparison"}
"""Figures whose dark drawing is the light one in other colours, so that it need not be drawn. Of
the others the palettes differ in more: pictures are turned to negatives, letters to black."""
_COLOUR = re.compile(r'"#[0-9a-f]{6}"')


@dataclass(frozen=True)
class Image:
    """One drawing of a figure."""

    uri: str
    width: int
    height: int
    """In the page's pixels."""


@dataclass(frozen=True)
class Picture:
    """A figure in all its drawings, or why there are none."""

    name: str
    finding: str = ""
    """What it shows, for those who cannot see it."""
    drawings: Mapping[str, tuple[Image, Image]] = field(default_factory=dict)
    """The wide and the narrow one by the name of the palette."""
    failed: str = ""
    """Why it could not be drawn."""


def picture(
    name: str, draw: Callable[[Theme, bool], Figure], finding: Callable[[], str]
) -> Picture:
    """Draw a figure light and dark, wide and for a phone; a failure is told, not raised.

    Args:
        name: as in FIGURES, or `comparison`.
        draw: makes the figure of a theme, narrow or not.
        finding: says what it shows.
    """
    try:
        with without_missing_letters():
            wide, narrow = (_drawings(name, draw, narrow=narrow) for narrow in (False, True))
            return Picture(name, finding(), {each: (wide[each], narrow[each]) for each in wide})
    except Exception as error:
        return Picture(name, failed=reason_of(error))


def _drawings(
    name: str, draw: Callable[[Theme, bool], Figure], *, narrow: bool
) -> dict[str, Image]:
    """The light and the dark drawing."""
    from nncli.page.vector import svg_text

    figure = draw(THEMES["light"], narrow)
    size = [round(float(side) * PIXELS_PER_INCH) for side in figure.get_size_inches()]
    light = svg_text(figure)
    dark = recoloured(light) if name in RECOLOURED else None
    if dark is None:
        dark = svg_text(draw(THEMES["dark"], narrow))
    return {"light": Image(_uri(light), *size), "dark": Image(_uri(dark), *size)}


def recoloured(light: str) -> str | None:
    """The SVG of a light figure in the colours of the dark palette; None where it has others."""
    pairs = _pairs()
    if not set(_COLOUR.findall(light)) <= pairs.keys():
        return None
    return _COLOUR.sub(lambda found: pairs[found[0]], light)


@cache
def _pairs() -> dict[str, str]:
    """Of each light colour the dark one, as they stand in the SVG."""
    light, dark = (asdict(THEMES[name]) for name in ("light", "dark"))
    pairs = [(light[name], dark[name]) for name in light if name != "name"]
    pairs += [*FAMILIES.values(), *zip(MORE_COLOURS["light"], MORE_COLOURS["dark"], strict=True)]
    return {f'"{one.lower()}"': f'"{other.lower()}"' for one, other in pairs}


def _uri(svg: str) -> str:
    encoded = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"
