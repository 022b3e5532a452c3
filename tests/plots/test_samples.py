from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli.plots import SavedFigure, save_one
from nncli.plots.figure import LIGHT, THEMES
from nncli.plots.samples import SEQUENCE, _apart, _thinned, draw_samples, samples_finding
from nncli.results import ShownSamples, ShownSeries
from tests.plots.readable import assert_readable
from tests.plots.test_curves import texts

LONG = ("a class name that is very long indeed, and longer", "$x^2$ costs $5", "猫 кошка", "")


def sheet(
    counts: dict[str, int],
    shape: tuple[int, ...] = (12, 12, 1),
    each: int | list[int] = 8,
    shown: list[str] | None = None,
) -> ShownSamples:
    names = list(counts) if shown is None else shown
    of_class = [each] * len(names) if isinstance(each, int) else each
    labels = np.repeat(np.arange(len(names)), of_class)
    random = np.random.default_rng(0)
    if len(shape) == 3:
        inputs: Any = random.integers(0, 256, (len(labels), *shape), dtype=np.uint8)
    else:
        drawn = (len(labels), shape[0], min(shape[1], 3))
        inputs = random.normal(size=drawn).cumsum(axis=1)
    return ShownSamples("made", tuple(names), labels, inputs, counts, shape)


def digits() -> ShownSamples:
    from nncli import data
    from nncli.data.preview import preview
    from tests.data.made import section

    shown = preview(data.load(section("digits"), 42), 42)
    assert isinstance(shown, ShownSamples)
    return shown


def series(train: int = 1974, validation: int = 282, test: int = 564, **how: Any) -> ShownSeries:
    total = train + validation + test
    t = np.arange(total)
    parts = {"train": (0, train)}
    if validation:
        parts["validation"] = (train, train + validation)
    parts["test"] = (train + validation, total)
    settings: dict[str, Any] = {
        "source": "csv",
        "name": "Sunspots",
        "values": 90 * np.sin(t / 40) ** 2 + 20,
        "parts": parts,
        "window": 24,
        "labels": tuple(f"{1900 + i}" for i in range(test)),
    }
    return ShownSeries(**{**settings, **how})


def padded() -> ShownSamples:
    shown = sheet({"up": 30, "down": 20}, (29, 12), each=3)
    inputs = shown.inputs.copy()
    inputs[::2, 15:] = np.nan
    return replace(shown, inputs=inputs)


CASES = {
    "digits": digits,
    "colour": lambda: sheet({"cat": 250, "dog": 250}, (96, 96, 3)),
    "unbalanced": lambda: sheet({"cat": 12_345, "dog": 400, "frog": 3}, each=[8, 8, 3]),
    "none to learn from": lambda: sheet({"cat": 40, "dog": 2}, each=[8, 0]),
    "long names": lambda: sheet(dict.fromkeys(LONG, 9), (20, 60, 3)),
    "tall": lambda: sheet({"a": 3, "b": 3}, (90, 10, 1), each=3),
    "many classes": lambda: sheet(
        {f"class {i}": 100 + i for i in range(100)},
        each=2,
        shown=[f"class {i}" for i in (*range(5), *range(95, 100))],
    ),
    "one feature": lambda: sheet({"up": 30, "down": 30}, (150, 1), each=3),
    "two features": lambda: sheet({"up": 30, "down": 30}, (50, 2), each=3),
    "ten features": lambda: sheet({"up": 30, "down": 30}, (100, 10), each=3),
    "one step": lambda: sheet({"up": 30, "down": 30}, (1, 4), each=3),
    "padded": padded,
    "series": series,
    "series without validation": lambda: series(validation=0),
    "narrow parts": lambda: series(train=3000, validation=9, test=11),
    "wide parts behind": lambda: series(train=30, validation=300, test=3000, labels=()),
    "tiny series": lambda: series(train=3, validation=1, test=1, window=1),
    "million": lambda: series(train=800_000, validation=100_000, test=100_000),
    "flat series": lambda: series(values=np.zeros(2820)),
    "huge numbers": lambda: series(values=np.linspace(-1e12, 3e12, 2820)),
    "long name": lambda: series(name="a column with a name that is too long for any title " * 2),
    "waves": lambda: series(train=21, validation=0, test=21, window=0, name="sin(t)", labels=()),
}  # fmt: skip
DARK = ("none to learn from", "ten features", "series", "narrow parts")


@pytest.mark.parametrize(
    ("case", "theme"),
    [*((case, "light") for case in CASES), *((case, "dark") for case in DARK)],
)
@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")
def test_every_case_is_readable(case, theme):
    assert_readable(draw_samples(CASES[case](), THEMES[theme]))


@pytest.mark.parametrize(
    ("case", "finding"),
    [
        ("digits", "1,797 pictures in 10 classes, 174 to 183 of each"),
        ("colour", "500 pictures in 2 classes, 250 of each"),
        ("unbalanced", "12,748 pictures in 3 classes, from 3 of frog to 12,345 of cat"),
        ("many classes", "14,950 pictures in 100 classes, 100 to 199 of each"),
        ("one feature", "60 sequences in 2 classes, 30 of each"),
        ("series", "2,820 values of Sunspots, 20 to 110: the last 564 are the test part"),
        ("tiny series", "5 values of Sunspots, 20 to 20.9: the last one is the test part"),
        ("waves", "21 values of sin(t) to learn from, 21 to measure on"),
    ],
)
def test_the_finding_is_the_title(case, finding):
    shown = CASES[case]()
    assert samples_finding(shown) == finding
    assert finding in texts(draw_samples(shown, LIGHT))


def test_a_row_for_each_class():
    figure = draw_samples(CASES["unbalanced"](), LIGHT)
    (ax,) = figure.axes
    tops = [round(-image.get_extent()[3], 3) for image in ax.images]

    assert [tops.count(top) for top in sorted(set(tops), reverse=True)] == [8, 8, 3]
    assert {"cat", "12,345", "dog", "400", "frog", "3"} <= set(texts(figure))


def test_pictures_are_shown_as_they_are():
    dark = sheet({"a": 8, "b": 8})
    dark = replace(dark, inputs=np.zeros_like(dark.inputs))
    (ax,) = draw_samples(dark, LIGHT).axes
    assert len(ax.images) == 16
    for image in ax.images:
        assert (image.get_array() == 0).all()
        assert image.get_clim() == (0, 255)


def test_all_sequences_have_one_height_and_stop_where_they_end():
    shown = CASES["padded"]()
    figure = draw_samples(shown, LIGHT)
    (ax,) = figure.axes
    lines = [np.array(line.get_data()) for line in ax.lines]

    assert len(lines) == 3  # of 12 features, each once in all tiles
    x, y = lines[0].reshape(2, 6, 30)
    ends = np.isfinite(shown.inputs[..., 0]).sum(axis=1)
    assert (np.isfinite(y).sum(axis=1) == ends).all()
    wide, high = SEQUENCE
    lefts = sorted({round(patch.get_x(), 6) for patch in ax.patches})
    for left, of_tile in zip(lefts, x[:3, :-1], strict=True):
        assert left < of_tile.min() < of_tile.max() < left + wide
    values = shown.inputs[..., 0]
    scale = np.diff(y[:, :15]) / np.diff(values[:, :15])
    np.testing.assert_allclose(scale, scale[0, 0], rtol=1e-6)
    assert -scale[0, 0] * np.ptp(values[np.isfinite(values)]) < high
    assert "up to 29 steps   ·   of 12 features the first 3" in " ".join(texts(figure))


def test_what_a_class_lacks_is_said():
    assert "none in the training part" in texts(draw_samples(CASES["none to learn from"](), LIGHT))


def test_the_parts_of_a_series_are_named_in_their_order():
    figure = draw_samples(series(), LIGHT)
    (ax,) = figure.axes
    named = {text.get_text(): text.get_position()[0] for text in ax.texts}

    assert list(named) == ["train: 1,974", "validation: 282", "test: 564"]
    assert list(named.values()) == sorted(named.values())
    assert len(ax.patches) == 3
    assert "test part from 1900 to 2463" in " ".join(texts(figure))
    assert len(ax.lines[2].get_xdata()) == 2820


def test_waves_are_not_joined():
    figure = draw_samples(CASES["waves"](), LIGHT)
    lengths = [len(line.get_xdata()) for line in figure.axes[0].lines]
    assert lengths.count(21) == 2


def test_thinning_keeps_every_extreme():
    values = np.random.default_rng(0).normal(size=100_003)
    x, y = _thinned(values)

    assert len(x) < 3_200
    assert (np.diff(x) >= 0).all()
    np.testing.assert_array_equal(values[x.astype(int)], y)
    assert (y.min(), y.max()) == (values.min(), values.max())
    np.testing.assert_array_equal(_thinned(values[:50])[1], values[:50])


def test_names_are_pushed_apart():
    assert _apart([1, 5, 9], [1, 1, 1], 10) == [1, 5, 9]
    left, middle, right = _apart([9.8, 9.85, 9.9], [2, 2, 2], 10)
    assert (left, middle, right) == pytest.approx((4.6, 6.8, 9.0))
    assert _apart([0.1, 0.2], [2, 2], 10) == pytest.approx([1.0, 3.2])


def test_it_is_saved_without_a_warning(tmp_path: Path, recwarn: pytest.WarningsRecorder):
    shown = CASES["long names"]()
    saved = save_one(
        "data", tmp_path / "new" / "data.png", lambda: (draw_samples(shown, LIGHT), "x"), ""
    )

    assert isinstance(saved, SavedFigure)
    assert saved.path.read_bytes().startswith(b"\x89PNG")
    assert not recwarn.list
