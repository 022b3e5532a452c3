"""The run folder: created for one run alone, written so that no reader sees half a file.

outputs/<kind>/<name>/
    config.yaml        the complete config: `nncli train <kind> --config` repeats the run
    run.json           command, versions, seed, device, times, data, status
    data.json          what was learned of the data: classes, scaling, padding
    history.csv        one row per epoch
    metrics.json       what was reached, on which part
    layers.json        the model as rows, and which feeds which
    summary.txt        the model as the lesson prints it
    model.keras        the best epoch's weights, loads in plain Keras
    predictions.npz    what a classifier said of the test part
    forecast.npz       what a forecaster said of it
    checkpoints/       the state after the last epochs: `nncli train --resume` goes on from it
    exports/           the model for other programs, where it was exported
    tensorboard/       the epochs as TensorBoard reads them: `--tensorboard`
    *.png              the pictures, drawn from the files above
    evaluations/       a folder for each `nncli evaluate`: evaluation.json and what was answered
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import math
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nncli.errors import DiskError, RunError, UsageError, closest
from nncli.files import (
    nearest_folder,
    read_bytes,
    remove_partials,
    removed,
    try_writing,
    whole_file,
    write_json,
    write_text,
)
from nncli.lazy import np
from nncli.results import (
    CHECKPOINTS,
    EVALUATIONS,
    PRETRAINING,
    EpochRecord,
    Evaluation,
    Forecast,
    LayerRow,
    Predictions,
    Result,
    StoredRun,
    linked,
    own_epochs,
)

try:
    import fcntl
except ImportError:  # Windows has no such lock
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_DAMAGE = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError),
    *(RuntimeError, csv.Error, zipfile.BadZipFile, zlib.error),
)
"""What reading a broken text, table or archive raises."""

MARGIN = 1.2
"""Times its estimated size that a run must find free: an estimate may be off."""
MOST_TEXT = 8_000_000
"""Bytes of a text file; layers.json of a thousand layers has half a million."""
MOST_HISTORY = 32_000_000
"""Of history.csv: 300,000 epochs."""
MOST_PACKED, UNSUSPICIOUS = 20, 64_000_000
"""How many times larger than in its archive an array may be, and what it may take anyway."""
MOST_NAMED = 5
"""How many runs an error lists."""
STATUSES = ("running", "finished", "interrupted", "failed")
"""What run.json says of how a run is going."""
DELETED = ".deleted"
"""How the hidden name ends under which a run folder is removed."""


class Run:
    """A run folder that this process owns until `close`."""

    def __init__(self, folder: Path, record: Mapping[str, Any] | None = None) -> None:
        """Lock the folder; without a `record` take the one that is there."""
        self.folder = folder
        self._lock = _lock(folder)
        self._at_work = record is not None
        try:
            if record is None:
                self.record = read_record(folder)
                remove_partials(folder)
            else:
                self.record = dict(record)
                write_json(folder / "run.json", self.record)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The folder's name, `cnn-digits-001`."""
        return self.folder.name

    def update(self, **fields: Any) -> None:
        """Change fields of run.json, `status` among them."""
        self._at_work = self._at_work or "status" in fields
        self.record.update(fields)
        self._write_record()

    def go_on(self, history: tuple[EpochRecord, ...]) -> None:
        """Record that a run that was cut off runs again, after these epochs."""
        for field in ("stopped", "ended", "error"):  # of the time before
            self.record.pop(field, None)
        after = {record.epoch for record in history[-1:] if record.phase != PRETRAINING}
        resumed = sorted(after.union(self.record.get("resumed", ())))
        self.update(status="running", resumed=resumed)

    def _write_record(self) -> None:
        # or writing would make it anew, with half of the files; a checkpoint may have done so
        if not (self.folder / "run.json").is_file():
            raise removed(self.folder)
        write_json(self.folder / "run.json", self.record)

    def save(self, result: Result, summary: str, write_model: Callable[[Path], None]) -> None:
        """Write everything that `result` holds, metrics.json last: where it is, all is.

        Raises:
            RunError: it cannot be written.
            DiskError: the disk is full or fails, or the folder was removed.
        """
        self._write_record()
        write_text(self.folder / "history.csv", history_csv(result.history))
        rows = [dataclasses.asdict(row) for row in result.layers]
        write_json(self.folder / "layers.json", {"layers": rows})
        write_text(self.folder / "summary.txt", summary)
        if result.best_epoch:
            with whole_file(self.folder / "model.keras") as partial:
                write_model(partial)
        if result.predictions is not None:
            _write_arrays(self.folder / "predictions.npz", result.predictions)
        if result.forecast is not None:
            _write_arrays(self.folder / "forecast.npz", result.forecast)
        write_json(self.folder / "metrics.json", metrics_of(result), sort=True)

    def finish(self, result: Result, profile: Mapping[str, float]) -> None:
        """Record how training ended; everything of it is on the disk by now.

        Args:
            result: of the training.
            profile: seconds by part, see `nncli.profile`.
        """
        status = {"interrupted": "interrupted", "diverged": "failed"}.get(
            result.stopped, "finished"
        )
        seconds = {part: round(value, 3) for part, value in result.seconds.items()}
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        self.update(
            status=status,
            stopped=result.stopped,
            ended=ended,
            seconds=seconds,
            profile=profile,
        )

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        """Record how it ended, if nobody has, and release the folder."""
        # what another process left behind stays as it is until the run goes on
        if error is not None and self._at_work and self.record.get("status") == "running":
            status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            with contextlib.suppress(RunError, DiskError):  # `error` says more than a second one
                self.update(status=status, error=str(error) or type(error).__name__)
        self.close()

    def close(self) -> None:
        """Release the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def check_name(name: str) -> str:
    """A run name that is safe as a folder on every system.

    Raises:
        UsageError: any other.
    """
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name) or name.endswith("."):
        raise UsageError(
            f"{name[:60]!r} cannot be a run's name",
            hint="use a-z, A-Z, 0-9, '.', '_' and '-', at most 100, beginning with a letter "
            "or digit",
        )
    return name


def check_writable(root: Path) -> None:
    """Refuse an output folder that cannot be written, before any work is done.

    Raises:
        RunError: a file in the way, or no permission.
    """
    folder = root.absolute()
    try:
        folder = nearest_folder(folder)
        if not folder.is_dir():
            raise RunError(f"{folder} is not a folder", hint="choose another --output")
        try_writing(folder)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written: {error.strerror or error}", hint="choose another --output"
        ) from error


def check_room(root: Path, size: int) -> None:
    """Refuse a run that the disk cannot hold, before it is trained.

    The folder is at fault here, another one would do: it is no `DiskError`, which tells of a disk
    that has become full.

    Args:
        root: the folder that the run's own is to be made in.
        size: bytes that the run is estimated to take.

    Raises:
        RunError: there is less room than that and the margin.
    """
    there, needed = free(root), MARGIN * size
    if there is not None and there < needed:
        raise RunError(
            f"the run needs about {needed / 1e6:,.1f} MB, "
            f"but {nearest_folder(root.absolute())} has {there / 1e6:,.1f} MB free",
            hint="make room there or choose another --output; --no-pictures takes less",
        )


def free(root: Path) -> int | None:
    """Bytes that are free where this folder is, or will be made; None where nobody tells."""
    try:
        return shutil.disk_usage(nearest_folder(root.absolute())).free
    except OSError:  # a file system that does not tell: what is written will
        return None


def check_free(root: Path, kind: str, name: str) -> None:
    """Refuse a name that a run of this kind has already, before any work is done.

    Raises:
        UsageError: not a name.
        RunError: taken.
    """
    folder = root / kind / check_name(name)
    if folder.exists():
        raise _taken(folder)


def _taken(folder: Path) -> RunError:
    return RunError(
        f"there is a run {folder} already",
        hint="choose another --name, or leave it out to get the next number",
    )


def create(root: Path, kind: str, stem: str, name: str | None, record: Mapping[str, Any]) -> Run:
    """Make `root/kind/name` for one run alone.

    Without a name it is `stem-001` or the next free number: making a folder either succeeds for
    one process or fails, so runs that start in the same instant get different ones.

    Raises:
        RunError: the name is taken, or the folder cannot be made.
    """
    parent = root / kind
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", stem)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        if name is not None:
            try:
                (parent / name).mkdir()
            except FileExistsError:
                raise _taken(parent / name) from None
            return Run(parent / name, record)
        return Run(_next_folder(parent, stem), record)
    except OSError as error:
        raise RunError(
            f"cannot make a run folder in {parent}: {error.strerror or error}",
            hint="choose another --output",
        ) from error


def _next_folder(parent: Path, stem: str) -> Path:
    """`parent/stem-001`, or the next free number, made for this process alone."""
    number = _last_number(parent, stem)
    while True:
        number += 1
        folder = parent / f"{stem}-{number:03}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder


def _last_number(parent: Path, stem: str) -> int:
    pattern = re.compile(re.escape(stem) + r"-(\d{3,})")
    found = (pattern.fullmatch(entry.name) for entry in os.scandir(parent))
    return max((int(match[1]) for match in found if match), default=0)


def _lock(folder: Path, *, shared: bool = False) -> int | None:
    """Hold the folder itself, so that no second process writes into it.

    Several processes may hold a shared one, but not beside the one that writes.
    """
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise RunError(f"{folder} is in use by another process") from error
    return descriptor


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    lock = _lock(folder)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _write_arrays(path: Path, record: Predictions | Forecast) -> None:
    arrays: dict[str, Any] = {
        field.name: np.asarray(getattr(record, field.name)) for field in dataclasses.fields(record)
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    with whole_file(path) as partial:
        partial.write_bytes(buffer.getvalue())


def history_csv(history: tuple[EpochRecord, ...]) -> str:
    """One row per epoch; floats to their last digit. Phases may differ in their metrics."""
    names = list(dict.fromkeys(name for record in history for name in record.metrics))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["phase", "epoch", *names, "learning_rate", "seconds", "best"])
    for record in history:
        values = [record.metrics.get(name, "") for name in names]
        best = "true" if record.best else "false"
        writer.writerow(
            [record.phase, record.epoch, *values, record.learning_rate, record.seconds, best]
        )
    return stream.getvalue()


def metrics_of(result: Result) -> dict[str, Any]:
    """The figures of a run: no times in it, so that two equal runs write equal files."""
    epochs = own_epochs(result.history)
    best = next((record for record in epochs if record.epoch == result.best_epoch), None)
    reached = dict(best.metrics) if best is not None else {}
    return {
        "kind": result.kind,
        "task": result.task,
        "monitor": result.monitor,
        "epochs": len(epochs),
        "best_epoch": result.best_epoch,
        "stopped": result.stopped,
        "diverged": {
            "epoch": epochs[-1].epoch,
            "step": result.broken_step,
            "layer": result.broken_layer or None,
        }
        if result.stopped == "diverged"
        else None,
        "parameters": sum(row.parameters for row in result.layers),
        "trainable_parameters": sum(row.trainable_parameters for row in result.layers),
        "train": {k: v for k, v in reached.items() if not k.startswith("val_")},
        "validation": {k[4:]: v for k, v in reached.items() if k.startswith("val_")},
        "test": dict(result.test),
        "baselines": [
            {
                "name": baseline.name,
                "meaning": baseline.meaning,
                "epochs": baseline.epochs,
                "metrics": dict(baseline.metrics),
                "failed": baseline.failed,
            }
            for baseline in result.baselines
        ],
    }


def save_evaluation(folder: Path, evaluation: Evaluation) -> Path:
    """Write an evaluation below a run, beside those that were made before.

    Args:
        folder: the run's.
        evaluation: evaluation.json is written last: where it is, all is.

    Raises:
        RunError: it cannot be written.
        DiskError: the disk is full or fails.
    """
    parent = folder / EVALUATIONS
    stem = "test" if evaluation.own else evaluation.data
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:80] or "samples"
    try:
        parent.mkdir(exist_ok=True)
        place = _next_folder(parent, stem)
    except OSError as error:
        raise RunError(
            f"cannot make a folder in {parent}: {error.strerror or error}",
            hint="--no-save measures without writing",
        ) from error
    if evaluation.predictions is not None:
        _write_arrays(place / "predictions.npz", evaluation.predictions)
    if evaluation.forecast is not None:
        _write_arrays(place / "forecast.npz", evaluation.forecast)
    document = {
        "run": evaluation.run,
        "kind": evaluation.kind,
        "task": evaluation.task,
        "data": evaluation.data,
        "own_test_part": evaluation.own,
        "changed": list(evaluation.changed),
        "notes": list(evaluation.notes),
        **evaluation.record,
        "test": dict(evaluation.figures),
    }
    write_json(place / "evaluation.json", document)
    return place


def folders(root: Path) -> list[Path]:
    """All run folders `root/kind/name`, by kind and name; none that is being deleted."""
    found = (record.parent for record in root.glob("*/*/run.json"))
    return sorted(folder for folder in found if not folder.name.startswith("."))


def find(name: str, root: Path) -> Path:
    """The run folder that `name` means.

    Args:
        name: a path, `latest`, `kind/name`, a name, or the beginning of only one name.
        root: the folder that run folders are made in.

    Raises:
        UsageError: no run, or several.
    """
    if (Path(name) / "run.json").is_file():
        return Path(name)
    if (root / name / "run.json").is_file() and name not in {"", "."}:
        return root / name
    found = folders(root)
    if not found:
        raise UsageError(
            f"there is no run {name!r}: {root} holds none",
            hint="nncli train cnn makes one; --output names another folder",
        )
    if name == "latest":
        return min(found, key=_age)
    named = [folder for folder in found if folder.name == name] or [
        folder
        for folder in found
        if name and (folder.name.startswith(name) or _place(folder).startswith(name))
    ]
    if len(named) == 1:
        return named[0]
    if named:
        several = ", ".join(_place(folder) for folder in named[:MOST_NAMED])
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        raise UsageError(
            f"{name!r} is the beginning of several runs: {several}{more}", hint="write more of it"
        )
    newest = sorted(found, key=_age)[:MOST_NAMED]
    guess = closest(name, [folder.name for folder in found])
    raise UsageError(
        f"unknown run {name!r}",
        hint=f"did you mean {guess!r}?"
        if guess is not None
        else f"the newest in {root}: {', '.join(_place(folder) for folder in newest)}",
    )


def _age(folder: Path) -> int:
    """Less for what was written to later."""
    return -(folder / "run.json").stat().st_mtime_ns


def _place(folder: Path) -> str:
    """`cnn/cnn-digits-001`."""
    return f"{folder.parent.name}/{folder.name}"


def in_use(folder: Path) -> bool:
    """Whether a process writes to a run folder now; True where the system cannot tell."""
    if fcntl is None:
        return True
    try:
        # shared: two who look at the same time do not take each other for the one that writes
        descriptor = _lock(folder, shared=True)
    except RunError:
        return True
    if descriptor is not None:
        os.close(descriptor)
    return False


def check_deletable(folder: Path) -> None:
    """Refuse to delete what is no run, or what a process writes to.

    Raises:
        RunError: no run folder, only a link to one, or in use.
    """
    if folder.is_symlink():
        raise RunError(
            f"{folder} is a link to {folder.resolve()}",
            hint="name the folder itself, or rm the link",
        )
    if not (folder / "run.json").is_file():
        raise _no_run(folder)
    known = False
    with contextlib.suppress(RunError):
        known = read_record(folder).get("status") in STATUSES
    # other programs write a run.json too: a damaged one is nncli's where its other files are
    if not known and not all((folder / name).is_file() for name in ("config.yaml", "data.json")):
        raise RunError(f"{folder} is not a run folder", hint="its run.json is not one of nncli")
    with _held(folder):
        pass


def delete(folder: Path) -> None:
    """Remove a run folder, and what is left of others that were not removed entirely.

    It gets a hidden name first, under which nothing looks for a run: what is left of it when the
    process is killed is no damaged run. Links in it are removed, not what they lead to.

    Raises:
        RunError: see `check_deletable`, or it cannot be removed.
    """
    check_deletable(folder)
    folder = folder.resolve()  # `.` has no other name
    hidden = folder.with_name(f".{folder.name}.{os.getpid()}{DELETED}")
    try:
        with _held(folder):
            folder.rename(hidden)
            shutil.rmtree(hidden)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be deleted: {error.strerror or error}",
            hint=f"what is left of it is {hidden}" if hidden.exists() else "nothing was deleted",
        ) from error
    for left in folder.parent.glob(f".*{DELETED}"):
        with contextlib.suppress(OSError):  # another process was faster
            if not in_use(left):  # by another process that deletes it
                shutil.rmtree(left, ignore_errors=True)


def load(folder: Path) -> StoredRun:
    """Read a run folder back.

    Raises:
        RunError: not a run folder, or a damaged one.
    """
    run = read_record(folder)
    metrics = read_metrics(folder)
    with _reading(folder / "layers.json") as path:
        layers = _read_layers(json.loads(_text(path))["layers"])
    config = read_config(folder)
    with _reading(folder / "data.json") as path:
        data = dict(json.loads(_text(path)))
    with _reading(folder / "history.csv") as path:
        history = _read_history(_text(path, MOST_HISTORY))
        # older runs counted the epochs of pretraining too
        if metrics["epochs"] not in {len(own_epochs(history)), len(history)}:
            raise ValueError(f"{len(own_epochs(history))} epochs of {metrics['epochs']}")
    with _reading(folder / "predictions.npz") as path:
        predictions = _read_predictions(path)
    with _reading(folder / "forecast.npz") as path:
        forecast = _read_forecast(path)
    return StoredRun(
        name=folder.name,
        kind=metrics["kind"],
        task=metrics["task"],
        config=config,
        run=run,
        data=data,
        metrics=metrics,
        history=history,
        layers=layers,
        predictions=predictions,
        forecast=forecast,
    )


def reopen(folder: Path) -> Run:
    """A run that was made before, for this process alone; no file of it changes yet.

    Raises:
        RunError: not a run folder, a damaged one, or another process writes to it.
    """
    if not (folder / "run.json").is_file():
        raise _no_run(folder)
    return Run(folder)


def read_record(folder: Path) -> dict[str, Any]:
    """run.json.

    Raises:
        RunError: not a run folder, or a damaged one.
    """
    try:
        with _reading(folder / "run.json") as path:
            return dict(json.loads(_text(path)))
    except RunError:
        if not (folder / "run.json").is_file():
            raise _no_run(folder) from None
        raise


def read_metrics(folder: Path) -> dict[str, Any]:
    """metrics.json.

    Raises:
        RunError: the run did not get so far, or it is damaged.
    """
    with _reading(folder / "metrics.json") as path:
        metrics = dict(json.loads(_text(path)))
        for key in ("kind", "task"):
            if key not in metrics:
                raise KeyError(key)
        return metrics


def read_evaluation(folder: Path) -> dict[str, Any]:
    """evaluation.json of an evaluation's folder.

    Raises:
        RunError: it is not there, or damaged.
    """
    with _reading(folder / "evaluation.json") as path:
        return dict(json.loads(_text(path)))


def read_config(folder: Path) -> dict[str, Any]:
    """config.yaml.

    Raises:
        RunError: it is not there, or damaged.
    """
    with _reading(folder / "config.yaml") as path:
        return _parse_config(_text(path))


def _no_run(folder: Path) -> RunError:
    return RunError(f"{folder} is not a run folder", hint="it has no run.json")


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[Path]:
    """Whatever goes wrong inside is the file's fault, and the error names it."""
    try:
        yield path
    except FileNotFoundError as error:
        begun = any((path.parent / CHECKPOINTS).glob("*.state"))
        raise RunError(
            f"{path.parent} has no {path.name}",
            hint=f"the run did not finish: nncli train --resume {path.parent} goes on with it"
            if begun
            else "the run did not finish; train again",
        ) from error
    except _DAMAGE as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise RunError(
            f"{path} is damaged: {reason or type(error).__name__}", hint="train again"
        ) from error


def _text(path: Path, most: int = MOST_TEXT) -> str:
    """What stands in a file."""
    return read_bytes(path, most).decode()


@contextlib.contextmanager
def _arrays(path: Path) -> Iterator[Mapping[str, Any]]:
    """The arrays of an archive, after a look at how large each says it is."""
    if not path.is_file():
        raise ValueError("it is no file")
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > max(UNSUSPICIOUS, MOST_PACKED * member.compress_size):
                raise ValueError(f"{member.filename} unpacks to {member.file_size:,} bytes")
            with archive.open(member) as stream:
                _check_promise(member, stream)
    with np.load(path, allow_pickle=False) as stored:
        yield stored


def _check_promise(member: zipfile.ZipInfo, stream: Any) -> None:
    """NumPy makes room for what the header says, before it looks for it."""
    version = np.lib.format.read_magic(stream)
    wide = version >= (2, 0)
    reader = np.lib.format.read_array_header_2_0 if wide else np.lib.format.read_array_header_1_0
    shape, _, dtype = reader(stream)
    if math.prod(shape) * dtype.itemsize != member.file_size - stream.tell():
        raise ValueError(f"{member.filename} is not as large as it says")


def _parse_config(text: str) -> dict[str, Any]:
    import yaml

    class Plain(yaml.SafeLoader):
        """Without aliases, which nncli does not write: a few of them make millions of values."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise ValueError("it has aliases, which nncli does not write")
            return super().compose_node(parent, index)

    try:
        return dict(yaml.load(text, Plain))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _read_history(text: str) -> tuple[EpochRecord, ...]:
    records = []
    own = {"phase", "epoch", "learning_rate", "seconds", "best"}
    rows = csv.DictReader(io.StringIO(text))
    missing = own - set(rows.fieldnames or ())
    if missing:
        raise ValueError(f"no column {', '.join(sorted(missing))}")
    for row in rows:
        if row["best"] not in {"true", "false"}:
            raise ValueError(f"line {rows.line_num} is cut short")
        metrics = {
            name: float(value) for name, value in row.items() if name not in own and value != ""
        }
        records.append(
            EpochRecord(
                phase=row["phase"],
                epoch=int(row["epoch"]),
                metrics=metrics,
                learning_rate=float(row["learning_rate"]),
                seconds=float(row["seconds"]),
                best=row["best"] == "true",
            )
        )
    return tuple(records)


def _read_layers(stored: list[dict[str, Any]]) -> tuple[LayerRow, ...]:
    """Rows and those inside them; before `inputs` were stored, each row fed the next."""
    rows = linked([_read_layer(**row) for row in stored])
    names = {row.name for row in rows}
    for row in rows:
        for name in row.inputs:
            if name not in names:
                raise ValueError(f"{name!r} feeds {row.name!r}, but is no layer")
    return rows


def _read_layer(
    *,
    output_shape: list[int | None],
    inputs: Sequence[str] = (),
    inside: Sequence[dict[str, Any]] = (),
    **fields: Any,
) -> LayerRow:
    row = LayerRow(
        output_shape=tuple(output_shape),
        inputs=tuple(inputs),
        inside=_read_layers(list(inside)),
        **fields,
    )
    for name, kind in _LAYER_TYPES.items():
        value = getattr(row, name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ValueError(f"{name} of a layer is {value!r}")
    if row.calls < 1:
        raise ValueError(f"calls of a layer is {row.calls!r}")
    sizes = [size for size in row.output_shape if size is not None]
    if any(type(size) is not int for size in sizes):
        raise ValueError(f"output_shape of {row.name!r} is {row.output_shape!r}")
    if any(not isinstance(name, str) for name in row.inputs) or isinstance(inputs, str):
        raise ValueError(f"inputs of {row.name!r} are {inputs!r}")
    return row


_LAYER_TYPES: dict[str, type] = {
    **dict.fromkeys(("name", "type", "settings", "family"), str),
    **dict.fromkeys(("parameters", "trainable_parameters", "layers_inside", "calls"), int),
    "frozen": bool,
}
"""What layers.json must hold of each layer, beside its lists."""


def _read_predictions(path: Path) -> Predictions | None:
    if not path.exists():
        return None
    with _arrays(path) as stored:
        return Predictions(
            truth=stored["truth"],
            probabilities=stored["probabilities"],
            classes=tuple(str(name) for name in stored["classes"]),
            shown=stored["shown"],
            inputs=stored["inputs"],
        )


def _read_forecast(path: Path) -> Forecast | None:
    if not path.exists():
        return None
    with _arrays(path) as stored:
        return Forecast(
            seen=stored["seen"],
            truth=stored["truth"],
            one_step=stored["one_step"],
            free_running=stored["free_running"],
            persistence=stored["persistence"],
            name=str(stored["name"]),
            labels=tuple(str(label) for label in stored["labels"]),
        )
