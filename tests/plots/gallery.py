"""Every figure of every odd case, light, dark and narrow, in one folder for people to look at.

python -m tests.plots.gallery [FIGURE ...]
"""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from matplotlib.figure import Figure

from nncli.neuron import compute
from nncli.plots.activation import draw_activation
from nncli.plots.answers import draw_answers
from nncli.plots.architecture import draw_architecture
from nncli.plots.calibration import draw_calibration
from nncli.plots.comparison import draw_comparison
from nncli.plots.confusion import draw_confusion
from nncli.plots.curves import draw_curves
from nncli.plots.figure import THEMES, Theme, save
from nncli.plots.forecast import draw_forecast
from nncli.plots.horizons import draw_horizons
from nncli.plots.neuron import draw_neuron
from nncli.plots.outlook import draw_outlook
from nncli.plots.predictions import draw_predictions
from nncli.plots.samples import draw_samples
from tests.plots import (
    runs,
    test_activation,
    test_architecture,
    test_comparison,
    test_confusion,
    test_curves,
    test_forecast,
    test_neuron,
    test_predictions,
    test_samples,
)
from tests.plots.asked import ANSWERS, OUTLOOKS
from tests.plots.evaluations import CALIBRATIONS, HORIZONS

FOLDER = Path(__file__).parents[2] / "outputs" / "gallery"
LOOKS = {
    "light": ("light", False),
    "dark": ("dark", False),
    "narrow light": ("light", True),
    "narrow dark": ("dark", True),
}


@dataclass(frozen=True)
class Exhibit:
    """One figure, and all that it is drawn of."""

    cases: Mapping[str, Any]
    """As its tests have them."""
    draw: Callable[[Any, Theme, bool], Figure]
    """Draws one of `cases`."""
    example: str
    """A case that is quick to make."""
    looks: Sequence[str] = tuple(LOOKS)


WIDE = ("light", "dark")
EXHIBITS = {
    "curves": Exhibit(
        test_curves.CASES,
        lambda case, theme, narrow: draw_curves(case(), theme, narrow=narrow),
        "100 epochs",
    ),
    "comparison": Exhibit(
        test_comparison.CASES,
        lambda case, theme, narrow: draw_comparison(case(), theme, narrow=narrow),
        "three",
    ),
    "confusion": Exhibit(
        test_confusion.CASES,
        lambda case, theme, narrow: draw_confusion(
            runs.stored(predictions=case()), theme, narrow=narrow
        ),
        "long names",
    ),
    "predictions": Exhibit(
        test_predictions.CASES,
        lambda case, theme, narrow: draw_predictions(
            runs.stored(predictions=case()), theme, narrow=narrow
        ),
        "long names",
    ),
    "forecast": Exhibit(
        test_forecast.CASES,
        lambda case, theme, narrow: draw_forecast(case(), theme, narrow=narrow),
        "sine",
    ),
    "calibration": Exhibit(
        CALIBRATIONS,
        lambda case, theme, narrow: draw_calibration(case(), theme, narrow=narrow),
        "too sure",
    ),
    "horizons": Exhibit(
        HORIZONS,
        lambda case, theme, narrow: draw_horizons(case(), theme, narrow=narrow),
        "better",
    ),
    "answers": Exhibit(
        ANSWERS,
        lambda case, theme, narrow: draw_answers(case(), runs.stored(), theme, narrow=narrow),
        "three",
    ),
    "outlook": Exhibit(
        OUTLOOKS,
        lambda case, theme, narrow: draw_outlook(case(), runs.stored(), theme, narrow=narrow),
        "two years",
    ),
    "architecture": Exhibit(
        test_architecture.CASES,
        lambda rows, theme, narrow: draw_architecture(
            runs.stored(layers=rows), theme, narrow=narrow
        ),
        "frozen base",
    ),
    "architecture expanded": Exhibit(
        test_architecture.EXPANDED,
        lambda rows, theme, narrow: draw_architecture(
            runs.stored(layers=rows), theme, narrow=narrow, expand=True
        ),
        "two inputs",
    ),
    "samples": Exhibit(
        test_samples.CASES, lambda case, theme, _: draw_samples(case(), theme), "padded", WIDE
    ),
    "activation": Exhibit(
        test_activation.CASES, lambda case, theme, _: draw_activation(*case(), theme), "gelu", WIDE
    ),
    "neuron": Exhibit(
        test_neuron.CASES, lambda case, theme, _: draw_neuron(compute(*case), theme), "lesson", WIDE
    ),
}
Picture = tuple[str, str, str]
"""A figure, a case and a look."""


def pictures(figures: Sequence[str]) -> list[Picture]:
    """All there is to draw."""
    return [
        (figure, case, look)
        for figure in figures
        for case in EXHIBITS[figure].cases
        for look in EXHIBITS[figure].looks
    ]


def drawn(picture: Picture) -> Figure:
    """The figure of `picture`."""
    figure, case, look = picture
    theme, narrow = LOOKS[look]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        return EXHIBITS[figure].draw(EXHIBITS[figure].cases[case], THEMES[theme], narrow)


def digests() -> dict[str, str]:
    """A digest of the SVG text of an example of every figure, in its first and last look."""
    found = {}
    with TemporaryDirectory() as folder:
        for name, exhibit in EXHIBITS.items():
            for look in (exhibit.looks[0], exhibit.looks[-1]):
                path = save(drawn((name, exhibit.example, look)), Path(folder) / "figure.svg")
                found[f"{name} {look}"] = sha256(path.read_bytes()).hexdigest()
    return found


def file_of(picture: Picture) -> str:
    """Where a picture lies in the gallery."""
    figure, *rest = (re.sub(r"\W+", "-", part).strip("-") for part in picture)
    return f"{figure}/{'--'.join(rest)}.png"


def index(figures: Sequence[str]) -> str:
    """The page that shows all pictures, a figure after the other and a case a row."""
    return "\n".join(_index(figures))


def _index(figures: Sequence[str]) -> Iterator[str]:
    yield '<!doctype html><html lang="en"><meta charset="utf-8"><title>nncli: gallery</title>'
    yield (
        "<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem;background:#888;color:#000}"
        "section>div{display:flex;flex-wrap:wrap;gap:8px;align-items:start;margin-bottom:1.5rem}"
        "img{zoom:.5;max-width:none}h2{position:sticky;top:0;background:#888}</style>"
    )
    yield f"<h1>{len(pictures(figures)):,} pictures</h1><nav>"
    for figure in figures:
        yield f'<a href="#{figure}">{figure}</a> '
    yield "</nav>"
    for figure in figures:
        yield f'<section id="{figure}"><h2>{figure}</h2>'
        for case in EXHIBITS[figure].cases:
            yield f"<h3>{html.escape(case)}</h3><div>"
            for look in EXHIBITS[figure].looks:
                source = html.escape(file_of((figure, case, look)))
                yield (
                    f'<img loading="lazy" src="{source}" alt="{figure}: {html.escape(case)}, '
                    f'{look}" title="{look}">'
                )
            yield "</div>"
        yield "</section>"
    yield "</html>"


def _save(picture: Picture) -> None:
    save(drawn(picture), FOLDER / file_of(picture))


def main(names: Sequence[str]) -> None:
    """Draw the figures called `names`, or all."""
    figures = list(names) or list(EXHIBITS)
    for figure in figures:
        shutil.rmtree(FOLDER / file_of((figure, "", "")).partition("/")[0], ignore_errors=True)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        done = list(pool.map(_save, pictures(figures), chunksize=8))
    (FOLDER / "index.html").write_text(index(list(EXHIBITS)), encoding="utf-8")
    sys.stdout.write(f"{len(done):,} pictures: {FOLDER / 'index.html'}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--digests"]:
        sys.stdout.write(json.dumps(digests()))
    else:
        main(sys.argv[1:])
