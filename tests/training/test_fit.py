from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nncli import backend, process, training
from nncli.config import EarlyStopping, TrainingSection
from nncli.data.dataset import Dataset
from nncli.errors import Interrupted, TrainingError
from nncli.models.convolutional import CnnSettings, build
from nncli.models.kind import Plan, single_phase
from nncli.models.preprocessing import Preparation
from nncli.results import EpochRecord
from nncli.training.order import steps_of
from tests.made import images

SMALL = CnnSettings(filters=(4,), units=8, dropout=0.3)


def plan(dataset: Dataset, section: TrainingSection, seed: int = 42) -> Plan:
    backend.keras().utils.set_random_seed(seed)
    scaled = dataset.converted(Preparation("unit"))
    return single_phase(build(SMALL, scaled), scaled, section)


def section(**given: Any) -> TrainingSection:
    return TrainingSection(**{"epochs": 4, "batch_size": 7, "learning_rate": 0.01, **given})


def fit(seed: int = 42, listener: training.Listener | None = None, **given: Any) -> Any:
    chosen = section(**given)
    dataset = images()
    made = plan(dataset, chosen, seed)
    return training.fit("cnn", made, dataset, chosen, seed, listener), made.model


def test_the_same_seed_gives_the_same_bits(started: None) -> None:
    (first, model), (second, again) = fit(), fit()
    for one, other in zip(first.history, second.history, strict=True):
        assert one.metrics == other.metrics
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert first.test == second.test
    other, _ = fit(seed=43)
    assert other.history[0].metrics != first.history[0].metrics


def test_it_learns_and_ends_with_the_best_epoch(started: None) -> None:
    result, model = fit(epochs=12)
    losses = [record.metrics["val_loss"] for record in result.history]
    assert result.monitor == "val_loss"
    assert result.best_epoch == int(np.argmin(losses)) + 1
    assert losses[result.best_epoch - 1] < losses[0] / 2
    marked = [record.epoch for record in result.history if record.best]
    assert marked[-1] == result.best_epoch
    validation = images().converted(Preparation("unit")).validation
    assert validation is not None
    truth = np.eye(3)[validation.y]
    said = model.predict(validation.x, verbose=0)
    again = -np.log((said * truth).sum(axis=1)).mean()
    assert again == pytest.approx(min(losses), rel=1e-4)


def test_without_a_validation_part_the_training_loss_chooses(started: None) -> None:
    from dataclasses import replace

    dataset = replace(images(), validation=None)
    chosen = section()
    result = training.fit("cnn", plan(dataset, chosen), dataset, chosen, 42)
    assert result.monitor == "loss"
    assert set(result.history[0].metrics) == {"loss", "accuracy"}


def test_an_accuracy_that_is_monitored_chooses_the_epoch_where_it_is_highest(
    started: None,
) -> None:
    result, model = fit(epochs=12, monitor="val_accuracy")
    assert result.monitor == "val_accuracy"
    reached = [record.metrics["val_accuracy"] for record in result.history]
    assert min(reached) < max(reached)
    assert result.best_epoch == int(np.argmax(reached)) + 1, "the first of the highest"
    marked = [record.epoch for record in result.history if record.best]
    assert marked == [
        epoch for epoch, value in enumerate(reached, 1) if value > max([-1, *reached[: epoch - 1]])
    ]
    validation = images().converted(Preparation("unit")).validation
    assert validation is not None
    said = model.predict(validation.x, verbose=0).argmax(axis=1)
    assert (said == validation.y).mean() == pytest.approx(max(reached))


def test_the_training_loss_may_choose_beside_a_validation_part(started: None) -> None:
    result, _ = fit(epochs=5, monitor="loss")
    losses = [record.metrics["loss"] for record in result.history]
    assert result.monitor == "loss"
    assert "val_loss" in result.history[0].metrics
    assert result.best_epoch == int(np.argmin(losses)) + 1


def test_samples_that_are_not_shuffled_are_trained_on_otherwise(started: None) -> None:
    (shuffled, _), (ordered, model) = fit(), fit(shuffle=False)
    assert ordered.history[0].metrics != shuffled.history[0].metrics
    again, same = fit(shuffle=False)
    assert again.history[-1].metrics == ordered.history[-1].metrics
    for one, other in zip(model.get_weights(), same.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_early_stopping_waits_for_the_figure_that_is_monitored(started: None) -> None:
    stopping = EarlyStopping(patience=2)
    result, _ = fit(epochs=60, early_stopping=stopping, monitor="val_accuracy")
    assert result.stopped == "early stopping"
    assert len(result.history) == result.best_epoch + 2


def test_early_stopping(started: None) -> None:
    stopping = EarlyStopping(patience=2, min_delta=10.0)
    result, _ = fit(epochs=9, early_stopping=stopping)
    assert result.stopped == "early stopping"
    assert len(result.history) == 3, "one epoch sets the mark, two wait"


def test_every_optimizer(started: None) -> None:
    for optimizer in ("adam", "adamw", "sgd", "rmsprop"):
        result, model = fit(epochs=1, optimizer=optimizer)
        assert type(model.optimizer).__name__.lower() == optimizer
        assert result.history[0].learning_rate == pytest.approx(0.01)


def test_a_loss_that_is_no_number_from_the_start(started: None) -> None:
    chosen = section(learning_rate=0.5)
    made = plan(images(), chosen)
    made.model.set_weights([np.full_like(weight, np.inf) for weight in made.model.get_weights()])
    with pytest.raises(TrainingError, match="the first epoch of phase train is not") as caught:
        training.fit("cnn", made, images(), chosen, 42)
    assert "a smaller learning rate than 0.5" in str(caught.value.hint)


class Breaks(training.Listener):
    """Does something after an epoch."""

    def __init__(self, after: int, what: Any) -> None:
        self.after, self.what, self.heard = after, what, list[EpochRecord]()

    def epoch(self, record: EpochRecord, number: int) -> None:
        self.heard.append(record)
        if number == self.after:
            self.what()


def test_a_loss_that_becomes_no_number_keeps_the_best(started: None) -> None:
    chosen = section(epochs=6)
    dataset = images()
    made = plan(dataset, chosen)

    def poison() -> None:
        weights = made.model.get_weights()
        made.model.set_weights([np.full_like(weight, np.nan) for weight in weights])

    result = training.fit("cnn", made, dataset, chosen, 42, Breaks(2, poison))
    assert result.stopped == "diverged"
    assert (result.broken_step, result.broken_layer) == (1, made.model.layers[0].name)
    assert len(result.history) == 3
    assert result.best_epoch in {1, 2}
    assert all(np.isfinite(weight).all() for weight in made.model.get_weights())


def break_last_layer(made: Plan, after: int) -> None:
    """Once so many steps are trained, the kernel of the last layer is infinite."""
    model = made.model
    really, kernel = model.train_step, model.layers[-1].kernel

    def broken(batch: Any) -> Any:
        figures = really(batch)
        is_late = model.optimizer.iterations >= after
        kernel.assign(kernel * backend.keras().ops.where(is_late, np.inf, 1.0))
        return figures

    model.train_step = broken


def test_the_step_and_the_layer_that_broke_first_are_told(started: None) -> None:
    """The epoch is trained again up to there: afterwards all weights are broken."""
    chosen = section(epochs=3)
    dataset = images()
    made = plan(dataset, chosen)
    steps = steps_of(dataset.train, chosen.batch_size)
    break_last_layer(made, after=steps + 2)
    result = training.fit("cnn", made, dataset, chosen, 42)
    assert (len(result.history), result.best_epoch) == (2, 1)
    assert (result.broken_step, result.broken_layer) == (3, made.model.layers[-1].name)
    assert all(np.isfinite(weight).all() for weight in made.model.get_weights())


def test_weights_that_the_last_step_breaks_are_not_kept(started: None) -> None:
    """The loss of the epoch has not seen them."""
    chosen = section(epochs=3, early_stopping=None)
    dataset = replace(images(), validation=None)
    made = plan(dataset, chosen)
    break_last_layer(made, after=2 * steps_of(dataset.train, chosen.batch_size))
    result = training.fit("cnn", made, dataset, chosen, 42)
    assert result.stopped == "diverged"
    assert (len(result.history), result.best_epoch) == (2, 1)
    assert (result.broken_step, result.broken_layer) == (None, made.model.layers[-1].name)
    assert all(np.isfinite(weight).all() for weight in made.model.get_weights())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_what_is_finished(started: None, number: int) -> None:
    def interrupt() -> None:
        raise Interrupted(number)

    listener = Breaks(2, interrupt)
    result, _ = fit(epochs=9, listener=listener)
    assert result.stopped == "interrupted"
    assert result.exit_code == 128 + number
    assert len(result.history) == len(listener.heard) == 2
    assert result.test == {}


def test_a_signal_that_python_drops_is_not_lost(
    started: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is raised in a weak reference's callback is printed and forgotten."""
    came: list[int] = []
    monkeypatch.setattr(process, "_came", came)
    result, _ = fit(epochs=4, listener=Breaks(2, lambda: came.append(signal.SIGTERM)))
    assert result.stopped == "interrupted"
    assert result.exit_code == 143
    assert len(result.history) == 2
