from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from nncli.errors import RunError
from nncli.plots import architecture
from nncli.plots.architecture import FAMILIES, architecture_finding, draw_architecture
from nncli.plots.figure import LIGHT, THEMES, save
from nncli.results import LayerRow
from tests.plots import nets, runs
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
    "residual": nets.residual(2, projected=(1,)),
    "residual in columns": nets.residual(5, projected=(1, 4)),
    "parallel paths": nets.parallel(5),
    "shared layer": nets.shared(),
}
EXPANDED: dict[str, tuple[LayerRow, ...]] = {
    "vgg16": nets.vgg16(),
    "trained base": nets.based_on(nets.residual(3, projected=(1,)), frozen=False),
    "folded base": nets.based_on(nets.residual(20, projected=(1, 8))),
    "dense block": nets.based_on(nets.dense_block(8)),
    "tangle": nets.based_on(nets.tangle(16)),
    "folded tangle": nets.based_on(nets.tangle(90)),
    "nested twice": nets.based_on(nets.based_on(nets.parallel(4))),
    "two inputs": nets.based_on(nets.shared()),
    "hostile inside": nets.based_on((nets.start(), HOSTILE, *runs.cnn_layers()[1:])),
}


def drawn(rows: tuple[LayerRow, ...], **how: bool) -> Figure:
    return draw_architecture(runs.stored(layers=rows), LIGHT, **how)


@pytest.mark.parametrize(("theme", "narrow"), [("light", False), ("dark", True)])
@pytest.mark.parametrize("case", CASES)
def test_every_case_is_readable(case, theme, narrow):
    figure = draw_architecture(runs.stored(layers=CASES[case]), THEMES[theme], narrow=narrow)
    assert_readable(figure)
    assert_apart(figure)
    if narrow:
        assert 4.6 <= figure.get_size_inches()[0] <= 5.2


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("case", EXPANDED)
def test_every_expanded_case_is_readable(case, narrow):
    theme = THEMES["light" if narrow else "dark"]
    run = runs.stored(layers=EXPANDED[case])
    figure = draw_architecture(run, theme, narrow=narrow, expand=True)
    assert_readable(figure)
    assert_apart(figure)


def assert_apart(figure: Figure) -> None:
    """No card lies over another, and no line runs through one."""
    boxes = [
        patch.get_path().get_extents(patch.get_patch_transform())
        for patch in figure.axes[0].patches
        if isinstance(patch, FancyBboxPatch) and patch.get_zorder() == 3
    ]
    assert boxes
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            down = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert across <= 0 or down <= 0.01
    for line in arrows(figure):
        for (x0, y0), (x1, y1) in pairwise(line):
            for box in boxes:
                through = (
                    min(x0, x1) < box.x1 - 0.02
                    and max(x0, x1) > box.x0 + 0.02
                    and min(y0, y1) < box.y1 - 0.02
                    and max(y0, y1) > box.y0 + 0.02
                )
                assert not through, f"a line from {x0, y0} to {x1, y1} runs through a card"
    width, height = figure.get_size_inches()
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= width
    assert max(box.y1 for box in boxes) <= height


def arrows(figure: Figure) -> list[list[tuple[float, float]]]:
    """The corners of every line between cards."""
    return [
        [(float(x), float(y)) for x, y in patch._path_original.vertices]
        for patch in figure.axes[0].patches
        if isinstance(patch, FancyArrowPatch)
    ]


def test_what_skips_cards_runs_beside_them():
    figure = drawn(nets.residual(1, projected=(1,)))
    lines = arrows(figure)
    straight = [line for line in lines if len(line) == 2]
    (around,) = (line for line in lines if len(line) == 4)
    # each of 10 cards feeds the next, but for the main path's last one before the shortcut's
    assert len(straight) == 8 + 1
    assert around[0][0] < around[1][0] == around[2][0] > around[3][0], "out, down, and back in"
    assert around[1][0] <= figure.get_size_inches()[0] - architecture.MARGIN
    long = max(straight, key=lambda line: line[1][1] - line[0][1])
    assert long[1][1] - long[0][1] > 1, "the main path goes by at the left of the shortcut"
    assert long[0][0] < 0.7


def test_lines_beside_each_other_do_not_run_into_one():
    figure = drawn(nets.tangle(12))
    runs_down = sorted(
        (round(line[1][0], 3), *sorted((line[1][1], line[2][1])))
        for line in arrows(figure)
        if len(line) == 4
    )
    assert len({x for x, _, _ in runs_down}) > 1
    for (x, _, end), (other, begin, _) in pairwise(runs_down):
        assert x != other or begin >= end - 0.5


def test_merges_say_what_they_join():
    found = texts(drawn(nets.residual(1, projected=(1,))))
    assert "joins block1_0_conv and block1_2_conv" in found
    assert "joins path1_0, path2_1 and path3_2" in texts(drawn(nets.parallel(3)))


def test_a_base_is_one_card_until_it_is_expanded():
    closed, opened = (texts(drawn(nets.vgg16(), expand=expand)) for expand in (False, True))
    assert "block1_conv1" not in closed
    assert "19 layers inside" in closed
    for expected in ("VGG16", "19 layers inside", "block1_conv1", "block5_pool", "continued",
                     "14,714,688 parameters (>99 %) · frozen", "what VGG16 is fed",
                     "1,792 parameters (<1 %) · frozen", "133,898 trainable · 14,714,688 frozen",
                     ):  # fmt: skip
        assert expected in opened
    assert any("5 layers and 19 in VGG16   ·   hatched: frozen" in text for text in opened)
    figure = drawn(nets.vgg16(), expand=True)
    dashed = [
        patch for patch in figure.axes[0].patches if patch.get_linestyle() not in ("-", "solid")
    ]
    assert len(dashed) == 13 + 2, "the convolutions, and the frame in both columns"


def test_a_run_of_before_draws_its_base_as_a_card():
    assert texts(drawn(runs.vgg_layers(), expand=True)) == texts(drawn(runs.vgg_layers()))


def test_equal_blocks_are_a_stack_with_their_number():
    figure = drawn(nets.based_on(nets.residual(20, projected=(1, 8))), expand=True)
    found = texts(figure)
    for expected in ("Block ×12", "block9 … block20", "2 Conv2D, BatchNormalization, 2 relu, Add",
                     "the first of 6 is shown"):  # fmt: skip
        assert expected in found
    behind = [
        patch for patch in figure.axes[0].patches
        if isinstance(patch, FancyBboxPatch) and 2.8 < patch.get_zorder() < 3
    ]  # fmt: skip
    assert len(behind) == 2
    assert any("three blocks of a kind in a row" in text for text in found)


def test_a_column_that_goes_on_with_a_shortcut_says_where_it_comes_from():
    found = texts(drawn(nets.dense_block(10)))
    (source,) = (text for text in found if text.startswith("from "))
    assert source.removeprefix("from ") in found


def test_a_phone_keeps_the_size_of_the_type():
    wide, narrow = (drawn(runs.vgg_layers(), narrow=narrow) for narrow in (False, True))
    sizes = [{text.get_fontsize() for text in figure.axes[0].texts} for figure in (wide, narrow)]
    assert sizes[0] == sizes[1]
    assert narrow.get_size_inches()[0] == architecture.PHONE_WIDTH


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
