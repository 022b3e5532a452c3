"""What a model that does not learn says of many samples.

A deep network answers as one graph, whose normalizations are folded, and each core computes batches
of its own: a network is traced and optimized once, not once for each core. Others go Keras's way,
by the function that the forecasts after them use again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from math import prod
from queue import SimpleQueue
from typing import Any

import numpy as np

from nncli import backend
from nncli.data.samples import Inputs, Samples
from nncli.models.folded import folded, is_foldable
from nncli.models.shares import whole_call
from nncli.results import Array
from nncli.training.order import in_order, large_batch, sliced
from nncli.training.stream import explained, read_ahead, streamed

BATCH = 64
"""Samples at once on a CPU, where more are no faster and take more memory."""
WORK = 5e10
"""Multiplications and additions at once on a CPU: two cores take half a second for them, and
only between two batches a signal is heard."""


class Inference:
    """A model as one graph for any number of samples, with the weights that it has now."""

    def __init__(self, model: Any) -> None:
        """Trace it.

        Args:
            model: a keras.Model, (batch, …) → (batch, …).
        """
        tf, call = backend.tensorflow(), whole_call(model)
        signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]

        def run(batch: Any) -> Any:
            return tf.cast(call(batch, training=False), tf.float32)

        graph = tf.function(run, signature, autograph=False)
        with folded(model):
            graph.get_concrete_function()
        self._model, self._free = model, SimpleQueue[Callable[[Array], Any]]()
        for _ in range(backend.shares()):
            # Each core has operations of its own: TensorFlow's convolution with a bias and a skip
            # keeps what it adds in the operation, where another thread would find it.
            own = tf.function(lambda batch: graph(batch), signature, autograph=False)
            own.get_concrete_function()
            self._free.put(own)

    def _run(self, batch: Array) -> Array:
        """What it answers to a batch; from so many threads at once as there are cores."""
        run = self._free.get()
        try:
            answers: Array = run(batch).numpy()
        finally:
            self._free.put(run)
        return answers

    def answers(
        self, x: Inputs, batch: int, prepare: Callable[[Array], Array] | None = None
    ) -> Generator[Array, None, None]:
        """In their order, batch by batch; each core computes one of its own.

        Args:
            x: (samples, …), float32 unless they are prepared.
            batch: samples at once, for each core.
            prepare: makes of some of them what the model takes; called from any thread.

        Raises:
            DataError: a file that is gone or damaged since it was looked through.
        """
        cores = backend.shares()

        def read(rows: Array) -> Array:
            return x[rows] if prepare is None else prepare(x[rows])

        begins = range(0, len(x), batch)
        rows = (np.arange(at, min(at + batch, len(x)), dtype=np.intp) for at in begins)
        answers: Any
        if cores > 1:
            answers = read_ahead(lambda rows: self._run(read(rows)), rows, threads=cores)
        else:
            answers = (self._run(inputs) for inputs in read_ahead(read, rows))
        with closing(answers):  # ends its threads
            yield from answers

    def of(self, x: Inputs) -> Array:
        """What it answers to all samples, in their order: (samples, …) float32."""
        return np.concatenate(list(self.answers(x, batch_size(self._model, x.shape[1:]))))


def predict(model: Any, x: Inputs) -> Array:
    """What a model answers to all samples, in their order: (samples, …).

    Raises:
        DataError: a file that is gone or damaged since it was looked through.
    """
    if is_foldable(model):
        return Inference(model).of(x)
    size = large_batch(x.shape[1:])
    if not isinstance(x, Samples):
        if len(x) <= size:  # one function for all that is asked of the model, and no stream
            return np.asarray(model.predict_on_batch(x[:]))
        return np.asarray(model.predict(sliced((x,), size), verbose=0))
    batches = streamed(x, None, lambda: in_order(x), -(-len(x) // size))
    with explained():
        return np.asarray(model.predict(batches, verbose=0))


def answering(model: Any) -> Callable[[Array], Array]:
    """What answers to one batch after another as `predict` would, and is made ready once."""
    return Inference(model).of if is_foldable(model) else model.predict_on_batch


def batch_size(model: Any, shape: Sequence[int]) -> int:
    """How many samples of this shape each core is given at once; the same wherever it is called."""
    size = large_batch(shape)
    if backend.has_gpu():
        return size
    size = min(size, BATCH, int(WORK / max(1, operations(model))))
    return max(1, -(-size // backend.shares()))


def operations(model: Any) -> int:
    """Multiplications and additions for one sample, as far as they are with weights.

    2 · weights of a kernel · places that it is put on
    """
    count = 0
    for layer in model._flatten_layers():
        if hasattr(layer, "layers"):
            continue  # its layers come themselves
        try:
            shape = layer.output.shape
        except (AttributeError, ValueError):  # no one output: used several times, or answers more
            continue
        places = prod(side or 1 for side in shape[1:-1])
        kernels = (weight.shape for weight in layer.weights if len(weight.shape) > 1)
        count += 2 * places * sum(prod(kernel) for kernel in kernels)
    return count
