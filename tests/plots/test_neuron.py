from __future__ import annotations

from typing import Any

import pytest

from nncli.activations import ACTIVATIONS
from nncli.neuron import compute
from nncli.plots.figure import THEMES, Theme
from nncli.plots.neuron import draw_neuron
from tests.plots.readable import assert_readable, visible_texts

BOTH = pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
LESSON: Any = ((2, 3, 1), (0.5, -0.3, 0.8), 0.1, "sigmoid")


def words(*neuron: Any) -> list[str]:
    return [text.get_text() for text, _ in visible_texts(draw_neuron(compute(*neuron)))]


CASES: dict[str, Any] = {
    "lesson": LESSON,
    "nothing": ((0,), (0,), 0, "linear"),
    "extremes that cancel": ((1e200,), (1e-200,), -1e-9, "hard_sigmoid"),
    "long numbers": ((-123456.789,) * 6, (-987.654321,) * 6, -5e7, "log_sigmoid"),
    "seven inputs": ((1,) * 7, (1, 2, 3, 4, 5, 6, -7), 0.5, "tanh"),
    "2000 inputs": ((1e5,) * 2000, (-1e-3,) * 2000, 12, "sparse_sigmoid"),
}


@BOTH
@pytest.mark.parametrize("case", CASES)
def test_every_neuron_is_readable(case: str, theme: Theme) -> None:
    assert_readable(draw_neuron(compute(*CASES[case]), theme))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_can_be_drawn(name: str) -> None:
    assert_readable(draw_neuron(compute((1, 2), (0.5, 0.25), -6, name)))


def test_the_lesson_with_its_numbers() -> None:
    shown = words(*LESSON)
    assert "One neuron: y = sigmoid(Σ w·x + b) = 0.731" in shown
    assert any(text.startswith("z = 2·0.5 + 3·(−0.3) + 1·0.8 + 0.1 = 1 ") for text in shown)
    assert {"+1", "−0.9", "+0.8", "bias b = +0.1", "z = 1", "0.731"} <= set(shown)
    assert "$w_{2}$ = −0.3" in shown


def test_a_sum_of_long_numbers_is_not_written_out() -> None:
    (subtitle,) = (text for text in words(*CASES["long numbers"]) if "edges" in text)
    assert subtitle.startswith("z = 6 products w·x − 5.00e+07 = 6.82e+08 ")


def test_of_many_inputs_the_largest_are_drawn_and_the_rest_summed_up() -> None:
    shown = words(range(1, 13), [1] * 12, 0, "linear")
    assert {f"$x_{{{index}}}$" for index in range(8, 13)} <= set(shown)
    assert {"7", "more", "+28"} <= set(shown)
    assert "$x_{1}$" not in shown
    assert any("the 5 largest are drawn" in text for text in shown)


def test_the_sign_shows_without_colour() -> None:
    ax = draw_neuron(compute(*LESSON)).axes[0]
    edges = [line for line in ax.lines if line.get_linewidth() > 2.5]
    assert [line.is_dashed() for line in edges] == [False, True, False]
    widths = [line.get_linewidth() for line in edges]
    assert widths[0] > widths[1] > widths[2]  # |w·x| = 1, 0.9, 0.8
