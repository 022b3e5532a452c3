"""`nncli config schema [KIND]`: what a config may hold, for editors and other tools."""

from __future__ import annotations

from typing import Annotated

import typer

from nncli import completion


def schema(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help="rnn, lstm, cnn or transfer; without it, the schema of all.",
            autocompletion=completion.kinds,
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of a config: every key with its meaning, default, range and choices.

    nncli config schema cnn > cnn.schema.json
    """
    from nncli.config import json_schema
    from nncli.report.console import print_document
    from nncli.schema import SCHEMAS

    print_document(json_schema(SCHEMAS, kind))
