"""Options that several commands take, and what they mean for a config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from nncli import completion

if TYPE_CHECKING:
    from nncli.config import Override

ConfigName = Annotated[
    str | None,
    typer.Option(
        "--config",
        "-c",
        metavar="NAME|PATH",
        help="A shipped config or a file.",
        autocompletion=completion.configs,
    ),
]
# These are text, so that a slip in one of them is shown like one in a config, and beside it.
Epochs = Annotated[str | None, typer.Option(metavar="N", help="Passes over the training part.")]
BatchSize = Annotated[str | None, typer.Option(metavar="N", help="Samples per step.")]
LearningRate = Annotated[str | None, typer.Option(metavar="X", help="Step size of the optimizer.")]
Seed = Annotated[str | None, typer.Option(metavar="N", help="Repeats a run exactly.")]
Device = Annotated[str | None, typer.Option(metavar="DEVICE", help="auto, cpu, gpu or gpu:N.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any config key; may be repeated.",
        autocompletion=completion.settings,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def overrides(
    sets: Sequence[str] | None,
    *,
    epochs: str | None,
    batch_size: str | None,
    learning_rate: str | None,
    seed: str | None,
    device: str | None,
) -> list[Override]:
    """What the command line changes in a config: `--set` first, then the named options.

    Raises:
        UsageError: a `--set` that is not KEY=VALUE.
    """
    from nncli.config import Override

    named = (
        ("training.epochs", "--epochs", epochs),
        ("training.batch_size", "--batch-size", batch_size),
        ("training.learning_rate", "--learning-rate", learning_rate),
        ("seed", "--seed", seed),
        ("training.device", "--device", device),
    )
    given = [Override.from_set(text) for text in sets or ()]
    return given + [
        Override.from_option(path, option, text) for path, option, text in named if text is not None
    ]
