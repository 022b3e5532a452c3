"""The only maker of a matplotlib Figure: the palette, the type, and saving.

Figures are built on `matplotlib.figure.Figure` directly. pyplot is never imported: it keeps
figures alive, wants a display, and costs a tenth of a second.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncli.errors import UsageError
from nncli.files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
DOTS_PER_INCH = 144


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
    ),
}
LIGHT = THEMES["light"]


def new_figure(width: float, height: float, theme: Theme) -> Figure:
    """An empty figure of `width` × `height` inches on the theme's background."""
    _prepare_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor=theme.background)


def _prepare_matplotlib() -> None:
    """Import matplotlib where no folder is writable, and fix what makes output differ."""
    if "MPLCONFIGDIR" not in os.environ:
        home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
        if not _writable(home):
            os.environ["MPLCONFIGDIR"] = str(Path(tempfile.gettempdir()) / "nncli-matplotlib")
    os.environ["MPLBACKEND"] = "agg"  # a nonsense value in the environment stops the import
    import matplotlib

    matplotlib.rcParams.update(
        {
            "font.family": "DejaVu Sans",  # ships inside matplotlib: the same everywhere
            "svg.fonttype": "path",
            "svg.hashsalt": "nncli",
            "axes.unicode_minus": True,
            "mathtext.fontset": "dejavusans",
        }
    )


def _writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)


def style_axes(ax: Axes, theme: Theme) -> None:
    """The house look of a pair of axes: open to the right and top, grey horizontal grid."""
    ax.set_facecolor(theme.background)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(theme.muted)
    ax.tick_params(colors=theme.muted, which="both", labelcolor=theme.muted)
    ax.grid(visible=True, axis="y", color=theme.grid, linewidth=0.9)
    ax.set_axisbelow(True)


def three_digits(value: float) -> str:
    """A number as figures show it: three significant digits, `0.0187`, `12.3`, `1.2e-07`."""
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e6:
        decimals = max(0, 2 - int(f"{value:e}".split("e")[1]))
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
