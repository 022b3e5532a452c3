"""The model that travels: what a run does to its samples becomes layers in front of its own.

    pixels 0..255      → grey repeated → scaled as the network was made for → the run's layers
    sequences          → padded steps masked → (x − mean) / deviation       → the run's layers
    a series' window   → from the last value or the mean, in deviations     → the run's layers
                                             → back to the series' own units

All of Keras's own layers, without a Lambda, so that the file loads in plain Keras, and every step
is in the graph that other runtimes are given. What a layer knows are plain numbers in its config:
the weights of a `Normalization` are constants that tf2onnx loses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nncli import backend
from nncli.errors import ExportError, ModelError
from nncli.lazy import NDArray, np
from nncli.models.augmentation import is_augmentation
from nncli.models.preprocessing import Preparation, scale
from nncli.results import Array

if TYPE_CHECKING:
    from nncli.data.learned import Learned, LearnedSeries
    from nncli.trained.model import OpenedRun

INPUT = "samples"
"""The name of the input in all formats."""
OUTPUTS = {"classification": "probabilities", "forecast": "forecast"}
"""The name of the output, where a format has one."""
PADDING = -1.0e9
"""Stands in all features of the steps that fill up a shorter sequence, in place of the run's own
value, which is one of scaled numbers. Exact in 32 bits."""


def in_float32(model: Any) -> Any:
    """The model itself, or where it computes in 16 bits the same one that computes in 32."""
    computed = {layer.compute_dtype for layer in model._flatten_layers()}
    if computed <= {"float32"}:
        return model
    text = model.to_json()
    for name in computed:
        text = text.replace(f'"mixed_{name}"', '"float32"')
    exact = backend.keras().models.model_from_json(text)
    exact.set_weights(model.get_weights())
    return exact


def whole_model(opened: OpenedRun, model: Any) -> Any:
    """The model from raw samples to answers.

    Args:
        opened: the run.
        model: its model, in 32 bits; the new one shares its layers.

    Returns:
        A keras.Model: (batch, height, width, channels) pixels in 0..255 or (batch, steps, features)
        in own units → (batch, classes) probabilities, or a forecast in own units.

    Raises:
        ModelError: the model is not a row of layers, as all that nncli trains are.
        ExportError: a preprocessing that is more than a factor and an offset for each channel.
    """
    keras = backend.keras()
    if not isinstance(model, keras.Sequential):
        raise ModelError(
            f"{opened.model_file} is not a row of layers", hint="it is no model of nncli's"
        )
    learned = opened.learned
    # what changes pictures at random was for training
    own = [layer for layer in model.layers if not is_augmentation(layer)]
    inputs = keras.layers.Input(learned.input_shape, name=INPUT)
    if opened.preparation is not None:
        x = _pixels(inputs, opened.preparation)
    elif learned.series is not None:
        x = _window(inputs, learned, learned.series)
    else:
        if learned.padding is not None:
            own = [layer for layer in own if not isinstance(layer, keras.layers.Masking)]
        x = _sequence(inputs, learned)
    for layer in own:
        x = layer(x)
    if learned.series is not None:
        x = _own_units(x, inputs, learned.series)
    return keras.Model(inputs, x, name=opened.stored.kind)


def fed(x: Array) -> Array:
    """Raw samples with NaN in padded steps, as a whole model takes them."""
    return np.nan_to_num(x, nan=PADDING).astype(np.float32, copy=False)


def _pixels(x: Any, preparation: Preparation) -> Any:
    """Pixels in 0..255 as the network wants them."""
    layers = backend.keras().layers
    channels = x.shape[-1]
    if preparation.repeats(x.shape):
        x, channels = layers.Concatenate(name="grey_to_rgb")([x, x, x]), 3
    if preparation.preprocessing == "unit":
        return layers.Rescaling(1 / 255, name="pixels_to_unit")(x)
    if preparation.preprocessing == "none":
        return x
    matrix, offset = affine(preparation.preprocessing, channels)
    factors = np.diag(matrix)
    if not np.array_equal(matrix, np.diag(factors)):  # VGG16 and others of its time: BGR
        mixing = layers.Conv2D(channels, 1, name="preprocess_input", trainable=False)
        y = mixing(x)
        mixing.set_weights([matrix[None, None].astype(np.float32), offset.astype(np.float32)])
        return y
    if np.array_equal(factors, np.ones(channels)) and not offset.any():
        return x
    return layers.Rescaling(factors.tolist(), offset.tolist(), name="preprocess_input")(x)


def affine(preprocessing: str, channels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the preprocessing of a network is: y = x · matrix + offset over the channels of a pixel.

    Found by trying it, and held against other pixels.

    Returns:
        (channels, channels) and (channels,).

    Raises:
        ExportError: it is something else.
    """

    def of(*pixels: Array) -> NDArray[np.float64]:
        given = np.array(pixels, dtype=np.float32)[None, None]
        return np.asarray(scale(given, preprocessing)[0, 0], dtype=np.float64)

    offset = of(np.zeros(channels))[0]
    matrix = (of(*255 * np.eye(channels)) - offset) / 255
    # one rounding of 32 bits is left in each; a factor of one is one
    matrix = np.where(np.abs(matrix - np.round(matrix)) < 1e-6, np.round(matrix), matrix)
    others = np.random.default_rng(0).integers(0, 256, (64, channels))
    if not np.allclose(of(*others), others @ matrix + offset, rtol=1e-5, atol=1e-5):
        raise ExportError(
            f"what {preprocessing} does to pixels cannot be written as layers",
            hint="train with --set model.preprocessing=unit",
        )
    return matrix, offset


def _scaled(x: Any, offset: list[float], factor: list[float]) -> Any:
    """(x − offset) / factor in two steps: in one, numbers far from zero would lose their digits."""
    layers = backend.keras().layers
    x = layers.Rescaling(1.0, [-each for each in offset], name="minus_mean")(x)
    return layers.Rescaling([1 / each for each in factor], name="by_deviation")(x)


def _sequence(x: Any, learned: Learned) -> Any:
    """Sequences in own units as the run's layers want them, without the steps that are padding."""
    if learned.padding is not None:
        x = backend.keras().layers.Masking(PADDING, name="padding")(x)
    if learned.scaler is None:
        return x
    return _scaled(x, [*learned.scaler.offset], [*learned.scaler.scale])


def _window(x: Any, learned: Learned, series: LearnedSeries) -> Any:
    """Values of a series, and of the columns beside it, in deviations: (batch, window, columns)."""
    beside = learned.scaler
    offset = [series.offset, *(() if beside is None else beside.offset)]
    factor = [series.scale, *(() if beside is None else beside.scale)]
    if series.relative:
        layers = backend.keras().layers
        base = _last(x, "base")
        if len(offset) > 1:  # the columns beside it keep their level
            only = [1.0, *[0.0] * (len(offset) - 1)]
            base = layers.Rescaling(only, name="series_alone")(base)
        x = layers.Subtract(name="from_last_value")([x, base])
        offset[0] = 0.0
    if not any(offset) and all(each == 1 for each in factor):  # the sine
        return x
    return _scaled(x, offset, factor)


def _last(window: Any, name: str) -> Any:
    """The last step, by a layer of this name: (batch, 1, columns)."""
    return backend.keras().layers.Cropping1D((window.shape[1] - 1, 0), name=name)(window)


def _own_units(answer: Any, window: Any, series: LearnedSeries) -> Any:
    """From deviations to the series' own units: (batch, 1) or (batch, steps, 1)."""
    layers = backend.keras().layers
    if not series.change:
        if series.scale == 1 and series.offset == 0:
            return answer
        return layers.Rescaling(series.scale, series.offset, name="own_units")(answer)
    change = layers.Rescaling(series.scale, name="own_units")(answer)
    step = layers.Permute((2, 1), name="columns_first")(_last(window, "last_step"))
    if window.shape[2] > 1:
        step = layers.Cropping1D((0, window.shape[2] - 1), name="series_column")(step)
    value = layers.Flatten(name="last_value")(step)
    return layers.Add(name="plus_last_value")([change, value])
