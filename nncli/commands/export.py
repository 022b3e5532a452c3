"""`nncli export RUN --format …`: a run's model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nncli import completion, options
from nncli.errors import UsageError, unknown_name


def export(
    name: options.Run,
    format: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="keras, saved-model, onnx, tflite or code.",
            autocompletion=completion.formats,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Without it NAME and the format's ending, in exports/ in the run's folder.",
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="How far its answers may be from Keras's: of a probability, or in deviations of "
            "the series; else 0.0001.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    runs_in: options.RunsIn = Path("outputs"),
    as_json: options.Json = False,
) -> None:
    """Write a run's model for other programs, and compare its answers there with Keras's.

    It takes samples as they are: pixels from 0 to 255, sequences in their own units. Ends with 1,
    and nothing is written, where an answer is further from Keras's than --tolerance.

    nncli export latest --format onnx

    nncli export cnn-digits-001 --format code
    """
    from nncli import runs
    from nncli.trained.export import FORMATS, TOLERANCE, check_free, check_installed, place

    if format not in FORMATS:
        raise unknown_name("format", format, list(FORMATS))
    if tolerance is None:
        tolerance = TOLERANCE
    if not tolerance >= 0:
        raise UsageError(f"--tolerance {tolerance:g} allows nothing", hint="give 0 or more")
    row = FORMATS[format]
    folder = runs.find(name, runs_in)
    check_installed(row)
    path = place(row, folder, output)
    check_free(row, path, force=force)

    from nncli import backend
    from nncli.config.sections import available_threads
    from nncli.report.console import print_json
    from nncli.report.export import exported_document, print_exported, print_exporting
    from nncli.trained.export import export as write
    from nncli.trained.model import open_run

    if output is not None:
        runs.check_writable(path.parent)
    opened = open_run(folder)
    if output is None:  # which leaves a trace in the run's folder: only now
        runs.check_writable(path.parent)
    if not as_json:
        print_exporting(opened.stored.name, row.runtime)
    backend.start("cpu", available_threads(), opened.config.seed)
    exported = write(opened, row, path, tolerance)
    if as_json:
        print_json(exported_document(exported))
    else:
        print_exported(exported)
