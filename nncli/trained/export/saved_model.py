"""TensorFlow's SavedModel: a folder with the graph, for TF Serving, C++, Java and Go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nncli import backend
from nncli.files import finite
from nncli.lazy import np
from nncli.results import Array
from nncli.trained.export.format import Material
from nncli.trained.export.whole import INPUT, fed

EXTRA = "assets.extra"
"""The folder in it that TensorFlow leaves to others."""
BATCH = 64


def write(material: Material, folder: Path) -> None:
    """Write the graph, and the description and the labels into the folder that is left for that."""
    save_graph(material.whole, folder)
    extra = folder / EXTRA
    extra.mkdir()
    text = json.dumps(finite(material.card), indent=2, ensure_ascii=False)
    (extra / "nncli.json").write_text(text + "\n", encoding="utf-8")
    if material.labels:
        (extra / "labels.txt").write_text(material.labels, encoding="utf-8")


def save_graph(model: Any, folder: Path, batch: int | None = None) -> None:
    """A SavedModel whose signature takes `batch` samples; None for any number."""
    tf = backend.tensorflow()
    shape = (batch, *model.input_shape[1:])
    signature = [tf.TensorSpec(shape, tf.float32, name=INPUT)]
    model.export(folder, format="tf_saved_model", verbose=False, input_signature=signature)


def answers(_: Material, folder: Path, x: Array) -> Array:
    """Load the graph without Keras, and ask its signature."""
    tf = backend.tensorflow()
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    x = fed(x)
    parts = []
    for begin in range(0, len(x), BATCH):
        (answer,) = serve(tf.constant(x[begin : begin + BATCH])).values()
        parts.append(answer.numpy())
    return np.concatenate(parts)
