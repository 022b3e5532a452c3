from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nncli.errors import RunError
from nncli.plots.confusion import confusion_finding, draw_confusion
from nncli.plots.figure import LIGHT, THEMES, save
from nncli.plots.labels import percent, whole_percent
from tests.plots import runs
from tests.plots.readable import assert_readable
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


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@pytest.mark.parametrize("case", CASES)
def test_every_case_is_readable(case, theme):
    assert_readable(draw_confusion(runs.stored(predictions=CASES[case]()), theme))


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


def test_nearly_all_is_not_all():
    assert percent(0.99996) == "99.9 %"
    assert percent(1.0) == "100 %"
    assert percent(0.00001) == "<0.1 %"
    assert whole_percent(0.996) == ">99 %"
    assert whole_percent(0.004) == "<1 %"


def test_equal_input_gives_equal_bytes(tmp_path: Path):
    run = runs.stored(predictions=CASES["digits"]())
    one, two = (
        save(draw_confusion(run, LIGHT), tmp_path / f"{name}.svg").read_bytes() for name in "ab"
    )
    assert one == two


def test_no_predictions_are_refused():
    with pytest.raises(RunError, match="no predictions"):
        draw_confusion(runs.stored(), LIGHT)
