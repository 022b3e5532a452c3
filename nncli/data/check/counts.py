"""Findings about how many samples there are, of each class and in each part."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nncli.data.check.words import PARTS, listed, many, noun, quoted
from nncli.data.dataset import Dataset, Split
from nncli.data.source import DataSection
from nncli.lazy import np
from nncli.results import DataFinding

FEW_SAMPLES = 50
FEW_OF_A_CLASS = 10
FEW_TO_MEASURE = 30
FEW_VALUES_TO_MEASURE = 10
FEW_WINDOWS = 3
"""Windows of a training part that do not overlap."""
IMBALANCE = 10
"""How many times larger the largest class may be than the smallest."""


def by_count(dataset: Dataset, section: DataSection) -> Iterator[DataFinding]:
    """Parts and classes that are too small, lacking or very unequal."""
    if dataset.task == "forecast":
        yield from _few_windows(dataset)
    else:
        yield from _few_samples(dataset, section)
        yield from _imbalance(dataset)
        yield from _small_test(dataset)


def class_counts(dataset: Dataset, part: Split) -> dict[str, int]:
    """Samples of each class; nothing for a forecast."""
    if dataset.task != "classification":
        return {}
    counts = np.bincount(part.y, minlength=len(dataset.classes))
    return dict(zip(dataset.classes, counts.tolist(), strict=True))


def _few_samples(dataset: Dataset, section: DataSection) -> Iterator[DataFinding]:
    # whoever asks for a few samples knows that they are few
    asked = any(getattr(section, key, None) is not None for key in ("train_per_class", "limit"))
    if len(dataset.train) < FEW_SAMPLES and not asked:
        yield DataFinding(
            "warning",
            "few-samples",
            f"{many(dataset, len(dataset.train), 'train')} are very few: the model may learn them "
            "by heart",
            hint=f"give at least {FEW_SAMPLES}, better hundreds",
        )
    for name, part in dataset.parts.items():
        lacking = [each for each, count in class_counts(dataset, part).items() if count == 0]
        if lacking:
            yield DataFinding(
                "warning",
                "missing-class",
                f"the {PARTS[name]} part has no {noun(dataset, 1)} of "
                f"{listed([quoted(each) for each in lacking])}",
                hint="give some, or remove the class everywhere",
                places=tuple(lacking),
            )
    train = class_counts(dataset, dataset.train)
    few = [each for each, count in train.items() if 0 < count < FEW_OF_A_CLASS]
    if len(few) == len(train) and len(dataset.train) < FEW_SAMPLES:
        return  # said already
    if few and not asked:
        least = min(few, key=lambda each: train[each])
        have = "has" if len(few) == 1 else "have"
        yield DataFinding(
            "warning",
            "few-of-a-class",
            f"{len(few)} of {len(train)} classes {have} fewer than {FEW_OF_A_CLASS} training "
            f"{noun(dataset)}: {quoted(least)} has {train[least]}",
            hint="give more of them",
            places=tuple(few),
        )


def _imbalance(dataset: Dataset) -> Iterator[DataFinding]:
    train = class_counts(dataset, dataset.train)
    known = sorted((each for each in train if train[each]), key=train.__getitem__)
    if not known or train[known[-1]] < IMBALANCE * train[known[0]]:
        return
    least, most = known[0], known[-1]
    yield DataFinding(
        "warning",
        "imbalance",
        f"{quoted(most)} has {train[most]:,} training {noun(dataset)} and {quoted(least)} "
        f"{train[least]:,}: always to answer {quoted(most)} would be right for "
        f"{train[most] / len(dataset.train):.0%} of them",
        hint="set training.class_weight to balanced, or give more of the small classes",
    )


def _small_test(dataset: Dataset) -> Iterator[DataFinding]:
    samples = len(dataset.test)
    if samples < FEW_TO_MEASURE:
        low, high = interval(samples)
        yield DataFinding(
            "warning",
            "small-test",
            f"{many(dataset, samples, 'test')}: 90% right on them would only say that the "
            f"accuracy is between {low:.0%} and {high:.0%}",
            hint="give more samples, or a larger data.test",
        )


def _few_windows(dataset: Dataset) -> Iterator[DataFinding]:
    if dataset.target_steps:
        return  # one wave, each of its points a step: there are no windows
    window, samples = dataset.input_shape[0], len(dataset.train)
    if samples < FEW_SAMPLES:
        yield DataFinding(
            "warning",
            "few-samples",
            f"{many(dataset, samples, 'train')} are very few: the model may learn them by heart",
            hint="give a longer series",
        )
    if samples + window < FEW_WINDOWS * window:
        yield DataFinding(
            "warning",
            "window",
            f"a window of {window:,} values in a training part of {samples + window:,}: fewer than "
            f"{FEW_WINDOWS} of them fit in side by side",
            hint="make data.window smaller, or give a longer series",
        )
    if len(dataset.test) < FEW_VALUES_TO_MEASURE:
        count = len(dataset.test)
        yield DataFinding(
            "warning",
            "small-test",
            f"{count} test value{'' if count == 1 else 's'}: a single odd one decides the figures",
            hint="give a longer series, or a larger data.test",
        )


def interval(samples: int, share: float = 0.9) -> tuple[float, float]:
    """The 95 % interval of a share that was measured on that many samples.

    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n), z = 1.96

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927) 209–212.
    """
    z = 1.959963984540054
    centre = share + z * z / (2 * samples)
    half = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples * samples))
    scale = 1 + z * z / samples
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
