"""Which samples a trained model is to be measured on: settings of a data source for others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nncli.config import Override
from nncli.config.strict_yaml import parse
from nncli.data import SOURCES
from nncli.data.dataset import Family
from nncli.data.learned import Learned
from nncli.data.others import Others
from nncli.data.recognize import recognize
from nncli.data.source import DataSection
from nncli.errors import UsageError, closest
from nncli.schema import find_kind
from nncli.trained.model import OpenedRun

DIVIDES = ("limit", "train_per_class", "test_path", "test_labels", "labels", "size", "color")
"""Keys that tell how a run's own data is divided, or that its model tells better."""


def section_of(run: OpenedRun, given: str | None, sets: Sequence[Override]) -> DataSection:
    """The settings of other samples: as the run reads its own, where they are of the same source.

    Args:
        run: whose model is to be measured.
        given: a source, or a file or folder; None for the run's own source with other settings.
        sets: `data.KEY=VALUE` of the command line.

    Raises:
        UsageError: no such source or key, or one that gives no samples of the run's kind.
        DataError: a folder that cannot be looked into.
    """
    families = find_kind(run.stored.kind).families
    own = run.config.data
    source, path = (
        (own.source, getattr(own, "path", None)) if given is None else recognize(given, families)
    )
    family: Family | None = next(
        (each for each in families if each in SOURCES[source].sections), None
    )
    if family is None or (family == "series") != (run.learned.task == "forecast"):
        raise UsageError(
            f"{given} gives no samples that a {run.stored.kind} of {own.source} can be measured on",
            hint=f"it takes {_wanted(run.learned)}",
        )
    section = SOURCES[source].sections[family]
    values: dict[str, Any] = {}
    if source == own.source:
        kept = own.model_dump(mode="json")
        values = {key: value for key, value in kept.items() if key not in DIVIDES}
    if "size" in section.model_fields:
        values["size"] = run.learned.input_shape[0]
    values["source"] = source
    if path is not None:
        values["path"] = str(path.expanduser().absolute())
    values |= {_key(each, section): parse(each.text, each.argument).value for each in sets}
    try:
        made = section.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"data.{key}: {first['msg'][:1].lower()}{first['msg'][1:]}",
            hint=f"nncli config show {run.stored.kind} --set data.source={source} shows the keys",
        ) from error
    paths = {
        key: Path.cwd() / value
        for key in section.model_fields
        if isinstance(value := getattr(made, key), Path)
    }
    return made.model_copy(update=paths)


def read_others(run: OpenedRun, section: DataSection) -> Others:
    """The samples that such a section names, treated as the run treated its own.

    Raises:
        DataError: they are missing, damaged, of another shape or of other classes.
    """
    return SOURCES[section.source].others(section, run.learned, run.config.seed)


def _key(override: Override, section: type[DataSection]) -> str:
    """`shape` of `data.shape`.

    Raises:
        UsageError: any other key.
    """
    top, _, key = override.path.partition(".")
    if top != "data" or key not in section.model_fields:
        guess = closest(override.path, [f"data.{name}" for name in section.model_fields])
        raise UsageError(
            f"--set {override.path}: the model is trained; only keys of its data can be set",
            hint=f"did you mean {guess}?" if guess else "e.g. --set data.path=FILE",
        )
    return key


def _wanted(learned: Learned) -> str:
    if learned.task == "forecast":
        return "a series: a column of a CSV file"
    what = "pictures" if learned.is_images else "sequences"
    return f"{what} of {' × '.join(map(str, learned.input_shape))} with their classes"
