from __future__ import annotations

import numpy as np
import pytest

from nncli.data import samples
from nncli.data.scaling import Scaler, learn_scaler
from nncli.errors import DataError
from tests.data.test_samples import Counted

UNITS = np.array([1e-6, 1.0, 4e8])
X = np.random.default_rng(0).normal(size=(50, 7, 3)) * UNITS + UNITS * [0, 1000, -3]


def test_mean_0_and_deviation_1() -> None:
    scaled = learn_scaler("made", X).apply(X)
    assert scaled.dtype == np.float32
    assert scaled.mean(axis=(0, 1)) == pytest.approx([0, 0, 0], abs=1e-5)
    assert scaled.std(axis=(0, 1)) == pytest.approx([1, 1, 1], rel=1e-5)


def test_numpy_finds_the_same() -> None:
    scaler = learn_scaler("made", X)
    assert scaler.offset == pytest.approx(X.mean(axis=(0, 1)), rel=1e-12)
    assert scaler.scale == pytest.approx(X.std(axis=(0, 1)), rel=1e-9)


def test_block_by_block_from_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "BLOCK_BYTES", 8 * 7 * 3 * 6)  # six samples at once
    there, here = learn_scaler("made", Counted(X)), learn_scaler("made", X)
    assert np.array_equal(there.offset, here.offset)
    assert np.array_equal(there.scale, here.scale)
    assert there.scale == pytest.approx(X.std(axis=(0, 1)), rel=1e-9)


def test_what_never_changes_becomes_0() -> None:
    constant = np.full((4, 5, 2), [0.1, 0.0])
    scaler = learn_scaler("made", constant)
    assert scaler.scale.tolist() == [1, 1]
    assert np.abs(scaler.apply(constant)).max() < 1e-15


def test_steps_that_are_missing_do_not_count() -> None:
    gaps = X.copy()
    gaps[:, 4:] = np.nan
    scaler = learn_scaler("made", gaps)
    assert scaler.offset == pytest.approx(X[:, :4].mean(axis=(0, 1)))
    assert np.isnan(scaler.apply(gaps)[:, 4:]).all()


def test_whole_numbers() -> None:
    whole = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
    assert learn_scaler("made", whole).offset.tolist() == [11, 12]


def test_numbers_beyond_all_bounds() -> None:
    huge = X.copy()
    huge[3, 2, 1] = 1e200
    with pytest.raises(DataError, match="made: the numbers of feature 2 are too large"):
        learn_scaler("made", huge)


def test_it_is_written_down_exactly() -> None:
    scaler = learn_scaler("made", X)
    back = Scaler.from_dict(scaler.to_dict())
    assert np.array_equal(back.apply(X), scaler.apply(X))
