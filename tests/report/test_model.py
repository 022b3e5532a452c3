from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from nncli.report.model import print_model, shape_text, size_of, summary_text, totals
from nncli.results import LayerRow


def row(
    name: str, layer: str, shape: tuple[int | None, ...], count: int, **more: object
) -> LayerRow:
    values = {
        "settings": "",
        "trainable_parameters": count,
        "family": "dense",
        "frozen": False,
        **more,
    }
    return LayerRow(name, layer, output_shape=shape, parameters=count, **values)  # type: ignore[arg-type]


INPUT = row("input", "Input", (28, 28, 1), 0, family="input")
CNN = (
    INPUT,
    row("conv2d", "Conv2D", (26, 26, 32), 320, settings="32 filters 3×3 · relu"),
    row("max_pooling2d", "MaxPooling2D", (13, 13, 32), 0, settings="window 2×2"),
    row("conv2d_1", "Conv2D", (11, 11, 64), 18496, settings="64 filters 3×3 · relu"),
    row("max_pooling2d_1", "MaxPooling2D", (5, 5, 64), 0, settings="window 2×2"),
    row("flatten", "Flatten", (1600,), 0, settings="to one vector"),
    row("dense", "Dense", (128,), 204928, settings="128 units · relu"),
    row("dense_1", "Dense", (10,), 1290, settings="10 units · softmax"),
)
TRANSFER = (
    row("input", "Input", (64, 64, 3), 0, family="input"),
    row("vgg16", "VGG16", (2, 2, 512), 14714688, trainable_parameters=0, frozen=True),
    row("norm", "BatchNormalization", (2, 2, 512), 2048, trainable_parameters=1024),
    row("dense", "Dense", (10,), 5130, settings="10 units"),
)
RNN = (row("simple_rnn", "SimpleRNN", (20, 32), 1088), row("dense", "Dense", (20, 1), 33))


def printed(layers: tuple[LayerRow, ...], width: int) -> list[str]:
    stream = io.StringIO()
    print_model(Console(file=stream, width=width, color_system=None, markup=True), layers)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
@pytest.mark.parametrize("layers", [CNN, TRANSFER], ids=["cnn", "transfer"])
def test_the_table_fits_and_no_number_is_cut(layers: tuple[LayerRow, ...], width: int) -> None:
    lines = printed(layers, width)
    assert max(map(cell_len, lines[:-3])) <= width  # the totals are the lesson's, at any width
    for layer, line in zip(layers, lines[2:], strict=False):
        assert layer.type in line
        assert layer.family == "input" or f" {layer.parameters:,}" in line
    assert "…" not in "".join(lines)
    assert not any(line.endswith(" ") for line in lines)


def test_columns_go_by_priority() -> None:
    headings = {width: printed(CNN, width)[0].split() for width in (120, 80, 60, 40, 30, 10)}
    assert headings[120] == ["layer", "name", "settings", "output", "params", "share"]
    assert headings[80] == ["layer", "settings", "output", "params", "share"]
    assert headings[60] == ["layer", "settings", "output", "params"]
    assert headings[40] == ["layer", "output", "params"]
    assert headings[30] == headings[10] == ["layer", "params"]
    assert "frozen" in "".join(printed(TRANSFER, 60))
    assert "1,024 trained" in "".join(printed(TRANSFER, 80))


def test_numbers_stand_below_each_other() -> None:
    lines = printed(CNN, 80)
    end = lines[0].index("params") + len("params")
    for layer, line in zip(CNN[1:], lines[3:], strict=False):
        assert line[:end].endswith(f" {layer.parameters:,}")
    edge = lines[0].index("output") + len("output")
    for layer, line in zip(CNN, lines[2:], strict=False):
        assert line[:edge].endswith(shape_text(layer.output_shape))


def test_names_that_look_like_markup_are_printed_as_they_are() -> None:
    layers = (row("[/x]", "[red]", (None, 2), 5, settings="[bold]a[/bold] :smile: [units]"),)
    text = "\n".join(printed(layers, 120))
    for word in ("[/x]", "[red]", "[bold]a[/bold] :smile: [units]", "? × 2"):
        assert word in text


def test_the_share_of_every_layer() -> None:
    lines = printed(CNN, 120)
    assert lines[3].endswith("▏ <1%")
    assert lines[5].endswith("█ 8%")
    assert lines[8].endswith("█████████ 91%")
    assert printed((INPUT,), 80)[-3] == "Total params: 0 (0.00 Byte)"


def test_totals_are_the_lessons_to_the_letter() -> None:
    assert totals(RNN) == [
        "Total params: 1121 (4.38 KB)",
        "Trainable params: 1121 (4.38 KB)",
        "Non-trainable params: 0 (0.00 Byte)",
    ]
    assert totals(CNN)[0] == "Total params: 225034 (879.04 KB)"
    assert totals(TRANSFER)[2] == "Non-trainable params: 14715712 (56.14 MB)"
    assert printed(CNN, 80)[-3:] == totals(CNN)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (0, "0.00 Byte"),
        (255, "1020.00 Byte"),
        (256, "1.00 KB"),
        (262143, "1024.00 KB"),
        (262144, "1.00 MB"),
        (2**28, "1.00 GB"),
        (2**40, "4096.00 GB"),
    ],
)
def test_sizes(parameters: int, text: str) -> None:
    assert size_of(parameters) == text


def test_the_summary_of_the_lesson() -> None:
    text = summary_text("sequential", CNN)
    assert text.startswith('Model: "sequential"\n')
    assert "Input" not in text
    assert "conv2d (Conv2D)" in text
    assert "(None, 26, 26, 32)" in text
    assert text.endswith("Non-trainable params: 0 (0.00 Byte)\n")
    assert "14714688  frozen" in summary_text("transfer", TRANSFER)
    assert "(None, None, 2)" in summary_text("m", (row("a", "LSTM", (None, 2), 1),))
