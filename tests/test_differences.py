from __future__ import annotations

from nncli.differences import ABSENT, differences, leaves


def test_what_is_the_same_is_left_out() -> None:
    one = {"seed": 42, "model": {"units": [32], "dropout": 0.0}}
    other = {"seed": 43, "model": {"units": [32], "dropout": 0.5}}
    assert differences([one, one]) == {}
    assert differences([one, other, one]) == {
        ("seed",): (42, 43, 42),
        ("model", "dropout"): (0.0, 0.5, 0.0),
    }


def test_a_setting_that_one_lacks_is_told_from_one_that_is_off() -> None:
    off = {"training": {"early_stopping": None}}
    on = {"training": {"early_stopping": {"patience": 5}}}
    assert differences([off, on]) == {
        ("training", "early_stopping"): (None, ABSENT),
        ("training", "early_stopping", "patience"): (ABSENT, 5),
    }
    assert f"{ABSENT}" == "absent"


def test_keys_stay_apart_whatever_is_in_them() -> None:
    assert dict(leaves({"a.b": {"c": 1}, "a": {"b.c": 2}})) == {("a.b", "c"): 1, ("a", "b.c"): 2}
