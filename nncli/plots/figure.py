"""The only maker of a matplotlib Figure: the palette, the type, and saving.

Figures are built on `matplotlib.figure.Figure` directly. pyplot is never imported: it keeps
figures alive, wants a display, and costs a tenth of a second.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncli.errors import UsageError
from nncli.files import try_writing, whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
DOTS_PER_INCH = 144
NARROW = 4.8
"""Inches of a figure in a single column: on a phone its type is still large enough."""
SANS = "DejaVu Sans"
"""Ships inside matplotlib: the same everywhere."""
OTHER_SCRIPTS = (
    ("Noto Sans CJK JP", "Noto Sans CJK SC", "Hiragino Sans", "Yu Gothic", "Source Han Sans"),
    ("Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei"),
    ("Noto Sans CJK KR", "Apple SD Gothic Neo", "Malgun Gothic"),
    ("Noto Sans Devanagari", "Nirmala UI", "Kohinoor Devanagari"),
    ("Noto Sans Thai", "Leelawadee UI", "Thonburi"),
    ("STIXGeneral",),
)
"""For letters that `SANS` lacks: of each group the first font that is installed."""

Dash = str | tuple[float, tuple[float, ...]]
DASHES: tuple[Dash, ...] = (
    "-",
    (0, (6, 2)),
    (0, (1.2, 1.2)),
    (0, (6, 1.6, 1.2, 1.6)),
    (0, (3, 1.4)),
    (0, (9, 2, 3, 2)),
    (0, (3, 1.4, 1.2, 1.4, 1.2, 1.4)),
    (0, (1.2, 3)),
)
MORE_COLOURS = {
    "light": ("#7B3FA0", "#B03070", "#80640A", "#0A7286"),
    "dark": ("#C79BF2", "#FF8FC0", "#E8CF5A", "#7FDDE0"),
}
"""For lines of a comparison after the theme's own three; names are written in them, so they have
4.5:1 contrast too."""


@dataclass(frozen=True)
class Theme:
    """One palette. Text colours keep at least 4.5:1 contrast against the background."""

    name: str
    background: str
    text: str
    muted: str
    grid: str
    shade: str
    train: str
    validation: str
    third: str
    """For fills and marks; never for text."""
    right: str
    wrong: str
    card: str
    """Of a box; no other colour is the same, so that a light drawing can be recoloured dark."""


THEMES: dict[str, Theme] = {
    "light": Theme(
        name="light",
        background="#FFFFFF",
        text="#1F2328",
        muted="#59636E",
        grid="#E4E8EC",
        shade="#F3F5F7",
        train="#0072B2",
        validation="#C25500",
        third="#009E73",
        right="#007A53",
        wrong="#C0362C",
        card="#FEFEFE",
    ),
    "dark": Theme(
        name="dark",
        background="#0D1117",
        text="#E6EDF3",
        muted="#9AA4AF",
        grid="#232A33",
        shade="#151B23",
        train="#56B4E9",
        validation="#F5A04C",
        third="#3CCB9B",
        right="#3CCB9B",
        wrong="#FF7B72",
        card="#151B23",
    ),
}
LIGHT = THEMES["light"]


def new_figure(width: float, height: float, theme: Theme) -> Figure:
    """An empty figure of `width` × `height` inches on the theme's background."""
    load_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(
        {
            "font.family": SANS,
            "svg.fonttype": "path",
            "svg.hashsalt": "nncli",
            "axes.unicode_minus": True,
            "mathtext.fontset": "dejavusans",
            "image.composite_image": False,  # each image with the pixels that it has
        }
    )
    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor=theme.background)


@cache
def load_matplotlib() -> None:
    """Import what every figure needs, where no folder is writable too."""
    homes = {"XDG_CONFIG_HOME": "~/.config", "XDG_CACHE_HOME": "~/.cache"}
    if os.environ.get("MPLCONFIGDIR"):
        homes = {"MPLCONFIGDIR": ""}
    folders = [Path(os.environ.get(name) or home) for name, home in homes.items()]
    if not all(_writable(folder.expanduser()) for folder in folders):
        os.environ["MPLCONFIGDIR"] = str(Path(tempfile.gettempdir()) / "nncli-matplotlib")
    os.environ["MPLBACKEND"] = "agg"  # a nonsense value in the environment stops the import
    with _without_help():
        import matplotlib.backends.backend_agg
        import matplotlib.figure  # noqa: F401


@contextmanager
def _without_help() -> Iterator[None]:
    """Import matplotlib's artists without help on their properties, half of the time it takes.

    What has been imported already keeps its help. Else `help(Line2D.set)` says less in this
    process, and that is all.
    """
    from matplotlib import artist

    described, written = artist.kwdoc, vars(artist.Artist).get(_WRITES_HELP)
    if written is None or "matplotlib.lines" in sys.modules:
        yield
        return

    def leave_out(cls: type[Any]) -> None:
        cls.set._autogenerated_signature = True

    setattr(artist.Artist, _WRITES_HELP, classmethod(leave_out))
    artist.kwdoc = lambda artist: ""  # noqa: ARG005 - matplotlib's own name for it
    try:
        yield
    finally:
        setattr(artist.Artist, _WRITES_HELP, written)
        artist.kwdoc = described


_WRITES_HELP = "_update_set_signature_and_docstring"
"""What a class of artists does when it is made; another matplotlib may call it otherwise."""


def families(text: str) -> list[str]:
    """`SANS`, and behind it other fonts where `text` has letters that it lacks."""
    return [SANS] if text.isascii() or _letters().issuperset(text) else [SANS, *_other_fonts()]


@cache
def _letters() -> frozenset[str]:
    """All that `SANS` can draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(map(chr, get_font(findfont(FontProperties(family=SANS))).get_charmap()))


@cache
def _other_fonts() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    found = [next((name for name in group if name in installed), "") for group in OTHER_SCRIPTS]
    return tuple(dict.fromkeys(name for name in found if name))


def line_styles(count: int, theme: Theme) -> list[tuple[str, Dash]]:
    """A colour and a dash for each of several lines; no two lines share both."""
    own = (theme.train, theme.validation, theme.right)
    colours = (*own, *MORE_COLOURS[theme.name], theme.text)
    rounds = len(colours)
    return [(colours[i % rounds], DASHES[(i + i // rounds) % len(DASHES)]) for i in range(count)]


def _writable(folder: Path) -> bool:
    """Whether it is a folder one may write to, or may be made one."""
    try:
        try_writing(folder)
    except OSError:
        return False
    return True


@contextmanager
def without_missing_letters() -> Iterator[None]:
    """Draw in the block without a warning of letters that no font has: they are boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def style_axes(ax: Axes, theme: Theme) -> None:
    """The house look of a pair of axes: open to the right and top, grey horizontal grid."""
    ax.set_facecolor(theme.background)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(theme.muted)
    ax.tick_params(colors=theme.muted, labelcolor=theme.muted)
    ax.yaxis.grid(visible=True, color=theme.grid, linewidth=0.9)
    ax.set_axisbelow(True)


def three_digits(value: float) -> str:
    """A number as figures show it: three significant digits, `0.0187`, `12.3`, `1.2e-07`."""
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e6:
        decimals = max(0, 2 - int(f"{value:.2e}".split("e")[1]))
        return f"{value:,.{decimals}f}".replace("-", "−")
    return f"{value:.2e}".replace("-", "−")


def format_of(path: Path) -> str:
    """The picture format that a file's ending asks for.

    Raises:
        UsageError: an ending that is not PNG, SVG or PDF.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        given = f"'.{ending}'" if ending else "no ending"
        raise UsageError(
            f"{path.name} has {given}; a picture is written as PNG, SVG or PDF",
            hint=f"name it {path.stem or 'picture'}.png, .svg or .pdf",
        )
    return ending


def save(figure: Figure, path: Path) -> Path:
    """Write `figure` to `path` in the format its ending names; the whole file or nothing.

    Raises:
        UsageError: an ending that is not PNG, SVG or PDF.
        RunError: the folder cannot be written.
    """
    kind = format_of(path)
    with whole_file(path) as partial:
        figure.savefig(
            partial, format=kind, facecolor=figure.get_facecolor(), metadata=_METADATA[kind]
        )
    return path


_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": "nncli"},
    "svg": {"Date": None, "Creator": "nncli"},
    "pdf": {"CreationDate": None, "Creator": "nncli"},
}
"""No dates, so that the same numbers give the same file."""
