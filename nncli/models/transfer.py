"""Transfer learning: keep what a network learned on much data, learn only the answer anew.

The lesson's model is a VGG16 base with ImageNet weights, frozen, under GlobalAveragePooling,
Dense 256, Dropout 0.5 and Dense 10: 14,848,586 parameters, of which 133,898 are trained.

Two phases: `head` with the base frozen, then, where asked for, `fine_tune` of the base's last
layers at a lower rate. BatchNormalization in the base stays in inference mode throughout: its
statistics are those of the data that it was trained on.

A frozen base is run once over the samples, and the head is trained on what it gave; so is the part
of it that stays frozen in fine-tuning. With augmentation no two epochs see the same pictures, and
all of it is run in each of them.

The built-in base `small-cnn` needs no download: the same run first trains it (phase `pretrain`)
on classes that the task itself does not have.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from nncli import backend
from nncli.config import Config, Contradiction, Section, TrainingSection, wrong_value
from nncli.config.strict_yaml import parse, read_text
from nncli.config.tree import shown
from nncli.data.dataset import Dataset, Facts
from nncli.data.digests import digest_of
from nncli.data.images.digits import LARGEST_DIGITS, SMALLEST_DIGITS
from nncli.data.source import DataSection
from nncli.errors import DataError, ModelError, NncliError, UsageError, closest, in_one_line
from nncli.lazy import np
from nncli.models.applications import APPLICATIONS, Application
from nncli.models.augmentation import (
    Augmentation,
    augmentation_layers,
    impossible_augmentation,
    is_augmentation,
)
from nncli.models.convolutional import CnnSettings, convolutions, sides_after, too_small
from nncli.models.cut import cut
from nncli.models.folded import folded
from nncli.models.gate import check_model_file, check_weights_file
from nncli.models.kind import LOSSES, BaselinePlan, Extractor, KindConfig, ModelKind, Phase, Plan
from nncli.models.preprocessing import Pictures, Preparation
from nncli.models.shares import share_out
from nncli.results import PRETRAINING, Array

SMALL_CNN = "small-cnn"
BASES = (SMALL_CNN, *APPLICATIONS)
DIGITS_SIZE = 28
"""Pixels that the digits are brought to, unless the base needs more."""
SETTLING_VALUES = 128
"""Enough for the mean and variance of a feature; a sample has one in each place of its map."""
SETTLING_SAMPLES = 32
"""At least so many samples, for the places of one are alike."""
SETTLING_PIXELS = 2_000_000
"""At once, so that large pictures do not take all memory."""
MOST_PLACES = 250_000_000
"""Of what a layer of a saved base gives for one picture: 1 GB."""
ROOM = 2
"""Times the numbers of a picture that what is kept of it for fine-tuning may take."""
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


WEIGHTS = ("pretrain", "imagenet", "random", "saved")


def _checker(
    names: tuple[str, ...], ending: str, wanted: str, otherwise: str
) -> Callable[[Any], str | Path]:
    """Takes one of the names, or a file as a path, so that it is looked for beside its config."""

    def check(value: Any) -> str | Path:
        if isinstance(value, Path) or _is_one(value, names, ending):
            return value if value in names else Path(value)
        guess = closest(str(value), names)
        advice = f"did you mean '{guess}'?" if guess else otherwise
        raise wrong_value(f"{shown(value)} is not {wanted}", advice)

    return check


_base = _checker(
    BASES,
    ".keras",
    "a network of keras.applications, small-cnn or a .keras file",
    "e.g. VGG16, MobileNetV2 or ResNet50",
)
_weights = _checker(
    WEIGHTS, ".h5", f"one of {', '.join(WEIGHTS)} or an .h5 weights file", "write one of them"
)


def _name_or_file(names: tuple[str, ...], ending: str) -> WithJsonSchema:
    """What `_base` and `_weights` take, for editors."""
    file = {"type": "string", "pattern": rf"\.{ending}$"}
    return WithJsonSchema({"anyOf": [{"enum": list(names)}, file]})


class TransferSettings(Section):
    """The base and the head on top of it."""

    base: Annotated[str | Path, PlainValidator(_base), _name_or_file(BASES, "keras")] = SMALL_CNN
    """small-cnn, a network of keras.applications such as VGG16, or a saved .keras file."""
    weights: Annotated[str | Path, PlainValidator(_weights), _name_or_file(WEIGHTS, "h5")]
    """pretrain (small-cnn, in this run), imagenet, random, saved (in the .keras file), or a
    weights file of the base, `.weights.h5` or Keras's own `_notop.h5`. Where nothing is written,
    the first of these that the base has."""
    alpha: Annotated[float, Field(ge=0.05, le=4)] | None = None
    """Width of a MobileNet; null is the network's own default."""
    preprocessing: Literal["auto", "unit", "none"] = "auto"
    """auto is what the base was trained with; unit divides by 255 as the lesson does."""
    augmentation: Augmentation | None = None
    """How the training pictures are changed at random, also those that small-cnn is trained on;
    null shows them as they are."""
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

    @property
    def application(self) -> Application | None:
        """The base, where it is a network of `keras.applications`."""
        return None if isinstance(self.base, Path) else APPLICATIONS.get(self.base)

    @property
    def base_layers(self) -> int | None:
        """How many layers the base has; None for a saved one."""
        if self.base == SMALL_CNN:
            return 2 * len(CnnSettings().filters)
        return None if self.application is None else self.application.layers

    def contradictions(self) -> Iterator[Contradiction]:
        """Weights, a width or a fine-tuning that the base lacks, or an empty augmentation."""
        own = isinstance(self.base, Path)
        if own != (self.weights == "saved"):
            yield Contradiction(
                ("weights", "base"),
                f"{str(self.weights)!r} does not go with base {str(self.base)!r}",
                "a .keras file brings its own weights (saved)"
                if own
                else "saved is for .keras files; write imagenet, random or a file",
            )
        elif (self.weights == "pretrain" and self.base != SMALL_CNN) or (
            self.weights == "imagenet" and self.base == SMALL_CNN
        ):
            yield Contradiction(
                ("weights", "base"),
                f"there are no {self.weights} weights for base {str(self.base)!r}",
                "small-cnn takes pretrain, networks of keras.applications take imagenet",
            )
        yield from self._impossible_width()
        layers = self.base_layers
        if self.fine_tune is not None and layers is not None and self.fine_tune.layers > layers:
            yield Contradiction(
                ("fine_tune.layers", "base"),
                f"{self.fine_tune.layers} layers, but {self.base} has {layers}",
                f"write a number from 1 to {layers}",
            )
        if len(set(self.compare)) < len(self.compare):
            yield Contradiction(("compare",), "the same network twice", "name each once")
        yield from impossible_augmentation(self.augmentation)

    def _impossible_width(self) -> Iterator[Contradiction]:
        if self.alpha is None:
            return
        widths = () if self.application is None else self.application.widths
        if not widths:
            able = ", ".join(row.name for row in APPLICATIONS.values() if row.widths)
            yield Contradiction(("alpha", "base"), f"{self.base} has no alpha", f"only {able} have")
        elif self.weights == "imagenet" and self.alpha not in widths:
            known = ", ".join(f"{width:g}" for width in widths)
            yield Contradiction(
                ("alpha", "weights", "base"),
                f"there are no imagenet weights for alpha {self.alpha:g}",
                f"{self.base} has them for {known}",
            )


class TransferTraining(TrainingSection):
    """How the lesson trains the head."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Passes over the training part with the base frozen; where nothing is written 10, or 50 on
    a base that this run trains."""


class PretrainingSection(Section):
    """What the small-cnn base is trained on before the transfer."""

    data: DataSection
    """Where its samples come from; their classes are not those of the task."""
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 15
    """Passes over them."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.003
    """Step size of the optimizer."""


class TransferConfig(KindConfig):
    """A config of `nncli train transfer`."""

    dependent: ClassVar[tuple[str, ...]] = (
        "training.batch_size",
        "data.size",
        "pretraining.data.size",
    )
    pretraining: PretrainingSection | None = None
    """How the base is trained in this run; only with weights: pretrain."""

    @classmethod
    def complete(cls, document: dict[str, Any]) -> None:
        """The default task: digits 5–9 with few labelled images, on a base trained on 0–4."""
        data = document.get("data")
        few = {"train_per_class": FEW}
        if not isinstance(data, dict) or data.get("validation") != 0:
            few["validation_per_class"] = FEW
        _default_digits(document, [5, 6, 7, 8, 9], **few)
        model = document.setdefault("model", {})
        if not isinstance(model, dict):  # a mistake; what depends on it is as if it were not there
            model = {}
        base = model.setdefault("base", SMALL_CNN)
        if not _is_one(base, BASES, ".keras"):
            base = SMALL_CNN  # the mistake is named; what depends on it is as by default
        row = APPLICATIONS.get(base)
        if row is not None and row.smallest > DIGITS_SIZE:
            _if_digits(document["data"], size=row.smallest)
        if base == SMALL_CNN:
            model.setdefault("compare", ["scratch"])
            usual = "pretrain"
        else:
            usual = "saved" if base.endswith(".keras") else "imagenet"
        weights = model.setdefault("weights", usual)
        if not _is_one(weights, WEIGHTS, ".h5"):
            weights = usual
        if weights == "pretrain" and base == SMALL_CNN:
            section = document.setdefault("pretraining", {})
            if isinstance(section, dict):
                _default_digits(section, _other_digits(document["data"]))
                size = document["data"].get("size") if isinstance(document["data"], dict) else None
                if type(size) is int and SMALLEST_DIGITS <= size <= LARGEST_DIGITS:
                    _if_digits(section["data"], size=size)
            training = document.setdefault("training", {})
            if isinstance(training, dict):  # a handful of images wants small steps and many
                for key, value in FEW_SHOT_TRAINING.items():
                    training.setdefault(key, value)

    @property
    def needs_network(self) -> bool:
        """ImageNet weights are downloaded on first use."""
        assert isinstance(self.model, TransferSettings)
        return self.model.weights == "imagenet"

    def check_files(self) -> None:
        """A saved base or a weights file may be a stranger's."""
        assert isinstance(self.model, TransferSettings)
        if isinstance(self.model.base, Path):
            check_model_file(self.model.base)
        if isinstance(self.model.weights, Path):
            check_weights_file(self.model.weights)

    @property
    def sized_by(self) -> tuple[str, ...]:
        """The head's dense layer sees what the pooling leaves."""
        return ("model.units", "model.pooling", "data.size", "model.alpha", "model.base")

    def parameters(self, facts: Facts) -> int:
        """The base's and those of the head's dense layer; fewer weights with a small alpha."""
        assert isinstance(self.model, TransferSettings)
        row, shape = self.model.application, facts.input_shape
        places = 1
        if row is not None:
            alpha = self.model.alpha or 1
            count = int(row.parameters * min(1, alpha) ** 2)
            features = int(row.features * alpha * 0.9)  # Keras rounds the channels of a width
            if self.model.pooling == "flatten" and shape is not None:
                places = prod(row.places(side) for side in shape[:2])
        elif self.model.base == SMALL_CNN:
            count, features = 0, CnnSettings().filters[-1]
            if self.model.pooling == "flatten" and shape is not None:
                places = prod(sides_after(CnnSettings(), side)[-1] for side in shape[:2])
        else:
            return 0
        return count + self.model.units * (places * features + 1)

    def across(self, facts: Facts | None = None) -> Iterator[Contradiction]:
        """What holds for all kinds, a base that needs larger pictures, and its own training."""
        yield from super().across(facts)
        yield from self._impossible_pictures((facts or self.data.facts()).input_shape)
        yield from self._impossible_pretraining()

    def _impossible_pictures(self, shape: tuple[int, ...] | None) -> Iterator[Contradiction]:
        assert isinstance(self.model, TransferSettings)
        if shape is None:
            return
        keys = ("data.size", "model.base", "data.source")
        row, pictures = self.model.application, f"pictures of {shape[0]}×{shape[1]}"
        if row is not None and min(shape[:2]) < row.smallest:
            yield Contradiction(
                keys,
                f"{pictures} are too small for {row.name}",
                f"it takes {row.smallest}×{row.smallest} and larger: set data.size"
                if "size" in type(self.data).model_fields
                else "take another base: this one needs larger pictures",
            )
        if self.model.base == SMALL_CNN and too_small(CnnSettings(), shape) is not None:
            yield Contradiction(
                keys, f"{pictures} are too small for {SMALL_CNN}", "take 10×10 or larger"
            )

    def _impossible_pretraining(self) -> Iterator[Contradiction]:
        assert isinstance(self.model, TransferSettings)
        weights, section = self.model.weights, self.pretraining
        if section is not None and weights != "pretrain":
            yield Contradiction(
                ("pretraining", "model.weights", "model.base"),
                f"weights are {weights}, so nothing is trained before the transfer",
                "remove it, or use base: small-cnn with weights: pretrain",
            )
            return
        if section is None:
            if weights == "pretrain" and self.model.base == SMALL_CNN:
                yield Contradiction(
                    ("pretraining", "model.weights", "model.base"),
                    "null, but weights are pretrain",
                    "say what to train the base on, or set model.weights to random",
                )
            return
        if self.model.base != SMALL_CNN:
            return
        why = ("model.weights", "model.base")
        task, before = self.data.facts(), section.data.facts()
        sizes, colors, classes, sources = (
            (f"pretraining.data.{key}", f"data.{key}")
            for key in ("size", "color", "classes", "source")
        )
        shape, first = task.input_shape, before.input_shape
        if shape is not None and first is not None and shape != first:
            keys = (*sizes, *sources, *colors) if shape[:2] != first[:2] else (*colors, *sources)
            yield Contradiction(
                (*keys, *why),
                f"the base would be trained on pictures of {_shape(first)}, but the task has "
                f"{_shape(shape)}",
                "give both the same size and colours, or take a trained base: "
                "nncli train transfer --config transfer-mobilenet-folder",
            )
        common = sorted(set(_digits_of(self.data)) & set(_digits_of(section.data)))
        if common:
            yield Contradiction(
                (*classes, *sources, "pretraining.data", "data", *why),
                f"{'digit' if len(common) == 1 else 'digits'} {', '.join(map(str, common))} of the "
                "task would be seen in the base's training",
                "give pretraining.data other classes than data",
            )
        elif _same_pictures(self.data, section.data):
            yield Contradiction(
                (*sources, "pretraining.data", "data", *why),
                "the base would be trained on the pictures of the task",
                "give pretraining.data another source or folder than data",
            )


def _same_pictures(task: DataSection, before: DataSection) -> bool:
    """Whether two sections take the same set, or the same folder."""
    path = getattr(task, "path", None)
    return task.source == before.source != "digits" and path == getattr(before, "path", None)


def _digits_of(section: DataSection) -> tuple[int, ...]:
    """Which of the ten digits a section takes; none for other data."""
    if section.source != "digits":
        return ()
    return getattr(section, "classes", None) or tuple(range(10))


def _is_one(value: Any, names: tuple[str, ...], ending: str) -> bool:
    """Whether a value is one of the names or a file with that ending."""
    return isinstance(value, str) and (value in names or value.endswith(ending))


def _other_digits(data: Any) -> list[int]:
    """The digits that the task does not have, for the base to be trained on."""
    taken = data.get("classes") if isinstance(data, dict) else None
    others = [digit for digit in range(10) if not isinstance(taken, list) or digit not in taken]
    return others if len(others) >= 2 else [0, 1, 2, 3, 4]


def _default_digits(section: dict[str, Any], classes: list[int], **more: int) -> None:
    """Where the data of a section are digits, or nothing yet: which of them."""
    data = section.setdefault("data", {})
    if isinstance(data, dict):
        data.setdefault("source", "digits")
    _if_digits(data, classes=classes, **more)


def _if_digits(data: Any, **defaults: Any) -> None:
    """Defaults for keys of a data section that takes the digits."""
    if isinstance(data, dict) and data.get("source") == "digits":
        for key, value in defaults.items():
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
    if isinstance(weights, Path):
        check_weights_file(weights)
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
    before = [digest_of(weight.numpy()) for weight in base.weights]
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
        # what begins as zeros or ones may be so in the file too
        if digest_of(weight.numpy()) == old and weight.numpy().std() > 0
    ]
    if left:
        raise ModelError(
            f"{path} has no weights for {len(left)} of the layers of {name}, {left[0]} first",
            hint=hint,
        )


def _saved_base(path: Path, input_shape: tuple[int, ...], *, random: bool) -> Any:
    """A saved model up to its last feature maps."""
    check_model_file(path)
    keras = backend.keras()
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
    _check_maps(base, path)
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
    """The part of a model from its input to its last layer that gives feature maps.

    The augmentation that nncli puts in front was for the training of that model: it is left out.
    """
    keras = backend.keras()
    layers = [layer for layer in saved.layers if type(layer).__name__ != "InputLayer"]
    augmented = isinstance(saved, keras.Sequential) and any(map(is_augmentation, layers[:1]))
    if augmented:
        layers = [layer for layer in layers if not is_augmentation(layer)]
    maps = [layer for layer in layers if len(layer.output.shape) == 4]
    if not maps:
        raise ModelError(f"{path} has no layer that gives feature maps", hint="use an image model")
    if maps[-1] is layers[0] and hasattr(maps[-1], "layers"):
        return maps[-1]  # a transfer model: its base, which has a graph of its own
    if augmented:
        inputs = keras.layers.Input(saved.input_shape[1:])
        kept = layers[: layers.index(maps[-1]) + 1]
        return keras.Sequential([inputs, *kept], name=saved.name)
    try:
        return keras.Model(saved.inputs, maps[-1].output, name=saved.name)
    except ValueError as error:
        raise ModelError(
            f"{path} cannot be cut after its feature maps: {_first_sentence(error)}",
            hint="save the base alone, without the layers of its answer",
        ) from error


def _check_maps(base: Any, path: Path) -> None:
    """Refuse layers that make far more of a picture than any network does; they bring no numbers.

    Raises:
        ModelError: with the first of them.
    """
    for layer in base._flatten_layers():
        for tensor in (tensor for node in layer._inbound_nodes for tensor in node.outputs):
            places = prod(side or 1 for side in tensor.shape[1:])
            if places > MOST_PLACES:
                raise ModelError(
                    f"{path}: layer {layer.name!r} makes {places:,} numbers of a picture",
                    hint="take another model: no memory holds a batch of them",
                )


def _first_sentence(error: Exception) -> str:
    return in_one_line(error).split(". ")[0].rstrip(".")[:300]


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
    return pooling, [*head, layers.Dense(classes, activation="softmax", dtype="float32")]


@dataclass(frozen=True)
class Parts:
    """A model on a base, and what is trained of it while the base is frozen; all share layers."""

    model: Any
    """The whole: augmentation, base, pooling, head."""
    head: Any
    """What the phase with the frozen base trains."""
    extractor: Any
    """Base and pooling, to be run once in front of `head`; None where `head` runs them itself."""


def _assemble(
    base: Any, settings: TransferSettings, classes: int, name: str, front: Sequence[Any]
) -> Parts:
    """Put pooling and head on a base, and the layers of the augmentation in front of it."""
    keras = backend.keras()
    pooling, head = _head_layers(settings, classes)
    inputs = keras.layers.Input(base.input_shape[1:])
    model = keras.Sequential([inputs, *front, base, pooling, *head], name=name)
    extractor = keras.Sequential([inputs, base, pooling], name="extractor")
    if front:
        still = _inferring(extractor)
        parts = Parts(model, keras.Sequential([inputs, *front, still, *head], name="head"), None)
    else:
        features = keras.layers.Input(extractor.output_shape[1:])
        parts = Parts(model, keras.Sequential([features, *head], name="head"), extractor)
    share_out(model)
    share_out(parts.head)
    return parts


def _inferring(model: Any) -> Any:
    """A layer that runs a model as in prediction, whatever is trained around it.

    Some networks have dropout of their own, which freezing does not end.
    """

    class Inferring(backend.keras().layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def compute_output_shape(self, shape: Any) -> Any:
            return self.model.compute_output_shape(shape)

        def call(self, inputs: Any) -> Any:
            with folded(self.model):
                return self.model(inputs, training=False)

    return Inferring()


def freeze(base: Any) -> None:
    """Make every layer of the base keep its weights; BatchNormalization then infers."""
    base.trainable = False


def unfreeze(base: Any) -> None:
    """Let every layer of the base learn."""
    base.trainable = False  # Keras passes on to the layers only what changes
    base.trainable = True


def settle(base: Any, some: Callable[[int], Array]) -> None:
    """Give the BatchNormalization layers of a random base the statistics of its samples.

    Keras starts them at mean 0 and variance 1; frozen like that, the activations of a deep
    network fade to nothing and every picture looks the same.

    Args:
        base: the network.
        some: so many pictures of the training part, prepared.
    """
    norms = [
        layer
        for layer in base._flatten_layers()
        if isinstance(layer, backend.keras().layers.BatchNormalization)
    ]
    if not norms:
        return
    momenta = [layer.momentum for layer in norms]
    unfreeze(base)  # frozen ones would not look at the samples
    for layer in norms:
        layer.momentum = 0.0  # each takes the statistics of this one batch
    enough = max(SETTLING_SAMPLES, SETTLING_VALUES // prod(base.output_shape[1:3]))
    most = max(2, SETTLING_PIXELS // prod(base.input_shape[1:3]))
    base(some(min(enough, most)), training=True)
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
    pictures = Pictures(dataset, Preparation(how, channels))
    shape = pictures.shape
    if shape != dataset.input_shape:
        notes.append(f"{settings.base} wants three channels: the grey one is repeated")
    base = load_base(settings, shape, settings.weights)
    if settings.weights == "random":
        settle(base, pictures.some)

    def augment() -> list[Any]:
        return augmentation_layers(settings.augmentation, config.seed, how, shape[-1])

    parts = _assemble(base, settings, len(dataset.classes), "transfer", augment())
    if parts.extractor is None:
        notes.append("augmentation: the frozen base is run in every epoch instead of once")
    phases = []
    if pretraining is not None:
        assert config.pretraining is not None
        first = pretraining.converted(pictures.preparation)
        if first.input_shape != shape:
            raise ModelError(
                f"the base is to be trained on pictures of {_shape(first.input_shape)}, but the "
                f"task has {_shape(shape)}",
                hint="give both the same size and colours, or use a trained base: "
                "nncli train transfer --config transfer-mobilenet-folder",
            )
        _check_unseen(pretraining, dataset)
        teacher = _assemble(base, settings, len(first.classes), "pretraining", augment()).model
        section = config.pretraining
        phases.append(
            Phase(
                PRETRAINING,
                teacher,
                first,
                section.epochs,
                section.learning_rate,
                prepare=lambda: unfreeze(base),
                preliminary=True,
            )
        )
    training = config.training
    head = _head_phase("head", parts, pictures, training.epochs, training.learning_rate, base)
    if settings.fine_tune is None:
        phases.append(head)
    else:
        phases += _fine_tuned(settings.fine_tune, head, parts, base, pictures)
    freeze(base)
    baselines = tuple(_baseline(name, config, pictures, augment) for name in settings.compare)
    return Plan(
        parts.model,
        pictures.measured,
        tuple(phases),
        LOSSES["classification"],
        baselines,
        tuple(notes),
        pictures.preparation,
    )


def _head_phase(
    name: str, parts: Parts, pictures: Pictures, epochs: int, learning_rate: float, base: Any
) -> Phase:
    """Training of the head with the base frozen; on its features, where those are always equal."""
    extracting = parts.extractor is not None
    return Phase(
        name,
        parts.head,
        pictures.loaded if extracting else pictures.prepared,
        epochs,
        learning_rate,
        prepare=lambda: freeze(base),
        extractor=Extractor(parts.extractor, pictures.preparation) if extracting else None,
    )


def _fine_tuned(
    fine: FineTuning, head: Phase, parts: Parts, base: Any, pictures: Pictures
) -> tuple[Phase, Phase]:
    """Training of the head alone, then of it and the base's last layers.

    What is in front of those is run once for both, where it always gives the same and that takes
    little more room than the pictures.

    Raises:
        UsageError: the base has fewer layers.
    """
    unfreeze_last(base, fine.layers)  # refuses a wrong number before anything is trained
    tuning = Phase(
        "fine_tune",
        parts.model,
        pictures.loaded,
        fine.epochs,
        fine.learning_rate,
        prepare=lambda: unfreeze_last(base, fine.layers),
    )
    halves = None if parts.extractor is None else cut(base, ROOM * prod(pictures.shape))
    if halves is None:
        return head, replace(tuning, dataset=pictures.prepared)
    front, rest = halves
    keras = backend.keras()
    inputs, pooling = keras.layers.Input(front.output_shape[1:]), parts.extractor.layers[-1]
    model = keras.Sequential([inputs, rest, *parts.model.layers[1:]], name=tuning.name)
    share_out(model)
    first = Extractor(front, pictures.preparation, "the layers that stay frozen")
    second = keras.Sequential([inputs, rest, pooling], name="rest")
    behind = Extractor(second, layers="the layers that learn later", after=first)
    return replace(head, extractor=behind), replace(tuning, model=model, extractor=first)


def _shape(shape: tuple[int | None, ...]) -> str:
    return "×".join("any" if side is None else str(side) for side in shape)


def _check_unseen(pretraining: Dataset, dataset: Dataset) -> None:
    """Refuse a base that was trained on pictures it will be measured or chosen by.

    Raises:
        DataError: a picture of the task is among those of the pretraining.
    """
    seen = np.concatenate([part.digests for part in pretraining.parts.values()])
    for name in ("validation", "test"):
        part = dataset.parts.get(name)
        known = 0 if part is None else int(np.isin(part.digests, seen).sum())
        if known:
            which = "1 picture" if known == 1 else f"{known} pictures"
            raise DataError(
                f"the base would be trained on {which} of the {name} part",
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


def _baseline(
    name: str, config: TransferConfig, pictures: Pictures, augment: Callable[[], list[Any]]
) -> BaselinePlan:
    settings, training = config.model, config.training
    assert isinstance(settings, TransferSettings)
    fine = settings.fine_tune
    epochs = training.epochs + (fine.epochs if fine is not None else 0)

    def make() -> Plan:
        base = load_base(settings, pictures.shape, "random")
        parts = _assemble(base, settings, len(pictures.loaded.classes), name, augment())
        if name == "scratch":
            unfreeze(base)
            phase = Phase("scratch", parts.model, pictures.prepared, epochs, training.learning_rate)
        else:
            settle(base, pictures.some)
            freeze(base)
            phase = _head_phase("random", parts, pictures, epochs, training.learning_rate, base)
        return Plan(parts.model, pictures.measured, (phase,), LOSSES["classification"])

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
