from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nncli.errors import RunError
from nncli.plots.figure import LIGHT, THEMES
from nncli.plots.forecast import draw_forecast, forecast_finding
from nncli.results import StoredRun
from tests.plots import runs
from tests.plots.readable import assert_readable, looks
from tests.plots.test_curves import texts

SINE = runs.sine_run()
assert SINE.forecast is not None
TRUTH = SINE.forecast.truth


def sine(**changes: Any) -> StoredRun:
    assert SINE.forecast is not None
    return replace(SINE, forecast=replace(SINE.forecast, **changes))


def off_by(share: float) -> StoredRun:
    """A forecast whose error is `share` of that of repeating the last value."""
    assert SINE.forecast is not None
    error = share * np.abs(SINE.forecast.persistence - TRUTH).mean()
    return sine(one_step=TRUTH + error)


ONE = dict.fromkeys(("truth", "one_step", "free_running", "persistence"), TRUTH[:1] + 0.1)
CASES = {
    "sine": lambda: SINE,
    "100 steps": lambda: runs.sine_run(100, noise=0.15),
    "sunspots": runs.sunspot_run,
    "long window": lambda: runs.sine_run(20, 200),
    "short window": lambda: runs.sine_run(200, 10),
    "worse": lambda: sine(one_step=TRUTH + 0.4),
    "explodes": lambda: sine(free_running=TRUTH * 3.0 ** np.arange(20)),
    "one step": lambda: sine(**ONE),
    "no number": lambda: sine(one_step=TRUTH * np.nan, free_running=TRUTH * np.nan),
    "constant": lambda: sine(
        seen=TRUTH * 0 + 5, truth=TRUTH * 0 + 5, one_step=TRUTH * 0 + 5.1,
        free_running=TRUTH * 0 + 5.2, persistence=TRUTH * 0 + 5,
    ),
    "large numbers": lambda: sine(
        **dict.fromkeys(("seen", *ONE), 10000000.0 + 1000000.0 * TRUTH), name="$ a year " * 20
    ),
    "other columns": lambda: sine(free_running=TRUTH[:0]),
    "free run ends": lambda: sine(free_running=TRUTH[:5] + 0.1),
    "long labels": lambda: sine(labels=tuple(f"a long\nlabel {i}" for i in range(20))),
}  # fmt: skip


@pytest.mark.parametrize(("case", "theme", "narrow"), looks(CASES))
def test_every_case_is_readable(case, theme, narrow):
    assert_readable(draw_forecast(CASES[case](), THEMES[theme], narrow=narrow))


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.69, ", 31 % below repeating the last value"),
        (1.08, ", 8 % above repeating the last value"),
        (1.0, ", the same as repeating the last value"),
        (3.0, ", 3.00 times that of repeating the last value"),
        (0.001, ", >99 % below repeating the last value"),
    ],
)
def test_the_title_compares_honestly(share, words):
    run = off_by(share)
    assert forecast_finding(run).startswith("One step ahead the error is ")
    assert forecast_finding(run).endswith(words)
    assert forecast_finding(run) in texts(draw_forecast(run, LIGHT))


def test_no_comparison_where_there_is_none():
    assert "is exact" in forecast_finding(CASES["constant"]())
    assert "not a number" in forecast_finding(CASES["no number"]())


def test_lines_are_named():
    found = texts(draw_forecast(SINE, LIGHT))
    assert {"truth", "one step ahead", "free running", "seen: 20 steps", "Absolute error"} <= set(
        found
    )


def test_without_a_free_run_nothing_is_said_of_one():
    found = texts(draw_forecast(CASES["other columns"](), LIGHT))
    assert {"truth", "one step ahead", "Absolute error"} <= set(found)
    assert not [text for text in found if "free" in text or "not a number" in text]


def test_a_free_run_shorter_than_the_test_part_is_measured_over_its_own_steps():
    found = texts(draw_forecast(CASES["free run ends"](), LIGHT))
    assert any("free running for 5 steps 0.1" in text for text in found)


def test_a_long_test_part_is_cut_and_says_so():
    run = runs.sunspot_run()
    figure = draw_forecast(run, LIGHT)
    found = texts(figure)
    assert any("the first 240 of 560 test steps; numbers are of all" in text for text in found)
    assert "1970-01" in found
    assert run.forecast is not None
    mean = np.abs(run.forecast.one_step - run.forecast.truth).mean()
    assert f"mean {mean:.1f}" in found


def test_an_exploding_free_run_does_not_flatten_the_rest():
    figure = draw_forecast(CASES["explodes"](), LIGHT)
    low, high = figure.axes[0].get_ylim()
    assert -3 < low < high < 3
    assert any("leaves the picture" in text for text in texts(figure))
    assert "free running ↑" in texts(figure)


def test_a_free_run_that_ends_early_is_tied_to_its_name():
    figure = draw_forecast(CASES["free run ends"](), LIGHT)
    assert [4, 19] in [list(line.get_xdata()) for line in figure.axes[0].lines]


def test_a_narrow_figure_shows_fewer_steps():
    found = texts(draw_forecast(runs.sunspot_run(), LIGHT, narrow=True))
    assert any("the first 80 of 560 test steps" in text for text in found)
    assert {"truth", "one step ahead", "free running", "Absolute error"} <= set(found)
    assert {"1970-01", "1973-05"} <= set(found)


def test_no_forecast_is_refused():
    with pytest.raises(RunError, match="no forecast"):
        draw_forecast(runs.stored(), LIGHT)
