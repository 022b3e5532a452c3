"""What a format is, and what a file of it is written from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncli.results import Array

if TYPE_CHECKING:
    from nncli.data.dataset import Dataset
    from nncli.trained.model import OpenedRun


@dataclass(frozen=True)
class Material:
    """What a file is written from."""

    opened: OpenedRun
    trained: Any
    """The run's keras.Model: (batch, …) prepared samples → answers."""
    whole: Any
    """The keras.Model that travels: (batch, …) samples as they are → answers in own units, of
    Keras's own layers alone."""
    dataset: Dataset | None
    """The run's samples; None where they are gone."""
    problem: str
    """Why they are; empty where they are there."""
    card: Mapping[str, Any]
    """The description that goes with the file."""

    @property
    def labels(self) -> str:
        """The classes, one a line; empty for a forecast."""
        return "".join(f"{name}\n" for name in self.opened.learned.classes)


@dataclass(frozen=True)
class Format:
    """A row of FORMATS: all that makes `nncli export --format <name>` work."""

    name: str
    summary: str
    """One line for the shell's completion."""
    ending: str
    """Of the file's name, with what it is put together with: `.onnx`."""
    runtime: str
    """What loads it, for people: `ONNX Runtime`."""
    package: str
    """The package that this is, whose version is told."""
    write: Callable[[Material, Path], None]
    """Writes the file, or makes the folder of that name, in a folder where nothing else is."""
    answers: Callable[[Material, Path, Array], Array]
    """What the written file answers in its runtime to raw samples: (samples, …) float32, NaN in
    padded steps."""
    modules: tuple[str, ...] = ()
    """What has to be installed beside TensorFlow."""
    extra: str = ""
    """The extra of nncli that brings it."""
    is_folder: bool = False
    batch: str = "any number at once"
    """How many samples it takes."""
    has_card: bool = True
    """Whether the description goes beside it as JSON; a script says it itself."""

    @property
    def runtime_version(self) -> str:
        """`ONNX Runtime 1.22.0`."""
        return f"{self.runtime} {metadata.version(self.package)}"
