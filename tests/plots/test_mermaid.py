"""The model as Mermaid text: a grammar narrower than its own, and nothing that breaks out."""

from __future__ import annotations

import re
from html import unescape

import pytest

from nncli.errors import RunError
from nncli.plots.mermaid import escape, mermaid_text
from nncli.results import LayerRow
from tests.plots import nets, runs

HOSTILE = (
    "end", "graph TD", '"]', "`code` **bold**", "#35; #quot; &amp;", "<script>alert(1)</script>",
    "style: #fff;", "1. list", "a\nb\r%%{init: {}}%%", 'n0 --> n1; click n0 "javascript:x"',
    "$$x$$", "\\n \\\\", "classDef x:#f00;", "名前 é", "a|b{c}(d)[e]",
)  # fmt: skip
MODELS: dict[str, tuple[tuple[LayerRow, ...], bool]] = {
    "cnn": (runs.cnn_layers(), False),
    "one layer": (runs.cnn_layers()[:1], False),
    "base": (nets.vgg16(), False),
    "expanded base": (nets.vgg16(), True),
    "blocks": (nets.based_on(nets.residual(20, projected=(1, 8))), True),
    "shared": (nets.shared(), False),
    "nested twice": (nets.based_on(nets.based_on(nets.parallel(3))), True),
    "hostile": (
        tuple(runs.row(text, text, text, (3,), 5, text, trainable=0) for text in HOSTILE), False,
    ),
}  # fmt: skip

LABEL = r'"(?:<b>|</b>|<br/>|#\d+;|[^"<>&#`;\[\]{}|\\\n])+"'
LINES = {
    "node": re.compile(rf"(n\d+)\[{LABEL}\]"),
    "subgraph": re.compile(rf"subgraph (g\d+)\[{LABEL}\]"),
    "end": re.compile(r"end"),
    "edge": re.compile(r"(n\d+) --> (n\d+)"),
    "look": re.compile(r"classDef (\w+) (?:stroke:#[0-9A-F]{6},stroke-width:2px|"
                       r"stroke-dasharray:6 4)"),
    "class": re.compile(r"class ((?:[ng]\d+,)*[ng]\d+) (\w+)"),
}  # fmt: skip


def parsed(text: str) -> dict[str, list[re.Match[str]]]:
    """Every line by what it is; nodes first, then edges, then looks. Anything else fails."""
    directive, first, *lines = text.splitlines()
    assert directive == '%%{init: {"flowchart": {"wrappingWidth": 500}}}%%'
    assert first == "flowchart TD"
    found: dict[str, list[re.Match[str]]] = {kind: [] for kind in LINES}
    depth = 0
    for line in lines:
        matches = {kind: rule.fullmatch(line.strip()) for kind, rule in LINES.items()}
        ((kind, match),) = [(kind, match) for kind, match in matches.items() if match]
        assert match is not None
        found[kind].append(match)
        depth += {"subgraph": 1, "end": -1}.get(kind, 0)
        assert depth >= 0
        assert depth == 0 or kind in ("node", "subgraph", "end")
    assert depth == 0
    return found


def shown(text: str) -> str:
    """What a reader sees of a label."""
    return unescape(re.sub(r"#(\d+);", r"&#\1;", text))


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_well_formed(model: str) -> None:
    rows, expand = MODELS[model]
    text = mermaid_text(runs.stored(layers=rows), expand=expand)
    found = parsed(text)
    nodes = [match[1] for match in found["node"]]
    assert len(set(nodes)) == len(nodes)
    groups = [match[1] for match in found["subgraph"]]
    looks = {match[1] for match in found["look"]}
    assert {end for match in found["edge"] for end in match.groups()} <= set(nodes)
    assert {match[2] for match in found["class"]} == looks
    members = {name for match in found["class"] for name in match[1].split(",")}
    assert members == {*nodes, *groups}
    assert text == mermaid_text(runs.stored(layers=rows), expand=expand)


def test_a_node_says_what_a_card_says() -> None:
    text = mermaid_text(runs.stored())
    assert '    n0["<b>Input</b><br/>28 × 28 × 1"]' in text
    assert (
        '    n1["<b>Conv2D</b> conv2d<br/>32 filters 3×3 · relu<br/>26 × 26 × 32<br/>'
        '320 parameters (#60;1 %)"]' in text
    )
    edges = [match.groups() for match in parsed(text)["edge"]]
    assert edges == [(f"n{number}", f"n{number + 1}") for number in range(7)]
    assert "frozen" not in text


def test_frozen_is_dashed_and_a_word() -> None:
    text = mermaid_text(runs.stored(layers=runs.vgg_layers()))
    assert "classDef frozen stroke-dasharray:6 4" in text
    assert "class n1 frozen" in text
    assert "14,714,688 parameters (#62;99 %) · frozen" in text


def test_an_expanded_base_is_a_subgraph() -> None:
    run = runs.stored(layers=nets.vgg16())
    assert not parsed(mermaid_text(run))["subgraph"]
    text = mermaid_text(run, expand=True)
    found = parsed(text)
    (group,) = found["subgraph"]
    assert "<b>VGG16</b> vgg16 · 19 layers inside" in group[0]
    assert len(found["node"]) == 5 + 19
    inside = text[text.index("subgraph") : text.index("\n    end\n")]
    assert inside.count("<br/>no parameters") == 5, "the five poolings"


def test_branches_are_edges() -> None:
    text = mermaid_text(runs.stored(layers=nets.residual(1, projected=(1,))))
    edges = {match.groups() for match in parsed(text)["edge"]}
    called = dict(re.findall(r'(n\d+)\["<b>\w+</b> (\w+)', text))
    told = {(called.get(source), called.get(target)) for source, target in edges}
    assert {("stem", "block1_0_conv"), ("block1_0_conv", "block1_add"),
            ("block1_2_conv", "block1_add")} < told  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_only_text(text: str) -> None:
    coded = escape(text)
    assert re.fullmatch(LABEL, f'"{coded}"')
    plain = shown(coded).replace("\u2060", "")
    assert plain == " ".join(text.split())
    assert "$$" not in shown(coded), "would be a formula"


def test_no_layers_are_refused() -> None:
    with pytest.raises(RunError, match="no list of layers"):
        mermaid_text(runs.stored(layers=()))
