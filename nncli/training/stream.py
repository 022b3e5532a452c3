"""Samples on the disk as TensorFlow's stream of batches: read ahead, in parallel, in order.

TensorFlow's own. The order is given, so the same seed gives the same batches whatever thread
reads them; while one batch is trained on, the next ones are read.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from nncli import backend
from nncli.config.sections import available_threads
from nncli.data.samples import Converted, Samples, bytes_of, divisor_of
from nncli.errors import NncliError
from nncli.results import Array

MOST_THREADS = 16
AHEAD = 2
"""Batches that wait, beyond those that are being read."""
MOST_BYTES = 48_000_000
"""What all of them take, at most, where a single one takes less."""

_failed: list[NncliError] = []


def streamed(
    x: Samples, y: Array | None, batches: Callable[[], Iterator[Array]], count: int
) -> Any:
    """A tf.data.Dataset of x[rows], or of (x[rows], y[rows]), for each rows of `batches()`.

    Use it inside `explained`, or a file that is gone shows as an error of TensorFlow.

    Args:
        x: the inputs.
        y: their targets, in memory; None for the inputs alone.
        batches: the rows of each batch, anew at each call.
        count: how many batches those are.
    """
    if isinstance(x, Converted) and (divisor := divisor_of(x.convert)) is not None:
        return divided(streamed(x.samples, y, batches, count), divisor)
    tf = backend.tensorflow()
    sample = bytes_of(x) // max(1, len(x))

    def read(rows: Array) -> Any:
        return x[rows] if y is None else (x[rows], y[rows])

    def generate() -> Iterator[Any]:
        try:
            yield from read_ahead(read, batches(), MOST_BYTES // max(1, sample))
        except NncliError as error:
            _failed.append(error)
            raise

    def signature(array: Array | Samples) -> Any:
        return tf.TensorSpec((None, *array.shape[1:]), array.dtype)

    signatures = signature(x) if y is None else (signature(x), signature(y))
    stream = tf.data.Dataset.from_generator(generate, output_signature=signatures)
    return untuned(stream.apply(tf.data.experimental.assert_cardinality(count)).prefetch(1))


def untuned(stream: Any) -> Any:
    """A tf.data.Dataset without the thread by which TensorFlow tunes one as it runs.

    That thread sleeps ever longer, up to a minute, and the end of the stream waits until it wakes.
    Nothing in a stream of ours is left to be tuned.
    """
    options = backend.tensorflow().data.Options()
    options.autotune.enabled = False
    return stream.with_options(options)


def divided(stream: Any, divisor: float) -> Any:
    """Bytes that become 32-bit numbers only behind Python: the same bits, a quarter to copy.

    Args:
        stream: a tf.data.Dataset of x, of (x,) or of (x, …).
        divisor: what each x is divided by.
    """
    tf = backend.tensorflow()

    def divide(x: Any, *y: Any) -> Any:
        scaled = tf.cast(x, tf.float32) / divisor
        return (scaled, *y) if y else scaled

    return stream.map(divide).prefetch(1)


def read_ahead(
    read: Callable[[Array], Any],
    batches: Iterator[Array],
    most: int = sys.maxsize,
    threads: int | None = None,
) -> Iterator[Any]:
    """`read` of each of `batches` in their order, by several threads a few batches ahead.

    Args:
        read: called with the rows of one batch, from any thread.
        batches: the rows of each batch.
        most: about how many rows may be read and not yet taken.
        threads: how many of them; None for as many as the process may use, up to MOST_THREADS.
    """
    threads = threads or min(MOST_THREADS, available_threads())
    waiting: deque[tuple[Future[Any], int]] = deque()
    rows_waiting = 0
    pool = ThreadPoolExecutor(threads, "nncli-stream")
    try:
        for rows in batches:
            waiting.append((pool.submit(read, rows), len(rows)))
            rows_waiting += len(rows)
            while len(waiting) > threads + AHEAD or (len(waiting) > 1 and rows_waiting > most):
                future, count = waiting.popleft()
                rows_waiting -= count
                yield future.result()
        while waiting:
            yield waiting.popleft()[0].result()
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def explained() -> Iterator[None]:
    """What a reader raised, in place of TensorFlow's account of it.

    Raises:
        DataError: a file that is gone or damaged since it was looked through.
    """
    _failed.clear()
    try:
        yield
    except Exception as error:
        if _failed:
            raise _failed[0] from error
        raise
