"""What samples are and what is wrong with them, known before anything is trained on them.

`check` goes through all samples once. `quick` is the part of it that costs next to nothing and
runs before each training.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from nncli.data.check.counts import by_count, class_counts, interval
from nncli.data.check.equality import by_equality
from nncli.data.check.numbers import by_limits, by_numbers
from nncli.data.check.ranges import Ranges, measure, rounded
from nncli.data.check.words import many, noun
from nncli.data.dataset import Dataset, Split
from nncli.data.source import DataSection
from nncli.errors import DataError
from nncli.lazy import np
from nncli.results import DataFinding, DataReport, PartFacts


def check(
    dataset: Dataset, section: DataSection, *, kind: str, preprocessing: str | None = None
) -> DataReport:
    """Look through all samples.

    Args:
        dataset: as it was loaded.
        section: the settings that it was loaded by.
        kind: what it is to train.
        preprocessing: what the model does with pixels, `unit`, `none` or a network's name; None
            where a sample is no picture.

    Raises:
        DataError: samples on the disk that are gone or damaged.
    """
    ranges = {name: measure(part.x, dataset.padding) for name, part in dataset.parts.items()}
    found = [
        *by_count(dataset, section),
        *by_equality(dataset),
        *by_numbers(dataset, ranges, preprocessing),
    ]
    return DataReport(
        source=dataset.name,
        path=_path(section),
        kind=kind,
        family=dataset.family,
        task=dataset.task,
        input_shape=dataset.input_shape,
        numbers=_meaning(dataset),
        classes=dataset.classes,
        parts=tuple(
            _facts(dataset, name, part, ranges[name]) for name, part in dataset.parts.items()
        ),
        fingerprint=dataset.fingerprint(),
        notes=dataset.notes,
        findings=_in_order(found),
        passed=tuple(_in_good_order(dataset, ranges, {finding.code for finding in found})),
    )


def quick(
    dataset: Dataset, section: DataSection, preprocessing: str | None = None
) -> tuple[DataFinding, ...]:
    """What can be found without going through samples on the disk again; arguments as `check`."""
    return _in_order(
        [
            *by_count(dataset, section),
            *by_equality(dataset),
            *by_limits(dataset, preprocessing),
        ]
    )


def warnings_of(
    dataset: Dataset, section: DataSection, preprocessing: str | None = None
) -> tuple[str, ...]:
    """What `quick` warns of, a sentence each; arguments as `check`.

    Raises:
        DataError: what it calls an error.
    """
    found = quick(dataset, section, preprocessing)
    for finding in found:
        if finding.level == "error":
            message = f"{dataset.name}: {finding.message}"
            raise DataError(message, hint=finding.hint, places=finding.places)
    return tuple(finding.message for finding in found)


def unreadable(section: DataSection, error: DataError, *, kind: str) -> DataReport:
    """The report on data that could not be loaded."""
    message = error.message
    if error.places:  # they are told in full
        message = message.partition(error.places[0])[0].rstrip(": ") or message
    finding = DataFinding("error", "unreadable", message, error.hint or "", error.places)
    return DataReport(section.source, _path(section), kind, findings=(finding,))


def _path(section: DataSection) -> str | None:
    path = getattr(section, "path", None)
    return None if path is None else str(path)


def _in_order(findings: Iterable[DataFinding]) -> tuple[DataFinding, ...]:
    """Errors before warnings."""
    return tuple(sorted(findings, key=lambda finding: finding.level))


def _facts(dataset: Dataset, name: str, part: Split, ranges: Ranges) -> PartFacts:
    low, high, mean, deviation = ranges.overall
    series = dataset.series
    if series is not None and _in_own_units(dataset):
        scaled = np.array([low, high, mean]) * series.scale + series.offset
        low, high, mean = (float(value) for value in rounded(scaled))
        deviation *= series.scale
    steps = None
    if dataset.padding is not None:
        middle = int(np.median(ranges.lengths))
        steps = (int(ranges.lengths.min()), middle, int(ranges.lengths.max()))
    return PartFacts(
        name=name,
        samples=len(part),
        shape=dataset.input_shape,
        dtype=str(part.x.dtype),
        bytes=4 * len(part) * math.prod(dataset.input_shape),
        minimum=low,
        maximum=high,
        mean=mean,
        deviation=deviation,
        classes=class_counts(dataset, part),
        steps=steps,
    )


def _in_own_units(dataset: Dataset) -> bool:
    """Whether the numbers of a series can be given in its own units."""
    series = dataset.series
    return series is not None and not series.relative and dataset.input_shape[-1] == 1


def _meaning(dataset: Dataset) -> str:
    """What the numbers are."""
    if dataset.family == "images":
        return "pixels"
    if dataset.series is not None and _in_own_units(dataset):
        return dataset.series.name
    if dataset.series is None and dataset.scaler is None:
        return "numbers as they were read"
    return "deviations of the training part"


def _in_good_order(dataset: Dataset, ranges: dict[str, Ranges], found: set[str]) -> Iterator[str]:
    """What was looked for and not found."""
    if dataset.task == "classification":
        yield from _right_counts(dataset, found)
    elif not dataset.target_steps and not found & {"window", "few-samples"}:
        window = dataset.input_shape[0]
        times = (len(dataset.train) + window) // window
        yield f"{times:,} windows of {window:,} values fit into the training part side by side"
    if dataset.family == "images":
        if "value-range" not in found:
            low, high, _, _ = ranges["train"].overall
            yield f"pixels from {low:.3g} to {high:.3g}, as the model expects them"
        if "blank" not in found:
            yield "no picture is of one colour"
    elif dataset.family == "sequences":
        if not found & {"constant-feature", "feature-scale", "far-out"}:
            yield "every feature changes, and none is of another scale than the rest"
    elif not dataset.target_steps and "unseen-level" not in found:
        yield "the test values lie where the training part has been"


def _right_counts(dataset: Dataset, found: set[str]) -> Iterator[str]:
    if not found & {"leak", "duplicates", "two-labels"}:
        yield f"none of these {noun(dataset)} stands twice, in one part or in two"
    if not found & {"few-samples", "few-of-a-class", "missing-class", "imbalance"}:
        counts = class_counts(dataset, dataset.train).values()
        least, most = min(counts), max(counts)
        each = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        yield f"{each} training {noun(dataset)} of each class, and every part has every class"
    if "small-test" not in found:
        low, high = interval(len(dataset.test))
        yield (
            f"{many(dataset, len(dataset.test), 'test')}: 90% right on them means an accuracy "
            f"between {low:.0%} and {high:.0%}"
        )
