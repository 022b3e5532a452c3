"""The order in which samples are seen: other in every epoch, the same for the same seed.

A seeded Keras `fit(shuffle=True)` on arrays repeats one order for ever, so nncli shuffles
itself and lets nobody else do it. TensorFlow's own: `tf.data` feeds `fit` one endless stream of
what is on the disk, which saves Keras's set-up of every epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli import backend
from nncli.data.dataset import Split
from nncli.data.samples import Divided, Inputs, Samples
from nncli.results import Array
from nncli.training.stream import divided, streamed, untuned

ORDER_STREAM = 2
"""Keeps the shuffling apart from other uses of the same seed."""
LARGE_BATCH = 128
"""Samples at once where no weight changes: validation, prediction, feature extraction. 256 are no
faster on a CPU and take 30 MB more of the lesson's cnn."""
LARGEST_BATCH = 16_000_000
"""Bytes of them, so that large pictures do not take all memory."""


def permutation(seed: int, epoch: int, samples: int) -> NDArray[np.int32]:
    """The order of one epoch, a pure function of the seed and the epoch's number."""
    stream = np.random.PCG64(np.random.SeedSequence([seed, ORDER_STREAM, epoch]))
    return np.random.Generator(stream).permutation(samples).astype(np.int32)


def order_of(samples: int, seed: int, epoch: int, *, shuffle: bool) -> NDArray[np.int32]:
    """The rows of the samples in the order of one epoch; without `shuffle` always the same."""
    return permutation(seed, epoch, samples) if shuffle else np.arange(samples, dtype=np.int32)


def training_batches(
    split: Split, batch_size: int, seed: int, first_epoch: int, epochs: int, *, shuffle: bool = True
) -> Any:
    """One stream of batches from the disk for all epochs, to be used with `steps_per_epoch`.

    Without `shuffle` every epoch takes the samples in their own order. Samples in memory need no
    stream, see `nncli.training.steps`.

    Returns:
        A tf.data.Dataset of (x, y): (batch, …) each; the last batch of an epoch may be shorter.
    """
    assert isinstance(split.x, Samples)
    numbers = range(first_epoch, first_epoch + epochs)

    def batches() -> Iterator[Array]:
        for epoch in numbers:
            yield from _cut(order_of(len(split), seed, epoch, shuffle=shuffle), batch_size)

    return streamed(split.x, split.y, batches, steps_of(split, batch_size) * epochs)


def fixed_batches(split: Split) -> Any:
    """The samples in their own order, in large batches: for validation."""
    if isinstance(split.x, Samples):
        size = large_batch(split.x.shape[1:])
        return streamed(split.x, split.y, lambda: in_order(split.x), steps_of(split, size))
    return sliced((split.x, split.y), large_batch(split.x.shape[1:]))


def sliced(arrays: tuple[Array | Divided, ...], size: int) -> Any:
    """A tf.data.Dataset of arrays in memory, in batches; the first may be bytes to be divided."""
    tf, first = backend.tensorflow(), arrays[0]
    if isinstance(first, Divided):
        return divided(sliced((first.whole, *arrays[1:]), size), first.divisor)
    return untuned(tf.data.Dataset.from_tensor_slices(arrays).batch(size))


def large_batch(shape: Sequence[int]) -> int:
    """How many samples of this shape at once, where no weight changes."""
    sample = 4 * int(np.prod(shape, dtype=np.int64))
    return max(1, min(LARGE_BATCH, LARGEST_BATCH // max(1, sample)))


def in_order(x: Inputs) -> Iterator[Array]:
    """The rows of all samples, in large batches."""
    return _cut(np.arange(len(x), dtype=np.int32), large_batch(x.shape[1:]))


def _cut(order: Array, size: int) -> Iterator[Array]:
    return (order[begin : begin + size] for begin in range(0, len(order), size))


def steps_of(split: Split, batch_size: int) -> int:
    """Steps of one epoch, the short one at the end included."""
    return -(-len(split) // batch_size)
