"""`nncli schema [COMMAND]`: what `--json` prints, for whatever reads it."""

from __future__ import annotations

from typing import Annotated

import typer

from nncli import completion


def schema(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND",
            help="train, runs list, data, …; without it, the schema of all.",
            autocompletion=completion.documents,
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of what a command prints with --json, errors too.

    Each key is there with its meaning, and each document says in its key document which it is.
    For the schema of a config: nncli config schema.

    nncli schema runs list > runs-list.schema.json
    """
    from nncli.documents.every import commands
    from nncli.documents.json_schema import json_schema
    from nncli.errors import unknown_name
    from nncli.report.console import print_document

    command = " ".join(words or ())
    if command and command not in commands():
        raise unknown_name("command with --json", command, list(commands()))
    print_document(json_schema(command))
