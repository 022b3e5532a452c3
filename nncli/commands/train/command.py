"""`nncli train KIND`: what it is given, from the command line to the work."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from nncli import completion, options
from nncli.errors import UsageError


def train(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help="rnn, lstm, cnn or transfer.",
            autocompletion=completion.kinds,
        ),
    ] = None,
    config: options.ConfigName = None,
    data_from: options.Data = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    learning_rate: options.LearningRate = None,
    seed: options.Seed = None,
    device: options.Device = None,
    threads: options.Threads = None,
    sets: options.Set = None,
    name: Annotated[str | None, typer.Option(help="The run's name; else the next number.")] = None,
    require: options.Require = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Go on with a run that was cut off, to the same numbers: its folder, its name, "
            "or latest. --epochs may train it longer.",
            autocompletion=completion.runs,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder that run folders are made in.")
    ] = Path("outputs"),
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures/--no-pictures",
            help="Draw the run and write its report; nncli plot and report do so later too.",
        ),
    ] = True,
    cache: Annotated[
        bool,
        typer.Option(
            "--cache/--no-cache",
            help="Keep what a frozen base computes of the images for later runs, and take it.",
        ),
    ] = True,
    profile: Annotated[
        bool, typer.Option("--profile", help="Show where the time went; run.json has it always.")
    ] = False,
    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard",
            help="Write the epochs for TensorBoard too, into the run folder.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the config and the model, train nothing.")
    ] = False,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate",
            help="Tell how long the run will take, how much memory and disk; train nothing.",
        ),
    ] = False,
    junit: options.JUnit = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Train a model: rnn, lstm, cnn or transfer.

    Values come from the defaults, then --config, then --data, then --set, then the other options.
    """
    if estimate:
        options.refuse(
            {
                "--resume": resume,
                "--dry-run": dry_run,
                "--require": require,
                "--junit": junit,
                "--profile": profile,
            },
            "--estimate tells what a new run will take and trains none: {} has no place beside it",
            "give one of them",
        )
    from nncli.backend import check_tensorboard

    if tensorboard:
        check_tensorboard()
    from nncli.commands.train.work import Job, carry_out
    from nncli.report.run import RunReport
    from nncli.requirements import parse

    required = tuple(map(parse, require or ()))
    job = partial(Job, output=output, pictures=pictures, cache=cache, requirements=required)
    words = f"nncli train --resume {resume}" if resume is not None else f"nncli train {kind}"
    report = RunReport(words, quiet=quiet, as_json=as_json, profile=profile, junit=junit)
    if resume is not None:
        from nncli.commands.train.resuming import resumed

        options.refuse(
            {
                "--config": config,
                "--data": data_from,
                "--batch-size": batch_size,
                "--learning-rate": learning_rate,
                "--seed": seed,
                "--device": device,
                "--threads": threads,
                "--set": sets,
                "--name": name,
                "--dry-run": dry_run,
            },
            "--resume goes on with the run's own config, {} would change it",
            "only --epochs may be given, to train longer; for a new run: "
            "nncli train KIND --config RUN/config.yaml",
        )
        with resumed(kind, resume, epochs, output) as found:
            if found.loaded is None:
                from nncli.requirements import judge
                from nncli.runs import read_metrics

                with report:
                    verdicts = judge(required, read_metrics(found.run.folder))
                    report.nothing_left(found.run.folder, verdicts)
                    options.enforce(verdicts, as_json=as_json)
                return
            goes_on_board = tensorboard or found.has_board
            if goes_on_board:
                check_tensorboard()
            carry_out(job(found.loaded, going_on=found, tensorboard=goes_on_board), report)
        return

    from nncli.config import load
    from nncli.schema import SCHEMAS

    if kind is None:
        raise UsageError(
            f"train what? KIND is one of {', '.join(SCHEMAS)}",
            hint="nncli train --help shows how it is used",
        )
    named = options.data_in(config, kind, data_from, "--data") if data_from is not None else []
    given = named + options.overrides(
        sets,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        device=device,
        threads=threads,
    )
    loaded = load(SCHEMAS, kind, config, given)

    from nncli import runs  # NumPy comes with it

    if name is not None:
        runs.check_free(output, kind, name)
    runs.check_writable(output / kind)
    carry_out(
        job(loaded, name=name, dry_run=dry_run, estimate=estimate, tensorboard=tensorboard), report
    )
