"""`nncli runs diff A B`: in what two runs differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nncli import completion, options


def diff(
    one: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="A run's folder, its name or the beginning of it, or latest.",
            autocompletion=completion.runs,
        ),
    ],
    other: Annotated[
        str, typer.Argument(metavar="B", help="Another.", autocompletion=completion.runs)
    ],
    runs_in: options.RunsInOutput = Path("outputs"),
    as_json: options.Json = False,
) -> None:
    """Show in which settings two runs differ, and what each reached.

    Samples, versions and device are told too where they are not the same.

    nncli runs diff cnn-digits-001 latest
    """
    from nncli import listing, runs
    from nncli.report.console import print_json
    from nncli.report.run_difference import difference_document, print_difference

    found = listing.difference(runs.find(one, runs_in), runs.find(other, runs_in))
    if as_json:
        print_json(difference_document(found))
    else:
        print_difference(found)
