"""`nncli evaluate RUN`: a trained model on its test part again, or on other samples."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from nncli import completion, options
from nncli.errors import UsageError


def evaluate(
    name: options.Run,
    data_from: Annotated[
        str | None,
        typer.Option(
            "--data",
            "-d",
            metavar="SOURCE|PATH",
            help="Other samples, with their classes: a source, a file or a folder of your own; "
            "else the run's own test part.",
            autocompletion=completion.sources,
        ),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="data.KEY=VALUE",
            help="How the other samples are read; may be repeated.",
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            min=1, max=1000, help="How many steps ahead a series is forecast at most; else 12."
        ),
    ] = None,
    require: options.Require = None,
    junit: options.JUnit = None,
    device: options.Device = None,
    threads: options.Threads = None,
    runs_in: options.RunsInOutput = Path("outputs"),
    save: Annotated[
        bool, typer.Option("--save/--no-save", help="Keep it in the run's folder, evaluations/.")
    ] = True,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Draw what is kept.")
    ] = True,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Measure a trained model on its test part again, or on other samples.

    On a CPU the figures of the own test part are those of metrics.json, to the last digit.

    nncli evaluate latest

    nncli evaluate cnn-digits-001 --data photos --require 'test.accuracy >= 0.9'
    """
    from nncli import process, runs, status
    from nncli.report.evaluation import EvaluationReport
    from nncli.requirements import check_known, judge, parse
    from nncli.trained.evaluate import evaluate_run, figures_to_come
    from nncli.trained.model import open_run
    from nncli.trained.samples import section_of

    wanted = tuple(map(parse, require or ()))
    folder = runs.find(name, runs_in)
    run = open_run(folder, options.overrides((), device=device, threads=threads))
    if horizon is not None and run.learned.task != "forecast":
        raise UsageError(
            f"--horizon is for forecasts, but {run.stored.name} classifies", hint="leave it out"
        )
    other = data_from is not None or sets
    section = section_of(run, data_from, options.overrides(sets)) if other else None
    check_known(wanted, figures_to_come(run.learned, horizon))
    report = EvaluationReport(f"nncli evaluate {name}", quiet=quiet, as_json=as_json, junit=junit)
    with (
        report,
        process.borrowed_terminal(report.give_back_terminal, report.take_terminal),
        status.told_to(report.listener.status),
    ):
        found = evaluate_run(run, section, horizon, shlex.join(["nncli", *sys.argv[1:]]))
        verdicts = judge(wanted, {"test": found.figures})
        place, drawn = None, []
        if save:
            report.listener.status("saving")
            place = runs.save_evaluation(folder, found)
        if place is not None and pictures:
            from nncli.plots.evaluated import save_evaluated

            report.listener.status("drawing the pictures")
            drawn = save_evaluated(run.stored, found, place)
        report.end(found, place, drawn, verdicts)
        options.enforce(verdicts, as_json=as_json)
