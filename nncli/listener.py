"""What training tells while it works."""

from __future__ import annotations

from dataclasses import dataclass

from nncli.results import EpochRecord


@dataclass(frozen=True)
class PhaseStart:
    """A phase that begins."""

    name: str
    """`train`, `pretrain`, `head`, `fine_tune`; of a baseline `scratch` or `random`."""
    epochs: int
    """At most so many."""
    steps: int
    """Of each epoch."""
    monitor: str
    """The figure that chooses its best epoch, `val_loss`."""
    metric: str
    """What is measured beside the loss, `accuracy`."""
    position: int = 1
    """Which of the phases it is, counted from 1, baselines included."""
    count: int = 1
    """How many there are."""


class Listener:
    """Hears what training does. This one is silent; the terminal's are in `nncli.report`."""

    def status(self, text: str, *, takes_long: bool = False) -> None:
        """Something other than an epoch has begun: `extracting features of 2,000 images`.

        What takes long is told wherever the progress is shown, the rest only where it leaves no
        trace.
        """

    def note(self, text: str) -> None:
        """Something that the user should know, and that changes no result."""

    def phase(self, start: PhaseStart) -> None:
        """A phase begins."""

    def step(self, step: int) -> None:
        """Step number `step` of the running epoch begins, counted from 0."""

    def epoch(self, record: EpochRecord, number: int) -> None:
        """An epoch is finished, the `number`th of its phase."""

    def close(self) -> None:
        """All is done, well or not: give the terminal back."""


class Listeners(Listener):
    """Several that hear the same."""

    def __init__(self, *listeners: Listener) -> None:
        self.listeners = listeners

    def status(self, text: str, *, takes_long: bool = False) -> None:
        """Tell all of them."""
        for each in self.listeners:
            each.status(text, takes_long=takes_long)

    def note(self, text: str) -> None:
        """Tell all of them."""
        for each in self.listeners:
            each.note(text)

    def phase(self, start: PhaseStart) -> None:
        """Tell all of them."""
        for each in self.listeners:
            each.phase(start)

    def step(self, step: int) -> None:
        """Tell all of them."""
        for each in self.listeners:
            each.step(step)

    def epoch(self, record: EpochRecord, number: int) -> None:
        """Tell all of them."""
        for each in self.listeners:
            each.epoch(record, number)

    def close(self) -> None:
        """Tell all of them."""
        for each in self.listeners:
            each.close()
