"""Samples as they are before any preparation, and what Keras answers to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nncli import data
from nncli.data.padding import unfilled
from nncli.errors import DataError
from nncli.lazy import np
from nncli.results import Array
from nncli.training.inference import predict

if TYPE_CHECKING:
    from nncli.data.dataset import Dataset
    from nncli.data.learned import Learned
    from nncli.trained.model import OpenedRun

MOST = 256
"""Samples that a file is compared on."""
MOST_BYTES = 16_000_000
"""Of them, so that runtimes that take one at a time are done soon."""


@dataclass(frozen=True)
class Probe:
    """What a file is asked."""

    x: Array
    """(samples, height, width, channels) pixels in 0..255, or (samples, steps, features) in own
    units with NaN in padded steps; float32."""
    of: str
    """Which they are, in words."""
    is_real: bool


def load_samples(opened: OpenedRun) -> tuple[Dataset | None, str]:
    """The run's samples, or why there are none."""
    try:
        dataset = data.load(opened.config.data, opened.config.seed)
    except DataError as error:
        return None, str(error)
    if dataset.input_shape != opened.learned.input_shape:
        return None, f"the data has changed: its samples are {dataset.input_shape} now"
    return dataset, ""


def probe(opened: OpenedRun, dataset: Dataset | None, problem: str) -> Probe:
    """Samples of the test part, evenly over it; where they are gone, made-up ones.

    Args:
        opened: the run.
        dataset: its samples.
        problem: why there are none.
    """
    learned = opened.learned
    sample = 4 * int(np.prod(learned.input_shape))
    most = max(1, min(MOST, MOST_BYTES // sample))
    if dataset is None:
        return Probe(_made_up(learned, min(most, 64)), f"made up ({problem})", is_real=False)
    test = dataset.test.x
    rows = np.linspace(0, len(test) - 1, min(most, len(test))).round().astype(np.intp)
    x = np.asarray(test[rows])
    last = None
    if dataset.series is not None and dataset.series.relative:
        last = dataset.series.before[rows]
    return Probe(own_units(learned, x, last), "of the test part", is_real=True)


def own_units(learned: Learned, x: Array, last: Array | None = None) -> Array:
    """Samples as `nncli.data` gives them, before any scaling: float32.

    Args:
        learned: how they were scaled.
        x: (samples, …), as they are before their preparation.
        last: (samples,) the last value of each window, where a model sees it from there.
    """
    if learned.is_images:
        return np.asarray(x, dtype=np.float32)
    offset, factor = np.zeros(x.shape[-1]), np.ones(x.shape[-1])
    beside = 0 if learned.series is None else 1
    if learned.scaler is not None:
        offset[beside:], factor[beside:] = learned.scaler.offset, learned.scaler.scale
    if learned.series is not None:
        offset[0] = 0 if learned.series.relative else learned.series.offset
        factor[0] = learned.series.scale
    values = unfilled(x, learned.padding).astype(np.float64) * factor + offset
    if last is not None:
        values[:, :, 0] += last[:, None]
    return values.astype(np.float32)


def prepared(opened: OpenedRun, x: Array) -> Array:
    """Raw samples as the run's model wants them: what a travelling model does by its layers."""
    learned = opened.learned
    if learned.is_images:
        return np.asarray(opened.prepared(x))
    if learned.series is None:
        return learned.filled("the samples", learned.scaled("the samples", x))
    series = learned.series.series(np.empty(0), np.empty(0))
    exact = x.astype(np.float64)
    first = series.scaled_inputs(exact[:, :, :1], exact[:, -1:, :1])
    if learned.scaler is None:
        return np.asarray(first)
    return np.concatenate([first, learned.scaler.scaler.apply(exact[:, :, 1:])], axis=-1)


def in_own_units(learned: Learned, answers: Array, x: Array) -> Array:
    """What a model answers to raw samples `x`, in their units: float64."""
    if learned.series is None:
        return np.asarray(answers, dtype=np.float64)
    series = learned.series.series(np.empty(0), np.empty(0))
    return series.to_units(answers, x[:, -1, :1].astype(np.float64))


def expected(opened: OpenedRun, model: Any, x: Array) -> Array:
    """What the run's model answers to raw samples in Keras: (samples, …) float64."""
    return in_own_units(opened.learned, predict(model, prepared(opened, x)), x)


def largest_difference(learned: Learned, given: Array, wanted: Array) -> float:
    """Of a probability, or of a forecast in deviations of the training part; infinite where an
    answer is no number, or is missing."""
    if given.shape != wanted.shape:
        return float("inf")
    factor = 1.0 if learned.series is None else learned.series.scale
    difference = float(np.abs(np.asarray(given, dtype=np.float64) - wanted).max() / factor)
    return difference if np.isfinite(difference) else float("inf")


def _made_up(learned: Learned, count: int) -> Array:
    """Random samples of the right shape and range."""
    random = np.random.default_rng(0)
    shape = (count, *learned.input_shape)
    if learned.is_images:
        return random.integers(0, 256, shape).astype(np.float32)
    x = random.standard_normal(shape).astype(np.float32)
    last = None
    if learned.series is not None and learned.series.relative:
        last = np.full(count, learned.series.offset)
        x[:, -1, 0] = 0  # a window from its last value ends with it
    return own_units(learned, x, last)
