"""`nncli train KIND --estimate`: what the run will take, told before it is begun."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nncli import runs
from nncli.commands.train.origin import circumstances, origin_of
from nncli.config import to_yaml
from nncli.files import nearest_folder, passing_folder, write_json, write_text
from nncli.profile import spent
from nncli.report.model import summary_text
from nncli.results import RunEstimate
from nncli.training import memory
from nncli.training.checkpoint import Keeper
from nncli.training.estimate import estimate
from nncli.training.features import cache_folder
from nncli.training.rehearsal import Rehearsal, rehearse

if TYPE_CHECKING:
    from nncli.commands.train.work import Job, Prepared
    from nncli.drawing import Artist
    from nncli.listener import Listener


def estimate_run(
    job: Job, ready: Prepared, artist: Artist | None, listener: Listener
) -> RunEstimate:
    """Do a little of everything that the run would do, and keep nothing of it.

    Args:
        job: what the command line asks for.
        ready: all that training needs; its models are changed.
        artist: who would draw the run; None where nothing is to be drawn.
        listener: hears what is being timed.

    Raises:
        RunError: the disk cannot hold the run.
        TrainingError: it cannot be trained.
    """
    settings, section = ready.settings, ready.settings.training
    size = estimate(ready.plan, section, pictures=job.pictures).peak
    root = job.output / settings.kind
    runs.check_room(root, size)
    origin = origin_of(settings, ready.dataset, ready.before, ready.where)
    before = spent()
    if artist is not None:
        listener.status("waiting for the process that draws")  # or both would be timed at once
        artist.wait()
    place = nearest_folder(job.output.absolute())
    with passing_folder(place) as folder:
        record = {"status": "running", **circumstances(settings, ready.dataset, (), origin)}
        with runs.Run(folder, record) as run:
            write_text(folder / "config.yaml", to_yaml(settings))
            write_json(folder / "data.json", ready.plan.learned(ready.dataset))
            found = rehearse(
                settings.kind,
                ready.plan,
                ready.dataset,
                section,
                settings.seed,
                listener,
                cache_folder() if job.cache else None,
                None if section.checkpoints is None else Keeper(folder, origin),
            )
            saving, drawing = _save_and_draw(run, found, ready, artist, listener)
    used, room = memory.peak(), memory.room()
    phases, batch = ready.plan.phases, section.batch_size
    near = None if used is None else memory.nearness(phases, batch, used, room)
    return RunEstimate(
        before=before,
        phases=found.phases,
        after={
            "test": found.test,
            **({"baselines": found.baselines} if ready.plan.baselines else {}),
            "save": saving,
            **({"draw": drawing} if artist is not None else {}),
        },
        memory=used,
        memory_free=room,
        disk=size,
        disk_free=runs.free(root),
        early=section.early_stopping is not None,
        warnings=() if near is None else (near,),
    )


def _save_and_draw(
    run: runs.Run, found: Rehearsal, ready: Prepared, artist: Artist | None, listener: Listener
) -> tuple[float, float]:
    """Seconds that saving and drawing take; the run is one of a few epochs."""
    listener.status("timing the saving")
    began = time.monotonic()
    model, result = ready.plan.model, found.result
    run.save(result, summary_text(model.name, result.layers), model.save)
    run.finish(result, spent())
    saved = time.monotonic()
    if artist is not None:
        listener.status("timing the pictures and the report")
        artist.draw(run.folder)
    return saved - began, time.monotonic() - saved
