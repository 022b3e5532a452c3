"""What a page says of a run in words: the headline, the circumstances, the key figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nncli.diagnosis import diagnose
from nncli.plots.figure import three_digits
from nncli.plots.forecast import forecast_finding
from nncli.plots.labels import percent, subject
from nncli.results import EpochRecord, StoredRun

PARTS = {"validation": "validation", "train": "training"}


@dataclass(frozen=True)
class Tile:
    """One key figure."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Remark:
    """Something that a reader should know."""

    level: str
    """`compared`, `stopped`, `advice`, `warning` or `note`."""
    text: str
    source: str = ""


def headline(run: StoredRun) -> str:
    """What came out, in one sentence that goes on after the run's name."""
    metrics = run.metrics
    if metrics.get("stopped") == "diverged":
        return f"the loss is no number from epoch {_last_epoch(run):,} on"
    if run.forecast is not None:
        finding = forecast_finding(run)
        return finding[:1].lower() + finding[1:]
    best = best_record(run)
    if best is None:
        return "no epoch was finished"
    name = "accuracy" if run.task == "classification" else "loss"
    value = best.metrics.get(f"val_{name}")
    part = "validation"
    if value is None:
        value, part = best.metrics.get(name, math.nan), "training"
    return f"{part} {name} {figure(name, value)} at epoch {best.epoch:,}"


def circumstances(run: StoredRun) -> list[str]:
    """On what, how long, where and when it was trained."""
    record = run.run
    epochs = len(run.task_history)
    facts = [subject(run)]
    trained = _epochs(epochs)
    before = len(run.history) - epochs
    trained += f" after {before:,} of pretraining" if before else ""
    seconds = (record.get("seconds") or {}).get("train")
    trained += f" in {duration(seconds)}" if seconds is not None else ""
    device = (record.get("device") or {}).get("name")
    facts.append(trained + (f" on {device}" if device else ""))
    samples = (record.get("data") or {}).get("samples") or {}
    if samples and run.task == "classification":
        facts.append(", ".join(f"{count:,} {part}" for part, count in samples.items()) + " samples")
    seed = record.get("seed", run.config.get("seed"))
    if seed is not None:
        facts.append(f"seed {seed}")
    with suppress(KeyError, TypeError, ValueError):  # no time, or none that can be read
        facts.append(f"{datetime.fromisoformat(record['started']):%Y-%m-%d %H:%M} UTC")
    versions = record.get("versions") or {}
    shown = {"nncli": "nncli", "tensorflow": "TensorFlow", "keras": "Keras"}
    named = [f"{name}\u00a0{versions[key]}" for key, name in shown.items() if key in versions]
    if named:
        facts.append(", ".join(named))
    return facts


def tiles(run: StoredRun) -> list[Tile]:
    """The key figures."""
    found: list[Tile] = []
    best = best_record(run)
    if best is not None:
        measured = any(name.startswith("val_") for name in best.metrics)
        prefix, part = ("val_", "validation") if measured else ("", "training")
        where = f"epoch {best.epoch:,} of {_last_epoch(run):,}"
        loss, monitor = f"{prefix}loss", run.metrics.get("monitor")
        title = f"best {part} loss" if monitor in {loss, None} else f"{part} loss"
        if loss in best.metrics:
            found.append(Tile(title, figure("loss", best.metrics[loss]), where))
        name = f"{prefix}accuracy"
        if name in best.metrics:
            title = f"best {part} accuracy" if monitor == name else f"{part} accuracy"
            found.append(Tile(title, figure(name, best.metrics[name]), "in the same epoch"))
    found += _test_tiles(run.metrics.get("test") or {})
    total = run.metrics.get("parameters", sum(row.parameters for row in run.layers))
    trained = run.metrics.get(
        "trainable_parameters", sum(row.trainable_parameters for row in run.layers)
    )
    kept = "all trained" if trained == total else f"{trained:,} of them trained"
    return [*found, Tile("parameters", f"{total:,}", kept if total else "")]


def _test_tiles(test: Mapping[str, Any]) -> list[Tile]:
    if "accuracy" in test:
        note = f"{test['samples']:,} samples"
        if test.get("accuracy_interval_95"):
            low, high = test["accuracy_interval_95"]
            note = f"95 % interval {low * 100:.1f} to {high * 100:.1f} %, {note}"
        return [Tile("test accuracy", percent(test["accuracy"]), note)]
    if "mean_absolute_error" not in test:
        return []
    unit = test.get("unit", "")
    found = [
        Tile(
            "mean absolute error",
            figure("", test["mean_absolute_error"]),
            f"{unit}, one step ahead, {test['samples']:,} test steps".removeprefix(", "),
        )
    ]
    naive = test.get("persistence_mean_absolute_error")
    if naive is not None:
        found.append(Tile("repeating the last value", figure("", naive), "its error, to compare"))
    return found


def remarks(run: StoredRun) -> list[Remark]:
    """How it ended where it did not finish, what its numbers say, and notes on its data."""
    found = []
    ended = {
        "interrupted": f"interrupted after {_epochs(_last_epoch(run))}",
        "early stopping": f"stopped early, after epoch {_last_epoch(run):,}",
    }.get(str(run.metrics.get("stopped")))
    if ended:
        found.append(Remark("stopped", ended))
    found += [Remark("advice", each.text, each.source) for each in diagnose(run)]
    data = run.run.get("data") or {}
    found += [Remark("warning", text) for text in data.get("warnings") or ()]
    return found + [Remark("note", text) for text in data.get("notes") or ()]


def best_record(run: StoredRun) -> EpochRecord | None:
    """The epoch whose weights the model holds; None where there is none."""
    best = run.metrics.get("best_epoch")
    return next((record for record in run.task_history if record.epoch == best), None)


def _last_epoch(run: StoredRun) -> int:
    return run.task_history[-1].epoch if run.history else 0


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count:,} epochs"


def figure(name: str, value: float | None) -> str:
    """A number as figures show it: shares in percent, others with three digits."""
    if value is None or not math.isfinite(value):
        return "not a number"
    return percent(value) if name.endswith("accuracy") else three_digits(value)


def duration(seconds: float) -> str:
    """`0.9 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
    )
