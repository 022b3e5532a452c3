"""The activation functions: formula, value and slope of each, in NumPy alone.

`ACTIVATIONS` is the table. `plot-activation`, `neuron`, their help and did-you-mean, and the
contract test (values against Keras, slopes against TensorFlow's autodiff) all follow from its
rows: to add an activation, add a row.

Every `f` and `slope` takes and returns float64 arrays of any shape. At a kink, where no
derivative exists, `slope` follows the lesson, relu'(0) = 0, and otherwise TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nncli.errors import UsageError, unknown_name

Array = NDArray[np.float64]

MOST_POINTS = 100_000
FARTHEST = 1e6
"""How far from 0 a range may reach."""

# Far from 0 an exponential becomes 0 or infinity. That is the right answer there, so NumPy's
# overflow and underflow are no news; "invalid" and "divide" would be mistakes and stay on.
_saturating = np.errstate(over="ignore", under="ignore")

SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717
SHRINK = 0.5
THRESHOLD = 1.0
LEAK = 0.2


@dataclass(frozen=True)
class Activation:
    """One element-wise activation function."""

    name: str
    """The name in Keras, which is also the name on the command line."""
    formula: str
    """The formula for a figure's title, in matplotlib's mathtext."""
    text: str
    """The formula in plain characters, for the terminal."""
    f: Callable[[Array], Array]
    """The function itself."""
    slope: Callable[[Array], Array]
    """Its derivative f′."""
    output_range: str
    """The interval of its values, `(0, 1)`."""
    note: str
    """One sentence: what it is used for, or what to watch."""
    source: str
    """Where the definition is from: the function in Keras."""
    aliases: tuple[str, ...] = ()
    """Other names that mean the same."""
    kinks: tuple[float, ...] = ()
    """Where the slope, or the function itself, jumps."""


def linear(x: Array) -> Array:
    """Hand the input through: f(x) = x. Source: `keras.activations.linear`."""
    return x.copy() if isinstance(x, np.ndarray) else x


def linear_slope(x: Array) -> Array:
    """f′(x) = 1."""
    return np.ones_like(x)


@_saturating
def sigmoid(x: Array) -> Array:
    """Squash to (0, 1): σ(x) = 1 / (1 + e⁻ˣ). Source: `keras.activations.sigmoid`."""
    return 1 / (1 + np.exp(-x))


@_saturating
def sigmoid_slope(x: Array) -> Array:
    """σ′(x) = σ(x)·(1 − σ(x)), with 1 − σ(x) = σ(−x), which loses no digits."""
    return sigmoid(x) * sigmoid(-x)


def relu(x: Array) -> Array:
    """Cut off below 0: max(0, x). Source: `keras.activations.relu`."""
    return np.maximum(0.0, x)


def relu_slope(x: Array) -> Array:
    """1 if x > 0, else 0: at the kink the slope is taken as 0."""
    return np.where(x > 0, 1.0, 0.0)


def tanh(x: Array) -> Array:
    """Squash to (−1, 1): (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ). Source: `keras.activations.tanh`."""
    return np.tanh(x)


@_saturating
def tanh_slope(x: Array) -> Array:
    """1 − tanh²(x)."""
    return 1 - np.tanh(x) ** 2


def leaky_relu(x: Array) -> Array:
    """x if x > 0, else 0.2·x. Source: `keras.activations.leaky_relu`."""
    return np.where(x > 0, x, LEAK * x)


def leaky_relu_slope(x: Array) -> Array:
    """1 if x > 0, else 0.2."""
    return np.where(x > 0, 1.0, LEAK)


def relu6(x: Array) -> Array:
    """min(max(0, x), 6). Source: `keras.activations.relu6`."""
    return np.clip(x, 0.0, 6.0)


def relu6_slope(x: Array) -> Array:
    """1 if 0 < x < 6, else 0."""
    return np.where((x > 0) & (x < 6), 1.0, 0.0)


@_saturating
def elu(x: Array) -> Array:
    """x if x > 0, else eˣ − 1. Source: `keras.activations.elu`, α = 1."""
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))


@_saturating
def elu_slope(x: Array) -> Array:
    """1 if x > 0, else eˣ."""
    return np.exp(np.minimum(x, 0.0))


@_saturating
def selu(x: Array) -> Array:
    """s·x if x > 0, else s·α·(eˣ − 1). Source: `keras.activations.selu`."""
    return SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0.0)))


@_saturating
def selu_slope(x: Array) -> Array:
    """s if x ≥ 0, else s·α·eˣ; at 0 as TensorFlow, the slope from the right."""
    return SELU_SCALE * np.where(x >= 0, 1.0, SELU_ALPHA * np.exp(np.minimum(x, 0.0)))


_erf = np.vectorize(math.erf, otypes=[np.float64])  # NumPy has no erf, Python's is exact


@_saturating
def _normal(x: Array) -> Array:
    """The standard normal distribution Φ(x) = (1 + erf(x/√2)) / 2."""
    probability: Array = (1 + _erf(x / math.sqrt(2))) / 2
    return probability


@_saturating
def gelu(x: Array) -> Array:
    """x·Φ(x), Φ the standard normal distribution. Source: `keras.activations.gelu`, exact."""
    return x * _normal(x)


@_saturating
def gelu_slope(x: Array) -> Array:
    """Φ(x) + x·φ(x), φ the standard normal density."""
    return _normal(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


@_saturating
def silu(x: Array) -> Array:
    """x·σ(x). Source: `keras.activations.silu`."""
    return x * sigmoid(x)


@_saturating
def silu_slope(x: Array) -> Array:
    """σ(x)·(1 + x·(1 − σ(x)))."""
    return sigmoid(x) * (1 + x * sigmoid(-x))


@_saturating
def mish(x: Array) -> Array:
    """x·tanh(softplus(x)). Source: `keras.activations.mish`."""
    return x * np.tanh(softplus(x))


@_saturating
def mish_slope(x: Array) -> Array:
    """tanh(s) + x·(1 − tanh²(s))·σ(x), s = softplus(x)."""
    gate: Array = np.tanh(softplus(x))
    return gate + x * (1 - gate**2) * sigmoid(x)


@_saturating
def softplus(x: Array) -> Array:
    """ln(1 + eˣ). Source: `keras.activations.softplus`."""
    above: Array = np.logaddexp(0.0, x)
    return above


def softsign(x: Array) -> Array:
    """x / (1 + |x|). Source: `keras.activations.softsign`."""
    squashed: Array = x / (1 + np.abs(x))
    return squashed


def softsign_slope(x: Array) -> Array:
    """1 / (1 + |x|)²."""
    return 1 / (1 + np.abs(x)) ** 2


@_saturating
def exponential(x: Array) -> Array:
    """eˣ, its own slope. Source: `keras.activations.exponential`."""
    return np.exp(x)


def hard_sigmoid(x: Array) -> Array:
    """x/6 + 1/2 held to [0, 1]. Source: `keras.activations.hard_sigmoid`."""
    return np.clip(x / 6 + 0.5, 0.0, 1.0)


def hard_sigmoid_slope(x: Array) -> Array:
    """1/6 if −3 < x < 3, else 0."""
    return np.where((x > -3) & (x < 3), 1 / 6, 0.0)


def hard_silu(x: Array) -> Array:
    """x·hard_sigmoid(x). Source: `keras.activations.hard_silu`."""
    return x * hard_sigmoid(x)


def hard_silu_slope(x: Array) -> Array:
    """(2x + 3)/6 if −3 < x < 3; 0 below, 1 above."""
    return hard_sigmoid(x) + x * hard_sigmoid_slope(x)


def hard_tanh(x: Array) -> Array:
    """The input held to [−1, 1]. Source: `keras.activations.hard_tanh`."""
    return np.clip(x, -1.0, 1.0)


def hard_tanh_slope(x: Array) -> Array:
    """1 if −1 ≤ x ≤ 1, else 0."""
    return np.where(np.abs(x) <= 1, 1.0, 0.0)


def log_sigmoid(x: Array) -> Array:
    """ln σ(x) = −softplus(−x). Source: `keras.activations.log_sigmoid`."""
    return -softplus(-x)


def log_sigmoid_slope(x: Array) -> Array:
    """σ(−x)."""
    return sigmoid(-x)


def celu_slope(x: Array) -> Array:
    """1 if x > 0, else eˣ (α = 1, where CELU and ELU are one function)."""
    return elu_slope(x)


def squareplus(x: Array) -> Array:
    """(x + √(x² + 4)) / 2. Source: `keras.activations.squareplus`, b = 4.

    For negative x the sum cancels; as f(x)·f(−x) = 1, it is 1 / f(|x|) there.
    """
    positive = (np.abs(x) + np.hypot(x, 2.0)) / 2
    return np.where(x >= 0, positive, 1 / positive)


def squareplus_slope(x: Array) -> Array:
    """(1 + x / √(x² + 4)) / 2."""
    return (1 + x / np.hypot(x, 2.0)) / 2


def sparse_plus(x: Array) -> Array:
    """0 below −1, (x + 1)²/4 between, x above 1. Source: `keras.activations.sparse_plus`."""
    return np.where(x >= 1, x, (np.clip(x, -1.0, 1.0) + 1) ** 2 / 4)


def sparse_plus_slope(x: Array) -> Array:
    """The sparse sigmoid: (x + 1)/2 held to [0, 1]."""
    return sparse_sigmoid(x)


def sparse_sigmoid(x: Array) -> Array:
    """(x + 1)/2 held to [0, 1]. Source: `keras.activations.sparse_sigmoid`."""
    return np.clip((x + 1) / 2, 0.0, 1.0)


def sparse_sigmoid_slope(x: Array) -> Array:
    """1/2 if −1 < x < 1, else 0."""
    return np.where(np.abs(x) < 1, 0.5, 0.0)


def soft_shrink(x: Array) -> Array:
    """The input moved 0.5 towards 0, at most to 0. Source: `keras.activations.soft_shrink`."""
    return x - np.clip(x, -SHRINK, SHRINK)


def hard_shrink(x: Array) -> Array:
    """x if |x| > 0.5, else 0. Source: `keras.activations.hard_shrink`."""
    return np.where(np.abs(x) > SHRINK, x, 0.0)


def shrink_slope(x: Array) -> Array:
    """1 if |x| > 0.5, else 0: the slope of the soft and of the hard shrink."""
    return np.where(np.abs(x) > SHRINK, 1.0, 0.0)


def tanh_shrink(x: Array) -> Array:
    """x − tanh(x). Source: `keras.activations.tanh_shrink`."""
    return x - np.tanh(x)


@_saturating
def tanh_shrink_slope(x: Array) -> Array:
    """tanh²(x)."""
    return np.tanh(x) ** 2


def threshold(x: Array) -> Array:
    """x if x > 1, else 0. Source: `keras.activations.threshold(x, 1, 0)`."""
    return np.where(x > THRESHOLD, x, 0.0)


def threshold_slope(x: Array) -> Array:
    """1 if x > 1, else 0."""
    return np.where(x > THRESHOLD, 1.0, 0.0)


# In teaching order: the lesson's three, the everyday ones, their cheap or smooth cousins.
_ROWS = (
    Activation(
        name="linear",
        aliases=("identity",),
        formula=r"$\mathrm{linear}(x) = x$",
        text="x",
        f=linear,
        slope=linear_slope,
        output_range="(−∞, ∞)",
        note="Layers with it collapse into one linear layer; right for the output of a regression.",
        source="keras.activations.linear",
    ),
    Activation(
        name="sigmoid",
        aliases=("logistic",),
        formula=r"$\sigma(x) = \dfrac{1}{1 + e^{-x}}$",
        text="1 / (1 + e^−x)",
        f=sigmoid,
        slope=sigmoid_slope,
        output_range="(0, 1)",
        note="A probability for yes or no; its slope never exceeds 1/4 and vanishes on both sides.",
        source="keras.activations.sigmoid",
    ),
    Activation(
        name="relu",
        formula=r"$\mathrm{ReLU}(x) = \max(0,\,x)$",
        text="max(0, x)",
        f=relu,
        slope=relu_slope,
        output_range="[0, ∞)",
        kinks=(0.0,),
        note="The usual choice for hidden layers: cheap, sparse, and no vanishing slope above 0.",
        source="keras.activations.relu",
    ),
    Activation(
        name="tanh",
        formula=r"$\tanh(x) = \dfrac{e^{x} - e^{-x}}{e^{x} + e^{-x}}$",
        text="(e^x − e^−x) / (e^x + e^−x)",
        f=tanh,
        slope=tanh_slope,
        output_range="(−1, 1)",
        note="A sigmoid centred on 0; the state of RNN and LSTM layers passes through it.",
        source="keras.activations.tanh",
    ),
    Activation(
        name="leaky_relu",
        formula=r"$\mathrm{LeakyReLU}(x) = x$  if  $x > 0$,  else  $0.2\,x$",
        text="x if x > 0 else 0.2·x",
        f=leaky_relu,
        slope=leaky_relu_slope,
        output_range="(−∞, ∞)",
        kinks=(0.0,),
        note="A ReLU whose units cannot get stuck: a little slope is left below 0.",
        source="keras.activations.leaky_relu",
    ),
    Activation(
        name="relu6",
        formula=r"$\mathrm{ReLU6}(x) = \min(\max(0,\,x),\,6)$",
        text="min(max(0, x), 6)",
        f=relu6,
        slope=relu6_slope,
        output_range="[0, 6]",
        kinks=(0.0, 6.0),
        note="A ReLU with a ceiling, made for networks that compute in few bits.",
        source="keras.activations.relu6",
    ),
    Activation(
        name="elu",
        formula=r"$\mathrm{ELU}(x) = x$  if  $x > 0$,  else  $e^{x} - 1$",
        text="x if x > 0 else e^x − 1",
        f=elu,
        slope=elu_slope,
        output_range="(−1, ∞)",
        note="Like ReLU above 0; below, it levels off at −1 and so keeps the mean near 0.",
        source="keras.activations.elu",
    ),
    Activation(
        name="selu",
        formula=r"$\mathrm{SELU}(x) = 1.0507\,x$  if  $x > 0$,  else  $1.7581\,(e^{x} - 1)$",
        text="1.0507·x if x > 0 else 1.7581·(e^x − 1)",
        f=selu,
        slope=selu_slope,
        output_range="(−1.758, ∞)",
        kinks=(0.0,),
        note="Scaled so that mean 0 and variance 1 survive many layers (LeCun initialisation).",
        source="keras.activations.selu",
    ),
    Activation(
        name="celu",
        formula=r"$\mathrm{CELU}(x) = \max(0,\,x) + \min(0,\,e^{x} - 1)$",
        text="max(0, x) + min(0, e^x − 1)",
        f=elu,
        slope=celu_slope,
        output_range="(−1, ∞)",
        note="An ELU whose slope is continuous for every α; with Keras' α = 1 the two are equal.",
        source="keras.activations.celu",
    ),
    Activation(
        name="gelu",
        formula=r"$\mathrm{GELU}(x) = x\,\Phi(x) = "
        r"\frac{x}{2}\left[1 + \mathrm{erf}\left(x/\sqrt{2}\,\right)\right]$",
        text="x/2·(1 + erf(x/√2))",
        f=gelu,
        slope=gelu_slope,
        output_range="[−0.170, ∞)",
        note="The input times the chance that a normal number is smaller: transformers use it.",
        source="keras.activations.gelu",
    ),
    Activation(
        name="silu",
        aliases=("swish",),
        formula=r"$\mathrm{SiLU}(x) = x\,\sigma(x) = \dfrac{x}{1 + e^{-x}}$",
        text="x / (1 + e^−x)",
        f=silu,
        slope=silu_slope,
        output_range="[−0.278, ∞)",
        note="Also called swish: a smooth ReLU that dips below 0 before it rises.",
        source="keras.activations.silu",
    ),
    Activation(
        name="mish",
        formula=r"$\mathrm{Mish}(x) = x\,\tanh(\ln(1 + e^{x}))$",
        text="x·tanh(ln(1 + e^x))",
        f=mish,
        slope=mish_slope,
        output_range="[−0.309, ∞)",
        note="A near twin of SiLU with a slightly deeper dip, known from object detectors.",
        source="keras.activations.mish",
    ),
    Activation(
        name="softplus",
        formula=r"$\mathrm{softplus}(x) = \ln(1 + e^{x})$",
        text="ln(1 + e^x)",
        f=softplus,
        slope=sigmoid,
        output_range="(0, ∞)",
        note="A ReLU without the kink, always positive: its slope is the sigmoid.",
        source="keras.activations.softplus",
    ),
    Activation(
        name="softsign",
        formula=r"$\mathrm{softsign}(x) = \dfrac{x}{1 + |x|}$",
        text="x / (1 + |x|)",
        f=softsign,
        slope=softsign_slope,
        output_range="(−1, 1)",
        note="Like tanh, but it nears its limits slowly, so that its slope dies away slowly too.",
        source="keras.activations.softsign",
    ),
    Activation(
        name="exponential",
        aliases=("exp",),
        formula=r"$\mathrm{exponential}(x) = e^{x}$",
        text="e^x",
        f=exponential,
        slope=exponential,
        output_range="(0, ∞)",
        note="Its own slope; for outputs that must be positive, such as a rate or a variance.",
        source="keras.activations.exponential",
    ),
    Activation(
        name="hard_sigmoid",
        formula=r"$\mathrm{hard\ sigmoid}(x) = \min(\max(0,\,x/6 + 1/2),\,1)$",
        text="min(max(0, x/6 + 1/2), 1)",
        f=hard_sigmoid,
        slope=hard_sigmoid_slope,
        output_range="[0, 1]",
        kinks=(-3.0, 3.0),
        note="A sigmoid from three straight lines, for devices on which an exponential is dear.",
        source="keras.activations.hard_sigmoid",
    ),
    Activation(
        name="hard_silu",
        aliases=("hard_swish",),
        formula=r"$\mathrm{hard\ SiLU}(x) = x\,\min(\max(0,\,x/6 + 1/2),\,1)$",
        text="x·min(max(0, x/6 + 1/2), 1)",
        f=hard_silu,
        slope=hard_silu_slope,
        output_range="[−0.375, ∞)",
        kinks=(-3.0, 3.0),
        note="SiLU without an exponential, also called hard swish: MobileNetV3 uses it.",
        source="keras.activations.hard_silu",
    ),
    Activation(
        name="hard_tanh",
        formula=r"$\mathrm{hard\ tanh}(x) = \min(\max(-1,\,x),\,1)$",
        text="min(max(−1, x), 1)",
        f=hard_tanh,
        slope=hard_tanh_slope,
        output_range="[−1, 1]",
        kinks=(-1.0, 1.0),
        note="A tanh from three straight lines.",
        source="keras.activations.hard_tanh",
    ),
    Activation(
        name="log_sigmoid",
        formula=r"$\ln\,\sigma(x) = -\ln(1 + e^{-x})$",
        text="−ln(1 + e^−x)",
        f=log_sigmoid,
        slope=log_sigmoid_slope,
        output_range="(−∞, 0)",
        note="The logarithm of a probability, which is what a cross-entropy loss adds up.",
        source="keras.activations.log_sigmoid",
    ),
    Activation(
        name="squareplus",
        formula=r"$\mathrm{squareplus}(x) = \frac{1}{2}\left(x + \sqrt{x^{2} + 4}\,\right)$",
        text="(x + √(x² + 4)) / 2",
        f=squareplus,
        slope=squareplus_slope,
        output_range="(0, ∞)",
        note="A softplus without exponential or logarithm.",
        source="keras.activations.squareplus",
    ),
    Activation(
        name="sparse_plus",
        formula=r"$\mathrm{sparse\ plus}(x) = 0,\ (x + 1)^{2}/4,\ x$   split at  $-1$  and  $1$",
        text="0 if x ≤ −1, (x + 1)²/4 between, x if x ≥ 1",
        f=sparse_plus,
        slope=sparse_plus_slope,
        output_range="[0, ∞)",
        note="A softplus that really reaches 0: flat, then a parabola, then the line x.",
        source="keras.activations.sparse_plus",
    ),
    Activation(
        name="sparse_sigmoid",
        formula=r"$\mathrm{sparse\ sigmoid}(x) = \min(\max(0,\,(x + 1)/2),\,1)$",
        text="min(max(0, (x + 1)/2), 1)",
        f=sparse_sigmoid,
        slope=sparse_sigmoid_slope,
        output_range="[0, 1]",
        kinks=(-1.0, 1.0),
        note="A sigmoid that really reaches 0 and 1: the slope of sparse_plus.",
        source="keras.activations.sparse_sigmoid",
    ),
    Activation(
        name="soft_shrink",
        formula=r"$\mathrm{soft\ shrink}(x) = \mathrm{sign}(x)\,\max(0,\,|x| - 0.5)$",
        text="sign(x)·max(0, |x| − 0.5)",
        f=soft_shrink,
        slope=shrink_slope,
        output_range="(−∞, ∞)",
        kinks=(-SHRINK, SHRINK),
        note="Removes what is small and shortens the rest: denoising and sparse codes.",
        source="keras.activations.soft_shrink",
    ),
    Activation(
        name="hard_shrink",
        formula=r"$\mathrm{hard\ shrink}(x) = x$  if  $|x| > 0.5$,  else  $0$",
        text="x if |x| > 0.5 else 0",
        f=hard_shrink,
        slope=shrink_slope,
        output_range="(−∞, −0.5) ∪ {0} ∪ (0.5, ∞)",
        kinks=(-SHRINK, SHRINK),
        note="Removes what is small and leaves the rest as it is, at the price of two jumps.",
        source="keras.activations.hard_shrink",
    ),
    Activation(
        name="tanh_shrink",
        formula=r"$\mathrm{tanh\ shrink}(x) = x - \tanh(x)$",
        text="x − tanh(x)",
        f=tanh_shrink,
        slope=tanh_shrink_slope,
        output_range="(−∞, ∞)",
        note="A smooth shrink: nearly flat at 0, nearly the line x far out.",
        source="keras.activations.tanh_shrink",
    ),
    Activation(
        name="threshold",
        formula=r"$\mathrm{threshold}(x) = x$  if  $x > 1$,  else  $0$",
        text="x if x > 1 else 0",
        f=threshold,
        slope=threshold_slope,
        output_range="{0} ∪ (1, ∞)",
        kinks=(THRESHOLD,),
        note="Keras wants a threshold and a default; shown with 1 and 0, so that it jumps.",
        source="keras.activations.threshold",
    ),
)

ACTIVATIONS: dict[str, Activation] = {row.name: row for row in _ROWS}

NOT_ELEMENTWISE: dict[str, str] = {
    "softmax": "each of its outputs depends on all inputs of the vector",
    "log_softmax": "each of its outputs depends on all inputs of the vector",
    "sparsemax": "each of its outputs depends on all inputs of the vector",
    "glu": "it halves the vector and multiplies the halves",
}
"""Activations of Keras that are no function of one number, and why."""


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "").replace("_", "").replace(" ", "")


_BY_PLAIN = {_plain(name): row for row in _ROWS for name in (row.name, *row.aliases)}


def get(name: str) -> Activation:
    """The activation called `name`, or by an alias of it; case, `-` and `_` do not matter.

    Raises:
        UsageError: no such activation, or one that has no curve, such as softmax.
    """
    plain = _plain(name)
    if plain in _BY_PLAIN:
        return _BY_PLAIN[plain]
    for other, reason in NOT_ELEMENTWISE.items():
        if plain == _plain(other):
            raise UsageError(
                f"{other} is not element-wise: {reason}, so it has no curve f(x)",
                hint="nncli plot-activation --list shows the activations that have one",
            )
    choices = [name for row in _ROWS for name in (row.name, *row.aliases)]
    raise unknown_name("activation", name, choices, see="nncli plot-activation --list")


def get_all(names: Iterable[str]) -> list[Activation]:
    """The activations called `names`, in that order, each once (silu and swish are one)."""
    return list({row.name: row for row in map(get, names)}.values())


def grid(low: float, high: float, points: int) -> Array:
    """`points` evenly spaced x from `low` to `high`, both included.

    Raises:
        UsageError: a range that is empty, reversed, not finite or beyond ±1e6, or a number of
            points that is no curve or too many.
    """
    for end in (low, high):
        if not math.isfinite(end):
            raise UsageError(
                f"the range {low:g} to {high:g} has an end that is not a finite number",
                hint="give two numbers, low before high: --range -5 5",
            )
    if low >= high:
        raise UsageError(
            f"the range {low:g} to {high:g} is empty: low must be smaller than high",
            hint="give two numbers, low before high: --range -5 5",
        )
    if max(abs(low), abs(high)) > FARTHEST:
        raise UsageError(
            f"the range {low:g} to {high:g} reaches beyond ±{FARTHEST:g}",
            hint="activations show what they do near 0: --range -5 5",
        )
    if high - low < 1e-6 * max(1.0, abs(low), abs(high)):
        raise UsageError(
            f"the range {low!r} to {high!r} is too narrow to show a curve",
            hint="choose a wider one: --range -5 5",
        )
    if not 2 <= points <= MOST_POINTS:
        raise UsageError(
            f"{points} points were asked for; from 2 to {MOST_POINTS:,} make a curve",
            hint="500 are plenty for a picture: --points 500",
        )
    return np.linspace(low, high, points)
