"""`nncli train --resume RUN`: which run goes on, and what would change its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nncli import options, runs
from nncli.config import Loaded, load
from nncli.errors import RunError, UsageError
from nncli.results import PRETRAINING, TENSORBOARD
from nncli.schema import SCHEMAS
from nncli.training.checkpoint import Checkpoint, differences, newest


@dataclass(frozen=True)
class GoingOn:
    """A run that was made before, and where it goes on."""

    run: runs.Run
    state: Checkpoint | None = None
    loaded: Loaded[Any] | None = None
    """Its config; None for a finished run that is to be trained no longer."""

    @property
    def has_board(self) -> bool:
        """Whether its epochs were written for TensorBoard so far."""
        return (self.run.folder / TENSORBOARD).is_dir()

    def check_same(self, origin: Mapping[str, Any]) -> None:
        """Refuse what would lead to other numbers.

        Args:
            origin: as `origin.origin_of` gives it now.

        Raises:
            RunError: the numbers would not be those of the run that was not cut off.
        """
        assert self.state is not None
        found = differences(self.state.origin, origin)
        if found:
            more = f" and {len(found) - 3} more" if len(found) > 3 else ""
            raise RunError(
                f"{self.run.folder} cannot go on to the same numbers: {'; '.join(found[:3])}{more}",
                hint=f"put that back, or begin anew: nncli train {origin['config']['kind']} "
                f"--config {self.run.folder / 'config.yaml'}",
            )


@contextmanager
def resumed(kind: str | None, named: str, epochs: str | None, output: Path) -> Iterator[GoingOn]:
    """Open a run for this process alone, with its newest checkpoint and its config.

    Args:
        kind: what it must be, or None.
        named: its folder, its name, or latest.
        epochs: as on the command line, to train longer.
        output: the folder that run folders are made in.

    Raises:
        UsageError: no such run, or `epochs` that do not fit it.
        RunError: it cannot go on.
    """
    folder = runs.find(named, output)
    with runs.reopen(folder) as run:
        if run.record.get("status") == "finished" and epochs is None:
            yield GoingOn(run)
            return
        state = newest(folder)
        longer = options.overrides(None, epochs=epochs)
        loaded = load(SCHEMAS, kind, str(folder / "config.yaml"), longer)
        if epochs is not None:
            _check_longer(state, loaded.config.training.epochs, folder)
        yield GoingOn(run, state, loaded)


def _check_longer(state: Checkpoint, epochs: int, folder: Path) -> None:
    """More epochs may follow those that are over, nothing before them may change.

    Raises:
        UsageError: fewer than are over, or another phase or an early stop came after them.
    """
    phase = state.history[-1].phase
    done = sum(record.phase == phase for record in state.history)
    anew = f"for a new run: nncli train KIND --config {folder / 'config.yaml'} --epochs {epochs}"
    if phase == PRETRAINING:
        return
    if phase == "fine_tune":
        raise UsageError(
            "--epochs are those of the new head, and its base is being fine-tuned already",
            hint=anew,
        )
    if epochs < done:
        raise UsageError(f"{done} epochs are trained, --epochs {epochs} is fewer", hint=anew)
    if state.stopped == "early stopping" and epochs > done:
        raise UsageError(f"the training stopped by itself after {done} epochs", hint=anew)
