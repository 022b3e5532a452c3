from __future__ import annotations

import math
from dataclasses import replace

import pytest

from nncli.doctor import judge_training, trial
from nncli.doctor.inside import Failed
from nncli.doctor.trial import ENOUGH, Trial

GOOD = Trial(
    device="CPU",
    images=1168,
    seconds=2.0,
    losses=(1.3, 0.3),
    accuracy=0.9,
    guessing=0.1,
    repeats=True,
    peak=None,
)


@pytest.mark.usefixtures("started")
def test_a_training_that_cannot_learn_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """For real: with steps so large that nothing is learned."""
    settings = [each for each in trial.SETTINGS if "learning_rate" not in each]
    monkeypatch.setattr(trial, "SETTINGS", [*settings, "training.learning_rate=10"])
    came = trial.train()
    assert came.repeats
    assert came.peak is None or came.peak > 100e6
    check = judge_training(came)
    assert check.status == "problem", came
    assert check.facts["images"] == 1168


@pytest.mark.parametrize(
    ("result", "status", "said"),
    [
        (GOOD, "ok", "90% of unseen digits right after 2.0 seconds on CPU, guessing gets 10%"),
        (replace(GOOD, accuracy=ENOUGH - 0.01), "problem", "does not learn"),
        (replace(GOOD, accuracy=math.nan), "problem", "does not learn"),
        (replace(GOOD, losses=(1.3, math.nan)), "problem", "not a finite number"),
        (replace(GOOD, losses=(math.inf,)), "problem", "not a finite number"),
        (replace(GOOD, repeats=False), "warning", "a second training gives other numbers"),
        (Failed("out of memory", "end other programs"), "problem", "out of memory"),
    ],
)
def test_a_training_must_learn(result: Trial | Failed, status: str, said: str) -> None:
    check = judge_training(result)
    assert (check.status, said in check.finding) == (status, True), check.finding
    assert bool(check.hint) == (status != "ok")


def test_the_hint_knows_where_it_was_trained() -> None:
    gpu = replace(GOOD, device="GPU:0 (NVIDIA H100)", accuracy=0.1)
    assert "--device cpu" in judge_training(gpu).hint
    assert "--device cpu" not in judge_training(replace(GOOD, accuracy=0.1)).hint
