from __future__ import annotations

import numpy as np

from nncli.data.padding import filled, padded, unfilled


def test_shorter_sequences_end_in_nan() -> None:
    x = padded([np.ones((2, 3)), np.ones((4, 3))])
    assert x.shape == (2, 4, 3)
    assert np.isnan(x[0, 2:]).all()
    assert (x[0, :2] == 1).all()
    assert (x[1] == 1).all()


def test_equal_lengths_need_no_number() -> None:
    x = padded([np.ones((2, 3)), np.ones((2, 3))]).astype(np.float32)
    same, number = filled(x)
    assert number is None
    assert same is x
    assert unfilled(x, None) is x


def test_no_real_step_is_taken_for_padding() -> None:
    x = padded([np.ones((2, 2)), np.ones((4, 2))]).astype(np.float32)
    _, usual = filled(x)
    assert usual is not None
    x[1, 0] = usual, 1.0  # one feature alone is no collision
    assert filled(x)[1] == usual
    x[1, 1] = usual
    x[1, 3] = usual * 2
    full, other = filled(x)
    assert other not in {None, usual, usual * 2}
    assert (full == other).all(axis=-1).tolist() == [[False, False, True, True], [False] * 4]
    assert full.dtype == np.float32
    assert np.array_equal(unfilled(full, other), x, equal_nan=True)
