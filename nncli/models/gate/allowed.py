"""Which objects the config of a model may name: an allow-list, each with Keras's own module.

Left out of Keras's layers are those that run code (Lambda, TFSMLayer, those of JAX and Torch), and
those that read a vocabulary from a file (StringLookup, IntegerLookup, TextVectorization,
FeatureSpace). Left out of its functions are all but activations, losses and metrics: some of them
reach for the network, others change how the whole process computes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from nncli.errors import ModelError
from nncli.lazy import np
from nncli.models.gate.sizes import WEIGHTED

MOST_DEPTH = 64
MOST_VALUES = 200_000
"""A network of a thousand layers has half of it."""
MOST_NUMBER = 10_000_000
"""Of a width or a size."""
MOST_PLACES = 1_000_000_000
"""Of all sides of a shape together."""

_LAYERS = {
    *(WEIGHTED.keys() - {"LayerScale"}),  # of a network, below
    *("InputLayer", "Activation", "ActivityRegularization", "Identity", "Masking", "Pipeline"),
    *("ELU", "LeakyReLU", "ReLU", "Softmax"),
    *("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"),
    *("Flatten", "Permute", "RepeatVector", "Reshape"),
    *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "UnitNormalization"),
    *("TimeDistributed", "SpectralNormalization", "RNN", "StackedRNNCells"),
    *("CategoryEncoding", "Discretization", "HashedCrossing", "Hashing"),
    *("AugMix", "AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization"),
    *("CutMix", "Equalization", "MaxNumBoundingBoxes", "MixUp", "RandAugment"),
    *("RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast"),
    *("RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur"),
    *("RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization"),
    *("RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation"),
    *("RandomZoom", "Rescaling", "Resizing", "Solarization"),
    *(
        f"{name}{rank}D"
        for rank in (1, 2, 3)
        for name in (
            *("AdaptiveAveragePooling", "AdaptiveMaxPooling", "AveragePooling", "MaxPooling"),
            *("GlobalAveragePooling", "GlobalMaxPooling", "Cropping", "UpSampling", "ZeroPadding"),
            "SpatialDropout",
        )
    ),
}
_MODELS = {"Functional", "Sequential"}
_OPERATIONS = {
    "keras.src.ops.numpy": {
        *("Abs", "Absolute", "Add", "Average", "Clip", "Concatenate", "Divide", "Dot", "Exp"),
        *("ExpandDims", "Flip", "GetItem", "Log", "Matmul", "Max", "Maximum", "Mean", "Min"),
        *("Minimum", "Moveaxis", "Multiply", "Negative", "Power", "Ravel", "Reshape", "Sign"),
        *("Split", "Sqrt", "Square", "Squeeze", "Stack", "Std", "Subtract", "Sum", "Swapaxes"),
        *("Tanh", "Transpose", "TrueDivide", "Var"),
    },
    "keras.src.ops.nn": {
        *("Elu", "Gelu", "HardSigmoid", "HardSilu", "LeakyRelu", "LogSigmoid", "LogSoftmax"),
        *("Relu", "Relu6", "Selu", "Sigmoid", "Silu", "Softmax", "Softplus", "Softsign"),
    },
    "keras.src.ops.math": {"Logsumexp", "Rsqrt"},
}
_INITIALIZERS = {
    *("Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity"),
    *("IdentityInitializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "RandomNormal"),
    *("OrthogonalInitializer", "RandomUniform", "STFT", "STFTInitializer", "TruncatedNormal"),
    *("VarianceScaling", "Zeros"),
}
_REGULARIZERS = {"L1", "L2", "L1L2", "OrthogonalRegularizer"}
_CONSTRAINTS = {"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"}
_ACTIVATIONS = {
    *("celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu"),
    *("hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish"),
    *("relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus"),
    *("softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh"),
    *("tanh_shrink", "threshold"),
}
_OPTIMIZERS = {
    *("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion"),
    *("LossScaleOptimizer", "Muon", "Nadam", "RMSprop", "SGD"),
}
_SCHEDULES = {
    *("CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay"),
    *("PiecewiseConstantDecay", "PolynomialDecay"),
}
_ERRORS = {
    *("BinaryCrossentropy", "CategoricalCrossentropy", "CosineSimilarity", "Hinge", "Poisson"),
    *("KLDivergence", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError"),
    *("MeanSquaredLogarithmicError", "SparseCategoricalCrossentropy"),
}
_LOSSES = {
    *_ERRORS,
    *("BinaryFocalCrossentropy", "CategoricalFocalCrossentropy", "Huber", "LogCosh"),
}
_METRICS = {
    *_ERRORS,
    *("AUC", "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "F1Score", "Mean", "Precision"),
    *("Recall", "RootMeanSquaredError", "SparseCategoricalAccuracy", "TopKCategoricalAccuracy"),
    *("SparseTopKCategoricalAccuracy",),
}
_MEASURES = {
    *("accuracy", "binary_accuracy", "binary_crossentropy", "categorical_accuracy"),
    *("categorical_crossentropy", "mean_absolute_error", "mean_squared_error"),
    *("sparse_categorical_accuracy", "sparse_categorical_crossentropy"),
}
"""Functions that a model inside another was compiled with."""
_DTYPES = {
    *("float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
}
_CLASSES = {
    "keras": {"Sequential", "DTypePolicy"},
    "keras.models": {"Sequential"},
    "keras.dtype_policies": {"DTypePolicy"},
    "keras.src.models.functional": {"Functional"},
    "keras.src.models.sequential": {"Sequential"},
    "keras.layers": _LAYERS,
    "keras.initializers": _INITIALIZERS,
    "keras.regularizers": _REGULARIZERS,
    "keras.constraints": _CONSTRAINTS,
    "keras.optimizers": _OPTIMIZERS,
    "keras.optimizers.schedules": _SCHEDULES,
    "keras.losses": _LOSSES,
    "keras.metrics": _METRICS,
    "keras.src.applications.convnext": {"LayerScale", "StochasticDepth"},
    "keras.src.applications.inception_resnet_v2": {"CustomScaleLayer"},
    **_OPERATIONS,
}
_VALUES = {"__keras_tensor__", "__numpy__", "__tensor__", "__ellipsis__", "__slice__"}
"""What Keras writes for a value that JSON does not have."""
_BY_NAME = (
    ("activation", _ACTIVATIONS),
    ("initializer", _INITIALIZERS | {"zeros", "ones", "glorot_uniform", "orthogonal", "uniform"}),
    ("regularizer", _REGULARIZERS | {"l1", "l2", "l1_l2"}),
    ("constraint", _CONSTRAINTS | {"max_norm", "non_neg", "unit_norm", "min_max_norm"}),
    ("dtype", _DTYPES),
)
"""Ends of keys whose text is the name of something."""
_FREE = {"seed", "salt", "shared_object_id", "mask_value", "mask_token", "keras_history"}
"""Whole numbers under these keys are no sizes."""

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def check_config(raw: bytes, path: Path) -> dict[str, Any]:
    """The config of a model, without what it was compiled with: that is never read.

    Raises:
        ModelError: no JSON, too deep or too much of it, or an object that is not on the list.
    """
    document = _parse(raw, path)
    kind, module = document.get("class_name"), document.get("module")
    if kind not in _MODELS or kind not in _CLASSES.get(str(module), ()):
        raise ModelError(
            f"{path} is a {_told(module)}.{_told(kind)}, not a Sequential or Functional model",
            hint="a model class of one's own is code: save it as a Functional model",
        )
    document["compile_config"] = None
    _check(path, "the model", "", document)
    return document


def _parse(raw: bytes, path: Path) -> dict[str, Any]:
    def refuse(why: str) -> ModelError:
        return ModelError(
            f"the config in {path} {why}", hint="it was not written by Keras: do not use it"
        )

    bare = np.frombuffer(_TEXT.sub(b'""', raw), np.uint8)
    opening = np.isin(bare, np.frombuffer(b"[{", np.uint8)).astype(np.int8)
    closing = np.isin(bare, np.frombuffer(b"]}", np.uint8)).astype(np.int8)
    depth = int(np.cumsum(opening - closing, dtype=np.int32).max(initial=0))
    if depth > MOST_DEPTH:
        raise refuse(f"is {depth:,} levels deep, at most {MOST_DEPTH}")
    values = int(opening.sum()) + int(np.count_nonzero(bare == ord(",")))
    if values > MOST_VALUES:
        raise refuse(f"has {values:,} values, at most {MOST_VALUES:,}")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            raise ValueError("a key stands twice in it")
        return made

    try:
        document = json.loads(raw, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise refuse(f"is not JSON as Keras writes it: {str(error)[:100]}") from error
    if not isinstance(document, dict) or not isinstance(document.get("config"), dict):
        raise refuse("does not describe a model")
    return document


def _check(path: Path, owner: str, key: str, value: Any) -> None:
    """A value and all in it.

    Args:
        path: of the file, for errors.
        owner: the layer that it belongs to, for errors.
        key: that it stands under.
        value: of the config.
    """
    if isinstance(value, dict):
        owner = _owner(value, owner)
        if "class_name" in value:
            _check_object(path, owner, value)
        for name, each in value.items():
            _check(path, owner, name, each)
    elif isinstance(value, list):
        if key.endswith("shape"):
            _check_shape(path, owner, key, value)
        for each in value:
            _check(path, owner, key, each)
    elif isinstance(value, str):
        _check_name(path, owner, key, value)
    elif type(value) is int and abs(value) > MOST_NUMBER and key not in _FREE:
        raise ModelError(
            f"{path}: {owner} has {key} {value:,}, at most {MOST_NUMBER:,} is possible",
            hint="no file holds the numbers of such a layer: do not use it",
        )
    if key == "lora_rank" and value is not None:
        raise _refused(path, owner, "LoRA")


def _owner(value: dict[str, Any], above: str) -> str:
    """The layer that a dictionary describes, for errors, or the one it is a part of."""
    config = value.get("config")
    if isinstance(config, dict) and "class_name" in value and isinstance(config.get("name"), str):
        if value.get("class_name") in {"DTypePolicy", "__keras_tensor__"}:
            return above
        return f"layer {config['name'][:40]!r}"
    return above


def _check_object(path: Path, owner: str, value: dict[str, Any]) -> None:
    """An object of Keras's, under its own name, from its own module."""
    kind, module, registered = (
        value.get(key) for key in ("class_name", "module", "registered_name")
    )
    if not isinstance(kind, str) or (module is not None and not isinstance(module, str)):
        raise _refused(path, owner, f"a class named {_told(kind)}")
    if module is None and kind in _VALUES:
        inner = value.get("config")
        if isinstance(inner, dict) and inner.get("dtype", "float32") not in _DTYPES:
            raise _refused(path, owner, f"values of type {_told(inner.get('dtype'))}")
        return
    if kind == "function":
        if module == "builtins" and value.get("config") in _ACTIVATIONS | _MEASURES:
            return
        raise _refused(path, owner, f"the function {_told(module)}.{_told(value.get('config'))}")
    if kind not in _CLASSES.get(module or "", ()):
        raise _refused(path, owner, f"{_told(module)}.{_told(kind)}")
    if registered not in {None, kind}:
        raise _refused(path, owner, f"{_told(registered)} in the place of {kind}")
    if not isinstance(value.get("config"), dict):
        raise _refused(path, owner, f"{kind} without settings")


def _check_name(path: Path, owner: str, key: str, text: str) -> None:
    for end, names in _BY_NAME:
        if key.endswith(end) and text not in names:
            raise _refused(path, owner, f"{key} {_told(text)}")


def _check_shape(path: Path, owner: str, key: str, shape: list[Any]) -> None:
    places = 1
    for side in shape:
        if isinstance(side, int):
            places *= max(1, side)
    if places > MOST_PLACES:
        raise ModelError(
            f"{path}: {owner} has the {key} {shape[:6]}, {places:,} numbers",
            hint=f"at most {MOST_PLACES:,} are possible: do not use it",
        )


def _refused(path: Path, owner: str, what: str) -> ModelError:
    return ModelError(
        f"{path}: {owner} asks for {what}, which nncli does not load from a file",
        hint="build the model of Keras's own layers and save it again; "
        "do not use a file whose origin you do not know",
    )


def _told(value: Any) -> str:
    return repr(value)[1:-1][:60] if isinstance(value, str) else repr(value)[:60]
