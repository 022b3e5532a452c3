from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.font_manager import FontProperties, findfont, get_font

from nncli.errors import RunError
from nncli.plots.figure import LIGHT, THEMES, save
from nncli.plots.predictions import RIGHT, WRONG, draw_predictions, predictions_finding
from tests.plots import runs
from tests.plots.readable import assert_readable
from tests.plots.test_curves import texts

LONG = ["a class name that is very long indeed", "$x^2$ costs $5", "golden retriever", "x"]


def sequences(features: int) -> np.ndarray:
    t = np.linspace(0, 6, 40)[:, None]
    waves = [np.sin(t + index + np.arange(features)) for index in range(60)]
    return np.array(waves, dtype=np.float32)


def few(samples: int):
    return runs.predictions(
        np.array([0, 1, 1][:samples]),
        np.array([[0.6, 0.4], [0.4, 0.6], [0.7, 0.3]][:samples]),
        ["no", "yes"],
        np.zeros((samples, 8, 8, 1), np.uint8),
    )


CASES = {
    "digits": runs.digits_predictions,
    "nothing wrong": lambda: runs.invented(["setosa", "iris"], 90, sharpness=30),
    "nothing right": lambda: runs.invented(["a", "b"], 20, sharpness=-30),
    "long names": lambda: runs.invented(LONG, 400, sharpness=2.5),
    "one feature": lambda: runs.invented(["up", "down"], 60, inputs=sequences(1)),
    "three features": lambda: runs.invented(["up", "down"], 60, inputs=sequences(3)),
    "ten features": lambda: runs.invented(["up", "down"], 60, inputs=sequences(10)),
    "one sample": lambda: few(1),
    "three samples": lambda: few(3),
    "flat sequences": lambda: runs.invented(["a", "b"], 9, inputs=np.zeros((9, 1, 2))),
    "tall pictures": lambda: runs.invented(
        ["a", "b"], 30, inputs=np.zeros((30, 40, 10, 3), np.uint8)
    ),
}


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@pytest.mark.parametrize("case", CASES)
def test_every_case_is_readable(case, theme):
    assert_readable(draw_predictions(runs.stored(predictions=CASES[case]()), theme))


def test_wrong_ones_stand_above_right_ones():
    predictions = runs.digits_predictions()
    wrong = int((predictions.predicted != predictions.truth).sum())
    run = runs.stored(predictions=predictions)
    title = f"{wrong} of 897 test images are wrong; the model is surest about these"
    assert predictions_finding(run) == title
    found = texts(draw_predictions(run, LIGHT))
    assert title in found
    assert sum(text.startswith(WRONG) for text in found) == 8
    assert sum(text.startswith(RIGHT) for text in found) == 8
    surest = predictions.shown[0]
    assert f"truth {predictions.classes[predictions.truth[surest]]}" in found


def test_where_nothing_is_wrong_the_least_sure_fill_two_rows():
    run = runs.stored(predictions=CASES["nothing wrong"]())
    assert predictions_finding(run) == (
        "All 90 test images are right; the model is least sure about these"
    )
    figure = draw_predictions(run, LIGHT)
    pictures = [ax for ax in figure.axes if ax.images]
    assert len(pictures) == 8
    assert len({round(ax.get_position().y0, 3) for ax in pictures}) == 2


def test_sequences_are_drawn_as_lines():
    run = runs.stored(predictions=CASES["three features"]())
    assert "test sequences" in predictions_finding(run)
    figure = draw_predictions(run, LIGHT)
    assert {len(ax.lines) for ax in figure.axes} == {0, 3}  # bars and tiles


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_the_font_has_the_marks(weight):
    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))
    assert all(font.get_char_index(ord(mark)) for mark in (RIGHT, WRONG))


def test_equal_input_gives_equal_bytes(tmp_path: Path):
    run = runs.stored(predictions=CASES["digits"]())
    one, two = (
        save(draw_predictions(run, LIGHT), tmp_path / f"{name}.svg").read_bytes() for name in "ab"
    )
    assert one == two


def test_no_predictions_are_refused():
    none = replace(few(1), shown=np.array([], dtype=np.int64))
    for run in (runs.stored(), runs.stored(predictions=none)):
        with pytest.raises(RunError, match="no predictions"):
            draw_predictions(run, LIGHT)
