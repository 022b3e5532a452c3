"""Rows of branching models, made by hand: what their diagrams are drawn from."""

from __future__ import annotations

from dataclasses import replace

from nncli.results import LayerRow
from tests.plots import runs


def fed(row: LayerRow, *names: str) -> LayerRow:
    return replace(row, inputs=names)


def convolution(name: str, source: str, side: int = 32, channels: int = 16) -> LayerRow:
    settings = f"{channels} filters 3×3"
    shape = (side, side, channels)
    return fed(runs.row(name, "Conv2D", settings, shape, 144 * channels, "convolution"), source)


def normalization(name: str, source: str) -> LayerRow:
    return fed(
        runs.row(name, "BatchNormalization", "", (32, 32, 16), 64, "normalization", trainable=32),
        source,
    )


def activation(name: str, source: str) -> LayerRow:
    return fed(runs.row(name, "Activation", "relu", (32, 32, 16), family="other"), source)


def merge(name: str, *sources: str, type: str = "Add") -> LayerRow:
    return fed(runs.row(name, type, "", (32, 32, 16), family="other"), *sources)


def start() -> LayerRow:
    return runs.row("input_layer", "InputLayer", "", (32, 32, 3), family="input")


def residual(
    blocks: int, *, projected: tuple[int, ...] = (), called: str = "block"
) -> tuple[LayerRow, ...]:
    """Blocks of two convolutions beside a shortcut; `projected` ones have one more on it."""
    rows = [start(), convolution("stem", "input_layer")]
    for block in range(1, blocks + 1):
        name, before = f"{called}{block}", rows[-1].name
        rows += [
            convolution(f"{name}_1_conv", before),
            normalization(f"{name}_1_bn", f"{name}_1_conv"),
            activation(f"{name}_1_relu", f"{name}_1_bn"),
            convolution(f"{name}_2_conv", f"{name}_1_relu"),
        ]
        short = before
        if block in projected:
            rows.append(convolution(f"{name}_0_conv", before))
            short = f"{name}_0_conv"
        rows.append(merge(f"{name}_add", short, f"{name}_2_conv"))
        rows.append(activation(f"{name}_out", f"{name}_add"))
    return (*rows, fed(runs.row("dense", "Dense", "10 units · softmax", (10,), 650), rows[-1].name))


def dense_block(layers: int) -> tuple[LayerRow, ...]:
    """Each layer is joined to all before it."""
    rows = [start(), convolution("stem", "input_layer")]
    for layer in range(1, layers + 1):
        before = rows[-1].name
        name = f"block{layer}"
        rows.append(convolution(f"{name}_conv", before))
        rows.append(merge(f"{name}_concat", before, f"{name}_conv", type="Concatenate"))
    return tuple(rows)


def parallel(paths: int) -> tuple[LayerRow, ...]:
    """Paths of one, two, … convolutions side by side, joined by one Concatenate."""
    rows, ends = [start()], []
    for path in range(1, paths + 1):
        source = "input_layer"
        for step in range(path):
            rows.append(convolution(f"path{path}_{step}", source))
            source = rows[-1].name
        ends.append(source)
    return (*rows, merge("mixed", *ends, type="Concatenate"))


def tangle(cells: int) -> tuple[LayerRow, ...]:
    """Cells that are fed by the two cells before: no cut anywhere."""
    rows = [start(), convolution("cell0", "input_layer"), convolution("cell1", "cell0")]
    for cell in range(2, cells):
        rows.append(merge(f"cell{cell}", f"cell{cell - 1}", f"cell{cell - 2}"))
    return tuple(rows)


def shared() -> tuple[LayerRow, ...]:
    """Two inputs into one layer that is used three times, once on what came of it."""
    one, two = (runs.row(name, "InputLayer", "", (4,), family="input") for name in ("one", "two"))
    both = replace(
        runs.row("both", "Dense", "4 units · used 3 times", (4,), 20),
        inputs=("one", "after", "two"),
        calls=3,
    )
    after = fed(runs.row("after", "Dense", "4 units", (4,), 20), "both")
    return (one, both, after, merge("difference", "both", "both", type="Subtract"), two)


def vgg16() -> tuple[LayerRow, ...]:
    """The lesson's transfer model with the 19 layers of its frozen base."""
    inside = [runs.row("input_layer_1", "InputLayer", "", (64, 64, 3), family="input")]
    channels, side = 3, 64
    for block, (convolutions, filters) in enumerate(
        ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), start=1
    ):
        for number in range(1, convolutions + 1):
            inside.append(
                runs.row(f"block{block}_conv{number}", "Conv2D", f"{filters} filters 3×3 · relu",
                         (side, side, filters), (9 * channels + 1) * filters, "convolution",
                         trainable=0)
            )  # fmt: skip
            channels = filters
        side //= 2
        inside.append(
            runs.row(f"block{block}_pool", "MaxPooling2D", "window 2×2", (side, side, filters),
                     family="pooling")
        )  # fmt: skip
    first, base, *head = runs.vgg_layers()
    return (first, replace(base, inside=tuple(inside)), *head)


def based_on(rows: tuple[LayerRow, ...], *, frozen: bool = True) -> tuple[LayerRow, ...]:
    """A head on a base that holds `rows`, frozen or trained."""
    if frozen:
        rows = tuple(
            replace(row, trainable_parameters=0, frozen=row.parameters > 0) for row in rows
        )
    parameters = sum(row.parameters for row in rows)
    trainable = sum(row.trainable_parameters for row in rows)
    base = replace(
        runs.row("base", "Base", f"{len(rows)} layers inside", rows[-1].output_shape, parameters,
                 "base", trainable=trainable, inside=len(rows)),
        inside=rows,
    )  # fmt: skip
    return (start(), base, runs.row("head", "Dense", "10 units · softmax", (10,), 650))
