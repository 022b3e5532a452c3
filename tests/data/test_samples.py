from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nncli.data import samples as module
from nncli.data.digests import digest_of
from nncli.data.samples import Divided, Samples, blocks, bytes_of, converted, prepared
from nncli.results import Array

NUMBERS = np.arange(60, dtype=np.float32).reshape(20, 3)


class Counted(Samples):
    """An array that notes which rows were asked for."""

    def __init__(self, array: Array) -> None:
        super().__init__(array.shape, array.dtype)
        self.array = array
        self.asked: list[list[int]] = []

    def read(self, rows: Any) -> Array:
        self.asked.append(rows.tolist())
        return self.array[rows]


@pytest.mark.parametrize(
    "rows",
    [
        slice(None),
        slice(3, 7),
        slice(-2, None),
        slice(None, None, -3),
        slice(5, 5),
        slice(0, 99),
        np.array([4, 4, 0], dtype=np.int32),
        np.arange(20) % 5 == 0,
        [3, 1],
        np.array([], dtype=np.intp),
    ],
    ids=repr,
)
def test_samples_are_indexed_as_an_array_is(rows: Any) -> None:
    found = Counted(NUMBERS)[rows]
    assert np.array_equal(found, NUMBERS[rows])
    assert found.shape == NUMBERS[rows].shape


@pytest.mark.parametrize("rows", [[20], [0, -1]])
def test_rows_that_are_not_there(rows: list[int]) -> None:
    samples = Counted(NUMBERS)
    with pytest.raises(IndexError, match="of 20"):
        samples[np.array(rows)]
    assert samples.asked == []


def test_taken_and_converted_read_only_what_is_asked_for() -> None:
    samples = Counted(NUMBERS)
    made = samples.take(np.arange(20)[::-1]).converted(lambda x: x[:, :2, None].astype(np.int64))
    assert (made.shape, made.dtype, len(made), made.ndim) == ((20, 2, 1), np.int64, 20, 3)
    assert samples.asked == []
    assert np.array_equal(made[np.array([0, 5])], NUMBERS[[19, 14], :2, None])
    assert samples.asked == [[19, 14]]


def test_converted_is_the_same_in_memory_and_on_disk() -> None:
    def double(x: Array) -> Array:
        return np.asarray(x * 2, dtype=np.float64)

    there, here = converted(Counted(NUMBERS), double), converted(NUMBERS, double)
    assert isinstance(there, Samples)
    assert isinstance(here, np.ndarray)
    assert np.array_equal(there[:], here)


BYTES = np.arange(256, dtype=np.uint8).reshape(64, 2, 2, 1)
FRACTIONS = np.asarray(BYTES / np.float32(255), dtype=np.float32)


class ByteScale:
    """Divides, and says so."""

    divisor = 255.0

    def __call__(self, x: Array) -> Array:
        return np.asarray(x / np.float32(255), dtype=np.float32)


def test_bytes_that_are_only_divided_stay_bytes() -> None:
    found = prepared(BYTES, ByteScale())
    assert isinstance(found, Divided)
    assert found.whole is BYTES
    assert (found.shape, found.dtype, len(found), found.ndim) == ((64, 2, 2, 1), np.float32, 64, 4)
    assert bytes_of(found) == 4 * bytes_of(BYTES)
    for rows in (slice(3, 9), np.array([7, 0, 7]), np.arange(64) % 5 == 0, slice(None)):
        assert found[rows].dtype == np.float32
        assert np.array_equal(found[rows], FRACTIONS[rows])
    assert np.array_equal(np.asarray(found), FRACTIONS)
    assert np.asarray(found, dtype=np.float64).dtype == np.float64
    few = found.take(np.array([60, 1]))
    assert isinstance(few, Divided)
    assert np.array_equal(few[:], FRACTIONS[[60, 1]])
    assert np.array_equal(np.concatenate(list(blocks(found))), FRACTIONS)


@pytest.mark.parametrize(
    ("x", "convert"),
    [
        (BYTES.astype(np.float32), ByteScale()),  # no bytes
        (BYTES, lambda x: np.asarray(x / np.float32(255), dtype=np.float32)),  # may be anything
        (Counted(BYTES), ByteScale()),  # on the disk
    ],
    ids=["floats", "another conversion", "disk"],
)
def test_all_else_is_prepared_as_it_is_converted(x: Any, convert: Any) -> None:
    found = prepared(x, convert)
    assert isinstance(found, Samples if isinstance(x, Samples) else np.ndarray)
    assert np.array_equal(found[:], FRACTIONS)


def test_what_was_divided_is_divided_again() -> None:
    twice = prepared(prepared(BYTES, ByteScale()), ByteScale())
    assert isinstance(twice, np.ndarray)
    assert np.array_equal(twice, FRACTIONS / np.float32(255))


def test_blocks_go_through_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 100)  # eight samples of twelve bytes
    samples = Counted(NUMBERS)
    assert [len(block) for block in blocks(samples)] == [8, 8, 4]
    assert [row for rows in samples.asked for row in rows] == list(range(20))
    assert np.array_equal(np.concatenate(list(blocks(NUMBERS))), NUMBERS)
    assert [len(block) for block in blocks(np.zeros((3, 1000)))] == [1, 1, 1]
    assert list(blocks(NUMBERS[:0])) == []


def test_digests_tell_equal_samples() -> None:
    x = np.zeros((3, 4), np.float32)
    x[2, 3] = 1e-30
    digests = [digest_of(sample) for sample in x]
    assert digests[0] == digests[1] != digests[2]
    columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert digest_of(columns) == digest_of(np.ascontiguousarray(columns))


def test_bytes_are_counted_beyond_32_bits() -> None:
    class Huge(Counted):
        def __init__(self) -> None:
            Samples.__init__(self, (10**7, 1000, 1000), np.float32)

    assert bytes_of(Huge()) == 4 * 10**13
