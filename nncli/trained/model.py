"""A finished run with its model: what every use of it begins with.

    opened = open_run(folder)        all of it but the model, without TensorFlow
    opened.start()
    model = opened.load_model()
    answers = predict(model, opened.prepared(x))

The model is the best epoch's, as training measured it: on a CPU it gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nncli import backend, runs
from nncli.backend import Device
from nncli.config import Override, load
from nncli.data.learned import Learned
from nncli.data.samples import Inputs, prepared
from nncli.errors import ConfigError, ModelError, RunError, in_one_line
from nncli.models.applications import APPLICATIONS
from nncli.models.fused import fuse, use_loops
from nncli.models.gate import check_model_file
from nncli.models.kind import KindConfig
from nncli.models.preprocessing import Preparation
from nncli.models.shares import share_out
from nncli.results import StoredRun
from nncli.schema import SCHEMAS

PREPARATIONS = frozenset({"unit", "none", *APPLICATIONS})
"""What may be done to pixels, as `models.preprocessing.scale` knows it."""


@dataclass(frozen=True)
class OpenedRun:
    """A run that has a model, and how its samples were treated."""

    folder: Path
    stored: StoredRun
    config: KindConfig
    """Its config.yaml, checked."""
    learned: Learned
    """Its data.json."""
    preparation: Preparation | None
    """What is done to pixels in 0..255 before the model sees them; None for sequences."""

    @property
    def model_file(self) -> Path:
        """Its saved model."""
        return self.folder / "model.keras"

    def prepared(self, x: Inputs) -> Inputs:
        """Samples as `nncli.data` gives them, as the model wants them.

        Args:
            x: (samples, height, width, channels) in 0..255, or (samples, steps, features) scaled.
        """
        return x if self.preparation is None else prepared(x, self.preparation)

    def start(self) -> Device:
        """Set TensorFlow up as the run's config says: what comes before `load_model`.

        Raises:
            UsageError: a GPU that is not there.
            BackendError: TensorFlow does not start.
        """
        section = self.config.training
        return backend.start(section.device, section.threads, self.config.seed, section.precision)

    def load_model(self, *, plain: bool = False) -> Any:
        """The keras.Model: (batch, …) prepared samples → answers; after `backend.start`.

        Args:
            plain: as Keras writes it, which other runtimes can do: no LSTM by one operation of
                TensorFlow's or cuDNN's, no batch in shares.

        Raises:
            ModelError: it cannot be loaded, or does not fit the run's data.json.
        """
        try:
            model = backend.keras().models.load_model(self.model_file, compile=False)
        except Exception as error:
            reason = in_one_line(error) or type(error).__name__
            raise ModelError(
                f"{self.model_file} cannot be loaded: {reason[:300]}",
                hint="it is damaged, or of another Keras: train again",
            ) from error
        self._check_fit(model)
        if plain:
            use_loops(model)
            return model
        fuse(model)
        share_out(model)
        return model

    def _check_fit(self, model: Any) -> None:
        """Refuse a model that is not the one that data.json tells of."""
        wanted = self.learned.input_shape
        if self.preparation is not None:
            wanted = self.preparation.shape_of(wanted)
        answers = len(self.learned.classes) or 1
        given = [tuple(tensor.shape[1:]) for tensor in (*model.inputs, *model.outputs)]
        if len(given) != 2 or given[0] != wanted or given[1][-1] != answers:
            raise ModelError(
                f"{self.model_file} takes {given[0]} and answers {given[-1]}, but by its data.json "
                f"the run takes {wanted} and answers {answers} number(s)",
                hint="the file is not the one that this run saved: train again",
            )


def open_run(folder: Path, overrides: Sequence[Override] = ()) -> OpenedRun:
    """Read a run that has a model, and look into the model's file before Keras is given it.

    Args:
        folder: the run's.
        overrides: of its config, for what does not change the model: device and threads.

    Raises:
        ConfigError: an override that is wrong.
        RunError: the run is not over, or one of its files is damaged.
        ModelError: a model file that Keras should not be given.
    """
    stored = runs.load(folder)
    data_file = folder / "data.json"
    lacking = [name for name in Learned.model_fields if name not in stored.data]
    if lacking:
        raise RunError(
            f"{data_file} does not tell of {', '.join(lacking[:3])}: the run is of an older nncli",
            hint=f"train again: nncli train {stored.kind} --config {folder / 'config.yaml'}",
        )
    try:
        learned = Learned.of(stored.data)
    except ValueError as error:
        raise RunError(f"{data_file} is damaged: {error}", hint="train again") from error
    if learned.task != stored.task:
        raise RunError(
            f"{data_file} tells of a {learned.task}, metrics.json of a {stored.task}",
            hint="they are of two runs: train again",
        )
    told = learned.preparation
    if told is not None and (
        told.preprocessing not in PREPARATIONS or told.channels not in {None, 3}
    ):
        raise RunError(
            f"{data_file} is damaged: no preparation {told.preprocessing!r}", hint="train again"
        )
    try:
        config = load(SCHEMAS, stored.kind, str(folder / "config.yaml"), overrides).config
    except ConfigError as error:
        if not all(problem.line for problem in error.problems):  # on the command line
            raise
        raise RunError(
            f"{folder / 'config.yaml'} is damaged: {error.problems[0].path}: "
            f"{error.problems[0].message}",
            hint="train again",
        ) from error
    if not (folder / "model.keras").is_file():
        raise RunError(
            f"{folder} has no model.keras",
            hint="no epoch of it was finished: train again",
        )
    check_model_file(folder / "model.keras")
    return OpenedRun(
        folder=folder,
        stored=stored,
        config=config,
        learned=learned,
        preparation=None if told is None else Preparation(told.preprocessing, told.channels),
    )
