"""All steps of an LSTM as one operation of TensorFlow, and their gradient.

`BlockLSTM` computes all steps, forward. Its own gradient adds what a step gives to the gradient of
the weights in each of them: a product of a few samples, over all weights, so many times. Here the
way back gives only what the gates of each step get, δ_t:

    ∂L/∂W = Σ_t (x_t, h_{t−1})ᵀ·δ_t        one product of all steps
    ∂L/∂x_t = δ_t·W_xᵀ                       one product of all steps
    ∂L/∂b = Σ_t δ_t
    ∂L/∂h_{t−1} = δ_t·W_hᵀ                   step by step, with `LSTMBlockCellGrad`

The same numbers but for the order in which a weight's steps are added. It takes more and smaller
operations, so few weights are left to `BlockLSTM`'s own gradient, and so are those on a GPU, where
this one was not tried. Both operations have the gates in the order i, C, f, o, and their weights
one above the other, W = (W_x; W_h).

Source: TensorFlow's `BlockLSTM`, after Zaremba et al., Recurrent neural network regularization,
2014; Hochreiter and Schmidhuber, Long short-term memory, 1997.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from nncli import backend

TOGETHER = 10
"""Steps that one turn of the loop back takes: a turn costs about what a step does."""
WORTH = 16_384
"""Numbers in the weights from which on this gradient is faster than `BlockLSTM`'s own."""


def all_steps(x: Any, h: Any, c: Any, weights: Any, bias: Any) -> tuple[Any, Any]:
    """What an LSTM gives for all steps of sequences.

    Args:
        x: the sequences, (steps, batch, features), float32.
        h: h before the first step, (batch, units).
        c: C before the first step, (batch, units).
        weights: W_x above W_h, (features + units, 4 · units).
        bias: of the gates, (4 · units,).

    Returns:
        All h, (steps, batch, units), and the last C, (batch, units). The gradient of all five
        arguments is defined, that of the gradient is not.
    """
    if weights.shape.num_elements() < WORTH or backend.has_gpu():
        done = _forward(x, h, c, weights, bias)
        return done.h, done.cs[-1]

    def computed(x: Any, h: Any, c: Any, weights: Any, bias: Any) -> Any:
        done = _forward(x, h, c, weights, bias)

        def back(to_h: Any, to_c: Any) -> Any:
            return _traced()(x, h, c, weights, bias, done, to_h, to_c)

        return (done.h, done.cs[-1]), back

    hs, c = backend.tensorflow().custom_gradient(computed)(x, h, c, weights, bias)
    return hs, c


def _forward(x: Any, h: Any, c: Any, weights: Any, bias: Any) -> Any:
    """What `BlockLSTM` gives: all h and C, all gates, and tanh C."""
    tf = backend.tensorflow()
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(x, out_type=tf.int64)[0],
        x=x,
        cs_prev=c,
        h_prev=h,
        w=weights,
        b=bias,
        forget_bias=0.0,  # Keras keeps it in the bias
        cell_clip=-1.0,  # no clipping
        **_no_peepholes(c),
    )


@cache
def _traced() -> Any:
    """`_gradients`, traced once for all layers and shares of the same sizes: tracing takes longer
    than many a step."""
    return backend.tensorflow().function(_gradients, autograph=False)


def _gradients(
    x: Any, h: Any, c: Any, weights: Any, bias: Any, done: Any, to_h: Any, to_c: Any
) -> tuple[Any, ...]:
    """The gradients of x, h, c, weights and bias from those of all h and of the last C."""
    tf = backend.tensorflow()
    features = x.shape[-1]
    through_x, through_h = tf.transpose(weights[:features]), tf.transpose(weights[features:])
    before_h = tf.concat([h[None], done.h[:-1]], axis=0)
    of_each_step = {
        "cs_prev": tf.concat([c[None], done.cs[:-1]], axis=0),
        **{name: getattr(done, name) for name in ("i", "cs", "f", "o", "ci", "co")},
        "h_grad": to_h,
    }
    # of x, h, weights and bias the sizes alone count
    constant = {"x": x[0], "h_prev": h, "w": weights, "b": bias, **_no_peepholes(c)}

    def turn(count: int, end: Any, gates: Any, to_h: Any, to_c: Any) -> tuple[Any, ...]:
        """So many steps back from a step's end."""
        first = end - count
        begin, size = tf.stack([first, 0, 0]), (count, -1, -1)
        parts = {
            name: tf.unstack(tf.slice(each, begin, size), num=count)
            for name, each in of_each_step.items()
        }
        for step in reversed(range(count)):
            values = {name: part[step] for name, part in parts.items()}
            values["h_grad"] += to_h
            cell = tf.raw_ops.LSTMBlockCellGrad(**constant, **values, cs_grad=to_c)
            gates = gates.write(first + step, cell.dicfo)
            to_h, to_c = tf.matmul(cell.dicfo, through_h), cell.cs_prev_grad
        return first, gates, to_h, to_c

    def backwards(count: int, end: Any, first: Any, *given: Any) -> tuple[Any, ...]:
        """From a step's end back to the first one, so many of them in each turn."""
        until = (lambda end, *_: end > first), partial(turn, count)
        _, *state = tf.while_loop(*until, (end, *given), parallel_iterations=1)
        return tuple(state)

    unknown = x.shape[0] is None
    steps = tf.shape(x)[0] if unknown else x.shape[0]
    even = steps // TOGETHER * TOGETHER
    state = tf.TensorArray(tf.float32, steps), tf.zeros_like(h), to_c
    if unknown or even < steps:
        state = backwards(1, steps, even, *state)
    if unknown or even:
        state = backwards(TOGETHER, even, 0, *state)
    gates, to_h, to_c = state
    flat = tf.reshape(gates.stack(), (-1, weights.shape[1]))
    inputs = tf.reshape(tf.concat([x, before_h], axis=2), (-1, weights.shape[0]))
    to_weights = tf.matmul(inputs, flat, transpose_a=True)
    to_x = tf.reshape(tf.matmul(flat, through_x), tf.shape(x))
    return to_x, to_h, to_c, to_weights, tf.reduce_sum(flat, axis=0)


def _no_peepholes(c: Any) -> dict[str, Any]:
    """What both operations want to know of weights that Keras's LSTM does not have."""
    unused = backend.tensorflow().zeros(c.shape[-1])
    return {"use_peephole": False} | dict.fromkeys(("wci", "wcf", "wco"), unused)
