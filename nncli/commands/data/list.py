"""`nncli data list`: where samples can come from."""

from __future__ import annotations

from nncli.options import Json


def list_sources(as_json: Json = False) -> None:
    """List the data sources: what learns from each, and whether it needs a path or a download."""
    from nncli.data import SOURCES
    from nncli.data.recognize import needs_path
    from nncli.models import KINDS
    from nncli.report.console import print_json
    from nncli.report.data import print_sources, source_document
    from nncli.results import SourceRow

    rows = [
        SourceRow(
            name=source.name,
            kinds=tuple(
                kind.name for kind in KINDS.values() if {*kind.families} & {*source.families}
            ),
            summary=source.summary,
            needs_path=needs_path(source.name),
            needs_network=source.needs_network,
        )
        for source in SOURCES.values()
    ]
    if as_json:
        print_json(source_document(rows))
    else:
        print_sources(rows)
