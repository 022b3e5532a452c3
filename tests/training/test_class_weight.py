"""Classes that count the same however many samples they have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nncli import backend, training
from nncli.config import Override, TrainingSection, load
from nncli.data.dataset import Dataset, Split
from nncli.errors import ConfigError
from nncli.models.kind import Extractor, Phase, Plan
from nncli.schema import SCHEMAS
from nncli.training.loop import _class_weight

CLASSES = ("common", "rare")


def imbalanced(often: int = 180, rarely: int = 20) -> Dataset:
    """Two clouds of points that overlap, one of them with 9 of 10 points in training.

    In the test part both have the same number.
    """

    def part(seed: int, counts: tuple[int, int]) -> Split:
        random = np.random.default_rng(seed)
        y = np.repeat([0, 1], counts).astype(np.int64)
        x = random.normal(np.where(y == 0, 0.0, 0.7)[:, None, None], 1.0, (len(y), 1, 2))
        return Split(x.astype(np.float32), y)

    return Dataset(
        name="made",
        family="sequences",
        task="classification",
        train=part(1, (often, rarely)),
        validation=part(2, (often, rarely)),
        test=part(3, (200, 200)),
        classes=CLASSES,
    )


def section(**given: Any) -> TrainingSection:
    settings = {"epochs": 20, "batch_size": 20, "learning_rate": 0.02, "monitor": "loss"}
    return TrainingSection(**{**settings, **given})


def plan(dataset: Dataset, chosen: TrainingSection, loss: str, *, extracted: bool = False) -> Plan:
    """A logistic regression, on its own or on what a frozen layer gives."""
    keras = backend.keras()
    keras.utils.set_random_seed(1)
    front = keras.Sequential([keras.layers.Input((1, 2)), keras.layers.Flatten()])
    top = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2, "softmax")])
    model = keras.Sequential([keras.layers.Input((1, 2)), front, top])
    phase = Phase(
        "train",
        top if extracted else model,
        dataset,
        chosen.epochs,
        chosen.learning_rate,
        extractor=Extractor(front) if extracted else None,
    )
    return Plan(model, dataset, (phase,), loss)


LOSSES = ("categorical_crossentropy", "sparse_categorical_crossentropy")
CASES = [(LOSSES[0], False), (LOSSES[1], False), (LOSSES[0], True)]


def fit(loss: str, dataset: Dataset, *, extracted: bool = False, **given: Any) -> Any:
    chosen = section(**given)
    made = plan(dataset, chosen, loss, extracted=extracted)
    return training.fit("lstm", made, dataset, chosen, 1)


@pytest.mark.parametrize(("loss", "extracted"), CASES)
def test_a_rare_class_is_found_more_often(started: None, loss: str, extracted: bool) -> None:
    dataset = imbalanced()
    figures = {
        how: fit(loss, dataset, extracted=extracted, class_weight=how).test
        for how in ("none", "balanced")
    }
    recall = {how: figure["classes"]["rare"]["recall"] for how, figure in figures.items()}
    assert recall["none"] < 0.3
    assert recall["balanced"] > 0.6
    balanced = {how: figure["balanced_accuracy"] for how, figure in figures.items()}
    assert balanced["balanced"] > balanced["none"] + 0.04


@pytest.mark.parametrize(("loss", "extracted"), CASES)
def test_the_training_loss_is_weighted_and_no_other_figure(
    started: None, loss: str, extracted: bool
) -> None:
    """With weights that stand still all figures can be counted by hand."""
    dataset = imbalanced()
    still: dict[str, Any] = {"epochs": 1, "learning_rate": 1e-20, "optimizer": "sgd"}
    chosen = section(**still, class_weight="balanced")
    made = plan(dataset, chosen, loss, extracted=extracted)
    result = training.fit("lstm", made, dataset, chosen, 1)
    plain = fit(loss, dataset, extracted=extracted, **still)
    (record,), (other,) = result.history, plain.history

    def entropies(part: Split) -> Any:
        said = made.model.predict(part.x, verbose=0)
        return -np.log(said[np.arange(len(part)), part.y])

    from sklearn.utils.class_weight import compute_sample_weight

    train, validation = dataset.train, dataset.validation
    assert validation is not None
    weights = compute_sample_weight("balanced", train.y)
    assert record.metrics["loss"] == pytest.approx((weights * entropies(train)).mean(), rel=1e-4)
    assert other.metrics["loss"] == pytest.approx(entropies(train).mean(), rel=1e-4)
    assert record.metrics["val_loss"] == pytest.approx(entropies(validation).mean(), rel=1e-4)
    for figure in ("accuracy", "val_loss", "val_accuracy"):
        assert record.metrics[figure] == other.metrics[figure]
    assert result.test == plain.test


def test_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    y = np.random.default_rng(0).choice(5, 300, p=[0.6, 0.2, 0.1, 0.06, 0.04])
    dataset = replace(imbalanced(), train=Split(np.zeros((300, 1, 2), np.float32), y))
    weights = _class_weight(dataset)
    assert list(weights) == [0, 1, 2, 3, 4]
    expected = compute_class_weight("balanced", classes=np.arange(5), y=y)
    assert np.allclose(list(weights.values()), expected)


def test_classes_of_one_size_are_trained_as_without(started: None) -> None:
    dataset = imbalanced(60, 60)
    one, other = (
        fit(LOSSES[0], dataset, class_weight=how, epochs=3) for how in ("none", "balanced")
    )
    assert [record.metrics for record in one.history] == [
        record.metrics for record in other.history
    ]


def test_a_class_without_a_sample_weighs_nothing(started: None) -> None:
    dataset = replace(imbalanced(), classes=("common", "rare", "never"))
    keras = backend.keras()
    chosen = section(epochs=1, class_weight="balanced")
    model = keras.Sequential(
        [keras.layers.Input((1, 2)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    )
    phase = Phase("train", model, dataset, 1, 0.01)
    result = training.fit("lstm", Plan(model, dataset, (phase,), LOSSES[0]), dataset, chosen, 1)
    assert np.isfinite(result.history[0].metrics["loss"])


@pytest.mark.parametrize("kind", ["rnn"])
def test_a_forecast_has_no_classes(kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(SCHEMAS, kind, None, [Override.from_set("training.class_weight=balanced")])
    (problem,) = caught.value.problems
    assert problem.path == "training.class_weight"
    assert problem.message == "balanced, but a forecast has no classes"
    assert load(SCHEMAS, kind).config.training.class_weight == "none"
    for other in ("lstm", "cnn", "transfer"):
        set_ = [Override.from_set("training.class_weight=balanced")]
        assert load(SCHEMAS, other, None, set_).config.training.class_weight == "balanced"
