"""Transfer learning: keep what a network learned on much data, learn only the answer anew.

The lesson's model is a VGG16 base with ImageNet weights, frozen, under GlobalAveragePooling,
Dense 256, Dropout 0.5 and Dense 10: 14,848,586 parameters, of which 133,898 are trained.

Two phases: `head` with the base frozen, then, where asked for, `fine_tune` of the base's last
layers at a lower rate. BatchNormalization in the base stays in inference mode throughout: its
statistics are those of the data that it was trained on.

The built-in base `small-cnn` needs no download: the same run first trains it (phase `pretrain`)
on classes that the task itself does not have.
"""

from __future__ import annotations

import difflib
import warnings
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from nncli import backend
from nncli.config import Config, Section, TrainingSection, contradiction
from nncli.data.dataset import Dataset
from nncli.errors import ModelError, UsageError, closest
from nncli.models.convolutional import CnnSettings, convolutions
from nncli.models.kind import LOSSES, BaselinePlan, ModelKind, Phase, Plan
from nncli.models.preprocessing import preprocess

SMALL_CNN = "small-cnn"
APPLICATIONS = (
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge",
    "DenseNet121", "DenseNet169", "DenseNet201",
    "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4",
    "EfficientNetB5", "EfficientNetB6", "EfficientNetB7",
    "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3",
    "EfficientNetV2L", "EfficientNetV2M", "EfficientNetV2S",
    "InceptionResNetV2", "InceptionV3",
    "MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small",
    "NASNetLarge", "NASNetMobile",
    "ResNet101", "ResNet101V2", "ResNet152", "ResNet152V2", "ResNet50", "ResNet50V2",
    "VGG16", "VGG19", "Xception",
)  # fmt: skip
"""The networks of `keras.applications`, known here so that a typo is refused without Keras."""
WITH_ALPHA = ("MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small")
BASES = (SMALL_CNN, *APPLICATIONS)
FEW_SHOT_TRAINING = {"epochs": 50, "batch_size": 8, "learning_rate": 0.003}
"""How the head on small-cnn is trained where the config is silent."""


class FineTuning(Section):
    """The second phase: the base's last layers learn too."""

    layers: Annotated[int, Field(ge=1)]
    """How many of the base's layers to unfreeze, counted from its end."""
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 5
    """Passes over the training part in this phase."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.00001
    """Small, so that what the base knows is bent and not broken."""


def _saved_model(path: Path) -> Path:
    """A base that is a file is a path, so that it is looked for beside the config naming it."""
    if path.suffix != ".keras":
        raise ValueError("a saved model is a .keras file")
    return path


class TransferSettings(Section):
    """The base and the head on top of it."""

    base: Annotated[
        Annotated[Path, AfterValidator(_saved_model)] | str, Field(union_mode="left_to_right")
    ] = SMALL_CNN
    """small-cnn, a network of keras.applications such as VGG16, or a saved .keras file."""
    weights: Literal["pretrain", "imagenet", "random", "saved"] | Path
    """pretrain (small-cnn, in this run), imagenet, random, saved (in the .keras file), or a
    weights file of the base, `.weights.h5`."""
    alpha: Annotated[float, Field(gt=0, le=4)] | None = None
    """Width of a MobileNet; null is the network's own default."""
    preprocessing: Literal["auto", "unit", "none"] = "auto"
    """auto is what the base was trained with; unit divides by 255 as the lesson does."""
    pooling: Literal["average", "max", "flatten"] = "average"
    """How the base's last feature maps become one vector."""
    units: Annotated[int, Field(ge=1, le=65536)] = 256
    """Neurons of the head's dense layer."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of the dense layer's outputs dropped in training."""
    fine_tune: FineTuning | None = None
    """The second phase; null keeps the base frozen to the end."""
    compare: tuple[Literal["scratch", "random"], ...] = ()
    """Networks to train beside it on the same samples: scratch learns all weights from random
    ones, random keeps a random base frozen."""

    @model_validator(mode="after")
    def _check(self) -> TransferSettings:
        own = isinstance(self.base, Path)
        if not own and self.base not in BASES:
            guess = closest(str(self.base), BASES)
            raise contradiction(
                "base",
                f"{self.base!r} is not a network of keras.applications, small-cnn or a .keras file",
                f"did you mean '{guess}'?" if guess else "e.g. VGG16, MobileNetV2 or ResNet50",
            )
        if isinstance(self.weights, Path) and not self.weights.name.endswith(".weights.h5"):
            words = ("pretrain", "imagenet", "random", "saved")
            guesses = difflib.get_close_matches(str(self.weights), words, n=1)
            raise contradiction(
                "weights",
                f"'{self.weights}' is not one of {', '.join(words)} or a .weights.h5 file",
                f"did you mean '{guesses[0]}'?" if guesses else "",
            )
        if own != (self.weights == "saved"):
            raise contradiction(
                "weights",
                f"{str(self.weights)!r} does not go with base {str(self.base)!r}",
                "a .keras file brings its own weights (saved)"
                if own
                else "saved is for .keras files; write imagenet, random or a file",
            )
        if (self.weights == "pretrain" and self.base != SMALL_CNN) or (
            self.weights == "imagenet" and self.base == SMALL_CNN
        ):
            raise contradiction(
                "weights",
                f"there are no {self.weights} weights for base {str(self.base)!r}",
                "small-cnn takes pretrain, networks of keras.applications take imagenet",
            )
        if self.alpha is not None and self.base not in WITH_ALPHA:
            raise contradiction(
                "alpha", f"{self.base} has no alpha", f"only {', '.join(WITH_ALPHA)} have"
            )
        return self


class TransferTraining(TrainingSection):
    """How the lesson trains the head."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Passes over the training part with the base frozen."""


class PretrainingSection(Section):
    """What the small-cnn base is trained on before the transfer."""

    data: Section
    """Where its samples come from; their classes are not those of the task."""
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 15
    """Passes over them."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.003
    """Step size of the optimizer."""


class TransferConfig(Config):
    """A config of `nncli train transfer`."""

    pretraining: PretrainingSection | None = None
    """How the base is trained in this run; only with weights: pretrain."""

    @classmethod
    def complete(cls, document: dict[str, Any]) -> None:
        """The default task: digits 5–9 with few labelled images, on a base trained on 0–4."""
        _default_digits(document, [5, 6, 7, 8, 9], train_per_class=5)
        model = document.setdefault("model", {})
        if not isinstance(model, dict):
            return
        base = model.setdefault("base", SMALL_CNN)
        if base == SMALL_CNN:
            model.setdefault("compare", ["scratch"])
            usual = "pretrain"
        else:
            usual = "saved" if str(base).endswith(".keras") else "imagenet"
        if model.setdefault("weights", usual) == "pretrain" and base == SMALL_CNN:
            section = document.setdefault("pretraining", {})
            if isinstance(section, dict):
                _default_digits(section, [0, 1, 2, 3, 4])
            training = document.setdefault("training", {})
            if isinstance(training, dict):  # a handful of images wants small steps and many
                for key, value in FEW_SHOT_TRAINING.items():
                    training.setdefault(key, value)

    @model_validator(mode="after")
    def _check_pretraining(self) -> TransferConfig:
        assert isinstance(self.model, TransferSettings)
        wanted = self.model.weights == "pretrain"
        if self.pretraining is not None and not wanted:
            raise contradiction(
                "pretraining",
                f"weights are {self.model.weights}, so nothing is trained before the transfer",
                "remove it, or use base: small-cnn with weights: pretrain",
            )
        if self.pretraining is None and wanted:
            raise contradiction("pretraining", "null, but weights are pretrain", "write weights")
        return self


def _default_digits(section: dict[str, Any], classes: list[int], **more: int) -> None:
    """Where the data of a section are digits, or nothing yet: which of them."""
    data = section.setdefault("data", {})
    if isinstance(data, dict) and data.setdefault("source", "digits") == "digits":
        for key, value in {"classes": classes, **more}.items():
            data.setdefault(key, value)


def load_base(settings: TransferSettings, input_shape: tuple[int, ...], weights: Any) -> Any:
    """The network without its answer: (batch, height, width, channels) → feature maps.

    Args:
        settings: names the network.
        input_shape: (height, width, channels) of what it will be fed.
        weights: as `settings.weights`; given apart so that a comparison can have random ones.

    Raises:
        ModelError: no such file, weights that do not fit, an input too small for the network,
            or ImageNet weights that cannot be downloaded.
    """
    if isinstance(settings.base, Path):
        return _saved_base(settings.base, input_shape, random=weights == "random")
    if settings.base == SMALL_CNN:
        keras = backend.keras()
        stack = convolutions(CnnSettings(), input_shape)
        base = keras.Sequential([keras.layers.Input(input_shape), *stack], name="small_cnn")
        if isinstance(weights, Path):
            _load_weights(base, weights, settings.base)
        return base
    return _application(settings.base, settings.alpha, input_shape, weights)


def _application(name: str, alpha: float | None, input_shape: tuple[int, ...], weights: Any) -> Any:
    applications = backend.keras().applications
    arguments: dict[str, Any] = {"include_top": False, "input_shape": input_shape}
    if alpha is not None:
        arguments["alpha"] = alpha
    if isinstance(weights, Path) and not weights.is_file():
        raise ModelError(f"there is no weights file {weights}", hint="check model.weights")
    try:
        with backend.patient_download():
            base = getattr(applications, name)(
                weights="imagenet" if weights == "imagenet" else None, **arguments
            )
    except ValueError as error:
        raise ModelError(
            f"{name} cannot be built for pictures of "
            f"{'×'.join(map(str, input_shape))}: {_first_sentence(error)}",
            hint="change data.size, or choose another model.base",
        ) from error
    except Exception as error:
        if weights != "imagenet":
            raise
        raise ModelError(
            f"the ImageNet weights of {name} cannot be downloaded: {_first_sentence(error)}",
            hint=f"put the weights file into {backend.cache_folder() / 'models'}, or give it as "
            "model.weights, or use model.weights: random",
        ) from error
    if isinstance(weights, Path):
        _load_weights(base, weights, name)
    return base


def _load_weights(base: Any, path: Path, name: str) -> None:
    if not path.is_file():
        raise ModelError(f"there is no weights file {path}", hint="check model.weights")
    hint = "check model.base, model.alpha and the picture size against the file"
    before = base.get_weights()
    try:
        with warnings.catch_warnings():
            # Keras warns of containers without a group in the file even where all weights are in
            # it; what it really left out is looked for below
            warnings.simplefilter("ignore")
            base.load_weights(path)
    except Exception as error:
        raise ModelError(
            f"{path} does not hold weights for {name}: {_first_sentence(error)}", hint=hint
        ) from error
    left = [
        weight.path
        for weight, old in zip(base.weights, before, strict=True)
        if old.std() > 0 and np.array_equal(weight.numpy(), old)
    ]
    if left:
        raise ModelError(
            f"{path} has no weights for {len(left)} of the layers of {name}, {left[0]} first",
            hint=hint,
        )


def _saved_base(path: Path, input_shape: tuple[int, ...], *, random: bool) -> Any:
    """A saved model up to its last feature maps."""
    keras = backend.keras()
    if not path.is_file():
        raise ModelError(f"there is no model file {path}", hint="check model.base")
    try:
        saved = keras.models.load_model(path, compile=False)
    except Exception as error:
        raise ModelError(
            f"{path} cannot be loaded as a Keras model: {_first_sentence(error)}",
            hint="it must be a .keras file, written by Keras 3",
        ) from error
    if random:
        saved = keras.models.clone_model(saved)
    maps = [layer for layer in saved.layers if len(layer.output.shape) == 4]
    if not maps:
        raise ModelError(f"{path} has no layer that gives feature maps", hint="use an image model")
    if tuple(saved.input_shape[1:]) != input_shape:
        wanted = "×".join(map(str, saved.input_shape[1:]))
        raise ModelError(
            f"{path} reads pictures of {wanted}, but the data has "
            f"{'×'.join(map(str, input_shape))}",
            hint="change data.size or data.color to match",
        )
    return keras.Model(saved.inputs, maps[-1].output, name=saved.name)


def _first_sentence(error: Exception) -> str:
    return str(error).strip().split("\n")[0].split(". ")[0].rstrip(".")[:300]


def _head_layers(settings: TransferSettings, classes: int) -> tuple[Any, list[Any]]:
    """The pooling, and the layers that are trained on what it gives."""
    layers = backend.keras().layers
    pooling = {
        "average": layers.GlobalAveragePooling2D,
        "max": layers.GlobalMaxPooling2D,
        "flatten": layers.Flatten,
    }[settings.pooling]()
    head = [layers.Dense(settings.units, activation="relu")]
    if settings.dropout:
        head.append(layers.Dropout(settings.dropout))
    return pooling, [*head, layers.Dense(classes, activation="softmax")]


def _assemble(base: Any, settings: TransferSettings, classes: int, name: str) -> tuple[Any, ...]:
    """The whole model, its frozen front as an extractor, and its head; they share their layers."""
    keras = backend.keras()
    pooling, head = _head_layers(settings, classes)
    inputs = base.input_shape[1:]
    model = keras.Sequential([keras.layers.Input(inputs), base, pooling, *head], name=name)
    extractor = keras.Sequential([keras.layers.Input(inputs), base, pooling], name="extractor")
    top = keras.Sequential([keras.layers.Input(extractor.output_shape[1:]), *head], name="head")
    return model, extractor, top


def freeze(base: Any) -> None:
    """Make every layer of the base keep its weights; BatchNormalization then infers."""
    base.trainable = False


def unfreeze(base: Any) -> None:
    """Let every layer of the base learn."""
    base.trainable = True


def unfreeze_last(base: Any, count: int) -> None:
    """Let the last `count` layers of the base learn, except BatchNormalization.

    Raises:
        UsageError: the base has fewer layers.
    """
    if count > len(base.layers):
        raise UsageError(
            f"model.fine_tune.layers is {count}, but {base.name} has {len(base.layers)} layers",
            hint=f"write a number from 1 to {len(base.layers)}",
        )
    base.trainable = True
    frozen = backend.keras().layers.BatchNormalization
    for position, layer in enumerate(base.layers):
        last = position >= len(base.layers) - count
        layer.trainable = last and not isinstance(layer, frozen)


def plan_transfer(config: Config, dataset: Dataset, pretraining: Dataset | None) -> Plan:
    """The plan of `nncli train transfer`."""
    assert isinstance(config, TransferConfig)
    assert isinstance(config.model, TransferSettings)
    settings = config.model
    how, notes = _preprocessing(settings)
    channels = 3 if settings.base in APPLICATIONS else None
    scaled = preprocess(dataset, how, channels)
    if scaled.input_shape != dataset.input_shape:
        notes.append(f"{settings.base} wants three channels: the grey one is repeated")
    base = load_base(settings, scaled.input_shape, settings.weights)
    model, extractor, head = _assemble(base, settings, len(scaled.classes), "transfer")
    phases = []
    if pretraining is not None:
        assert config.pretraining is not None
        first = preprocess(pretraining, how, channels)
        if first.input_shape != scaled.input_shape:
            raise ModelError(
                f"pretraining has pictures of {first.input_shape}, the task of "
                f"{scaled.input_shape}",
                hint="give both the same data.size",
            )
        teacher, _, _ = _assemble(base, settings, len(first.classes), "pretraining")
        section = config.pretraining
        phases.append(
            Phase(
                "pretrain",
                teacher,
                first,
                section.epochs,
                section.learning_rate,
                prepare=lambda: unfreeze(base),
            )
        )
    phases.append(
        Phase(
            "head",
            head,
            scaled,
            config.training.epochs,
            config.training.learning_rate,
            prepare=lambda: freeze(base),
            extractor=extractor,
        )
    )
    if settings.fine_tune is not None:
        fine = settings.fine_tune
        unfreeze_last(base, fine.layers)  # refuses a wrong number before anything is trained
        phases.append(
            Phase(
                "fine_tune",
                model,
                scaled,
                fine.epochs,
                fine.learning_rate,
                prepare=lambda: unfreeze_last(base, fine.layers),
            )
        )
    freeze(base)
    baselines = tuple(_baseline(name, config, scaled) for name in settings.compare)
    return Plan(model, scaled, tuple(phases), LOSSES["classification"], baselines, tuple(notes))


def _preprocessing(settings: TransferSettings) -> tuple[str, list[str]]:
    """What to do with the pixels, and a note where it is not what the lesson does."""
    if settings.preprocessing != "auto":
        return settings.preprocessing, []
    if isinstance(settings.base, str) and settings.base in APPLICATIONS:
        return settings.base, [
            f"pixels are scaled as {settings.base} was trained, not divided by 255 as in the "
            "lesson; model.preprocessing: unit does that"
        ]
    if isinstance(settings.base, Path):
        return "unit", ["pixels are divided by 255, as nncli trains its own CNNs"]
    return "unit", []


def _baseline(name: str, config: TransferConfig, scaled: Dataset) -> BaselinePlan:
    settings, training = config.model, config.training
    assert isinstance(settings, TransferSettings)
    fine = settings.fine_tune
    epochs = training.epochs + (fine.epochs if fine is not None else 0)

    def make() -> Plan:
        base = load_base(settings, scaled.input_shape, "random")
        model, extractor, head = _assemble(base, settings, len(scaled.classes), name)
        if name == "scratch":
            base.trainable = True
            phase = Phase("scratch", model, scaled, epochs, training.learning_rate)
        else:
            freeze(base)
            phase = Phase(
                "random", head, scaled, epochs, training.learning_rate, extractor=extractor
            )
        return Plan(model, scaled, (phase,), LOSSES["classification"])

    meaning = {
        "scratch": "the same network from scratch: all weights random, all trained",
        "random": "the same network on a random base, frozen",
    }[name]
    return BaselinePlan(name, meaning, make)


TRANSFER = ModelKind(
    name="transfer",
    summary="transfer learning: a trained base, frozen, under a new head for images",
    settings=TransferSettings,
    training=TransferTraining,
    families=("images",),
    default_source="digits",
    plan=plan_transfer,
    config=TransferConfig,
)
