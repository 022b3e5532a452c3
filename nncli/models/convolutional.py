"""CNN: convolutions that find the same pattern anywhere in a picture.

    z = (w ∗ x) + b,   a = ReLU(z),   pooling(a) = the largest of each 2×2 window

The lesson's model is Conv 32 – Pool – Conv 64 – Pool – Flatten – Dense 128 – Dense 10 on
28×28×1: 225,034 parameters.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from nncli import backend
from nncli.config import Config, EarlyStopping, Section, TrainingSection
from nncli.data.dataset import Dataset
from nncli.errors import ModelError
from nncli.models.kind import ModelKind, Plan, single_phase
from nncli.models.preprocessing import preprocess

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


class CnnTraining(TrainingSection):
    """How the CNN is trained on the built-in digits."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 15
    early_stopping: EarlyStopping | None = EarlyStopping()


def convolutions(settings: CnnSettings, input_shape: tuple[int, ...]) -> list[Any]:
    """The layers that find patterns: Conv2D and MaxPooling2D in turn.

    Raises:
        ModelError: the picture is too small for them.
    """
    layers = backend.keras().layers
    stack: list[Any] = []
    side = min(input_shape[:2])
    for number, filters in enumerate(settings.filters, start=1):
        side = (side - settings.kernel_size + 1) // settings.pool_size
        if side < 1:
            raise ModelError(
                f"{len(settings.filters)} convolutions of {settings.kernel_size}×"
                f"{settings.kernel_size} with pooling {settings.pool_size} do not fit a picture "
                f"of {input_shape[0]}×{input_shape[1]}: nothing is left after number {number}",
                hint="use fewer model.filters, a smaller model.kernel_size, or larger pictures",
            )
        stack.append(layers.Conv2D(filters, settings.kernel_size, activation=settings.activation))
        stack.append(layers.MaxPooling2D(settings.pool_size))
    return stack


def build(settings: CnnSettings, dataset: Dataset) -> Any:
    """The lesson's CNN: (batch, height, width, channels) → (batch, classes) probabilities.

    Raises:
        ModelError: the picture is too small for the layers.
    """
    keras = backend.keras()
    layers = keras.layers
    model = keras.Sequential(name="cnn")
    model.add(layers.Input(dataset.input_shape))
    for layer in convolutions(settings, dataset.input_shape):
        model.add(layer)
    model.add(layers.Flatten())
    model.add(layers.Dense(settings.units, activation=settings.activation))
    if settings.dropout:
        model.add(layers.Dropout(settings.dropout))
    model.add(layers.Dense(len(dataset.classes), activation="softmax"))
    return model


def plan_cnn(config: Config, dataset: Dataset, _: Dataset | None = None) -> Plan:
    """The plan of `nncli train cnn`."""
    assert isinstance(config.model, CnnSettings)
    scaled = preprocess(dataset, config.model.preprocessing)
    return single_phase(
        build(config.model, scaled), scaled, config.training, "sparse_categorical_crossentropy"
    )


CNN = ModelKind(
    name="cnn",
    summary="a convolutional network: classifies images",
    settings=CnnSettings,
    training=CnnTraining,
    families=("images",),
    default_source="digits",
    plan=plan_cnn,
)
