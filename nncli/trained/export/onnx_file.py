"""ONNX: for ONNX Runtime on any system and in any language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nncli import backend
from nncli.files import finite
from nncli.lazy import np
from nncli.results import Array
from nncli.trained.export.format import Material
from nncli.trained.export.whole import OUTPUTS, fed

BATCH = 64


def write(material: Material, path: Path) -> None:
    """Convert the graph as Keras does, name its output, and write the description into it."""
    import onnx

    tf = backend.tensorflow()
    whole = material.whole
    signature = [tf.TensorSpec((None, *whole.input_shape[1:]), tf.float32, whole.inputs[0].name)]
    whole.export(path, format="onnx", verbose=False, input_signature=signature)
    model = onnx.load(path)
    _name_output(model.graph, OUTPUTS[material.opened.learned.task])
    card = {
        key: value if isinstance(value, str) else json.dumps(finite(value), ensure_ascii=False)
        for key, value in material.card.items()
    }
    onnx.helper.set_model_props(model, card)
    model.producer_name = "nncli"
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _name_output(graph: Any, name: str) -> None:
    """Call the one output by what it is, and the number of samples `batch`."""
    (output,) = graph.output
    for node in graph.node:
        node.output[:] = [name if each == output.name else each for each in node.output]
        node.input[:] = [name if each == output.name else each for each in node.input]
    output.name = name
    for end in (*graph.input, output):
        end.type.tensor_type.shape.dim[0].dim_param = "batch"


def answers(_: Material, path: Path, x: Array) -> Array:
    """Ask ONNX Runtime on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (given,), x = session.get_inputs(), fed(x)
    parts = [
        session.run(None, {given.name: x[begin : begin + BATCH]})[0]
        for begin in range(0, len(x), BATCH)
    ]
    return np.concatenate(parts)
