"""`nncli predict RUN`: what a trained model says of new samples, or of the time after a series."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nncli import options
from nncli.errors import DataError, ExitCode, UsageError

if TYPE_CHECKING:
    from nncli.data.inputs import Block
    from nncli.report.predictions import AnswerWriter
    from nncli.trained.model import OpenedRun

Format = Literal["table", "csv", "jsonl"]
TOP = 2
"""Classes in a row of the table, where nobody says how many."""
MOST_NAMED = 3
"""Of more that cannot be read an error tells the number."""


def predict(
    name: options.Run,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT",
            help="Pictures, folders of them, .npz, .npy, idx, .ts, CSV; - is standard input. "
            "A forecast goes on from the run's own series where none is given.",
        ),
    ] = None,
    format: Annotated[
        Format | None, typer.Option("--format", "-f", help="How the answers are written: table.")
    ] = None,
    top: Annotated[
        int | None, typer.Option(metavar="K", help="Classes in a row of the table: 2.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(metavar="N", help="How far a forecast goes: as far as the model sees back."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw it too: PNG, SVG or PDF by the file's ending."),
    ] = None,
    theme: Annotated[
        Literal["light", "dark"], typer.Option(help="The palette of --plot.")
    ] = "light",
    strict: Annotated[
        bool, typer.Option("--strict", help="End at the first that cannot be read.")
    ] = False,
    device: options.Device = None,
    threads: options.Threads = None,
    runs_in: options.RunsInOutput = Path("outputs"),
    as_json: options.Json = False,
) -> None:
    """Ask a trained model: the class of each sample, or how a series goes on.

    What cannot be read is reported, the others are answered, and it ends with 3.

    nncli predict latest photos cat.png

    nncli predict rnn-sunspots --steps 24 --plot ahead.png
    """
    from nncli import runs

    if as_json and format is not None:
        raise UsageError(
            f"--json is one document, --format {format} another form of it",
            hint="--format jsonl is JSON, an object in each line",
        )
    if plot is not None:
        from nncli.plots.figure import format_of

        format_of(plot)
    if top is not None and top < 1:
        raise UsageError(f"--top {top} shows nothing", hint="give a number of 1 or more")
    folder = runs.find(name, runs_in)

    from nncli.trained.model import open_run

    opened = open_run(folder, options.overrides((), device=device, threads=threads))
    forecasts = opened.stored.task == "forecast"
    for option, value, fits in (("--steps", steps, forecasts), ("--top", top, not forecasts)):
        if value is not None and not fits:
            whom, what = ("classes", "forecasts") if forecasts else ("forecasts", "classifies")
            raise UsageError(
                f"{option} is for {whom}, but {opened.stored.name} {what}", hint="leave it out"
            )
    if forecasts:
        _look_ahead(opened, inputs or [], steps, format, plot, theme, as_json=as_json)
    else:
        picture = None if plot is None else (plot, theme)
        _classify(opened, inputs or [], format, top or TOP, picture, strict=strict, as_json=as_json)


def _standard_input() -> Any:
    """Its bytes; None where it is closed."""
    return getattr(sys.stdin, "buffer", None)


def _loaded(opened: OpenedRun) -> Any:
    """The model, after TensorFlow is started as the run's training was."""
    from nncli import process
    from nncli.report.console import console
    from nncli.report.live_report import LiveReport

    waiting = LiveReport(console(stderr=True))
    with (
        waiting,
        process.borrowed_terminal(waiting.give_back_terminal, waiting.take_terminal),
    ):
        waiting.listener.status("starting TensorFlow")
        opened.start()
        waiting.listener.status("loading the model")
        return opened.load_model()


def _classify(
    opened: OpenedRun,
    inputs: list[str],
    format: Format | None,
    top: int,
    picture: tuple[Path, str] | None,
    *,
    strict: bool,
    as_json: bool,
) -> None:
    from nncli.data.inputs import open_inputs
    from nncli.report.console import print_json
    from nncli.report.predictions import DocumentWriter, answer_writer
    from nncli.trained.predict import Sheet, classify, wanted_by

    classes = opened.learned.classes
    document = DocumentWriter(classes) if as_json else None
    writer: AnswerWriter = document or answer_writer(format or "table", classes, top)
    blocks = open_inputs(inputs, wanted_by(opened), _standard_input())
    blocks = _checked(blocks, strict=strict)
    if inputs[0] == "-":  # it may be long in coming: TensorFlow starts meanwhile
        model = _loaded(opened)
        blocks = _begun(blocks)
    else:
        blocks = _begun(blocks)
        model = _loaded(opened)
    sheet = Sheet(opened)
    for answers in classify(opened, model, blocks):
        writer.add(answers)
        if picture is not None:
            sheet.add(answers)
    files = []
    if picture is not None:
        from nncli.plots.answers import draw_answers
        from nncli.plots.figure import THEMES, save, without_missing_letters

        path, theme = picture
        with without_missing_letters():
            files.append(save(draw_answers(sheet.shown(), opened.stored, THEMES[theme]), path))
    writer.close(files)
    if document is not None:
        print_json(document.document(opened.folder, files))
    if writer.unreadable:
        raise typer.Exit(ExitCode.DATA)


def _checked(blocks: Iterator[Block], *, strict: bool) -> Iterator[Block]:
    """The same; where it is to be strict, only up to the first that cannot be read.

    Raises:
        DataError: naming it.
    """
    for block in blocks:
        if strict and block.unreadable:
            first = block.unreadable[0]
            raise DataError(first.sentence, hint="without --strict the others are answered")
        yield block


def _begun(blocks: Iterator[Block]) -> Iterator[Block]:
    """The same, read up to the first sample: where there is none, nothing has to be started.

    Raises:
        DataError: nothing can be read.
    """
    read: list[Block] = []
    for block in blocks:
        read.append(block)
        if block.names:
            return chain(read, blocks)
    lost = [each for block in read for each in block.unreadable]
    shown = "; ".join(each.sentence for each in lost[:MOST_NAMED])
    more = f"; and {len(lost) - MOST_NAMED:,} more" if len(lost) > MOST_NAMED else ""
    raise DataError(
        f"{shown}{more}" if lost else "the input holds no sample",
        hint="nothing of the input can be answered",
        places=[each.name for each in lost],
    )


def _look_ahead(
    opened: OpenedRun,
    inputs: list[str],
    steps: int | None,
    format: Format | None,
    plot: Path | None,
    theme: str,
    *,
    as_json: bool,
) -> None:
    from nncli.data.inputs import open_series
    from nncli.report.console import print_json
    from nncli.report.predictions import outlook_document, print_outlook
    from nncli.trained.predict import check_steps, look_ahead

    count = check_steps(opened, steps)
    columns = open_series(inputs, opened.config.data, opened.learned, _standard_input())
    outlook = look_ahead(opened, _loaded(opened), columns, count)
    files = []
    if plot is not None:
        from nncli.plots.figure import THEMES, save, without_missing_letters
        from nncli.plots.outlook import draw_outlook

        with without_missing_letters():
            files.append(save(draw_outlook(outlook, opened.stored, THEMES[theme]), plot))
    if as_json:
        print_json(outlook_document(outlook, opened.folder, files))
    else:
        print_outlook(outlook, format or "table", files)
