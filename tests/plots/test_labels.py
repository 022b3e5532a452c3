"""Words in figures: cleaned, fitted and broken where they may be."""

from __future__ import annotations

import warnings
from itertools import pairwise

import pytest
from matplotlib.figure import Figure

from nncli.plots.figure import LIGHT, SANS, families, new_figure
from nncli.plots.labels import (
    clean,
    fitting_step_ticks,
    fold,
    put,
    renderer_of,
    set_ticks,
    text_width,
    wrap,
)

HOSTILE = "a\nb\tc\x1b[31m\u202ed\u2028e\ud800"


def test_what_cannot_be_drawn_is_not():
    figure = new_figure(4, 4, LIGHT)
    ax = figure.add_axes((0.2, 0.2, 0.6, 0.6))
    assert clean(HOSTILE) == "a b c [31md e\ufffd"
    assert put(figure, 0, 0, HOSTILE, size=9, colour="red").get_text() == "a b c [31md e\ufffd"
    set_ticks(ax, "x", [0], [HOSTILE])
    assert ax.get_xticklabels()[0].get_text() == "a b c [31md e\ufffd"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert text_width(HOSTILE, 9) == text_width("a b c [31md e\ufffd", 9)
        figure.draw_without_rendering()


def test_another_font_is_asked_only_for_letters_that_the_first_lacks():
    assert families("plain") == families("größer · ×") == families("кошка ✓") == [SANS]
    assert families("𝒜") == [SANS, *families("猫")[1:]]
    assert "STIXGeneral" in families("𝒜")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a glyph that is missing
        assert text_width("𝒜", 9) > 0


def test_no_line_begins_with_a_percent_sign():
    text = "the error is 50 % below"
    for width in (0.3, 0.6, 0.9, 1.2, 1.5):
        lines = wrap(text, width, 10)
        assert not any(line.startswith("%") for line in lines)
        assert all(text_width(line, 10) <= width for line in lines)
    assert " ".join(wrap(text, 0.6, 10)) == text


def test_names_shrink_a_little_then_take_two_lines_then_are_cut():
    whole = text_width("golden retriever", 11)
    assert fold(["golden retriever", "x"], whole, 11, 8) == [
        (11, ["golden retriever"]),
        (11, ["x"]),
    ]
    ((size, lines), _) = fold(["golden retriever", "x"], 0.9 * whole, 11, 8)
    assert 8 < size < 11
    assert lines == ["golden retriever"]
    ((size, lines), other) = fold(["golden retriever", "x"], 0.6 * whole, 11, 8)
    assert (size, lines, other) == (11, ["golden", "retriever"], (11, ["x"]))
    hopeless = "golden retriever " * 5
    ((size, lines), other) = fold([hopeless, "x"], 0.6 * whole, 11, 8)
    assert size == 8
    assert len(lines) == 2
    assert "…" in lines[1]
    assert all(text_width(line, 8) <= 0.6 * whole for line in lines)
    assert other == (11, ["x"])


@pytest.mark.parametrize("width", [0.8, 1.5, 3, 6])
@pytest.mark.parametrize("last", [1, 2, 9, 25, 100, 5_000, 1_000_000])
def test_ticks_leave_room_for_their_labels(last, width):
    ticks = fitting_step_ticks(1, last, width)
    assert (ticks[0], ticks[-1]) == (1, last)
    if len(ticks) > 2:
        for a, b in pairwise(ticks):
            room = (b - a) / (last - 1) * width
            assert room > (text_width(f"{a:,}", 10) + text_width(f"{b:,}", 10)) / 2


def test_a_figure_has_one_renderer_for_all_its_texts() -> None:
    figure = Figure(figsize=(8, 5))
    renderer = renderer_of(figure)  # of 4 bytes for each of its pixels
    assert renderer_of(figure) is renderer
    assert renderer_of(Figure()) is not renderer
    figure.set_dpi(2 * figure.dpi)
    assert renderer_of(figure).width == 2 * renderer.width
