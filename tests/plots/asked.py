"""Answers and forecasts of every odd kind, for the figures that are drawn of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nncli.results import Outlook, ShownAnswers

LONG = ("a class name that is very long indeed, and longer", "$x^2$ costs $5", "猫 кошка", "")


def shown(
    count: int,
    shape: tuple[int, ...] = (12, 12, 1),
    classes: tuple[str, ...] = ("cat", "dog", "automobile"),
    total: int | None = None,
    name: str = "photos/{}.png",
) -> ShownAnswers:
    random = np.random.default_rng(0)
    scores = np.exp(random.normal(0, 2, (count, len(classes))))
    if len(shape) == 3:
        inputs: Any = random.integers(0, 256, (count, *shape), dtype=np.uint8)
    else:
        inputs = random.normal(size=(count, *shape)).cumsum(axis=1)
        inputs[::2, shape[0] // 2 :] = np.nan
    return ShownAnswers(
        names=tuple(name.format(i) for i in range(count)),
        probabilities=(scores / scores.sum(axis=1, keepdims=True)).astype(np.float32),
        inputs=inputs,
        classes=classes,
        total=count if total is None else total,
    )


def outlook(
    steps: int = 24, window: int = 24, values: int = 200, errors: int | None = None, **how: Any
) -> Outlook:
    wave = 300 + 90 * np.sin(np.arange(values + steps) / 4) + np.arange(values + steps)
    dates = tuple(f"{1950 + i // 12}-{i % 12 + 1:02}" for i in range(values + steps))
    settings: dict[str, Any] = {
        "name": "Passengers",
        "observed": wave[:values],
        "window": window,
        "ahead": wave[values:],
        "dates": dates[:values],
        "labels": dates[values:],
        "errors": 10 + np.arange(steps if errors is None else errors, dtype=np.float64),
    }
    return Outlook(**{**settings, **how})


def without_dates(steps: int, window: int, values: int, **how: Any) -> Outlook:
    labels = tuple(f"+{i}" for i in range(1, steps + 1))
    return outlook(steps, window, values, dates=(), labels=labels, **how)


ANSWERS = {
    "three": lambda: shown(3),
    "one": lambda: shown(1),
    "two rows": lambda: shown(12),
    "the least sure": lambda: shown(24, total=100_000),
    "colour": lambda: shown(8, (20, 60, 3)),
    "tall": lambda: shown(4, (90, 10, 1)),
    "long names": lambda: shown(9, classes=LONG, name="a/long/way/to $x$ 猫/" + "n" * 60 + "{}"),
    "sequences": lambda: shown(6, (30, 2), name="digits.csv:{}"),
    "many features": lambda: shown(6, (30, 12), name="x.npz[{}]"),
}
OUTLOOKS = {
    "two years": outlook,
    "one step": lambda: outlook(1),
    "one step of a window of one": lambda: outlook(1, 1, 1),
    "a band that ends": lambda: outlook(errors=9),
    "no band": lambda: outlook(errors=0),
    "without dates": lambda: without_dates(20, 20, 21, errors=0),
    "many": lambda: outlook(1000, 24, 3000, errors=128),
    "a long window": lambda: outlook(5, 400, 400),
    "long dates": lambda: outlook(12, dates=("on a day " * 9,) * 200, labels=("later " * 20,) * 12),
    "constant": lambda: outlook(observed=np.full(200, 5.0), ahead=np.full(24, 5.0), errors=0),
    "large numbers": lambda: outlook(
        observed=np.linspace(1e9, 2e9, 200), ahead=np.linspace(2e9, 3e9, 24), name="$ a year " * 20
    ),
}
