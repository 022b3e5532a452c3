"""CNN: convolutions that find the same pattern anywhere in a picture.

    z = (w ∗ x) + b,   a = ReLU(z),   pooling(a) = the largest of each 2×2 window

The lesson's model is Conv 32 – Pool – Conv 64 – Pool – Flatten – Dense 128 – Dense 10 on
28×28×1: 225,034 parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, Literal

from pydantic import Field

from nncli import backend
from nncli.config import Config, Contradiction, EarlyStopping, Section, TrainingSection
from nncli.data.dataset import Dataset, Facts
from nncli.errors import ModelError
from nncli.models.augmentation import (
    Augmentation,
    augmentation_layers,
    impossible_augmentation,
)
from nncli.models.kind import KindConfig, ModelKind, Plan, single_phase
from nncli.models.preprocessing import Preparation
from nncli.models.shares import share_out

Filters = Annotated[int, Field(ge=1, le=8192)]


class CnnSettings(Section):
    """The layers of a CNN."""

    filters: Annotated[tuple[Filters, ...], Field(min_length=1, max_length=8)] = (32, 64)
    """Filters of each convolution, first to last; each is followed by a pooling."""
    kernel_size: Annotated[int, Field(ge=1, le=31)] = 3
    """Height and width of the filters, in pixels."""
    pool_size: Annotated[int, Field(ge=1, le=8)] = 2
    """Height and width of the pooling windows, in pixels."""
    units: Annotated[int, Field(ge=1, le=65536)] = 128
    """Neurons of the dense layer before the output."""
    activation: Literal["relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "leaky_relu"] = (
        "relu"
    )
    """Activation of the convolutions and of the dense layer."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the dense layer's outputs dropped in training."""
    preprocessing: Literal["unit", "none"] = "unit"
    """unit divides pixels by 255, as in the lesson; none keeps 0..255."""
    augmentation: Augmentation | None = None
    """How the training pictures are changed at random; null shows them as they are."""

    def contradictions(self) -> Iterator[Contradiction]:
        """An augmentation that changes nothing."""
        yield from impossible_augmentation(self.augmentation)


class CnnTraining(TrainingSection):
    """How the CNN is trained on the built-in digits."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 15
    early_stopping: EarlyStopping | None = EarlyStopping()


class CnnConfig(KindConfig):
    """A config of `nncli train cnn`."""

    @property
    def sized_by(self) -> tuple[str, ...]:
        """The dense layer first: it sees every place of the last feature maps."""
        return ("model.units", "model.filters", "model.kernel_size", "data.size")

    def parameters(self, facts: Facts) -> int:
        """The convolutions' and the dense layer's."""
        assert isinstance(self.model, CnnSettings)
        settings = self.model
        if facts.input_shape is None:
            return 0
        *sides, channels = facts.input_shape
        count = 0
        for filters in settings.filters:
            count += filters * (settings.kernel_size**2 * channels + 1)
            channels = filters
        places = prod(sides_after(settings, side)[-1] for side in sides)
        return count + settings.units * (max(1, places) * channels + 1)

    def across(self, facts: Facts | None = None) -> Iterator[Contradiction]:
        """What holds for all kinds, and convolutions that do not fit the picture."""
        yield from super().across(facts)
        assert isinstance(self.model, CnnSettings)
        shape = (facts or self.data.facts()).input_shape
        problem = None if shape is None else too_small(self.model, shape)
        if problem is None:
            return
        keys = ["model.kernel_size", "model.filters", "model.pool_size", "data.size", "data.source"]
        if problem.number > 1:  # the first one fits: it is their number that does not
            keys.insert(0, keys.pop(1))
        yield Contradiction(tuple(keys), problem.message, problem.advice)


def sides_after(settings: CnnSettings, side: int) -> list[int]:
    """Height or width of the feature maps after each convolution and its pooling."""
    sides = []
    for _ in settings.filters:
        side = (side - settings.kernel_size + 1) // settings.pool_size
        sides.append(max(0, side))
    return sides


@dataclass(frozen=True)
class TooSmall:
    """A picture that the convolutions use up."""

    number: int
    """The convolution, from 1, that leaves nothing."""
    message: str
    advice: str


def too_small(settings: CnnSettings, shape: tuple[int, ...]) -> TooSmall | None:
    """Why a picture of (height, width, channels) does not go through the convolutions."""
    height, width = shape[:2]
    left = sides_after(settings, min(height, width))
    if left[-1] >= 1:
        return None
    number = left.index(0) + 1
    before = min(height, width) if number == 1 else left[number - 2]
    kernel, pool = settings.kernel_size, settings.pool_size
    what = f"the {height}×{width} picture"
    if number > 1:
        what = f"what convolution {number - 1} leaves of {what}, {before}×{before}"
    if kernel > before:
        message = f"a kernel of {kernel}×{kernel} is larger than {what}"
    else:
        message = f"{kernel}×{kernel} kernels and pooling by {pool} leave nothing of {what}"
    advice = "use a smaller model.kernel_size"
    if number > 1:
        advice = f"use at most {number - 1} model.filters, or a smaller model.kernel_size"
    return TooSmall(number, message, f"{advice}, or larger pictures")


def convolutions(settings: CnnSettings, input_shape: tuple[int, ...]) -> list[Any]:
    """The layers that find patterns: Conv2D and MaxPooling2D in turn.

    Raises:
        ModelError: the picture is too small for them.
    """
    problem = too_small(settings, input_shape)
    if problem is not None:
        raise ModelError(problem.message, hint=problem.advice)
    layers = backend.keras().layers
    stack: list[Any] = []
    for filters in settings.filters:
        stack.append(layers.Conv2D(filters, settings.kernel_size, activation=settings.activation))
        stack.append(layers.MaxPooling2D(settings.pool_size))
    return stack


def build(settings: CnnSettings, dataset: Dataset, front: Sequence[Any] = ()) -> Any:
    """The lesson's CNN: (batch, height, width, channels) → (batch, classes) probabilities.

    Args:
        settings: the layers.
        dataset: gives the shape of a picture and the number of classes.
        front: layers before the first convolution, which keep the shape.

    Raises:
        ModelError: the picture is too small for the layers.
    """
    keras = backend.keras()
    layers = keras.layers
    model = keras.Sequential(name="cnn")
    model.add(layers.Input(dataset.input_shape))
    for layer in (*front, *convolutions(settings, dataset.input_shape)):
        model.add(layer)
    model.add(layers.Flatten())
    model.add(layers.Dense(settings.units, activation=settings.activation))
    if settings.dropout:
        model.add(layers.Dropout(settings.dropout))
    model.add(layers.Dense(len(dataset.classes), activation="softmax", dtype="float32"))
    share_out(model)
    return model


def plan_cnn(config: Config, dataset: Dataset, _: Dataset | None = None) -> Plan:
    """The plan of `nncli train cnn`."""
    assert isinstance(config.model, CnnSettings)
    settings = config.model
    preparation = Preparation(settings.preprocessing)
    scaled = dataset.converted(preparation)
    front = augmentation_layers(
        settings.augmentation, config.seed, settings.preprocessing, scaled.input_shape[-1]
    )
    return single_phase(
        build(settings, scaled, front),
        scaled,
        config.training,
        "sparse_categorical_crossentropy",
        preparation,
    )


CNN = ModelKind(
    name="cnn",
    summary="a convolutional network: classifies images",
    settings=CnnSettings,
    training=CnnTraining,
    families=("images",),
    default_source="digits",
    plan=plan_cnn,
    config=CnnConfig,
)
