"""The page in a real Chromium: silent, without a request, readable everywhere and by everybody."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import pytest

from nncli.plots import FIGURES
from nncli.plots.figure import THEMES
from tests.page import runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from playwright.sync_api import Browser, Page

WIDE, PHONE = (1280, "light"), (390, "dark")
PAGES = {
    "cnn": (WIDE, PHONE),
    "forecast": (WIDE,),
    "transfer": (PHONE,),
    "diverged": (WIDE,),
    "hostile": (PHONE,),
    "comparison": (WIDE, PHONE),
}
"""The screens on which each is looked at by axe, which takes its time."""
Opened = tuple["Page", str, list[str]]
SCREENS = ((360, "light"), (390, "dark"), (768, "light"), (1280, "dark"), (1280, "light"))
IMAGES = """() => [...document.images].map(image => ({
    width: image.naturalWidth, place: image.getBoundingClientRect().width,
    theme: image.parentElement.className, narrow: image.currentSrc !== image.src
}))"""
BACKGROUND = "() => getComputedStyle(document.documentElement).backgroundColor"
TWO_FRAMES = """() => new Promise(
    done => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module", params=list(PAGES))
def opened(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    """A page of each kind with all its details open, and all that it said or asked for."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(runs.page(request.param).html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    heard: list[str] = []
    page.on("console", lambda message: heard.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: heard.append(f"error: {error}"))
    page.on("dialog", lambda dialog: heard.append(f"dialog: {dialog.message}"))
    page.on("request", lambda asked: heard.append(f"request: {asked.url[:200]}"))
    page.goto(path.as_uri())
    page.evaluate("() => document.querySelectorAll('details').forEach(each => each.open = true)")
    yield page, request.param, heard
    page.close()


def look(page: Page, width: int, scheme: Any = "light", media: Any = "screen") -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, media=media)
    page.evaluate(TWO_FRAMES)  # only then does an image know that another source is its
    page.wait_for_function("() => [...document.images].every(image => image.complete)")


def rgb(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def test_it_is_silent_and_fits_every_screen(opened: Opened) -> None:
    page, _, heard = opened
    for width, scheme in SCREENS:
        look(page, width, scheme)
        assert page.evaluate(SIDEWAYS) == 0, f"scrolls sideways at {width}"
        assert page.evaluate(BACKGROUND) == rgb(THEMES[scheme].background)
        images = page.evaluate(IMAGES)
        assert {image["theme"] for image in images} == set(THEMES)
        for image in images:
            assert image["width"] > 0, "a broken picture"
            assert (image["place"] > 0) == (image["theme"] == scheme), "the other palette is seen"
            assert image["place"] <= width
            assert image["narrow"] == (width <= 640)
            assert not image["narrow"] or image["width"] < 500
    asked = [said for said in heard if not said.startswith("request: data:")]
    assert asked == [f"request: {page.url[:200]}"]


def test_paper_gets_the_light_page(opened: Opened) -> None:
    page, _, _ = opened
    look(page, 390, "dark", "print")
    assert page.evaluate(BACKGROUND) == rgb(THEMES["light"].background)
    seen = {image["theme"] for image in page.evaluate(IMAGES) if image["place"]}
    assert seen == {"light"}
    paper = page.pdf(format="A4", print_background=True)
    assert paper.startswith(b"%PDF")
    assert len(paper) > 20_000


def test_it_is_accessible(opened: Opened) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page, kind, _ = opened
    for width, scheme in PAGES[kind]:
        look(page, width, scheme)
        results = axe.run(page, options={"resultTypes": ["violations", "incomplete"]})
        assert results.violations_count == 0, results.generate_report()
        unsure = {rule["id"] for rule in results.response["incomplete"]}
        assert unsure <= {"color-contrast"}, "of cells that a table has to be scrolled to"


def test_its_figures_look_as_matplotlib_draws_them(browser: Browser) -> None:
    from nncli.page.vector import svg_text

    page = browser.new_page(viewport={"width": 1100, "height": 900})
    run = replace(runs.transfer(), predictions=runs.cnn().predictions)
    for name in ("curves", "architecture", "predictions"):
        seen = []
        for draw in (_own_svg, svg_text):
            encoded = base64.b64encode(draw(FIGURES[name].draw(run, THEMES["light"])).encode())
            page.set_content(f'<img src="data:image/svg+xml;base64,{encoded.decode()}">')
            page.wait_for_function("() => document.images[0].naturalWidth")
            shot = PIL.Image.open(io.BytesIO(page.screenshot())).convert("L")
            seen.append(np.asarray(shot, dtype=float))
        difference = np.abs(seen[0] - seen[1])
        assert seen[0].std() > 5, "nothing is drawn"
        assert difference.mean() < 0.06, name
        blocks = difference[:896, :1096].reshape(112, 8, 137, 8).mean(axis=(1, 3))
        assert blocks.max() < 10, f"{name} differs around {np.argwhere(blocks >= 10)[:3] * 8}"
    page.close()


def _own_svg(figure: Figure) -> str:
    for axes in figure.axes:
        for image in axes.images:
            image.set_interpolation("none")  # type: ignore[attr-defined]
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", facecolor=figure.get_facecolor())
    return buffer.getvalue()
