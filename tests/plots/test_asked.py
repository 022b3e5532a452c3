"""The figures of answers and of forecasts: readable in every case, and their titles true."""

from __future__ import annotations

import numpy as np
import pytest

from nncli.plots.answers import answers_finding, draw_answers
from nncli.plots.figure import LIGHT, THEMES
from nncli.plots.outlook import draw_outlook, outlook_finding
from tests.plots import runs
from tests.plots.asked import ANSWERS, OUTLOOKS, outlook, shown, without_dates
from tests.plots.readable import assert_readable, looks
from tests.plots.test_curves import texts


@pytest.mark.parametrize(("case", "theme", "narrow"), looks(ANSWERS))
@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")
def test_every_sheet_is_readable(case, theme, narrow):
    assert_readable(draw_answers(ANSWERS[case](), runs.stored(), THEMES[theme], narrow=narrow))


@pytest.mark.parametrize(("case", "theme", "narrow"), looks(OUTLOOKS))
def test_every_outlook_is_readable(case, theme, narrow):
    assert_readable(draw_outlook(OUTLOOKS[case](), runs.stored(), THEMES[theme], narrow=narrow))


def test_a_sheet_says_what_it_shows():
    some = shown(3)
    said = [some.classes[i] for i in some.probabilities.argmax(axis=1)]
    found = texts(draw_answers(some, runs.stored(), LIGHT))
    assert answers_finding(some) in found
    assert [text for text in found if text in some.classes] == said
    assert {f"photos/{i}.png" for i in range(3)} <= set(found)
    assert answers_finding(shown(24, total=100_000)) == (
        "The 24 of 100,000 images that the model is least sure about"
    )
    one = shown(1, (9, 2))
    assert answers_finding(one).endswith(" sure")


def test_an_outlook_says_where_it_goes():
    rising = outlook(3, ahead=np.array([500.0, 510, 520]), observed=np.arange(200.0))
    assert outlook_finding(rising) == "Passengers goes from 199 to 520 in 3 steps"
    peak = outlook(3, ahead=np.array([500.0, 900, 520]), observed=np.arange(200.0))
    assert outlook_finding(peak).endswith("in 3 steps; highest 900 at 1966-10")
    low = without_dates(3, 3, 9, ahead=np.array([500.0, 90, 520]))
    assert outlook_finding(low).endswith("; lowest 90.0 at +2")
    one = outlook(1, ahead=np.array([500.0]), observed=np.arange(200.0))
    assert outlook_finding(one) == "Passengers goes from 199 to 500 in the next step"
    sine = np.sin(np.linspace(0, np.pi, 21))
    assert "from 0 to" in outlook_finding(without_dates(3, 20, 21, observed=sine))


def test_the_forecast_begins_where_the_series_ends():
    asked = outlook(4, errors=2)
    figure = draw_outlook(asked, runs.stored(), LIGHT)
    (ax,) = figure.axes
    forecast = next(line for line in ax.lines if line.get_color() == LIGHT.validation)
    np.testing.assert_array_equal(forecast.get_xdata(), range(5))
    np.testing.assert_allclose(forecast.get_ydata(), [asked.observed[-1], *asked.ahead])
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 0].max() == 2  # no further than errors are known
    assert corners[:, 1].max() == pytest.approx(max(asked.ahead[:2] + asked.errors))
    assert {"observed", "forecast", "seen: 24 steps"} <= set(texts(figure))
