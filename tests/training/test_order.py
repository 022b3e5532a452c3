from __future__ import annotations

import numpy as np

from nncli.data.dataset import Split
from nncli.training.order import order_of, permutation, steps_of


def test_every_epoch_has_its_own_order_and_every_seed_repeats_it() -> None:
    first, second = permutation(42, 1, 100), permutation(42, 2, 100)
    assert sorted(first) == list(range(100))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, permutation(42, 1, 100))
    assert not np.array_equal(first, permutation(43, 1, 100))


def test_without_shuffling_every_epoch_keeps_the_order_of_the_samples() -> None:
    assert order_of(10, 1, 1, shuffle=False).tolist() == [*range(10)]
    assert order_of(10, 1, 2, shuffle=False).tolist() == [*range(10)]
    assert order_of(10, 1, 2, shuffle=True).tolist() == permutation(1, 2, 10).tolist()


def test_the_last_step_of_an_epoch_may_be_short() -> None:
    split = Split(np.zeros((10, 1), np.float32), np.zeros(10, np.int64))
    assert [steps_of(split, size) for size in (4, 5, 10)] == [3, 2, 1]
