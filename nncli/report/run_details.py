"""One run in detail, on the terminal and as data."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nncli.report.console import console, print_sentence, visible
from nncli.report.runs import NONE, STATUS_STYLES, row_document
from nncli.report.table import Column, print_table
from nncli.report.training import FILES
from nncli.report.units import duration, number, short, size_text
from nncli.results import CHECKPOINTS, EVALUATIONS, EXPORTS, RunDetails, section

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from nncli.documents.runs import RunsShow

LABEL_WIDTH = 10
FINGERPRINT = 12
"""So many digits tell two datasets apart well enough to see it."""
MEANINGS = {
    **FILES,
    "layers.json": "the model as rows",
    "predictions.npz": "what it said of the test part",
    "forecast.npz": "what it said of the test part",
    f"{CHECKPOINTS}/": "the state to go on from",
    f"{EVALUATIONS}/": "what was measured later",
    f"{EXPORTS}/": "the model for other programs",
}


def print_details(run: RunDetails) -> None:
    """How it was made, what it reached, its files, and what can be done with it."""
    from rich.text import Text

    screen = console()
    row = run.row
    for label, text in _facts(run):
        style = STATUS_STYLES[row.status] if label == "status" else ""
        bullet = Text(label.ljust(LABEL_WIDTH), "dim")
        print_sentence(screen, bullet, Text(visible(text), style))
    figures = _figure_columns(run.metrics)
    if figures:
        screen.print()
        print_table(screen, figures)
    screen.print()
    _print_files(screen, run.files)
    screen.print()
    for what, command in _commands(run).items():
        bullet = Text(what.ljust(LABEL_WIDTH), "dim")
        print_sentence(screen, bullet, Text(visible(shlex.join(command)), "bold"))


def _facts(run: RunDetails) -> Iterator[tuple[str, str]]:
    """Label and text of each fact that is known."""
    row, record = run.row, run.record
    yield "run", str(row.folder)
    yield "command", str(record.get("command") or NONE)
    yield "status", _status(run)
    yield "kind", row.kind
    data = section(record, "data")
    samples = ", ".join(f"{count} {part}" for part, count in section(data, "samples").items())
    digest = str(data.get("fingerprint") or "")[:FINGERPRINT]
    fingerprint = f"fingerprint {digest}" if digest else ""
    yield "data", " · ".join(filter(None, (row.data, samples, fingerprint))) or NONE
    if record.get("seed") is not None:
        yield "seed", str(record["seed"])
    versions = section(record, "versions")
    if versions:
        yield "versions", ", ".join(f"{name} {version}" for name, version in versions.items())
    device = section(record, "device")
    if device:
        yield "device", _device(device)
    if row.started:
        yield "started", _time(row.started)
    if row.seconds is not None:
        yield "trained", f"in {duration(row.seconds)}"
    if row.best_epoch is not None:
        yield "best", f"epoch {row.best_epoch:,} of {row.epochs or row.best_epoch:,}"
    for name, evaluation in run.evaluations.items():
        yield "measured", _evaluation(name, evaluation)


def _evaluation(name: str, evaluation: Mapping[str, Any]) -> str:
    """`photos-001: accuracy 93.9% of 1,797 samples`."""
    test = section(evaluation, "test")
    figures = ("accuracy", "mean_absolute_error")
    told = [f"{short(each)} {number(each, test[each])}" for each in figures
            if isinstance(test.get(each), float)]  # fmt: skip
    samples = test.get("samples")
    count = f" of {samples:,} samples" if isinstance(samples, int) else ""
    return f"{name}: {', '.join(told) or NONE}{count}"


def _status(run: RunDetails) -> str:
    """`finished (early stopping)`, `cut off after epoch 189`, `failed: out of memory`."""
    row, text = run.row, str(run.row.status)
    stopped = str(run.record.get("stopped") or "")
    if row.status == "cut off":
        return f"{text} after epoch {row.epochs:,}" if row.epochs else f"{text}: no epoch was kept"
    if stopped and stopped != text:
        text += f" ({stopped})"
    return f"{text}: {row.problem}" if row.problem else text


def _device(device: Mapping[str, Any]) -> str:
    facts = [str(device.get("name") or NONE)]
    if device.get("threads"):
        facts.append(f"{device['threads']} threads")
    if device.get("precision"):
        facts.append(str(device["precision"]))
    return " · ".join(facts)


def _time(text: str) -> str:
    with suppress(ValueError):
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S %Z}".strip()
    return text


def _figure_columns(metrics: Mapping[str, Any]) -> list[Column]:
    """The figures, a row each, of each part and each baseline; none where nothing was measured."""
    from rich.text import Text

    parts = {part: _floats(metrics, part) for part in ("train", "validation", "test")}
    baselines = metrics.get("baselines")
    for baseline in baselines if isinstance(baselines, list) else ():
        if isinstance(baseline, dict):
            parts[f"{baseline.get('name')}, test"] = _floats(baseline, "metrics")
    parts = {part: figures for part, figures in parts.items() if figures}
    names = list(dict.fromkeys(name for figures in parts.values() for name in figures))
    if not names:
        return []
    columns = [Column("", [Text(visible(short(name)), "bold") for name in names], "left")]
    for position, (part, figures) in enumerate(parts.items()):
        cells = [Text(number(name, figures[name]) if name in figures else NONE) for name in names]
        drop = {"train": 1, "validation": 0, "test": 0}.get(part, position)
        columns.append(Column(visible(part), cells, "right", drop))
    return columns


def _floats(tree: Mapping[str, Any], key: str) -> dict[str, float]:
    """The figures of a part; whole numbers are counts."""
    return {name: value for name, value in section(tree, key).items() if isinstance(value, float)}


def _print_files(screen: Console, files: Mapping[str, int]) -> None:
    from rich.text import Text

    print_table(
        screen,
        [
            Column("file", [Text(visible(name), "cyan") for name in files], "left"),
            Column("size", [Text(size_text(size)) for size in files.values()]),
            Column("", [_meaning(name) for name in files], "left", drop=1),
        ],
    )


def _meaning(name: str) -> Text:
    from rich.text import Text

    return Text(MEANINGS.get(name, "").partition(":")[0], "dim")


def _commands(run: RunDetails) -> dict[str, list[str]]:
    """What can be done with a run, by what it is good for."""
    folder = str(run.row.folder)
    found = {}
    if run.row.can_go_on:
        found["go on"] = ["nncli", "train", "--resume", folder]
    if run.metrics and "layers.json" in run.files:
        found["pictures"] = ["nncli", "plot", folder]
        found["page"] = ["nncli", "report", folder, "--open"]
    if run.metrics and "model.keras" in run.files:
        found["measure"] = ["nncli", "evaluate", folder]
    if "config.yaml" in run.files:
        config = str(run.row.folder / "config.yaml")
        found["repeat"] = ["nncli", "train", run.row.kind, "--config", config]
    if run.row.status != "running":
        found["delete"] = ["nncli", "runs", "delete", folder]
    return found


def details_document(run: RunDetails) -> RunsShow:
    """The same for `--json`, with run.json and metrics.json as they are."""
    return {
        "document": "runs show",
        **row_document(run.row),
        "record": run.record,
        "metrics": run.metrics or None,
        "files": run.files,
        "evaluations": run.evaluations,
        "commands": {what: shlex.join(words) for what, words in _commands(run).items()},
    }
