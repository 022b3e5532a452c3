"""A run, or several compared, as one HTML page that needs nothing but itself.

Importing this imports neither Jinja nor matplotlib; the first page does.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncli.errors import reason_of
from nncli.files import write_text
from nncli.page import facts, tables
from nncli.page.pictures import PHONE, Picture, picture
from nncli.plots import FIGURES, figures_of
from nncli.plots.figure import THEMES, Theme
from nncli.plots.labels import clean
from nncli.results import FailedFigure, SavedFigure, StoredRun

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.figure import Figure

__all__ = ["Page", "render", "save"]

MOST_EPOCHS_IN_TABLE = 500
"""With more, the epochs are one text of commas instead: all numbers stay, the page stays small."""
_JOINERS = "\u200c\u200d"
"""Invisible letters that some scripts and emoji are written with."""


@dataclass(frozen=True)
class Page:
    """A rendered page."""

    html: str
    title: str
    """The finding."""
    failed: Mapping[str, str]
    """Figures that could not be drawn, with the reason; the page says so in their place."""


def render(runs: Sequence[StoredRun]) -> Page:
    """The page of the first of `runs`, with all of them compared where they are several.

    Raises:
        UsageError: the runs learn different tasks and cannot be compared.
    """
    with _old_objects_left_alone():
        return _rendered(runs)


def save(run: StoredRun, path: Path) -> SavedFigure | FailedFigure:
    """Write the page of a run that has just ended; a failure is told, not raised."""
    try:
        page = render([run])
        write_text(path, page.html)
        return SavedFigure("report", path, page.title, "all of it on one page")
    except Exception as error:  # whatever it is, it must not cost the run
        return FailedFigure("report", reason_of(error))


def _rendered(runs: Sequence[StoredRun]) -> Page:
    run = runs[0]
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    pictures = {name: _picture(run, name) for name in figures_of(run)}
    baselines = tables.baselines(run)
    sections = {
        "training": "Training" if "curves" in pictures else "",
        "errors": _errors_heading(pictures),
        "model": "Model" if "architecture" in pictures else "",
        "baselines": "Baselines" if baselines is not None else "",
        "compare": "Compare runs" if len(runs) > 1 else "",
        "reproduce": "Reproduce",
    }
    title = f"{clean(run.name)}: {facts.headline(run)}"
    comparison = _comparison(runs) if len(runs) > 1 else None
    remarks = facts.remarks(run)
    if comparison:
        remarks.insert(0, facts.Remark("compared", comparison["finding"]))
    html = _template().render(
        run=run,
        style=style,
        digest=digest,
        sections={name: heading for name, heading in sections.items() if heading},
        title=title,
        circumstances=facts.circumstances(run),
        tiles=facts.tiles(run),
        remarks=remarks,
        pictures=pictures,
        layers=tables.layers(run),
        classes=tables.classes(run),
        baselines=baselines,
        comparison=comparison,
        command=run.run.get("command"),
        config=tables.config_text(run.config),
        epochs=tables.epochs(run),
        as_table=len(run.history) <= MOST_EPOCHS_IN_TABLE,
    )
    drawn = [*pictures.values(), *([comparison["picture"]] if comparison else [])]
    return Page(html, title, {each.name: each.failed for each in drawn if each.failed})


@contextmanager
def _old_objects_left_alone() -> Iterator[None]:
    """Let the garbage collector look at new objects alone.

    Figures leave much garbage; after a training each collection would go through all objects of
    TensorFlow too, and a third of the time would be spent on that.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _errors_heading(pictures: Collection[str]) -> str:
    if "forecast" in pictures:
        return "Forecast of the test part"
    return "Errors on the test part" if "confusion" in pictures else ""


def _picture(run: StoredRun, name: str) -> Picture:
    kind = FIGURES[name]

    def draw(theme: Theme, narrow: bool) -> Figure:
        return kind.draw(run, theme, narrow=narrow)

    return picture(name, draw, partial(kind.finding, run))


def _comparison(runs: Sequence[StoredRun]) -> dict[str, Any]:
    """The figure and the tables of the section that compares."""
    from nncli.plots.comparison import comparison_finding, draw_comparison

    def draw(theme: Theme, narrow: bool) -> Figure:
        return draw_comparison(runs, theme, narrow=narrow)

    finding = comparison_finding(runs)
    return {
        "finding": finding,
        "picture": picture("comparison", draw, lambda: finding),
        "table": tables.comparison(runs),
        "settings": tables.settings(runs),
    }


@cache
def _template() -> Template:
    """The page's template; every text that goes into it is escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_file),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["phone"] = PHONE
    environment.filters["commas"] = tables.commas
    return environment.get_template("report.html")


def _file(name: str) -> str:
    return files("nncli.page").joinpath("templates", name).read_text(encoding="utf-8")


def _style() -> str:
    """The style sheet, its colours those of the figures."""
    light, dark = (
        "".join(
            f"--{name}: {getattr(theme, name)}; "
            for name in ("background", "text", "muted", "grid", "shade")
        )
        + f"--link: {theme.train}; --good: {theme.right}; --bad: {theme.wrong};"
        for theme in (THEMES["light"], THEMES["dark"])
    )
    return (
        f":root {{ {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        + _file("report.css").replace("PHONE", PHONE)
    )


def _harmless(value: Any) -> Any:
    """A text without what HTML has no place for, or what would reorder the letters around it."""
    if not isinstance(value, str) or hasattr(value, "__html__") or value.isprintable():
        return value
    return "".join(
        "\ufffd"
        if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Cn"} and sign not in "\n\t" + _JOINERS
        else sign
        for sign in value
    )
