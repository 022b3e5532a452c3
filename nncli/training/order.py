"""The order in which samples are seen: other in every epoch, the same for the same seed.

A seeded Keras `fit(shuffle=True)` on arrays repeats one order for ever, so nncli shuffles
itself and lets nobody else do it. TensorFlow's own: `tf.data` feeds `fit` one endless stream,
which saves Keras's set-up of every epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli import backend
from nncli.data.dataset import Split

ORDER_STREAM = 2
"""Keeps the shuffling apart from other uses of the same seed."""
LARGE_BATCH = 256
"""Samples at once where no weight changes: validation, prediction, feature extraction."""


def permutation(seed: int, epoch: int, samples: int) -> NDArray[np.int32]:
    """The order of one epoch, a pure function of the seed and the epoch's number."""
    stream = np.random.PCG64(np.random.SeedSequence([seed, ORDER_STREAM, epoch]))
    return np.random.Generator(stream).permutation(samples).astype(np.int32)


def training_batches(
    split: Split, batch_size: int, seed: int, first_epoch: int, epochs: int, *, shuffle: bool = True
) -> Any:
    """One stream of batches for all epochs of a phase, to be used with `steps_per_epoch`.

    Without `shuffle` every epoch takes the samples in their own order.

    Returns:
        A tf.data.Dataset of (x, y): (batch, …) each; the last batch of an epoch may be shorter.
    """
    tf = backend.tensorflow()
    x, y = tf.constant(split.x), tf.constant(split.y)

    def orders() -> Iterator[NDArray[np.int32]]:
        for epoch in range(first_epoch, first_epoch + epochs):
            own = np.arange(len(split), dtype=np.int32)
            yield permutation(seed, epoch, len(split)) if shuffle else own

    signature = tf.TensorSpec((len(split),), tf.int32)
    batches = tf.data.Dataset.from_generator(orders, output_signature=signature).flat_map(
        lambda order: tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
    )
    return batches.map(lambda rows: (tf.gather(x, rows), tf.gather(y, rows))).prefetch(2)


def fixed_batches(split: Split) -> Any:
    """The samples in their own order, in large batches: for validation."""
    tf = backend.tensorflow()
    return tf.data.Dataset.from_tensor_slices((split.x, split.y)).batch(LARGE_BATCH)


def steps_of(split: Split, batch_size: int) -> int:
    """Steps of one epoch, the short one at the end included."""
    return -(-len(split) // batch_size)
