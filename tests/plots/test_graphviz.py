"""The lesson's own picture: held against what Keras writes, and drawn by either Graphviz."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from nncli import backend
from nncli.errors import ExitCode, NncliError, RunError, UsageError
from nncli.models.describe import describe
from nncli.plots import graphviz
from nncli.plots.graphviz import dot_text, draw_keras
from tests.models.test_describe import MODELS
from tests.plots import nets, runs

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
HOSTILE = 'a <b> & "c" ]]> \\n <script>'


def program() -> str:
    found = shutil.which("dot")
    if found is None:
        pytest.skip("no Graphviz on this system")
    return found


def graph(dot: Any) -> tuple[list[str], list[tuple[str, str]], list[str]]:
    """Labels, edges between labels, and labels of clusters, sorted."""
    labels: dict[str, str] = {}
    edges: list[tuple[str, str]] = []
    clusters: list[str] = []

    def collect(part: Any) -> None:
        nodes = (node for node in part.get_nodes() if node.get_name() != "node")
        labels.update({node.get_name(): node.get("label") for node in nodes})
        edges.extend((edge.get_source(), edge.get_destination()) for edge in part.get_edges())
        for cluster in part.get_subgraphs():
            clusters.append(cluster.get("label").strip('"'))
            collect(cluster)

    collect(dot)
    between = sorted((labels[source], labels[target]) for source, target in edges)
    return sorted(labels.values()), between, sorted(clusters)


@pytest.mark.parametrize("expand", [False, True], ids=["collapsed", "expanded"])
@pytest.mark.parametrize("model", MODELS)
def test_it_is_what_keras_draws(started: None, model: str, expand: bool) -> None:
    pydot = pytest.importorskip("pydot", reason="Keras draws with pydot, of the extra [dev]")
    built = MODELS[model]()
    theirs = backend.keras().utils.model_to_dot(
        built, show_shapes=True, show_layer_names=True, expand_nested=expand
    )
    text = dot_text(runs.stored(layers=describe(built)), expand=expand)
    (ours,) = pydot.graph_from_dot_data(text)
    assert graph(ours) == graph(theirs)
    for name in ("rankdir", "concentrate", "dpi", "splines"):
        assert str(ours.get(name)) == str(theirs.get(name))


def test_the_lessons_boxes() -> None:
    text = dot_text(runs.stored())
    assert "<b>conv2d</b> (Conv2D)" in text
    assert "Input shape: <b>(None, 28, 28, 1)</b>" in text
    assert "Output shape: <b>(None, 26, 26, 32)</b>" in text
    assert text.count(" -> ") == 7


def test_a_run_of_before_is_drawn_with_its_base_as_a_box() -> None:
    text = dot_text(runs.stored(layers=runs.vgg_layers()), expand=True)
    assert "<b>vgg16</b> (Functional)" in text
    assert "subgraph" not in text


@pytest.mark.parametrize("kind", MAGIC)
def test_the_systems_graphviz_draws_it(kind: str, tmp_path: Path) -> None:
    program()
    path = tmp_path / "new" / f"model.{kind}"
    assert draw_keras(runs.stored(layers=nets.vgg16()), path, expand=True) == path
    assert path.read_bytes().startswith(MAGIC[kind])
    assert not list(path.parent.glob(".*"))


@pytest.mark.parametrize("kind", MAGIC)
def test_pygraphviz_draws_it_where_the_system_has_none(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pygraphviz", reason="of the extra [graphviz]")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    path = draw_keras(runs.stored(), tmp_path / f"model.{kind}")
    assert path.read_bytes().startswith(MAGIC[kind])


def test_hostile_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    program()
    rows = (nets.start(), runs.row(HOSTILE, HOSTILE, "", (3,), 5))
    path = draw_keras(runs.stored(layers=nets.based_on(rows)), tmp_path / "model.svg", expand=True)
    picture = path.read_text(encoding="utf-8")
    assert "&lt;script&gt;" in picture
    assert "<script" not in picture


def test_without_graphviz_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(UsageError) as caught:
        draw_keras(runs.stored(), tmp_path / "model.png")
    assert "nncli[graphviz]" in (caught.value.hint or "")
    assert caught.value.exit_code == ExitCode.USAGE
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\necho 'it is broken' >&2; exit 3\n", "it is broken"),
        ("#!/bin/sh\nexit 0\n", "ended with 0"),
        ("#!/bin/sh\nexec sleep 30\n", "more than 0.5 seconds"),
        ("no program at all", "does not start"),
    ],
)
def test_a_graphviz_that_fails_is_an_error_and_leaves_no_file(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "dot"
    broken.write_text(script)
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(broken))
    monkeypatch.setattr(graphviz, "SECONDS", 0.5)
    with pytest.raises(NncliError, match=said) as caught:
        draw_keras(runs.stored(), tmp_path / "model.png")
    assert caught.value.exit_code == ExitCode.FAILED
    assert [path.name for path in tmp_path.iterdir()] == ["dot"]


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="PNG, SVG or PDF"):
        draw_keras(runs.stored(), tmp_path / "model.gif")
    with pytest.raises(RunError, match="no list of layers"):
        draw_keras(runs.stored(layers=()), tmp_path / "model.png")
