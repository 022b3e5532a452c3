from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nncli import backend, training
from nncli.config import Config, Override, load
from nncli.data.dataset import Dataset, Split
from nncli.data.samples import Samples
from nncli.errors import DataError, ModelError, UsageError
from nncli.listener import PhaseStart
from nncli.models.augmentation import is_augmentation
from nncli.models.convolutional import plan_cnn
from nncli.models.describe import describe
from nncli.models.kind import Plan
from nncli.models.preprocessing import Pictures, Preparation
from nncli.models.transfer import (
    TransferSettings,
    freeze,
    load_base,
    plan_transfer,
    settle,
    unfreeze,
    unfreeze_last,
)
from nncli.schema import SCHEMAS
from tests.made import images

VGG16_RANDOM = {"model.base": "VGG16", "model.weights": "random"}


def config(**given: Any) -> Config:
    """A transfer config with these dotted keys; `_` for `.` in no place."""
    overrides = [Override.from_set(f"{path}={json.dumps(value)}") for path, value in given.items()]
    return load(SCHEMAS, "transfer", None, overrides).config


def settings(**given: Any) -> TransferSettings:
    model = config(**{f"model.{key}": value for key, value in given.items()}).model
    assert isinstance(model, TransferSettings)
    return model


def colour(side: int = 32, classes: int = 10) -> Dataset:
    return images(samples=20, side=side, channels=3, classes=classes)


class OnDisk(Samples):
    """Pictures that are only to be had by asking for them."""

    def __init__(self, pixels: Any) -> None:
        super().__init__(pixels.shape, pixels.dtype)
        self.pixels = pixels

    def read(self, rows: Any) -> Any:
        return self.pixels[rows]


def on_disk(dataset: Dataset) -> Dataset:
    parts = {name: Split(OnDisk(part.x), part.y) for name, part in dataset.parts.items()}
    return replace(dataset, **parts)


def small(**given: Any) -> Config:
    """A quick config on small-cnn."""
    quick = {"training.epochs": 2, "pretraining.epochs": 2, "model.units": 8, "model.compare": []}
    return config(**{**quick, **given})


def test_the_lessons_model(started: None) -> None:
    plan = plan_transfer(config(**VGG16_RANDOM), colour(), None)
    rows = describe(plan.model)
    assert [row.type for row in rows[1:]] == [
        "VGG16",
        "GlobalAveragePooling2D",
        "Dense",
        "Dropout",
        "Dense",
    ]
    assert sum(row.parameters for row in rows) == 14_848_586
    assert sum(row.trainable_parameters for row in rows) == 133_898
    assert rows[1].frozen
    assert rows[1].layers_inside == 19


def test_preprocessing_is_what_the_weights_want_and_says_so(started: None) -> None:
    plan = plan_transfer(config(**VGG16_RANDOM), colour(), None)
    assert plan.dataset.test.x.min() < -100
    assert plan.phases[0].extractor.preparation == plan.preparation == Preparation("VGG16", 3)
    assert "not divided by 255" in plan.notes[0]
    plan = plan_transfer(config(**VGG16_RANDOM, **{"model.preprocessing": "unit"}), colour(), None)
    assert plan.dataset.test.x.max() == 1.0
    assert plan.notes == ()


def test_grey_pictures_under_a_colour_network(started: None) -> None:
    plan = plan_transfer(config(**VGG16_RANDOM), images(side=32), None)
    assert plan.dataset.test.x.shape[1:] == (32, 32, 3)
    assert "three channels" in plan.notes[-1]


def test_the_base_is_trained_before_and_never_after_it_is_frozen(started: None) -> None:
    plan = plan_transfer(small(), images(side=28), images(side=28, seed=1))
    base = plan.model.layers[0]
    weights = [base.get_weights()]

    class Watch(training.Listener):
        def phase(self, start: PhaseStart) -> None:  # noqa: ARG002
            weights.append(base.get_weights())

    result = training.fit("transfer", plan, images(side=28), small().training, 42, Watch())
    weights.append(base.get_weights())
    start, pretrain, head, end = (np.concatenate([w.ravel() for w in one]) for one in weights)
    assert np.array_equal(start, pretrain)
    assert not np.allclose(pretrain, head), "pretraining changes the base"
    assert np.array_equal(head, end), "the head phase does not"
    assert [record.phase for record in result.history] == ["pretrain"] * 2 + ["head"] * 2
    assert [record.epoch for record in result.history] == [1, 2, 1, 2]
    assert result.best_epoch in {1, 2}


def test_a_base_without_a_validation_part_is_trained_by_its_own_figure(started: None) -> None:
    chosen = small(**{"training.monitor": "val_accuracy"})
    before = replace(images(side=28, seed=1), validation=None)
    plan = plan_transfer(chosen, images(side=28), before)

    result = training.fit("transfer", plan, images(side=28), chosen.training, 42)

    assert result.monitor == "val_accuracy"
    assert [record.phase for record in result.history] == ["pretrain"] * 2 + ["head"] * 2


def test_cached_features_train_the_same_head_as_the_whole_model(started: None) -> None:
    """The frozen base run once gives what end-to-end training gives, dropout off."""
    chosen = small(**{"model.dropout": 0.0, "training.epochs": 3})
    dataset = images(side=28)
    heads = []
    for cached in (True, False):
        backend.keras().utils.set_random_seed(7)
        plan = plan_transfer(chosen, dataset, None)
        (phase,) = plan.phases
        if not cached:
            prepared = dataset.converted(phase.extractor.preparation)
            phase = replace(phase, model=plan.model, dataset=prepared, extractor=None)
        training.fit("transfer", replace(plan, phases=(phase,)), dataset, chosen.training, 42)
        heads.append([w for layer in plan.model.layers[2:] for w in layer.get_weights()])
    for one, other in zip(*heads, strict=True):
        assert np.allclose(one, other, atol=1e-5)


def test_unfreezing_reaches_layers_that_fine_tuning_had_left_out(started: None) -> None:
    layers = backend.keras().layers
    base = backend.keras().Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(5)])
    unfreeze_last(base, 1)
    assert [layer.trainable for layer in base.layers] == [False, True]
    unfreeze(base)
    assert [layer.trainable for layer in base.layers] == [True, True]
    freeze(base)
    assert base.trainable_weights == []


def test_fine_tuning_unfreezes_the_last_layers_except_batch_normalization(started: None) -> None:
    base = load_base(settings(base="MobileNetV2", weights="random"), (32, 32, 3), "random")
    unfreeze_last(base, 10)
    trained = [layer.trainable for layer in base.layers]
    assert not any(trained[:-10])
    norms = [layer for layer in base.layers[-10:] if type(layer).__name__ == "BatchNormalization"]
    assert norms
    assert not any(layer.trainable for layer in norms)
    assert sum(trained) == 10 - len(norms)
    with pytest.raises(UsageError, match=r"has 154 layers"):
        unfreeze_last(base, 155)


def test_two_phases_share_one_best_epoch(started: None) -> None:
    chosen = small(**{"model.fine_tune": {"layers": 2, "epochs": 2, "learning_rate": 1e-9}})
    dataset = images(side=28)
    plan = plan_transfer(chosen, dataset, None)
    result = training.fit("transfer", plan, dataset, chosen.training, 42)
    assert [record.phase for record in result.history] == ["head"] * 2 + ["fine_tune"] * 2
    losses = [record.metrics["val_loss"] for record in result.history]
    assert result.best_epoch == int(np.argmin(losses)) + 1
    # with a rate of nothing, fine-tuning starts where the head ended: no weight was lost between
    assert losses[2] == pytest.approx(min(losses[:2]), rel=1e-4)


def test_fine_tuning_is_on_what_stays_frozen_where_that_takes_little_room(started: None) -> None:
    fine = {"model.fine_tune": {"layers": 4}}
    plan = plan_transfer(config(**VGG16_RANDOM, **fine), colour(), None)
    tuning = plan.phases[1]
    tuning.prepare()
    assert tuning.extractor.model.output_shape[1:] == (2, 2, 512)
    assert tuning.dataset.train.x.dtype == np.uint8
    learning = [id(each) for each in plan.model.trainable_weights]
    assert [id(each) for each in tuning.model.trainable_weights] == learning
    # maps of 13×13×32 for a grey picture of 28×28
    plan = plan_transfer(small(**{"model.fine_tune": {"layers": 2}}), images(side=28), None)
    tuning = plan.phases[-1]
    assert (tuning.model, tuning.extractor) == (plan.model, None)
    assert tuning.dataset.train.x[:].max() == 1.0


def test_baselines_are_trained_on_the_same_samples(started: None) -> None:
    chosen = small(**{"model.compare": ["scratch", "random"]})
    dataset = images(side=28)
    plan = plan_transfer(chosen, dataset, None)
    result = training.fit("transfer", plan, dataset, chosen.training, 42)
    assert [baseline.name for baseline in result.baselines] == ["scratch", "random"]
    assert all(baseline.epochs == 2 for baseline in result.baselines)
    scratch = plan.baselines[0].make()
    assert all(row.trainable_parameters == row.parameters for row in describe(scratch.model))
    frozen = plan.baselines[1].make()
    assert describe(frozen.model)[1].frozen


def test_a_saved_model_is_a_base_up_to_its_last_feature_maps(started: None, tmp_path: Path) -> None:
    keras = backend.keras()
    layers = keras.layers
    saved = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ],
        name="mine",
    )
    path = tmp_path / "mine.keras"
    saved.save(path)
    chosen = config(**{"model.base": str(path)})
    plan = plan_transfer(chosen, images(side=28), None)
    base = plan.model.layers[0]
    assert base.output_shape == (None, 13, 13, 4)
    assert np.array_equal(base.get_weights()[0], saved.get_weights()[0])
    with pytest.raises(ModelError, match="reads pictures of 28×28×1, but the data has 32×32×1"):
        plan_transfer(chosen, images(side=32), None)


def test_a_transfer_model_is_a_base_by_its_own_base(started: None, tmp_path: Path) -> None:
    plan = plan_transfer(config(**{"model.weights": "random"}), images(side=28), None)
    path = tmp_path / "mine.keras"
    plan.model.save(path)
    base = load_base(settings(base=str(path)), (28, 28, 1), "saved")
    assert base.output_shape == (None, 5, 5, 64)
    assert np.array_equal(base.get_weights()[0], plan.model.layers[0].get_weights()[0])


def test_a_saved_model_for_any_size(started: None, tmp_path: Path) -> None:
    layers = backend.keras().layers
    saved = backend.keras().Sequential([layers.Input((None, None, 3)), layers.Conv2D(4, 3)])
    saved.save(tmp_path / "any.keras")
    base = load_base(settings(base=str(tmp_path / "any.keras")), (20, 20, 3), "saved")
    assert base.output_shape == (None, 18, 18, 4)
    assert base.input_shape == (None, 20, 20, 3)


def test_a_saved_model_that_reads_no_pictures(started: None, tmp_path: Path) -> None:
    layers = backend.keras().layers
    backend.keras().Sequential([layers.Input((4,)), layers.Dense(2)]).save(tmp_path / "a.keras")
    with pytest.raises(ModelError, match="does not read pictures"):
        load_base(settings(base=str(tmp_path / "a.keras")), (28, 28, 1), "saved")


def test_a_run_beside_a_saved_base_says_how_its_pixels_were_scaled(
    started: None, tmp_path: Path
) -> None:
    plan = plan_transfer(config(**{"model.weights": "random"}), images(side=28), None)
    path = tmp_path / "model.keras"
    plan.model.save(path)
    (tmp_path / "config.yaml").write_text("model:\n  preprocessing: none\n")
    again = plan_transfer(config(**{"model.base": str(path)}), images(side=28), None)
    assert again.dataset.train.x.max() == 255
    assert "scaled as the run of model.keras did: none" in again.notes[0]


def test_a_base_that_has_seen_the_test_part_is_refused(started: None) -> None:
    task = images(side=28)
    with pytest.raises(DataError, match="12 pictures of the validation part"):
        plan_transfer(small(), task, images(side=28))
    with pytest.raises(DataError, match="12 pictures of the test part"):
        plan_transfer(small(), replace(task, validation=None), images(side=28))


def test_pictures_on_the_disk_are_compared_too(started: None) -> None:
    task = images(side=28)
    before = on_disk(images(side=28, seed=1))
    plan_transfer(small(), on_disk(task), before)
    pixels = before.train.x[:]
    pixels[5] = task.test.x[3]
    with pytest.raises(DataError, match="would be trained on 1 picture of the test part"):
        plan_transfer(small(), on_disk(task), replace(before, train=Split(pixels, before.train.y)))


def test_a_random_base_settles_on_pictures_on_the_disk(started: None) -> None:
    layers = backend.keras().layers
    base = backend.keras().Sequential([layers.Input((32, 32, 3)), layers.BatchNormalization()])
    statistics = []
    for dataset in (colour(), on_disk(colour())):
        settle(base, Pictures(dataset, Preparation("unit")).some)
        statistics.append(np.concatenate(base.get_weights()[2:]))
    pixels = colour().train.x / 255
    assert np.array_equal(*statistics)
    assert np.allclose(statistics[0][:3], pixels.mean(axis=(0, 1, 2)), atol=1e-4)


def test_the_base_learns_the_digits_that_the_task_has_not() -> None:
    chosen = config(**{"data.classes": [4, 5, 6]})
    assert chosen.pretraining is not None
    assert chosen.pretraining.data.classes == (0, 1, 2, 3, 7, 8, 9)


def test_a_random_base_still_tells_pictures_apart(started: None) -> None:
    """With the statistics that Keras starts BatchNormalization with it does not."""
    chosen = config(
        **{"model.base": "MobileNetV2", "model.weights": "random", "model.compare": ["random"]}
    )
    plan = plan_transfer(chosen, colour(), None)
    for one in (plan, plan.baselines[0].make()):
        (phase,) = one.phases
        features = phase.extractor.model.predict(one.dataset.test.x, verbose=0)
        assert features.std(axis=0).mean() > 1e-3
        assert not any(weight.trainable for weight in phase.extractor.model.weights)


def test_a_comparison_that_fails_costs_nothing_else(started: None) -> None:
    chosen = small(**{"model.compare": ["scratch"]})
    dataset = images(side=28)

    def fail() -> Plan:
        raise ValueError("no more memory")

    plan = plan_transfer(chosen, dataset, None)
    plan = replace(plan, baselines=(replace(plan.baselines[0], make=fail),))
    result = training.fit("transfer", plan, dataset, chosen.training, 42)
    assert result.test["samples"] == 12
    assert result.baselines[0].failed == "no more memory"
    assert result.baselines[0].metrics == {}


# Augmentation

STRONG = {"model.augmentation": {"flip": "horizontal", "rotation": 30, "contrast": 0.5}}
HARDLY = {"model.augmentation": {"translation": 1e-6}}


def fronts(plan: Plan) -> list[list[str]]:
    """The layers before the base in the whole model and in the model of each phase."""
    models = [plan.model, *(phase.model for phase in plan.phases)]
    return [
        [type(layer).__name__ for layer in model.layers if is_augmentation(layer)]
        for model in models
    ]


def test_augmentation_is_in_front_of_the_base_in_every_phase(started: None) -> None:
    fine = {"model.fine_tune": {"layers": 2}, "model.compare": ["scratch", "random"]}
    chosen = small(**STRONG, **fine)
    plan = plan_transfer(chosen, images(side=28), images(side=28, seed=1))
    assert [phase.name for phase in plan.phases] == ["pretrain", "head", "fine_tune"]
    assert all(phase.extractor is None for phase in plan.phases)
    expected = ["RandomFlip", "RandomRotation", "RandomContrast"]
    assert fronts(plan) == [expected] * 4
    for baseline in plan.baselines:
        made = baseline.make()
        assert fronts(made) == [expected] * 2
        assert [layer.seed for layer in made.model.layers[:3]] == [
            layer.seed for layer in plan.model.layers[:3]
        ]
    (note,) = plan.notes
    assert note == "augmentation: the frozen base is run in every epoch instead of once"
    plain = plan_transfer(small(**fine), images(side=28), images(side=28, seed=1))
    assert plan.model.count_params() == plain.model.count_params()
    assert fronts(plain) == [[]] * 4
    assert plain.phases[1].extractor is not None
    assert plain.notes == ()
    rows, expected_rows = describe(plan.model), describe(plain.model)
    assert [row.settings for row in rows[4:]] == [row.settings for row in expected_rows[1:]]


def test_hardly_changed_pictures_train_the_same_head_as_cached_features(started: None) -> None:
    dataset = images(side=28)
    heads, losses = [], []
    for changes in ({}, HARDLY):
        chosen = small(**changes, **{"model.dropout": 0.0, "training.epochs": 3})
        backend.keras().utils.set_random_seed(7)
        plan = plan_transfer(chosen, dataset, None)
        result = training.fit("transfer", plan, dataset, chosen.training, 42)
        heads.append([w for layer in plan.model.layers[-2:] for w in layer.get_weights()])
        losses.append([record.metrics["val_loss"] for record in result.history])
    for one, other in zip(*heads, strict=True):
        assert np.allclose(one, other, atol=1e-3)
    assert np.allclose(*losses, atol=1e-4)


def test_a_frozen_base_stands_still_under_augmentation(started: None, tmp_path: Path) -> None:
    """Its weights, the statistics of its BatchNormalization, and its own dropout."""
    layers = backend.keras().layers
    saved = backend.keras().Sequential(
        [
            layers.Input((28, 28, 3)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.Dropout(0.9),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    saved.save(tmp_path / "mine.keras")
    base = {"model.base": str(tmp_path / "mine.keras"), "model.dropout": 0.0}
    chosen = config(**HARDLY, **base, **{"training.epochs": 2, "model.units": 8})
    dataset = images(side=28, channels=3)
    plan = plan_transfer(chosen, dataset, None)
    (phase,) = plan.phases
    phase.prepare()
    x = phase.dataset.train.x
    assert np.allclose(phase.model(x, training=True), phase.model(x, training=False), atol=1e-4)
    (inner,) = [layer for layer in plan.model.layers if hasattr(layer, "layers")]
    before = inner.get_weights()
    training.fit("transfer", plan, dataset, chosen.training, 42)
    for old, new in zip(before, inner.get_weights(), strict=True):
        assert np.array_equal(old, new)
    # the whole model ends with the head that was trained
    answers = [each.predict(x, verbose=0) for each in (plan.model, phase.model)]
    assert np.allclose(*answers, atol=1e-6)


def test_an_augmented_transfer_repeats_and_loads_in_plain_keras(
    started: None, tmp_path: Path
) -> None:
    short = {"pretraining.epochs": 1, "training.epochs": 1}
    dataset, before = images(side=28), images(side=28, seed=1)

    def run(seed: int) -> tuple[Any, Plan]:
        chosen = small(seed=seed, **STRONG, **short)
        backend.keras().utils.set_random_seed(7)
        plan = plan_transfer(chosen, dataset, before)
        result = training.fit("transfer", plan, dataset, chosen.training, 42)
        return [record.metrics["loss"] for record in result.history], plan

    (first, plan), (again, _), (other, _) = run(1), run(1), run(2)
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True)), "pretraining too"
    plan.model.save(tmp_path / "model.keras")
    loaded = backend.keras().models.load_model(tmp_path / "model.keras")
    x = plan.dataset.test.x
    assert np.array_equal(loaded.predict(x, verbose=0), plan.model.predict(x, verbose=0))


@pytest.mark.parametrize("kind", ["cnn", "transfer"])
def test_the_augmentation_of_a_saved_base_is_left_out(
    kind: str, started: None, tmp_path: Path
) -> None:
    if kind == "cnn":
        made = load(
            SCHEMAS, "cnn", None, [Override.from_set("model.augmentation={flip: both, zoom: 0.1}")]
        ).config
        saved = plan_cnn(made, images(side=28)).model
    else:
        saved = plan_transfer(
            config(**{"model.weights": "random"}, **STRONG), images(side=28), None
        ).model
    saved.save(tmp_path / "mine.keras")
    base = load_base(settings(base=str(tmp_path / "mine.keras")), (28, 28, 1), "saved")
    assert [type(layer).__name__ for layer in base.layers if type(layer).__name__ != "InputLayer"]
    assert not any(is_augmentation(layer) for layer in base.layers)
    assert base.input_shape == (None, 28, 28, 1)
    assert base.output_shape == (None, 5, 5, 64)
    kept = [layer for layer in base.layers if layer.weights]
    first = saved.get_weights()[0]
    assert np.array_equal(kept[0].get_weights()[0], first)


def test_weights_from_a_file(started: None, tmp_path: Path) -> None:
    chosen = settings(base="MobileNetV2", alpha=0.35, weights="random")
    base = load_base(chosen, (32, 32, 3), "random")
    path = tmp_path / "mine.weights.h5"
    base.save_weights(path)
    again = load_base(chosen, (32, 32, 3), path)
    assert np.array_equal(base.get_weights()[0], again.get_weights()[0])
    # Keras loads such a file in silence and leaves the layer random
    with h5py.File(path, "r+") as file:
        del file["layers/conv2d"]
    with pytest.raises(ModelError, match=r"has no weights for|does not hold weights"):
        load_base(chosen, (32, 32, 3), path)
    wide = settings(base="MobileNetV2", alpha=1.0, weights="random")
    with pytest.raises(ModelError, match=r"mine.weights.h5 does not hold weights for MobileNetV2"):
        load_base(wide, (32, 32, 3), path)
    with pytest.raises(ModelError, match="there is no weights file"):
        load_base(chosen, (32, 32, 3), tmp_path / "none.weights.h5")


def test_a_model_file_that_is_none(started: None, tmp_path: Path) -> None:
    path = tmp_path / "bad.keras"
    path.write_text("not a model")
    with pytest.raises(ModelError, match=r"is not a \.keras file"):
        load_base(settings(base=str(path)), (28, 28, 1), "saved")
    with pytest.raises(ModelError, match="there is no model file"):
        load_base(settings(base=str(tmp_path / "none.keras")), (28, 28, 1), "saved")


def test_a_picture_too_small_for_the_network(started: None) -> None:
    with pytest.raises(ModelError, match="InceptionV3 cannot be built for pictures of 32×32×3"):
        load_base(settings(base="InceptionV3", weights="random"), (32, 32, 3), "random")


def test_imagenet_weights_without_a_network(started: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError("URL fetch failure on https://example.org/vgg16.h5: no route to host")

    monkeypatch.setattr(backend.keras().applications, "VGG16", fail)
    with pytest.raises(ModelError, match="cannot be downloaded") as caught:
        load_base(settings(base="VGG16"), (32, 32, 3), "imagenet")
    assert "model.weights: random" in str(caught.value.hint)
