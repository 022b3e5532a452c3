"""What is found in samples that have each fault, and that nothing is found in those that do not."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import data
from nncli.data.check import check, quick, unreadable, warnings_of
from nncli.data.check.counts import interval
from nncli.data.check.ranges import limits, measure, rounded
from nncli.data.copies import describe_copies
from nncli.data.dataset import Dataset, Split
from nncli.data.samples import Samples, blocks
from nncli.data.scaling import Scaler
from nncli.data.source import DataSection
from nncli.errors import DataError
from nncli.results import Copy, DataFinding
from tests import made
from tests.data.made import REAL, needs_real_data, section, write_csv, write_folder, write_ts_pair

PLAIN = DataSection(source="made")


def found(dataset: Dataset, of: DataSection = PLAIN, **how: Any) -> dict[str, DataFinding]:
    """The findings of a whole check, by their code."""
    report = check(dataset, of, kind="cnn", **how)
    return {finding.code: finding for finding in report.findings}


def images(samples: int = 120, **how: Any) -> Dataset:
    return made.images(samples, **how)


def sequences(samples: int = 120, **how: Any) -> Dataset:
    return made.sequences(samples, **how)


def with_train(dataset: Dataset, x: Any = None, y: Any = None) -> Dataset:
    """The same with other inputs or labels to train on."""
    train = dataset.train
    return replace(dataset, train=Split(train.x if x is None else x, train.y if y is None else y))


class OnDisk(Samples):
    """Numbers that are made when they are read; how many were at once is remembered."""

    def __init__(self, x: np.ndarray) -> None:
        super().__init__(x.shape, x.dtype)
        self.x, self.reads = x, 0

    def read(self, rows: Any) -> np.ndarray:
        self.reads += 1
        return self.x[rows]


# nothing wrong


@pytest.mark.parametrize("dataset", [images(), images(channels=3), sequences()])
def test_nothing_is_said_of_good_samples(dataset: Dataset) -> None:
    report = check(dataset, PLAIN, kind="cnn", preprocessing="unit")

    assert report.findings == ()
    assert (report.errors, report.warnings) == (0, 0)
    assert quick(dataset, PLAIN, "unit") == ()
    assert warnings_of(dataset, PLAIN, "unit") == ()
    assert len(report.passed) >= 4
    assert report.fingerprint == dataset.fingerprint()
    assert report.samples == 240


@pytest.mark.parametrize("source", ["sine", "waves", "digits"])
def test_nothing_is_said_of_the_sources_that_come_with_nncli(source: str) -> None:
    own = section(source)
    dataset = data.load(own, 42)

    assert check(dataset, own, kind="x", preprocessing="unit").findings == ()
    assert quick(dataset, own, "unit") == ()


def test_the_report_is_plain(tmp_path: Path) -> None:
    for own in (
        section("digits"),
        section("csv", path=write_csv(tmp_path / "sold.csv")),
        section("ts", path=write_ts_pair(tmp_path / "ts")),
    ):
        report = check(data.load(own, 1), own, kind="x")
        assert json.loads(json.dumps(asdict(report)))["source"] == own.source


# facts


def test_the_facts_of_a_part_are_its_own() -> None:
    dataset = images(channels=3)
    train = check(dataset, PLAIN, kind="cnn").parts[0]
    x = dataset.train.x.astype(np.float64)

    assert (train.name, train.samples, train.shape) == ("train", 120, (12, 12, 3))
    assert (train.dtype, train.bytes) == ("uint8", x.size * 4)
    assert (train.minimum, train.maximum) == (x.min(), x.max())
    assert train.mean == pytest.approx(x.mean(), rel=1e-5)
    assert train.deviation == pytest.approx(x.std())
    assert train.classes == {"a": 40, "b": 40, "c": 40}
    assert train.steps is None


def test_steps_that_fill_up_do_not_count() -> None:
    dataset = sequences()
    x = dataset.train.x.copy()
    x[:, 6:] = -1000.0
    x[0, 3:] = -1000.0
    train = check(replace(with_train(dataset, x), padding=-1000.0), PLAIN, kind="lstm").parts[0]

    real = np.concatenate([x[0, :3], x[1:, :6].reshape(-1, 2)])
    assert train.steps == (3, 6, 6)
    assert train.minimum == pytest.approx(real.min(), rel=1e-5)
    assert train.mean == pytest.approx(real.mean(), abs=1e-5)
    assert train.deviation == pytest.approx(real.std(), rel=1e-6)


def test_a_series_is_told_in_its_own_units(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "sold.csv", rows=300)
    lines = path.read_text().splitlines()
    own = section("csv", path=path)
    report = check(data.load(own, 0), own, kind="rnn")

    assert report.numbers == "Sold"
    sold = [float(line.split(",")[1]) for line in lines[1:]][:210]
    assert (report.parts[0].minimum, report.parts[0].maximum) == (min(sold), max(sold[:-1]))
    assert report.findings == ()


def test_samples_on_the_disk_are_read_once_and_give_the_same() -> None:
    dataset = images(3000, side=60)
    stored = OnDisk(dataset.train.x)
    digests = dataset.train.digests
    lazy = replace(dataset, train=Split(stored, dataset.train.y, known_digests=digests))

    assert check(lazy, PLAIN, kind="cnn") == check(dataset, PLAIN, kind="cnn")
    passes = stored.reads
    assert quick(lazy, PLAIN, "unit") == ()
    assert stored.reads == passes, "quick reads nothing"
    assert passes == len(list(blocks(dataset.train.x)))


def test_memory_does_not_grow_with_the_samples() -> None:
    class Zeros(Samples):
        def read(self, rows: Any) -> np.ndarray:
            return np.zeros((len(rows), *self.shape[1:]), dtype=self.dtype)

    def peak(samples: int) -> int:
        tracemalloc.start()
        measure(Zeros((samples, 64, 64, 3), np.uint8))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    once = peak(8_000)
    assert peak(32_000) < 1.15 * once
    assert once < 120_000_000


def test_a_range_is_that_of_numpy() -> None:
    x = np.random.default_rng(0).normal(3, 2, (500, 40, 7)).astype(np.float32)
    ranges = measure(x)

    np.testing.assert_allclose(ranges.mean, x.mean(axis=(0, 1), dtype=np.float64))
    np.testing.assert_allclose(ranges.deviation, x.std(axis=(0, 1), dtype=np.float64))
    np.testing.assert_allclose(ranges.spread, np.ptp(x, axis=1).max(axis=-1))
    for ends in ((ranges.low, ranges.high), limits(x)):
        np.testing.assert_array_equal(ends, [x.min(axis=(0, 1)), x.max(axis=(0, 1))])
    assert ranges.lengths.tolist() == [40] * 500


def test_rounding_leaves_seven_digits() -> None:
    assert rounded(np.array([253.8, 8.016e-07])).tolist() == [253.8, 0.0]
    assert rounded(np.array([0.0, 0.0])).tolist() == [0.0, 0.0]
    assert rounded(np.array([1.5e-9])).tolist() == [1.5e-9]


# how many


def test_few_samples() -> None:
    said = found(made.images(24, classes=2))

    assert "24 training pictures" in said["few-samples"].message
    assert "12 test pictures" in said["small-test"].message
    assert "few-of-a-class" not in said or "2 classes" not in said["few-of-a-class"].message


def test_whoever_asks_for_few_samples_is_not_told(tmp_path: Path) -> None:
    own = section("digits", train_per_class=4)
    dataset = data.load(own, 0)

    assert len(dataset.train) == 40
    assert quick(dataset, own) == ()
    assert {each.code for each in quick(dataset, section("digits"))} == {"few-samples"}


@pytest.mark.parametrize(("count", "warned"), [(9, True), (10, False)])
def test_few_of_a_class(count: int, warned: bool) -> None:
    dataset = images()
    y = np.array([0] * 55 + [1] * (65 - count) + [2] * count)
    said = found(with_train(dataset, y=y))

    assert ("few-of-a-class" in said) == warned
    if warned:
        assert said["few-of-a-class"].message == (
            "1 of 3 classes has fewer than 10 training pictures: 'c' has 9"
        )


def test_a_class_that_a_part_lacks() -> None:
    dataset = images()
    y = dataset.test.y.copy()
    y[y == 1] = 2
    said = found(replace(dataset, test=Split(dataset.test.x, y)))

    assert said["missing-class"].message == "the test part has no picture of 'b'"
    assert said["missing-class"].places == ("b",)
    assert said["missing-class"].level == "warning"


@pytest.mark.parametrize(("largest", "warned"), [(99, False), (100, True)])
def test_imbalance(largest: int, warned: bool) -> None:
    y = np.array([0] * largest + [1] * 10 + [2] * 10)
    dataset = images(largest + 20)
    said = found(with_train(dataset, y=y))

    assert ("imbalance" in said) == warned
    if warned:
        assert "'a' has 100 training pictures and 'b' 10" in said["imbalance"].message
        assert "83%" in said["imbalance"].message
        assert "training.class_weight" in said["imbalance"].hint


def test_the_interval_is_that_of_training() -> None:
    from nncli.training.measure import wilson_interval

    for samples in (10, 20, 30, 1000):
        assert interval(samples) == pytest.approx(wilson_interval(samples * 9 // 10, samples))


def test_a_long_window_in_a_short_series(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "sold.csv", rows=60)
    own = section("csv", path=path, window=20, test=0.1)
    said = found(data.load(own, 0), own)

    assert said["window"].message.startswith("a window of 20 values in a training part of 48:")
    assert said["small-test"].message.startswith("6 test values")
    assert "28 training windows" in said["few-samples"].message


# which are equal


def leaking(count: int, of: int = 240) -> Dataset:
    """A test part of which so many pictures are training pictures too."""
    dataset = images(of)
    x = dataset.test.x.copy()
    x[:count] = dataset.train.x[5 : 5 + count]
    y = dataset.test.y.copy()
    y[:count] = dataset.train.y[5 : 5 + count]
    return replace(dataset, test=Split(x, y))


@pytest.mark.parametrize(("count", "level"), [(1, "warning"), (2, "error")])
def test_a_leak(count: int, level: str) -> None:
    dataset = leaking(count)
    said = found(dataset)["leak"]

    assert (said.level, len(said.places)) == (level, count)
    assert said.places[0] == "test 0 = train 5"
    assert said in quick(dataset, PLAIN)
    assert f"{count} test picture" in said.message


def test_training_does_not_begin_on_a_leak() -> None:
    with pytest.raises(DataError, match=r"^made: 12 test pictures") as caught:
        warnings_of(leaking(12), PLAIN)
    assert len(caught.value.places) == 12
    assert caught.value.hint is not None

    assert len(warnings_of(leaking(1), PLAIN)) == 1


def test_a_leak_between_any_two_parts() -> None:
    dataset = images(120)
    assert dataset.validation is not None
    x = dataset.test.x.copy()
    x[0] = dataset.validation.x[0]
    said = found(replace(dataset, test=Split(x, dataset.test.y)))

    assert "in the validation part too" in said["leak"].message
    assert said["leak"].places == ("test 0 = validation 0",)


def test_copies_in_one_part() -> None:
    dataset = images()
    x = dataset.train.x.copy()
    x[3] = x[6] = x[0]
    said = found(with_train(dataset, x))

    assert set(said) == {"duplicates"}
    assert said["duplicates"].message == "2 training pictures are copies of others in the same part"
    assert said["duplicates"].places == ("train 3 = train 0", "train 6 = train 0")


def test_equal_samples_under_two_classes() -> None:
    dataset = images()
    x = dataset.train.x.copy()
    x[1] = x[0]
    said = found(with_train(dataset, x))

    assert said["two-labels"].places == ("train 0 (a) = train 1 (b)",)
    assert said["two-labels"].level == "warning"


def test_windows_of_a_series_may_be_equal(tmp_path: Path) -> None:
    lines = [f"{i % 7}" for i in range(400)]
    path = tmp_path / "week.csv"
    path.write_text("n\n" + "\n".join(lines) + "\n")
    own = section("csv", path=path, window=7)

    assert found(data.load(own, 0), own) == {}


def test_copies_that_were_left_out_are_told() -> None:
    copies = (
        Copy("train/cat/1.png", "test/cat/2.png", across=True, relabelled=False),
        Copy("train/cat/3.png", "train/dog/4.png", across=False, relabelled=True),
    )
    said = found(replace(images(), copies=copies))

    assert {code: each.level for code, each in said.items()} == {
        "leak": "warning", "duplicates": "warning", "two-labels": "warning",
    }  # fmt: skip
    assert said["leak"].places == ("train/cat/1.png = test/cat/2.png",)
    assert said["two-labels"].places == ("train/cat/3.png = train/dog/4.png",)


def test_copies_are_described_by_what_stays() -> None:
    digests = np.array([b"a" * 16, b"b" * 16, b"a" * 16, b"b" * 16], dtype="V16")
    labels, part = np.array([0, 1, 0, 0]), np.array([0, 0, 2, 0])
    copies = np.array([0, 3], dtype=np.intp)

    assert describe_copies(copies, digests, labels, part) == (
        Copy("sample 1", "sample 3", across=True, relabelled=False),
        Copy("sample 4", "sample 2", across=False, relabelled=True),
    )
    assert describe_copies(copies, digests, labels, part, "pqrs".__getitem__)[1].place == "s"


# what numbers


def test_a_feature_that_never_changes() -> None:
    dataset = sequences()
    x = dataset.train.x.copy()
    x[:, :, 1] = 7
    dataset = with_train(dataset, x)

    for said in (found(dataset), {each.code: each for each in quick(dataset, PLAIN)}):
        assert said["constant-feature"].places == ("feature 2",)
        assert said["constant-feature"].level == "warning"
        assert said["constant-feature"].message.startswith("feature 2 never changes")


def test_a_scaled_feature_that_never_changed_is_noise() -> None:
    dataset = sequences()
    x = dataset.train.x.copy()
    x[:, :, 1] = np.random.default_rng(0).normal(0, 1e-5, x.shape[:2])

    scaled = replace(with_train(dataset, x), scaler=Scaler(np.zeros(2), np.ones(2)))
    assert "constant-feature" in found(scaled)
    assert "constant-feature" not in found(with_train(dataset, x)), "small, but not scaled"


def test_nothing_that_changes_is_an_error() -> None:
    dataset = images()
    said = found(with_train(dataset, np.full_like(dataset.train.x, 9)))

    assert said["constant-feature"].level == "error"
    assert said["constant-feature"].message.startswith("no channel ever changes")


def test_a_colour_that_is_never_used() -> None:
    dataset = images(channels=3)
    x = dataset.train.x.copy()
    x[..., 2] = 255

    assert found(with_train(dataset, x))["constant-feature"].places == ("channel 3",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x / np.float32(255), "from 0 to 1, but model.preprocessing divides by 255"),
        (lambda x: x.astype(np.float32) * 4, "from 0 to 1.02e+03, but"),
        (lambda x: x.astype(np.float32) - 128, "from -128 to 127, but"),
        (lambda x: x // 20, "next to black"),
        (lambda x: 255 - x // 20, "next to white"),
    ],
)
def test_pixels_that_do_not_fit_the_preprocessing(change: Any, words: str) -> None:
    dataset = images()
    dataset = with_train(dataset, change(dataset.train.x))

    assert words in found(dataset, preprocessing="unit")["value-range"].message
    assert "value-range" not in found(dataset, preprocessing="none")
    assert "value-range" not in found(dataset)
    quickly = {each.code for each in quick(dataset, PLAIN, "unit")}
    assert quickly == (set() if "next to" in words else {"value-range"})


def test_pictures_of_one_colour() -> None:
    dataset = images(channels=3)
    x = dataset.test.x.copy()
    x[4] = [200, 20, 20]
    x[5] = 3
    said = found(replace(dataset, test=Split(x, dataset.test.y)))

    assert said["blank"].message == "2 pictures are of one colour"
    assert said["blank"].places == ("test 4", "test 5")


def test_features_of_very_different_scale() -> None:
    dataset = sequences()
    x = dataset.train.x * np.array([1, 1000], dtype=np.float32)
    said = found(with_train(dataset, x))

    assert said["feature-scale"].places == ("feature 2", "feature 1")
    scaled = replace(dataset, scaler=Scaler(np.zeros(2), np.array([1.0, 1000.0])))
    assert found(scaled) == {}


def test_a_number_that_stands_for_nothing() -> None:
    dataset = replace(sequences(), scaler=Scaler(np.zeros(2), np.ones(2)))
    x = dataset.test.x.copy()
    x[7, 2, 1] = -9999
    said = found(replace(dataset, test=Split(x, dataset.test.y)))

    assert "in the test part feature 2 holds a number 9,999 deviations" in said["far-out"].message
    assert said["far-out"].places == ("test 7",)


def test_numbers_that_are_not_finite() -> None:
    dataset = sequences()
    x = dataset.train.x.copy()
    x[3, 1, 0], x[9, 2, 1] = np.nan, np.inf
    report = check(with_train(dataset, x), PLAIN, kind="lstm")

    (said,) = [each for each in report.findings if each.code == "not-finite"]
    assert (said.level, said.places) == ("error", ("train 3", "train 9"))
    assert np.isfinite(report.parts[0].mean)


def test_a_trend_that_leads_away(tmp_path: Path) -> None:
    path = tmp_path / "up.csv"
    path.write_text("n\n" + "\n".join(str(i + i % 3) for i in range(300)) + "\n")
    level = section("csv", path=path)
    relative = section("csv", path=path, inputs="relative")

    assert "100% of the test values" in found(data.load(level, 0), level)["unseen-level"].message
    assert "relative" in found(data.load(level, 0), level)["unseen-level"].hint
    assert found(data.load(relative, 0), relative) == {}


# the whole


def test_errors_stand_before_warnings() -> None:
    dataset = leaking(12, of=24)
    report = check(dataset, PLAIN, kind="cnn")

    levels = [each.level for each in report.findings]
    assert levels == sorted(levels)
    assert (report.errors, report.warnings) == (levels.count("error"), levels.count("warning"))
    assert {"error", "warning"} == set(levels)


def test_what_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "photos")
    (root / "cat" / "001.png").write_bytes(b"")
    (root / "dog" / "002.png").write_text("not a picture")
    own = section("folder", path=root)
    with pytest.raises(DataError) as caught:
        data.load(own, 0)
    report = unreadable(own, caught.value, kind="cnn")

    (said,) = report.findings
    assert (said.level, said.code, report.errors) == ("error", "unreadable", 1)
    assert said.message == "2 picture(s) cannot be read"
    assert [place.partition(" (")[0] for place in said.places] == [
        str(root / "cat" / "001.png"), str(root / "dog" / "002.png"),
    ]  # fmt: skip
    assert report.path == str(root)


@needs_real_data
def test_real_sequences() -> None:
    own = section("ts", path=REAL / "sequences" / "JapaneseVowels")
    report = check(data.load(own, 42), own, kind="lstm")

    assert report.findings == ()
    assert report.parts[2].steps == (7, 15, 29)
    assert report.class_counts["3"] == 118
