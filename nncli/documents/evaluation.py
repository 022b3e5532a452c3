"""The document of `nncli evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from nncli.documents.training import ClassFigures, ClassifierFigures, ForecastTest, Required


class EvaluatedClass(ClassFigures):
    """What a classifier reached on one class, and between what the recall is."""

    recall_interval_95: Sequence[float] | None
    """Its lower and its upper end; null where there are no samples."""


class ClassifierEvaluation(ClassifierFigures):
    """What a classifier reached; intervals are their lower and their upper end."""

    classes: Mapping[str, EvaluatedClass]
    """By the class's name."""
    balanced_accuracy_interval_95: Sequence[float]
    macro_f1: float
    """The mean F1 of the classes that there are, or that were answered."""
    macro_f1_interval_95: Sequence[float]
    loss_interval_95: Sequence[float]
    top_k_accuracy: Mapping[str, float]
    """How often the true class is among the k likeliest, by k."""
    expected_calibration_error: float
    """How far the model is from being as sure as it is right."""
    calibration: Sequence[Mapping[str, float]]
    """By how sure it was, `from` and `to`: mean `confidence`, `accuracy` and `samples`."""


class HorizonFigures(TypedDict):
    """What a forecaster reached so many steps ahead."""

    forecasts: int
    """How many there were."""
    mean_absolute_error: float | None
    root_mean_squared_error: float | None
    persistence_mean_absolute_error: float | None
    """What repeating the last value reaches."""
    mean_absolute_scaled_error: float | None
    """In errors of repeating the last value in the training part; null where that has none."""


class ForecastEvaluation(ForecastTest):
    """What a forecaster reached, one step ahead and further."""

    mean_absolute_error_interval_95: Sequence[float | None]
    """Its lower and its upper end."""
    naive_error_of_training: float | None
    """What repeating the last value reaches in the training part."""
    mean_absolute_scaled_error: float | None
    """The mean absolute error in those; null where there is none."""
    horizons: Mapping[str, HorizonFigures]
    """By how many steps ahead."""


class Evaluate(TypedDict):
    """A trained model, measured on samples."""

    document: Literal["evaluate"]
    run: str
    """The name of its folder."""
    data: str
    """What the samples are called."""
    own_test_part: bool
    """Whether they are the run's own test part."""
    changed: Sequence[str]
    """The figures that are not what training measured; empty for other samples."""
    notes: Sequence[str]
    """What the user should know about the samples."""
    test: ClassifierEvaluation | ForecastEvaluation
    folder: str | None
    """Where it is kept; null where it is not."""
    figures: Sequence[str]
    """The pictures' names there."""
    failed_figures: Mapping[str, str]
    """Why a picture could not be drawn, by its name."""
    requirements: Sequence[Required]
    record: Mapping[str, Any]
    """Where the samples are from, versions, device, times."""
