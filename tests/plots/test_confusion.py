from __future__ import annotations

import numpy as np
import pytest

from nncli.errors import RunError
from nncli.plots.confusion import confusion_finding, draw_confusion
from nncli.plots.figure import LIGHT, THEMES
from nncli.plots.labels import percent, whole_percent
from tests.plots import runs
from tests.plots.readable import assert_readable, looks
from tests.plots.test_curves import texts

LONG = ["a class name that is very long indeed", "$x^2$ costs $5", "golden\nretriever", "x"]
CASES = {
    "digits": runs.digits_predictions,
    "2 classes": lambda: runs.invented(["cat", "dog"], 300, sharpness=1.5),
    "perfect": lambda: runs.invented(["setosa", "versicolor", "virginica"], 90, sharpness=30),
    "nothing right": lambda: runs.invented(["a", "b"], 20, sharpness=-30),
    "long names": lambda: runs.invented(LONG, 400, sharpness=2.5),
    "large counts": lambda: runs.invented([str(i) for i in range(4)], 300_000),
    "20 classes": lambda: runs.invented([f"class {i}" for i in range(20)], 3000),
    "21 classes": lambda: runs.invented([f"class {i}" for i in range(21)], 3000),
    "60 classes": lambda: runs.invented([f"a long name {i}" for i in range(60)], 4000),
    "30 perfect": lambda: runs.invented([f"{i}" for i in range(30)], 2000, sharpness=40),
    "absent class": lambda: runs.predictions(
        np.array([0, 1, 1]),
        np.array([[0.6, 0.4, 0], [0.4, 0.6, 0], [0.7, 0.3, 0]]),
        ["no", "yes", "maybe"],
        np.zeros((3, 8, 8, 1), np.uint8),
    ),
}


@pytest.mark.parametrize(("case", "theme", "narrow"), looks(CASES))
def test_every_case_is_readable(case, theme, narrow):
    assert_readable(
        draw_confusion(runs.stored(predictions=CASES[case]()), THEMES[theme], narrow=narrow)
    )


def test_title_counts_and_worst_confusion():
    predictions = runs.digits_predictions()
    right = int((predictions.predicted == predictions.truth).sum())
    run = runs.stored(predictions=predictions)
    assert confusion_finding(run) == f"{right / 897 * 100:.1f} % correct ({right} of 897)"
    found = texts(draw_confusion(run, LIGHT))
    assert confusion_finding(run) in found
    assert any("most frequent confusion: 1 read as 8" in text for text in found)
    assert {"recall", "true class", "predicted class"} <= set(found)
    assert sum(text.endswith(" lowest") for text in found) == 1


def test_a_perfect_result():
    run = runs.stored(predictions=CASES["perfect"]())
    assert confusion_finding(run) == "100 % correct (90 of 90)"
    found = texts(draw_confusion(run, LIGHT))
    assert any(text.startswith("no confusions") for text in found)
    assert not any("lowest" in text for text in found)


def test_many_classes_list_the_confusions_instead_of_numbers():
    found = texts(draw_confusion(runs.stored(predictions=CASES["60 classes"]()), LIGHT))
    assert {"Most frequent confusions", "Lowest recall"} <= set(found)
    assert sum(" read as " in text for text in found) == 9  # eight listed, one in the context


def test_of_many_perfect_classes_none_is_the_lowest():
    found = texts(draw_confusion(runs.stored(predictions=CASES["30 perfect"]()), LIGHT))
    assert {"Recall", "every class", "100 %"} <= set(found)
    assert "Lowest recall" not in found


def test_the_scale_of_the_errors_is_told():
    found = " ".join(texts(draw_confusion(runs.stored(predictions=CASES["large counts"]()), LIGHT)))
    assert "errors on a scale of their own (strongest: 1 %)" in found


def test_a_narrow_matrix_marks_the_lowest_recall_and_lists_below():
    found = texts(draw_confusion(runs.stored(predictions=CASES["digits"]()), LIGHT, narrow=True))
    assert sum(text.endswith(" ▾") for text in found) == 1
    assert "recall (▾ lowest)" in found
    figure = draw_confusion(runs.stored(predictions=CASES["20 classes"]()), LIGHT, narrow=True)
    places = {text.get_text(): text.get_position()[1] for text in figure.axes[0].texts}
    assert places["predicted class"] < places["Most frequent confusions"] < places["Lowest recall"]


def test_nearly_all_is_not_all():
    assert percent(0.99996) == "99.9 %"
    assert percent(1.0) == "100 %"
    assert percent(0.00001) == "<0.1 %"
    assert whole_percent(0.996) == ">99 %"
    assert whole_percent(0.004) == "<1 %"


def test_no_predictions_are_refused():
    with pytest.raises(RunError, match="no predictions"):
        draw_confusion(runs.stored(), LIGHT)
