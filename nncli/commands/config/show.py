"""`nncli config show NAME`: the complete config, and where each of its values comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nncli import completion, options
from nncli.errors import UsageError

if TYPE_CHECKING:
    from nncli.documents.config import ConfigShow


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="KIND|NAME|PATH",
            help="A kind (rnn, lstm, cnn, transfer), a shipped config or a file.",
            autocompletion=completion.kinds_and_configs,
        ),
    ],
    config: options.ConfigName = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    learning_rate: options.LearningRate = None,
    seed: options.Seed = None,
    device: options.Device = None,
    threads: options.Threads = None,
    sets: options.Set = None,
    origins: Annotated[
        bool, typer.Option("--origins", help="Say behind each value where it comes from.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Print the complete config that a training would use; its options are those of train.

    nncli config show cnn --config my.yaml --set training.epochs=3 --origins
    """
    from nncli.config import load, to_dict, to_yaml
    from nncli.report.config import print_yaml
    from nncli.report.console import print_json
    from nncli.schema import SCHEMAS

    given = options.overrides(
        sets,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        device=device,
        threads=threads,
    )
    kind = name if name in SCHEMAS else None
    if kind is None and config is not None:
        raise UsageError(
            f"{name} and {config} are two configs",
            hint=f"nncli config show {name}, or a kind with --config: {', '.join(SCHEMAS)}",
        )
    loaded = load(SCHEMAS, kind, config if kind else name, given)
    places = loaded.origins() if origins else None
    if as_json:
        document: ConfigShow = {"document": "config show", "config": to_dict(loaded.config)}
        if places is not None:
            document["origins"] = places
        print_json(document)
    else:
        print_yaml(to_yaml(loaded.config, origins=places))
