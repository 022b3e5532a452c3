"""The figures of an evaluation: readable in every case, and their titles true."""

from __future__ import annotations

import pytest

from nncli.errors import RunError
from nncli.plots.calibration import calibration_finding, draw_calibration
from nncli.plots.figure import LIGHT, THEMES
from nncli.plots.horizons import draw_horizons, horizons_finding
from tests.plots.evaluations import CALIBRATIONS, HORIZONS, by_horizon, calibrated, evaluation
from tests.plots.readable import assert_readable, looks
from tests.plots.test_curves import texts


@pytest.mark.parametrize(("case", "theme", "narrow"), looks(CALIBRATIONS))
def test_every_calibration_is_readable(case, theme, narrow):
    assert_readable(draw_calibration(CALIBRATIONS[case](), THEMES[theme], narrow=narrow))


@pytest.mark.parametrize(("case", "theme", "narrow"), looks(HORIZONS))
def test_every_horizon_is_readable(case, theme, narrow):
    assert_readable(draw_horizons(HORIZONS[case](), THEMES[theme], narrow=narrow))


def test_a_calibration_says_how_far_it_is_off():
    assert calibration_finding(calibrated([(0.9, 0.7, 1000)])) == (
        "90.0 % sure on average, 70.0 % right: too sure by 20.0 points"
    )
    assert calibration_finding(calibrated([(0.5, 0.9, 1000)])).endswith("too unsure by 40.0 points")
    told = calibration_finding(calibrated([(0.99, 0.98, 100)]))
    assert told.endswith("no further apart than 100 samples can tell")
    found = texts(draw_calibration(calibrated([(0.9, 0.7, 1000)]), LIGHT))
    assert any("expected calibration error 20.00 points" in text for text in found)


@pytest.mark.parametrize(
    ("model", "naive", "said"),
    [
        ([1, 1, 1], [2, 2, 2], "Better than repeating the last value at every horizon"),
        ([3, 3, 3], [2, 2, 2], "At no horizon better than repeating the last value"),
        ([1, 1, 3], [2, 2, 2], "Better than repeating the last value up to 2 steps ahead"),
        ([1, 3, 3], [2, 2, 2], "Better than repeating the last value up to 1 step ahead"),
        ([3, 1, 3], [2, 2, 2], "Better than repeating the last value at 1 of 3 horizons"),
    ],
)
def test_horizons_say_where_the_model_is_better(model, naive, said):
    assert horizons_finding(by_horizon(model, naive)) == said


def test_nothing_to_draw():
    with pytest.raises(RunError, match="no probabilities"):
        draw_calibration(evaluation({"horizons": {}}), LIGHT)
    with pytest.raises(RunError, match="one step ahead alone"):
        draw_horizons(by_horizon([1], [2]), LIGHT)
