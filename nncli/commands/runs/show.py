"""`nncli runs show RUN`: what is known of one run."""

from __future__ import annotations

from pathlib import Path

from nncli import options


def show(
    name: options.Run,
    runs_in: options.RunsInOutput = Path("outputs"),
    as_json: options.Json = False,
) -> None:
    """Show one run: how it was made, what it reached, its files.

    nncli runs show latest
    """
    from nncli import listing, runs
    from nncli.report.console import print_json
    from nncli.report.run_details import details_document, print_details

    run = listing.details(runs.find(name, runs_in))
    if as_json:
        print_json(details_document(run))
    else:
        print_details(run)
