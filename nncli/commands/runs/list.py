"""`nncli runs list`: the runs in a folder, filtered and sorted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nncli import completion, options
from nncli.errors import UsageError

if TYPE_CHECKING:
    from nncli.results import RunRow


def list_runs(
    runs_in: options.RunsInOutput = Path("outputs"),
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Those of one kind: rnn, lstm, cnn or transfer.",
            autocompletion=completion.kinds,
        ),
    ] = None,
    status: Annotated[
        Literal["finished", "interrupted", "failed", "running", "cut-off", "damaged"] | None,
        typer.Option(help="Those that are so."),
    ] = None,
    sort: Annotated[
        Literal["started", "metric", "epochs", "time", "name"],
        typer.Option(help="The newest, best or longest first."),
    ] = "started",
    reverse: Annotated[bool, typer.Option("--reverse", help="These last.")] = False,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="No more than the first N.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List the runs: kind, data, best metric, epochs, time and status.

    A run that was killed is told from one that is running: it is cut off.

    nncli runs list --kind cnn --sort metric
    """
    from nncli import listing
    from nncli.report.console import print_json
    from nncli.report.runs import list_document, print_runs

    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} shows nothing", hint="give a number of 1 or more")
    if runs_in.exists() and not runs_in.is_dir():
        raise UsageError(f"{runs_in} is not a folder", hint="--output names one with runs in it")
    there = listing.rows(runs_in)
    wanted = _filtered(there, kind, None if status is None else status.replace("-", " "))
    shown = listing.ordered(wanted, sort, reverse=reverse)[:limit]
    if as_json:
        print_json(list_document(shown, matching=len(wanted), total=len(there)))
    else:
        print_runs(shown, matching=len(wanted), total=len(there), root=runs_in)


def _filtered(rows: list[RunRow], kind: str | None, status: str | None) -> list[RunRow]:
    """The rows of a kind and a status.

    Raises:
        UsageError: no such kind.
    """
    if kind is not None and kind not in {row.kind for row in rows}:
        from nncli.schema import find_kind

        find_kind(kind)
    return [
        row
        for row in rows
        if (kind is None or row.kind == kind) and (status is None or row.status == status)
    ]
