"""The model as the lesson draws it: `keras.utils.plot_model`, without Keras.

Source: `keras.utils.model_to_dot` of Keras 3.15 with `show_shapes` and `show_layer_names`.
"""

from __future__ import annotations

import html
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from nncli.errors import NncliError, UsageError
from nncli.files import whole_file
from nncli.plots.architecture import total_parameters
from nncli.plots.figure import format_of
from nncli.plots.labels import clean
from nncli.results import LayerRow, StoredRun, linked

SECONDS = 120
"""How long Graphviz may take; large models with right-angled lines need many."""


def draw_keras(run: StoredRun, path: Path, *, expand: bool = False) -> Path:
    """Draw a run's model by Graphviz, as PNG, SVG or PDF by the ending of `path`.

    The system's `dot` is used, else the one that pygraphviz brings.

    Raises:
        UsageError: another ending, or no Graphviz.
        NncliError: Graphviz fails or takes too long.
        RunError: the run has no layers, or the folder cannot be written.
    """
    kind = format_of(path)
    text = dot_text(run, expand=expand)
    command = graphviz_command(kind)
    with whole_file(path) as partial:
        partial.write_bytes(_drawn(command, text))
    return path


_PYGRAPHVIZ = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""
"""In a process of its own: it can be given up, and what it says does not reach the terminal."""


def graphviz_command(kind: str) -> list[str]:
    """What reads a graph and writes a picture: the system's Graphviz, or pygraphviz's."""
    program = shutil.which("dot")
    if program is not None:
        return [program, f"-T{kind}"]
    if importlib.util.find_spec("pygraphviz") is None:
        raise UsageError(
            "--style keras needs Graphviz, which is not installed",
            hint="pip install 'nncli[graphviz]', or install the system's graphviz; "
            "--style cards needs none",
        )
    return [sys.executable, "-c", _PYGRAPHVIZ, kind]


def _drawn(command: list[str], text: str) -> bytes:
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NncliError(
            f"Graphviz took more than {SECONDS} seconds",
            hint="draw it without --expand, or with --style cards",
        ) from error
    except OSError as error:
        raise NncliError(
            f"{command[0]} does not start: {error.strerror or error}",
            hint="--style cards needs no Graphviz",
        ) from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip()
        raise NncliError(
            f"Graphviz failed: {said or f'it ended with {done.returncode}'}",
            hint="--style cards needs no Graphviz",
        )
    return done.stdout


def dot_text(run: StoredRun, *, expand: bool = False) -> str:
    """The graph in Graphviz's language, with a box a layer.

    The input of a Sequential model has no box, as in Keras: it is no layer of the model.

    Raises:
        RunError: the run has no layers.
    """
    total_parameters(run)
    graph = _Graph(expand)
    lines = [
        "digraph G {",
        "rankdir=TB;",
        "concentrate=True;",
        "dpi=200;",
        "splines=ortho;",
        "node [shape=record];",
        *graph.model(linked(run.layers), ()),
        *(f"{source} -> {target} [penwidth=2];" for source, target in graph.edges),
        "}",
    ]
    return "\n".join(lines) + "\n"


class _Graph:
    """Boxes by numbers, and the lines between them."""

    def __init__(self, expand: bool) -> None:
        self.expand = expand
        self.numbers = count()
        self.edges: dict[tuple[str, str], None] = {}
        self.ends: dict[int, tuple[list[str], list[str]]] = {}
        """By the id of a row: the boxes that take what it is fed, and those that give."""

    def model(
        self, rows: Sequence[LayerRow], fed: Sequence[tuple[int | None, ...]]
    ) -> Iterator[str]:
        """The boxes of one model; `fed` are the shapes of what feeds it."""
        by_name = {row.name: row for row in rows}
        for row in rows:
            shapes = _fed_shapes(row, by_name) or tuple(fed)
            if row.type == "Input":
                continue
            if self.expand and row.inside:
                yield f"subgraph cluster_{next(self.numbers)} {{"
                yield "style=dashed;"
                yield f"label={_quoted(row.name)};"
                yield "labeljust=l;"
                inside = linked(row.inside)
                yield from self.model(inside, shapes)
                yield "}"
                self.ends[id(row)] = self._of_model(inside)
            else:
                node = f"n{next(self.numbers)}"
                self.ends[id(row)] = ([node], [node])
                yield (
                    f"{node} [label={_label(row, shapes)}, fontname=Helvetica, border=0, margin=0];"
                )
        for row in rows:
            if id(row) not in self.ends:
                continue
            entries = self.ends[id(row)][0]
            for place, name in enumerate(row.inputs):
                if name in by_name and id(by_name[name]) in self.ends:
                    source = self.ends[id(by_name[name])][1][-1]
                    self.edges[source, entries[min(place, len(entries) - 1)]] = None

    def _of_model(self, rows: Sequence[LayerRow]) -> tuple[list[str], list[str]]:
        feeding = {name for row in rows for name in row.inputs}
        entries = [row for row in rows if row.family == "input"] or list(rows[:1])
        exits = [row for row in rows if row.name not in feeding] or list(rows[-1:])
        return (
            [node for row in entries for node in self.ends[id(row)][0]],
            [node for row in exits for node in self.ends[id(row)][1]],
        )


def _fed_shapes(row: LayerRow, by_name: dict[str, LayerRow]) -> tuple[tuple[int | None, ...], ...]:
    """Of what the first call of a layer is given; a nested model knows its own."""
    own = tuple(inner.output_shape for inner in row.inside if inner.family == "input")
    first = row.inputs[: len(row.inputs) // row.calls]
    return own or tuple(by_name[name].output_shape for name in first if name in by_name)


def _label(row: LayerRow, shapes: Sequence[tuple[int | None, ...]]) -> str:
    """A table: name and class on black, below it the shapes."""
    cells = ["Output shape: ", _shape(row.output_shape)]
    if row.family != "input":
        each = [_shape(shape) for shape in shapes]
        given = each[0] if len(each) == 1 else f"[{', '.join(each)}]"
        cells = ["Input shape: ", given, *cells]
    wide = '<tr><td colspan="2" bgcolor="black"><font point-size="16" color="white">'
    shown = "".join(
        f'<td bgcolor="white"><font point-size="14">{name}<b>{shape}</b></font></td>'
        for name, shape in zip(cells[::2], cells[1::2], strict=True)
    )
    return (
        '<<table border="0" cellborder="1" bgcolor="black" cellpadding="10">'
        f"{wide}<b>{_text(row.name)}</b> ({_text(_class(row))})</font></td></tr>"
        f"<tr>{shown}</tr></table>>"
    )


def _class(row: LayerRow) -> str:
    """Keras's name of the class; a nested model's row has the name of the network instead."""
    if row.family != "base":
        return row.type
    functional = not row.inside or any(inner.family == "input" for inner in row.inside)
    return "Functional" if functional else "Sequential"


def _shape(shape: tuple[int | None, ...]) -> str:
    return str((None, *shape))


def _text(text: str) -> str:
    return html.escape(clean(text), quote=False)


def _quoted(text: str) -> str:
    return '"' + clean(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
