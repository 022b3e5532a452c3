"""LSTM layers computed by one fused operation instead of Keras's loop: the same numbers, sooner.

On a CPU, Keras runs an LSTM as a loop of a dozen small operations a step. TensorFlow has all steps
as one operation, which no other backend of Keras has (`nncli.models.lstm_steps`). The layer stays
Keras's: its weights, its config and the file it is saved to know nothing of this, and a model that
is loaded again runs Keras's loop until it is fused again.

Used only where it computes what Keras does; `is_suitable` says where. Everything else goes through
Keras's loop. The operation knows no mask, so it is given the steps that count before those that do
not, and what it gives is put back to where it belongs (`_masked`).

The operation uses one core; `nncli.models.shares` gives each core samples of its own.

Source of the place it is put in: `inner_loop` of `keras.layers.RNN`, which is Keras's own door for
cuDNN.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from nncli import backend
from nncli.errors import in_one_line
from nncli.models.lstm_steps import all_steps


def fuse(model: Any) -> None:
    """Let the suitable LSTM layers of a model be computed by the fused operation.

    On a GPU Keras uses cuDNN, which is faster still, and nothing changes, except where cuDNN
    refuses.

    Args:
        model: a keras.Model; call it before its first step, or that step stays as it was compiled.
    """
    if backend.has_gpu() and any(hasattr(layer, "use_cudnn") for layer in model.layers):
        if cudnn_refuses() is None:
            return
        use_loops(model)
    for layer in model.layers:
        if is_suitable(layer):
            layer.inner_loop = partial(_inner_loop, layer)
            layer.supports_jit = False  # XLA has no BlockLSTM; Keras says the same of cuDNN


def use_loops(model: Any) -> None:
    """Let recurrent layers be computed by Keras's own loops, which every device and runtime has.

    Args:
        model: a keras.Model; call it before its first step.
    """
    for layer in model.layers:
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False


@cache
def cudnn_refuses() -> str | None:
    """Why cuDNN computes no LSTM on this GPU, in TensorFlow's words; None where it does.

    Keras finds out only where it computes eagerly. In a graph it is an error of the training.
    """
    keras, tf = backend.keras(), backend.tensorflow()
    layer = keras.layers.LSTM(1, dtype="float32")
    layer.build((1, 2, 1))

    def step() -> Any:
        with tf.GradientTape() as tape:
            answer = layer(tf.zeros((1, 2, 1)))
        return tape.gradient(answer, layer.trainable_variables)

    try:
        tf.function(step)()
    except tf.errors.OpError as error:
        return in_one_line(error) or type(error).__name__
    return None


def is_suitable(layer: Any) -> bool:
    """Whether the fused operation gives what this layer's own loop gives.

    It knows these two activations alone, draws no dropout, and is in float32 as exact as the loop.
    A Keras without `inner_loop` (all from 3.8 to 3.15 have it) keeps its loop.
    """
    keras = backend.keras()
    if type(layer) is not keras.layers.LSTM or not hasattr(layer, "inner_loop"):
        return False
    cell = layer.cell
    return (
        cell.activation is keras.activations.tanh
        and cell.recurrent_activation is keras.activations.sigmoid
        and not cell.dropout
        and not cell.recurrent_dropout
        and not (layer.stateful or layer.unroll or layer.go_backwards)
        and {layer.compute_dtype, cell.compute_dtype, cell.variable_dtype} == {"float32"}
    )


def _inner_loop(
    layer: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False
) -> tuple[Any, Any, list[Any]]:
    """All steps of an LSTM layer, in place of its `inner_loop`.

    Args:
        layer: a suitable keras.layers.LSTM.
        sequences: (batch, steps, features).
        initial_state: h and C before the first step, (batch, units) each.
        mask: which steps count, (batch, steps), or None for all.
        training: for Keras's loop, which computes what is given with a mask and its last state.

    Returns:
        The last h, (batch, units); all h, (batch, steps, units), or the last one alone,
        (batch, 1, units), where the layer gives no sequences; and the last h and C, where there is
        no mask or the layer gives its state.
    """
    if mask is not None and (layer.return_state or layer.zero_output_for_mask):
        return type(layer).inner_loop(  # type: ignore[no-any-return]
            layer, sequences, initial_state, mask, training=training
        )
    tf = backend.tensorflow()
    cell = layer.cell
    bias = tf.zeros(4 * cell.units) if cell.bias is None else tf.convert_to_tensor(cell.bias)
    weights = tf.concat([cell.kernel, cell.recurrent_kernel], axis=0)
    h, c = initial_state
    if mask is not None:
        order = tf.argsort(tf.cast(~mask, tf.int32), stable=True)
        sequences = tf.gather(sequences, order, batch_dims=1)
    x = tf.transpose(sequences, (1, 0, 2))
    hs, c = all_steps(x, h, c, _reordered(weights), _reordered(bias))
    if mask is not None:
        outputs = _masked(hs, mask, last=not layer.return_sequences)
        return outputs[:, -1], outputs, []  # nobody wants the states
    h = hs[-1]
    outputs = tf.transpose(hs, (1, 0, 2)) if layer.return_sequences else h[:, None]
    return h, outputs, [h, c]


def _masked(hs: Any, mask: Any, *, last: bool) -> Any:
    """What Keras gives at each step: h of the last one that counted, and 0 before the first one.

    Args:
        hs: h after each step that counts, one after the other: (steps, batch, units).
        mask: which steps count, (batch, steps).
        last: give the last step alone.

    Returns:
        (batch, steps, units) or (batch, 1, units).
    """
    tf = backend.tensorflow()
    counted = tf.cumsum(tf.cast(mask, tf.int32), axis=1)
    found = tf.concat([tf.zeros_like(hs[:1]), hs], axis=0)
    wanted = counted[:, -1:] if last else counted
    return tf.gather(tf.transpose(found, (1, 0, 2)), wanted, batch_dims=1)


def _reordered(gates: Any) -> Any:
    """Weights of Keras's four gates i, f, C, o in the operation's order i, C, f, o."""
    tf = backend.tensorflow()
    i, f, c, o = tf.split(gates, 4, axis=-1)
    return tf.concat([i, c, f, o], axis=-1)
