"""Numbers and times as people read them."""

from __future__ import annotations

import math

HEADINGS = {
    "mean_absolute_error": "MAE",
    "val_mean_absolute_error": "val MAE",
    "accuracy": "accuracy",
    "val_accuracy": "val acc",
    "val_loss": "val loss",
}
"""The figures of training by Keras's names; others are called so."""
LETTERS = {"mean_absolute_error": "MAE", "root_mean_squared_error": "RMSE"}
"""What a part of a name is known by."""
TIME_LEFT_WIDTH = 11


def number(name: str, value: float) -> str:
    """A metric as people read it: shares in percent, losses with four decimals."""
    if name.endswith("accuracy"):
        return f"{value:.1%}"
    return decimal(value)


def decimal(value: float) -> str:
    """`0.9350`; `3.21e-05` where four decimals would show too little or too much."""
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.2e}"


def duration(seconds: float) -> str:
    """`28ms`, `0.9s`, `2m 05s`, `1h 02m`."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02}m"


def time_left(seconds: float) -> str:
    """`00:14 left`, `1h 02m left`, `12h left`, `5d 04h left`: at most `TIME_LEFT_WIDTH` columns."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 240:
        return f"{hours // 24}d left"
    if hours >= 100:
        return f"{hours // 24}d {hours % 24:02}h left"
    if hours >= 10:
        return f"{hours}h left"
    return f"{hours}h {minutes:02}m left" if hours else f"{minutes:02}:{rest:02} left"


def size_text(size: int) -> str:
    """`3.7 MB`."""
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:.3g} {unit}"


def ago(seconds: float) -> str:
    """`now`, `5m ago`, `3h ago`, `12d ago`."""
    for length, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= length:
            return f"{int(seconds // length)}{unit} ago"
    return "now"


def short(metric: str) -> str:
    """`val loss`, `test MAE`: a metric's name as a heading."""
    for name, letters in LETTERS.items():
        metric = metric.replace(name, letters)
    return HEADINGS.get(metric, metric.replace("_", " "))
