"""What is timed of a training, and what is told from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.config.sections import Checkpoints, TrainingSection
from nncli.data.dataset import Dataset, Split
from nncli.listener import Listener
from nncli.models.kind import Plan, single_phase
from nncli.training import rehearsal as module
from nncli.training.checkpoint import Keeper, newest
from nncli.training.rehearsal import rehearse
from tests.made import images
from tests.training.test_features import OnDisk


def pictures() -> Dataset:
    return images().converted(lambda x: np.float32(x / 255))


def plan_of(dataset: Dataset, training: TrainingSection) -> Plan:
    keras = backend.keras()
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Input(dataset.input_shape),
        keras.layers.Flatten(),
        keras.layers.Dense(len(dataset.classes), activation="softmax"),
    ]
    return single_phase(keras.Sequential(layers), dataset, training)


def rehearsed(dataset: Dataset, training: TrainingSection, **more: Any) -> module.Rehearsal:
    given = {"listener": Listener(), "cache": None, "keeper": None, **more}
    return rehearse("cnn", plan_of(dataset, training), dataset, training, 0, **given)


@pytest.mark.parametrize("on_disk", [False, True])
def test_an_epoch_that_takes_long_is_told_from_its_steps(
    on_disk: bool, started: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One step after the first is enough, and the validation is timed by itself."""
    monkeypatch.setattr(module, "SECONDS", 0.0)
    dataset = pictures()
    if on_disk:
        parts = {
            name: Split(OnDisk(np.asarray(part.x)), part.y) for name, part in dataset.parts.items()
        }
        dataset = replace(dataset, **parts)  # type: ignore[arg-type]
    training = TrainingSection(epochs=50, batch_size=1)
    found = rehearsed(dataset, training)
    (phase,) = found.phases
    count = len(dataset.train)
    assert (phase.samples, phase.epochs, phase.steps) == (count, 50, count)
    assert phase.step > 0
    assert phase.validation > 0
    assert len(found.result.history) == 1
    assert set(found.result.history[0].metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_short_epochs_are_timed_whole(started: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.0)
    dataset = pictures()
    training = TrainingSection(epochs=50, batch_size=len(dataset.train))
    found = rehearsed(dataset, training)
    assert found.phases[0].steps == 1
    assert 2 <= len(found.result.history) < 50


def test_one_epoch_is_all_there_is(started: None) -> None:
    dataset = pictures()
    (phase,) = rehearsed(dataset, TrainingSection(epochs=1, batch_size=4)).phases
    assert phase.seconds > 0


def test_each_phase_writes_one_checkpoint(started: None, tmp_path: Path) -> None:
    dataset = pictures()
    training = TrainingSection(epochs=3, batch_size=4, checkpoints=Checkpoints(every_epochs=1))
    found = rehearsed(dataset, training, keeper=Keeper(tmp_path, {}))
    assert found.phases[0].saving > 0
    assert newest(tmp_path).history == found.result.history


@pytest.mark.parametrize(
    ("policy", "epochs", "seconds", "each", "writes"),
    [
        (None, 100, 60.0, 0.1, 0),
        (Checkpoints(every_epochs=10), 100, 60.0, 0.1, 11),
        (Checkpoints(every_epochs=1), 100, 60.0, 0.1, 100),
        (Checkpoints(every_minutes=1), 1000, 600.0, 0.1, 11),
        (Checkpoints(), 100, 50.0, 0.1, 12),  # a fiftieth of the time, the first and the last
        (Checkpoints(), 2, 50.0, 0.1, 2),
    ],
)
def test_as_many_checkpoints_as_the_run_will_write(
    policy: Checkpoints | None, epochs: int, seconds: float, each: float, writes: int
) -> None:
    assert module._writes(policy, epochs, seconds, each) == writes


def test_a_large_test_part_is_told_from_its_first_batch(
    started: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = pictures()
    monkeypatch.setattr(module, "large_batch", lambda _: 2)
    found = rehearsed(dataset, TrainingSection(epochs=1, batch_size=4))
    assert found.result.predictions is not None
    assert len(found.result.predictions.truth) == 2 < len(dataset.test)
    assert found.test > 0
