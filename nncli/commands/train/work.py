"""The work of `nncli train`: read, build, train, measure, save and draw."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nncli import options
from nncli.errors import TrainingError

if TYPE_CHECKING:
    from nncli.backend import Device
    from nncli.commands.train.resuming import GoingOn
    from nncli.config import Config
    from nncli.config.load import Loaded
    from nncli.data.dataset import Dataset
    from nncli.data.source import DataSection
    from nncli.drawing import Artist
    from nncli.listener import Listener
    from nncli.models.kind import Plan
    from nncli.report.run import RunReport
    from nncli.requirements import Requirement, Verdict
    from nncli.results import EpochRecord, FailedFigure, LayerRow, Result, SavedFigure, StoredRun
    from nncli.runs import Run

    Drawn = Sequence[SavedFigure | FailedFigure]


@dataclass(frozen=True)
class Job:
    """What the command line asks for."""

    loaded: Loaded[Any]
    output: Path
    """The folder that run folders are made in."""
    name: str | None = None
    """Of the run; None for the next number."""
    pictures: bool = True
    cache: bool = True
    """Whether the features of frozen bases are kept and taken."""
    dry_run: bool = False
    tensorboard: bool = False
    """Whether the epochs are written for TensorBoard too; a run that began with it goes on so."""
    estimate: bool = False
    """Whether it is only to be told what the run would take."""
    requirements: tuple[Requirement, ...] = ()
    """What must be reached, or the exit code is 5."""
    going_on: GoingOn | None = None
    """The run that is gone on with; None for a new one."""


@dataclass(frozen=True)
class Prepared:
    """All that training needs."""

    settings: Config
    """Complete: what depends on the data is filled in."""
    dataset: Dataset
    before: Dataset | None
    """The samples of the pretraining, where there is one."""
    where: Device
    plan: Plan
    layers: tuple[LayerRow, ...]
    warned: tuple[str, ...]
    """Of the data."""
    notes: tuple[str, ...]

    @property
    def facts(self) -> list[str]:
        """What the header says: data, sizes, seed, device."""
        parts = self.dataset.parts.items()
        sizes = ", ".join(f"{len(part):,} {name}" for name, part in parts)
        return [self.dataset.name, sizes, f"seed {self.settings.seed}", self.where.name]


def carry_out(job: Job, report: RunReport) -> None:
    """Train, with a terminal to draw on and an artist who gets ready; `report` hears of it.

    Raises:
        NncliError: whatever goes wrong.
    """
    from nncli import drawing, process, status

    job.loaded.config.check_files()
    threads = job.loaded.config.training.threads
    with (
        report,
        process.borrowed_terminal(report.give_back_terminal, report.take_terminal),
        status.told_to(report.listener.status),
        drawing.artist(wanted=job.pictures and not job.dry_run, threads=threads) as artist,
    ):
        _train(job, report, artist if job.pictures else None)


def _train(job: Job, report: RunReport, artist: Artist | None) -> None:
    # only now what takes long to import: a wrong config is refused sooner
    from nncli.profile import begin, part, spent

    begin()
    with part("start"):
        from nncli import runs, training
        from nncli.commands.train.origin import origin_of
        from nncli.config import to_dict, to_yaml
        from nncli.files import write_json, write_text
        from nncli.requirements import judge
        from nncli.training.checkpoint import Keeper
        from nncli.training.features import cache_folder

    ready = _prepare(job, report, artist)
    settings, section = ready.settings, ready.settings.training
    if job.dry_run:
        report.dry_run(to_dict(settings), to_yaml(settings), ready.layers, ready.facts, ready.notes)
        return
    if job.estimate:
        from nncli.commands.train.estimating import estimate_run

        report.begin_estimate(ready.facts, ready.notes)
        report.estimate(estimate_run(job, ready, artist, report.listener), job.output)
        return
    origin = origin_of(settings, ready.dataset, ready.before, ready.where)
    state = None if job.going_on is None else job.going_on.state
    with _opened(job, ready, origin) as run:
        with part("save"):
            config = run.folder.absolute() / "config.yaml"
            again = ["nncli", "train", settings.kind, "--config", str(config)]
            write_text(run.folder / "config.yaml", to_yaml(settings, shlex.join(again)))
            write_json(run.folder / "data.json", ready.plan.learned(ready.dataset))
        notes = ready.notes
        if state is not None:
            notes = (f"going on after {state.number} finished epochs", *notes)
        with part("print"):
            report.begin(ready.layers, ready.facts, notes, run.folder)
        report.listener.status("preparing the samples")
        keeper = None
        if section.checkpoints is not None or state is not None:
            policy = section.checkpoints.model_dump() if section.checkpoints is not None else {}
            keeper = Keeper(run.folder, origin, state, **policy)
        history = () if state is None else state.history
        with _listening(job, run.folder, ready.plan, history, report.listener) as listener:
            result = training.fit(
                settings.kind,
                ready.plan,
                ready.dataset,
                section,
                settings.seed,
                listener,
                cache_folder() if job.cache else None,
                keeper,
            )
        drawn = _save_and_draw(run, result, ready.plan, report, artist)
        with part("save"):
            stored = runs.load(run.folder)
            verdicts = judge(job.requirements, stored.metrics)
            told = [{"text": each.text, "met": each.met} for each in verdicts]
            run.update(profile=spent(), **({"requirements": told} if told else {}))
        _tell(run, stored, result, drawn, verdicts, report)


def _prepare(job: Job, report: RunReport, artist: Artist | None) -> Prepared:
    """Read the samples, start TensorFlow and build the model."""
    from nncli.profile import part

    with part("start"):
        from nncli import backend, data
        from nncli.data.check import warnings_of
        from nncli.models.describe import describe
        from nncli.requirements import check_known
        from nncli.schema import find_kind
        from nncli.training.measure import figures_to_come
        from nncli.training.memory import shortage

    tell = report.listener.status
    wanted = job.loaded.config
    tell(_reading(wanted.data))
    with part("data"):
        dataset = data.load(wanted.data, wanted.seed)
        settings = job.loaded.settle(dataset.facts).config
        how = getattr(settings.model, "preprocessing", None)
        warned = tuple(warnings_of(dataset, settings.data, how))
        compared = getattr(settings.model, "compare", ())
        check_known(job.requirements, figures_to_come(dataset, compared))
    if artist is not None:
        artist.rehearse(dataset.task)
    pretraining = getattr(settings, "pretraining", None)
    before = None
    if pretraining is not None:
        tell(f"{_reading(pretraining.data)} to train the base on")
        with part("data"):
            before = data.load(pretraining.data, settings.seed)
    section = settings.training
    tell("starting TensorFlow")
    with part("import"):
        where = backend.start(section.device, section.threads, settings.seed, section.precision)
    tell("building the model")
    with part("build"):
        plan = find_kind(settings.kind).plan(settings, dataset, before)
        layers = describe(plan.model)
    short = shortage(plan.phases, section.batch_size)
    notes = (*dataset.notes, *warned, *plan.notes, *([short] if short else []))
    return Prepared(settings, dataset, before, where, plan, layers, warned, notes)


def _opened(job: Job, ready: Prepared, origin: dict[str, Any]) -> Run:
    """The run's folder: a new one, or that of a run that goes on."""
    from nncli import runs
    from nncli.commands.train.origin import circumstances
    from nncli.profile import part
    from nncli.training.estimate import estimate

    if job.going_on is not None:
        assert job.going_on.state is not None
        job.going_on.check_same(origin)
        with part("save"):
            job.going_on.run.go_on(job.going_on.state.history)
        return job.going_on.run
    settings = ready.settings
    size = estimate(ready.plan, settings.training, pictures=job.pictures).peak
    runs.check_room(job.output / settings.kind, size)
    with part("save"):
        record = {
            "command": shlex.join(["nncli", *sys.argv[1:]]),
            "status": "running",
            **circumstances(settings, ready.dataset, ready.warned, origin),
        }
        stem = f"{settings.kind}-{ready.dataset.name}"
        return runs.create(job.output, settings.kind, stem, job.name, record)


@contextmanager
def _listening(
    job: Job, folder: Path, plan: Plan, history: Sequence[EpochRecord], listener: Listener
) -> Iterator[Listener]:
    """Whoever hears of the training: what shows it, and what writes it for TensorBoard."""
    if not job.tensorboard:
        yield listener
        return
    from nncli.listener import Listeners
    from nncli.results import PRETRAINING, TENSORBOARD
    from nncli.training.board import Board

    apart = (PRETRAINING, *(each.name for each in plan.baselines))
    board = Board(folder / TENSORBOARD, apart, listener, history)
    try:
        yield Listeners(listener, board)
    finally:
        board.close()


def _save_and_draw(
    run: Run, result: Result, plan: Plan, report: RunReport, artist: Artist | None
) -> Drawn:
    """Write what was trained, whatever comes, then draw it.

    Raises:
        Interrupted: before all pictures were there.
        typer.Exit: the training was interrupted; what it reached is written.
    """
    from nncli import process
    from nncli.profile import part, spent
    from nncli.report.model import summary_text
    from nncli.training.checkpoint import keep_newest

    report.listener.status("saving")
    try:
        with process.hold_signals(), part("save"):
            run.save(result, summary_text(plan.model.name, result.layers), plan.model.save)
            run.finish(result, spent())
            if result.stopped in {"finished", "early stopping"}:
                keep_newest(run.folder)
        if artist is None or result.stopped == "interrupted":
            drawn: Drawn = ()
        else:
            report.listener.status("drawing the pictures and the report")
            with part("draw"):
                drawn = artist.draw(run.folder)
    except KeyboardInterrupt:
        if result.stopped != "interrupted":
            report.not_drawn(run.folder, result)
            raise
    if result.stopped == "interrupted":
        report.interrupted(run.folder, result)
        raise typer.Exit(result.exit_code)
    return drawn


def _tell(
    run: Run,
    stored: StoredRun,
    result: Result,
    drawn: Drawn,
    verdicts: tuple[Verdict, ...],
    report: RunReport,
) -> None:
    """What was reached, and what to do about it.

    Raises:
        TrainingError: the loss stopped being a number.
        RequirementError: what was required is not reached.
    """
    from nncli.diagnosis import diagnose
    from nncli.profile import spent

    diverged = result.stopped == "diverged"
    if not (diverged and report.as_json):  # one document: the error says where the run is
        # the error that follows says of a divergence what the diagnosis would
        told = [advice for advice in diagnose(stored) if advice.code != "diverged"]
        report.end(run.folder, stored, drawn, told, spent(), verdicts)
    if diverged:
        raise _diverged(result, run.folder)
    options.enforce(verdicts, as_json=report.as_json, hint=f"{run.folder} keeps what was trained")


def _diverged(result: Result, folder: Path) -> TrainingError:
    """Where the loss stopped being a number, and which epoch is left."""
    from nncli.training.loop import since_step

    last = result.history[-1]
    since = since_step(result.broken_step, result.broken_layer)
    return TrainingError(
        f"the loss of epoch {last.epoch} is not a finite number{since}; "
        f"{folder} keeps epoch {result.best_epoch}",
        hint=f"use a smaller learning rate than {last.learning_rate:g}",
    )


def _reading(section: DataSection) -> str:
    """What is read, in words for the live line."""
    return f"reading {getattr(section, 'path', None) or section.source}"
