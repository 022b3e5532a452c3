from __future__ import annotations

import numpy as np

from nncli.data.dataset import Split
from nncli.training.order import permutation, steps_of, training_batches


def test_every_epoch_has_its_own_order_and_every_seed_repeats_it() -> None:
    first, second = permutation(42, 1, 100), permutation(42, 2, 100)
    assert sorted(first) == list(range(100))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, permutation(42, 1, 100))
    assert not np.array_equal(first, permutation(43, 1, 100))


def test_batches_hold_every_sample_once_an_epoch(started: None) -> None:
    x = np.arange(10, dtype=np.float32)[:, None]
    split = Split(x, np.arange(10, dtype=np.int64))
    batches = list(training_batches(split, 4, seed=1, first_epoch=3, epochs=2))
    assert [len(rows) for rows, _ in batches] == [4, 4, 2, 4, 4, 2]
    assert steps_of(split, 4) == 3
    epochs = [np.concatenate([y.numpy() for _, y in batches[i : i + 3]]) for i in (0, 3)]
    assert epochs[0].tolist() == permutation(1, 3, 10).tolist()
    assert epochs[1].tolist() == permutation(1, 4, 10).tolist()
    for rows, labels in batches:
        assert np.array_equal(rows.numpy()[:, 0], labels.numpy())


def test_without_shuffling_every_epoch_keeps_the_order_of_the_samples(started: None) -> None:
    split = Split(np.arange(10, dtype=np.float32)[:, None], np.arange(10, dtype=np.int64))
    batches = list(training_batches(split, 4, seed=1, first_epoch=1, epochs=2, shuffle=False))
    assert [len(rows) for rows, _ in batches] == [4, 4, 2, 4, 4, 2]
    labels = np.concatenate([y.numpy() for _, y in batches])
    assert labels.tolist() == [*range(10), *range(10)]
