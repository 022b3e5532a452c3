"""Rows as cards: their order, their lanes, what is folded, and that no parameter is lost."""

from __future__ import annotations

import itertools

import pytest

from nncli.plots.cards import MOST_CARDS, Card, Diagram, Group, Part, diagram
from nncli.results import LayerRow
from tests.plots import nets, runs

MODELS: dict[str, tuple[LayerRow, ...]] = {
    "chain": runs.cnn_layers(),
    "one row": runs.cnn_layers()[:1],
    "residual": nets.residual(3, projected=(1,)),
    "folded residual": nets.residual(20, projected=(1, 8)),
    "dense block": nets.dense_block(6),
    "folded dense block": nets.dense_block(80),
    "parallel": nets.parallel(4),
    "tangle": nets.tangle(12),
    "folded tangle": nets.tangle(90),
    "very long": nets.residual(400),
    "shared": nets.shared(),
    "base": nets.vgg16(),
    "folded base": nets.based_on(nets.residual(20, projected=(1,))),
    "nested twice": nets.based_on(nets.based_on(nets.residual(2))),
}


def names(shown: Diagram) -> dict[int, str]:
    return {card.key: card.name for card in shown.cards}


def edges(shown: Diagram) -> set[tuple[str, str]]:
    called = names(shown)
    return {(called[source], called[target]) for source, target in shown.edges}


def all_cards(parts: tuple[Part, ...]) -> list[Card]:
    found: list[Card] = []
    for part in parts:
        found += [part.card, *all_cards(part.parts)] if isinstance(part, Group) else [part]
    return found


@pytest.mark.parametrize("expand", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_no_parameter_is_lost_and_every_edge_has_two_cards(model: str, expand: bool) -> None:
    rows = MODELS[model]
    shown = diagram(rows, expand=expand)
    tops = [part.card if isinstance(part, Group) else part for part in shown.parts]
    assert sum(card.parameters for card in tops) == sum(row.parameters for row in rows)
    assert sum(card.trainable_parameters for card in tops) == sum(
        row.trainable_parameters for row in rows
    )
    keys = [card.key for card in shown.cards]
    assert len(set(keys)) == len(keys)
    assert {key for edge in shown.edges for key in edge} <= set(keys)
    reached = {target for _, target in shown.edges}
    unfed = [card for card in shown.cards if card.key not in reached]
    assert all(card.family == "input" for card in unfed), "only inputs are fed by nothing"


@pytest.mark.parametrize("model", sorted(set(MODELS) - {"shared"}))
def test_cards_come_after_what_feeds_them(model: str) -> None:
    shown = diagram(MODELS[model], expand=True)
    place = {card.key: number for number, card in enumerate(shown.cards)}
    assert all(place[source] < place[target] for source, target in shown.edges)


def test_a_chain_is_its_rows_in_one_lane() -> None:
    shown = diagram(runs.cnn_layers())
    assert [card.name for card in shown.cards] == [row.name for row in runs.cnn_layers()]
    assert list(shown.edges) == list(itertools.pairwise(range(8)))
    assert {card.lane for card in shown.cards} == {0}


def test_the_longer_path_comes_first_and_the_shortcut_is_set_in() -> None:
    shown = diagram(nets.residual(1, projected=(1,)))
    called = [(card.name, card.lane) for card in shown.cards]
    assert called[2:] == [
        ("block1_1_conv", 0), ("block1_1_bn", 0), ("block1_1_relu", 0), ("block1_2_conv", 0),
        ("block1_0_conv", 1), ("block1_add", 0), ("block1_out", 0), ("dense", 0),
    ]  # fmt: skip
    (add,) = (card for card in shown.cards if card.name == "block1_add")
    assert add.joins == ("block1_0_conv", "block1_2_conv")
    assert ("stem", "block1_0_conv") in edges(shown)


def test_every_parallel_path_has_its_lane() -> None:
    shown = diagram(nets.parallel(4))
    assert [card.lane for card in shown.cards] == [0, *[0] * 4, *[1] * 3, *[2] * 2, 3, 0]


def test_a_shared_layer_stands_once_below_what_it_is_fed_first() -> None:
    shown = diagram(nets.shared())
    assert [card.name for card in shown.cards] == ["one", "two", "both", "after", "difference"]
    assert {("one", "both"), ("two", "both"), ("both", "after"), ("after", "both")} < edges(shown)


def test_a_nested_model_is_a_card_or_its_own_cards() -> None:
    assert len(diagram(nets.vgg16()).cards) == 6
    shown = diagram(nets.vgg16(), expand=True)
    assert len(shown.cards) == 5 + 19
    assert {("input_layer", "input_layer_1"), ("block5_pool", "global_average_pooling2d")} < edges(
        shown
    )
    without = runs.vgg_layers()  # a run of before its inside was stored
    assert diagram(without, expand=True) == diagram(without)


def test_equal_blocks_in_a_row_become_one() -> None:
    rows = nets.residual(20, projected=(1, 8))
    shown = diagram(rows)
    cards = all_cards(shown.parts)
    blocks = [(card.title, card.name, card.times) for card in cards if "Block" in card.title]
    assert blocks == [
        ("Block", "block1", 1),
        ("Block ×6", "block2 … block7", 6),
        ("Block", "block8", 1),
        ("Block ×12", "block9 … block20", 12),
    ]
    assert [part.card.name for part in shown.parts if isinstance(part, Group)] == [
        "block1", "block2 … block7",
    ], "of each kind the first is open"  # fmt: skip
    (last,) = (card for card in cards if card.times == 12)
    assert last.settings == "2 Conv2D, BatchNormalization, 2 relu, Add"
    each = [row for row in rows if row.name.startswith("block20_")]
    assert last.parameters == 12 * sum(row.parameters for row in each)
    assert last.output_shape == (32, 32, 16)
    assert ("stem", "block1_0_conv") in edges(shown)
    assert ("block1_add", "block2_add") in edges(shown), "the shortcut of the open block"


def test_blocks_are_found_without_their_names() -> None:
    shown = diagram(nets.residual(20, called="part"))
    (block,) = (part for part in shown.parts if isinstance(part, Group))
    assert (block.card.title, block.card.name) == ("Block ×20", "part1_1_conv … part20_out")
    assert [card.name for card in shown.cards] == [
        "input_layer", "stem", "part1_1_conv", "part1_2_conv", "part1_add", "dense",
    ]  # fmt: skip


def test_what_feeds_another_too_keeps_its_card() -> None:
    rows = list(nets.residual(20)[:-1])
    rows += [
        nets.convolution("tail", rows[-1].name),
        nets.normalization("scaled", "tail"),
        nets.merge("both", "tail", "scaled"),
    ]
    cards = diagram(rows).cards
    assert [card.name for card in cards[-3:]] == ["tail", "scaled", "both"]
    assert cards[-1].joins == ("tail", "scaled")


def test_a_folded_card_takes_normalization_and_activation() -> None:
    shown = diagram(nets.residual(20))
    (first,) = (card for card in shown.cards if card.name == "block1_1_conv")
    assert first.settings == "16 filters 3×3 · BatchNormalization · relu"
    assert (first.parameters, first.trainable_parameters) == (2304 + 64, 2304 + 32)
    assert not first.partly, "the means of normalization are no frozen layers"


def test_blocks_that_are_frozen_in_part_are_not_equal() -> None:
    rows = nets.residual(20)
    half = len(rows) // 2
    frozen = {row.name: row for row in nets.based_on(rows)[1].inside}
    shown = diagram([frozen[row.name] if n < half else row for n, row in enumerate(rows)])
    blocks = [card for card in all_cards(shown.parts) if card.times > 1]
    assert [card.frozen for card in blocks] == [True, False]


@pytest.mark.parametrize("count", [MOST_CARDS, MOST_CARDS + 1])
def test_models_are_folded_above_sixty_layers(count: int) -> None:
    rows = [nets.start()]
    for number in range(count - 1):
        rows.append(nets.convolution(f"conv{number}", rows[-1].name))
    shown = diagram(rows)
    assert len(shown.cards) == (count if count <= MOST_CARDS else 2)
    assert shown.cards[-1].title == ("Conv2D" if count <= MOST_CARDS else f"Conv2D ×{count - 1}")


def test_what_cannot_be_cut_is_one_block() -> None:
    cards = diagram(nets.tangle(90)).cards
    assert [(card.title, card.times) for card in cards] == [
        ("Input", 1), ("Conv2D", 1), ("Block", 1),
    ]  # fmt: skip
    assert cards[-1].settings == "Conv2D, 88 Add"


def test_a_large_picture_has_few_cards() -> None:
    assert len(diagram(nets.residual(400)).cards) < 12
    assert len(diagram(nets.tangle(300)).cards) < 12
    assert len(diagram(nets.dense_block(200)).cards) < 12
