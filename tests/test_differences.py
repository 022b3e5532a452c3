from __future__ import annotations

from nncli.differences import ABSENT, changed_figures, differences, leaves


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


def test_figures_that_changed_are_told_by_their_names() -> None:
    then = {"loss": 0.1, "classes": {"a": {"recall": 0.5, "f1": 0.25}}, "unit": "x"}
    now = {**then, "more": 1.0, "classes": {"a": {"recall": 0.75, "f1": 0.25}}}
    recall = "classes.a.recall: 0.5 then, 0.75 now"
    assert list(changed_figures(then, then)) == []
    assert list(changed_figures(then, now)) == [recall, "more: None then, 1.0 now"]
    assert list(changed_figures(then, now, more=True)) == [recall]
    assert list(changed_figures({"loss": 0.1}, {}, more=True)) == ["loss: 0.1 then, None now"]
    nan = {"loss": float("nan")}
    assert list(changed_figures(nan, dict(nan))) == []
    assert list(changed_figures({"samples": 1}, {"samples": 1.0})) == ["samples: 1 then, 1.0 now"]
