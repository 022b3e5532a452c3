"""What a run learned of its training part, read back from its data.json to treat others alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from nncli.data.brightness import EIGHT_BIT, Brightness
from nncli.data.dataset import Series
from nncli.data.scaling import Scaler
from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Array, Task

MOST_NUMBERS = 100_000_000
"""Of one sample: 400 MB."""
Side = Annotated[int, Field(ge=1, le=MOST_NUMBERS)]
Positive = Annotated[FiniteFloat, Field(gt=0)]


class _Record(BaseModel):
    """Strict: the file may be from anywhere."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LearnedScaler(_Record):
    """Of each feature, in the data's own units."""

    offset: tuple[FiniteFloat, ...]
    scale: tuple[Positive, ...]

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if len(self.offset) != len(self.scale):
            raise ValueError("offset and scale differ in length")
        return self

    @property
    def scaler(self) -> Scaler:
        """As the samples were scaled by."""
        return Scaler(np.array(self.offset), np.array(self.scale))


class LearnedSeries(_Record):
    """The way from the series' own units to what the model sees, and back."""

    name: str
    """What the numbers are, `Sunspots`."""
    offset: FiniteFloat
    scale: Positive
    change: bool
    """Whether the model answers with the change from the last value."""
    relative: bool
    """Whether it also sees its window from the last value."""
    naive_error: Annotated[FiniteFloat, Field(ge=0)]
    """The mean absolute error of repeating the last value, over the training part, in own units."""

    def series(
        self,
        seen: NDArray[np.float64],
        truth: NDArray[np.float64],
        labels: tuple[str, ...] = (),
    ) -> Series:
        """Other values of the same series, or of another that is like it; in own units.

        Args:
            seen: (window,) the values before `truth`.
            truth: (steps,) those to be measured on.
            labels: (steps,) their dates.
        """
        return Series(
            name=self.name,
            offset=self.offset,
            scale=self.scale,
            seen=seen,
            truth=truth,
            labels=labels,
            change=self.change,
            relative=self.relative,
            naive_error=self.naive_error,
        )


class LearnedColumns(_Record):
    """The columns of a table with a sample in each row."""

    header: tuple[str, ...]
    """One name per column; empty where the file had none."""
    label: Annotated[int, Field(ge=0)]
    """The index of the column with the classes."""
    numbers: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
    """The indices of those with the numbers of a sample."""


class LearnedPreparation(_Record):
    """What is done to pixels in 0..255 before the model sees them."""

    preprocessing: str
    """`unit`, `none`, or a network of keras.applications, whose own is meant."""
    channels: int | None
    """Where it is 3, grey pictures are repeated to so many."""


class Learned(_Record):
    """data.json of a run."""

    source: str
    task: Task
    input_shape: Annotated[tuple[Side, ...], Field(min_length=2, max_length=3)]
    """Of one sample before its preparation: (height, width, channels) or (steps, features)."""
    classes: tuple[str, ...]
    """By index; empty for a forecast."""
    scaler: LearnedScaler | None
    """Of sequences; of a series the columns beside the forecast one."""
    brightness: Positive | None
    """What the pixels of arrays were multiplied by; None where they were no arrays."""
    padding: FiniteFloat | None
    """The value of the steps that fill up shorter sequences; None where all had one length."""
    series: LearnedSeries | None
    columns: LearnedColumns | None
    """Of a table; None for other sources."""
    preparation: LearnedPreparation | None
    """Of pixels; None where there are none."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if int(np.prod(self.input_shape, dtype=np.float64)) > MOST_NUMBERS:
            raise ValueError(f"input_shape {self.input_shape} is too large")
        if (self.task == "forecast") != (self.series is not None):
            raise ValueError(f"a {self.task} does not go with series {self.series}")
        if self.task == "classification" and len(self.classes) < 2:
            raise ValueError(f"{len(self.classes)} classes")
        if len(self.input_shape) == 3 and self.preparation is None:
            raise ValueError("pictures without a preparation")
        return self

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """From what data.json holds.

        Raises:
            ValueError: it is not what nncli writes, in one sentence.
        """
        try:
            return cls.model_validate(dict(stored))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(f"{place + ': ' if place else ''}{first['msg']}") from None

    @property
    def is_images(self) -> bool:
        """Whether a sample is a picture."""
        return len(self.input_shape) == 3

    def pixels(self, place: str, x: Array) -> Array:
        """Pictures out of arrays, as those of the training part were taken: (…) in 0..255.

        Args:
            place: what holds them, for errors.
            x: (samples, …) as stored; they are told from nothing else, so that a dark picture is
                not taken for one in shares of 1.

        Raises:
            DataError: numbers that the training part's way makes no pixels of.
        """
        factor = 1.0 if self.brightness is None else self.brightness
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
        if low < 0 or high * factor > EIGHT_BIT * (1 + 1e-6):
            raise DataError(
                f"{place} holds pixels from {low:g} to {high:g}, but those that were trained on "
                f"reach from 0 to {EIGHT_BIT / factor:g}",
                hint="give them in the same way",
            )
        return Brightness(factor, whole=factor < 1).apply(x)  # of 16 bits: they are rounded

    def scaled(self, place: str, x: Array) -> NDArray[np.float32]:
        """Sequences scaled as those of the training part: (…, features); NaN stays NaN.

        Raises:
            DataError: numbers too large for it.
        """
        if self.scaler is None:
            return np.asarray(x, dtype=np.float32)
        with np.errstate(over="ignore"):
            scaled = self.scaler.scaler.apply(x)
        if np.isinf(scaled).any():
            raise DataError(
                f"{place} holds numbers too large to work with",
                hint="give them in the units of those that were trained on",
            )
        return scaled

    def filled(self, place: str, sequences: Array) -> Array:
        """Sequences of one length, (samples, steps, features), as long as the model wants them.

        Args:
            place: what holds them, for errors.
            sequences: scaled; NaN in all features of steps that are padding.

        Raises:
            DataError: longer ones, or shorter ones where the training part's had one length.
        """
        steps, features = self.input_shape
        given = sequences.shape[1]
        if sequences.shape[2] != features:
            raise DataError(
                f"{place} has sequences of {sequences.shape[2]} feature(s), but those that were "
                f"trained on have {features}",
                hint="give the same features, in the same order",
            )
        if given > steps:
            raise DataError(
                f"{place} has sequences of {given} steps, but the model takes at most {steps}",
                hint="cut them",
            )
        empty = np.isnan(sequences).any(axis=-1, keepdims=True)
        if given == steps and not empty.any():
            return sequences
        if self.padding is None:
            raise DataError(
                f"{place} has sequences of fewer than {steps} steps; all that were trained on "
                "have as many",
                hint="give sequences of that length",
            )
        x = np.full((len(sequences), steps, features), np.float32(self.padding))
        x[:, :given] = np.where(empty, np.float32(self.padding), sequences)
        return x
