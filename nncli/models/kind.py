"""What a kind of model is, and the plan that training carries out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nncli.config import Config, Section, TrainingSection
from nncli.data.dataset import Dataset, Family
from nncli.results import Task


@dataclass(frozen=True)
class Phase:
    """One stretch of training with its own samples, rate and frozen layers."""

    name: str
    """`train`, `pretrain`, `head` or `fine_tune`."""
    model: Any
    """The keras.Model that is trained; phases of a plan may share layers."""
    dataset: Dataset
    """Its samples, as the model wants them."""
    epochs: int
    learning_rate: float
    prepare: Callable[[], None] = lambda: None
    """Called before the phase: freezes and unfreezes layers."""
    preliminary: bool = False
    """Whether it learns another task than the run's: its epochs are all trained, and its best one
    is its own."""
    extractor: Any = None
    """A frozen keras.Model in front of `model` that never changes in this phase: it is run once
    over the samples and `model` is trained on what it gives."""


@dataclass(frozen=True)
class BaselinePlan:
    """The same task learned another way, for comparison."""

    name: str
    meaning: str
    make: Callable[[], Plan]
    """Builds it; called after the main training."""


@dataclass(frozen=True)
class Plan:
    """What to train, in which order, and what is measured at the end."""

    model: Any
    """The whole keras.Model, from what `dataset` holds to the answer: saved and measured."""
    dataset: Dataset
    """The samples as `model` wants them."""
    phases: tuple[Phase, ...]
    loss: str
    """By Keras's name."""
    baselines: tuple[BaselinePlan, ...] = ()
    notes: tuple[str, ...] = ()
    """What the user should know about how the model was built."""


@dataclass(frozen=True)
class ModelKind:
    """A row of KINDS: all that makes `nncli train <name>` work."""

    name: str
    summary: str
    """One line for the help."""
    settings: type[Section]
    """The `model` section."""
    training: type[TrainingSection]
    """The `training` section with this kind's defaults."""
    families: tuple[Family, ...]
    """The kinds of samples it can learn from."""
    default_source: str
    """The data source that works at once, without a network."""
    plan: Callable[[Any, Dataset, Dataset | None], Plan]
    """`plan(config, dataset, pretraining)`: builds the model; needs Keras."""
    config: type[Config] = Config
    """The config class, where the kind has sections of its own."""


LOSSES: Mapping[Task, str] = {
    "classification": "categorical_crossentropy",
    "forecast": "mean_squared_error",
}

FIGURES_OF: Mapping[Task, tuple[str, ...]] = {
    "classification": ("curves", "architecture", "confusion", "predictions"),
    "forecast": ("curves", "architecture", "forecast"),
}
"""The pictures of a run, by names of `nncli.plots.FIGURES`."""


def single_phase(
    model: Any, dataset: Dataset, training: TrainingSection, loss: str | None = None
) -> Plan:
    """The plan of a model that is simply trained."""
    phase = Phase("train", model, dataset, training.epochs, training.learning_rate)
    return Plan(model, dataset, (phase,), loss or LOSSES[dataset.task])
