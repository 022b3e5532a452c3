from __future__ import annotations

from pathlib import Path

import pytest

from nncli.errors import RunError
from nncli.plots.architecture import FAMILIES, architecture_finding, draw_architecture
from nncli.plots.figure import LIGHT, THEMES, save
from nncli.results import LayerRow
from tests.plots import runs
from tests.plots.readable import assert_readable, contrast
from tests.plots.test_curves import texts

HOSTILE = runs.row("$name$_{" * 20, "AVeryLongClassName" * 8, "$x$ " * 60, (None, 10**9) * 3, 7)
CASES: dict[str, tuple[LayerRow, ...]] = {
    "cnn": runs.cnn_layers(),
    "frozen base": runs.vgg_layers(),
    "partly trained base": runs.vgg_layers(7_079_424),
    "one layer": runs.cnn_layers()[-1:],
    "no parameters": runs.cnn_layers()[:1],
    "15 layers": runs.long_layers(15),
    "scalar output": (runs.row("mean", "Mean", "", (), family="unheard of"),),
    "hostile": (HOSTILE, *runs.cnn_layers()),
}


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@pytest.mark.parametrize("case", CASES)
def test_every_case_is_readable(case, theme):
    assert_readable(draw_architecture(runs.stored(layers=CASES[case]), theme))


def test_cards_say_what_matters():
    found = texts(draw_architecture(runs.stored(), LIGHT))
    assert "CNN on digits: 225,034 parameters, 91 % of them in dense" in found
    for expected in ("Conv2D", "conv2d_1", "32 filters 3×3 · relu", "26 × 26 × 32", "Input",
                     "320 parameters (<1 %)", "204,928 parameters (91 %)", "no parameters",
                     "225,034 parameters", "all trainable"):  # fmt: skip
        assert expected in found


def test_frozen_is_a_word_a_dash_and_a_hatch():
    figure = draw_architecture(runs.stored(layers=runs.vgg_layers()), LIGHT)
    found = texts(figure)
    assert "14,714,688 parameters (>99 %) · frozen" in found
    assert "133,898 trainable · 14,714,688 frozen" in found
    hatched = [patch for patch in figure.axes[0].patches if patch.get_hatch()]
    dashed = [
        patch for patch in figure.axes[0].patches if patch.get_linestyle() not in ("-", "solid")
    ]
    assert len(hatched) == len(dashed) == 1


def test_a_partly_trained_base_says_how_much():
    run = runs.stored(layers=runs.vgg_layers(7_079_424))
    assert architecture_finding(run).endswith("7,213,322 of 14,848,586 parameters are trained")
    found = texts(draw_architecture(run, LIGHT))
    assert "14,714,688 parameters (>99 %) · 7,079,424 trainable" in found
    assert "7,213,322 trainable · 7,635,264 frozen" in found


@pytest.mark.parametrize("family", FAMILIES)
def test_family_colours_stand_out(family):
    light, dark = FAMILIES[family]
    assert contrast(light, THEMES["light"].background) >= 3
    assert contrast(dark, THEMES["dark"].shade) >= 3


@pytest.mark.parametrize("count", [30, 45])
def test_long_models_are_readable(count):
    assert_readable(draw_architecture(runs.stored(layers=runs.long_layers(count)), LIGHT))


def test_long_models_take_columns():
    short, middle, long = (
        draw_architecture(runs.stored(layers=runs.long_layers(count)), LIGHT).get_size_inches()[0]
        for count in (14, 30, 60)
    )
    assert short < middle < long


def test_equal_input_gives_equal_bytes(tmp_path: Path):
    run = runs.stored(layers=runs.vgg_layers())
    one, two = (
        save(draw_architecture(run, LIGHT), tmp_path / f"{name}.svg").read_bytes() for name in "ab"
    )
    assert one == two


def test_no_layers_are_refused():
    with pytest.raises(RunError, match="no list of layers"):
        draw_architecture(runs.stored(layers=()), LIGHT)
