from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli.data.digests import digest_of
from nncli.data.division import DividedSection, Division, LargeSection, divide, limited
from nncli.errors import DataError

CLASSES = ("a", "b", "c")


def different(count: int) -> Any:
    return np.array([digest_of(np.array([i])) for i in range(count)], dtype="V16")


def division(
    labels: Any, part: Any = None, digests: Any = None, seed: int = 0, **settings: Any
) -> Division:
    labels = np.asarray(labels, dtype=np.int64)
    part = np.zeros_like(labels) if part is None else np.asarray(part, dtype=np.int64)
    digests = different(len(labels)) if digests is None else digests
    section = DividedSection(source="made", path=Path("made"), **settings)
    return divide("made", section, labels, part, CLASSES, digests, seed)


LABELS = np.array([0] * 60 + [1] * 30 + [2] * 10)


def test_each_class_is_in_its_proportion_and_nothing_is_shared() -> None:
    found = division(LABELS)
    assert np.bincount(LABELS[found.train]).tolist() == [39, 19, 7]
    assert np.bincount(LABELS[found.test]).tolist() == [12, 6, 2]
    parts = np.concatenate([found.train, found.validation, found.test])
    assert sorted(parts) == list(range(100))
    assert (found.copies, found.notes) == ((), ())


def test_the_seed_chooses() -> None:
    first, again, other = division(LABELS), division(LABELS), division(LABELS, seed=1)
    assert first.test.tolist() == again.test.tolist()
    assert first.train.tolist() == again.train.tolist()
    assert sorted(first.test) != sorted(other.test)


def test_parts_that_are_given_stay() -> None:
    part = np.arange(100) % 3
    found = division(LABELS, part)
    assert sorted(found.train) == np.flatnonzero(part == 0).tolist()
    assert sorted(found.validation) == np.flatnonzero(part == 1).tolist()
    assert sorted(found.test) == np.flatnonzero(part == 2).tolist()
    assert found.notes == ()
    told = division(LABELS, part, test=0.3, validation=0.1).notes
    assert [note.split(":")[0] for note in told] == [
        "the data has its own test part",
        "the data has its own validation part",
    ]


def test_a_validation_part_is_taken_from_the_training_part_alone() -> None:
    part = np.where(np.arange(100) % 5 == 0, 2, 0)
    found = division(LABELS, part, validation=0.25)
    assert sorted(found.test) == np.flatnonzero(part == 2).tolist()
    assert (len(found.train), len(found.validation)) == (60, 20)
    assert len(division(LABELS, part, validation=0).validation) == 0


def test_few_to_train_on_leave_the_other_parts() -> None:
    few, everything = division(LABELS, train_per_class=3), division(LABELS)
    assert np.bincount(LABELS[few.train]).tolist() == [3, 3, 3]
    assert few.test.tolist() == everything.test.tolist()
    assert few.validation.tolist() == everything.validation.tolist()
    assert set(few.train) <= set(everything.train)


def test_of_copies_the_measured_one_stays() -> None:
    labels = np.arange(30) % 3
    part = np.repeat([0, 1, 2], [18, 6, 6])
    digests = different(30)
    digests[0] = digests[24]  # training and test
    digests[3] = digests[18]  # training and validation
    digests[21] = digests[27]  # validation and test
    digests[9] = digests[6]  # twice in training: the first stays
    digests[26] = digests[29]  # twice in test: both stay
    found = division(labels, part, digests)
    assert [(copy.place, copy.of, copy.across) for copy in found.copies] == [
        ("sample 1", "sample 25", True),
        ("sample 4", "sample 19", True),
        ("sample 10", "sample 7", False),
        ("sample 22", "sample 28", True),
    ]
    assert sorted(found.test) == [24, 25, 26, 27, 28, 29]
    kept = [set(map(bytes, digests[rows])) for rows in (found.train, found.validation, found.test)]
    assert not kept[0] & kept[1]
    assert not kept[0] & kept[2]
    assert not kept[1] & kept[2]


def test_copies_do_not_cross_parts_that_are_made() -> None:
    digests = np.tile(different(50), 2)
    labels = np.tile(np.arange(50) % 3, 2)
    found = division(labels, digests=digests)
    assert [copy.place for copy in found.copies] == [f"sample {i}" for i in range(51, 101)]
    assert sum(copy.relabelled for copy in found.copies) == 0
    assert len(found.train) + len(found.validation) + len(found.test) == 50


@pytest.mark.parametrize(
    ("labels", "part", "settings", "said"),
    [
        ([0, 0, 0, 1, 1, 1, 2], None, {}, r"the smallest has 1\) are too few to take"),
        ([0, 1, 2] * 2, None, {"test": 0.2}, "too few to take 1 for the test part"),
        ([0, 0, 1, 1, 2, 2] * 5, [0, 2] * 15, {"validation": 0.05}, "for the validation part"),
        ([0, 1] * 10, None, {}, r"no sample of class 'c' is left to train on$"),
        ([0, 1, 2] * 3, [2] * 9, {}, "no sample of class 'a' is left to train on$"),
        ([0, 1, 2] * 6, [2, 0, 0] * 6, {}, "no sample of class 'a' is left to train on$"),
    ],
)
def test_too_few(labels: Any, part: Any, settings: Any, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        division(labels, part, **settings)
    assert caught.value.hint


def test_a_class_of_two_among_large_ones_is_trained_on() -> None:
    labels = np.array([0, 0] + [1] * 20 + [2] * 20)
    for seed in range(10):
        assert 0 in labels[division(labels, seed=seed).train]


def test_two_of_each_class_cannot_be_in_three_parts() -> None:
    with pytest.raises(DataError, match=r"the smallest has 1\) are too few to take 1 for the val"):
        division([0, 0, 1, 1, 2, 2], test=0.5)


def test_a_class_that_is_all_copies() -> None:
    labels = np.arange(30) % 3
    digests = different(30)
    digests[labels == 1] = digests[0]
    with pytest.raises(DataError, match="class 'b' is left to train on after 10 copies of others"):
        division(labels, digests=digests)


def test_a_limit_keeps_the_proportions() -> None:
    part = np.where(np.arange(100) % 5 == 0, 2, 0)
    for limit in (6, 7, 20, 50, 93, 99):
        chosen = limited("made", LABELS, part, limit, 0)
        assert len(chosen) == limit
        assert (np.diff(chosen) > 0).all()
        counts = np.bincount(3 * (part[chosen] == 2) + LABELS[chosen], minlength=6)
        assert counts.min() >= 1
        whole = np.array([48, 24, 8, 12, 6, 2])
        assert np.abs(counts - whole * limit / 100).max() <= 2
    for limit in (None, 100, 101):
        assert limited("made", LABELS, part, limit, 0).tolist() == list(range(100))
    with pytest.raises(DataError, match="made: a limit of 5 is too few for 6 classes"):
        limited("made", LABELS, part, 5, 0)


def test_the_seed_chooses_the_limited() -> None:
    part = np.zeros(100, np.int64)
    first, again, other = (limited("made", LABELS, part, 50, seed).tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_what_fits_in_memory() -> None:
    section = LargeSection(source="made", path=Path("made"), memory_limit=1)
    assert section.fits((1000, 250))
    assert not section.fits((1000, 251))
    assert not section.fits((10**9, 10**9, 10**9))
    assert "4,000 MB" in section.note((1000, 1000, 1000))
