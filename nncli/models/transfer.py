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
import zipfile
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from nncli import backend
from nncli.config import Config, Section, TrainingSection, contradiction
from nncli.config.strict_yaml import parse, read_text
from nncli.data.dataset import Dataset
from nncli.errors import DataError, ModelError, NncliError, UsageError, closest
from nncli.models.applications import APPLICATIONS
from nncli.models.convolutional import CnnSettings, convolutions
from nncli.models.kind import LOSSES, BaselinePlan, ModelKind, Phase, Plan
from nncli.models.preprocessing import preprocess

SMALL_CNN = "small-cnn"
WITH_ALPHA = ("MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small")
BASES = (SMALL_CNN, *APPLICATIONS)
SETTLING_SAMPLES = 128
"""Enough for the mean and variance of a feature, few enough for memory."""
FEW = 5
"""Labelled images of each class that the default task learns from, and chooses the epoch by."""
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
    weights file of the base, `.weights.h5` or Keras's own `_notop.h5`."""
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
        if isinstance(self.weights, Path) and self.weights.suffix != ".h5":
            words = ("pretrain", "imagenet", "random", "saved")
            guesses = difflib.get_close_matches(str(self.weights), words, n=1)
            raise contradiction(
                "weights",
                f"'{self.weights}' is not one of {', '.join(words)} or an .h5 weights file",
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
        _default_digits(document, [5, 6, 7, 8, 9], train_per_class=FEW, validation_per_class=FEW)
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
                _default_digits(section, _other_digits(document["data"]))
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


def _other_digits(data: Any) -> list[int]:
    """The digits that the task does not have, for the base to be trained on."""
    taken = data.get("classes") if isinstance(data, dict) else None
    others = [digit for digit in range(10) if digit not in (taken or ())]
    return others if len(others) >= 2 else [0, 1, 2, 3, 4]


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
    if isinstance(weights, Path) and not weights.is_file():
        raise ModelError(f"there is no weights file {weights}", hint="check model.weights")
    if settings.base == SMALL_CNN:
        keras = backend.keras()
        stack = convolutions(CnnSettings(), input_shape)
        base = keras.Sequential([keras.layers.Input(input_shape), *stack], name="small_cnn")
    else:
        base = _application(settings.base, settings.alpha, input_shape, weights)
    if isinstance(weights, Path):
        _load_weights(base, weights, settings.base)
    return base


def _application(name: str, alpha: float | None, input_shape: tuple[int, ...], weights: Any) -> Any:
    applications = backend.keras().applications
    arguments: dict[str, Any] = {"include_top": False, "input_shape": input_shape}
    if alpha is not None:
        arguments["alpha"] = alpha
    try:
        with backend.patient_download():
            return getattr(applications, name)(
                weights="imagenet" if weights == "imagenet" else None, **arguments
            )
    except ValueError as error:
        raise ModelError(
            f"{name} cannot be built for pictures of {_shape(input_shape)}: "
            f"{_first_sentence(error)}",
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


def _load_weights(base: Any, path: Path, name: str) -> None:
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
    if not zipfile.is_zipfile(path):
        raise ModelError(f"{path} is not a .keras file", hint="save it with Keras 3")
    try:
        saved = keras.models.load_model(path, compile=False)
    except Exception as error:
        raise ModelError(
            f"{path} cannot be loaded as a Keras model: {_first_sentence(error)}",
            hint="it must be a .keras file, written by Keras 3",
        ) from error
    if len(saved.inputs) != 1 or len(saved.inputs[0].shape) != 4:
        raise ModelError(f"{path} does not read pictures", hint="use an image model")
    if random:
        saved = keras.models.clone_model(saved)
    base = _up_to_feature_maps(saved, path)
    wanted = tuple(base.input_shape[1:])
    if any(side not in (None, given) for side, given in zip(wanted, input_shape, strict=True)):
        raise ModelError(
            f"{path} reads pictures of {_shape(wanted)}, but the data has {_shape(input_shape)}",
            hint="change data.size or data.color to match",
        )
    if None in wanted:
        base = keras.Sequential([keras.layers.Input(input_shape), base], name=base.name)
    return base


def _up_to_feature_maps(saved: Any, path: Path) -> Any:
    """The part of a model from its input to its last layer that gives feature maps."""
    layers = [layer for layer in saved.layers if type(layer).__name__ != "InputLayer"]
    maps = [layer for layer in layers if len(layer.output.shape) == 4]
    if not maps:
        raise ModelError(f"{path} has no layer that gives feature maps", hint="use an image model")
    if maps[-1] is layers[0] and hasattr(maps[-1], "layers"):
        return maps[-1]  # a transfer model: its base, which has a graph of its own
    try:
        return backend.keras().Model(saved.inputs, maps[-1].output, name=saved.name)
    except ValueError as error:
        raise ModelError(
            f"{path} cannot be cut after its feature maps: {_first_sentence(error)}",
            hint="save the base alone, without the layers of its answer",
        ) from error


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


def settle(base: Any, dataset: Dataset) -> None:
    """Give the BatchNormalization layers of a random base the statistics of its samples.

    Keras starts them at mean 0 and variance 1; frozen like that, the activations of a deep
    network fade to nothing and every picture looks the same.
    """
    norms = [
        layer
        for layer in base._flatten_layers()
        if isinstance(layer, backend.keras().layers.BatchNormalization)
    ]
    if not norms:
        return
    momenta = [layer.momentum for layer in norms]
    base.trainable = True  # frozen ones would not look at the samples
    for layer in norms:
        layer.momentum = 0.0  # each takes the statistics of this one batch
    base(dataset.train.x[:SETTLING_SAMPLES], training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum


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
    if settings.weights == "random":
        settle(base, scaled)
    model, extractor, head = _assemble(base, settings, len(scaled.classes), "transfer")
    phases = []
    if pretraining is not None:
        assert config.pretraining is not None
        first = preprocess(pretraining, how, channels)
        if first.input_shape != scaled.input_shape:
            raise ModelError(
                f"the base is to be trained on pictures of {_shape(first.input_shape)}, but the "
                f"task has {_shape(scaled.input_shape)}",
                hint="give both the same size and colours, or use a trained base: "
                "nncli train transfer --config transfer-mobilenet-folder",
            )
        _check_unseen(pretraining, dataset)
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
                preliminary=True,
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


def _shape(shape: tuple[int | None, ...]) -> str:
    return "×".join("any" if side is None else str(side) for side in shape)


def _check_unseen(pretraining: Dataset, dataset: Dataset) -> None:
    """Refuse a base that was trained on pictures it will be measured or chosen by.

    Raises:
        DataError: a picture of the task is among those of the pretraining.
    """
    seen = {picture.tobytes() for part in pretraining.parts.values() for picture in part.x}
    for name in ("validation", "test"):
        part = dataset.parts.get(name)
        known = 0 if part is None else sum(picture.tobytes() in seen for picture in part.x)
        if known:
            raise DataError(
                f"{known} pictures of the {name} part are among those that the base is trained on",
                hint="give pretraining.data other classes than data",
            )


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
        known = _preprocessing_of_run(settings.base.parent / "config.yaml")
        if known is not None:
            return known, [f"pixels are scaled as the run of {settings.base.name} did: {known}"]
        return "unit", ["pixels are divided by 255; model.preprocessing: none keeps them"]
    return "unit", []


def _preprocessing_of_run(config: Path) -> str | None:
    """What a run of nncli did with its pixels, if `config` is the config of one."""
    if not config.is_file():
        return None
    try:
        model = parse(read_text(config), str(config)).value["model"]
        how, base = model["preprocessing"], model.get("base")
    except (NncliError, KeyError, TypeError, AttributeError):
        return None
    if how == "auto":
        return base if base in APPLICATIONS else "unit"
    return how if how in {"unit", "none"} else None


def _baseline(name: str, config: TransferConfig, scaled: Dataset) -> BaselinePlan:
    settings, training = config.model, config.training
    assert isinstance(settings, TransferSettings)
    fine = settings.fine_tune
    epochs = training.epochs + (fine.epochs if fine is not None else 0)

    def make() -> Plan:
        base = load_base(settings, scaled.input_shape, "random")
        model, extractor, head = _assemble(base, settings, len(scaled.classes), name)
        if name == "scratch":
            unfreeze(base)
            phase = Phase("scratch", model, scaled, epochs, training.learning_rate)
        else:
            settle(base, scaled)
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
