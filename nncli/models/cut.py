"""A network in two, where only its last layers learn: what never changes, and the rest.

    network(x) = rest(front(x))

Everything that learns is in the rest, and a single tensor goes from the front to it: where a
network has branches or skips, it is cut before they part or after they meet.
"""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

from nncli import backend
from nncli.models.shares import graphs_of, nodes_of


def cut(network: Any, most: int) -> tuple[Any, Any] | None:
    """The front and the rest of a network, both of its own layers; None where it has no such place.

    As late as possible: the front is what need not be computed again.

    Args:
        network: a keras.Model with one input, whose layers are frozen or not as they will be.
        most: numbers that go from one to the other for a sample, at most.
    """
    place = _place(network, most)
    if place is None:
        return None
    model = backend.keras().Model
    front = model(network.inputs[0], place, name=f"{network.name}_front")
    return front, model(place, network.outputs[0], name=f"{network.name}_rest")


def _place(network: Any, most: int) -> Any:
    """The last tensor that all that comes after it, and learns, depends on alone."""
    graph = next(graphs_of(network), None)
    if graph is None or len(network.inputs) != 1 or len(network.outputs) != 1:
        return None
    nodes = list(nodes_of(graph))
    awaited = Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
    awaited[id(network.outputs[0])] += 1
    found, live = None, set()
    for node in nodes:
        if getattr(node.operation, "trainable_weights", ()):
            break
        for tensor in node.input_tensors:
            awaited[id(tensor)] -= 1
        live |= {id(tensor) for tensor in node.output_tensors}
        live = {each for each in live if awaited[each]}
        if node.input_tensors and live == {id(node.output_tensors[0])}:
            tensor = node.output_tensors[0]
            if prod(side or 1 for side in tensor.shape[1:]) <= most:
                found = tensor
    return None if found is network.outputs[0] else found
