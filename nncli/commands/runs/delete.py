"""`nncli runs delete RUN…`: run folders are removed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nncli import options
from nncli.errors import UsageError


def delete(
    names: options.Runs,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs_in: options.RunsInOutput = Path("outputs"),
    as_json: options.Json = False,
) -> None:
    """Delete runs, each with all that is in its folder; it asks before.

    A run that is being trained is not deleted.

    nncli runs delete cnn-digits-001 cnn-digits-002 --yes
    """
    from nncli import listing, runs
    from nncli.report.console import print_json
    from nncli.report.runs import is_confirmed, print_deleted

    found = [runs.find(name, runs_in) for name in names]
    folders = list({folder.resolve(): folder for folder in found}.values())
    for folder in folders:  # all of them, before the first is gone
        runs.check_deletable(folder)
    sizes = {folder: listing.size(folder) for folder in folders}
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(
                "nobody is there to be asked whether to delete", hint="--yes deletes without asking"
            )
        if not is_confirmed(sizes):
            sizes = {}
    for folder in sizes:
        runs.delete(folder)
        if not as_json:
            print_deleted(folder, sizes[folder])
    if as_json:
        print_json(
            {
                "document": "runs delete",
                "deleted": [{"run": str(folder), "bytes": size} for folder, size in sizes.items()],
            }
        )
