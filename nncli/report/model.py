"""The table of a model's layers, for the terminal and for summary.txt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nncli.report.console import print_sentence
from nncli.report.table import Column, print_table
from nncli.results import LayerRow

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES = {
    "input": "bright_black",
    "augmentation": "chartreuse3",
    "convolution": "dark_orange",
    "pooling": "yellow",
    "reshape": "cyan",
    "dense": "green",
    "recurrent": "blue",
    "dropout": "magenta",
    "normalization": "bright_cyan",
    "base": "purple",
    "other": "white",
}
BAR_WIDTH = 10


def print_model(screen: Console, layers: Sequence[LayerRow]) -> None:
    """Print layers with their settings, output shapes, parameters, shares, and the totals."""
    from rich.text import Text

    total = sum(row.parameters for row in layers)
    columns = [
        Column("layer", [_layer(row) for row in layers], "left"),
        Column("name", [Text(row.name, "dim") for row in layers], "left", drop=5),
        Column("settings", [Text(row.settings, "dim") for row in layers], "left", drop=3),
        Column("output", [Text(shape_text(row.output_shape)) for row in layers], drop=1),
        Column("params", [_parameters(row) for row in layers]),
        Column("trained", [_trained(row) for row in layers], "left", drop=2),
        Column("share", [_share(row, total) for row in layers], "left", drop=4),
    ]
    said = [each for each in columns if each.title != "trained" or any(c.plain for c in each.cells)]
    print_table(screen, said)
    for line in totals(layers):
        print_sentence(screen, Text(), Text(line, "bold" if line.startswith("Total") else ""))


def _layer(row: LayerRow) -> Text:
    from rich.text import Text

    return Text.assemble(("▌ ", STYLES.get(row.family, "white")), (row.type, "bold"))


def shape_text(shape: Sequence[int | None]) -> str:
    """`(26, 26, 32)` as `26 × 26 × 32`."""
    return " × ".join("?" if side is None else str(side) for side in shape)


def _parameters(row: LayerRow) -> Text:
    from rich.text import Text

    if row.family == "input":
        return Text("–", "dim")
    return Text(f"{row.parameters:,}", "" if row.parameters else "dim")


def _trained(row: LayerRow) -> Text:
    from rich.text import Text

    if row.frozen:
        return Text("frozen", "bold blue")
    if row.trainable_parameters < row.parameters:
        return Text(f"{row.trainable_parameters:,} trained", "blue")
    return Text("")


def _share(row: LayerRow, total: int) -> Text:
    from rich.text import Text

    if not row.parameters:
        return Text("")
    share = row.parameters / total
    blocks = "█" * max(0, round(share * BAR_WIDTH)) or "▏"
    number = f"{share:.0%}" if share >= 0.005 else "<1%"
    style = "bright_black" if row.frozen else STYLES.get(row.family, "white")
    return Text.assemble((blocks, style), f" {number}")


def size_of(parameters: int) -> str:
    """The memory of that many float32 numbers, as the lesson's tables print it.

    `1121` is `4.38 KB`, `0` is `0.00 Byte`.
    """
    size, unit = float(parameters * 4), "Byte"
    for larger in ("KB", "MB", "GB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.2f} {unit}"


def totals(layers: Sequence[LayerRow]) -> list[str]:
    """The three lines under the lesson's tables: total, trainable, non-trainable."""
    total = sum(row.parameters for row in layers)
    trainable = sum(row.trainable_parameters for row in layers)
    return [
        f"{label} params: {count} ({size_of(count)})"
        for label, count in (
            ("Total", total),
            ("Trainable", trainable),
            ("Non-trainable", total - trainable),
        )
    ]


def summary_text(name: str, layers: Sequence[LayerRow]) -> str:
    """The table as the lesson prints it: layer (type), output shape, parameters."""
    rows = [("Layer (type)", "Output Shape", "Param #")]
    for row in layers:
        if row.family != "input":
            shape = ", ".join(str(side) for side in (None, *row.output_shape))
            frozen = "  frozen" if row.frozen else ""
            rows.append((f"{row.name} ({row.type})", f"({shape})", f"{row.parameters}{frozen}"))
    first, second = (max(len(row[column]) for row in rows) + 3 for column in (0, 1))
    lines = [f"{a:<{first}}{b:<{second}}{c}" for a, b, c in rows]
    rule = "=" * max(len(line) for line in lines)
    body = [f'Model: "{name}"', rule, lines[0], rule, *lines[1:], rule, *totals(layers)]
    return "\n".join(body) + "\n"
