from __future__ import annotations

import subprocess
import sys
import warnings
from itertools import pairwise
from pathlib import Path

import pytest

from nncli.plots import FIGURES, FailedFigure, FigureKind, SavedFigure, save_all
from nncli.plots.figure import THEMES, three_digits
from nncli.plots.labels import spread, step_ticks
from nncli.results import StoredRun
from tests.plots import runs


def classifier() -> StoredRun:
    history = {name: values[:5] for name, values in runs.digits_history().items()}
    return runs.with_history(history, predictions=runs.digits_predictions())


def test_the_table_names_its_rows():
    assert list(FIGURES) == [kind.name for kind in FIGURES.values()]
    assert all(kind.meaning for kind in FIGURES.values())


def test_the_table_costs_no_matplotlib():
    code = "import sys, nncli.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_figures_are_saved(tmp_path: Path, format):
    done = save_all(
        classifier(), tmp_path / "plots", ["curves", "architecture"], THEMES["dark"], format
    )
    for figure in done:
        assert isinstance(figure, SavedFigure)
        assert figure.path == tmp_path / "plots" / f"{figure.name}.{format}"
        assert figure.path.stat().st_size > 1000
        assert figure.finding
        assert figure.meaning == FIGURES[figure.name].meaning


def test_failures_are_reported_and_do_not_stop_the_rest(tmp_path: Path, monkeypatch):
    def explode(run, theme):
        raise ZeroDivisionError("boom")

    kind = FigureKind("confusion", explode, str, "nothing", "predictions")
    monkeypatch.setitem(FIGURES, "confusion", kind)
    done = save_all(classifier(), tmp_path, ["confusion", "forecast", "nonsense", "predictions"])
    assert done[0] == FailedFigure("confusion", "ZeroDivisionError: boom")
    assert isinstance(done[1], FailedFigure)
    assert "no forecast" in done[1].reason
    assert done[2] == FailedFigure("nonsense", "unknown figure 'nonsense'")
    assert isinstance(done[3], SavedFigure)


def test_a_folder_that_cannot_be_written_is_a_failure(tmp_path: Path):
    (tmp_path / "file").write_text("")
    (failed,) = save_all(classifier(), tmp_path / "file", ["architecture"])
    assert isinstance(failed, FailedFigure)
    assert "cannot write" in failed.reason


def test_names_in_other_scripts_do_not_warn(tmp_path: Path):
    run = runs.stored(predictions=runs.invented(["猫", "犬"], 40))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (saved,) = save_all(run, tmp_path, ["confusion"])
    assert isinstance(saved, SavedFigure)


@pytest.mark.parametrize(
    "wanted", [[0.5, 0.5, 0.5], [0.0, 0.01, 0.9], [1.0, 0.99, 0.98], [0.2, 0.5, 0.8], []]
)
def test_labels_are_pushed_apart_within_bounds(wanted):
    placed = spread(wanted, 0.2, 0.0, 1.0)
    ordered = sorted(placed)
    assert all(b - a >= 0.2 - 1e-9 for a, b in pairwise(ordered))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in placed)


@pytest.mark.parametrize("last", [1, 2, 5, 7, 8, 25, 100, 101, 999, 5000, 1_000_000])
def test_ticks_hold_both_ends_and_stay_few(last):
    ticks = step_ticks(1, last)
    assert ticks[0] == 1
    assert ticks[-1] == last
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 9


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"), (0.0187, "0.0187"), (-12.34, "−12.3"), (0.099999, "0.100"), (9.999, "10.0"),
        (999_999.9, "1,000,000"), (1_234_567, "1.23e+06"), (1.2e-7, "1.20e−07"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits(value, shown):
    assert three_digits(value) == shown
