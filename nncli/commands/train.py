"""`nncli train KIND`: from a config to a trained, measured and drawn run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nncli import completion, options
from nncli.errors import RunError, TrainingError, UsageError

if TYPE_CHECKING:
    from nncli.backend import Device
    from nncli.config import Config
    from nncli.config.load import Loaded
    from nncli.data.dataset import Dataset
    from nncli.data.source import DataSection
    from nncli.drawing import Artist
    from nncli.report.run import RunReport
    from nncli.results import Result
    from nncli.runs import Run
    from nncli.training.checkpoint import Checkpoint


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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the config and the model, train nothing.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="The result and errors only.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Train a model: rnn, lstm, cnn or transfer.

    Values come from the defaults, then --config, then --data, then --set, then the other options.
    """
    from nncli.config import load
    from nncli.report.run import RunReport
    from nncli.schema import SCHEMAS

    words = f"nncli train --resume {resume}" if resume is not None else f"nncli train {kind}"
    report = RunReport(words, quiet=quiet, as_json=as_json, profile=profile)
    if resume is not None:
        kept = {
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
        }
        _refuse([option for option, value in kept.items() if value])
        _resume(kind, resume, epochs, output, report, pictures=pictures, cache=cache)
        return
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

    from nncli import runs

    if name is not None:
        runs.check_free(output, kind, name)
    runs.check_writable(output / kind)
    _at_work(kind, loaded, name, output, report, pictures=pictures, cache=cache, dry_run=dry_run)


def _refuse(given: Sequence[str]) -> None:
    """A run goes on as it began.

    Raises:
        UsageError: something that would change it.
    """
    if given:
        raise UsageError(
            f"--resume goes on with the run's own config, {', '.join(given)} would change it",
            hint="only --epochs may be given, to train longer; for a new run: "
            "nncli train KIND --config RUN/config.yaml",
        )


def _resume(
    kind: str | None,
    named: str,
    epochs: str | None,
    output: Path,
    report: RunReport,
    *,
    pictures: bool,
    cache: bool,
) -> None:
    """Go on with a run where its newest checkpoint is."""
    from nncli import runs
    from nncli.config import load
    from nncli.schema import SCHEMAS
    from nncli.training.checkpoint import newest

    folder = runs.find(named, output)
    with runs.reopen(folder) as run:
        if run.record.get("status") == "finished" and epochs is None:
            report.nothing_left(folder)
            return
        state = newest(folder)
        longer = options.overrides(
            None, epochs=epochs, batch_size=None, learning_rate=None, seed=None, device=None
        )
        loaded = load(SCHEMAS, kind, str(folder / "config.yaml"), longer)
        if epochs is not None:
            _check_longer(state, loaded.config.training.epochs, folder)
        _at_work(
            loaded.config.kind,
            loaded,
            None,
            output,
            report,
            pictures=pictures,
            cache=cache,
            resumed=(run, state),
        )


def _check_longer(state: Checkpoint, epochs: int, folder: Path) -> None:
    """More epochs may follow those that are over, nothing before them may change.

    Raises:
        UsageError: fewer than are over, or another phase or an early stop came after them.
    """
    from nncli.results import PRETRAINING

    phase = state.history[-1].phase
    done = sum(record.phase == phase for record in state.history)
    anew = f"for a new run: nncli train KIND --config {folder / 'config.yaml'} --epochs {epochs}"
    if phase == PRETRAINING:
        return
    if phase == "fine_tune":
        raise UsageError(
            "--epochs are those of the new head, and its base is being fine-tuned already",
            hint=anew,
        )
    if epochs < done:
        raise UsageError(f"{done} epochs are trained, --epochs {epochs} is fewer", hint=anew)
    if state.stopped == "early stopping" and epochs > done:
        raise UsageError(f"the training stopped by itself after {done} epochs", hint=anew)


def _at_work(
    kind: str,
    loaded: Loaded[Any],
    name: str | None,
    output: Path,
    report: RunReport,
    *,
    pictures: bool,
    cache: bool,
    dry_run: bool = False,
    resumed: tuple[Run, Checkpoint] | None = None,
) -> None:
    """Train with a terminal to draw on, and an artist who gets ready."""
    from nncli import drawing, process, status

    loaded.config.check_files()
    with (
        report,
        process.borrowed_terminal(report.give_back_terminal, report.take_terminal),
        status.told_to(report.listener.status),
        drawing.artist(
            wanted=pictures and not dry_run, threads=loaded.config.training.threads
        ) as artist,
    ):
        _train(
            kind,
            loaded,
            name,
            output,
            report,
            artist if pictures else None,
            cache=cache,
            dry_run=dry_run,
            resumed=resumed,
        )


def _train(
    kind: str,
    loaded: Loaded[Any],
    name: str | None,
    output: Path,
    report: RunReport,
    artist: Artist | None,
    *,
    cache: bool,
    dry_run: bool,
    resumed: tuple[Run, Checkpoint] | None,
) -> None:
    """Read, build, train, measure, save and draw; `report` hears of it."""
    # only now what takes long to import: a wrong config is refused sooner
    from nncli.profile import begin, part, spent

    begin()
    with part("start"):
        from nncli import backend, data, process, runs, training
        from nncli.config import to_dict, to_yaml
        from nncli.data.check import warnings_of
        from nncli.diagnosis import diagnose
        from nncli.files import write_json, write_text
        from nncli.models.describe import describe
        from nncli.report.model import summary_text
        from nncli.schema import find_kind
        from nncli.training.checkpoint import Keeper, keep_newest
        from nncli.training.features import cache_folder

    listener = report.listener
    listener.status(_reading(loaded.config.data))
    with part("data"):
        dataset = data.load(loaded.config.data, loaded.config.seed)
        settings = loaded.settle(dataset.facts).config
        how = getattr(settings.model, "preprocessing", None)
        warned = warnings_of(dataset, settings.data, how)
    if artist is not None:
        artist.rehearse(dataset.task)
    pretraining = getattr(settings, "pretraining", None)
    before = None
    if pretraining is not None:
        listener.status(f"{_reading(pretraining.data)} to train the base on")
        with part("data"):
            before = data.load(pretraining.data, settings.seed)
    section = settings.training
    listener.status("starting TensorFlow")
    with part("import"):
        where = backend.start(section.device, section.threads, settings.seed, section.precision)
    listener.status("building the model")
    with part("build"):
        plan = find_kind(kind).plan(settings, dataset, before)
        layers = describe(plan.model)
    notes = (*dataset.notes, *warned, *plan.notes)
    facts = _facts(dataset, settings.seed, where.name)
    if dry_run:
        report.dry_run(to_dict(settings), to_yaml(settings), layers, facts, notes)
        return

    origin = _origin(settings, dataset, before, where)
    state = None
    if resumed is not None:
        run, state = resumed
        _check_same(state, origin, run.folder)
        notes = (f"going on after {state.number} finished epochs", *notes)
        with part("save"):
            run.go_on(state.history)
    else:
        with part("save"):
            record = {
                "command": shlex.join(["nncli", *sys.argv[1:]]),
                "status": "running",
                **_circumstances(settings, dataset, warned, origin),
            }
            run = runs.create(output, kind, f"{kind}-{dataset.name}", name, record)
    with run:
        with part("save"):
            again = ["nncli", "train", kind, "--config", str(run.folder.absolute() / "config.yaml")]
            write_text(run.folder / "config.yaml", to_yaml(settings, shlex.join(again)))
            write_json(run.folder / "data.json", dataset.learned())
        with part("print"):
            report.begin(layers, facts, notes, run.folder)
        listener.status("preparing the samples")
        kept = cache_folder() if cache else None
        keeper = None
        if section.checkpoints is not None or state is not None:
            policy = section.checkpoints.model_dump() if section.checkpoints is not None else {}
            keeper = Keeper(run.folder, origin, state, **policy)
        result = training.fit(kind, plan, dataset, section, settings.seed, listener, kept, keeper)
        listener.status("saving")
        # what was trained is written, whatever comes
        with process.hold_signals(), part("save"):
            run.save(result, summary_text(plan.model.name, result.layers), plan.model.save)
            run.finish(result, spent())
            if result.stopped in {"finished", "early stopping"}:
                keep_newest(run.folder)
        if result.stopped == "interrupted":
            report.interrupted(run.folder, result)
            raise typer.Exit(result.exit_code)
        drawn = []
        if artist is not None:
            listener.status("drawing the pictures and the report")
            with part("draw"):
                drawn = artist.draw(run.folder)
        with part("save"):
            stored = runs.load(run.folder)
            run.update(profile=spent())
        diverged = result.stopped == "diverged"
        if not (diverged and report.as_json):  # one document: the error says where the run is
            # the error that follows says of a divergence what the diagnosis would
            told = [advice for advice in diagnose(stored) if advice.code != "diverged"]
            report.end(run.folder, stored, drawn, told, spent())
        if diverged:
            raise _diverged(result, run.folder)


def _diverged(result: Result, folder: Path) -> TrainingError:
    """Where the loss stopped being a number, and which epoch is left."""
    last = result.history[-1]
    since = f" from step {result.broken_step:,} on" if result.broken_step else ""
    return TrainingError(
        f"the loss of epoch {last.epoch} is not a finite number{since}; "
        f"{folder} keeps epoch {result.best_epoch}",
        hint=f"use a smaller learning rate than {last.learning_rate:g}",
    )


def _reading(section: DataSection) -> str:
    """What is read, in words for the live line."""
    return f"reading {getattr(section, 'path', None) or section.source}"


def _facts(dataset: Dataset, seed: int, device: str) -> list[str]:
    """What the header says: data, sizes, seed, device."""
    sizes = ", ".join(f"{len(part):,} {name}" for name, part in dataset.parts.items())
    return [dataset.name, sizes, f"seed {seed}", device]


def _origin(
    settings: Config, dataset: Dataset, before: Dataset | None, where: Device
) -> dict[str, Any]:
    """What must be the same for a run to go on to the same numbers."""
    import hashlib
    from dataclasses import asdict

    from nncli import backend
    from nncli.config import to_dict

    config = to_dict(settings)
    for key in ("epochs", "checkpoints"):  # how long, and how often it is written down
        del config["training"][key]
    kernels = hashlib.sha256(repr(backend.processor()).encode()).hexdigest()[:16]
    return {
        "config": config,
        "samples": dataset.fingerprint(),
        "samples of the pretraining": None if before is None else before.fingerprint(),
        "versions": backend.versions(),
        "device": asdict(where),
        "processor": kernels,
    }


def _check_same(state: Checkpoint, origin: dict[str, Any], folder: Path) -> None:
    """Raises: RunError: the numbers would not be those of the run that was not cut off."""
    from nncli.training.checkpoint import differences

    found = differences(state.origin, origin)
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise RunError(
            f"{folder} cannot go on to the same numbers: {'; '.join(found[:3])}{more}",
            hint=f"put that back, or begin anew: "
            f"nncli train {origin['config']['kind']} --config {folder / 'config.yaml'}",
        )


def _circumstances(
    settings: Config, dataset: Dataset, warned: Sequence[str], origin: dict[str, Any]
) -> dict[str, Any]:
    """What a run is recorded with, beside its config; of `_origin` what people ask for."""
    from datetime import UTC, datetime

    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": origin["versions"],
        "seed": settings.seed,
        "device": origin["device"],
        "data": {
            "source": dataset.name,
            "fingerprint": origin["samples"],
            "samples": {part_name: len(part) for part_name, part in dataset.parts.items()},
            "notes": list(dataset.notes),
            "warnings": list(warned),
        },
    }
