from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.font_manager import FontProperties, findfont, get_font

from nncli.errors import RunError
from nncli.plots.figure import LIGHT, THEMES
from nncli.plots.predictions import RIGHT, WRONG, draw_predictions, predictions_finding
from tests.plots import runs
from tests.plots.readable import assert_readable, looks
from tests.plots.test_curves import texts

CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
LONG = ["a class name that is very long indeed", "$x^2$ costs $5", "golden retriever", "x"]


def sequences(features: int) -> np.ndarray:
    t = np.linspace(0, 6, 40)[:, None]
    waves = [np.sin(t + index + np.arange(features)) for index in range(60)]
    return np.array(waves, dtype=np.float32)


def padded(features: int) -> np.ndarray:
    waves = sequences(features)
    waves[::2, 20:] = np.nan
    return waves


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
    "padded": lambda: runs.invented(["a", "b"], 60, inputs=padded(4)),
    "cifar": lambda: runs.invented(CIFAR, 500, sharpness=2.5),
    "1000 steps": lambda: runs.invented(["a", "b"], 60, inputs=np.zeros((60, 1000, 20))),
    "tall pictures": lambda: runs.invented(
        ["a", "b"], 30, inputs=np.zeros((30, 40, 10, 3), np.uint8)
    ),
}


@pytest.mark.parametrize(("case", "theme", "narrow"), looks(CASES))
def test_every_case_is_readable(case, theme, narrow):
    assert_readable(
        draw_predictions(runs.stored(predictions=CASES[case]()), THEMES[theme], narrow=narrow)
    )


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
    (ax,) = figure.axes
    assert len(ax.images) == 8
    assert len({round(image.get_extent()[3], 3) for image in ax.images}) == 2


def test_one_sample_is_spoken_of_as_one():
    run = runs.stored(predictions=few(1))
    assert predictions_finding(run) == "The only test image is right"


def test_sequences_are_drawn_as_lines():
    run = runs.stored(predictions=CASES["three features"]())
    assert "test sequences" in predictions_finding(run)
    (ax,) = draw_predictions(run, LIGHT).axes
    assert not ax.images
    assert len(ax.lines) == 3  # each in all tiles
    shown = len(run.predictions.shown)
    assert all(np.isnan(line.get_ydata()).sum() == shown for line in ax.lines)


@pytest.mark.parametrize("theme", THEMES)
def test_many_features_are_a_picture_with_a_row_each(theme):
    predictions = CASES["ten features"]()
    figure = draw_predictions(runs.stored(predictions=predictions), THEMES[theme])
    (ax,) = figure.axes
    assert len(ax.images) == len(predictions.shown)
    values = predictions.inputs[0].T
    shown = ax.images[0].get_array().astype(int).sum(axis=2)
    assert shown.shape == (10, 40)
    highest, lowest = values.argmax(), values.argmin()
    assert (shown.flat[highest] < shown.flat[lowest]) == (theme == "light")
    strong = "dark" if theme == "light" else "bright"
    assert any(f"a row each, {strong} where they are high" in text for text in texts(figure))


def test_a_name_takes_two_lines_before_it_is_cut():
    names = ["automobile", "greenhouse whitefly", "an exceedingly long name of a class indeed"]
    run = runs.stored(predictions=runs.invented(names, 200, sharpness=1.5))
    for narrow in (False, True):
        found = " ".join(texts(draw_predictions(run, LIGHT, narrow=narrow)))
        assert "automobile" in found
        assert "greenhouse whitefly" in found
        assert "eed" in found


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_the_font_has_the_marks(weight):
    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))
    assert all(font.get_char_index(ord(mark)) for mark in (RIGHT, WRONG))


def test_no_predictions_are_refused():
    none = replace(few(1), shown=np.array([], dtype=np.int64))
    for run in (runs.stored(), runs.stored(predictions=none)):
        with pytest.raises(RunError, match="no predictions"):
            draw_predictions(run, LIGHT)
