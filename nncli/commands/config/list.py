"""`nncli config list`: the configs that travel with nncli."""

from __future__ import annotations

from nncli.options import Json


def list_configs(as_json: Json = False) -> None:
    """List the shipped configs: kind, data, what for, and whether the first use downloads."""
    from nncli.report.config import print_shipped
    from nncli.report.console import print_json
    from nncli.schema import shipped

    rows = shipped()
    if as_json:
        print_json({"document": "config list", "configs": rows})
    else:
        print_shipped(rows)
