"""Evaluations of every odd kind, for the figures that are drawn of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nncli.results import Evaluation


def evaluation(figures: dict[str, Any], data: str = "its test part") -> Evaluation:
    task = "classification" if "calibration" in figures else "forecast"
    return Evaluation(
        run="cnn-digits-001",
        kind="cnn",
        task=task,  # type: ignore[arg-type]
        data=data,
        own=True,
        figures=figures,
        changed=(),
        notes=(),
        record={},
    )


def calibrated(bins: Sequence[tuple[float, float, int]], data: str = "photos") -> Evaluation:
    """Of (confidence, accuracy, samples) of each bin."""
    total = sum(count for _, _, count in bins)
    error = sum(abs(sure - right) * count for sure, right, count in bins) / total
    rows = [
        {
            "from": int(sure * 15 - 1e-9) / 15,
            "to": int(sure * 15 - 1e-9) / 15 + 1 / 15,
            "confidence": sure,
            "accuracy": right,
            "samples": count,
        }
        for sure, right, count in bins
    ]
    return evaluation({"expected_calibration_error": error, "calibration": rows}, data)


def by_horizon(
    model: Sequence[float], naive: Sequence[float], unit: str = "Sunspots", data: str = "sold.csv"
) -> Evaluation:
    """Of the mean absolute errors at each horizon."""
    rows = {
        str(steps): {
            "forecasts": 100 - steps,
            "mean_absolute_error": mine,
            "root_mean_squared_error": mine * 1.2,
            "persistence_mean_absolute_error": last,
            "mean_absolute_scaled_error": mine / naive[0] if naive[0] else None,
        }
        for steps, (mine, last) in enumerate(zip(model, naive, strict=True), start=1)
    }
    return evaluation({"horizons": rows, "unit": unit}, data)


LONG = "a very long name of a folder of photographs that nobody should have chosen but somebody did"
CALIBRATIONS: dict[str, Callable[[], Evaluation]] = {
    "one bin": lambda: calibrated([(0.99, 0.98, 359)]),
    "too sure": lambda: calibrated([(0.55, 0.4, 80), (0.75, 0.5, 60), (0.95, 0.7, 900)]),
    "too unsure": lambda: calibrated([(0.35, 0.9, 500), (0.55, 1.0, 400)]),
    "all bins": lambda: calibrated(
        [((n + 0.5) / 15, n / 15, 10**n // 10**9 + 3) for n in range(15)]
    ),
    "few": lambda: calibrated([(0.6, 1.0, 1), (0.9, 0.0, 1)], LONG),
}
HORIZONS: dict[str, Callable[[], Evaluation]] = {
    "better": lambda: by_horizon([1, 2, 2.5, 3], [2, 4, 5, 6]),
    "worse": lambda: by_horizon([3, 4, 5, 6], [2, 2.5, 3, 3.5]),
    "equal ends": lambda: by_horizon([1, 2, 3], [2, 2, 3]),
    "at some": lambda: by_horizon([1, 9, 1, 9], [2, 3, 2, 3], unit="°C\n$x$", data=LONG),
    "perfect": lambda: by_horizon([0, 0], [0, 0], unit=""),
    "explodes": lambda: by_horizon([1, 50, 9e4, 8e9], [2, 3, 4, 5]),
    "many": lambda: by_horizon([n**0.5 for n in range(1, 500)], list(range(1, 500))),
}
