"""Whole stored runs, with all that a page says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from nncli.page import Page, render
from nncli.results import StoredRun
from tests.plots import runs

EPOCHS = 8
VERSIONS = {"nncli": "0.1.0", "python": "3.12.1", "tensorflow": "2.21.0", "keras": "3.15.1"}


@cache
def page(kind: str) -> Page:
    """The page of a kind of run, drawn once."""
    return render([KINDS[kind]()] if kind != "comparison" else compared())


def whole(run: StoredRun, *, stopped: str = "finished", **metrics: Any) -> StoredRun:
    """`run` with a run.json and the metrics that training would have written."""
    record = {
        "command": f"nncli train {run.kind} --epochs 30",
        "status": "finished",
        "started": "2026-03-01T09:05:00+00:00",
        "versions": VERSIONS,
        "seed": 7,
        "device": {"name": "CPU", "threads": 2},
        "data": {
            "source": "digits",
            "fingerprint": "f" * 64,
            "samples": {"train": 300, "validation": 400, "test": 897},
            "notes": ["8 × 8 pixels enlarged to 28 × 28"],
            "warnings": ["class 8 has a third of the samples of class 1"],
        },
        "seconds": {"train": 71.25, "test": 0.2},
    }
    total = sum(row.parameters for row in run.layers)
    found = {
        "stopped": stopped,
        "epochs": len(run.history),
        "parameters": total,
        "trainable_parameters": sum(row.trainable_parameters for row in run.layers),
        "test": _test(run),
        "baselines": [],
        **run.metrics,
        **metrics,
    }
    return replace(run, run={**record, **run.run}, metrics=found)


def _test(run: StoredRun) -> dict[str, Any]:
    if run.forecast is not None:
        errors = np.abs(run.forecast.one_step - run.forecast.truth)
        naive = np.abs(run.forecast.persistence - run.forecast.truth)
        return {
            "mean_absolute_error": float(errors.mean()),
            "persistence_mean_absolute_error": float(naive.mean()),
            "unit": run.forecast.name,
            "samples": len(run.forecast.truth),
        }
    if run.predictions is None:
        return {}
    right = run.predictions.predicted == run.predictions.truth
    classes = {
        name: {"precision": 0.5, "recall": 1 / 3, "f1": 0.4, "samples": 12}
        for name in run.predictions.classes
    }
    return {
        "accuracy": float(right.mean()),
        "accuracy_interval_95": [0.9, 0.95],
        "samples": len(right),
        "classes": classes,
    }


def cnn(name: str = "cnn-3", *, worse: float = 1.0, rate: float = 0.004) -> StoredRun:
    """A classifier of digits; its losses are `worse` times those that were really reached."""
    history = {
        key: [value * worse if key.endswith("loss") else value for value in values]
        for key, values in runs.digits_history(EPOCHS).items()
    }
    run = runs.with_history(history, name=name, predictions=runs.digits_predictions())
    training = {"optimizer": "adam", "batch_size": 32, "learning_rate": rate}
    return whole(replace(run, config={**run.config, "training": training}))


def compared() -> list[StoredRun]:
    """Three runs that differ in the learning rate; the second is the best."""
    found = [
        cnn("cnn-3"), cnn("cnn-2", worse=0.9, rate=0.001), cnn("cnn-1", worse=1.2, rate=0.002)
    ]  # fmt: skip
    return [replace(run, predictions=None) for run in found]  # drawn elsewhere


def forecast() -> StoredRun:
    """A forecaster, without a validation part."""
    losses = [0.4 * 0.8**epoch + 0.01 for epoch in range(6)]
    history = runs.records({"loss": losses, "mean_absolute_error": [loss**0.5 for loss in losses]})
    return whole(
        replace(
            runs.sunspot_run(),
            history=history,
            metrics={"monitor": "loss", "best_epoch": 6},
            layers=(
                runs.row("input_layer", "InputLayer", "", (132, 1), family="input"),
                runs.row("simple_rnn", "SimpleRNN", "32 units", (32,), 1088, "recurrent"),
                runs.row("dense", "Dense", "1 unit", (1,), 33),
            ),
        )
    )


def transfer() -> StoredRun:
    """Pretraining, a head on a frozen base, fine-tuning; beside two baselines."""
    values = {name: numbers[:7] for name, numbers in runs.digits_history(EPOCHS).items()}
    own = runs.records(values, [("head", 4), ("fine_tune", 3)])
    before = runs.records({"loss": [1.0, 0.5], "accuracy": [0.5, 0.8]}, [("pretrain", 2)])
    best = int(np.argmin(values["val_loss"])) + 1
    run = runs.stored(
        name="transfer-digits-001",
        kind="transfer",
        history=(*before, *own),
        layers=runs.vgg_layers(),
        metrics={
            "monitor": "val_loss",
            "best_epoch": best,
            "test": {"accuracy": 0.62, "samples": 179},
        },
    )
    scratch = {
        "name": "scratch",
        "meaning": "the same network from scratch: all weights random, all trained",
        "epochs": 50,
        "metrics": {"accuracy": 0.4916},
        "failed": "",
    }
    failed = {"name": "random", "meaning": "a random base, frozen", "epochs": 0, "metrics": {},
              "failed": "no memory"}  # fmt: skip
    return whole(run, baselines=[scratch, failed])


def diverged() -> StoredRun:
    """A loss that is no number in the end, and nothing measured."""
    nan = float("nan")
    history = {"loss": [2.3, 9.0, nan], "val_loss": [2.4, 30.0, nan]}
    return whole(runs.with_history(history, name="cnn-digits-002"), stopped="diverged")


def interrupted() -> StoredRun:
    """One epoch, then Ctrl-C: nothing was measured on the test part."""
    history = {"loss": [0.7], "accuracy": [0.5], "val_loss": [0.8], "val_accuracy": [0.4]}
    return whole(runs.with_history(history, name="cnn-digits-003"), stopped="interrupted")


HOSTILE = (
    "<script>alert(1)</script>",
    '"onload="alert(1)',
    "]]></style><b>x",
    "{{ 7*7 }}{% raw %}",
    "$x^2$",
    "\u202egnp.exe\x00\x1b[31m\x9b\ud800",
    "שלום \u2067עולם",
    "a" * 300,
    "<!-- <script",
    "&amp;lt;",
)
"""Names that break out of what they stand in where somebody forgot to escape them."""


def hostile() -> StoredRun:
    """A run whose every text is an attack."""
    attack = "<img src=x onerror=alert(1)>'\"</title>"
    random = np.random.default_rng(0)
    made = runs.invented(HOSTILE, 200, inputs=random.integers(0, 256, (200, 8, 8, 1), np.uint8))
    run = runs.with_history(
        {name: values[:4] for name, values in runs.digits_history(EPOCHS).items()},
        name=attack,
        predictions=made,
        config={
            "kind": "cnn",
            "data": {"source": attack, "path": HOSTILE[0], attack: list(HOSTILE)},
            "training": {"optimizer": attack, "batch_size": HOSTILE[1]},
        },
        run={
            "command": f"nncli train cnn --set 'data.path={HOSTILE[2]}' {HOSTILE[5]}",
            "data": {"source": attack, "notes": list(HOSTILE), "warnings": [attack],
                     "samples": {attack: 1}},
            "versions": {"nncli": attack, "keras": HOSTILE[0]},
            "device": {"name": attack},
            "seed": attack,
        },
        layers=(
            runs.row(attack, HOSTILE[0], HOSTILE[1], (None, 3), 5, "input"),
            runs.row(HOSTILE[2], HOSTILE[4], HOSTILE[6], (10,), 10),
            runs.row(HOSTILE[3], HOSTILE[7], HOSTILE[8], (10,), 10),
        ),
    )  # fmt: skip
    failed = {"name": attack, "meaning": attack, "epochs": 1, "metrics": {}, "failed": HOSTILE[0]}
    return whole(run, baselines=[failed])


KINDS: dict[str, Callable[[], StoredRun]] = {
    "cnn": cnn,
    "forecast": forecast,
    "transfer": transfer,
    "diverged": diverged,
    "interrupted": interrupted,
    "hostile": hostile,
}
