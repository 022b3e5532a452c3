"""The tables of a page: layers, classes, baselines, compared runs, every epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nncli.differences import ABSENT, differences
from nncli.page.facts import best_record, duration, figure
from nncli.plots.comparison import best_of
from nncli.plots.labels import percent, whole_percent
from nncli.results import StoredRun

MOST_DIFFERENCES = 4
"""Settings that stand beside the figures of compared runs; more get a table of their own."""
NONE = "–"


@dataclass(frozen=True)
class Table:
    """Rows under headings; the first cell of a row names it."""

    label: str
    """What it holds, for those who cannot see it."""
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    """How many columns, from the first on, hold words; the others hold numbers."""
    best: frozenset[int] = frozenset()
    """The rows that are marked."""


def layers(run: StoredRun) -> Table:
    """The model, a row a layer."""
    total = sum(row.parameters for row in run.layers)
    rows = []
    for row in run.layers:
        trained = NONE
        if row.parameters:
            trained = {0: "frozen", row.parameters: "all"}.get(
                row.trainable_parameters, f"{row.trainable_parameters:,}"
            )
        rows.append(
            (
                row.name,
                row.type,
                row.settings or NONE,
                " × ".join("?" if side is None else str(side) for side in row.output_shape),
                f"{row.parameters:,}",
                whole_percent(row.parameters / total) if row.parameters else NONE,
                trained,
            )
        )
    headings = ("name", "layer", "settings", "output", "parameters", "share", "trained")
    return Table("layers of the model", headings, tuple(rows), left=3)


def classes(run: StoredRun) -> Table | None:
    """Precision, recall and F1 of each class on the test part; None for a forecast."""
    measured = (run.metrics.get("test") or {}).get("classes")
    if not measured:
        return None
    rows = tuple(
        (
            name,
            *(percent(each[key]) for key in ("precision", "recall", "f1")),
            f"{each['samples']:,}",
        )
        for name, each in measured.items()
    )
    headings = ("class", "precision", "recall", "F1", "test samples")
    return Table("each class on the test part", headings, rows)


def baselines(run: StoredRun) -> Table | None:
    """The run beside the same network trained in other ways; None where there are none."""
    others = run.metrics.get("baselines") or []
    if not others:
        return None
    own = (run.metrics.get("test") or {}).get("accuracy")
    rows = [("this run", _share(own), NONE, f"{len(run.task_history):,}")]
    for other in others:
        reached = (other.get("metrics") or {}).get("accuracy")
        if other.get("failed"):
            rows.append((other["meaning"], f"failed: {other['failed']}", NONE, NONE))
            continue
        gain = NONE
        if own is not None and reached is not None:
            points = round((own - reached) * 100, 1)
            gain = f"{abs(points):.1f} points {'better' if points > 0 else 'worse'}"
            gain = gain if points else "as good"
        rows.append((other["meaning"], _share(reached), gain, f"{other['epochs']:,}"))
    headings = ("training", "test accuracy", "this run is", "epochs")
    return Table("this run and others on the same samples", headings, tuple(rows))


def comparison(runs: Sequence[StoredRun]) -> Table:
    """What each run reached, beside the settings in which they differ where those are few."""
    differing = _differing(runs)
    beside = differing if len(differing) <= MOST_DIFFERENCES else {}
    metric = "accuracy" if runs[0].task == "classification" else "mean_absolute_error"
    measured = any("val_loss" in record.metrics for run in runs for record in run.task_history)
    prefix = "val_" if measured else ""
    name = metric.replace("_", " ")
    headings = (
        "run",
        *_short(list(beside)),
        "best epoch",
        f"{prefix}loss".replace("_", " "),
        f"{prefix}{metric}".replace("_", " "),
        f"test {name}",
        *(("gap at the end",) if measured else ()),
        "time",
    )
    rows = []
    for place, run in enumerate(runs):
        record = best_record(run)
        reached = {} if record is None else record.metrics
        test = (run.metrics.get("test") or {}).get(metric)
        seconds = (run.run.get("seconds") or {}).get("train")
        rows.append(
            (
                run.name,
                *(values[place] for values in beside.values()),
                NONE if record is None else f"{record.epoch:,}",
                _figure("loss", reached.get(f"{prefix}loss")),
                _figure(metric, reached.get(f"{prefix}{metric}")),
                _figure(metric, test),
                *((_gap(run),) if measured else ()),
                NONE if seconds is None else duration(seconds),
            )
        )
    return Table("the compared runs", headings, tuple(rows), best=best_of(runs))


def settings(runs: Sequence[StoredRun]) -> Table | None:
    """The settings in which runs differ, where they are too many to stand beside the figures."""
    differing = _differing(runs)
    if len(differing) <= MOST_DIFFERENCES:
        return None
    rows = tuple((key, *values) for key, values in differing.items())
    headings = ("setting", *(run.name for run in runs))
    return Table("settings in which the runs differ", headings, rows, left=len(headings))


def _differing(runs: Sequence[StoredRun]) -> dict[str, tuple[str, ...]]:
    """The dotted keys in which the configs differ, with the value of each run."""
    return {
        ".".join(keys): tuple(NONE if value is ABSENT else scalar(value) for value in values)
        for keys, values in differences([run.config for run in runs]).items()
    }


def _short(keys: Sequence[str]) -> list[str]:
    """The last part of each key in words, or the whole key where two end alike."""
    last = [key.rpartition(".")[2] for key in keys]
    return [
        part.replace("_", " ") if last.count(part) == 1 else key
        for key, part in zip(keys, last, strict=True)
    ]


def _gap(run: StoredRun) -> str:
    """How much higher the validation loss is than the training loss in the last epoch."""
    if not run.history:
        return NONE
    last = run.task_history[-1].metrics
    gap = last.get("val_loss", math.nan) - last.get("loss", math.nan)
    if not math.isfinite(gap):
        return NONE
    return f"{'+' if gap > 0 else ''}{figure('loss', gap)}"


def _figure(name: str, value: float | None) -> str:
    return NONE if value is None else figure(name, value)


def _share(value: float | None) -> str:
    return NONE if value is None else percent(value)


def epochs(run: StoredRun) -> Table:
    """Every epoch, each number to its last digit, as history.csv has it."""
    names = list(dict.fromkeys(name for record in run.history for name in record.metrics))
    rows = tuple(
        (
            str(record.epoch),
            record.phase,
            *(str(record.metrics.get(name, "")) for name in names),
            str(record.learning_rate),
            str(record.seconds),
            "best so far" if record.best else "",
        )
        for record in run.history
    )
    headings = ("epoch", "phase", *names, "learning_rate", "seconds", "best")
    return Table("every epoch", headings, rows)


def commas(table: Table) -> str:
    """A table as lines of values with commas between."""
    return "\n".join(",".join(row) for row in (table.headings, *table.rows))


def config_text(section: Mapping[str, Any], indent: str = "") -> str:
    """A config as YAML, each list on one line."""
    lines = []
    for key, value in section.items():
        if isinstance(value, Mapping) and value:
            lines += [f"{indent}{scalar(key)}:", config_text(value, f"{indent}  ")]
        else:
            lines.append(f"{indent}{scalar(key)}: {scalar(value)}")
    return "\n".join(lines)


def scalar(value: Any) -> str:
    """A value as YAML on one line."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9)
    return text.removesuffix("\n").removesuffix("\n...")
