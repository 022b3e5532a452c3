"""The sections that every config has, and the base of those that models and sources add."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError


@dataclass(frozen=True)
class Contradiction:
    """Keys that are each right by themselves and exclude each other."""

    keys: tuple[str, ...]
    """Dotted, from the section that says so. It is shown at the first of them that somebody
    wrote, and not at all where one of them is wrong by itself."""
    message: str
    """What is given and why it cannot be."""
    advice: str = ""

    def below(self, path: tuple[str, ...]) -> Contradiction:
        """The same, its keys counted from a section further up."""
        keys = tuple(".".join((*path, key)) for key in self.keys)
        return Contradiction(keys, self.message, self.advice)


class Section(BaseModel):
    """A part of a config: frozen, with every key known and every value of its exact type.

    The text under a field describes it to readers, editors and shells (`nncli.config.keys`).
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, defer_build=True
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Which of this section's values exclude each other, its inner sections' left to them."""
        yield from ()

    def all_contradictions(self, path: tuple[str, ...] = ()) -> Iterator[Contradiction]:
        """Those of this section and of the sections in it."""
        for contradiction in self.contradictions():
            yield contradiction.below(path)
        for name in type(self).model_fields:
            inner = getattr(self, name)
            if isinstance(inner, Section):
                yield from inner.all_contradictions((*path, name))


def wrong_value(message: str, advice: str = "") -> PydanticCustomError:
    """What a field's own validator raises, in words for the user."""
    return PydanticCustomError("wrong_value", "{message}", {"message": message, "advice": advice})


_WORDS = {
    written: meaning
    for word, meaning in (("yes", True), ("on", True), ("no", False), ("off", False))
    for written in (word, word.capitalize(), word.upper())
}


def _from_word(value: Any) -> Any:
    """`yes`, `on`, `no` and `off`, which are text everywhere else."""
    return _WORDS.get(value, value) if isinstance(value, str) else value


Flag = Annotated[
    bool, BeforeValidator(_from_word), WithJsonSchema({"enum": [True, False, *_WORDS]})
]
"""true or false; the words that YAML 1.1 has for them are taken here, and only here."""


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


Monitor = Literal[
    "auto",
    "loss",
    "val_loss",
    "accuracy",
    "val_accuracy",
    "mean_absolute_error",
    "val_mean_absolute_error",
]


class Checkpoints(Section):
    """When the state is written that `nncli train --resume` goes on from; at the end of a phase it
    always is. Where neither is given, as often as takes no more than a fiftieth of the time."""

    every_epochs: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """After how many epochs."""
    every_minutes: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """After how many minutes, when the epoch ends."""


class TrainingSection(Section):
    """How a model is trained."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Passes over the training part."""
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 32
    """Samples per step of the optimizer; where nothing is written, never more than there are."""
    shuffle: Flag = True
    """Whether every epoch takes the samples in another order, chosen by the seed."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.001
    """Step size of the optimizer."""
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    """How the weights follow the gradient."""
    class_weight: Literal["none", "balanced"] = "none"
    """balanced weighs each class by samples / (classes · its samples), so that rare ones count as
    much; none lets every sample count the same."""
    monitor: Monitor = "auto"
    """The figure that chooses the best epoch and stops early; auto is val_loss, or loss where
    there is no validation part."""
    early_stopping: EarlyStopping | None = None
    """Stop when the monitored figure no longer improves; null trains all epochs."""
    checkpoints: Checkpoints | None = Field(default_factory=lambda: Checkpoints())
    """When the state of the training is written; null writes none, and a run that is cut off
    cannot go on."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|gpu(:[0-9]{1,3})?)$")] = "auto"
    """auto, cpu, gpu or gpu:N."""
    threads: Annotated[int, Field(ge=1, le=1024)] = Field(default_factory=available_threads)
    """CPU threads; part of what makes two runs equal to the last bit. Where nothing is written,
    all that the process may use."""
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    """What is computed in; the weights stay 32-bit numbers. The mixed ones are for GPUs, which
    they make faster and let take larger batches; a CPU is slower with them."""


class Config(Section):
    """A complete config. `nncli.schema` narrows `data`, `model` and `training` to a kind."""

    default_source: ClassVar[str] = ""
    """The data source where the config names none."""
    dependent: ClassVar[tuple[str, ...]] = ()
    """Keys whose default depends on other keys, beside those that `complete` adds."""

    kind: str
    """What is trained: rnn, lstm, cnn or transfer."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 42
    """Seeds the split, the first weights, the order of the samples, dropout and augmentation."""
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

    def across(self, facts: Any = None) -> Iterator[Contradiction]:  # noqa: ARG002
        """Which values of different sections exclude each other.

        `facts` is what is known of the samples; None takes what the config itself says of them.
        """
        yield from ()

    def settled(self, is_written: Callable[[str], bool], facts: Any = None) -> Self:  # noqa: ARG002
        """This config, with the defaults that depend on the samples.

        `is_written` says of a dotted key whether somebody gave it a value.
        """
        return self
