"""Many steps of training in one call of a compiled graph. TensorFlow's own.

Keras's `fit` owns the loop over the epochs with all that hangs on it: callbacks, validation, early
stopping. What it leaves to the model is `train_function`, one call for each element that it takes
from its stream. Here the stream gives the numbers of the epochs, and one call trains a whole one:
Keras's own `train_step` in a loop of the graph, over samples that are held as tensors. Python comes
back a few times a second, for progress and for signals.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from nncli import backend, profile
from nncli.data.dataset import Split
from nncli.data.samples import Divided
from nncli.results import Array
from nncli.training.broken import broken_layer
from nncli.training.checkpoint import changing_variables
from nncli.training.order import steps_of
from nncli.training.stream import untuned

SeeStep = Callable[[int], None]
SECONDS_IN_GRAPH = 0.2
"""About how long one call may take before Python looks for signals again."""
QUICKEST_GROWTH = 8
"""How many times as many steps as the call before a call may have: the first ones are slow."""


class EpochInGraph:
    """A `train_function` for `fit`, to be used with its `stream` and `steps_per_epoch=1`.

    An epoch ends early at the first step whose loss is not a finite number.
    """

    def __init__(
        self,
        model: Any,
        split: Split,
        weights: Array | None,
        batch_size: int,
        order: Callable[[int], Array],
        see: SeeStep,
    ) -> None:
        """Hold the samples as tensors.

        Args:
            model: compiled, with its optimizer and metrics built.
            split: the training part, in memory, its targets as the loss wants them.
            weights: (samples,) what each counts; None where all count the same.
            batch_size: samples per step; the last one of an epoch may have fewer.
            order: the rows of the samples in the order of an epoch, by its number.
            see: called with the number of the step that begins, from 0.
        """
        tf = backend.tensorflow()
        self.steps = steps_of(split, batch_size)
        self.broken_step: int | None = None
        """Of the last epoch the first step with a loss that is not finite, counted from 1."""
        self._order_now: Any = None
        self._before: list[Any] = []
        self._model, self._order, self._see, self._size = model, order, see, 1
        self._batch_size = batch_size
        changing = changing_variables(model)
        kept = [each for each in model.variables if id(each) in changing]
        self._state = [*kept, *model.optimizer.variables]  # all that a step changes
        x, by = split.x, []
        if isinstance(x, Divided) and not backend.has_gpu():  # where TensorFlow gathers no bytes
            # given, not in the graph: there TensorFlow multiplies by its reciprocal, which rounds
            whole, by = x.whole, [tf.constant(x.divisor, tf.float32)]
        else:
            whole = x[:]
        data = [whole, split.y, *([] if weights is None else [weights])]
        self._data = [tf.convert_to_tensor(each) for each in data], by
        graph = tf.function(self._loop(len(split), batch_size), autograph=False)
        self._run = profile.first_call("compile", graph)

    def stream(self, first_epoch: int, epochs: int) -> Any:
        """What `fit` takes one element from for each epoch: their numbers."""
        numbers = backend.tensorflow().data.Dataset.range(first_epoch, first_epoch + epochs)
        return untuned(numbers)

    def __call__(self, stream: Any) -> dict[str, Any]:
        """Train the next epoch of `stream`; the figures over all of its steps, by name."""
        tf = backend.tensorflow()
        self._order_now = order = tf.constant(self._order(int(next(stream))))
        self._before = backend.values(self._state)
        first, self.broken_step = 0, None
        while first < self.steps and self.broken_step is None:
            self._see(first)
            began = time.monotonic()
            last = min(self.steps, first + self._size)
            done, logs = self._run(order, tf.constant(first), tf.constant(last), self._data)
            first = int(done)
            if not math.isfinite(logs["loss"]):
                self.broken_step = first
            seconds = max(time.monotonic() - began, 1e-6)
            fitting = int(self._size * SECONDS_IN_GRAPH / seconds)
            self._size = max(1, min(fitting, self._size * QUICKEST_GROWTH, self.steps))
        return dict(logs)

    def broken_layer(self) -> str:
        """The first layer that had, or gave, a number that is not finite in the step that broke.

        Trains the epoch again up to there, which leaves the model as it was then. What came after
        shows nothing: the first gradient that is no number makes all weights so.

        Returns:
            Its name; empty where the loss alone was not finite.
        """
        tf = backend.tensorflow()
        assert self.broken_step is not None
        for variable, value in zip(self._state, self._before, strict=True):
            variable.assign(value)
        self._model.reset_metrics()
        broken = self.broken_step - 1
        for first in range(0, broken, self._size):
            last = min(broken, first + self._size)
            self._run(self._order_now, tf.constant(first), tf.constant(last), self._data)
        rows = self._order_now[broken * self._batch_size : (broken + 1) * self._batch_size]
        return broken_layer(self._model, _batch(self._data, rows)[0])

    def _loop(self, samples: int, batch_size: int) -> Any:
        """Steps `first` to before `last` of an epoch in this order, as TensorFlow traces it."""
        tf, model = backend.tensorflow(), self._model

        def one(order: Any, step: Any, data: Any) -> Any:
            """A training step on the batch of this number; the figures of the epoch up to it."""
            rows = order[step * batch_size : tf.minimum((step + 1) * batch_size, samples)]
            if samples % batch_size == 0 or samples < batch_size:  # all steps have as many
                rows.set_shape((min(batch_size, samples),))
            return model.train_step(_batch(data, rows))

        def run(order: Any, first: Any, last: Any, data: Any) -> Any:
            """How many steps are done, and the figures of the epoch up to there.

            `data` is given, not held: of a loop in a loop TensorFlow never lets go of the graph.
            """
            return tf.while_loop(
                lambda step, logs: tf.logical_and(step < last, tf.math.is_finite(logs["loss"])),
                lambda step, _: (step + 1, one(order, step, data)),
                (first, {name: tf.constant(0.0) for name in model.get_metrics_result()}),
                parallel_iterations=1,
            )

        return run


def _batch(data: Any, rows: Any) -> tuple[Any, ...]:
    """Inputs, targets and weights at these rows; `data` as an epoch's graph is given it."""
    tf, (arrays, by) = backend.tensorflow(), data
    x, *others = (tf.gather(each, rows) for each in arrays)
    for divisor in by:
        x = tf.cast(x, tf.float32) / divisor
    return x, *others
