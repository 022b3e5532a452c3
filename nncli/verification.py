"""Whether two runs are the same to the last bit, and where they first are not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from nncli import runs
from nncli.differences import changed_figures, changes, differences
from nncli.errors import RunError
from nncli.results import Array, StoredRun, section


def first_difference(one: Path, other: Path) -> str:
    """Compare what two finished runs trained: epochs, figures, weights, answers.

    Times are left out.

    Args:
        one: a run folder.
        other: another.

    Returns:
        The first difference in words; empty for none.

    Raises:
        RunError: one of them is not whole.
    """
    first, second = runs.load(one), runs.load(other)
    return (
        _of_epochs(first, second)
        or next(changed_figures(first.metrics, second.metrics), "")
        or _of_arrays("weight", weights_of(one), weights_of(other))
        or _of_arrays("answer", _answers(first), _answers(second))
    )


def changed_since(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a run was made with that is other now, in words: versions, device, samples.

    Args:
        then: its run.json.
        now: that of its repetition.
    """

    def made_with(record: Mapping[str, Any]) -> dict[str, Any]:
        told = {key: record.get(key, {}) for key in ("versions", "device")}
        return {**told, "samples": section(record, "data").get("fingerprint")}

    return changes(differences([made_with(then), made_with(now)]))


def weights_of(folder: Path) -> dict[str, Array]:
    """The arrays of a run's saved model, the optimizer's too, by their place in the file.

    Raises:
        RunError: there is none, or it is damaged.
    """
    import h5py

    arrays: dict[str, Array] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()]

    path = folder / "model.keras"
    try:
        with zipfile.ZipFile(path) as archive:
            content = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(content) as stored:
            stored.visititems(keep)
    except (OSError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} cannot be read: {error}", hint="train again") from error
    return arrays


def _of_epochs(one: StoredRun, other: StoredRun) -> str:
    if len(one.history) != len(other.history):
        return f"{len(one.history)} epochs then, {len(other.history)} now"
    for old, new in zip(one.history, other.history, strict=True):
        then = {"phase": old.phase, "learning_rate": old.learning_rate, **old.metrics}
        now = {"phase": new.phase, "learning_rate": new.learning_rate, **new.metrics}
        for name in sorted(then.keys() | now.keys()):
            a, b = then.get(name), now.get(name)
            if a != b and not (a != a and b != b):  # two that are no numbers are the same
                return f"{name} of epoch {old.epoch}: {a!r} then, {b!r} now"
    return ""


def _of_arrays(what: str, one: dict[str, Array], other: dict[str, Array]) -> str:
    if one.keys() != other.keys():
        return (
            f"{what}s {', '.join(sorted(one.keys() ^ other.keys())[:3])} are in one of them alone"
        )
    for name, then in one.items():
        now = other[name]
        if then.shape != now.shape or then.dtype != now.dtype:
            return f"{what} {name}: {then.dtype} {then.shape} then, {now.dtype} {now.shape} now"
        if then.tobytes() != now.tobytes():
            count = int(np.count_nonzero(then != now))
            return f"{what} {name}: {count:,} of {then.size:,} numbers"
    return ""


def _answers(run: StoredRun) -> dict[str, Array]:
    """What the model said of the test part."""
    return dict(_numbers(run.predictions or run.forecast))


def _numbers(record: Any) -> Iterator[tuple[str, Array]]:
    for field in fields(record) if record is not None else ():
        values = np.asarray(getattr(record, field.name))
        if values.dtype.kind in "biuf":
            yield field.name, values
