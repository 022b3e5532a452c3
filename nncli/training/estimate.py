"""How many bytes a run will take on the disk, told before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from nncli.config import TrainingSection
from nncli.models.kind import Plan
from nncli.results import Task
from nncli.training.checkpoint import KEPT
from nncli.training.measure import SHOWN_RIGHT
from nncli.training.memory import BYTES, numbers

SLOTS = {"adam": 2, "adamw": 2, "sgd": 0, "rmsprop": 1}
"""Numbers that each optimizer keeps for every weight it trains."""
PICTURES: Mapping[Task, int] = {"classification": 1_600_000, "forecast": 900_000}
"""Of the pictures and the report together; they hardly depend on the size of the model."""
TEXTS = 60_000
"""Of the config, the tables and the summary, and of all that a model's file holds but numbers."""
EPOCH = 400
"""Of an epoch's row, in the history and in the checkpoints."""


@dataclass(frozen=True)
class Estimate:
    """Bytes of the files of a run."""

    checkpoint: int
    """Of one file of the state; 0 where none is written."""
    model: int
    """Of the saved model, with the state of its optimizer where it has one."""
    answers: int
    """Of what the model says of the test part."""
    pictures: int
    """Of the pictures and the report; 0 where none are drawn."""
    texts: int
    """Of all else."""

    @property
    def peak(self) -> int:
        """What is on the disk at the worst moment.

        That is the writing of a checkpoint while the two before it are still there; the saving of
        the model beside these two; or the last picture, with one checkpoint left.
        """
        saved = self.model + self.answers
        moments = (
            (KEPT + 1) * self.checkpoint,
            KEPT * self.checkpoint + saved,
            self.checkpoint + saved + self.pictures,
        )
        return max(moments) + self.texts


def estimate(plan: Plan, training: TrainingSection, *, pictures: bool) -> Estimate:
    """The size of a run from its plan.

    Cached features are no part of it: they lie elsewhere, and only what has room there is kept.

    Args:
        plan: from the kind's `plan`.
        training: its optimizer, and whether there are checkpoints.
        pictures: whether the run is drawn.
    """
    slots = SLOTS[training.optimizer]
    trained = _trained(plan)
    last = trained[-1] if plan.phases[-1].model is plan.model else 0
    epochs = sum(phase.epochs for phase in plan.phases)
    return Estimate(
        checkpoint=0 if training.checkpoints is None else _checkpoint(trained, slots),
        model=BYTES * (plan.model.count_params() + slots * last),
        answers=_answers(plan),
        pictures=PICTURES[plan.dataset.task] if pictures else 0,
        texts=TEXTS + EPOCH * epochs,
    )


def _trained(plan: Plan) -> list[int]:
    """How many weights each phase trains; the first phase is prepared again when it begins."""
    counts = []
    for phase in plan.phases:
        phase.prepare()
        counts.append(numbers(phase.model.trainable_weights))
    plan.phases[0].prepare()
    return counts


def _checkpoint(trained: list[int], slots: int) -> int:
    """The largest one: all weights that phases have trained so far, the optimizer's numbers of
    the present phase, and the weights of its best epoch."""
    sizes = [sum(trained[:n]) + (1 + slots) * count + count for n, count in enumerate(trained)]
    return BYTES * max(sizes)


def _answers(plan: Plan) -> int:
    """The probabilities and truth of each test sample, and the few samples that are shown."""
    test = plan.dataset.test
    answer: int = prod(size or 1 for size in plan.model.output_shape[1:])
    shown: int = min(len(test), SHOWN_RIGHT) * prod(test.x.shape[1:])
    return BYTES * shown + len(test) * (BYTES * answer + 8)
