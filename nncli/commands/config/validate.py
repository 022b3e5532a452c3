"""`nncli config validate FILE...`: every mistake in any number of configs."""

from __future__ import annotations

from typing import Annotated

import typer

from nncli import completion
from nncli.errors import ExitCode, UsageError
from nncli.options import Json


def validate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Config files, or names of shipped ones.",
            autocompletion=completion.configs,
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="What they train, where they do not say it.",
            autocompletion=completion.kinds,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check configs without running anything; exit code 2 where one has a mistake.

    nncli config validate configs/*.yaml
    """
    from nncli.config import load
    from nncli.report.config import Checked, check_document, print_checked
    from nncli.report.console import print_json
    from nncli.schema import SCHEMAS, find_kind

    if kind is not None:
        find_kind(kind)
    checked = []
    for file in files:
        try:
            loaded = load(SCHEMAS, kind, file)
            checked.append(Checked(file, loaded.config.kind, loaded.config.data.source))
        except UsageError as error:
            checked.append(Checked(file, error=error))
    if as_json:
        print_json(check_document(checked))
    else:
        print_checked(checked)
    if any(row.error for row in checked):
        raise typer.Exit(ExitCode.USAGE)
