"""What a training needs to go on after it was cut off: all of its state, in one file an epoch.

    checkpoints/000012.state      written after 12 epochs, those of earlier phases counted
    ├── a SHA-256 of all that follows, in hexadecimal
    ├── a line of JSON: the phase, the history, the counters, the shape of each array
    └── the arrays, one after the other: weights, statistics, the state of every random generator,
        the optimizer's, and the weights of the best epoch

A file is whole or not there, and the one before it stays until the next one is. Nothing in it is
run when it is read. Weights that no phase has trained yet are left out: building the model anew
gives them, and a digest tells whether it does.

Which epoch a run goes on from changes none of its numbers: the order of the samples follows from
the seed and the number of the epoch, and all else is in the file.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nncli import backend
from nncli.differences import ABSENT, changes
from nncli.differences import differences as settings_that_differ
from nncli.errors import RunError
from nncli.files import removed, whole_file
from nncli.results import CHECKPOINTS, Array, EpochRecord

FORMAT = 1
KEPT = 2
"""Files that stay: should the newest be damaged, the one before it is taken."""
SHARE = 0.02
"""Of the time of a training that writing may take; the end of a phase is written always."""
LONGEST_HEADER = 64 * 1024 * 1024
BUFFER = 1024 * 1024
"""Bytes that are written at once: a small model has many small arrays."""
MOST_LISTS = 1_000_000
"""In a header; an epoch has two."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after a finished epoch."""

    phase: int
    """Which of the plan's phases, counted from 0."""
    stopped: str
    """Why the phase ended, as `Progress.stopped`; empty while epochs are to come."""
    history: tuple[EpochRecord, ...]
    """All finished epochs, those of earlier phases too."""
    best_value: float
    best_epoch: int
    patience_value: float
    """The figure that early stopping waits to see improved."""
    waited: int
    """For how many epochs it has."""
    origin: Mapping[str, Any]
    """What has to be the same for the numbers to be: config, data, versions, device."""
    untouched: str
    """A digest of the weights that are left out."""
    variables: tuple[Array, ...] = field(repr=False)
    """Of all models of the plan, in their order, without those left out."""
    optimizer: tuple[Array, ...] = field(repr=False)
    best: tuple[Array, ...] = field(repr=False)
    """The best epoch's weights of the phase's model, without those left out; empty for none."""

    @property
    def number(self) -> int:
        """Epochs that are finished."""
        return len(self.history)


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Add a checkpoint to a run folder, then remove all but the newest.

    Raises:
        RunError: it cannot be written.
        DiskError: the disk is full or fails, those before it are still there; or the folder was
            removed.
    """
    if not folder.is_dir():
        raise removed(folder)
    groups = ("variables", "optimizer", "best")
    arrays = {name: getattr(checkpoint, name) for name in groups}
    header = {
        "format": FORMAT,
        "phase": checkpoint.phase,
        "stopped": checkpoint.stopped,
        "history": [asdict(record) for record in checkpoint.history],
        # JSON has no infinity
        "best_value": repr(checkpoint.best_value),
        "best_epoch": checkpoint.best_epoch,
        "patience_value": repr(checkpoint.patience_value),
        "waited": checkpoint.waited,
        "origin": checkpoint.origin,
        "untouched": checkpoint.untouched,
        "arrays": {
            name: [[each.dtype.str, list(each.shape)] for each in group]
            for name, group in arrays.items()
        },
    }
    line = json.dumps(header, ensure_ascii=False).encode() + b"\n"
    values = [np.ascontiguousarray(each) for group in arrays.values() for each in group]
    digest = hashlib.sha256(line)
    for each in values:
        digest.update(each.data)
    path = folder / CHECKPOINTS / f"{checkpoint.number:06}.state"
    with whole_file(path) as partial, partial.open("wb", BUFFER) as stream:
        stream.write(digest.hexdigest().encode() + b"\n" + line)
        for each in values:
            stream.write(each.data)
    keep_newest(folder, KEPT)


def newest(folder: Path) -> Checkpoint:
    """The newest whole checkpoint of a run folder.

    Raises:
        RunError: there is none.
    """
    found = _files(folder)
    damaged = []
    for path in found:
        try:
            return read(path)
        except RunError as error:
            damaged.append(error)
    if damaged:
        raise damaged[0]
    raise RunError(
        f"{folder} holds no checkpoint: no epoch of it was finished",
        hint="train again; its config.yaml repeats it",
    )


def _files(folder: Path) -> list[Path]:
    """The newest first."""
    names = (folder / CHECKPOINTS).glob("[0-9]*.state")
    return sorted((path for path in names if path.stem.isdecimal()), key=_number, reverse=True)


def _number(path: Path) -> int:
    return int(path.stem)


def read(path: Path) -> Checkpoint:
    """One file.

    Raises:
        RunError: it cannot be read, or is damaged.
    """
    try:
        if not path.is_file():  # a pipe would keep its reader waiting, and a device never ends
            raise ValueError("it is no file")
        with path.open("rb") as stream:
            told = stream.readline(65).decode("ascii").strip()
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if digest != told:
                raise ValueError("its checksum is another one")
            stream.seek(65)
            line = stream.readline(LONGEST_HEADER)
            if line.count(b"[") + line.count(b"{") > MOST_LISTS:
                raise ValueError("its header is damaged")
            header = json.loads(line)
            if header["format"] != FORMAT:
                raise ValueError(f"its format is {header['format']}, not {FORMAT}")
            _check_header(header)
            arrays = {
                name: tuple(_array(stream, *spec) for spec in specs)
                for name, specs in header["arrays"].items()
            }
        return Checkpoint(
            phase=header["phase"],
            stopped=header["stopped"],
            history=tuple(EpochRecord(**record) for record in header["history"]),
            best_value=float(header["best_value"]),
            best_epoch=header["best_epoch"],
            patience_value=float(header["patience_value"]),
            waited=header["waited"],
            origin=header["origin"],
            untouched=header["untouched"],
            **arrays,
        )
    # RecursionError is a RuntimeError
    except (OSError, ValueError, LookupError, TypeError, RuntimeError, AttributeError) as error:
        raise RunError(
            f"{path} cannot be used: {error}", hint="train again; the run's config.yaml repeats it"
        ) from error


def _check_header(header: Mapping[str, Any]) -> None:
    """Of what is used long after it was read: that it is of its type."""
    for key, kind in (("phase", int), ("waited", int), ("stopped", str), ("origin", dict)):
        if not isinstance(header[key], kind):
            raise ValueError(f"its {key} is {header[key]!r}")
    if not header["history"] or any(type(each["epoch"]) is not int for each in header["history"]):
        raise ValueError("its history is damaged")


def _array(stream: Any, dtype: str, shape: Sequence[int]) -> Array:
    kind = np.dtype(dtype)
    if kind.hasobject:
        raise ValueError("it holds objects")
    count = math.prod(shape)
    there = os.fstat(stream.fileno()).st_size - stream.tell()
    if not 0 <= count * kind.itemsize <= there or any(side < 0 for side in shape):
        raise ValueError("an array of it is not all there")
    data = stream.read(count * kind.itemsize)
    return np.frombuffer(data, kind, count).reshape(shape)


def keep_newest(folder: Path, count: int = 1) -> None:
    """Remove the others. The last one of a finished run stays: it may still be trained longer."""
    for older in _files(folder)[count:]:
        with suppress(OSError):  # it is in nobody's way
            older.unlink()


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a run began with that is not so now, in words: `tensorflow 2.20.0 then, 2.21.0 now`."""
    # as JSON gives it back
    found = settings_that_differ([json.loads(json.dumps(tree)) for tree in (then, now)])
    # a setting that came with a newer nncli, and is off
    off = ((None, ABSENT), (ABSENT, None))
    return sorted(changes({keys: pair for keys, pair in found.items() if pair not in off}))


class Keeper:
    """Writes the checkpoints of a training, and puts one back."""

    def __init__(
        self,
        folder: Path,
        origin: Mapping[str, Any],
        resumed: Checkpoint | None = None,
        *,
        every_epochs: int | None = None,
        every_minutes: float | None = None,
    ) -> None:
        """Nothing is written yet.

        Args:
            folder: of the run.
            origin: see `Checkpoint`.
            resumed: what to go on from.
            every_epochs: after how many a file is written; None for as many as take no longer than
                `SHARE` allows.
            every_minutes: after how many, at the end of an epoch.
        """
        self.folder, self.origin, self.resumed = folder, origin, resumed
        self.every_epochs, self.every_minutes = every_epochs, every_minutes
        self._variables: list[Any] = []
        self._touched: set[int] = set()
        self._phase, self._untouched = 0, ""
        self._before: tuple[EpochRecord, ...] = ()
        self._written, self._cost = time.monotonic(), 0.0

    def begin(self, models: Iterable[Any]) -> None:
        """Know the variables of all models of a plan, each once."""
        known = {id(each): each for model in models for each in model.variables}
        self._variables = list(known.values())

    def begin_phase(
        self, number: int, model: Any, before: tuple[EpochRecord, ...]
    ) -> Checkpoint | None:
        """A phase begins, its layers frozen or not as they will be.

        Args:
            number: of the phase, from 0.
            model: that it trains.
            before: the epochs of earlier phases.

        Returns:
            The state to go on from, if it is one of this phase.
        """
        self._phase, self._before = number, before
        self._touched |= changing_variables(model)
        self._untouched = self._digest_of_untouched()
        return self.resumed if self.resumed is not None and self.resumed.phase == number else None

    def restore(self, checkpoint: Checkpoint) -> None:
        """Give all variables the values they had.

        Raises:
            RunError: the model is built another way now.
        """
        if self._untouched != checkpoint.untouched:
            raise RunError(
                f"{self.folder} cannot go on: the weights that it began with are others now",
                hint="put the old weights file back, or train anew",
            )
        _assign(self._kept(), checkpoint.variables, self.folder)

    def restore_optimizer(self, optimizer: Any, checkpoint: Checkpoint) -> None:
        """The same for the optimizer of the phase."""
        _assign(optimizer.variables, checkpoint.optimizer, self.folder)

    def best_weights(self, model: Any, checkpoint: Checkpoint) -> list[Array] | None:
        """What `model.get_weights` gave after the best epoch."""
        if not checkpoint.best:
            return None
        kept = iter(checkpoint.best)
        return [
            next(kept) if id(each) in self._touched else np.asarray(each) for each in model.weights
        ]

    def epoch(
        self,
        model: Any,
        records: Sequence[EpochRecord],
        stopped: str,
        best: tuple[float, int, list[Array] | None],
        patience: tuple[float, int],
    ) -> None:
        """An epoch is finished: write its state, if it is time to.

        Args:
            model: of the phase.
            records: the phase's finished epochs.
            stopped: why the phase ends; empty where it goes on.
            best: the best value, its epoch, and its weights.
            patience: what early stopping waits for, and how long it has.
        """
        if not (stopped or self._is_time(len(records))):
            return
        began = time.monotonic()
        value, epoch, weights = best
        write(
            self.folder,
            Checkpoint(
                phase=self._phase,
                stopped=stopped,
                history=(*self._before, *records),
                best_value=value,
                best_epoch=epoch,
                patience_value=patience[0],
                waited=patience[1],
                origin=self.origin,
                untouched=self._untouched,
                variables=tuple(map(np.asarray, backend.values(self._kept()))),
                optimizer=tuple(map(np.asarray, backend.values(model.optimizer.variables))),
                best=tuple(
                    values
                    for each, values in zip(model.weights, weights or (), strict=False)
                    if id(each) in self._touched
                ),
            ),
        )
        self._written = time.monotonic()
        self._cost = self._written - began

    def _is_time(self, epochs: int) -> bool:
        waited = time.monotonic() - self._written
        if self.every_minutes is not None and waited >= 60 * self.every_minutes:
            return True
        if self.every_epochs is not None:
            return epochs % self.every_epochs == 0
        return self.every_minutes is None and waited * SHARE >= self._cost

    def _kept(self) -> list[Any]:
        return [each for each in self._variables if id(each) in self._touched]

    def _digest_of_untouched(self) -> str:
        digest = hashlib.sha256()
        for each in self._variables:
            if id(each) not in self._touched:
                values = np.ascontiguousarray(np.asarray(each))
                digest.update(repr((values.dtype.str, values.shape)).encode())
                digest.update(values.data)
        return digest.hexdigest()


def changing_variables(model: Any) -> set[int]:
    """The identities of what training may change: all but the weights of frozen layers.

    The generators of frozen layers are no weights: they may be drawn from.
    """
    frozen = {
        id(weight)
        for layer in model._flatten_layers()
        if not layer.trainable
        for weight in layer.weights
    }
    return {id(each) for each in model.variables} - frozen


def _assign(variables: Sequence[Any], values: Sequence[Array], folder: Path) -> None:
    shapes = [tuple(each.shape) for each in variables]
    if shapes != [each.shape for each in values]:
        raise RunError(
            f"{folder} cannot go on: its model is built another way now",
            hint="train anew; its config.yaml repeats it",
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
