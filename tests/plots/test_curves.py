from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nncli.errors import RunError
from nncli.plots.curves import curves_finding, draw_curves
from nncli.plots.figure import LIGHT, THEMES
from nncli.results import StoredRun
from tests.plots import runs
from tests.plots.readable import assert_readable, looks

NAN = float("nan")


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def overfitted() -> dict[str, list[float]]:
    return runs.digits_history(30, 48, 0.02)


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


def resumed(*epochs: int) -> StoredRun:
    return replace(CASES["overfitted"](), run={"resumed": list(epochs)})


CASES = {
    "overfitted": lambda: runs.with_history(overfitted()),
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
    "exactly 1": lambda: runs.with_history(
        {
            **first(8),
            "accuracy": [0.5, 0.9, 0.99, 1.0, 1.0, 1.0, 1.0, 1.0],
            "val_accuracy": [0.6, 0.8, 0.97, 0.98, 1.0, 1.0, 1.0, 1.0],
        }
    ),
    "resumed": lambda: resumed(12),
    "resumed twice": lambda: resumed(9, 10),
    "resumed at the best epoch": lambda: resumed(int(np.argmin(overfitted()["val_loss"])) + 1),
    "resumed often": lambda: resumed(*range(1, 30)),
    "diverged": lambda: replace(
        CASES["NaN at the end"](),
        metrics={"monitor": "val_loss", "diverged": {"epoch": 23, "step": 1234}},
    ),
    "long names": lambda: runs.with_history(
        first(30), name="a-very-long-run-name-" * 8, config={"data": {"source": "$x^" * 30}}
    ),
}


@pytest.mark.parametrize(("case", "theme", "narrow"), looks(CASES))
def test_every_case_is_readable(case, theme, narrow):
    assert_readable(draw_curves(CASES[case](), THEMES[theme], narrow=narrow))


def test_the_finding_is_the_title():
    run = CASES["overfitted"]()
    history = overfitted()["val_loss"]
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


def test_no_number_is_not_called_no_improvement():
    found = texts(draw_curves(CASES["NaN at the end"](), LIGHT))
    assert not any("no longer" in text or "improves" in text for text in found)
    assert "loss" in found  # on lines of its own beside the hairline
    assert {"is not a number"} <= set(found) or {"is not a", "number"} <= set(found)


def test_the_step_that_broke_the_loss_is_named():
    assert "the loss is not a number from epoch 23, step 1,234 on; best" in curves_finding(
        CASES["diverged"]()
    )
    early = replace(
        CASES["NaN from the start"](),
        metrics={"monitor": "val_loss", "diverged": {"epoch": 1, "step": 5}},
    )
    assert curves_finding(early).endswith("the loss is not a number from epoch 1, step 5 on")


def test_resumptions_are_marked():
    figure = draw_curves(CASES["resumed"](), LIGHT)
    plain = draw_curves(CASES["overfitted"](), LIGHT)
    assert texts(figure).count("resumed") == 2  # once on each panel
    assert any("resumed after epoch 12" in text for text in texts(figure))
    assert len(figure.axes[0].lines) == len(plain.axes[0].lines) + 1
    often = draw_curves(CASES["resumed often"](), LIGHT)
    assert "resumed" not in texts(often)
    assert any("resumed 29 times" in text for text in texts(often))
    assert len(often.axes[0].lines) == len(plain.axes[0].lines) + 29


@pytest.mark.parametrize("stored", [[0], [30], [31], ["x"], "12", None, {"a": 1}, [12.5]])
def test_resumptions_that_lie_between_no_two_epochs_are_not(stored):
    figure = draw_curves(replace(CASES["overfitted"](), run={"resumed": stored}), LIGHT)
    assert not any("resumed" in text for text in texts(figure))


def test_resumptions_count_from_the_first_epoch_after_pretraining():
    figure = draw_curves(replace(transfer(), run={"resumed": [2, 13]}), LIGHT)
    assert any("resumed after epoch 10" in text for text in texts(figure))


def test_narrow_panels_stand_below_each_other():
    loss, accuracy = draw_curves(CASES["overfitted"](), LIGHT, narrow=True).axes
    assert loss.get_position().x0 == accuracy.get_position().x0
    assert loss.get_position().y0 > accuracy.get_position().y1
    wide = draw_curves(CASES["overfitted"](), LIGHT)
    assert wide.axes[0].get_position().y0 == wide.axes[1].get_position().y0


def test_pretraining_is_left_out_and_phases_are_named():
    run = transfer()
    assert "at epoch 27 of 27" in curves_finding(run)
    figure = draw_curves(run, LIGHT)
    assert {"head", "fine-tuning"} <= set(texts(figure))
    assert figure.axes[0].get_xlim() == (1, 27)


def test_no_line_strikes_a_text_out():
    """The best epoch is one of the head's: what the shade says reaches into fine-tuning."""
    history = {
        "loss": [1.8, 1.1, 0.88, 0.73, 0.6, 0.5, 0.43, 0.39, 0.32, 0.27, 0.41, 0.34, 0.27, 0.23],
        "val_loss": [1.1, 1.04, 1.02, 0.97, 0.95, 0.92, *[1.0] * 4, 0.97, 0.95, 1.04, 0.98],
        "accuracy": [0.4, 0.6, 0.7, 0.75, *[0.8] * 10],
        "val_accuracy": [0.6] * 14,
    }
    run = runs.with_history(history, phases=[("head", 10), ("fine_tune", 4)], kind="transfer")
    figure = draw_curves(replace(run, metrics={"monitor": "val_loss", "best_epoch": 6}), LIGHT)
    figure.canvas.draw()
    ax = figure.axes[0]
    (change,) = [line for line in ax.lines if line.get_linestyle() == "-" and is_upright(line)]
    at = change.get_window_extent().x0
    boxes = [(text, text.get_window_extent()) for text in ax.texts]
    crossed = [text for text, box in boxes if box.x0 < at < box.x1]
    assert ["no longer" in text.get_text() for text in crossed] == [True]
    assert all(text.get_path_effects() for text in crossed)


def is_upright(line: Line2D) -> bool:
    across, up = line.get_data()
    return len(across) == 2 and across[0] == across[1] and up[0] == 0


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


def test_no_epoch_is_refused():
    with pytest.raises(RunError, match="no finished epoch"):
        draw_curves(runs.stored(), LIGHT)
