"""TensorFlow Lite (LiteRT): for phones and small computers.

Built-in operations alone, so that every interpreter has them. A recurrent layer is converted only
where the number of samples is fixed, so all models take one at a time.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from nncli import backend
from nncli.files import finite, passing_folder
from nncli.lazy import np
from nncli.results import Array
from nncli.trained.export.format import Material
from nncli.trained.export.saved_model import save_graph
from nncli.trained.export.whole import fed


def write(material: Material, path: Path) -> None:
    """Convert the graph; the labels and the description stand behind it as a zip archive.

    That is how TensorFlow Lite packs files with a model: interpreters read no further than the
    model, and `unzip` finds the rest.
    """
    lite = backend.tensorflow().lite
    with passing_folder(path.parent) as folder:
        save_graph(material.whole, folder, batch=1)
        converter = lite.TFLiteConverter.from_saved_model(str(folder))
        path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        if material.labels:
            packed.writestr("labels.txt", material.labels)
        text = json.dumps(finite(material.card), indent=2, ensure_ascii=False)
        packed.writestr("nncli.json", text + "\n")


def answers(_: Material, path: Path, x: Array) -> Array:
    """Ask the interpreter, one sample after the other."""
    interpreter = backend.tensorflow().lite.Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    (given,), (answered,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for sample in fed(x):
        interpreter.set_tensor(given["index"], sample[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(answered["index"])[0])
    return np.array(found)
