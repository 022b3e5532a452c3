"""A normalization that does not learn, put into the weights of the layer before it.

    γ·((W∗x + b) − μ)/√(σ² + ε) + β  =  (s·W)∗x + (b − μ)·s + β,     s = γ/√(σ² + ε)

μ and σ² are a BatchNormalization's statistics, γ and β what it has learned. Keras computes them by
two more operations over all maps; without them TensorFlow takes a convolution, what is added to it
and a ReLU as one. The numbers are the same but for rounding, which is no larger than Keras's. The
model itself is left as it is.

Source: Jacob et al., Quantization and training of neural networks, 2018, section 3.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from nncli import backend
from nncli.lazy import np
from nncli.models.shares import graphs_of, nodes_of
from nncli.results import Array

KERNELS = {
    "Conv1D": "kernel",
    "Conv2D": "kernel",
    "DepthwiseConv2D": "kernel",
    "SeparableConv2D": "pointwise_kernel",
    "Dense": "kernel",
}
"""Layers that can take it in, and which of their weights it goes into."""


def is_foldable(model: Any) -> bool:
    """Whether there is something to fold, and it is worth it."""
    return bool(_foldable(model))


@contextmanager
def folded(model: Any) -> Iterator[None]:
    """What is traced inside computes the model in inference with its normalizations folded.

    It holds the weights that the model has now, whatever they become.

    Args:
        model: a keras.Model that `is_foldable`; others stay as they are.
    """
    pairs = _foldable(model)
    with backend.tensorflow().init_scope():  # in a graph these would become constants of it
        parts = [_folded(layer, norm) for layer, norm in pairs]
    try:
        for (_, norm), (_, after) in zip(pairs, parts, strict=True):
            norm.call = after
        with backend.keras().StatelessScope([each for weights, _ in parts for each in weights]):
            yield
    finally:
        for _, norm in pairs:
            norm.__dict__.pop("call", None)


def _folded(layer: Any, norm: Any) -> tuple[list[tuple[Any, Any]], Callable[..., Any]]:
    """The layer's variables with what they become, and what is left of the normalization."""
    tf = backend.tensorflow()
    scale, shift = _affine(norm)
    kernel = getattr(layer, KERNELS[type(layer).__name__])
    by_channel = scale.reshape(_channels(layer, kernel))
    weights = [(kernel, tf.constant(_exact(kernel) * by_channel, kernel.dtype))]
    if not layer.use_bias:
        return weights, partial(_shifted, tf.constant(shift, kernel.dtype))
    bias = tf.constant(_exact(layer.bias) * scale + shift, kernel.dtype)
    return [*weights, (layer.bias, bias)], _unchanged


def _shifted(shift: Any, inputs: Any, **_: Any) -> Any:
    return backend.tensorflow().nn.bias_add(inputs, shift)


def _unchanged(inputs: Any, **_: Any) -> Any:
    return inputs


def _affine(norm: Any) -> tuple[Array, Array]:
    """What a normalization multiplies each channel by, and then adds: 64-bit."""
    scale = 1 / np.sqrt(_exact(norm.moving_variance) + norm.epsilon)
    if norm.scale:
        scale = scale * _exact(norm.gamma)
    shift = -_exact(norm.moving_mean) * scale
    return scale, shift + _exact(norm.beta) if norm.center else shift


def _channels(layer: Any, kernel: Any) -> Sequence[int]:
    """The shape in which a number for each channel meets the kernel."""
    depthwise = type(layer).__name__ == "DepthwiseConv2D"  # (height, width, channels, multiplier)
    return tuple(kernel.shape[-2:]) if depthwise else (-1,)


def _exact(variable: Any) -> Array:
    return np.asarray(variable.numpy(), dtype=np.float64)


def _foldable(model: Any) -> list[tuple[Any, Any]]:
    """The pairs of it; none on a GPU, where it was not tried."""
    pairs = list(_pairs(model))
    return [] if pairs and backend.has_gpu() else pairs


def _pairs(model: Any) -> Iterator[tuple[Any, Any]]:
    """Each layer that can take in the normalization after it, and that one.

    Nothing else sees what the layer gives, and both are called once.
    """
    graphs = list(graphs_of(model))
    nodes = [node for graph in graphs for node in nodes_of(graph)]
    calls = Counter(id(node.operation) for node in nodes)
    seen = Counter(id(tensor) for each in (*nodes, *graphs) for tensor in _taken_from(each))
    for node in nodes:
        if type(node.operation) is not backend.keras().layers.BatchNormalization:
            continue
        norm, (maps,) = node.operation, node.input_tensors
        layer = maps._keras_history.operation
        alone = seen[id(maps)] == calls[id(layer)] == calls[id(norm)] == 1
        if alone and _takes_it_in(layer) and _is_by_channel(norm, maps):
            yield layer, norm


def _taken_from(node_or_graph: Any) -> tuple[Any, ...]:
    """The tensors that a node works on, or a graph answers with."""
    return tuple(getattr(node_or_graph, "input_tensors", None) or node_or_graph.outputs)


def _takes_it_in(layer: Any) -> bool:
    """Whether a layer gives what its weights make, with the channels last."""
    keras = backend.keras()
    name = type(layer).__name__
    return (
        name in KERNELS
        and type(layer) is getattr(keras.layers, name)
        and layer.activation is keras.activations.linear
        and getattr(layer, "data_format", "channels_last") == "channels_last"
        and layer.dtype_policy.name == "float32"
    )


def _is_by_channel(norm: Any, maps: Any) -> bool:
    return norm.axis in (-1, len(maps.shape) - 1) and norm.dtype_policy.name == "float32"
