"""Samples split into training, validation and test parts, and what is known about them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from nncli.data.digests import digest_of
from nncli.data.samples import Inputs, Samples, blocks, prepared
from nncli.data.scaling import Scaler
from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Array, Copy, Task

Family = Literal["series", "sequences", "images"]


@dataclass(frozen=True)
class Split:
    """One part of a dataset: `x[i]` belongs to `y[i]`."""

    x: Inputs
    """(samples, steps, features) float32, or (samples, height, width, channels) pixels in 0..255,
    uint8 or float32. Where they do not fit in memory, `Samples` that are read when used; bytes that
    are only to be divided, `Divided`. The same indexing reads all three."""
    y: Array
    """(samples,) int64 class indices; for a forecast float32, (samples, 1) the value after each
    window or (samples, steps, 1) the value after each step."""
    names: tuple[str, ...] = field(default=(), repr=False)
    """(samples,) the file of each, where each has its own."""
    known_digests: NDArray[np.void] | None = field(default=None, repr=False, compare=False)
    """`digests`, where whoever read the samples has them already."""

    def __post_init__(self) -> None:
        assert len(self.x) == len(self.y), (self.x.shape, self.y.shape)

    def __len__(self) -> int:
        return len(self.x)

    def take(self, indices: NDArray[np.intp]) -> Split:
        """The samples at `indices`, in that order."""
        x = self.x[indices] if isinstance(self.x, np.ndarray) else self.x.take(indices)
        known = None if self.known_digests is None else self.known_digests[indices]
        names = tuple(self.names[i] for i in indices) if self.names else ()
        return Split(x, self.y[indices], names, known)

    def converted(self, convert: Callable[[Array], Array]) -> Split:
        """The same samples with other inputs, see `Dataset.converted`."""
        return Split(prepared(self.x, convert), self.y, self.names, self.known_digests)

    @cached_property
    def digests(self) -> NDArray[np.void]:
        """(samples,) 16 bytes of each input as it was read: equal where all its numbers are."""
        if self.known_digests is not None:
            return self.known_digests
        digests = np.empty(len(self), dtype="V16")
        row = 0
        for block in blocks(self.x):
            for sample in block:
                digests[row] = digest_of(sample)
                row += 1
        return digests


@dataclass(frozen=True)
class Series:
    """Where the windows of a forecast come from, and the way back to its own units.

    Numbers become (value − base) / scale. The base is the training part's mean, or the last value
    that is known; the scale is the training part's deviation.
    """

    name: str
    """What the numbers are, for titles: `Sunspots`."""
    offset: float
    scale: float
    seen: NDArray[np.float64]
    """(window,) the values before the test part, in own units."""
    truth: NDArray[np.float64]
    """(steps,) the test part, in own units."""
    labels: tuple[str, ...] = ()
    """(steps,) dates of the test part, where the source has them."""
    change: bool = False
    """Whether the model answers with the change from the last value instead of the value."""
    relative: bool = False
    """Whether it also sees its window from the last value, and so knows no level."""
    naive_error: float = 0.0
    """The mean absolute error of repeating the last value, over the training part, in own units:
    what a forecast's error is measured by (MASE)."""

    @property
    def before(self) -> NDArray[np.float64]:
        """(steps,) the value before each of the test part, in own units."""
        return np.concatenate([self.seen[-1:], self.truth[:-1]])

    def scaled_inputs(
        self, values: NDArray[np.float64], last: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """What the model sees of values in own units.

        Args:
            values: in own units.
            last: of a shape that fits `values`, the last value of each window.
        """
        base = last if self.relative else self.offset
        return np.asarray((values - base) / self.scale, dtype=np.float32)

    def scaled_targets(
        self, values: NDArray[np.float64], last: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """What the model has to answer for values in own units; `last` as for the inputs."""
        base = last if self.change else self.offset
        return np.asarray((values - base) / self.scale, dtype=np.float32)

    def to_units(self, scaled: Array, last: NDArray[np.float64]) -> NDArray[np.float64]:
        """From the model's answers to the series' own units: back from `scaled_targets`."""
        base = last if self.change else self.offset
        return np.asarray(scaled, dtype=np.float64) * self.scale + base


@dataclass(frozen=True)
class Facts:
    """What is known of a source's samples; None where that takes reading them."""

    task: Task | None = None
    train: int | None = None
    """Samples of the training part."""
    fewest: int | None = None
    """At least how many those are, where their number takes counting."""
    validation: bool | None = None
    """Whether there is a validation part."""
    input_shape: tuple[int, ...] | None = None
    """The shape of one sample."""
    classes: int | None = None
    """How many classes there are."""


@dataclass(frozen=True)
class Dataset:
    """What a model is trained, chosen and measured on. The three parts share no sample."""

    name: str
    """The source's name, `digits`."""
    family: Family
    """What one sample is: a window of a series, a sequence, an image."""
    task: Task
    train: Split
    validation: Split | None
    """None where there are too few samples to choose by: then the training loss chooses."""
    test: Split
    classes: tuple[str, ...] = ()
    """Class names, by index; empty for a forecast."""
    series: Series | None = None
    """Set for a forecast."""
    scaler: Scaler | None = None
    """What the sequences were scaled by, or of a series the columns beside the forecast one; None
    where there are none."""
    brightness: float | None = None
    """What the pixels of the files were multiplied by; None where they were no arrays of pixels."""
    padding: float | None = None
    """The value of the steps that fill up shorter sequences, in all their features; None where
    all have one length."""
    columns: Mapping[str, Any] | None = None
    """Of a table with a sample in each row: its `header`, and the indices of its `label` and of its
    `numbers`."""
    files: str = ""
    """SHA-256 over the bytes of the files that were read; empty where there are none."""
    copies: tuple[Copy, ...] = ()
    """Samples that were left out, being equal to others."""
    notes: tuple[str, ...] = field(default=())
    """What the user should know about how the data was read, one sentence each."""

    @property
    def parts(self) -> dict[str, Split]:
        """The parts that there are, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample, without the batch dimension."""
        return tuple(self.train.x.shape[1:])

    @property
    def facts(self) -> Facts:
        """All that the settings of its source could only partly foresee."""
        return Facts(
            task=self.task,
            train=len(self.train),
            validation=self.validation is not None,
            input_shape=self.input_shape,
            classes=len(self.classes) if self.task == "classification" else None,
        )

    @property
    def target_steps(self) -> bool:
        """True where every step of a sample has its own target (sequence to sequence)."""
        return self.train.y.ndim == 3

    def converted(self, convert: Callable[[Array], Array]) -> Dataset:
        """The same samples with other inputs, after preprocessing.

        Args:
            convert: of (any number, …) inputs, each by itself; called from any thread.
        """

        parts: dict[str, Any] = {name: part.converted(convert) for name, part in self.parts.items()}
        return replace(self, **parts)

    def learned(self) -> dict[str, Any]:
        """What it takes to prepare other samples in the same way, as plain values.

        Everything here was learned from the training part; the settings are in the config.
        """
        series = self.series
        return {
            "source": self.name,
            "task": self.task,
            "input_shape": list(self.input_shape),
            "classes": list(self.classes),
            "scaler": None if self.scaler is None else self.scaler.to_dict(),
            "brightness": self.brightness,
            "padding": self.padding,
            "columns": None if self.columns is None else dict(self.columns),
            "series": None
            if series is None
            else {
                "name": series.name,
                "offset": series.offset,
                "scale": series.scale,
                "change": series.change,
                "relative": series.relative,
                "naive_error": series.naive_error,
            },
        }

    def fingerprint(self) -> str:
        """SHA-256 of the files, every number, its place and the class names.

        It changes when a byte does, and is the same whether or not the samples are in memory.
        """
        digest = hashlib.sha256()
        digest.update(repr((self.task, self.classes, self.files)).encode())
        for part in (self.train, self.validation, self.test):
            if part is None:
                digest.update(b"none")
                continue
            for array in (part.x, part.y):
                digest.update(repr((array.dtype.str, array.shape)).encode())
            digest.update(part.digests.data)
            digest.update(np.ascontiguousarray(part.y).data)
        return digest.hexdigest()


def check_parts(name: str, dataset: Dataset) -> Dataset:
    """Refuse a dataset that would be trained on nonsense in silence.

    Raises:
        DataError: an empty part, a value that is not finite, a label out of range,
            fewer than two classes.
    """
    parts = {"training": dataset.train, "validation": dataset.validation, "test": dataset.test}
    for part_name, part in parts.items():
        if part is None:
            continue
        if len(part) == 0:
            raise DataError(
                f"{name}: the {part_name} part has no samples",
                hint="give more data, or change data.validation and data.test",
            )
        for what, array in (("input", part.x), ("target", part.y)):
            if isinstance(array, Samples) or array.dtype.kind != "f":
                continue  # those on the disk were looked through by their source
            if not np.isfinite(array).all():
                row = int(np.argwhere(~np.isfinite(array))[0][0])
                raise DataError(
                    f"{name}: {what} {row} of the {part_name} part is not a finite number",
                    hint="remove or repair the missing values",
                )
    if dataset.task == "classification":
        if len(dataset.classes) < 2:
            raise DataError(
                f"{name}: {len(dataset.classes)} class(es); a classifier needs at least two",
                hint="check the labels, or the class folders",
            )
        for part_name, part in parts.items():
            if part is None:
                continue
            low, high = int(part.y.min()), int(part.y.max())
            if low < 0 or high >= len(dataset.classes):
                raise DataError(
                    f"{name}: labels of the {part_name} part run from {low} to {high}, "
                    f"but there are {len(dataset.classes)} classes (0 to "
                    f"{len(dataset.classes) - 1})"
                )
    return dataset
