"""How matplotlib is imported: without help that nobody reads, and otherwise as ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DRAW = """
from pathlib import Path
from nncli.activations import get
from nncli.plots.activation import draw_activation
from nncli.plots.figure import save
save(draw_activation([get("gelu")], -5, 5, 99, True), Path(sys.argv[1]))
"""
EVERY_ARTIST = """
from matplotlib.artist import Artist
def below(cls):
    for each in cls.__subclasses__():
        yield each
        yield from below(each)
for cls in below(Artist):
    print(cls.__module__, cls.__qualname__, cls.set.__qualname__, cls.draw.__qualname__)
"""


def python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_figure_is_the_same_whoever_imported_matplotlib(tmp_path: Path, ending: str) -> None:
    ours, theirs = tmp_path / f"ours.{ending}", tmp_path / f"theirs.{ending}"
    artists = python(DRAW + EVERY_ARTIST, str(ours))
    assert python("import matplotlib.figure\n" + DRAW + EVERY_ARTIST, str(theirs)) == artists
    assert len(artists.splitlines()) > 80
    assert ours.read_bytes() == theirs.read_bytes()


def test_only_help_is_left_out_and_only_while_nncli_imports() -> None:
    python(
        """
from nncli.plots.figure import load_matplotlib
load_matplotlib()
from matplotlib.lines import Line2D
assert "linewidth" not in (Line2D.set.__doc__ or "")
line = Line2D([], [])
line.set(linewidth=7, alpha=0.5)
assert (line.get_linewidth(), line.get_alpha()) == (7, 0.5)
try:
    line.set(linewith=7)
except AttributeError:
    pass
else:
    raise AssertionError
class Own(Line2D):
    def set_own(self, own):
        pass
assert "linewidth" in Own.set.__doc__ and "own" in Own.set.__doc__
"""
    )


def test_what_was_imported_before_keeps_its_help() -> None:
    python(
        """
import matplotlib.pyplot as plt
from nncli.plots.figure import load_matplotlib
load_matplotlib()
assert "linewidth" in plt.Line2D.set.__doc__ and "linewidth" in plt.plot.__doc__
"""
    )
