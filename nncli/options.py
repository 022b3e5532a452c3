"""Options that several commands take, and what they mean for a config."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nncli import completion
from nncli.errors import ExitCode, RequirementError, UsageError

if TYPE_CHECKING:
    from nncli.config import Override
    from nncli.data.dataset import Family
    from nncli.requirements import Verdict

COMPARISONS = Path("outputs/comparisons")
LONGEST_NAME = 80
"""Letters of a file's name before its ending."""

ConfigName = Annotated[
    str | None,
    typer.Option(
        "--config",
        "-c",
        metavar="NAME|PATH",
        help="A shipped config or a file.",
        autocompletion=completion.configs,
    ),
]
# These are text, so that a slip in one of them is shown like one in a config, and beside it.
Epochs = Annotated[str | None, typer.Option(metavar="N", help="Passes over the training part.")]
BatchSize = Annotated[str | None, typer.Option(metavar="N", help="Samples per step.")]
LearningRate = Annotated[str | None, typer.Option(metavar="X", help="Step size of the optimizer.")]
Seed = Annotated[str | None, typer.Option(metavar="N", help="Repeats a run exactly.")]
Device = Annotated[str | None, typer.Option(metavar="DEVICE", help="auto, cpu, gpu or gpu:N.")]
Threads = Annotated[str | None, typer.Option(metavar="N", help="CPU threads; else all.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any config key; may be repeated.",
        autocompletion=completion.settings,
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        "-d",
        metavar="SOURCE|PATH",
        help="A data source, or a file or folder of your own.",
        autocompletion=completion.sources,
    ),
]
Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN",
        help="A run's folder, its name or the beginning of it, or latest.",
        autocompletion=completion.runs,
    ),
]
Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run's folder, its name or the beginning of it, or latest.",
        autocompletion=completion.runs,
    ),
]
RunsIn = Annotated[
    Path, typer.Option("--runs-in", metavar="FOLDER", help="Where runs are looked for.")
]
# as train and as plot call it
RunsInOutput = Annotated[
    Path,
    typer.Option(
        "--output", "-o", "--runs-in", metavar="FOLDER", help="Where runs are looked for."
    ),
]
Require = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIGURE>=VALUE",
        help="End with 5 if a figure of metrics.json is not so: 'test.accuracy >= 0.97'. "
        "Repeatable.",
    ),
]


def _writable(path: Path | None) -> Path | None:
    """Before hours of work, not after them."""
    if path is not None:
        from nncli.files import check_writable

        check_writable(path)
    return path


JUnit = Annotated[
    Path | None,
    typer.Option(
        help="Write what was required, and whether it is so, as JUnit's XML.", callback=_writable
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="The result and errors only.")]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout; see nncli schema.")
]


def overrides(
    sets: Sequence[str] | None,
    *,
    epochs: str | None = None,
    batch_size: str | None = None,
    learning_rate: str | None = None,
    seed: str | None = None,
    device: str | None = None,
    threads: str | None = None,
) -> list[Override]:
    """What the command line changes in a config: `--set` first, then the named options.

    Raises:
        UsageError: a `--set` that is not KEY=VALUE.
    """
    from nncli.config import Override

    named = (
        ("training.epochs", "--epochs", epochs),
        ("training.batch_size", "--batch-size", batch_size),
        ("training.learning_rate", "--learning-rate", learning_rate),
        ("seed", "--seed", seed),
        ("training.device", "--device", device),
        ("training.threads", "--threads", threads),
    )
    given = [Override.from_set(text) for text in sets or ()]
    return given + [
        Override.from_option(path, option, text) for path, option, text in named if text is not None
    ]


def data_named(
    source: str, allowed: tuple[Family, ...], option: str = "SOURCE"
) -> tuple[list[Override], tuple[Family, ...]]:
    """What a source or a path changes in a config, and what its samples may be.

    Args:
        source: a row of SOURCES, or a file or folder.
        allowed: what the samples may be; all where nothing is given.
        option: what stands before it on the command line.

    Raises:
        UsageError: neither a source nor a path of a known kind.
    """
    from nncli.config import Override
    from nncli.data import SOURCES
    from nncli.data.recognize import recognize

    name, path = recognize(source, allowed)
    overrides = [Override.from_option("data.source", option, name)]
    if path is not None:
        overrides.append(_path(path, option))
    return overrides, SOURCES[name].families


def data_in(
    config: str | None, kind: str | None, source: str, option: str = "SOURCE"
) -> list[Override]:
    """What a source or a path changes in a config that has data of its own.

    A path is read as the config reads its own, where it does so.

    Raises:
        UsageError: as `data_named`, or no such config.
    """
    from nncli.config import load
    from nncli.data import SOURCES
    from nncli.schema import SCHEMAS, find_kind

    if config is not None and source not in SOURCES:
        own = load(SCHEMAS, kind, config).config
        kind = own.kind
        if hasattr(own.data, "path"):
            return [_path(Path(source).expanduser(), option)]
    families = () if kind is None else find_kind(kind).families
    return data_named(source, families, option)[0]


def _path(path: Path, option: str) -> Override:
    """`data.path`, as YAML, whatever characters it has."""
    from nncli.config import Override

    return Override.from_option("data.path", option, json.dumps(str(path), ensure_ascii=False))


def comparison_of(names: Sequence[str], ending: str, folder: Path | None = None) -> Path:
    """The file that compares runs: `cnn-1-cnn-2.png`, or the first and how many more.

    Args:
        names: of the runs.
        ending: of the file, with its dot.
        folder: where it goes, if not among the comparisons.
    """
    joined = "-".join(dict.fromkeys(names))
    if len(joined) > LONGEST_NAME:
        joined = f"{names[0][:LONGEST_NAME]}-and-{len(names) - 1}-more"
    return (folder or COMPARISONS) / f"{joined}{ending}"


def enforce(verdicts: Sequence[Verdict], *, as_json: bool, hint: str | None = None) -> None:
    """End with the exit code of what was required and is not so; after all else is told.

    Args:
        verdicts: what became of what was required.
        as_json: whether a document has told them already.
        hint: what there is nonetheless.

    Raises:
        RequirementError: with the values.
        typer.Exit: the same without words.
    """
    missed = [each.text for each in verdicts if not each.met]
    if missed and as_json:
        raise typer.Exit(ExitCode.REQUIREMENT)
    if missed:
        raise RequirementError(f"not reached: {'; '.join(missed)}", hint=hint)


def refuse(given: Mapping[str, object], message: str, hint: str) -> None:
    """Options that go against another one.

    Args:
        given: by their names on the command line, with their values.
        message: with `{}` for the names of those that have one.
        hint: what to do.

    Raises:
        UsageError: one of them has a value.
    """
    names = [option for option, value in given.items() if value]
    if names:
        raise UsageError(message.format(", ".join(names)), hint=hint)
