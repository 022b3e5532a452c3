"""Sequences to classify: generated waves, and the `.ts` files of the UEA/UCR archive."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from nncli.config import Contradiction
from nncli.data.dataset import Dataset, Facts, Split
from nncli.data.division import PARTS, DividedSection, check_other_file, divide, limited
from nncli.data.labels import known_labels
from nncli.data.others import Others, not_shaped
from nncli.data.padding import filled, padded
from nncli.data.scaling import learn_scaler
from nncli.data.source import DataSection, Source
from nncli.data.splits import (
    TestShare,
    ValidationShare,
    generator,
    impossible_split,
    part_size,
    split_three,
)
from nncli.data.ts_file import Missing, TsFile, parse_ts, read_content
from nncli.errors import DataError
from nncli.lazy import NDArray, np

if TYPE_CHECKING:
    from nncli.data.learned import Learned

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


class TsSection(DividedSection):
    """Recorded sequences in the text format of the UEA/UCR archive."""

    source: Literal["ts"] = "ts"
    """Recorded sequences: `.ts` files of the UEA/UCR archive."""
    path: Path
    """A folder that holds one `_TRAIN.ts` and one `_TEST.ts`, or the `_TRAIN.ts` file, or one file
    of another name: that is divided into all parts."""
    test_path: Path | None = None
    """The file to measure on; null takes the `_TEST.ts` that belongs to the training file."""
    validation: ValidationShare = 0.2
    """Share of the sequences that chooses the best epoch; 0 for none. Never taken from the file
    to measure on, where there is one."""
    missing: Missing = "refuse"
    """What to do with missing values, `?` or `NaN`: stop, or draw a straight line over them
    inside their sequence and channel; at its ends the nearest value is held."""
    steps: Annotated[int, Field(ge=1)] | None = None
    """At most this many steps of each sequence, its first ones; null takes whole sequences.
    Shorter ones are padded at their ends with steps that the model skips."""

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

    Sequences of unequal lengths are padded at their ends, to the longest of all parts; the padding
    is left out of the scaling.

    Returns:
        x (samples, steps, features), y (samples,).

    Raises:
        DataError: files that are missing, malformed or do not fit together, or too few sequences.
    """
    digest = hashlib.sha256()
    files: list[TsFile] = []
    for path in _ts_paths(section):
        content = read_content(path)
        digest.update(content)
        files.append(parse_ts(path, content, section.missing))
    classes = files[0].classes
    _check_classes(files[0])
    for other in files[1:]:
        _check_fit(files[0], other)
    recorded = _Recorded.of(files, classes)
    name = str(files[0].path)
    recorded = recorded.take(limited(name, recorded.y, recorded.part, section.limit, seed))
    sequences, notes = _cut(recorded, section.steps)
    _check_size(files, sequences)
    raw = padded(sequences)  # NaN where there is nothing
    digests = Split(raw, recorded.y).digests
    division = divide(
        name,
        section,
        recorded.y,
        recorded.part,
        classes,
        digests,
        seed,
        recorded.places.__getitem__,
    )
    scaler = learn_scaler(name, raw[division.train])
    with np.errstate(over="ignore"):  # what is infinite then is refused with its row
        x, padding = filled(scaler.apply(raw))
    everything = Split(x, recorded.y, known_digests=digests)
    return Dataset(
        name="ts",
        family="sequences",
        task="classification",
        train=everything.take(division.train),
        validation=everything.take(division.validation) if len(division.validation) else None,
        test=everything.take(division.test),
        classes=classes,
        scaler=scaler,
        padding=padding,
        files=digest.hexdigest(),
        copies=division.copies,
        notes=(
            _origin(files),
            *_filled_note(files),
            *notes,
            *_length_notes(sequences, recorded.part, padding),
            *division.notes,
        ),
    )


def other_waves(section: WavesSection, learned: Learned, seed: int) -> Others:
    """Waves of another seed than those that were trained on, to measure a model on.

    Raises:
        DataError: a model of other sequences or classes.
    """
    if (section.steps, section.features) != learned.input_shape:
        raise not_shaped("waves", (section.steps, section.features), learned.input_shape)
    other = seed + 1
    random = generator(other, 2)
    y = random.permutation(np.arange(section.samples) % len(WAVE_CLASSES)).astype(np.int64)
    x = learned.scaled("waves", _waves(y, section, random))
    names = np.array(WAVE_CLASSES)[y]
    return Others(
        Split(x, known_labels("waves", names, learned.classes)),
        notes=(f"waves of seed {other}: those that were trained on are of seed {seed}",),
    )


def other_sequences(section: TsSection, learned: Learned, _seed: int) -> Others:
    """Recorded sequences to measure a trained model on: the file to test on, or the only one.

    Raises:
        DataError: a file that is missing, malformed or of other classes or channels.
    """
    path = section.path
    if path.is_dir() or path.name.endswith("_TRAIN.ts") or section.test_path is not None:
        path = _ts_paths(section)[-1]
    content = read_content(path)
    file = parse_ts(path, content, section.missing)
    sequences = [
        sequence if section.steps is None else sequence[: section.steps]
        for sequence in file.sequences
    ]
    longest = max(map(len, sequences))
    if longest > learned.input_shape[0]:
        at = next(i for i, sequence in enumerate(sequences) if len(sequence) == longest)
        raise DataError(
            f"{file.at(at)}: {longest} steps, but the model takes at most {learned.input_shape[0]}",
            hint=f"cut it: --set data.steps={learned.input_shape[0]}",
        )
    x = learned.filled(str(path), learned.scaled(str(path), padded(sequences)))
    y = known_labels(str(path), np.array(file.labels), learned.classes)
    names = tuple(file.at(i) for i in range(len(y)))
    return Others(
        Split(x, y, names),
        digest=hashlib.sha256(content).hexdigest(),
        notes=tuple(_filled_note([file])),
    )


@dataclass(frozen=True)
class _Recorded:
    """The sequences of all files, and where they come from."""

    sequences: list[NDArray[np.float64]]
    """(steps, features) each."""
    y: NDArray[np.int64]
    part: NDArray[np.int64]
    """(samples,) index into `division.PARTS`: of a second file, that of the test part."""
    places: list[str]
    """(samples,) `path:line`."""

    @classmethod
    def of(cls, files: list[TsFile], classes: tuple[str, ...]) -> _Recorded:
        """All sequences of the files, the training file's first."""
        place = {name: index for index, name in enumerate(classes)}
        parts = (PARTS.index("train"), PARTS.index("test"))
        return cls(
            [sequence for file in files for sequence in file.sequences],
            np.array([place[label] for file in files for label in file.labels], dtype=np.int64),
            np.repeat(parts[: len(files)], [len(file.labels) for file in files]).astype(np.int64),
            [file.at(i) for file in files for i in range(len(file.labels))],
        )

    def take(self, indices: NDArray[np.intp]) -> _Recorded:
        """The sequences at `indices`."""
        return _Recorded(
            [self.sequences[i] for i in indices],
            self.y[indices],
            self.part[indices],
            [self.places[i] for i in indices],
        )


def _ts_paths(section: TsSection) -> tuple[Path, ...]:
    """The training and the test file, or the one file that is both."""
    path = section.path
    if not path.exists():
        raise DataError(
            f"{path} does not exist", hint="set data.path to a .ts file, or to the folder of a pair"
        )
    train = _only(path, "_TRAIN.ts") if path.is_dir() else path
    if section.test_path is not None:
        check_other_file(train, section.test_path)
        return train, section.test_path
    if path.is_dir():
        return train, _only(path, "_TEST.ts")
    if train.name.endswith("_TEST.ts"):
        raise DataError(
            f"{train} is a file to measure on, by its name",
            hint="set data.path to the training file that belongs to it",
        )
    if not train.name.endswith("_TRAIN.ts"):
        return (train,)
    test = train.with_name(train.name.removesuffix("_TRAIN.ts") + "_TEST.ts")
    if not test.exists():
        raise DataError(
            f"{test} does not exist, the file to measure on that belongs to {train.name}",
            hint="set data.test_path, or rename the training file to have it divided",
        )
    return train, test


def _only(folder: Path, ending: str) -> Path:
    found = sorted(path for path in folder.iterdir() if path.name.endswith(ending))
    if len(found) == 1:
        return found[0]
    names = ", ".join(path.name for path in found[:5]) or "none"
    raise DataError(
        f"{folder} holds {len(found)} files *{ending}, but one is needed: {names}",
        hint="set data.path, or data.path and data.test_path, to the files themselves",
    )


def _check_classes(file: TsFile) -> None:
    """Refuse a training file without one of the classes."""
    found = set(file.labels)
    if len(found) == 1:
        raise DataError(
            f"{file.at(0)}: this and all other sequences are of class '{file.labels[0]}'; "
            "a classifier needs at least two classes",
            hint="is the file complete?",
        )
    lost = [name for name in file.classes if name not in found]
    if lost:
        raise DataError(
            f"{file.path} has no sequence of class '{lost[0]}', which its header names",
            hint="add some, or take the class out of @classLabel",
        )


def _check_fit(train: TsFile, test: TsFile) -> None:
    """Refuse a test file that is of another data set."""
    hint = "give two files of the same data set"
    if train.features != test.features:
        raise DataError(
            f"{test.at(0)}: {test.features} channel(s), but the sequences of {train.path.name} "
            f"have {train.features}",
            hint=hint,
        )
    unknown = next((i for i, label in enumerate(test.labels) if label not in train.classes), None)
    if unknown is not None:
        raise DataError(
            f"{test.at(unknown)}: class '{test.labels[unknown]}' is not in {train.path.name}, "
            f"which has {', '.join(train.classes)}",
            hint=hint,
        )
    if train.equal and test.equal and train.longest != test.longest:
        raise DataError(
            f"{test.at(0)}: {test.longest} steps, but the sequences of {train.path.name} have "
            f"{train.longest}, and both files say @equalLength true",
            hint=f"{hint}, or write @equalLength false",
        )


def _cut(recorded: _Recorded, steps: int | None) -> tuple[list[NDArray[np.float64]], list[str]]:
    """The first steps of longer sequences, and a note of how many were cut."""
    longer = sum(len(sequence) > steps for sequence in recorded.sequences) if steps else 0
    if not longer:
        return recorded.sequences, []
    return (
        [sequence[:steps] for sequence in recorded.sequences],
        [f"{longer} of {len(recorded.sequences)} sequences cut to their first {steps} steps"],
    )


def _check_size(files: list[TsFile], sequences: list[NDArray[np.float64]]) -> None:
    """Refuse one long sequence among so many short ones that padding them takes all memory."""
    lengths = [len(sequence) for sequence in sequences]
    most, features = max(lengths), sequences[0].shape[1]
    values = len(lengths) * most * features
    if min(lengths) < most and values > MOST_VALUES:
        raise DataError(
            f"{files[0].path}: {len(lengths):,} sequences padded to the {most:,} steps of the "
            f"longest are {values:,} numbers, more than {MOST_VALUES:,}",
            hint=f"set data.steps to at most {max(1, MOST_VALUES // (len(lengths) * features))}",
        )


def _origin(files: list[TsFile]) -> str:
    if len(files) == 1:
        return f"{files[0].path.name} is divided into all parts"
    return f"trained on {files[0].path.name}, tested on {files[1].path.name}"


def _filled_note(files: list[TsFile]) -> Iterator[str]:
    for file in files:
        if file.filled:
            yield (
                f"{file.filled} missing value(s) of {file.path.name} filled by straight lines "
                "between their neighbours"
            )


def _length_notes(
    sequences: list[NDArray[np.float64]], part: NDArray[np.int64], padding: float | None
) -> Iterator[str]:
    if padding is None:
        return
    lengths = np.array([len(sequence) for sequence in sequences])
    most = int(lengths.max())
    yield (
        f"sequences of {lengths.min()} to {most} steps, padded to {most}; the model skips the "
        "padding"
    )
    known = int(lengths[part == PARTS.index("train")].max())
    if known < most:
        yield f"the longest sequence of the training file has {known} steps"


WAVES = Source(
    name="waves",
    sections={"sequences": WavesSection},
    load=load_waves,
    others=other_waves,
    summary="generated waves of 5 classes that differ in time alone",
)
TS = Source(
    name="ts",
    sections={"sequences": TsSection},
    load=load_ts,
    others=other_sequences,
    summary="recorded sequences, .ts files of the UEA/UCR archive",
)
