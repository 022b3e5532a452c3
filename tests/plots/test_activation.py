from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from nncli.activations import ACTIVATIONS, Activation, get, get_all
from nncli.errors import UsageError
from nncli.plots.activation import _covered, draw_activation
from nncli.plots.figure import MORE_COLOURS, THEMES, Theme
from nncli.plots.labels import spread
from tests.plots.readable import assert_readable, contrast, visible_texts

Case = tuple[Sequence[Activation], float, float, int, bool]
BOTH = pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))


def words(names: Sequence[str], **options: object) -> list[str]:
    settings = {"low": -5, "high": 5, "points": 500, "derivative": True, **options}
    figure = draw_activation(get_all(names), **settings)  # type: ignore[arg-type]
    return [text.get_text() for text, _ in visible_texts(figure)]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_is_readable_and_says_what_it_is(name: str) -> None:
    row = get(name)
    figure = draw_activation([row], -5, 5, 500, True)
    assert_readable(figure)
    shown = [text.get_text() for text, _ in visible_texts(figure)]
    assert row.formula in shown
    assert f"output range {row.output_range}" in shown
    assert {"f(x)", "slope f′(x)"} <= set(shown)
    assert not figure.axes[0].get_legend()


def one(name: str, low: float, high: float, points: int, derivative: bool = True) -> Case:
    return [get(name)], low, high, points, derivative


def several(count: int, derivative: bool) -> Case:
    return list(ACTIVATIONS.values())[:count], -5, 5, 200, derivative


ODD: dict[str, Callable[[], Case]] = {
    "relu without slope": lambda: one("relu", -5, 5, 500, False),
    "relu beside its kink": lambda: one("relu", 1, 2, 50),
    "relu6 of millions": lambda: one("relu6", -1e6, 1e6, 1000),
    "sigmoid of little": lambda: one("sigmoid", -1e-5, 1e-5, 50),
    "exponential of thousands": lambda: one("exponential", -1000, 1000, 500),
    "exponential beyond numbers": lambda: one("exponential", 800, 900, 500),
    "squareplus of 2 points": lambda: one("squareplus", -5, 5, 2),
    "hard_shrink where it is zero": lambda: one("hard_shrink", -0.5, 0.5, 11),
    "sigmoid where it is one": lambda: one("sigmoid", 1000, 1010, 11),
}
COMPARED: dict[str, Callable[[], Case]] = {
    f"{count} {'with' if derivative else 'without'} slopes": partial(several, count, derivative)
    for count in (2, 3, 8, 12, len(ACTIVATIONS))
    for derivative in (True, False)
}
CASES = {
    **{name: partial(one, name, -5, 5, 500) for name in ACTIVATIONS},
    **ODD,
    **COMPARED,
}


@BOTH
@pytest.mark.parametrize("case", ODD)
def test_odd_ranges_are_readable(case: str, theme: Theme) -> None:
    assert_readable(draw_activation(*ODD[case](), theme))


@BOTH
@pytest.mark.parametrize("case", COMPARED)
def test_comparisons_are_readable(case: str, theme: Theme) -> None:
    figure = draw_activation(*COMPARED[case](), theme)
    assert_readable(figure)
    assert len(figure.axes) == (2 if "with slopes" in case else 1)


def test_the_finding_of_a_comparison_is_its_title() -> None:
    shown = words(["sigmoid", "tanh", "relu"])
    assert "3 activations compared" in shown
    assert "largest slope from −5 to 5: tanh 1 · relu 1 · sigmoid 0.25" in shown


def test_a_curve_that_dwarfs_the_others_leaves_at_the_top() -> None:
    shown = words(["sigmoid", "exponential"], derivative=False)
    assert "exponential ↑" in shown


def test_lines_of_a_comparison_differ_without_colour() -> None:
    rows = list(ACTIVATIONS.values())[:8]
    figure = draw_activation(rows, -5, 5, 200, False)
    dashes = {line.get_linestyle() + str(line._unscaled_dash_pattern) for line in _ends(figure)}
    assert len(dashes) == 8


def _ends(figure: object) -> list[object]:
    ax = figure.axes[0]  # type: ignore[attr-defined]
    return [line for line in ax.lines if line.get_transform() == ax.transAxes]


def test_what_matters_is_marked() -> None:
    assert "minimum (−0.752, −0.17)" in words(["gelu"])
    assert "steepest: slope 0.25 at 0" in words(["sigmoid"])
    assert "(0, 0.5)" in words(["sigmoid"])
    assert "kink at 0: slope 0 → 1" in words(["relu"])
    assert "jump at 1: 0 → 1" in words(["threshold"])
    assert "slope 0: a unit stuck\nhere stops learning" in words(["relu"])
    assert sum("below 0.05" in text for text in words(["sigmoid"])) == 2


def test_without_the_derivative_nothing_speaks_of_slopes() -> None:
    note = get("selu").note
    shown = [text for text in words(["selu"], derivative=False) if note not in text]
    assert not [text for text in shown if "slope" in text]


def test_no_line_is_drawn_across_a_jump() -> None:
    figure = draw_activation([get("threshold")], -2, 3, 6, True)
    for line in figure.axes[0].lines:
        x, y = (np.asarray(values, dtype=float) for values in line.get_data())
        if len(x) > 2:
            assert not ((x[:-1] < 1) & (x[1:] > 1) & (np.abs(np.diff(y)) > 0.9)).any()


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(UsageError, match="is empty"):
        draw_activation([get("relu")], 5, -5, 500, True)


@BOTH
def test_the_colours_of_a_comparison_can_be_read(theme: Theme) -> None:
    for colour in MORE_COLOURS[theme.name]:
        assert contrast(colour, theme.background) >= 4.5


@pytest.mark.parametrize("wanted", [[0.5], [0.5, 0.5, 0.5], [0, 0, 1, 1], [0.9, 0.95, 0.1]])
def test_labels_are_pushed_apart_in_their_order(wanted: list[float]) -> None:
    places = spread(wanted, 0.1, 0.0, 1.0)
    ordered = sorted(places)
    assert all(b - a >= 0.1 - 1e-9 for a, b in pairwise(ordered))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    for one, one_place in zip(wanted, places, strict=True):
        for other, other_place in zip(wanted, places, strict=True):
            if one < other:
                assert one_place < other_place


def test_points_under_a_box_are_counted_one_by_one() -> None:
    rng = np.random.default_rng(0)
    ink, x, y = rng.random((300, 2)) * 90, np.linspace(0, 90, 7), np.linspace(10, 80, 5)
    ink[:5] = [[x[3] + 12, y[2]], [x[3], y[2] + 7.5], *([x[3], y[2]],) * 3]  # two on its edges
    half = np.array([12.0, 7.5])
    found = _covered(ink, x, y, half)
    for column, row in np.ndindex(7, 5):
        inside = [
            abs(a - x[column]) < half[0] and abs(b - y[row]) < half[1] for a, b in ink.tolist()
        ]
        assert found[column, row] == sum(inside)
    assert found.dtype == np.float64
    assert found[3, 2] >= 3
