"""Sequences to classify: generated waves, and the `.ts` files of the UEA/UCR archive."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from nncli.config import Contradiction
from nncli.data.dataset import Dataset, Facts, Split
from nncli.data.source import DataSection, Source
from nncli.data.splits import (
    TestShare,
    ValidationShare,
    generator,
    impossible_split,
    part_size,
    split_three,
    split_validation,
)
from nncli.data.ts_file import TsFile, read_ts
from nncli.errors import DataError
from nncli.lazy import NDArray, np

WAVE_CLASSES = ("forward", "backward", "steady", "rising", "falling")

# Cycles per step at the two ends of a chirp; a steady wave lies half way. Both are far from
# the half cycle per step above which a sampled wave would look slower than it is.
_SLOW, _FAST = 0.02, 0.12
_LAG = 0.5  # radians from channel to channel of a travelling wave
MOST_VALUES = 100_000_000
"""What is generated at once: 800 MB, and a few copies of it."""


class WavesSection(DataSection):
    """Generated sequences whose classes differ in nothing but the order of their values."""

    source: Literal["waves"] = "waves"
    """Generated waves of five classes: forward, backward, steady, rising, falling."""
    samples: Annotated[int, Field(ge=20, le=1_000_000)] = 1200
    """How many sequences are generated, all parts together."""
    steps: Annotated[int, Field(ge=20, le=10_000)] = 100
    """The length of a sequence."""
    features: Annotated[int, Field(ge=2, le=1_000)] = 10
    """Channels of a sequence: the values at one step."""
    noise: Annotated[float, Field(ge=0, le=100)] = 1.75
    """Standard deviation of the noise; a wave's amplitude is about 1."""
    validation: ValidationShare = 0.15
    """Share of the sequences that chooses the best epoch; 0 for none."""
    test: TestShare = 0.2
    """Share of the sequences to measure on."""

    def facts(self) -> Facts:
        """Everything: they are made to order."""
        measured = part_size(self.samples, self.test)
        return Facts(
            task="classification",
            train=self.samples - measured - part_size(self.samples, self.validation),
            validation=self.validation > 0,
            input_shape=(self.steps, self.features),
            classes=len(WAVE_CLASSES),
        )

    def contradictions(self) -> Iterator[Contradiction]:
        """Parts without one of the classes, and more numbers than fit in memory."""
        counts = [len(range(i, self.samples, len(WAVE_CLASSES))) for i in range(len(WAVE_CLASSES))]
        yield from impossible_split(counts, self.validation, self.test, ["samples"])
        values = self.samples * self.steps * self.features
        if values > MOST_VALUES:
            yield Contradiction(
                ("samples", "steps", "features"),
                f"{self.samples:,} samples of {self.steps:,} × {self.features:,} values are "
                f"{values:,} numbers",
                f"at most {MOST_VALUES:,}",
            )


class TsSection(DataSection):
    """Recorded sequences in the text format of the UEA/UCR archive."""

    source: Literal["ts"] = "ts"
    """Recorded sequences: `.ts` files of the UEA/UCR archive."""
    path: Path
    """The `_TRAIN.ts` file, or a folder that holds one `_TRAIN.ts` and one `_TEST.ts`."""
    test_path: Path | None = None
    """The file to measure on; null takes the `_TEST.ts` that belongs to the training file."""
    validation: ValidationShare = 0.2
    """Share of the training file that chooses the best epoch; 0 for none."""

    def facts(self) -> Facts:
        """What kind of task it is; everything else takes reading the files."""
        return Facts("classification", validation=self.validation > 0)


def load_waves(section: WavesSection, seed: int) -> Dataset:
    """Generate sequences that only their order in time tells apart.

    All channels carry one wave, cos(2π·cycles(t) + phase) with a random phase:

    * forward, backward: a steady wave that reaches each channel later, or earlier, than the last;
    * steady: the same wave in all channels at once;
    * rising, falling: in all channels at once, from slow to fast or from fast to slow.

    Amplitudes, phases and frequencies vary at random in the same way in all classes, so a
    channel's mean and deviation say nothing of the class, and neither does any single step.

    Returns:
        x (samples, steps, features), y (samples,), classes equally often.

    Raises:
        DataError: too few samples for the shares.
    """
    random = generator(seed, 2)
    y = random.permutation(np.arange(section.samples) % len(WAVE_CLASSES)).astype(np.int64)
    x = _waves(y, section, random)
    train, validation, test = split_three("waves", y, section.validation, section.test, seed)
    everything = Split(x, y)
    return Dataset(
        name="waves",
        family="sequences",
        task="classification",
        train=everything.take(train),
        validation=everything.take(validation) if len(validation) else None,
        test=everything.take(test),
        classes=WAVE_CLASSES,
        notes=("the sequences are generated, not recorded",),
    )


def _waves(
    y: NDArray[np.int64], section: WavesSection, random: np.random.Generator
) -> NDArray[np.float32]:
    samples, steps, features = len(y), section.steps, section.features
    middle = (_SLOW + _FAST) / 2
    begin = np.array([middle, middle, middle, _SLOW, _FAST])[y][:, None]
    end = np.array([middle, middle, middle, _FAST, _SLOW])[y][:, None]
    lag = np.array([_LAG, -_LAG, 0.0, 0.0, 0.0])[y][:, None]

    time = np.linspace(0, 1, steps)
    pace = np.exp(random.normal(0, 0.15, (samples, 1)))
    # the integral of a frequency that goes from begin to end: (samples, steps)
    cycles = pace * (steps - 1) * (begin * time + (end - begin) * time**2 / 2)
    phase = random.uniform(0, 2 * math.pi, (samples, 1))
    amplitude = np.exp(random.normal(0, 0.2, (samples, 1, features)))
    angle = (2 * math.pi * cycles + phase)[:, :, None] - (lag * np.arange(features))[:, None, :]
    noise = random.standard_normal((samples, steps, features))
    x: NDArray[np.float64] = amplitude * np.cos(angle) + section.noise * noise
    return x.astype(np.float32)


def load_ts(section: TsSection, seed: int) -> Dataset:
    """Read recorded sequences; each channel is scaled by the training part's mean and deviation.

    Returns:
        x (samples, steps, features), y (samples,).

    Raises:
        DataError: files that are missing, malformed, of unequal lengths or do not fit together.
    """
    train_path, test_path = _ts_paths(section)
    recorded, measured = read_ts(train_path), read_ts(test_path)
    classes = _common_classes(recorded, measured)
    y = _indices(recorded, classes)
    size = part_size(len(y), section.validation)
    train, validation = split_validation(
        train_path.name, np.arange(len(y), dtype=np.intp), y, size, generator(seed, 0)
    )
    offset = recorded.x[train].mean(axis=(0, 1))
    scale = recorded.x[train].std(axis=(0, 1))
    scale[scale <= 1e-12 * np.abs(offset)] = 1.0  # a silent channel becomes 0, not NaN
    x = ((recorded.x - offset) / scale).astype(np.float32)
    everything = Split(x, y)
    return Dataset(
        name="ts",
        family="sequences",
        task="classification",
        train=everything.take(train),
        validation=everything.take(validation) if len(validation) else None,
        test=Split(((measured.x - offset) / scale).astype(np.float32), _indices(measured, classes)),
        classes=classes,
        notes=(f"trained on {train_path.name}, tested on {test_path.name}",),
    )


def _ts_paths(section: TsSection) -> tuple[Path, Path]:
    """The training and the test file."""
    path = section.path
    if not path.exists():
        raise DataError(
            f"{path} does not exist", hint="set data.path to a _TRAIN.ts file or its folder"
        )
    train = _only(path, "_TRAIN.ts") if path.is_dir() else path
    if section.test_path is not None:
        if section.test_path.exists() and section.test_path.samefile(train):
            raise DataError(
                f"{train} is named for training and for testing",
                hint="set data.test_path to another file",
            )
        return train, section.test_path
    if path.is_dir():
        return train, _only(path, "_TEST.ts")
    if not train.name.endswith("_TRAIN.ts"):
        raise DataError(
            f"{train} does not say which file to test on (its name does not end in _TRAIN.ts)",
            hint="set data.test_path",
        )
    return train, train.with_name(train.name.removesuffix("_TRAIN.ts") + "_TEST.ts")


def _only(folder: Path, ending: str) -> Path:
    found = sorted(path for path in folder.iterdir() if path.name.endswith(ending))
    if len(found) == 1:
        return found[0]
    names = ", ".join(path.name for path in found[:5]) or "none"
    raise DataError(
        f"{folder} holds {len(found)} files *{ending}, but one is needed: {names}",
        hint="set data.path and data.test_path to the files themselves",
    )


def _common_classes(train: TsFile, test: TsFile) -> tuple[str, ...]:
    """The training file's classes; the test file must fit it."""
    if train.x.shape[1:] != test.x.shape[1:]:
        shapes = " and ".join(f"{steps} steps of {n}" for _, steps, n in (train.shape, test.shape))
        raise DataError(
            f"{train.path.name} and {test.path.name} do not fit together: {shapes} channel(s)",
            hint="give two files of the same data set",
        )
    unknown = sorted(set(test.labels) - set(train.classes))
    if unknown:
        raise DataError(
            f"{test.path}: class '{unknown[0]}' is not in {train.path.name}",
            hint="give two files of the same data set",
        )
    return train.classes


def _indices(file: TsFile, classes: tuple[str, ...]) -> NDArray[np.int64]:
    place = {name: index for index, name in enumerate(classes)}
    return np.array([place[label] for label in file.labels], dtype=np.int64)


WAVES = Source(
    name="waves",
    family="sequences",
    section=WavesSection,
    load=load_waves,
    summary="generated waves of 5 classes that differ in time alone",
)
TS = Source(
    name="ts",
    family="sequences",
    section=TsSection,
    load=load_ts,
    summary="recorded sequences, .ts files of the UEA/UCR archive",
)
