"""RNN and LSTM: models that read a sequence step by step and remember.

RNN   h_t = tanh(W_ih·x_t + W_hh·h_{t−1} + b_h),   y_t = W_hy·h_t + b_y

LSTM  i_t = σ(W_ii·x_t + W_hi·h_{t−1} + b_i)      how much of the new to take in
      f_t = σ(W_if·x_t + W_hf·h_{t−1} + b_f)      how much of the old to keep
      o_t = σ(W_io·x_t + W_ho·h_{t−1} + b_o)      how much to show
      C_t = f_t ⊙ C_{t−1} + i_t ⊙ tanh(W_ic·x_t + W_hc·h_{t−1} + b_c)
      h_t = o_t ⊙ tanh(C_t)

The lesson's RNN is SimpleRNN(32) + Dense(1) on one sine of 20 steps: 1,121 parameters. Its LSTM
is LSTM(64) + LSTM(64) + Dense(5, softmax) on 100 steps of 10 features: 52,549 parameters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field

from nncli import backend
from nncli.config import Config, EarlyStopping, Section, TrainingSection
from nncli.data.dataset import Dataset, Facts
from nncli.models.fused import cudnn_refuses, fuse
from nncli.models.kind import KindConfig, ModelKind, Plan, single_phase
from nncli.models.shares import share_out

Units = Annotated[int, Field(ge=1, le=8192)]


class RnnSettings(Section):
    """The layers of an RNN."""

    units: Annotated[tuple[Units, ...], Field(min_length=1, max_length=16)] = (32,)
    """Neurons of each recurrent layer, first to last."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the last recurrent layer's outputs dropped in training."""


class LstmSettings(RnnSettings):
    """The layers of an LSTM."""

    units: Annotated[tuple[Units, ...], Field(min_length=1, max_length=16)] = (64, 64)


class RnnTraining(TrainingSection):
    """How the lesson trains its RNN."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 100


class LstmTraining(TrainingSection):
    """The lesson never trains its LSTM; these values do."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 15
    early_stopping: EarlyStopping | None = EarlyStopping()


class RnnConfig(KindConfig):
    """A config of `nncli train rnn`."""

    gates: ClassVar[int] = 1
    """Weight matrices of a recurrent layer, for the input and for the state."""

    def parameters(self, facts: Facts) -> int:
        """The recurrent layers': gates · units · (inputs + units + 1) each."""
        assert isinstance(self.model, RnnSettings)
        count, inputs = 0, 1 if facts.input_shape is None else facts.input_shape[-1]
        for units in self.model.units:
            count += self.gates * units * (inputs + units + 1)
            inputs = units
        return count


class LstmConfig(RnnConfig):
    """A config of `nncli train lstm`."""

    gates: ClassVar[int] = 4


def build(layer: str, settings: RnnSettings, dataset: Dataset) -> Any:
    """A stack of one recurrent layer class with the head that the task needs.

    All but the last recurrent layer give their whole sequence to the next. The last one does so
    too where every step has a target (`dataset.target_steps`); otherwise it gives its final state.

    Where shorter sequences were padded (`dataset.padding`), a first layer marks the padded steps.
    All recurrent layers pass over them, so that the final state is that of the last real step.

    Args:
        layer: the Keras class, `SimpleRNN` or `LSTM`.
        settings: units and dropout.
        dataset: gives the input shape (steps, features), the padding, the task and the classes.

    Returns:
        A keras.Model: (batch, steps, features) → (batch, classes), (batch, 1) or
        (batch, steps, 1).
    """
    keras = backend.keras()
    layers = keras.layers
    recurrent = getattr(layers, layer)
    model = keras.Sequential(name=layer.lower().replace("simple", ""))
    model.add(layers.Input(dataset.input_shape))
    if dataset.padding is not None:
        model.add(layers.Masking(dataset.padding))
    last = len(settings.units) - 1
    for index, units in enumerate(settings.units):
        model.add(recurrent(units, return_sequences=index < last or dataset.target_steps))
    if settings.dropout:
        model.add(layers.Dropout(settings.dropout))
    if dataset.task == "classification":
        model.add(layers.Dense(len(dataset.classes), activation="softmax", dtype="float32"))
    else:
        model.add(layers.Dense(1, dtype="float32"))
    fuse(model)
    share_out(model)
    return model


def plan_rnn(config: Config, dataset: Dataset, _: Dataset | None = None) -> Plan:
    """The plan of `nncli train rnn`."""
    assert isinstance(config.model, RnnSettings)
    return single_phase(build("SimpleRNN", config.model, dataset), dataset, config.training)


def plan_lstm(config: Config, dataset: Dataset, _: Dataset | None = None) -> Plan:
    """The plan of `nncli train lstm`."""
    assert isinstance(config.model, LstmSettings)
    plan = single_phase(build("LSTM", config.model, dataset), dataset, config.training)
    refused = cudnn_refuses() if backend.has_gpu() else None
    if refused is None:
        return plan
    return replace(plan, notes=(*plan.notes, f"the LSTM is computed without cuDNN: {refused}"))


RNN = ModelKind(
    name="rnn",
    summary="a simple recurrent network: forecasts a series, or classifies sequences",
    settings=RnnSettings,
    training=RnnTraining,
    families=("series", "sequences"),
    default_source="sine",
    plan=plan_rnn,
    config=RnnConfig,
)

LSTM = ModelKind(
    name="lstm",
    summary="long short-term memory: classifies sequences, or forecasts a series",
    settings=LstmSettings,
    training=LstmTraining,
    families=("sequences", "series"),
    default_source="waves",
    plan=plan_lstm,
    config=LstmConfig,
)
