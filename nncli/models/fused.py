"""LSTM layers computed by one fused operation instead of Keras's loop: the same numbers, sooner.

On a CPU, Keras runs an LSTM as a loop of a dozen small operations a step. TensorFlow has all steps
as one operation, `BlockLSTM`, with a gradient of its own. It is TensorFlow's own: no other backend
of Keras has it. The layer stays Keras's: its weights, its config and the file it is saved to know
nothing of this, and a model that is loaded again runs Keras's loop until it is fused again.

Used only where it computes what Keras does; `is_suitable` says where. Everything else, and every
call with a mask, goes through Keras's loop.

The operation uses one core. Where one layer gives its whole sequence to the next, it is computed in
pieces of the steps, so that the next layer can begin with the first piece while the others are
still being computed, and in the backward pass the other way round. The arithmetic stays the same on
any number of cores. The slope of a loss in the sequence *between* two such layers is the one thing
that cannot be asked for: the second layer has taken its pieces.

Source of the gates' order and meaning: TensorFlow's `BlockLSTM`, after Zaremba et al., Recurrent
neural network regularization, 2014; of the place it is put in: `inner_loop` of `keras.layers.RNN`,
which is Keras's own door for cuDNN.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from nncli import backend
from nncli.errors import in_one_line

PIECES = 3
"""Of a sequence that goes to another layer, so that two layers run side by side for most of it."""
SHORTEST_PIECE = 4
"""Steps, below which starting an operation costs more than it brings."""
_IN_PIECES = "_nncli_in_pieces"
"""The attribute of a sequence that was computed in pieces, as Keras marks one with its mask."""


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
        training: for Keras's loop.

    Returns:
        The last h, (batch, units); all h, (batch, steps, units), or the last one alone,
        (batch, 1, units), where the layer gives no sequences; and the last h and C.
    """
    if mask is not None:
        return type(layer).inner_loop(  # type: ignore[no-any-return]
            layer, sequences, initial_state, mask, training=training
        )
    tf = backend.tensorflow()
    cell = layer.cell
    weights = tf.concat([cell.kernel, cell.recurrent_kernel], axis=0)
    bias = tf.zeros(4 * cell.units) if cell.bias is None else tf.convert_to_tensor(cell.bias)
    weights, bias = _reordered(weights), _reordered(bias)
    unused = tf.zeros(cell.units)  # weights of peepholes
    h, c = initial_state
    pieces = []
    for x in _pieces(layer, sequences):
        piece = tf.raw_ops.BlockLSTM(
            seq_len_max=tf.shape(x, out_type=tf.int64)[0],
            x=x,
            cs_prev=c,
            h_prev=h,
            w=weights,
            b=bias,
            wci=unused,
            wcf=unused,
            wco=unused,
            use_peephole=False,
            forget_bias=0.0,  # Keras keeps it in the bias
            cell_clip=-1.0,  # no clipping
        )
        h, c = piece.h[-1], piece.cs[-1]
        pieces.append(piece.h)
    if not layer.return_sequences:
        return h, h[:, None], [h, c]
    outputs = tf.transpose(tf.concat(pieces, axis=0), (1, 0, 2))  # → (batch, steps, units)
    setattr(outputs, _IN_PIECES, pieces)
    return h, outputs, [h, c]


def _pieces(layer: Any, sequences: Any) -> list[Any]:
    """A sequence as the pieces that one operation each computes: (steps, batch, features)."""
    tf = backend.tensorflow()
    given: list[Any] | None = getattr(sequences, _IN_PIECES, None)
    if given is not None:
        return given
    x = tf.transpose(sequences, (1, 0, 2))
    steps = sequences.shape[1]
    if not layer.return_sequences or steps is None or steps < PIECES * SHORTEST_PIECE:
        return [x]
    ends = [steps * (n + 1) // PIECES for n in range(PIECES)]
    sizes = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    return list(tf.split(x, sizes, axis=0))


def _reordered(gates: Any) -> Any:
    """Weights of Keras's four gates i, f, C, o in the operation's order i, C, f, o."""
    tf = backend.tensorflow()
    i, f, c, o = tf.split(gates, 4, axis=-1)
    return tf.concat([i, c, f, o], axis=-1)
