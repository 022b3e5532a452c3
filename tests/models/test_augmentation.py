"""Augmentation: right pictures, in training only, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import backend, training
from nncli.config import Config, Override, TrainingSection, load
from nncli.errors import ConfigError
from nncli.models.augmentation import (
    LAYERS,
    Augmentation,
    augmentation_layers,
    is_augmentation,
    layer_seed,
    value_range,
)
from nncli.models.convolutional import CnnSettings, build, plan_cnn
from nncli.models.describe import describe
from nncli.models.kind import Plan
from nncli.models.preprocessing import Preparation, scale
from nncli.results import Array
from nncli.schema import SCHEMAS
from tests.made import images

CHANGES: dict[str, dict[str, Any]] = {
    "flip": {"flip": "both"},
    "rotation": {"rotation": 40.0},
    "zoom": {"zoom": 0.4},
    "translation": {"translation": 0.3},
    "contrast": {"contrast": 0.8},
}
ALL: dict[str, Any] = {key: value for change in CHANGES.values() for key, value in change.items()}
SCALES = ("unit", "none", "MobileNetV2", "VGG16")
FILLS = ("nearest", "reflect", "wrap")


def augmented(
    x: Array, preprocessing: str = "unit", seed: int = 42, times: int = 1, **changes: Any
) -> Array:
    """What training sees of pictures 0..255 after so many batches, back in 0..1."""
    front = augmentation_layers(Augmentation(**changes), seed, preprocessing, x.shape[-1])
    model = backend.keras().Sequential([backend.keras().layers.Input(x.shape[1:]), *front])
    scaled = scale(x, preprocessing)
    for _ in range(times):
        answer = np.asarray(model(scaled, training=True))
    low, high = map(np.array, value_range(preprocessing, x.shape[-1]))
    assert answer.dtype == np.float32
    return np.asarray((answer - low) / (high - low))


def pictures(count: int = 32, height: int = 12, width: int = 12, channels: int = 1) -> Array:
    shape = (count, height, width, channels)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


# The layers


def test_every_setting_reaches_its_layer(started: None) -> None:
    section = Augmentation(
        flip="both", rotation=10.0, zoom=0.07, translation=0.125, contrast=0.3, fill="reflect"
    )
    scaled = images(channels=3).converted(Preparation("unit"))
    front = augmentation_layers(section, 42, "unit", 3)
    plain = build(CnnSettings(filters=(4,), units=5), scaled)
    model = build(CnnSettings(filters=(4,), units=5), scaled, front)
    rows = describe(model)
    assert [(row.type, row.settings) for row in rows[1:7]] == [
        ("RandomFlip", "horizontal in 1 of 2 · in training"),
        ("RandomFlip", "vertical in 1 of 2 · in training"),
        ("RandomRotation", "by up to 10° · in training"),
        ("RandomZoom", "by up to 7% · in training"),
        ("RandomTranslation", "by up to 12.5% · in training"),
        ("RandomContrast", "by up to 30% · in training"),
    ]
    assert {(row.family, row.output_shape) for row in rows[1:7]} == {("augmentation", (12, 12, 3))}
    assert [layer.fill_mode for layer in model.layers[2:5]] == ["reflect"] * 3
    assert [is_augmentation(layer) for layer in model.layers] == [True] * 6 + [False] * 5
    # what follows is the model as it is without, to the last parameter
    assert [row.settings for row in rows[7:]] == [row.settings for row in describe(plain)[1:]]
    assert model.count_params() == plain.count_params()


def test_nothing_given_is_no_layer(started: None) -> None:
    assert augmentation_layers(None, 42, "unit", 3) == []
    kinds = [
        type(layer).__name__
        for change in CHANGES.values()
        for layer in augmentation_layers(Augmentation(**change), 42, "unit", 3)
    ]
    assert kinds == ["RandomFlip", *LAYERS]


def test_both_flips_are_drawn_by_themselves(started: None) -> None:
    x = pictures(64)
    seen = augmented(x, flip="both")
    ways = {
        "as it is": x,
        "left to right": x[:, :, ::-1],
        "top to bottom": x[:, ::-1],
        "both": x[:, ::-1, ::-1],
    }
    counts = {
        name: sum(np.allclose(a, b) for a, b in zip(seen, way / 255, strict=True))
        for name, way in ways.items()
    }
    assert sum(counts.values()) == 64
    assert min(counts.values()) >= 8, counts
    for flip, way in (("horizontal", "left to right"), ("vertical", "top to bottom")):
        mirrored = augmented(x, flip=flip)
        changed = [not np.allclose(a, b) for a, b in zip(mirrored, x / 255, strict=True)]
        assert 16 <= sum(changed) <= 48
        assert np.allclose(mirrored[changed], ways[way][changed] / 255)


def test_a_rotation_turns_and_does_not_shear(started: None) -> None:
    """A disc in the middle of a picture that is not square stays one, a bar beside it moves."""
    row, column = np.mgrid[:40, :64]
    radius = np.hypot(row - 19.5, column - 31.5)
    disc = np.broadcast_to((255 * (radius < 12))[None, ..., None], (16, 40, 64, 1)).astype(np.uint8)
    assert np.abs(augmented(disc, rotation=180.0) - disc / 255).mean() < 0.01
    bar = np.zeros((64, 41, 41, 1), dtype=np.uint8)
    bar[:, 20, 31:38] = 255  # to the right of the middle: 0°
    seen = augmented(bar, rotation=30.0)[..., 0]
    row, column = np.mgrid[:41, :41] - 20
    angles = np.degrees(
        np.arctan2((seen * -row).sum(axis=(1, 2)), (seen * column).sum(axis=(1, 2)))
    )
    assert np.abs(angles).max() <= 31
    assert angles.min() < -20
    assert angles.max() > 20


def test_zoom_and_translation_keep_to_their_share(started: None) -> None:
    x = np.zeros((64, 41, 41, 1), dtype=np.uint8)
    x[:, 20:21, 20:21] = 255
    row, column = np.mgrid[:41, :41]

    def place(seen: Array) -> Array:
        weight = seen[..., 0] / seen.sum(axis=(1, 2, 3))[:, None, None]
        return np.stack([(weight * row).sum(axis=(1, 2)), (weight * column).sum(axis=(1, 2))])

    moved = place(augmented(x, translation=0.2)) - 20
    assert np.abs(moved).max() <= 0.2 * 41 + 1e-3
    assert moved.min(axis=1).max() < -4
    assert moved.max(axis=1).min() > 4
    x[:] = 0
    x[:, 20, 30] = 255  # 10 to the right of the middle
    away = place(augmented(x, zoom=0.2))[1] - 20
    assert away.min() >= 10 / 1.2 - 0.6  # what is shown of 120 % is smaller
    assert away.max() <= 10 / 0.8 + 0.6
    assert away.min() < 9.5
    assert away.max() > 10.5


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("preprocessing", SCALES)
def test_nothing_comes_in_that_was_not_there(started: None, preprocessing: str, fill: str) -> None:
    """No black, no NaN, no other colour at an edge: whatever the pixels were scaled to."""
    colour = np.array([40, 120, 200])
    x = np.broadcast_to(colour, (16, 20, 20, 3)).astype(np.uint8)
    seen = augmented(x, preprocessing, fill=fill, **{**ALL, "contrast": 0.0})
    shown = seen[..., ::-1] if preprocessing == "VGG16" else seen
    assert np.allclose(shown, colour / 255, atol=1e-4)


@pytest.mark.parametrize("preprocessing", SCALES)
def test_contrast_goes_both_ways_within_the_range(started: None, preprocessing: str) -> None:
    x = pictures(32, channels=3)
    seen = augmented(x, preprocessing, contrast=0.5)
    assert seen.min() >= -1e-6
    assert seen.max() <= 1 + 1e-6
    plain = scale(x, preprocessing)
    low, high = map(np.array, value_range(preprocessing, 3))
    factors = seen.std(axis=(1, 2, 3)) / ((plain - low) / (high - low)).std(axis=(1, 2, 3))
    assert 0.49 < factors.min() < 0.7
    assert 1.1 < factors.max() < 1.5
    assert (np.isclose(seen, 0, atol=1e-6) | np.isclose(seen, 1)).mean() > 0.01, "it is clipped"


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_change_whatever_the_pixels_were_scaled_to(started: None, change: str) -> None:
    """And grey in three channels stays grey: all of them are changed alike."""
    grey = np.repeat(pictures(8), 3, axis=-1)
    one, *others = (augmented(grey, how, **CHANGES[change]) for how in SCALES)
    assert np.allclose(one, one[..., :1], atol=1e-5)
    for other in others:
        assert np.allclose(one, other, atol=1e-4)
    floats = augmented(grey.astype(np.float32), "unit", **CHANGES[change])
    assert np.array_equal(one, floats), "uint8 and float32 pixels are the same pictures"


def test_seeds(started: None) -> None:
    x = pictures()
    for change in CHANGES.values():
        first = augmented(x, **change)
        assert np.array_equal(first, augmented(x, **change))
        assert not np.array_equal(first, augmented(x, seed=43, **change))
        assert not np.array_equal(first, augmented(x, times=2, **change))
    # a change beside another does not change its numbers
    (alone,) = augmentation_layers(Augmentation(rotation=9.0), 42, "unit", 1)
    beside = augmentation_layers(Augmentation(flip="both", zoom=0.1, rotation=9.0), 42, "unit", 1)
    assert [layer.seed for layer in beside if type(layer) is type(alone)] == [alone.seed]
    seeds = [layer_seed(seed, purpose) for seed in (0, 1, 2**32 - 1) for purpose in range(6)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)


# In a model


def cnn(*, seed: int = 42, epochs: int = 3, **changes: Any) -> tuple[Plan, TrainingSection]:
    """A small CNN with the same first weights whatever the seed of its augmentation."""
    settings = CnnSettings(filters=(4,), units=8, dropout=0.2, augmentation=_section(changes))
    section = TrainingSection(epochs=epochs, batch_size=7, learning_rate=0.01)
    backend.keras().utils.set_random_seed(1)
    made = Config(kind="cnn", seed=seed, data=section, model=settings, training=section)
    return plan_cnn(made, images(channels=3)), section


def _section(changes: dict[str, Any]) -> Augmentation | None:
    return Augmentation(**changes) if changes else None


def history(seed: int = 42, **changes: Any) -> list[Any]:
    plan, section = cnn(seed=seed, **changes)
    result = training.fit("cnn", plan, images(channels=3), section, 1)
    return [*(dict(record.metrics) for record in result.history), result.test]


def test_only_training_sees_the_changes(started: None, tmp_path: Path) -> None:
    model = cnn(**ALL)[0].model
    plain = cnn()[0].model
    plain.set_weights(model.get_weights())
    x = images(channels=3).converted(Preparation("unit")).test.x
    said = model.predict(x, verbose=0)
    assert np.array_equal(said, model.predict(x, verbose=0))
    assert np.array_equal(said, plain.predict(x, verbose=0))
    assert np.array_equal(np.asarray(model(x, training=False)), np.asarray(plain(x)))
    assert not np.allclose(np.asarray(model(x, training=True)), said)
    # as a user opens it: plain Keras
    model.save(tmp_path / "model.keras")
    again = backend.keras().models.load_model(tmp_path / "model.keras")
    assert np.array_equal(again.predict(x, verbose=0), said)


def test_the_first_weights_are_those_without(started: None) -> None:
    with_it, without = cnn(**ALL)[0].model.get_weights(), cnn()[0].model.get_weights()
    for one, other in zip(with_it, without, strict=True):
        assert np.array_equal(one, other)


def test_training_repeats_to_the_last_bit(started: None) -> None:
    first = history(**ALL)
    assert history(**ALL) == first
    assert history(seed=7, **ALL) != first, "the first weights and the order are the same"


def test_every_epoch_changes_the_pictures_anew(started: None) -> None:
    """With weights that stand still, only the pictures can change the loss."""

    def losses(**changes: Any) -> list[float]:
        plan, section = cnn(**changes)
        still = section.model_copy(
            update={"optimizer": "sgd", "learning_rate": 1e-20, "shuffle": False}
        )
        (phase,) = plan.phases
        plan = replace(plan, phases=(replace(phase, learning_rate=1e-20),))
        plan.model.layers[-2].rate = 0.0  # dropout
        result = training.fit("cnn", plan, images(channels=3), still, 1)
        assert len({record.metrics["val_loss"] for record in result.history}) == 1
        return [record.metrics["loss"] for record in result.history]

    assert len(set(losses())) == 1
    assert len(set(losses(**ALL))) == 3


# The section


def refused(kind: str, *sets: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as caught:
        load(SCHEMAS, kind, None, [Override.from_set(text) for text in sets])
    return [(problem.path, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize("kind", ["cnn", "transfer"])
@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("model.augmentation={}", "model.augmentation"),
        ("model.augmentation.rotation=0", "model.augmentation.rotation"),
        ("model.augmentation.fill=wrap", "model.augmentation.fill"),
        ("model.augmentation={zoom: 0, flip: none}", "model.augmentation.flip"),
    ],
)
def test_a_section_without_any_change_is_refused(kind: str, text: str, path: str) -> None:
    assert refused(kind, text) == [(path, "an augmentation that changes nothing")]


def test_a_slip_in_a_key_is_not_also_a_section_without_change() -> None:
    assert refused("cnn", "model.augmentation.zom=0.1") == [
        ("model.augmentation.zom", "unknown key")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rotation=181", "181 is too large"),
        ("rotation=-5", "-5 is too small"),
        ("zoom=0.95", "0.95 is too large"),
        ("translation=2", "2 is too large"),
        ("contrast=1.1", "1.1 is too large"),
        ("flip=left", "'left' is not one of none, horizontal, vertical, both"),
        ("fill=black", "'black' is not one of nearest, reflect, wrap"),
    ],
)
def test_values_out_of_bounds(text: str, message: str) -> None:
    ((path, said),) = refused("transfer", f"model.augmentation.{text}")
    assert (path, said) == (f"model.augmentation.{text.partition('=')[0]}", message)


@pytest.mark.parametrize("most", [ALL | {"rotation": 180.0, "zoom": 0.9, "translation": 0.9}])
def test_the_strongest_changes_are_pictures(started: None, most: dict[str, Any]) -> None:
    seen = augmented(pictures(), **{**most, "contrast": 1.0})
    assert np.isfinite(seen).all()
    assert seen.min() >= 0
    assert seen.max() <= 1


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_sequences_have_none(kind: str) -> None:
    assert refused(kind, "model.augmentation.zoom=0.1") == [("model.augmentation", "unknown key")]


def test_the_default_is_none() -> None:
    for kind in ("cnn", "transfer"):
        config: Any = load(SCHEMAS, kind).config
        assert config.model.augmentation is None
