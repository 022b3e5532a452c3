"""What a kind of model is, what its config must agree on, and the plan of its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

from nncli.config import Config, Contradiction, Section, TrainingSection
from nncli.data.dataset import Dataset, Facts, Family
from nncli.data.source import DataSection
from nncli.models.preprocessing import Preparation
from nncli.results import Task

MOST_PARAMETERS = 500_000_000
"""Of a model that is built: 2 GB, and training needs four times that."""

METRICS: Mapping[Task, str] = {
    "classification": "accuracy",
    "forecast": "mean_absolute_error",
}
"""What is measured beside the loss, by Keras's name."""


class KindConfig(Config):
    """A config of any kind: what its sections must agree on."""

    dependent: ClassVar[tuple[str, ...]] = ("training.batch_size",)

    data: DataSection
    """Where the samples come from."""

    def settled(self, is_written: Callable[[str], bool], facts: Facts | None = None) -> Self:
        """This config with a batch no larger than the training part, where nobody chose one."""
        facts = facts or self.foreseen()
        samples = facts.fewest if facts.train is None else facts.train
        training = self.training
        if samples is None or samples >= training.batch_size or is_written("training.batch_size"):
            return self
        smaller = training.model_copy(update={"batch_size": samples})
        return self.model_copy(update={"training": smaller})

    def across(self, facts: Facts | None = None) -> Iterator[Contradiction]:
        """A batch, a monitor or a size of model that the samples do not allow."""
        facts = facts or self.foreseen()
        batch_size = self.training.batch_size
        most = facts.fewest if facts.train is None else facts.train
        if most is not None and batch_size > most:
            samples = "1 sample" if most == 1 else f"{most:,} samples"
            if facts.train is None:
                samples += " and perhaps a few more"
            yield Contradiction(
                ("training.batch_size", *SIZE_OF_TRAINING),
                f"a batch of {batch_size:,} is larger than the training part, {samples}",
                f"write at most {most}",
            )
        yield from self._impossible_monitor(facts)
        if facts.task == "forecast" and self.training.class_weight == "balanced":
            yield Contradiction(
                ("training.class_weight", "data.source"),
                "balanced, but a forecast has no classes",
                "write none",
            )
        count = self.parameters(facts)
        if count > MOST_PARAMETERS:
            yield Contradiction(
                self.sized_by,
                f"the model would have {count:,} parameters ({count * 4 / 1e9:,.0f} GB)",
                f"make it smaller: at most {MOST_PARAMETERS:,}",
            )

    def foreseen(self) -> Facts:
        """What the data section says of the samples, as far as it makes sense."""
        facts = self.data.facts()
        return replace(facts, train=None, fewest=None) if any(self.data.contradictions()) else facts

    @property
    def needs_network(self) -> bool:
        """Whether the model itself is downloaded on first use."""
        return False

    def check_files(self) -> None:
        """Look into the files that the model is made of, before anything large is loaded.

        Raises:
            ModelError: one that Keras should not be given.
        """

    @property
    def sized_by(self) -> tuple[str, ...]:
        """The keys that make a model large, the strongest first."""
        return ("model.units",)

    def parameters(self, facts: Facts) -> int:  # noqa: ARG002
        """At least how many parameters the model has, as far as the facts tell."""
        return 0

    def _impossible_monitor(self, facts: Facts) -> Iterator[Contradiction]:
        monitor = self.training.monitor
        figure = monitor.removeprefix("val_")
        if facts.task is not None and figure not in {"auto", "loss", METRICS[facts.task]}:
            yield Contradiction(
                ("training.monitor", "data.source"),
                f"a {facts.task} has no {figure}",
                f"its figures are loss and {METRICS[facts.task]}, with val_ for validation",
            )
        elif monitor.startswith("val_") and facts.validation is False:
            yield Contradiction(
                ("training.monitor", "data.validation", "data.source"),
                f"{monitor}, but there is no validation part",
                f"write {figure}, or give data.validation a share"
                if "validation" in type(self.data).model_fields
                else f"write {figure}",
            )


SIZE_OF_TRAINING = (
    "data.train_per_class",
    "data.limit",
    "data.classes",
    "data.samples",
    "data.validation",
    "data.test",
    "data.source",
)
"""The keys that say how many samples are trained on."""


@dataclass(frozen=True, eq=False)
class Extractor:
    """Frozen layers that never change in a phase: they are run once over its samples."""

    model: Any
    """The keras.Model of them: (batch, …) → features."""
    preparation: Preparation | None = None
    """What makes of the samples what `model` takes: a batch at a time, as all of them together
    would take four times the memory. None where there is nothing left to do."""
    layers: str = "the frozen base"
    """What they are, in words."""
    after: Extractor | None = None
    """The one whose features it takes, where it does not take the samples themselves."""


@dataclass(frozen=True)
class Phase:
    """One stretch of training with its own samples, rate and frozen layers."""

    name: str
    """`train`, `pretrain`, `head` or `fine_tune`."""
    model: Any
    """The keras.Model that is trained; phases of a plan may share layers."""
    dataset: Dataset
    """Its samples: as the model, or the first extractor, takes them."""
    epochs: int
    learning_rate: float
    prepare: Callable[[], None] = lambda: None
    """Called before the phase: freezes and unfreezes layers."""
    preliminary: bool = False
    """Whether it learns another task than the run's: its epochs are all trained, and its best one
    is its own."""
    extractor: Extractor | None = None
    """What comes in front of `model` and is not trained with it: `model` is trained on what it
    gives."""

    @property
    def extractors(self) -> tuple[Extractor, ...]:
        """It and those that it comes after; none where there is none."""
        found, each = [], self.extractor
        while each is not None:
            found.append(each)
            each = each.after
        return tuple(found)


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
    """The whole keras.Model, from prepared samples to the answer: saved and measured."""
    dataset: Dataset
    """What is measured at the end: its test part is as `model` wants it."""
    phases: tuple[Phase, ...]
    loss: str
    """By Keras's name."""
    baselines: tuple[BaselinePlan, ...] = ()
    notes: tuple[str, ...] = ()
    """What the user should know about how the model was built."""
    preparation: Preparation | None = None
    """What was done to the pixels; None where the samples are no pictures."""

    def learned(self, dataset: Dataset) -> dict[str, Any]:
        """What it takes to treat other samples as those of the training part: data.json.

        Args:
            dataset: the samples as they were loaded, before any preparation.
        """
        preparation = None if self.preparation is None else asdict(self.preparation)
        return {**dataset.learned(), "preparation": preparation}


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
    config: type[KindConfig] = KindConfig
    """The config class: what the kind's sections must agree on, and sections of its own."""


LOSSES: Mapping[Task, str] = {
    "classification": "categorical_crossentropy",
    "forecast": "mean_squared_error",
}


def single_phase(
    model: Any,
    dataset: Dataset,
    training: TrainingSection,
    loss: str | None = None,
    preparation: Preparation | None = None,
) -> Plan:
    """The plan of a model that is simply trained."""
    phase = Phase("train", model, dataset, training.epochs, training.learning_rate)
    return Plan(model, dataset, (phase,), loss or LOSSES[dataset.task], preparation=preparation)
