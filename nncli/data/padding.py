"""Sequences of unequal lengths as one array: padded at their ends with steps to be skipped.

A model knows those steps by their value, which no real step has in all its features. They stand
after the real ones, as the fused kernels of a GPU want it.
"""

from __future__ import annotations

from collections.abc import Sequence

from nncli.lazy import NDArray, np
from nncli.results import Array

_FIRST_VALUE = -1000.0
"""So far from scaled numbers that new samples will not have it either; exact in all formats."""


def padded(sequences: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Stack sequences, the shorter ones padded with NaN.

    Args:
        sequences: (steps, features) each, steps of its own.

    Returns:
        (samples, steps of the longest, features).
    """
    steps = max(len(sequence) for sequence in sequences)
    x = np.full((len(sequences), steps, sequences[0].shape[1]), np.nan)
    for row, sequence in zip(x, sequences, strict=True):
        row[: len(sequence)] = sequence
    return x


def filled(x: NDArray[np.float32]) -> tuple[NDArray[np.float32], float | None]:
    """Put a number that no real step has in all its features in the place of NaN.

    Args:
        x: (samples, steps, features), scaled, NaN in all features of padded steps.

    Returns:
        The same without NaN, and the number; None where nothing is padded.
    """
    empty = np.asarray(np.isnan(x)).any(axis=-1, keepdims=True)  # (samples, steps, 1)
    if not empty.any():
        return x, None
    value = _FIRST_VALUE
    while np.asarray(x == value).all(axis=-1).any():
        value *= 2
    return np.where(empty, np.float32(value), x), value


def unfilled(x: Array, padding: float | None) -> Array:
    """Samples for people to see: NaN, which no picture draws, in padded steps.

    Args:
        x: (samples, steps, features).
        padding: the value of padded steps; None where there are none.
    """
    if padding is None:
        return x
    skipped = np.asarray(x == padding).all(axis=-1, keepdims=True)
    return np.where(skipped, np.float32(np.nan), x)
