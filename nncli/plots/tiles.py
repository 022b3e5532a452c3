"""Samples as small pictures and lines, many on one pair of axes that is measured in inches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nncli.plots.figure import Theme
from nncli.results import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Tile = tuple[float, float, float, float]
"""Left, top, width and height in inches."""
DISTINCT_LINES = 3
"""Up to so many features of a sequence get a line each."""
MOST_COLUMNS = 200
"""Steps that can be told apart on a tile."""


def frame(ax: Axes, tile: Tile, colour: str, thickness: float) -> None:
    """The edges of a tile."""
    from matplotlib.patches import Rectangle

    left, top, width, height = tile
    edges = Rectangle((left, top), width, height, fill=False, edgecolor=colour,
                      linewidth=thickness, zorder=4)  # fmt: skip
    ax.add_patch(edges)


def draw_picture(ax: Axes, image: Array, tile: Tile) -> None:
    """An image, (height, width, channels) from 0 to 255; one channel is grey."""
    left, top, width, height = tile
    pixels = np.asarray(image, dtype=np.uint8)
    grey = pixels.shape[-1] < 3
    ax.imshow(pixels[..., 0] if grey else pixels[..., :3], cmap="gray" if grey else None,
              vmin=0, vmax=255, extent=(left, left + width, top + height, top),
              interpolation="none", aspect="auto", zorder=2)  # fmt: skip


def draw_features(
    ax: Axes, theme: Theme, sequence: Array, tile: Tile, limits: tuple[float, float]
) -> None:
    """A sequence of many features as a picture: a row for each, a column for each step."""
    from matplotlib.colors import to_rgb

    values: NDArray[np.float64] = np.asarray(sequence, dtype=np.float64)
    steps = len(values)
    if steps > MOST_COLUMNS:
        each = -(-steps // MOST_COLUMNS)
        filled = np.pad(values, ((0, -steps % each), (0, 0)), mode="edge")
        values = filled.reshape(-1, each, values.shape[1]).mean(axis=1)
    low, high = limits
    share = ((values - low) / (high - low)).T[..., None]  # (features, steps, 1)
    paper, ink = np.asarray(to_rgb(theme.background)), np.asarray(to_rgb(theme.text))
    colours = np.where(np.isfinite(share), (1 - share) * paper + share * ink, paper)
    draw_picture(ax, np.round(255 * colours), tile)


def shared_limits(inputs: Array) -> tuple[float, float]:
    """The range that all sequences share, so that their heights can be compared."""
    values = np.asarray(inputs, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    pad = 0.08 * (high - low) or 0.5
    return low - pad, high + pad


def draw_sequences(
    ax: Axes,
    theme: Theme,
    sequences: Sequence[Array],
    tiles: Sequence[Tile],
    limits: tuple[float, float],
) -> None:
    """A sequence in each tile, a line for each of up to three features.

    Each is (steps, features) with NaN where it has ended.
    """
    if not len(sequences):
        return
    steps, features = np.shape(sequences[0])
    first, last = -0.02 * steps, max(1.0, 1.02 * (steps - 1))
    along = (np.arange(steps) - first) / (last - first)
    low, high = limits
    # One line for all tiles, interrupted between two: (tiles × (steps + 1), features).
    gap = np.full((1, features), np.nan)
    x, y = [], []
    for sequence, (left, top, width, height) in zip(sequences, tiles, strict=True):
        x += [left + width * along, gap[0, :1]]
        y += [top + height * (high - np.asarray(sequence, dtype=np.float64)) / (high - low), gap]
    across, down = np.concatenate(x), np.concatenate(y)
    looks = [(theme.train, "-"), (theme.validation, (0, (3, 1.2))), (theme.third, (0, (1, 1)))]
    for values, (colour, dash) in zip(down.T, looks, strict=False):
        ax.plot(across, values, color=colour, linestyle=dash, linewidth=1.4,
                marker="o" if steps == 1 else None, markersize=5, zorder=3)  # fmt: skip
