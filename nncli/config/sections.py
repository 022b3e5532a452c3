"""The sections that every config has, and the base of those that models and sources add."""

from __future__ import annotations

import os
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A part of a config: frozen, with every key known and every value of its exact type."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


def contradiction(key: str, message: str, advice: str = "") -> PydanticCustomError:
    """An error for keys that exclude each other, shown at `key` of the section that raises it."""
    return PydanticCustomError(
        "contradiction", "{message}", {"key": key, "message": message, "advice": advice}
    )


def available_threads() -> int:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class EarlyStopping(Section):
    """When to stop before the last epoch."""

    patience: Annotated[int, Field(ge=1)] = 5
    """Epochs without improvement before training stops."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """How much better counts as an improvement."""


class TrainingSection(Section):
    """How a model is trained."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Passes over the training part."""
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 32
    """Samples per step of the optimizer."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.001
    """Step size of the optimizer."""
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    """How the weights follow the gradient."""
    early_stopping: EarlyStopping | None = None
    """Stop when the monitored loss no longer improves; null trains all epochs."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|gpu(:\d+)?)$")] = "auto"
    """auto, cpu, gpu or gpu:N."""
    threads: Annotated[int, Field(ge=1, le=1024)] = Field(default_factory=available_threads)
    """CPU threads; part of what makes two runs equal to the last bit."""


class Config(Section):
    """A complete config. `nncli.schema` narrows `data`, `model` and `training` to a kind."""

    default_source: ClassVar[str] = ""
    """The data source where the config names none."""

    kind: str
    """What is trained: rnn, lstm, cnn or transfer."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 42
    """Seeds the split, the first weights, the order of the samples and dropout."""
    data: Section
    """Where the samples come from."""
    model: Section
    """The layers."""
    training: TrainingSection
    """How the model is trained."""

    @classmethod
    def complete(cls, document: dict[str, Any]) -> None:
        """Add to what the user wrote the defaults that depend on other keys.

        Called before the document is checked: anything in it may be wrong.
        """
        data = document.setdefault("data", {})
        if isinstance(data, dict):
            data.setdefault("source", cls.default_source)
