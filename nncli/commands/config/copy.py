"""`nncli config copy NAME [DEST]`: a shipped config as a file of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nncli import completion
from nncli.errors import UsageError
from nncli.options import Json


def copy(
    name: Annotated[
        str,
        typer.Argument(help="A shipped config.", autocompletion=completion.configs),
    ],
    target: Annotated[
        Path | None,
        typer.Argument(metavar="[DEST]", help="A file or a folder; else NAME.yaml, here."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    as_json: Json = False,
) -> None:
    """Copy a shipped config, and its schema beside it, by which editors complete and check it.

    nncli config copy cnn-fashion-mnist my.yaml
    """
    import json

    from nncli.config import json_schema, shipped_configs
    from nncli.config.shipped import copied
    from nncli.errors import unknown_name
    from nncli.files import write_text
    from nncli.report.config import print_copied
    from nncli.report.console import print_json
    from nncli.schema import SCHEMAS, kind_of

    if name not in shipped_configs():
        raise unknown_name("config", name, list(shipped_configs()), see="nncli config list")
    if target is None:
        target = Path(f"{name}.yaml")
    elif target.is_dir():
        target = target / f"{name}.yaml"
    kind = kind_of(name)
    schema = target.with_name(f"{kind}.schema.json")
    text = json.dumps(json_schema(SCHEMAS, kind), indent=2, ensure_ascii=False) + "\n"
    if target.exists() and not force:
        raise UsageError(f"{target} is already there", hint="give another name, or --force")
    fresh = not schema.exists()
    if fresh or force or _is_ours(schema):
        write_text(schema, text)
    else:
        raise UsageError(
            f"{schema} is already there, and it is not a schema of nncli",
            hint="give another folder, or --force",
        )
    write_text(target, copied(name, target, Path(schema.name)))
    if as_json:
        print_json({"document": "config copy", "config": str(target), "schema": str(schema)})
    else:
        print_copied(kind, target, schema)


def _is_ours(schema: Path) -> bool:
    """Whether a file says that nncli wrote it."""
    import json

    try:
        title = json.loads(schema.read_text(encoding="utf-8")).get("title", "")
    except (OSError, ValueError, AttributeError):
        return False
    return str(title).startswith("nncli config")
