"""The optimizers by name, and Adam's step by one operation instead of a dozen.

    m ← m + (1 − β₁)·(g − m)              gradient g, mean of gradients m
    v ← v + (1 − β₂)·(g² − v)             mean of their squares v
    w ← w − α·m / (√v + ε),               α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ)

Keras computes each sign of it by an operation over all weights. TensorFlow has all of it as one,
`ResourceApplyAdam`, which goes over the weights once; it is TensorFlow's own. The variables and the
config stay those of Keras's optimizer, and so does what is saved of it. It subtracts β₂ from 1 as a
32-bit number, which Keras does not, and has r²·v in place of v, r within 1 ± 7e-6. With r·η and r·ε
its steps are Keras's all the same.

Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015; ε as in its section 2.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from nncli import backend

OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}


def optimizer(name: str, learning_rate: float) -> Any:
    """A keras.optimizers.Optimizer of this name, with Keras's own settings.

    Args:
        name: of OPTIMIZERS.
        learning_rate: η, the size of a step.
    """
    keras = backend.keras()
    made = getattr(keras.optimizers, OPTIMIZERS[name])(learning_rate)
    if isinstance(made, keras.optimizers.Adam):  # AdamW too: its decay is a step of its own
        made.update_step = partial(_step, made)
    return made


def _step(adam: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
    """Change one variable: what stands in for `update_step` of an optimizer.

    Args:
        adam: the keras.optimizers.Adam, built.
        gradient: of the loss in the variable.
        variable: the tf.Variable.
        learning_rate: η.
    """
    tf = backend.tensorflow()
    kind, number = variable.dtype, adam._get_variable_index(variable)
    beta_1, beta_2 = (tf.constant(each, kind) for each in (adam.beta_1, adam.beta_2))
    ratio = math.sqrt((1 - float(np.float32(adam.beta_2))) / (1 - adam.beta_2))
    step = tf.cast(adam.iterations + 1, kind)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=adam._momentums[number].value.handle,
        v=adam._velocities[number].value.handle,
        beta1_power=tf.pow(beta_1, step),
        beta2_power=tf.pow(beta_2, step),
        lr=tf.cast(learning_rate, kind) * ratio,
        beta1=beta_1,
        beta2=beta_2,
        epsilon=tf.constant(adam.epsilon * ratio, kind),
        grad=tf.cast(gradient, kind),
    )
