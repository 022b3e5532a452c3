from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from nncli.errors import RunError
from nncli.plots.curves import curves_finding, draw_curves
from nncli.plots.figure import LIGHT, THEMES, save
from nncli.results import StoredRun
from tests.plots import runs
from tests.plots.readable import assert_readable

NAN = float("nan")


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def first(epochs: int) -> dict[str, list[float]]:
    return {name: values[:epochs] for name, values in runs.digits_history().items()}


def noisy(epochs: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    t = np.arange(epochs) + 1
    wobble = 0.02 * random.normal(size=epochs) ** 2
    return {
        "loss": 2.3 * t**-0.4 + wobble,
        "accuracy": 1 - 0.9 * t**-0.3,
        "val_loss": 2.3 * t**-0.3 + wobble + 0.2 * t / epochs,
        "val_accuracy": 1 - 0.9 * t**-0.2,
    }


def broken(start: int) -> dict[str, list[float]]:
    found = {name: list(values) for name, values in runs.digits_history().items()}
    for name, values in found.items():
        values[start:] = [0.1 if "accuracy" in name else NAN] * (len(values) - start)
    return found


def transfer() -> StoredRun:
    history = {name: [0.2] * 3 + values[:27] for name, values in runs.digits_history().items()}
    run = runs.with_history(
        history, phases=[("pretrain", 3), ("head", 4), ("fine_tune", 23)], kind="transfer"
    )
    return replace(run, metrics={"monitor": "val_loss", "best_epoch": 30})


def forecaster(*names: str) -> StoredRun:
    t = np.arange(20)
    found = {
        "loss": 0.016 + 0.016 * np.exp(-t / 2),
        "val_loss": 0.018 + 0.006 * np.exp(-t / 8),
        "mean_absolute_error": 0.1 + 0.04 * np.exp(-t / 3),
        "val_mean_absolute_error": 0.104 + 0.015 * np.exp(-t / 8),
    }
    return runs.with_history(
        {name: found[name] for name in names or found}, kind="rnn", task="forecast"
    )


CASES = {
    "overfitted": lambda: runs.with_history(runs.digits_history(30, 48, 0.02)),
    "still improving": lambda: runs.with_history(runs.digits_history()),
    "1 epoch": lambda: runs.with_history(first(1)),
    "2 epochs": lambda: runs.with_history(first(2)),
    "5 epochs": lambda: runs.with_history(first(5)),
    "100 epochs": lambda: runs.with_history(noisy(100)),
    "5000 epochs": lambda: runs.with_history(noisy(5000)),
    "no validation": lambda: runs.with_history(
        {name: first(30)[name] for name in ("loss", "accuracy")}, monitor="loss"
    ),
    "NaN at the end": lambda: runs.with_history(broken(22)),
    "NaN from the start": lambda: runs.with_history(broken(0)),
    "NaN after one": lambda: runs.with_history(broken(1)),
    "infinite": lambda: runs.with_history({"loss": [2.0, np.inf], "val_loss": [2.0, np.inf]}),
    "phases": transfer,
    "constant": lambda: runs.with_history(
        {name: [1.0 if "accuracy" in name else 0.5] * 10 for name in first(1)}
    ),
    "zero": lambda: runs.with_history({"loss": [0.0] * 3, "val_loss": [0.0] * 3}),
    "six orders": lambda: runs.with_history(
        {"loss": 10 ** -np.linspace(0, 6.2, 40), "val_loss": 10 ** -np.linspace(0, 4, 40)}
    ),
    "narrow": lambda: runs.with_history(
        {
            "loss": np.linspace(0.2, 0.17, 12),
            "accuracy": np.linspace(0.97, 0.995, 12),
            "val_loss": 0.18 + 0.002 * np.cos(np.arange(12) / 2),
            "val_accuracy": 0.97 + 0.01 * np.sin(np.arange(12) / 3),
        }
    ),
    "forecast": forecaster,
    "loss alone": lambda: forecaster("loss", "val_loss"),
    "accuracy monitored": lambda: runs.with_history(first(30), monitor="val_accuracy"),
    "long names": lambda: runs.with_history(
        first(30), name="a-very-long-run-name-" * 8, config={"data": {"source": "$x^" * 30}}
    ),
}


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@pytest.mark.parametrize("case", CASES)
def test_every_case_is_readable(case, theme):
    assert_readable(draw_curves(CASES[case](), theme))


def test_the_finding_is_the_title():
    run = CASES["overfitted"]()
    history = runs.digits_history(30, 48, 0.02)["val_loss"]
    best = int(np.argmin(history)) + 1
    title = f"CNN on digits: best validation loss {min(history):.3f} at epoch {best} of 30"
    assert curves_finding(run) == title
    found = texts(draw_curves(run, LIGHT))
    assert title in found
    assert f"best epoch {best}" in found
    assert found.count("val loss no longer improves") == 1
    assert "Loss (log scale, lower is better)" in found
    assert "chance 10 %" in found


def test_ends_are_labelled_and_ticks_hold_both_ends():
    history = first(5)
    figure = draw_curves(runs.with_history(history), LIGHT)
    assert f"train {history['loss'][-1]:.2f}" in texts(figure)
    assert f"val {history['val_accuracy'][-1] * 100:.1f} %" in texts(figure)
    for ax in figure.axes:
        assert list(ax.get_xticks()) == [1, 2, 3, 4, 5]
    ticks = draw_curves(CASES["5000 epochs"](), LIGHT).axes[0].get_xticks()
    assert ticks[0] == 1
    assert ticks[-1] == 5000
    assert len(ticks) <= 8


def test_still_improving_is_said_and_nothing_is_shaded():
    run = runs.with_history(first(5))
    assert curves_finding(run).endswith("at epoch 5 of 5 (still improving)")
    assert not any("no longer" in text for text in texts(draw_curves(run, LIGHT)))


def test_one_epoch_is_drawn_as_points():
    run = runs.with_history(first(1))
    assert curves_finding(run).endswith("after 1 epoch")
    figure = draw_curves(run, LIGHT)
    assert any(line.get_marker() == "o" for line in figure.axes[0].lines)


def test_a_loss_that_is_no_number_is_the_finding():
    assert "the loss is not a number from epoch 23 on; best validation loss" in curves_finding(
        CASES["NaN at the end"]()
    )
    assert curves_finding(CASES["NaN from the start"]()).endswith(
        "the loss is not a number from epoch 1 on"
    )


def test_pretraining_is_left_out_and_phases_are_named():
    run = transfer()
    assert "at epoch 27 of 27" in curves_finding(run)
    figure = draw_curves(run, LIGHT)
    assert {"head", "fine-tuning"} <= set(texts(figure))
    assert figure.axes[0].get_xlim() == (1, 27)


def test_scales():
    low, high = draw_curves(runs.with_history(first(30)), LIGHT).axes[0].get_ylim()
    assert low == 0 < high
    assert draw_curves(CASES["six orders"](), LIGHT).axes[0].get_yscale() == "log"
    loss, accuracy = draw_curves(CASES["narrow"](), LIGHT).axes
    assert loss.get_ylim()[0] > 0.1
    assert accuracy.get_ylim()[0] > 0.9
    assert len(draw_curves(CASES["loss alone"](), LIGHT).axes) == 1


def test_the_stored_best_epoch_is_shown():
    run = runs.with_history(first(30))
    run = replace(run, metrics={"monitor": "val_loss", "best_epoch": 12})
    assert "at epoch 12 of 30" in curves_finding(run)


def test_equal_input_gives_equal_bytes(tmp_path: Path):
    one, two = (
        save(draw_curves(runs.with_history(first(9)), LIGHT), tmp_path / f"{name}.svg").read_bytes()
        for name in "ab"
    )
    assert one == two


def test_no_epoch_is_refused():
    with pytest.raises(RunError, match="no finished epoch"):
        draw_curves(runs.stored(), LIGHT)
