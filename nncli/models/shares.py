"""A batch in shares: each core computes samples of its own, from the first layer to the last.

TensorFlow lets all cores work on one operation, then on the next. After each of them they wait for
one another, and what one core has just computed lies in another's cache: two cores take a step of
the lesson's CNN hardly faster than one. Here a model is called once for each core, on its share of
the batch, and the answers are put together again:

    model(x) = (model(x₁), …, model(xₙ)),   x = (x₁, …, xₙ)

The loss is that of the whole batch, and the gradient of a weight is the sum of what the shares
give: the same numbers but for the order in which they are added. It is TensorFlow's own, as no
other backend of Keras runs branches of a graph side by side. Layers that look at other samples of
the batch do not allow it; `is_suitable` says where it is done. The model that is saved knows
nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any

from nncli import backend

WORKERS = frozenset(
    (
        *("Conv1D", "Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"),
        *("LSTM", "GRU", "SimpleRNN"),
    )
)
"""Layers that are worth it."""
EACH_BY_ITSELF = WORKERS | frozenset(
    (
        *("InputLayer", "Functional", "Sequential", "Inferring", "Flatten", "Reshape", "Permute"),
        *("Dense", "Dropout", "SpatialDropout2D", "GaussianNoise", "Masking", "Rescaling"),
        *("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "BatchNormalization"),
        *("LayerNormalization", "GroupNormalization", "Normalization", "LayerScale"),
        *("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"),
        *("GlobalAveragePooling2D", "GlobalMaxPooling2D", "ZeroPadding2D", "Cropping2D"),
        *("UpSampling2D", "Resizing", "Add", "Subtract", "Multiply", "Average", "Maximum"),
        *("Concatenate", "CustomScaleLayer", "StochasticDepth"),
        *("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast"),
    )
)
"""Layers that give for a sample what they give for it alone; BatchNormalization while it does not
learn."""
BARE = frozenset(("Add", "Multiply", "NotEqual"))
"""Operations between layers of which the same holds."""
MASK = "_keras_mask"
"""The attribute by which Keras passes on which steps of a tensor count."""


def share_out(model: Any) -> None:
    """Give each core its share of every batch that a suitable model is called with.

    Nothing changes on a GPU, or where there is one core.

    Args:
        model: a keras.Model; call it before its first step, or that step stays as it was compiled.
    """
    shares = backend.shares()
    if shares == 1 or not is_suitable(model):
        return
    tf, whole = backend.tensorflow(), model.call

    def answer(part: Any, *, training: bool) -> tuple[Any, Any]:
        """What the model gives for a part, and its mask where it has one."""
        given = whole(part, training=training)
        return given, getattr(given, MASK, None)

    @cache
    def infer(kind: Any) -> Any:
        """Traced once for all shares, and for all sizes: the bits do not depend on what was asked
        before. Not in training: calls that change the state of one generator, as those with dropout
        do, would wait for one another."""
        given = tf.TensorSpec((None, *model.input_shape[1:]), kind)
        return tf.function(partial(answer, training=False), [given], autograph=False)

    def call(inputs: Any, training: Any = None, mask: Any = None) -> Any:
        size = inputs.shape[0]
        too_few = training and size is not None and size < shares
        if too_few or mask is not None or (training and learns_statistics(model)):
            return whole(inputs, training=training, mask=mask)
        spans = _spans(inputs, 1 if size == 1 else shares)
        compute = partial(answer, training=True) if training else infer(inputs.dtype)
        return _together([compute(inputs[each.begin : each.end]) for each in spans], spans)

    call.whole = whole  # type: ignore[attr-defined]
    model.call = call


def whole_call(model: Any) -> Any:
    """What a model is called by for a whole batch, whether or not batches of it are shared out."""
    return getattr(model.call, "whole", model.call)


def is_suitable(model: Any) -> bool:
    """Whether a model gives for a sample what it would give for it alone, and has work to share."""
    computed = [each for graph in graphs_of(model) for each in graph.operations]
    found = {type(each).__name__ for each in computed}
    return bool(found & WORKERS) and all(map(_is_by_itself, computed))


def _is_by_itself(operation: Any) -> bool:
    """Whether a layer or a bare operation gives for a sample what it gives for it alone."""
    name, axis = type(operation).__name__, getattr(operation, "axis", None)
    axes = () if axis is None else axis if isinstance(axis, Iterable) else (axis,)
    if not all(each == -1 or each > 0 for each in axes):  # the first one is the batch
        return False
    if not isinstance(operation, backend.keras().layers.Layer):
        return name in BARE or (name == "Any" and bool(axes))
    if getattr(operation, "activity_regularizer", None):  # of the mean over a batch
        return False
    return name in EACH_BY_ITSELF and not getattr(operation, "stateful", False)


def learns_statistics(model: Any) -> bool:
    """Whether a BatchNormalization of it looks at all samples of a batch in training."""
    normalization = backend.keras().layers.BatchNormalization
    layers = model._flatten_layers()
    return any(isinstance(each, normalization) and each.trainable for each in layers)


def graphs_of(model: Any) -> Iterator[Any]:
    """A model's graph of layers and bare operations, then those of the models inside it.

    None of a model that computes in its own way.
    """
    graph = getattr(model, "_functional", None) or model
    if not hasattr(graph, "operations"):
        return
    yield graph
    for each in graph.operations:
        inside = getattr(each, "model", each)  # of a layer that runs a model in its own way
        if isinstance(inside, backend.keras().Model):
            yield from graphs_of(inside)


def nodes_of(graph: Any) -> Iterator[Any]:
    """The calls of a graph's layers and operations, none before those that it takes tensors of."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from graph._nodes_by_depth[depth]


@dataclass(frozen=True)
class _Span:
    """Some of a batch's samples, one at least; numbers or scalar tensors."""

    begin: Any
    end: Any
    count: Any
    """How many of them, from the first on, are its own: none of a batch that has too few."""


def _spans(inputs: Any, shares: int) -> list[_Span]:
    """A batch in so many spans. Not all operations can do with no sample."""
    tf = backend.tensorflow()
    size = inputs.shape[0]
    if size is None:
        size = tf.shape(inputs)[0]
    ends = [size * number // shares for number in range(shares + 1)]
    return [_Span(begin, tf.maximum(end, begin + 1), end - begin) for begin, end in pairwise(ends)]


def _together(answers: list[tuple[Any, Any]], spans: list[_Span]) -> Any:
    """The answers for all spans as those for the batch, with their mask where they have one."""
    tf = backend.tensorflow()

    def joined(parts: list[Any]) -> Any:
        own = [part[: each.count] for part, each in zip(parts, spans, strict=True)]
        return tf.concat(own, axis=0)

    whole = joined([answer for answer, _ in answers])
    masks = [mask for _, mask in answers if mask is not None]
    if masks:
        setattr(whole, MASK, joined(masks))
    return whole
