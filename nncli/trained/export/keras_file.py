"""A `.keras` file with the preprocessing in it."""

from __future__ import annotations

from pathlib import Path

from nncli import backend
from nncli.results import Array
from nncli.trained.export.format import Material
from nncli.trained.export.whole import fed


def write(material: Material, path: Path) -> None:
    """Save the whole model as Keras does."""
    material.whole.save(path)


def answers(_: Material, path: Path, x: Array) -> Array:
    """Load it as anybody would, and ask it."""
    from nncli.training.inference import predict

    return predict(backend.keras().models.load_model(path, compile=False), fed(x))
