from dataclasses import replace

import numpy as np
import pytest

from nncli.data.dataset import Dataset, Series, Split, check_parts
from nncli.data.samples import Samples
from nncli.errors import DataError
from tests.data.test_samples import Counted


def split(samples: int, start: float = 0.0) -> Split:
    x = np.arange(start, start + samples * 6, dtype=np.float32).reshape(samples, 3, 2)
    return Split(x, np.arange(samples, dtype=np.int64) % 2)


@pytest.fixture
def dataset() -> Dataset:
    return Dataset(
        "made", "sequences", "classification", split(4), split(2, 50), split(3, 90), ("a", "b")
    )


def test_shapes_come_from_the_training_part(dataset: Dataset) -> None:
    assert dataset.input_shape == (3, 2)
    assert not dataset.target_steps
    assert len(dataset.train) == 4


def test_targets_at_every_step(dataset: Dataset) -> None:
    wave = Split(np.zeros((1, 20, 1), np.float32), np.zeros((1, 20, 1), np.float32))
    assert replace(dataset, train=wave).target_steps


def test_take_keeps_pairs_together(dataset: Dataset) -> None:
    taken = dataset.train.take(np.array([3, 0]))
    assert taken.x[0, 0, 0] == dataset.train.x[3, 0, 0]
    assert taken.y.tolist() == [1, 0]


def test_a_split_needs_a_target_per_input() -> None:
    with pytest.raises(AssertionError):
        Split(np.zeros((2, 1)), np.zeros(3))


def test_converted_changes_inputs_alone(dataset: Dataset) -> None:
    other = dataset.converted(lambda x: x * 2)
    for name, part in dataset.parts.items():
        assert np.array_equal(other.parts[name].x, part.x[:] * 2)
        assert np.array_equal(other.parts[name].y, part.y)
    assert replace(dataset, validation=None).converted(lambda x: x * 2).validation is None


def test_parts_on_the_disk_give_the_same_fingerprint(dataset: Dataset) -> None:
    there = replace(
        dataset,
        **{name: Split(Counted(part.x[:]), part.y) for name, part in dataset.parts.items()},
    )
    assert there.fingerprint() == dataset.fingerprint()
    assert np.array_equal(there.test.digests, dataset.test.digests)
    taken = there.train.take(np.array([3, 0]))
    assert isinstance(taken.x, Samples)
    assert np.array_equal(taken.x[:], dataset.train.x[[3, 0]])


def test_known_digests_stay_with_their_samples(dataset: Dataset) -> None:
    known = Split(dataset.train.x, dataset.train.y, known_digests=dataset.train.digests)
    rows = np.array([2, 2, 1])
    assert np.array_equal(known.take(rows).digests, dataset.train.take(rows).digests)


def test_fingerprint_sees_every_byte_and_its_place(dataset: Dataset) -> None:
    same = dataset.fingerprint()
    assert same == replace(dataset, notes=("said",)).fingerprint()
    changed = dataset.test.x.copy()
    changed[2, 2, 1] += 1
    others = {
        replace(dataset, test=Split(changed, dataset.test.y)).fingerprint(),
        replace(dataset, validation=None).fingerprint(),
        replace(dataset, classes=("b", "a")).fingerprint(),
        replace(dataset, train=dataset.test, test=dataset.train).fingerprint(),
        replace(dataset, files="other bytes, the same numbers").fingerprint(),
        replace(dataset, test=Split(dataset.test.x, 1 - dataset.test.y)).fingerprint(),
        replace(dataset, test=dataset.test.take(np.array([1, 0, 2]))).fingerprint(),
    }
    assert len(others) == 7
    assert same not in others


def test_series_goes_back_to_its_units() -> None:
    series = Series("x", offset=10.0, scale=4.0, seen=np.zeros(1), truth=np.zeros(1))
    last = np.array([1.0, 2.0])
    assert series.to_units(np.float32([0.0, 0.5]), last).tolist() == [10.0, 12.0]
    change = replace(series, change=True)
    assert change.to_units(np.float32([0.0, 0.5]), last).tolist() == [1.0, 4.0]
    assert change.scaled_targets(np.array([1.0, 4.0]), last).tolist() == [0.0, 0.5]
    assert change.scaled_inputs(np.array([10.0, 12.0]), last).tolist() == [0.0, 0.5]
    relative = replace(series, change=True, relative=True)
    assert relative.scaled_inputs(np.array([1.0, 4.0]), last).tolist() == [0.0, 0.5]


def test_check_parts_passes_what_is_right(dataset: Dataset) -> None:
    assert check_parts("made", dataset) is dataset


def broken(dataset: Dataset, fault: str) -> Dataset:
    x, y = dataset.test.x.copy(), dataset.test.y.copy()
    match fault:
        case "empty":
            return replace(dataset, validation=dataset.train.take(np.array([], dtype=np.intp)))
        case "nan":
            x[1, 0, 0] = np.nan
        case "infinite":
            x[1, 0, 0] = np.inf
        case "high":
            y[0] = 2
        case "low":
            y[0] = -1
        case "one class":
            return replace(dataset, classes=("a",))
    return replace(dataset, test=Split(x, y))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("empty", "validation part has no samples"),
        ("nan", "input 1 of the test part is not a finite number"),
        ("infinite", "input 1 of the test part is not a finite number"),
        ("high", "labels of the test part run from 0 to 2"),
        ("low", "labels of the test part run from -1 to 1"),
        ("one class", "at least two"),
    ],
)
def test_check_parts_refuses(dataset: Dataset, fault: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_parts("made", broken(dataset, fault))
