"""The figures of each epoch as TensorBoard reads them, in a folder of the run. TensorFlow's own.

    tensorboard/train             epoch_loss, epoch_accuracy, …, epoch_learning_rate
    tensorboard/validation        epoch_loss, epoch_accuracy, …
    tensorboard/pretrain/train    of a phase that learns another task, or of a network to compare
    …                             with: its epochs count for themselves

Names and folders are those of Keras's own callback, so that runs of both can be laid over each
other; the numbers are those of history.csv, at its epochs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nncli import backend, process
from nncli.errors import in_one_line
from nncli.listener import Listener
from nncli.results import EpochRecord


class Board(Listener):
    """Writes what it hears. Where it cannot, it says so once, and the training goes on."""

    def __init__(
        self,
        folder: Path,
        apart: Iterable[str],
        listener: Listener,
        history: Iterable[EpochRecord] = (),
    ) -> None:
        """Begin the folder anew: with the epochs that a run goes on from, each once.

        Args:
            folder: where the files will be; what is in it is removed.
            apart: names of the phases whose epochs count for themselves.
            listener: hears that something cannot be written.
            history: the epochs that are over.
        """
        self.folder, self.apart, self.listener = folder, frozenset(apart), listener
        self._writers: dict[str, Any] | None = {}
        with self._kept():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for record in history:
            self.epoch(record, record.epoch)

    def epoch(self, record: EpochRecord, number: int) -> None:  # noqa: ARG002
        """Write its figures."""
        with self._kept():
            place = f"{record.phase}/" if record.phase in self.apart else ""
            train = {name: x for name, x in record.metrics.items() if not name.startswith("val_")}
            self._write(
                f"{place}train", {**train, "learning_rate": record.learning_rate}, record.epoch
            )
            validation = {
                name.removeprefix("val_"): value
                for name, value in record.metrics.items()
                if name.startswith("val_")
            }
            if validation:
                self._write(f"{place}validation", validation, record.epoch)

    def close(self) -> None:
        """Finish the files."""
        with self._kept():
            for writer in (self._writers or {}).values():
                writer.close()

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """What goes wrong in the block is told, and costs nothing but the files."""
        try:
            with process.signals_stay_signals():
                yield
        except Exception as error:  # whatever it is, it must not cost the training
            self._writers = None
            reason = in_one_line(error)
            self.listener.note(f"nothing more is written into {self.folder}: {reason}")

    def _write(self, part: str, figures: dict[str, float], epoch: int) -> None:
        if self._writers is None:
            return
        summary = backend.tensorflow().summary
        if part not in self._writers:
            if not self.folder.is_dir():  # it would be made anew, and the run's with it
                raise FileNotFoundError("it was removed")
            self._writers[part] = summary.create_file_writer(str(self.folder / part))
        with self._writers[part].as_default():
            for name, value in figures.items():
                summary.scalar(f"epoch_{name}", value, step=epoch)
        self._writers[part].flush()  # whoever looks sees the epoch
