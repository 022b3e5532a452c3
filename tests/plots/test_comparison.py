from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nncli.errors import RunError, UsageError
from nncli.plots.comparison import MOST_RUNS, _names, _short, comparison_finding, draw_comparison
from nncli.plots.figure import LIGHT, THEMES
from nncli.plots.labels import CONTEXT, text_width
from nncli.results import StoredRun
from tests.plots import runs
from tests.plots.readable import assert_readable, looks
from tests.plots.test_curves import broken, first, forecaster, noisy, texts, transfer

NAN = float("nan")


def named(
    name: str, stored: StoredRun | None = None, fingerprint: str = "same", **changes: Any
) -> StoredRun:
    record = {"data": {"fingerprint": fingerprint}}
    return replace(stored or runs.with_history(first(20)), name=name, run=record, **changes)


def falling(name: str, floor: float, epochs: int = 25, **changes: Any) -> StoredRun:
    """A run whose validation loss ends at `floor`."""
    t = np.arange(epochs) / 4
    history = {
        "loss": 0.8 * floor + np.exp(-t),
        "accuracy": 0.95 - 0.8 * np.exp(-t),
        "val_loss": floor + 1.5 * np.exp(-t),
        "val_accuracy": 1 - floor / 2 - 0.8 * np.exp(-t),
    }
    return named(name, runs.with_history(history), **changes)


def overfitting(name: str) -> StoredRun:
    """A run whose validation loss is lowest in epoch 8."""
    history = first(20)
    history["val_loss"] = [0.6 + 0.01 * (epoch - 7) ** 2 for epoch in range(20)]
    return named(name, runs.with_history(history))


def several(count: int) -> list[StoredRun]:
    return [falling(f"cnn-{i + 1}", 0.2 + 0.03 * i) for i in range(count)]


def silent(name: str) -> StoredRun:
    """A run without a validation part."""
    history = {name: first(20)[name] for name in ("loss", "accuracy")}
    return named(name, runs.with_history(history, monitor="loss"))


LONG = "a-run-name-that-is-far-too-long-to-stand-beside-its-line-"
CASES = {
    "two": lambda: several(2),
    "three": lambda: several(3),
    "eight": lambda: several(8),
    "one overfits": lambda: [named("fits"), overfitting("overfits")],
    "one epoch each": lambda: [
        named(f"short-{i}", runs.with_history(first(1))) for i in range(3)
    ],
    "one epoch beside many": lambda: [
        named("one", runs.with_history(first(1))), named("many")
    ],
    "5 and 500 epochs": lambda: [
        named("short", runs.with_history(first(5))),
        named("long", runs.with_history(noisy(500))),
    ],
    "4 and 9 epochs": lambda: [falling("short", 0.3, 4), falling("long", 0.2, 9)],
    "NaN": lambda: [
        named("fine"),
        named("broke", runs.with_history(broken(12))),
        named("never", runs.with_history(broken(0))),
    ],
    "NaN alone": lambda: [named(name, runs.with_history(broken(0))) for name in "ab"],
    "other monitors": lambda: [
        named("loss"),
        named("accuracy", runs.with_history(first(20), monitor="val_accuracy")),
    ],
    "accuracy monitored": lambda: [
        named(name, runs.with_history(first(epochs), monitor="val_accuracy"))
        for name, epochs in (("ten", 10), ("twenty", 20))
    ],
    "no validation": lambda: [silent("a"), silent("b")],
    "one without validation": lambda: [named("with"), silent("without")],
    "equal names": lambda: [
        falling("a", 0.3), falling("a", 0.25), falling("a", 0.2, kind="lstm"), falling("b", 0.1)
    ],
    "hostile names": lambda: [
        falling("$x^", 0.3), falling("<b>bold</b>", 0.25), falling("[/red]\n\t", 0.2),
        falling("", 0.1), falling("猫" * 40, 0.4),
    ],
    "long names": lambda: [falling(f"{LONG}{i}", 0.3 + 0.1 * i) for i in range(4)],
    "long equal names": lambda: [falling(LONG * 3, 0.3), falling(LONG * 3, 0.2)],
    "six orders": lambda: [
        named(f"1e-{power}", runs.with_history({
            "loss": 10 ** -np.linspace(0, power, 40), "val_loss": 10 ** -np.linspace(0, power, 40)
        }))
        for power in (1, 3, 6)
    ],
    "all the same": lambda: [falling(name, 0.3) for name in "abc"],
    "forecasts": lambda: [named("rnn", forecaster()), named("lstm", forecaster(), kind="lstm")],
    "other data": lambda: [
        named("small", fingerprint="x"),
        named("large", runs.with_history(first(30))),
    ],
    "transfer": lambda: [named("transfer", transfer()), named("plain")],
}  # fmt: skip


@pytest.mark.parametrize(("case", "theme", "narrow"), looks(CASES))
@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")
def test_every_case_is_readable(case, theme, narrow):
    assert_readable(draw_comparison(CASES[case](), THEMES[theme], narrow=narrow))


@pytest.mark.parametrize(
    ("case", "finding"),
    [
        ("two", "cnn-1 reaches the lowest validation loss, 0.204"),
        ("all the same", "All 3 runs reach the same validation loss, 0.304"),
        ("one epoch each", "All 3 runs reach the same validation loss, 2.11"),
        ("NaN", "fine reaches the lowest validation loss, 0.622"),
        ("NaN alone", "No run has a validation loss that is a number"),
        ("other monitors", "loss reaches the lowest validation loss, 0.622"),
        ("accuracy monitored", "twenty reaches the highest validation accuracy, 81.0 %"),
        ("no validation", "Both runs reach the same training loss, 0.100"),
        ("one without validation", "with reaches the lowest validation loss, 0.622"),
        ("equal names", "b reaches the lowest validation loss, 0.104"),
    ],
)
def test_the_finding_is_the_title(case, finding):
    found = comparison_finding(CASES[case]())
    assert found.startswith(finding)
    assert found in texts(draw_comparison(CASES[case](), LIGHT))


def test_lines_are_named_and_differ_in_colour_and_dash():
    figure = draw_comparison(several(MOST_RUNS), LIGHT)
    for ax in figure.axes:
        curves = [line for line in ax.lines if len(line.get_xdata()) == 25]
        assert len(curves) == MOST_RUNS
        looks = {(line.get_color(), str(line._unscaled_dash_pattern)) for line in curves}
        assert len(looks) == len({dash for _, dash in looks}) == len({c for c, _ in looks}) == 8
    found = texts(figure)
    assert {f"cnn-{i + 1}  {0.2037 + 0.03 * i:.3f}" for i in range(8)} <= set(found)
    assert "Validation loss (log scale, lower is better)" in found
    assert "Validation accuracy (higher is better)" in found


def test_each_best_epoch_is_a_ringed_dot():
    for ax in draw_comparison(CASES["one overfits"](), LIGHT).axes:
        dots = [line for line in ax.lines if line.get_marker() == "o"]
        assert [list(line.get_xdata()) for line in dots] == [[20], [8]]
        assert all(line.get_markeredgecolor() == LIGHT.background for line in dots)


def test_a_shorter_run_is_tied_to_its_name():
    figure = draw_comparison(CASES["4 and 9 epochs"](), LIGHT)
    ax = figure.axes[0]
    assert ax.get_xscale() == "linear"
    assert [4.0, 9.0] in [[float(x) for x in line.get_xdata()] for line in ax.lines]
    ends = [line for line in ax.lines if line.get_marker() == "|"]
    assert [float(line.get_xdata()[0]) for line in ends] == [4.0]


def test_very_unequal_lengths_stand_on_a_log_scale():
    figure = draw_comparison(CASES["5 and 500 epochs"](), LIGHT)
    assert figure.axes[0].get_xscale() == "log"
    assert list(figure.axes[0].get_xticks()) == [1, 10, 100, 500]
    assert "epoch (log scale)" in texts(figure)


def test_a_broken_run_ends_in_a_cross():
    figure = draw_comparison(CASES["NaN"](), LIGHT)
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert [float(line.get_xdata()[0]) for line in crosses] == [12.0]
    assert "never  not a number" in texts(figure)


def context(compared: Sequence[StoredRun]) -> str:
    return " ".join(texts(draw_comparison(compared, LIGHT)))


def test_what_the_runs_differ_in_is_said():
    configs = [
        {"seed": 1, "data": {"source": "digits"}, "training": {"learning_rate": rate, **more}}
        for rate, more in ((0.001, {}), (0.01, {}), (0.01, {"batch_size": 8}))
    ]
    compared = [falling(f"r{i}", 0.1 * i + 0.1, config=c) for i, c in enumerate(configs)]
    assert "they differ in learning rate, batch size" in context(compared)
    assert "CNN on digits" in context(compared)
    assert "all settings are the same" in context(compared[:1] * 2)
    many = [
        falling("a", 0.1), falling("b", 0.2, config={"kind": "x", **dict.fromkeys("abcdef", 1)})
    ]  # fmt: skip
    assert "they differ in kind, seed, source, 8 more settings" in context(many)


def test_other_data_and_other_parts_are_said():
    assert "trained on different data" in context(CASES["other data"]())
    assert "different data" not in context(CASES["two"]())
    mixed = context(CASES["one without validation"]())
    assert "of runs without a validation part: training accuracy and training loss" in mixed
    assert "without a validation part" not in context(CASES["no validation"]())


def test_equal_names_are_told_apart():
    assert _names(CASES["equal names"]()) == ["cnn/a (1)", "cnn/a (2)", "lstm/a", "b"]
    short = _short([LONG * 3, LONG * 3, "b"], 1.0)
    assert len(set(short)) == 3
    assert all(text_width(name, CONTEXT, bold=True) <= 1.0 for name in short)


def test_what_cannot_be_compared_is_refused():
    for count in (0, 1, MOST_RUNS + 1):
        with pytest.raises(UsageError, match=f"{count} runs cannot be compared"):
            draw_comparison(several(count), LIGHT)
    with pytest.raises(UsageError, match="a is a classification and b a forecast"):
        comparison_finding([named("a"), named("b", forecaster())])
    with pytest.raises(RunError, match="no finished epoch"):
        draw_comparison([named("a"), named("b", history=())], LIGHT)
