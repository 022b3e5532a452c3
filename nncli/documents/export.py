"""The document of `nncli export`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from typing_extensions import TypedDict


class Export(TypedDict):
    """A run's model in a file for other programs, and how it answered there."""

    document: Literal["export"]
    run: str
    """The run's name."""
    format: str
    """`keras`, `saved-model`, `onnx`, `tflite` or `code`."""
    path: str
    """The file, or the folder of a format that is one."""
    beside: Sequence[str]
    """What was written with it: the description as JSON, the samples of a script."""
    size: int
    """Bytes of the file."""
    takes: str
    """What goes in, in words."""
    gives: str
    """What comes out, in words."""
    runtime: str
    """What it was loaded and asked in, with its version."""
    samples: int
    """On how many samples its answers were compared with Keras's."""
    samples_of: str
    """Which those were: `of the test part`, or made up and why."""
    difference: float
    """The largest one: of a probability, or of a forecast in deviations of the training part."""
    tolerance: float
    """The largest one that was allowed."""
    notes: Sequence[str]
    """What the user should know about it, one sentence each."""
