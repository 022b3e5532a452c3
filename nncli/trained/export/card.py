"""The description that goes with a file: what goes in, what comes out, where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nncli import backend
from nncli.results import section
from nncli.trained.export.whole import INPUT, OUTPUTS, PADDING

if TYPE_CHECKING:
    from nncli.trained.model import OpenedRun

COLORS = {1: "grey", 3: "RGB"}


def describe(opened: OpenedRun) -> dict[str, Any]:
    """The description as plain values, without what is known of the file itself."""
    learned, stored = opened.learned, opened.stored
    test = section(stored.metrics, "test")
    known = ("samples", "accuracy", "mean_absolute_error", "unit")
    return {
        "run": stored.name,
        "kind": stored.kind,
        "task": stored.task,
        "input": {
            "name": INPUT,
            "dtype": "float32",
            "shape": list(learned.input_shape),
            "meaning": takes(opened),
            "columns": columns(opened),
            "padding": PADDING if learned.padding is not None else None,
        },
        "output": {"name": OUTPUTS[learned.task], "meaning": gives(opened)},
        "classes": list(learned.classes),
        "preprocessing": preprocessing(opened),
        "test": {name: test[name] for name in known if test.get(name) is not None},
        "trained_with": dict(section(stored.run, "versions")),
        "exported_with": backend.versions(),
    }


def takes(opened: OpenedRun) -> str:
    """What goes in, of one sample."""
    learned = opened.learned
    if learned.is_images:
        height, width, channels = learned.input_shape
        color = COLORS.get(channels, f"{channels}-channel")
        text = f"{color} pictures of {height}×{width}, pixels from 0 to 255"
        if learned.brightness not in {None, 1.0}:
            text += f": the arrays that were trained on, times {learned.brightness:g}"
        return text
    steps, features = learned.input_shape
    if learned.series is not None:
        what = learned.series.name
        if features > 1:
            what += f" and {features - 1} more column{'s' if features > 2 else ''}"
        return f"{steps} values of {what}, the oldest first, in their own units"
    text = f"sequences of {steps} steps with {features} feature{'s' if features > 1 else ''}"
    if learned.scaler is not None:
        text += " in their own units"
    if learned.padding is not None:
        text += f"; shorter ones filled up at their end with {PADDING:g} in all features"
    return text


def gives(opened: OpenedRun) -> str:
    """What comes out, of one sample."""
    learned = opened.learned
    if learned.series is None:
        return f"the probabilities of {len(learned.classes)} classes"
    steps = opened.stored.config.get("data", {}).get("source") == "sine"
    which = "the value after each of them" if steps else "the next value"
    return f"{which}, in the units of {learned.series.name}"


def columns(opened: OpenedRun) -> list[str]:
    """What the features of a step are, where they have names."""
    if opened.learned.series is None:
        return []
    data: Mapping[str, Any] = section(opened.stored.config, "data")
    return [opened.learned.series.name, *map(str, data.get("input_columns") or ())]


def preprocessing(opened: OpenedRun) -> str:
    """What the file itself does to a sample before the run's own layers see it."""
    learned, preparation = opened.learned, opened.preparation
    if preparation is not None:
        how = {"unit": "divided by 255", "none": "nothing"}.get(
            preparation.preprocessing, f"preprocess_input of {preparation.preprocessing}"
        )
        if preparation.repeats(learned.input_shape):
            how = f"grey repeated to three channels, then {how}"
        return how
    if learned.series is not None and learned.series.relative:
        return "the last value is taken off, then divided by the training part's deviation"
    scaled = learned.scaler is not None or (
        learned.series is not None and (learned.series.offset != 0 or learned.series.scale != 1)
    )
    how = "(value − mean) / deviation of the training part" if scaled else "nothing"
    return how if learned.padding is None else f"padded steps are passed over; {how}"
