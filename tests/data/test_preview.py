"""What goes into the picture of a dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import data
from nncli.data.dataset import Dataset, Split
from nncli.data.preview import preview
from nncli.results import ShownSamples, ShownSeries
from tests import made
from tests.data.made import section


def samples(dataset: Dataset, seed: int = 0) -> ShownSamples:
    shown = preview(dataset, seed)
    assert isinstance(shown, ShownSamples)
    return shown


def test_eight_pictures_of_each_class_out_of_the_training_part() -> None:
    dataset = made.images(60)
    shown = samples(dataset)

    assert shown.labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    assert shown.classes == ("a", "b", "c")
    assert shown.counts == {"a": 40, "b": 40, "c": 40}
    assert shown.shape == (12, 12, 1)
    known = {picture.tobytes(): label for picture, label in zip(*_part(dataset), strict=True)}
    assert [known[picture.tobytes()] for picture in shown.inputs] == shown.labels.tolist()


def _part(dataset: Dataset) -> tuple[Any, Any]:
    return dataset.train.x, dataset.train.y


def test_the_seed_chooses() -> None:
    dataset = made.images(60)
    one, again, other = (samples(dataset, seed).inputs for seed in (0, 0, 1))

    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_of_many_classes_the_largest_and_the_smallest() -> None:
    y = np.repeat(np.arange(14), np.arange(1, 15))
    x = np.zeros((len(y), 8, 8, 1), np.uint8)
    part = Split(x, y)
    dataset = replace(
        made.images(), train=part, validation=None, test=part,
        classes=tuple(f"{i}" for i in range(14)),
    )  # fmt: skip
    shown = samples(dataset)

    assert shown.classes == ("0", "1", "2", "3", "4", "9", "10", "11", "12", "13")
    assert np.bincount(shown.labels).tolist() == [1, 2, 3, 4, 5, 8, 8, 8, 8, 8]
    assert len(shown.counts) == 14


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.float32([0, 0.5, 1]), [0, 127, 255]),
        (np.float32([0, 100, 250]), [0, 100, 250]),
        (np.float32([-1, 0, 1]), [0, 127, 255]),
        (np.float32([0, 500, 1000]), [0, 127, 255]),
    ],
)
def test_pixels_become_bytes(values: np.ndarray, expected: list[int]) -> None:
    dataset = made.images(60)
    x = np.tile(values, 60 * 48).reshape(60, 12, 12, 1)
    shown = samples(replace(dataset, train=Split(x, dataset.train.y)))

    assert shown.inputs.dtype == np.uint8
    assert shown.inputs[0].ravel()[:3].tolist() == expected


def test_a_large_picture_becomes_smaller() -> None:
    dataset = made.images(30)
    x = np.zeros((30, 500, 300, 3), np.uint8)
    x[:, :250] = 200
    shown = samples(replace(dataset, train=Split(x, dataset.train.y)))

    assert shown.inputs.shape == (24, 125, 75, 3)
    assert shown.shape == (500, 300, 3)
    assert set(np.unique(shown.inputs)) == {0, 100, 200}


def test_three_features_of_three_sequences() -> None:
    dataset = made.sequences(40, features=5)
    shown = samples(dataset)

    assert shown.inputs.shape == (6, 8, 3)
    assert shown.shape == (8, 5)


def test_a_sequence_ends_where_it_ended() -> None:
    dataset = made.sequences(40)
    x = dataset.train.x.copy()
    x[:, 5:] = -1000
    shown = samples(replace(dataset, train=Split(x, dataset.train.y), padding=-1000.0))

    assert np.isnan(shown.inputs[:, 5:]).all()
    assert not np.isnan(shown.inputs[:, :5]).any()


@pytest.mark.parametrize("validation", [0.1, 0.0])
@pytest.mark.parametrize(
    "how",
    [
        {"predict": "change", "inputs": "level"},
        {"predict": "change", "inputs": "relative"},
        {"predict": "value", "inputs": "level"},
    ],
    ids=lambda how: "-".join(how.values()),
)
def test_a_series_comes_back_whole(how: dict[str, str], validation: float, tmp_path: Path) -> None:
    sold = (50 + 30 * np.sin(np.arange(200) / 5) + np.arange(200) / 7).round(3)
    path = tmp_path / "sold.csv"
    dates = [f"{1900 + i // 12}-{i % 12 + 1:02}" for i in range(200)]
    rows = [
        f"{date},{i % 5},{value}" for i, (date, value) in enumerate(zip(dates, sold, strict=True))
    ]
    path.write_text("Month,Price,Sold\n" + "\n".join(rows) + "\n")
    own = section("csv", path=path, input_columns=["Price"], validation=validation, **how)
    shown = preview(data.load(own, 0), 0)

    assert isinstance(shown, ShownSeries)
    np.testing.assert_allclose(shown.values, sold, atol=2e-3)
    assert shown.parts["train"] == (0, 140 if validation else 160)
    assert shown.parts["test"] == (160, 200)
    assert (shown.name, shown.window) == ("Sold", 24)
    assert (shown.labels[0], shown.labels[-1]) == (dates[160], dates[-1])


def test_the_waves_of_the_lesson_stand_behind_each_other() -> None:
    shown = preview(data.load(section("sine"), 0), 0)

    assert isinstance(shown, ShownSeries)
    assert shown.parts == {"train": (0, 21), "test": (21, 42)}
    assert shown.window == 0
    t = np.linspace(0, np.pi, 21)
    np.testing.assert_allclose(shown.values[:21], np.sin(t), atol=1e-5)
    np.testing.assert_allclose(shown.values[21:], np.sin(t + t[1] / 2), atol=1e-5)
