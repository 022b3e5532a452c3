"""Runs as lists show them: many in a table, one in detail, two side by side.

Of each run no more is read than is shown: a thousand runs are listed in the time of a key press.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nncli import runs
from nncli.differences import differences
from nncli.errors import RunError
from nncli.results import (
    CHECKPOINTS,
    EVALUATIONS,
    RunDetails,
    RunDifference,
    RunRow,
    RunStatus,
    section,
)

PARTS = ("train", "validation", "test")


def rows(root: Path) -> list[RunRow]:
    """All runs in a folder of runs, damaged ones too, by kind and name."""
    return [row_of(folder) for folder in runs.folders(root)]


def row_of(folder: Path) -> RunRow:
    """A run folder as a row, whatever state it is in."""
    try:
        record, status = _state(folder)
        return _row(folder, record, status, _metrics(folder, status))
    except (RunError, OSError) as error:
        return RunRow(
            folder, folder.name, folder.parent.name, "damaged", started=_written(folder),
            problem=str(error),
        )  # fmt: skip


def details(folder: Path) -> RunDetails:
    """One run in detail.

    Raises:
        RunError: a damaged one.
    """
    if not folder.name:  # the current folder
        folder = folder.resolve()
    record, status = _state(folder)
    metrics = _metrics(folder, status)
    return RunDetails(
        _row(folder, record, status, metrics),
        record,
        metrics,
        _files(folder),
        _evaluations(folder),
    )


def difference(one: Path, other: Path) -> RunDifference:
    """In what two runs differ, and what each reached.

    Raises:
        RunError: one of them is damaged.
    """
    two = details(one), details(other)
    configs = [runs.read_config(each.row.folder) for each in two]
    return RunDifference(
        *two,
        settings=_differing(configs),
        circumstances=_differing([_circumstances(each.record) for each in two]),
        figures=_side_by_side(*(_figures(each) for each in two)),
    )


def _state(folder: Path) -> tuple[dict[str, Any], RunStatus]:
    """run.json, and how the run is going.

    Raises:
        RunError: damaged.
    """
    record = runs.read_record(folder)
    if record.get("status") == "running":
        if runs.in_use(folder):
            return record, "running"
        record = runs.read_record(folder)  # it may have ended meanwhile
    status = record.get("status")
    if status == "running":
        return record, "cut off"
    if status not in runs.STATUSES:
        raise RunError(
            f"{folder / 'run.json'} is damaged: its status is {status!r}", hint="train again"
        )
    return record, status


def _metrics(folder: Path, status: RunStatus) -> dict[str, Any]:
    """metrics.json; empty where the run did not get so far.

    Raises:
        RunError: damaged, or missing in a finished run.
    """
    if status == "finished" or (folder / "metrics.json").exists():
        return runs.read_metrics(folder)
    return {}


def _row(
    folder: Path, record: Mapping[str, Any], status: RunStatus, metrics: Mapping[str, Any]
) -> RunRow:
    monitor = str(metrics.get("monitor") or "")
    part = "validation" if monitor.startswith("val_") else "train"
    test = section(metrics, "test")
    measured = next((name for name in ("accuracy", "mean_absolute_error") if name in test), "")
    newest = None if status == "finished" else _newest_checkpoint(folder)
    epochs = newest if status in {"running", "cut off"} else None
    stopped = status in {"cut off", "interrupted"}
    return RunRow(
        folder=folder,
        name=folder.name,
        kind=str(metrics.get("kind") or folder.parent.name),
        status=status,
        data=str(section(record, "data").get("source") or ""),
        started=str(record.get("started") or "") or _written(folder),
        epochs=epochs or _whole(metrics.get("epochs")),
        best_epoch=_whole(metrics.get("best_epoch")) or None,
        metric=monitor,
        value=_number(section(metrics, part).get(monitor.removeprefix("val_"))),
        test_metric=measured,
        test_value=_number(test.get(measured)),
        seconds=_number(section(record, "seconds").get("train")),
        can_go_on=stopped and newest is not None,
        problem=str(record.get("error") or ""),
    )


def _newest_checkpoint(folder: Path) -> int | None:
    """After how many epochs the newest state was written."""
    names = [Path(name) for name in _names(folder / CHECKPOINTS)]
    numbers = [
        int(name.stem) for name in names if name.suffix == ".state" and name.stem.isdecimal()
    ]
    return max(numbers, default=None)


def _names(folder: Path) -> list[str]:
    with suppress(OSError):
        return os.listdir(folder)  # noqa: PTH208 - of many folders, and names alone are wanted
    return []


def _evaluations(folder: Path) -> dict[str, dict[str, Any]]:
    """What was measured later, by the folder's name, in the order of time."""
    found = {}
    for name in _names(folder / EVALUATIONS):
        with suppress(RunError):
            found[name] = runs.read_evaluation(folder / EVALUATIONS / name)
    return dict(sorted(found.items(), key=lambda pair: (str(pair[1].get("started")), pair[0])))


def _files(folder: Path) -> dict[str, int]:
    """Bytes by name; a folder with all that is in it."""
    found = {}
    for path in sorted(folder.iterdir()):
        is_folder = path.is_dir() and not path.is_symlink()
        inside = [each for each in path.rglob("*") if not each.is_dir()] if is_folder else [path]
        with suppress(OSError):  # removed meanwhile
            size = sum(each.lstat().st_size for each in inside)
            found[f"{path.name}/" if is_folder else path.name] = size
    return found


def size(folder: Path) -> int:
    """Bytes of a run folder."""
    return sum(_files(folder).values())


def _written(folder: Path) -> str:
    """When run.json was written, for want of a better time."""
    with suppress(OSError):
        seconds = (folder / "run.json").stat().st_mtime
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    return ""


def _circumstances(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a run's numbers depend on beside its config."""
    data = section(record, "data")
    return {
        "data": {key: data[key] for key in ("source", "samples", "fingerprint") if key in data},
        "versions": section(record, "versions"),
        "device": section(record, "device"),
    }


def _differing(trees: list[dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    return {".".join(keys): (one, other) for keys, (one, other) in differences(trees).items()}


def _figures(run: RunDetails) -> Iterator[tuple[str, float]]:
    """Every figure that a run reached, by its name in words."""
    for part in PARTS:
        for name, value in section(run.metrics, part).items():
            # whole numbers are counts
            if isinstance(value, float):
                yield f"{part} {name}".replace("_", " "), value
    counts = {key: _whole(run.metrics.get(key)) for key in ("best_epoch", "parameters")}
    for name, count in {**counts, "epochs": run.row.epochs}.items():
        if count is not None:
            yield name.replace("_", " "), count
    if run.row.seconds is not None:
        yield "seconds", run.row.seconds


def _side_by_side(
    one: Iterable[tuple[str, float]], other: Iterable[tuple[str, float]]
) -> dict[str, tuple[float | None, float | None]]:
    left, right = dict(one), dict(other)
    return {name: (left.get(name), right.get(name)) for name in {**left, **right}}


def _number(value: object) -> float | None:
    """A finite number, whatever the file holds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        with suppress(OverflowError):
            number = float(value)
            return number if math.isfinite(number) else None
    return None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time(row: RunRow) -> float | None:
    with suppress(ValueError):
        return -datetime.fromisoformat(row.started).timestamp()
    return None


def _best(row: RunRow) -> tuple[str, float] | None:
    """Losses apart from shares: they cannot be compared."""
    if row.value is None:
        return None
    return row.metric, -row.value if row.metric.endswith("accuracy") else row.value


ORDERS: Mapping[str, Callable[[RunRow], Any]] = {
    "started": _time,
    "metric": _best,
    "epochs": lambda row: None if row.epochs is None else -row.epochs,
    "time": lambda row: None if row.seconds is None else -row.seconds,
    "name": lambda row: row.name,
}
"""What rows are sorted by: the newest, best, longest first."""


def ordered(unordered: Iterable[RunRow], by: str, *, reverse: bool = False) -> list[RunRow]:
    """Rows in one of the `ORDERS`; those without what they are sorted by are last.

    Of equal ones those with a higher number come first.
    """
    keyed = [(ORDERS[by](row), row) for row in unordered][::-1]
    known = [(key, row) for key, row in keyed if key is not None]
    known.sort(key=lambda pair: pair[0], reverse=reverse)
    return [row for _, row in known] + [row for key, row in keyed if key is None]
