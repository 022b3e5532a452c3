"""A run's model in a file for other programs: its preprocessing and labels travel with it.

Every file is loaded in the runtime that it is for and asked the run's own samples before it gets
its name: one that answers otherwise than Keras is never there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nncli import backend, process
from nncli.errors import ExportError, NncliError, UsageError, in_one_line
from nncli.files import whole_together, write_json
from nncli.results import EXPORTS, Exported
from nncli.trained.export import code, keras_file, onnx_file, saved_model, tflite_file
from nncli.trained.export.format import Format, Material

if TYPE_CHECKING:
    from nncli.trained.export.samples import Probe
    from nncli.trained.model import OpenedRun

FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        Format(
            name="keras",
            summary="a .keras file that takes samples as they are",
            ending=".keras",
            runtime="Keras",
            package="keras",
            write=keras_file.write,
            answers=keras_file.answers,
        ),
        Format(
            name="saved-model",
            summary="TensorFlow's folder, for TF Serving and other languages",
            ending="-saved-model",
            runtime="TensorFlow",
            package="tensorflow",
            write=saved_model.write,
            answers=saved_model.answers,
            is_folder=True,
        ),
        Format(
            name="onnx",
            summary="for ONNX Runtime, on any system",
            ending=".onnx",
            runtime="ONNX Runtime",
            package="onnxruntime",
            write=onnx_file.write,
            answers=onnx_file.answers,
            modules=("onnx", "onnxruntime", "tf2onnx"),
            extra="onnx",
        ),
        Format(
            name="tflite",
            summary="TensorFlow Lite, for phones and small computers",
            ending=".tflite",
            runtime="TensorFlow Lite",
            package="tensorflow",
            write=tflite_file.write,
            answers=tflite_file.answers,
            batch="one at a time",
        ),
        Format(
            name="code",
            summary="a short Keras script that builds and trains the same model",
            ending="-keras.py",  # a bare csv.py would stand in the way of Python's own
            runtime="Keras",
            package="keras",
            write=code.write,
            answers=code.answers,
            has_card=False,
        ),
    )
}
"""By name."""
TOLERANCE = 1e-4
"""How far answers may be from Keras's: of probabilities, or in deviations of the training part. In
32 bits they differ by less than a hundredth of it."""
CARD = ".json"
"""Ends the name of the description, behind that of the file."""


def check_installed(format: Format) -> None:
    """Refuse a format that needs packages which are not there.

    Raises:
        UsageError: with what to install.
    """
    missing = [name for name in format.modules if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"--format {format.name} needs what is not installed: {', '.join(missing)}",
            hint=f"pip install 'nncli[{format.extra}]'",
        )


def place(format: Format, folder: Path, output: Path | None) -> Path:
    """Where the file of a run goes.

    Args:
        format: gives the ending.
        folder: of the run.
        output: a file, or a folder that is there; None for the run's own.

    Raises:
        UsageError: a name that does not end as the format's files do.
    """
    name = f"{folder.resolve().name}{format.ending}"
    if output is None:
        return folder / EXPORTS / name
    if format.is_folder:
        return output
    if output.is_dir():
        return output / name
    suffix = f".{format.ending.rpartition('.')[2]}"
    if output.suffix.lower() != suffix:
        raise UsageError(
            f"{output} is not the name of a file for {format.name}",
            hint=f"--output {output.with_suffix(suffix)}",
        )
    if suffix == ".py" and output.stem in code.TAKEN:
        raise UsageError(
            f"a script {output.name} would be imported in place of the module of that name",
            hint=f"--output {output.with_name(f'{output.stem}-keras.py')}",
        )
    return output


def check_free(format: Format, path: Path, *, force: bool) -> None:
    """Refuse to write over what is there; a folder that is none of TensorFlow's always.

    Raises:
        UsageError: something is there.
    """
    if format.is_folder and path.exists() and not _may_be_replaced(path):
        raise UsageError(
            f"{path} is already there, and it is not a SavedModel", hint="give another name"
        )
    if path.is_dir() and not format.is_folder:
        raise UsageError(f"{path} is a folder", hint="give another name")
    beside = (
        [_card(path)]
        if format.has_card
        else [path.with_name(path.stem + end) for end in code.BESIDE]
    )
    taken = [each for each in (path, *beside) if each.exists()]
    if taken and not force:
        raise UsageError(
            f"{taken[0]} is already there", hint="give another name with --output, or --force"
        )


def _may_be_replaced(path: Path) -> bool:
    return path.is_dir() and ((path / "saved_model.pb").is_file() or not any(path.iterdir()))


def _card(path: Path) -> Path:
    return path.with_name(path.name + CARD)


def export(opened: OpenedRun, format: Format, path: Path, tolerance: float) -> Exported:
    """Write a run's model, load what was written in its own runtime, and compare the answers.

    Called after `backend.start`.

    Args:
        opened: the run.
        format: a row of FORMATS.
        path: the file or folder; what is there is replaced.
        tolerance: the largest difference from Keras that is allowed.

    Raises:
        ExportError: the model cannot be written so, or answers otherwise; nothing is left behind.
        ModelError: the run's model cannot be loaded.
        DataError: samples that have to be written are gone.
        RunError: the file cannot be written.
        DiskError: the disk is full.
    """
    from nncli.trained.export.card import describe, gives, takes
    from nncli.trained.export.samples import expected, largest_difference, load_samples, probe
    from nncli.trained.export.whole import in_float32, whole_model

    dataset, problem = load_samples(opened)
    with backend.quiet():
        trained = in_float32(opened.load_model(plain=True))
        whole = whole_model(opened, trained)
    card = {**describe(opened), "format": format.name}
    material = Material(opened, trained, whole, dataset, problem, card)
    asked = probe(opened, dataset, problem)
    wanted = expected(opened, trained, asked.x)
    with whole_together(path) as made:
        with _told(f"this model cannot be written for {format.runtime}"):
            format.write(material, made)
        with _told(f"{format.runtime} does not take what was written for it"):
            given = format.answers(material, made, asked.x)
        difference = largest_difference(opened.learned, given, wanted)
        if not difference <= tolerance:
            raise ExportError(
                f"{format.runtime} answers otherwise than Keras: by up to {difference:.2g} on "
                f"{len(asked.x):,} samples, where {tolerance:g} is allowed; nothing was written",
                hint="--tolerance allows more",
            )
        check = {
            "runtime": format.runtime_version,
            "samples": len(asked.x),
            "of": asked.of,
            "largest_difference": difference,
            "tolerance": tolerance,
        }
        if format.has_card:
            write_json(_card(made), {**card, "file": path.name, "check": check})
        names = sorted(each.name for each in made.parent.iterdir() if each != made)
    return Exported(
        run=opened.stored.name,
        format=format.name,
        path=path,
        beside=tuple(path.with_name(name) for name in names),
        size=_size(path),
        takes=f"{takes(opened)}; {format.batch}",
        gives=gives(opened),
        runtime=format.runtime_version,
        samples=len(asked.x),
        samples_of=asked.of,
        difference=difference,
        tolerance=tolerance,
        notes=tuple(_notes(opened, format, asked)),
    )


@contextmanager
def _told(what: str) -> Iterator[None]:
    """What goes wrong in somebody else's converter or runtime as an error of ours; quietly.

    What the system says of memory and disks is left to those who know it.
    """
    try:
        with process.signals_stay_signals(), backend.quiet():
            yield
    except (NncliError, OSError, MemoryError):
        raise
    except Exception as error:
        said = in_one_line(error)
        reason = said[:300] or type(error).__name__
        raise ExportError(
            f"{what}: {reason}", hint="another --format may do; --verbose shows more"
        ) from error


def _notes(opened: OpenedRun, format: Format, asked: Probe) -> Iterator[str]:
    precision = opened.config.training.precision
    if precision != "float32" and format.has_card:
        yield f"it was trained in {precision}; the file is in 32 bits"
    if opened.stored.run.get("status") == "interrupted":
        yield "its training was interrupted: this is the best of the epochs that were finished"
    if not asked.is_real:
        yield "the run's own samples could not be compared on"


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())
