"""A matplotlib figure as SVG text that is small and quickly made.

Matplotlib's own SVG takes two to five times as long and twice the room: it lays out every text
again, styles every element, and keeps six decimals. A page holds each figure several times, so
here a letter's outline stands once and is placed where it is wanted, a hundredth of a point is
exact enough, and what was once measured is remembered.
"""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_hex
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D, Bbox, Transform

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS_PER_INCH = 72
EM = 1000
"""Units of a letter's outline across one em; outlines are whole numbers."""
HATCH_TILE = 72
"""Side of the square that a hatch repeats, in points."""
LONG = 400
"""Letters of a path's data from which it stands once, however often it is drawn: a word with a halo
is drawn twice."""
_STEPS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}
_CAPS = {"projecting": "square"}
"""Line ends that SVG calls otherwise."""


def svg_text(figure: Figure) -> str:
    """`figure` as one SVG element; the same figure gives the same text.

    It is changed on the way and of no use afterwards.
    """
    figure.dpi = POINTS_PER_INCH
    for image in [image for axes in figure.axes for image in axes.images]:
        if image.get_interpolation() == "nearest":
            image.set_interpolation("none")  # few pixels, made large
    width, height = figure.get_size_inches() * POINTS_PER_INCH
    renderer = _Renderer(float(width), float(height))
    figure.draw(renderer)
    return renderer.text()


class _Renderer(RendererBase):
    """Collects elements. Lengths are points; matplotlib's y points up, SVG's points down."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__()
        self.width, self.height = width, height
        self._turned = Affine2D().scale(1, -1).translate(0, height)
        self._definitions: list[str] = []
        self._names: dict[Any, str] = {}
        """The id of each definition, by what it is."""
        self._elements: list[str] = []

    def text(self) -> str:
        """All that was drawn."""
        width, height = _number(self.width), _number(self.height)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}pt" height="{height}pt" stroke-linejoin="round">'
            f"<defs>{''.join(self._definitions)}</defs>{''.join(self._elements)}</svg>"
        )

    def _define(self, tag: str, attributes: str, inside: str = "") -> str:
        """The id of an element that others refer to."""
        key = (tag, attributes, inside)
        if key not in self._names:
            self._names[key] = f"x{len(self._names)}"
            end = f">{inside}</{tag}>" if inside else "/>"
            self._definitions.append(f'<{tag} id="{self._names[key]}"{attributes}{end}')
        return self._names[key]

    def flipy(self) -> bool:
        """Texts are placed from the top."""
        return True

    def get_canvas_width_height(self) -> tuple[float, float]:
        """In points."""
        return self.width, self.height

    def option_scale_image(self) -> bool:
        """Pictures keep their own pixels."""
        return True

    def get_image_magnification(self) -> float:
        """Pixels a point, for pictures that are smoothed."""
        return 2.0

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: Any
    ) -> tuple[float, float, float]:
        """In points; `s`, `prop` and `ismath` as matplotlib names them."""
        if ismath:
            found = text_to_path.get_text_width_height_descent(s, prop, ismath)
            return float(found[0]), float(found[1]), float(found[2])
        scale = prop.get_size_in_points() / text_to_path.FONT_SCALE
        width, height, descent = _measured(s, *_font(prop))
        return width * scale, height * scale, descent * scale

    def draw_path(
        self,
        gc: GraphicsContextBase,
        path: Path,
        transform: Transform,
        rgbFace: Any = None,  # noqa: N803 - matplotlib's name
    ) -> None:
        """A line, or a shape filled with a colour or a hatch."""
        line = rgbFace is None and gc.get_hatch_path() is None
        steps = _steps(
            path,
            transform + self._turned,
            clip=(0, 0, self.width, self.height) if line else None,
            simplify=line and path.should_simplify,
        )
        if not steps.lstrip("Mz-.0123456789 "):  # the pen is only moved
            return
        style = self._style(gc, rgbFace)
        if len(steps) < LONG:
            self._elements.append(f'<path d="{steps}"{style}/>')
        else:
            name = self._define("path", f' d="{steps}"')
            self._elements.append(f'<use href="#{name}"{style}/>')

    def draw_markers(
        self,
        gc: GraphicsContextBase,
        marker_path: Path,
        marker_trans: Transform,
        path: Path,
        trans: Transform,
        rgbFace: Any = None,  # noqa: N803
    ) -> None:
        """The same small shape at each point of a path."""
        shape = _steps(marker_path, marker_trans + Affine2D().scale(1, -1))
        name = self._define("path", f' d="{shape}"')
        places = [
            f'<use href="#{name}" x="{_number(points[-2])}" y="{_number(points[-1])}"/>'
            for points, _ in path.iter_segments(trans + self._turned, simplify=False)
        ]
        self._elements.append(f"<g{self._style(gc, rgbFace)}>{''.join(places)}</g>")

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: Any = False,
        mtext: Any = None,
    ) -> None:
        """Letters from (x, y) on, turned by `angle` degrees."""
        if ismath:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        letters = []
        for key, across, up, outline in _letters(s, *_font(prop)):
            name = self._names.get(key)
            if name is None:
                name = self._names[key] = self._define("path", f' d="{outline}"')
            raised = f' y="{up}"' if up else ""
            letters.append(f'<use href="#{name}" x="{across}"{raised}/>')
        scale = _number(prop.get_size_in_points() / EM, 6)
        turned = f" rotate({_number(-angle)})" if angle else ""
        self._elements.append(
            f'<g transform="translate({_number(x)} {_number(y)}){turned} scale({scale} -{scale})"'
            f"{_fill(gc, gc.get_rgb())}>{''.join(letters)}</g>"
        )

    def draw_image(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        im: Any,
        transform: Any = None,
    ) -> None:
        """A picture, its pixels as they are; `transform` places the unit square of a small one."""
        from PIL import Image

        down, across = im.shape[:2]
        if not (down and across):
            return
        if transform is None:
            place: Any = Affine2D().scale(1 / self.get_image_magnification())
            look = ""
        else:
            place = Affine2D().scale(1 / across, 1 / down) + transform
            look = ' image-rendering="pixelated"'
        matrix = (place + Affine2D().translate(x, y) + self._turned).get_matrix()
        buffer = io.BytesIO()
        Image.fromarray(im).save(buffer, format="png")
        pixels = base64.b64encode(buffer.getvalue()).decode("ascii")
        a, c, e, b, d, f = (_number(value, 5) for value in matrix[:2].flatten())
        self._elements.append(
            f"<g{self._clip(gc)}>"
            f'<image width="{across}" height="{down}" transform="matrix({a} {b} {c} {d} {e} {f})"'
            f'{look} preserveAspectRatio="none" href="data:image/png;base64,{pixels}"/></g>'
        )

    def _style(self, gc: Any, face: Any) -> str:
        """Fill, stroke and clipping of a path, as attributes."""
        if gc.get_hatch() is not None:
            fill = f' fill="url(#{self._hatch(gc, face)})"'
        else:
            fill = ' fill="none"' if face is None else _fill(gc, face)
        return fill + _stroke(gc) + self._clip(gc)

    def _hatch(self, gc: Any, face: Any) -> str:
        square = f'width="{HATCH_TILE}" height="{HATCH_TILE}"'
        below = "" if face is None else f'<rect {square} fill="{to_hex(face)}"/>'
        colour, width = to_hex(gc.get_hatch_color()), _number(gc.get_hatch_linewidth())
        steps = _steps(
            gc.get_hatch_path(), Affine2D().scale(HATCH_TILE, -HATCH_TILE).translate(0, HATCH_TILE)
        )
        lines = f'<path d="{steps}" fill="{colour}" stroke="{colour}" stroke-width="{width}"/>'
        return self._define("pattern", f' patternUnits="userSpaceOnUse" {square}', below + lines)

    def _clip(self, gc: Any) -> str:
        box: Bbox | None = gc.get_clip_rectangle()
        path, transform = gc.get_clip_path()
        if path is not None:
            shape = f'<path d="{_steps(path, transform + self._turned)}"/>'
        elif box is not None:
            corner = f'x="{_number(box.x0)}" y="{_number(self.height - box.y1)}"'
            size = f'width="{_number(box.width)}" height="{_number(box.height)}"'
            shape = f"<rect {corner} {size}/>"
        else:
            return ""
        return f' clip-path="url(#{self._define("clipPath", "", shape)})"'


def _fill(gc: Any, colour: Any) -> str:
    """The attributes of a filled shape."""
    alpha = gc.get_alpha() if gc.get_forced_alpha() else (*colour, 1.0)[3]
    seen = f' fill-opacity="{_number(alpha)}"' if alpha < 1 else ""
    return f' fill="{to_hex(colour)}"{seen}'


def _stroke(gc: Any) -> str:
    """The attributes of a line; those that SVG takes for granted left out."""
    width = gc.get_linewidth()
    if not width:
        return ""
    colour = gc.get_rgb()
    alpha = gc.get_alpha() if gc.get_forced_alpha() else colour[3]
    join, cap = gc.get_joinstyle(), gc.get_capstyle()
    offset, dashes = gc.get_dashes()
    attributes = {
        "": to_hex(colour),
        "-width": _number(width) if width != 1 else "",
        "-opacity": _number(alpha) if alpha < 1 else "",
        "-linejoin": join if join != "round" else "",
        "-linecap": _CAPS.get(cap, cap) if cap != "butt" else "",
        "-dasharray": "" if dashes is None else " ".join(_number(dash) for dash in dashes),
        "-dashoffset": _number(offset) if dashes is not None and offset else "",
    }
    return "".join(f' stroke{name}="{value}"' for name, value in attributes.items() if value)


def _steps(path: Path, transform: Transform, *, clip: Any = None, simplify: bool = False) -> str:
    """A path's data, `M1 2L3 4z`."""
    return "".join(
        "z"
        if code == Path.CLOSEPOLY
        else _STEPS[code] + " ".join([_number(value) for value in points.tolist()])
        for points, code in path.iter_segments(transform, clip=clip, simplify=simplify)
    )


def _number(value: float, decimals: int = 2) -> str:
    """As short as can be: `3`, `0.5`, `-12.25`."""
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _font(prop: FontProperties) -> tuple[tuple[str, ...], Any, str]:
    """Families, weight and slant: all that tells one font from another here."""
    return tuple(prop.get_family()), prop.get_weight(), prop.get_style()


@lru_cache(maxsize=4096)
def _measured(
    text: str, families: tuple[str, ...], weight: Any, style: Any
) -> tuple[float, float, float]:
    """Width, height and descent of a text as large as `text_to_path` draws it."""
    prop = FontProperties(
        family=list(families), style=style, weight=weight, size=text_to_path.FONT_SCALE
    )
    found = text_to_path.get_text_width_height_descent(text, prop, False)
    return float(found[0]), float(found[1]), float(found[2])


@lru_cache(maxsize=4096)
def _letters(
    text: str, families: tuple[str, ...], weight: Any, style: Any
) -> list[tuple[str, int, int, str]]:
    """Each letter's id, its place in units of the em, and its outline."""
    font = get_font(_files(families, weight, style))
    font.set_size(text_to_path.FONT_SCALE, POINTS_PER_INCH)
    placed, outlines, _ = text_to_path.get_glyphs_with_font(font, text, glyph_map=_DRAWN)
    scale = EM / text_to_path.FONT_SCALE
    return [
        (letter, round(x * scale), round(y * scale), _outline(letter, outlines[letter], scale))
        for letter, x, y, _ in placed
    ]


@lru_cache(maxsize=64)
def _files(families: tuple[str, ...], weight: Any, style: Any) -> list[Any]:
    """Of each family its file; a letter is taken from the first that has it."""
    return [
        findfont(FontProperties(family=family, style=style, weight=weight)) for family in families
    ]


_DRAWN: dict[str, Any] = {}
"""Each letter as matplotlib draws it."""
_OUTLINES: dict[str, str] = {}
"""Each letter as path data."""


def _outline(letter: str, drawn: Any, scale: float) -> str:
    """The outline of a letter as path data in whole units."""
    if letter not in _OUTLINES:
        vertices, codes = drawn
        path = Path((vertices * scale).round(), codes)
        _OUTLINES[letter] = _steps(path, Affine2D())
    return _OUTLINES[letter]
