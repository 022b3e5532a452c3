"""What holds for every figure alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from nncli import plots
from nncli.plots.comparison import draw_comparison
from nncli.plots.figure import LIGHT
from nncli.results import StoredRun
from tests.plots import runs
from tests.plots.gallery import EXHIBITS, drawn, file_of, index, pictures
from tests.plots.readable import assert_readable, visible_texts

ROOT = Path(__file__).parents[2]
HOSTILE = "$x^{2}$\n<b>&amp;</b>\t[/red]\r\x1b[31m\u202e\ud800"
ALONE = """
import socket, sys, runpy, warnings
def refuse(*a, **k): raise OSError("no network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
warnings.simplefilter("error")
from nncli.plots.figure import LIGHT, new_figure
assert "matplotlib" not in sys.modules
new_figure(1, 1, LIGHT)
sys.argv = ["gallery", "--digests"]
runpy.run_module("tests.plots.gallery", run_name="__main__")
assert "matplotlib.pyplot" not in sys.modules
"""


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """What two Pythons with other hash seeds draw, without a network, and one without a home."""
    temporary = tmp_path_factory.mktemp("temporary")
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MPL", "XDG_", "PYTHONHASHSEED", "DISPLAY"))
    }
    nowhere = {"HOME": "/dev/null/x", "USERPROFILE": "/dev/null/x", "TMPDIR": str(temporary)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", ALONE],
            cwd=ROOT,
            env={**plain, "PYTHONHASHSEED": seed, **how},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed, how in (("1", {}), ("2", nowhere))
    ]
    return [(*process.communicate(timeout=300), process.returncode) for process in started]


def test_equal_input_gives_equal_svg_in_every_process(processes):
    one, other = (json.loads(output) for output, _, _ in processes)
    assert one == other
    assert set(one) == {
        f"{name} {look}" for name, row in EXHIBITS.items() for look in (row.looks[0], row.looks[-1])
    }
    assert len(set(one.values())) == len(one)


def test_no_home_no_network_no_display_and_no_warning(processes):
    assert [(errors, code) for _, errors, code in processes] == [("", 0), ("", 0)]


def test_the_gallery_lists_every_case():
    page = index(list(EXHIBITS))
    everything = pictures(list(EXHIBITS))
    files = {file_of(picture) for picture in everything}
    assert len(files) == len(everything)
    assert all(f'src="{file}"' in page for file in files)
    assert len(everything) == sum(len(row.cases) * len(row.looks) for row in EXHIBITS.values())


def test_the_gallery_has_every_figure_of_a_run():
    assert set(plots.FIGURES) <= set(EXHIBITS)


def hostile() -> StoredRun:
    """A run with all that a user can name named badly."""
    classes = [HOSTILE, "\n", HOSTILE * 9]
    layers = (*runs.cnn_layers(), runs.row(HOSTILE, HOSTILE, HOSTILE, (3,), 7))
    forecast = runs.sine_run().forecast
    assert forecast is not None
    return runs.with_history(
        {name: values[:3] for name, values in runs.digits_history().items()},
        name=HOSTILE,
        kind=HOSTILE,
        config={"data": {"source": HOSTILE}, "training": {"optimizer": HOSTILE}, "seed": HOSTILE},
        layers=layers,
        predictions=runs.invented(classes, 200, sharpness=1.5),
        forecast=replace(forecast, name=HOSTILE, labels=(HOSTILE,) * len(forecast.truth)),
    )


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", [*plots.FIGURES, "comparison"])
def test_names_are_text_on_one_line_and_nothing_else(name, narrow):
    run = hostile()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if name == "comparison":
            figure = draw_comparison([run, run], LIGHT, narrow=narrow)
        else:
            figure = plots.FIGURES[name].draw(run, LIGHT, narrow=narrow)
        assert_readable(figure)
    shown = [text for text, _ in visible_texts(figure)]
    assert any("$" in text.get_text() for text in shown)
    for text in shown:
        assert text.get_text().isprintable() or not text.get_text().strip()
        assert "$" not in text.get_text() or not text.get_parse_math()


@pytest.mark.parametrize(
    "name", [name for name, row in EXHIBITS.items() if "narrow light" in row.looks]
)
def test_narrow_figures_fit_a_phone(name):
    figure = drawn((name, EXHIBITS[name].example, "narrow light"))
    assert 4.6 <= figure.get_size_inches()[0] <= 5.2
