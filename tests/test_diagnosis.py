"""Every rule on a real run that shows it, and on one that does not."""

from __future__ import annotations

import atexit
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import numpy as np
import pytest

from nncli import backend, data, diagnosis, runs, training
from nncli.config import Override, load
from nncli.diagnosis import diagnose
from nncli.results import StoredRun
from nncli.schema import SCHEMAS, find_kind
from tests.plots.runs import invented, records, stored, with_history

SMALL = ("model.filters=[8]", "model.units=16", "data.size=14", "data.train_per_class=30")


@cache
def trained(kind: str, *settings: str) -> StoredRun:
    """A run that was really trained, written and read back."""
    loaded = load(SCHEMAS, kind, None, [Override.from_set(text) for text in settings])
    dataset = data.load(loaded.config.data, loaded.config.seed)
    config = loaded.settle(dataset.facts).config
    backend.start("cpu", 2, config.seed)
    plan = find_kind(kind).plan(config, dataset, None)
    result = training.fit(kind, plan, dataset, config.training, config.seed)
    with TemporaryDirectory() as folder, runs.create(Path(folder), kind, "run", None, {}) as run:
        from nncli.config import to_yaml
        from nncli.files import write_json, write_text

        write_text(run.folder / "config.yaml", to_yaml(config))
        write_json(run.folder / "data.json", plan.learned(dataset))
        run.save(result, "", lambda path: path.write_bytes(b""))
        run.finish(result, {})
        return runs.load(run.folder)


@cache
def mislabelled() -> Path:
    """Digits of which every third has a class at random: to be learned by heart alone."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    random = np.random.default_rng(0)
    labels[::3] = random.integers(0, 10, len(labels[::3]))
    folder = Path(mkdtemp())
    atexit.register(rmtree, folder)
    x = (images[:400] / 16 * 255).reshape(-1, 8, 8, 1).astype(np.uint8)
    np.savez(folder / "digits.npz", x=x, y=labels[:400])
    return folder / "digits.npz"


RUNS: dict[str, Callable[[], StoredRun]] = {
    "sine": lambda: trained("rnn", "training.epochs=60"),
    "sine, large steps": lambda: trained("rnn", "training.learning_rate=0.1"),
    "sine, huge steps": lambda: trained(
        "rnn", "training.learning_rate=0.5", "training.optimizer=sgd"
    ),
    "digits": lambda: trained("cnn", *SMALL, "training.epochs=3", "training.learning_rate=0.01"),
    "digits, tiny steps": lambda: trained(
        "cnn", *SMALL, "training.epochs=2", "training.learning_rate=1e-8"
    ),
    "wrong labels": lambda: trained(
        "cnn", "model.filters=[8]", "model.units=64", "model.pool_size=1", "training.epochs=12",
        "training.learning_rate=0.01", "training.early_stopping=null", "data.source=npz",
        f"data.path={mislabelled()}",
    ),
}  # fmt: skip

SHOWN = {
    "diverged": ("sine, huge steps", "sine"),
    "learning_rate_too_high": ("sine, large steps", "sine"),
    "not_learning": ("digits, tiny steps", "digits"),
    "overfitting": ("wrong labels", "digits"),
    "still_improving": ("sine", "wrong labels"),
}


def codes(run: StoredRun) -> list[str]:
    return [advice.code for advice in diagnose(run)]


@pytest.mark.parametrize(("code", "shown", "healthy"), [(c, *r) for c, r in SHOWN.items()])
def test_real_runs(code: str, shown: str, healthy: str) -> None:
    assert code in codes(RUNS[shown]())
    assert code not in codes(RUNS[healthy]())


@pytest.mark.parametrize("name", RUNS)
def test_findings_are_few_and_say_what_to_do(name: str) -> None:
    found = diagnose(RUNS[name]())
    assert len(found) <= diagnosis.MOST
    for advice in found:
        assert advice.source
        assert any(word in advice.text for word in ("try", "help", "more", "ends", "as well"))
        assert "nan" not in advice.text.lower()


def test_every_rule_can_speak() -> None:
    """A rule that no test hears could say anything."""
    heard = {code for name in RUNS for code in codes(RUNS[name]())}
    heard |= {code for run in (plateau(), small(), useless(), naive()) for code in codes(run)}
    rules = [rule for rules in diagnosis.ASPECTS for rule in rules]
    assert len(heard) == len(rules)


def test_divergence_names_its_step() -> None:
    run = RUNS["sine, huge steps"]()
    (advice,) = diagnose(run)
    place = run.metrics["diverged"]
    assert place["epoch"] == len(run.history)
    assert place["step"] >= 1
    assert f"from step {place['step']} of epoch {place['epoch']} on" in advice.text
    assert "0.05 instead of 0.5" in advice.text


def test_divergence_without_a_step() -> None:
    """Where the validation alone is no number."""
    run = with_history({"loss": [1.0, 0.9], "val_loss": [1.0, math.nan]})
    run = replace(run, metrics={**run.metrics, "stopped": "diverged"})
    assert "from epoch 2 on" in diagnose(run)[0].text


def test_overfitting_names_its_epoch_and_how_to_stop_sooner() -> None:
    run = RUNS["wrong labels"]()
    values = {record.epoch: record.metrics["val_loss"] for record in run.history}
    text = diagnose(run)[0].text
    assert text.startswith(f"overfitting since epoch {min(values, key=values.__getitem__)}: ")
    assert "training.early_stopping.patience=5" in text
    assert "model.augmentation or model.dropout" in text
    stopped = replace(run, config={**run.config, "training": {"early_stopping": {"patience": 9}}})
    assert "patience" not in diagnose(stopped)[0].text


def curves(loss: Sequence[float], validation: Sequence[float], **changes: Any) -> StoredRun:
    """A finished run with these losses."""
    run = with_history({"loss": loss, "val_loss": validation}, **changes)
    return replace(run, metrics={**run.metrics, "stopped": "finished", "epochs": len(loss)})


def plateau() -> StoredRun:
    loss = np.concatenate([np.linspace(1, 0.3, 10), np.full(12, 0.3)])
    return curves(list(loss), [*loss[:10], *(0.301 + 0.0 * loss[10:])])


def measured(right: int, samples: int, classes: int = 2) -> StoredRun:
    """A run whose test part has this many samples, so many of them right."""
    from nncli.training.measure import wilson_interval

    found = invented([f"class {index}" for index in range(classes)], samples)
    truth = np.arange(samples) % classes
    interval = list(wilson_interval(right, samples))
    test = {"samples": samples, "accuracy": right / samples, "accuracy_interval_95": interval}
    return stored(
        metrics={"stopped": "finished", "test": test},
        history=records({"loss": [0.5, 0.5], "val_loss": [0.5, 0.5]}),
        predictions=replace(found, truth=truth),
    )


def small() -> StoredRun:
    return measured(98, 100)


def useless() -> StoredRun:
    return measured(52, 100)


def naive(error: float = 2.0) -> StoredRun:
    test = {"mean_absolute_error": error, "persistence_mean_absolute_error": 1.5}
    run = curves([0.5, 0.5], [0.5, 0.5], kind="rnn", task="forecast")
    return replace(run, metrics={**run.metrics, "test": test})


def test_a_plateau() -> None:
    (advice,) = diagnose(plateau())
    assert advice.code == "plateau"
    assert advice.text.startswith("12 epochs after the best one")


@pytest.mark.parametrize(
    ("right", "samples", "said"),
    [
        (98, 100, True),  # 0.97 and 0.99 both lie in 93.0 % to 99.4 %
        (353, 359, True),
        (9_800, 10_000, False),
        (9_999, 10_000, False),
        (10_000, 10_000, False),
        (700, 1_000, True),  # six points wide
        (7_000, 10_000, False),
    ],
)
def test_a_small_test_part(right: int, samples: int, said: bool) -> None:
    found = [advice for advice in diagnose(measured(right, samples)) if advice.code == "small_test"]
    assert bool(found) == said
    if found:
        low, high = measured(right, samples).metrics["test"]["accuracy_interval_95"]
        assert f"{samples:,} test samples cannot tell {low:.1%} from {high:.1%}" in found[0].text


def test_guessing_is_told_by_the_shares_of_the_classes() -> None:
    assert "always answering 'class 0' does as well" in diagnose(useless())[0].text
    assert "no_better" not in codes(measured(70, 100))
    assert "an error of 1.5 against 2" in diagnose(naive())[0].text
    assert "no_better" not in codes(naive(1.2))


def test_a_rise_within_the_noise_is_no_overfitting() -> None:
    random = np.random.default_rng(0)
    noisy = 0.1 + 0.02 * random.normal(size=40) ** 2 + np.r_[np.linspace(1, 0, 10), np.zeros(30)]
    assert "overfitting" not in codes(curves(list(np.linspace(1, 0.01, 40)), list(noisy)))
    rising = noisy + np.r_[np.zeros(20), np.linspace(0, 0.2, 20)]
    assert "overfitting" in codes(curves(list(np.linspace(1, 0.01, 40)), list(rising)))


def test_losses_near_zero_do_not_overfit() -> None:
    falling = np.geomspace(2, 1e-7, 30)
    rising = np.r_[np.geomspace(2, 1e-6, 20), np.geomspace(1e-6, 1e-5, 10)]
    assert "overfitting" not in codes(curves(list(falling), list(rising)))


def test_one_last_epoch_is_one() -> None:
    assert "improving: the last epoch lowered" in diagnose(curves([2.0, 1.0], [2.0, 1.0]))[0].text
    assert "the last 2 epochs" in diagnose(curves([3.0, 2.0, 1.0], [3.0, 2.0, 1.0]))[0].text


def test_pretraining_is_another_task() -> None:
    loss = [5.0, 9.0, 4.0, 9.0, 4.0, 1.0, 0.9, 0.8, 0.7, 0.6]
    run = curves(loss, loss, phases=[("pretrain", 5), ("head", 5)], kind="transfer")
    assert codes(run) == ["still_improving"]
    assert "--epochs" not in diagnose(run)[0].text


def test_a_run_of_nothing_has_no_findings() -> None:
    assert diagnose(stored(metrics={})) == ()
    assert diagnose(curves([0.5], [0.5])) == ()
    broken = curves([math.nan, math.nan], [math.nan, math.nan])
    assert diagnose(broken) == ()
