"""A Keras script that builds and trains the model of a run: the way back to the lesson.

The layers are read off the run's own model, and the samples are written beside the script as they
were divided, so that both begin where the run began. The script does not know nncli.
"""

from __future__ import annotations

import inspect
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncli.errors import DataError, ExportError
from nncli.files import write_text
from nncli.lazy import np
from nncli.results import Array
from nncli.trained.export.format import Material

if TYPE_CHECKING:
    from nncli.data.dataset import Dataset

SAMPLES, BASE = ".npz", "-base.keras"
BESIDE = (SAMPLES, BASE)
"""What a script may need beside it, by the end of its name."""

TAKEN = frozenset({*sys.stdlib_module_names, "keras", "numpy", "tensorflow"})
"""Names of scripts that Python would import in place of the module."""


def write(material: Material, path: Path) -> None:
    """Write the script, its samples, and a saved base where it has one.

    Raises:
        DataError: the samples are gone.
        ExportError: there are too many of them.
    """
    from nncli.trained.export.code.script import Script

    opened = material.opened
    if material.dataset is None:
        raise DataError(
            f"a script needs the samples of {opened.folder}: {material.problem}",
            hint="put the data back where the run's config.yaml says it is",
        )
    script = Script(material, path.stem)
    write_text(path, script.text())
    if script.has_file:
        np.savez_compressed(path.with_suffix(SAMPLES), **_arrays(material.dataset, script.before))
    if script.base_file:
        from nncli.models.transfer import load_base

        base = load_base(script.settings, material.trained.input_shape[1:], "saved")
        base.save(path.with_name(script.base_file))


def answers(material: Material, path: Path, x: Array) -> Array:
    """Let the script build its model, give it the run's weights, and ask it.

    Raises:
        ExportError: it builds another model.
    """
    from nncli.trained.export.samples import in_own_units, prepared
    from nncli.training.inference import predict

    script = runpy.run_path(str(path), run_name=path.stem)
    build, prepare = script["build"], script.get("prepare")
    takes_weights = "weights" in inspect.signature(build).parameters
    model = build(weights=None) if takes_weights else build()
    weights = material.trained.get_weights()
    if [each.shape for each in model.get_weights()] != [each.shape for each in weights]:
        raise ExportError("the script builds a model with other weights than the run's")
    model.set_weights(weights)
    inputs = prepared(material.opened, x) if prepare is None else prepare(x)
    return in_own_units(material.opened.learned, predict(model, inputs), x)


def _arrays(dataset: Dataset, before: Dataset | None) -> dict[str, Any]:
    """All parts, those of the pretraining too, by the names that the script has for them.

    Raises:
        ExportError: samples that do not fit in memory.
    """
    from nncli.data.samples import Samples, bytes_of

    arrays: dict[str, Any] = {}
    for prefix, each in (("", dataset), ("pretrain_", before)):
        for name, part in {} if each is None else each.parts.items():
            if isinstance(part.x, Samples):
                raise ExportError(
                    f"the {name} part has {len(part.x):,} samples, {bytes_of(part.x) / 1e9:.1f} GB "
                    "in all: too many to go with a script",
                    hint="train on fewer of them with data.limit",
                )
            if prefix and name == "test":
                continue
            arrays[f"x_{prefix}{name}"], arrays[f"y_{prefix}{name}"] = part.x, part.y
    return arrays
