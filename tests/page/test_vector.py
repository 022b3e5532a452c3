"""Figures as small SVG: like matplotlib's own where it can be compared as text."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import asdict
from xml.etree import ElementTree

import numpy as np
import pytest

from nncli.page.pictures import _pairs, recoloured
from nncli.plots import FIGURES
from nncli.plots.architecture import FAMILIES
from nncli.plots.comparison import MOST_RUNS, draw_comparison
from nncli.plots.figure import THEMES, new_figure
from nncli.plots.labels import put
from nncli.results import StoredRun
from tests.page import runs
from tests.plots.runs import long_layers, stored

SVG = "{http://www.w3.org/2000/svg}"


def test_the_same_figure_gives_the_same_text() -> None:
    from nncli.page.vector import svg_text

    run = runs.cnn()
    for name in ("curves", "confusion"):
        kind = FIGURES[name]
        first, second = (svg_text(kind.draw(run, THEMES["dark"])) for _ in range(2))
        assert first == second
        ElementTree.fromstring(first)
        assert "<text" not in first
        buffer = io.BytesIO()
        kind.draw(run, THEMES["dark"]).savefig(buffer, format="svg")
        assert len(first) < 0.75 * len(buffer.getvalue())


def test_every_reference_is_defined() -> None:
    from nncli.page.vector import svg_text

    root = ElementTree.fromstring(
        svg_text(FIGURES["architecture"].draw(runs.transfer(), THEMES["light"]))
    )
    defined = {each.get("id") for each in root.iter() if each.get("id")}
    used = {each.get("href", "#").removeprefix("#") for each in root.iter(f"{SVG}use")}
    text = ElementTree.tostring(root, encoding="unicode")
    used |= set(re.findall(r"url\(#(\w+)\)", text))
    assert used
    assert used == defined
    assert "<ns0:pattern" in text or "<pattern" in text, "frozen layers are hatched"


def test_marks_dashes_pictures_and_turned_letters() -> None:
    from nncli.page.vector import svg_text

    figure = new_figure(4, 2, THEMES["light"])
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    ax.set_xlim(0, 4)
    ax.set_ylim(0, 2)
    ax.plot([1, 3], [0.5, 1.5], "--", color="#0072B2", linewidth=2, marker="s", alpha=0.5)
    ax.plot([0, 1, 2], [0, np.nan, 2], color="#C25500", linewidth=1)
    ax.imshow(np.zeros((3, 5, 3), np.uint8), extent=(1, 2, 0, 1), interpolation="nearest")
    ax.set_xlim(0, 4)
    ax.set_ylim(0, 2)
    put(ax, 2, 1, "$x$ gé", size=10, colour="#59636E", rotation=90)
    root = ElementTree.fromstring(svg_text(figure))
    assert root.get("viewBox") == "0 0 288 144"
    dashed = next(e for e in root.iter() if e.get("stroke-dasharray"))
    assert dashed.get("d") == "M72 108L216 36"
    assert (dashed.get("stroke"), dashed.get("stroke-width")) == ("#0072b2", "2")
    assert dashed.get("stroke-opacity") == "0.5"
    places = [(e.get("x"), e.get("y")) for e in root.iter(f"{SVG}use") if e.get("y")]
    assert places == [("72", "108"), ("216", "36")]
    (picture,) = root.iter(f"{SVG}image")
    assert (picture.get("width"), picture.get("height")) == ("5", "3")
    assert picture.get("transform") == "matrix(14.4 0 0 24 72 72)"
    (word,) = [e for e in root.iter(f"{SVG}g") if "rotate" in (e.get("transform") or "")]
    assert "rotate(-90)" in word.get("transform", "")
    assert len(word) == len("$x$ gé"), "a dollar sign is a dollar sign"


def test_formulas_are_drawn_too() -> None:
    from nncli.page.vector import svg_text

    figure = new_figure(4, 2, THEMES["light"])
    figure.text(0.1, 0.5, r"$\frac{x}{2}$", color="#0072B2")
    root = ElementTree.fromstring(svg_text(figure))
    assert any(each.get("fill") == "#0072b2" for each in root.iter())
    assert max(len(each.get("d", "")) for each in root.iter()) > 400, "letters and a line"


@pytest.mark.parametrize(
    ("value", "text"), [(3.0, "3"), (0.5, "0.5"), (-0.001, "0"), (-12.254, "-12.25"), (100, "100")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    from nncli.page.vector import _number

    assert _number(value) == text


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("curves", runs.transfer),
        ("curves", runs.diverged),
        ("curves", runs.interrupted),
        ("architecture", runs.transfer),
        ("architecture", lambda: stored(layers=long_layers(14))),
        ("forecast", runs.forecast),
    ],
)
def test_recoloured_is_exactly_what_the_dark_palette_draws(
    name: str, make: Callable[[], StoredRun]
) -> None:
    from nncli.page.vector import svg_text

    run = make()
    for narrow in (False, True):
        light, dark = (
            svg_text(FIGURES[name].draw(run, theme, narrow=narrow)) for theme in THEMES.values()
        )
        assert light != dark
        assert recoloured(light) == dark


def test_a_recoloured_comparison_is_exact_too() -> None:
    from nncli.page.vector import svg_text

    several = [runs.cnn(f"cnn-{index}", worse=1 + index / 10) for index in range(MOST_RUNS)]
    light, dark = (svg_text(draw_comparison(several, theme)) for theme in THEMES.values())
    assert recoloured(light) == dark


def test_no_light_colour_stands_for_two_dark_ones() -> None:
    pairs = _pairs()
    light, dark = asdict(THEMES["light"]), asdict(THEMES["dark"])
    for name in set(light) - {"name"}:
        assert pairs[f'"{light[name].lower()}"'] == f'"{dark[name].lower()}"'
    for one, other in FAMILIES.values():
        assert pairs[f'"{one.lower()}"'] == f'"{other.lower()}"'
