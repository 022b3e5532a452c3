from __future__ import annotations

import pytest

from nncli import profile
from nncli.profile import PARTS, Clock


class Time:
    """A clock that goes on when it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    fake = Time()
    monkeypatch.setattr(profile, "time", fake)
    return fake


def test_a_second_counts_once_in_the_innermost_part(time: Time) -> None:
    clock = Clock()
    time.now += 1
    with clock.part("train"):
        time.now += 2
        with clock.part("validate"):
            time.now += 4
        time.now += 8
    time.now += 16
    assert clock.spent() == {"train": 10, "validate": 4, "other": 17}


def test_what_went_before_is_the_start(time: Time) -> None:
    clock = Clock()
    time.now += 5
    clock.restart(3.0)
    time.now += 1
    assert clock.spent() == {"start": 3, "other": 1}


def test_in_a_whole_part_nothing_counts_for_itself(time: Time) -> None:
    clock = Clock()
    with clock.part("baselines", whole=True):
        time.now += 1
        with clock.part("train"):
            time.now += 2
        clock.move("train", "validate", 1.0)
    with clock.part("train"):
        time.now += 4
    spent = clock.spent()
    assert (spent["baselines"], spent["train"]) == (3, 4)
    assert "validate" not in spent


def test_moved_seconds_leave_the_sum_as_it_is(time: Time) -> None:
    clock = Clock()
    with clock.part("train"):
        time.now += 9
        clock.move("train", "validate", 4.0)
    assert clock.spent() == {"train": 5, "validate": 4, "other": 0}


def test_a_failure_ends_its_part(time: Time) -> None:
    def fail() -> None:
        with clock.part("data"):
            time.now += 2
            raise KeyError

    clock = Clock()
    with pytest.raises(KeyError):
        fail()
    time.now += 1
    assert clock.spent() == {"data": 2, "other": 1}


def test_parts_come_in_their_order(time: Time) -> None:
    clock = Clock()
    for name in ("save", "data", "start"):
        with clock.part(name):
            time.now += 1
    assert list(clock.spent()) == [name for name in PARTS if name in {"start", "data", "save"}] + [
        "other"
    ]


def test_the_first_call_is_counted_apart(time: Time) -> None:
    def work(seconds: float) -> float:
        time.now += seconds
        return seconds

    profile.begin()
    function = profile.first_call("compile", work)
    with profile.part("train"):
        assert [function(seconds) for seconds in (5, 1, 2)] == [5, 1, 2]
    spent = profile.spent()
    assert (spent["compile"], spent["train"]) == (5, 3)


def test_the_age_of_the_process_is_known() -> None:
    profile.begin()
    assert profile.spent()["start"] > 0.05  # this process has imported pytest
