"""What a data section says of its samples before one is read, against what reading it gives.

`facts()` is exact, or None in one case: the size of the training part where `train_per_class`
takes as many as its rarest class may have, or more. `contradictions()` is exact too, with one
exception, described at `at_the_edge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from nncli.data import SOURCES, load
from nncli.data.dataset import Dataset, Facts
from nncli.data.images import keras_sets
from nncli.data.images.digits import DigitsSection
from nncli.data.images.keras_sets import KerasSet
from nncli.data.sequences import MOST_VALUES, WavesSection
from nncli.data.source import DataSection
from nncli.errors import DataError
from nncli.results import Array
from tests.data.made import section, write_csv, write_folder, write_table, write_ts_pair

COUNTS: dict[str, tuple[list[int], list[int]]] = {
    "mnist": (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    ),
    "fashion-mnist": ([6000] * 10, [1000] * 10),
    "cifar10": ([5000] * 10, [1000] * 10),
    "cifar100": ([500] * 100, [100] * 100),
}
"""Images of each class in the training and the test part of the real sets."""
GENERATED = settings(max_examples=60, deadline=None, derandomize=True)
FEWER = settings(GENERATED, max_examples=20)


@pytest.fixture(scope="module", autouse=True)
def sets() -> Iterator[None]:
    """Keras's sets with the real labels in a made order and one black picture for all of them."""

    def part(kept: KerasSet, counts: list[int], seed: int) -> tuple[Array, Array]:
        y = np.repeat(np.arange(len(counts)), counts)
        black = np.zeros((1, *kept.shape), dtype=np.uint8)
        x = np.broadcast_to(black, (len(y), *kept.shape))
        return x, np.random.default_rng(seed).permutation(y)

    def read_set(kept: KerasSet) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        train, test = COUNTS[kept.name]
        return part(kept, train, 0), part(kept, test, 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_sets, "read_set", read_set)
        yield


def class_counts(dataset: Dataset) -> list[int]:
    """Of the training part."""
    return [int(n) for n in np.bincount(dataset.train.y, minlength=len(dataset.classes))]


def check_facts(chosen: DataSection, dataset: Dataset, seed: int) -> None:
    """`facts()` says of the samples what they turned out to be."""
    foreseen, real = chosen.facts(), dataset.facts
    for name in ("task", "validation", "input_shape", "classes"):
        assert getattr(foreseen, name) == getattr(real, name), name
    assert real.train is not None
    if foreseen.train is not None:
        assert foreseen.train == real.train
        return
    assert foreseen.fewest is not None
    assert 0 < foreseen.fewest <= real.train
    few = getattr(chosen, "train_per_class", None)
    assert few is not None, "only then it takes counting"
    smallest = min(class_counts(load(chosen.model_copy(update={"train_per_class": None}), seed)))
    assert few > smallest - 4, "each class surely has so many: nothing has to be counted"


def check(chosen: DataSection, seed: int) -> bool:
    """Hold a section's own judgement against that of its loader; whether it was read."""
    refused, problem = list(chosen.contradictions()), ""
    try:
        dataset = load(chosen, seed)
    except DataError as error:
        problem = error.message
    if problem:
        assert refused, f"{chosen!r} was not refused, but: {problem}"
        return False
    assert not refused or at_the_edge(chosen), f"{chosen!r} can be read, but: {refused}"
    if not refused:
        check_facts(chosen, dataset, seed)
    return True


def at_the_edge(chosen: DataSection) -> bool:
    """Whether a section may be refused though it can be read.

    A class loses to the test part its share of it, rounded up or down, as the lot falls. Where a
    class that loses the larger number would keep a single sample, it could not be in both the
    training and the validation part: that is refused, whichever it will be.
    """
    if isinstance(chosen, WavesSection):
        counts = tuple(len(range(i, chosen.samples, 5)) for i in range(5))
    elif isinstance(chosen, DigitsSection):
        counts = chosen.counts
    else:
        return False
    samples, smallest = sum(counts), min(counts)
    measured = max(1, round(samples * chosen.test))
    return chosen.validation > 0 and smallest - -(-smallest * measured // samples) < 2


# A table of settings

READABLE: list[tuple[str, dict[str, Any]]] = [
    ("sine", {}),
    ("sine", {"points": 3}),
    ("sine", {"points": 1000, "start": -5.0, "end": 1e6}),
    ("waves", {}),
    ("waves", {"samples": 20, "steps": 20, "features": 2, "validation": 0.25, "test": 0.25}),
    ("waves", {"samples": 101, "steps": 33, "features": 3, "validation": 0}),
    ("waves", {"samples": 333, "steps": 20, "features": 2, "validation": 0.4, "test": 0.55}),
    ("digits", {}),
    ("digits", {"size": 8, "classes": [9, 0]}),
    ("digits", {"size": 13, "validation": 0, "test": 0.99}),
    ("digits", {"size": 8, "train_per_class": 1, "validation_per_class": 1}),
    ("digits", {"size": 8, "train_per_class": 113}),
    ("digits", {"size": 8, "train_per_class": 117}),
    ("digits", {"size": 8, "train_per_class": 100_000, "validation_per_class": 100_000}),
    ("digits", {"size": 8, "limit": 100}),
    ("digits", {"size": 8, "limit": 50, "classes": [3, 1], "train_per_class": 3}),
    ("mnist", {}),
    ("mnist", {"limit": 60, "validation": 0.2}),
    ("mnist", {"limit": 59_995, "validation": 0.0002}),
    ("mnist", {"train_per_class": 5000}),
    ("fashion-mnist", {"limit": 100_000, "validation": 0}),
    ("fashion-mnist", {"limit": 777, "validation": 0.5, "train_per_class": 7}),
    ("cifar10", {}),
    ("cifar10", {"limit": 50, "validation": 0}),
    ("cifar100", {"limit": 2000}),
    ("cifar100", {"train_per_class": 450, "validation": 0.1}),
]
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("waves", {"samples": 20}),
    ("waves", {"samples": 24, "steps": 20, "features": 2, "test": 0.1}),
    ("waves", {"validation": 0.5, "test": 0.5}),
    ("waves", {"validation": 0, "test": 0.999}),
    ("digits", {"test": 0.001}),
    ("digits", {"validation": 0.001}),
    ("digits", {"validation": 0.7, "test": 0.3}),
    ("digits", {"validation": 0, "test": 0.999}),
    ("digits", {"limit": 9}),
    ("digits", {"limit": 15}),
    ("mnist", {"limit": 1}),
    ("mnist", {"limit": 56}),
    ("mnist", {"limit": 60, "validation": 0.05}),
    ("mnist", {"validation": 0.0001}),
    ("fashion-mnist", {"validation": 0.9999}),
    ("cifar10", {"limit": 47}),
    ("cifar100", {"limit": 490}),
    ("cifar100", {"limit": 900}),
    ("cifar100", {"limit": 500, "validation": 0.9}),
]


@pytest.mark.parametrize(("source", "given"), READABLE)
def test_what_can_be_read_is_foreseen(source: str, given: dict[str, Any]) -> None:
    chosen = section(source, **given)
    assert list(chosen.contradictions()) == []
    assert check(chosen, 42)


@pytest.mark.parametrize(("source", "given"), REFUSED)
def test_what_is_refused_cannot_be_read(source: str, given: dict[str, Any]) -> None:
    chosen = section(source, **given)
    assert list(chosen.contradictions())
    with pytest.raises(DataError):
        load(chosen, 42)


@pytest.mark.parametrize(
    ("source", "given"),
    [
        ("sine", {"start": 1.0, "end": 1.0}),
        ("sine", {"start": 1.0, "end": -1.0}),
        ("digits", {"classes": [3, 8, 3]}),
        ("digits", {"validation": 0, "validation_per_class": 3}),
        ("waves", {"samples": 10_001, "steps": 10_000, "features": 1000}),
    ],
)
def test_what_would_be_read_as_nonsense_is_refused(source: str, given: dict[str, Any]) -> None:
    chosen = section(source, **given)
    assert list(chosen.contradictions())


@pytest.mark.parametrize("classes", [[], [3]])
def test_fewer_than_two_digits_are_no_task(classes: list[int]) -> None:
    with pytest.raises(ValidationError):
        section("digits", classes=classes)


def test_the_class_counts_of_the_sets_are_those_that_are_known() -> None:
    for name, (train, test) in COUNTS.items():
        kept = SOURCES[name].section.kept  # type: ignore[attr-defined]
        assert sum(train) == kept.train
        assert sum(test) == keras_sets.TEST_IMAGES
        assert len(train) == len(test) == len(kept.classes)
        assert min(train) / kept.train == pytest.approx(kept.smallest, abs=1e-9)


# Generated settings

SHARES = st.one_of(
    st.sampled_from([0.0, 0.1, 0.15, 0.2, 0.25, 0.5]),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 0.02),
    st.floats(0.9, 1, exclude_max=True),
)
TEST_SHARES = SHARES.filter(lambda share: share > 0)
SEEDS = st.sampled_from([0, 1, 42, 2**32 - 1])


def count_up_to(most: int) -> st.SearchStrategy[int | None]:
    """Nothing, a few or many."""
    return st.one_of(st.none(), st.integers(1, 12), st.integers(1, most))


@given(st.integers(3, 3000), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
@GENERATED
def test_any_sine(points: int, start: float, end: float) -> None:
    chosen = section("sine", points=points, start=start, end=end)
    assert bool(list(chosen.contradictions())) == (end <= start)
    if end > start:
        assert check(chosen, 0)


@given(
    samples=st.one_of(st.integers(20, 60), st.integers(20, 400)),
    steps=st.integers(20, 24),
    features=st.integers(2, 4),
    validation=SHARES,
    test=TEST_SHARES,
    seed=SEEDS,
)
@GENERATED
def test_any_waves(seed: int, **given: Any) -> None:
    chosen = section("waves", **given)
    check(chosen, seed)


@given(
    size=st.integers(8, 20),
    classes=st.one_of(st.none(), st.lists(st.integers(0, 9), min_size=2, max_size=10, unique=True)),
    validation=SHARES,
    test=TEST_SHARES,
    limit=count_up_to(1900),
    train_per_class=count_up_to(200),
    validation_per_class=count_up_to(200),
    seed=SEEDS,
)
@GENERATED
def test_any_digits(seed: int, **given: Any) -> None:
    if given["validation"] == 0:
        given["validation_per_class"] = None
    chosen = section("digits", **given)
    check(chosen, seed)


@pytest.mark.parametrize("source", COUNTS)
def test_any_keras_set(source: str) -> None:
    most = sum(COUNTS[source][0])

    @given(
        limit=st.one_of(
            count_up_to(most + 2), st.integers(40, 2000), st.integers(most - 100, most)
        ),
        validation=SHARES,
        train_per_class=count_up_to(most // 5),
        seed=SEEDS,
    )
    @FEWER
    def any_settings(seed: int, **given: Any) -> None:
        chosen = section(source, **given)
        check(chosen, seed)

    any_settings()


# What takes reading is known in part


@pytest.mark.parametrize(
    ("source", "given", "write"),
    [
        ("csv", {"path": "sold.csv", "window": 7}, lambda at: write_csv(at / "sold.csv")),
        ("csv", {"path": "sold.csv", "validation": 0}, lambda at: write_csv(at / "sold.csv")),
        ("csv", {"path": "sold.csv", "validation": 1e-9}, lambda at: write_csv(at / "sold.csv")),
        ("csv", {"path": "sold.csv", "limit": 60}, lambda at: write_csv(at / "sold.csv")),
        ("table", {"path": "a.csv"}, lambda at: write_table(at / "a.csv")),
        (
            "table",
            {"path": "a.csv", "shape": [4, 16], "validation": 0},
            lambda at: write_table(at / "a.csv"),
        ),
        ("ts", {"path": "made"}, lambda at: write_ts_pair(at / "made")),
        ("ts", {"path": "made", "validation": 0}, lambda at: write_ts_pair(at / "made")),
        ("folder", {"path": "pets", "size": 9}, lambda at: write_folder(at / "pets")),
        (
            "folder",
            {"path": "pets", "size": 9, "color": "grayscale", "validation": 0},
            lambda at: write_folder(at / "pets"),
        ),
        (
            "folder",
            {"path": "pets", "size": 9, "validation": 0},
            lambda at: [write_folder(at / "pets" / part) for part in ("train", "validation")],
        ),
        (
            "folder",
            {"path": "pets", "size": 9, "limit": 40},
            lambda at: [write_folder(at / "pets" / part) for part in ("train", "test")],
        ),
    ],
)
def test_what_is_said_of_files_is_true(
    source: str, given: dict[str, Any], write: Callable[[Any], Any], tmp_path: Any
) -> None:
    write(tmp_path)
    chosen = section(source, **{**given, "path": tmp_path / given["path"]})
    assert list(chosen.contradictions()) == []
    foreseen, real = chosen.facts(), load(chosen, 42).facts
    assert foreseen.task == real.task
    assert foreseen.train is None, "nobody has counted them"
    for name in ("validation", "input_shape", "classes"):
        assert getattr(foreseen, name) in {None, getattr(real, name)}, name


def test_shares_that_leave_nothing_of_a_csv_file(tmp_path: Any) -> None:
    path = write_csv(tmp_path / "sold.csv")
    for validation, test in ((0.5, 0.5), (0.9, 0.2), (0.01, 0.99)):
        chosen = section("csv", path=path, window=1, validation=validation, test=test)
        assert list(chosen.contradictions())
        with pytest.raises(DataError):
            load(chosen, 42)


def test_shares_of_a_folder_are_refused_also_where_its_own_parts_make_them_idle(
    tmp_path: Any,
) -> None:
    for part in ("train", "validation", "test"):
        write_folder(tmp_path / "pets" / part, count=4)
    chosen = section("folder", path=tmp_path / "pets", size=9, validation=0.6, test=0.6)
    assert list(chosen.contradictions()), "whether there are parts takes looking into the folder"
    assert load(chosen, 42).facts.train == 8


def test_a_section_that_says_nothing_knows_nothing() -> None:
    class Silent(DataSection):
        source: str = "silent"

    assert Silent().facts() == Facts()


def test_the_largest_waves_are_the_last_that_are_allowed() -> None:
    assert not list(
        section("waves", samples=MOST_VALUES // 2000, steps=1000, features=2).contradictions()
    )
    assert list(
        section("waves", samples=MOST_VALUES // 2000 + 1, steps=1000, features=2).contradictions()
    )
