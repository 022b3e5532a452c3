"""`nncli data check`: what will be trained on, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nncli import completion, options
from nncli.errors import ConfigError, DataError, ExitCode, UsageError

if TYPE_CHECKING:
    from nncli.config import Loaded, Override
    from nncli.data.dataset import Dataset, Family
    from nncli.plots import FailedFigure, SavedFigure
    from nncli.results import DataFinding, DataReport

FOLDER = Path("outputs/data")


def check(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[SOURCE|PATH]",
            help="A source (nncli data list shows them), or a file or folder of your own: pictures "
            "in class folders, .ts, .csv, .npz, .npy, idx.",
            autocompletion=completion.sources,
        ),
    ] = None,
    config: options.ConfigName = None,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="What it is to train: rnn, lstm, cnn or transfer; else what fits the data.",
            autocompletion=completion.kinds,
        ),
    ] = None,
    seed: options.Seed = None,
    sets: options.Set = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder that the picture is saved in.")
    ] = FOLDER,
    no_picture: Annotated[
        bool, typer.Option("--no-picture", help="Draw no picture of the samples.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Errors and the result line only.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Check data before training: counts, ranges, balance, copies, leaks, unreadable files.

    The data is read and divided as train does it. Ends with 3 where it must not be trained on.

    nncli data check photos

    nncli data check --config cnn-fashion-mnist
    """
    from nncli.report.console import print_json
    from nncli.report.data import data_document, print_data_report

    if source is None and config is None and kind is None:
        raise UsageError(
            "no data is named",
            hint="nncli data check digits, or with a path of your own: nncli data check photos",
        )
    given = options.overrides(sets, seed=seed)
    readings = _readings(source, config, kind, given)
    report, dataset, chosen_seed = _checked(readings)
    drawn = None
    if dataset is not None and not no_picture:
        name = Path(report.path or "").stem or report.source
        drawn = _draw(dataset, chosen_seed, output, name)
    picture, shows, failed = _drawn(drawn)
    if as_json:
        print_json(data_document(report, picture=picture, shows=shows, failed=failed))
    else:
        print_data_report(
            "nncli data check", report, picture=picture, shows=shows, failed=failed, quiet=quiet
        )
    if report.errors:
        raise typer.Exit(ExitCode.DATA)


def _readings(
    source: str | None, config: str | None, kind: str | None, given: Sequence[Override]
) -> list[Loaded[Any]]:
    """The configs by which the data may be read, the likeliest first.

    Raises:
        UsageError: what is named is not known, or a config with mistakes.
    """
    from nncli.config import load
    from nncli.schema import SCHEMAS, find_kind

    row = find_kind(kind) if kind is not None else None
    if source is None:
        return [load(SCHEMAS, kind, config, given)]
    if config is not None:
        return [load(SCHEMAS, kind, config, [*options.data_in(config, kind, source), *given])]
    named, families = options.data_named(source, row.families if row is not None else ())
    kinds = [kind] if kind is not None else [_kind_for(family) for family in families]
    readings = [load(SCHEMAS, kinds[0], None, [*named, *given])]
    for other in kinds[1:]:
        with suppress(ConfigError):  # what is set is for the first
            readings.append(load(SCHEMAS, other, None, [*named, *given]))
    return readings


def _kind_for(family: Family) -> str:
    """The kind of model whose own data is of a family."""
    from nncli.data import SOURCES
    from nncli.models import KINDS

    return next(
        kind.name for kind in KINDS.values() if family in SOURCES[kind.default_source].families
    )


def _checked(readings: Sequence[Loaded[Any]]) -> tuple[DataReport, Dataset | None, int]:
    """The report on the first reading that succeeds, the samples, and the seed."""
    from nncli import data
    from nncli.data.check import check as look_through
    from nncli.data.check import unreadable

    reports = []
    for loaded in readings:
        settings = loaded.config
        try:
            dataset = data.load(settings.data, settings.seed)
        except DataError as error:
            reports.append(unreadable(settings.data, error, kind=settings.kind))
            continue
        report = look_through(
            dataset,
            settings.data,
            kind=settings.kind,
            preprocessing=getattr(settings.model, "preprocessing", None),
        )
        findings = (*_unfit(loaded, dataset), *report.findings)
        return replace(report, findings=findings), dataset, settings.seed
    return reports[0], None, readings[0].config.seed


def _unfit(loaded: Loaded[Any], dataset: Dataset) -> list[DataFinding]:
    """Where the config takes the samples for something else."""
    from nncli.results import DataFinding

    try:
        loaded.settle(dataset.facts)
    except ConfigError as error:
        return [
            DataFinding("error", "config", f"{problem.path}: {problem.message}", problem.advice)
            for problem in error.problems
        ]
    return []


def _draw(dataset: Dataset, seed: int, folder: Path, name: str) -> SavedFigure | FailedFigure:
    from nncli.data.preview import preview
    from nncli.plots import save_one
    from nncli.plots.figure import LIGHT
    from nncli.plots.samples import draw_samples, samples_finding

    def draw() -> tuple[Any, str]:
        shown = preview(dataset, seed)
        return draw_samples(shown, LIGHT), samples_finding(shown)

    return save_one("data", folder / f"data-{name}.png", draw, "what is trained on")


def _drawn(drawn: SavedFigure | FailedFigure | None) -> tuple[Path | None, str, str]:
    """The file, what it shows, and why there is none."""
    from nncli.plots import FailedFigure

    if drawn is None:
        return None, "", ""
    if isinstance(drawn, FailedFigure):
        return None, "", drawn.reason
    return drawn.path, drawn.finding, ""
