"""What training tells while it works."""

from __future__ import annotations

from nncli.results import EpochRecord


class Listener:
    """Hears what training does. This one is silent; the terminal's are in `nncli.report`."""

    def status(self, text: str) -> None:
        """Something other than an epoch has begun: `extracting features of 2,000 images`."""

    def phase(self, name: str, epochs: int, steps: int) -> None:
        """A phase begins: at most `epochs` epochs of `steps` steps."""

    def step(self, step: int) -> None:
        """Step number `step` of the running epoch begins, counted from 0."""

    def epoch(self, record: EpochRecord, number: int) -> None:
        """An epoch is finished, the `number`th of its phase."""

    def close(self) -> None:
        """Training has ended, well or not: give the terminal back."""
