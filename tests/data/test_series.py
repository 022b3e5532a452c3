from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli.data import load
from nncli.data.dataset import Dataset
from nncli.errors import DataError
from tests.data.made import REAL, needs_real_data, section, write_csv


def read(path: Path, text: str | bytes | None = None, **settings: Any) -> Dataset:
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(section("csv", path=path, **{"window": 2, **settings}), 0)


def column(values: Any, header: str = "value") -> str:
    return "\n".join([header, *(str(value) for value in values)]) + "\n"


# sine


def test_sine_is_the_lessons() -> None:
    dataset = load(section("sine"), 0)
    wave = np.sin(np.linspace(0, np.pi, 21)).astype(np.float32)
    assert np.array_equal(dataset.train.x[0, :, 0], wave[:-1])
    assert np.array_equal(dataset.train.y[0, :, 0], wave[1:])
    assert dataset.train.x.shape == dataset.train.y.shape == (1, 20, 1)
    assert dataset.validation is None
    assert dataset.target_steps


def test_sine_is_tested_between_the_training_points() -> None:
    dataset = load(section("sine"), 0)
    series = dataset.series
    assert series is not None
    assert (series.name, series.offset, series.scale) == ("sin(t)", 0.0, 1.0)
    assert series.seen == pytest.approx([np.sin(np.pi / 40)])
    assert series.truth.shape == (20,)
    assert not np.isin(dataset.test.x, dataset.train.x).any()
    assert np.allclose(dataset.test.y[0, :, 0], series.truth)
    assert "half a step later" in dataset.notes[0]


def test_sine_ends_after_it_starts() -> None:
    (found,) = section("sine", start=1.0, end=1.0).contradictions()
    assert found.keys == ("end", "start")
    assert found.message == "the wave would run from 1 to 1"


# windows, scaling and split


@pytest.mark.parametrize("predict", ["change", "value"])
def test_windows_split_by_their_target(tmp_path: Path, predict: str) -> None:
    values = np.arange(20.0) ** 2
    dataset = read(
        tmp_path / "a.csv", column(values), window=3, validation=0.2, test=0.25, predict=predict
    )
    series, validation = dataset.series, dataset.validation
    assert series is not None
    assert validation is not None
    assert (len(dataset.train), len(validation), len(dataset.test)) == (8, 4, 5)
    assert series.offset == pytest.approx(values[:11].mean())
    assert series.scale == pytest.approx(values[:11].std())
    targets = np.concatenate([part.y[:, 0] for part in (dataset.train, validation, dataset.test)])
    assert np.round(series.to_units(targets, values[2:-1])).tolist() == values[3:].tolist()
    first = dataset.test.x[0, :, 0].astype(float) * series.scale + series.offset
    assert np.round(first).tolist() == values[12:15].tolist()
    assert series.before.tolist() == values[14:-1].tolist()
    assert series.seen.tolist() == values[12:15].tolist()
    assert series.truth.tolist() == values[15:].tolist()


@pytest.mark.parametrize(
    ("text", "line"),
    [("value\n50,00\n53,57\n", 2), ("date,value\n2020-01-01,5\n2020-01-02,51,000\n", 3)],
)
def test_a_number_cut_in_two_is_refused(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"a.csv:{line}: \d cells, but \d column"):
        load(section("csv", path=path), 0)


def test_relative_inputs_know_no_level(tmp_path: Path) -> None:
    values = np.arange(20.0) ** 2
    low, high = (
        read(tmp_path / f"{add}.csv", column(values + add), window=3, inputs="relative")
        for add in (0, 1000)
    )
    assert np.allclose(low.train.x, high.train.x, atol=1e-5)
    assert np.allclose(low.test.y, high.test.y, atol=1e-5)
    assert not low.train.x[:, -1].any(), "the last value of a window is its zero"
    both = section("csv", path=tmp_path / "0.csv", inputs="relative", predict="value")
    (found,) = both.contradictions()
    assert found.keys == ("predict", "inputs")
    assert "cannot know the level" in found.message


def test_later_values_do_not_reach_the_scaling(tmp_path: Path) -> None:
    values = np.sin(np.arange(40.0))
    other = values.copy()
    other[-12:] *= 1000  # validation and test
    first = read(tmp_path / "a.csv", column(values))
    second = read(tmp_path / "b.csv", column(other))
    assert np.array_equal(first.train.x, second.train.x)


def test_dates_become_labels(tmp_path: Path) -> None:
    dataset = read(write_csv(tmp_path / "a.csv", 50))
    assert dataset.series is not None
    assert dataset.series.name == "Sold"
    assert dataset.series.labels[0] == "1903-05"
    assert len(dataset.series.labels) == len(dataset.series.truth) == 10


def test_newest_first_is_turned_round(tmp_path: Path) -> None:
    rows = [f"2020-01-{day:02},{day}" for day in range(30, 0, -1)]
    dataset = read(tmp_path / "a.csv", column(rows, "day,value"))
    assert dataset.series is not None
    assert dataset.series.truth.tolist() == [25, 26, 27, 28, 29, 30]
    assert "newest row" in dataset.notes[0]


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("t;v\n" + "".join(f"x{i};{i},5\n" for i in range(20)), {}),
        ("t\tv\n" + "".join(f"x{i}\t{i}.5\n" for i in range(20)), {}),
        ("".join(f"{i}.5\n" for i in range(20)), {}),
        ("".join(f"9,{i}.5\r\n" for i in range(20)), {}),
        ("\ufeffv,w\n" + "".join(f"{i}.5,7\n\n" for i in range(20)), {"column": "v"}),
        ("v,w\n" + "".join(f"{i}.5,7\n" for i in range(20)), {"column": 1}),
        ("t,v\n" + "".join(f'x{i},"{i},5"\n' for i in range(20)), {"decimal": ",", "column": "v"}),
    ],
)
def test_many_dialects(tmp_path: Path, text: str, settings: dict[str, Any]) -> None:
    dataset = read(tmp_path / "a.csv", text, **settings)
    assert dataset.series is not None
    assert dataset.series.truth.tolist() == [16.5, 17.5, 18.5, 19.5]


# missing values

HOLES = column([*range(8), "", 9, "NA", *range(11, 20), "nan", 21])


def test_missing_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv:10: column 'value' has no value \(3 in all\)"):
        # a blank line is no row, so the hole needs a second column
        read(tmp_path / "a.csv", HOLES.replace("\n\n", "\n?\n"))


def test_missing_values_are_dropped(tmp_path: Path) -> None:
    dataset = read(tmp_path / "a.csv", HOLES.replace("\n\n", "\n-\n"), missing="drop")
    assert dataset.series is not None
    assert dataset.series.truth.tolist() == [17, 18, 19, 21]
    assert "3 row(s)" in dataset.notes[0]


def test_missing_values_are_interpolated_inside_their_part(tmp_path: Path) -> None:
    values: list[Any] = [*range(10), "NA", *range(11, 15), "NA", *range(160, 164)]
    dataset = read(
        tmp_path / "a.csv", column(values), missing="interpolate", validation=0, predict="value"
    )
    series = dataset.series
    assert series is not None
    known = series.to_units(dataset.train.y[:, 0], np.zeros(len(dataset.train)))
    assert known[8] == pytest.approx(10, abs=1e-4)
    assert known[13] == pytest.approx(14, abs=1e-4), "the value after it belongs to the test part"
    assert "2 missing value(s)" in dataset.notes[0]


def test_a_part_without_any_value(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no value at all in rows 18 to 21"):
        read(
            tmp_path / "a.csv",
            column([*range(16), "NA", "NA", "NA", "NA"]),
            column="value",
            missing="interpolate",
        )


# faults

GOOD = column(range(20))


@pytest.mark.parametrize(
    ("text", "settings", "said", "hint"),
    [
        (GOOD, {"column": "vlaue"}, "has no column 'vlaue'", "did you mean 'value'"),
        (GOOD, {"column": "price"}, "has no column 'price'", "choose one of value"),
        (GOOD, {"column": 3}, r"has 1 column\(s\), but data.column is 3", "from 1 to 1"),
        ("1\n2\n3\n", {"column": "v"}, "has no header line", "number"),
        ("v,v\n1,2\n", {"column": "v"}, "2 columns named 'v'", "number of one"),
        (GOOD, {"date_column": "day"}, "has no column 'day'", "choose"),
        (GOOD.replace("\n7\n", "\nseven\n"), {}, r"a\.csv:9: column 'value' holds 'seven'", "row"),
        (GOOD.replace("\n7\n", "\n7_0\n"), {}, r"a\.csv:9: column 'value' holds '7_0'", "row"),
        (GOOD.replace("\n7\n", "\n1e999\n"), {}, r"a\.csv:9: .* holds '1e999'", "row"),
        ("a;b\n1;2\n3;4\n5\n", {}, r"a\.csv:4: 1 column\(s\), so none is 'b'", "complete"),
        ('v\n1\n"1,5"\n', {}, r"a\.csv:3: .* holds '1,5'", "data.decimal"),
        ("a,b\nx,y\nz,w\n", {}, "no column of numbers", "separator"),
        (column([5] * 20), {}, "is constant in the training part", "another"),
        (column([0.1] * 20), {}, "is constant in the training part", "another"),
        (column(["1e308", "-1e308"] * 10), {}, "too large", "power"),
        (GOOD, {"window": 24}, "20 values leave 14 to train on", "at most 13"),
        ("v\n5\n", {}, "1 values leave 0 to train on", "longer series"),
        ("v\n", {}, "no column of numbers|no rows", ""),
        ("", {}, "is empty", "one row per value"),
        ("\n\n", {}, "is empty", "one row per value"),
        (b"v\n1\n\xff\n", {}, r"a\.csv:3: not UTF-8 text \(byte 0xff\)", "UTF-8"),
        (
            column(["2020-01-02,1", "2020-01-03,2", "2020-01-01,3"] * 9, "d,v"),
            {},
            "order of time",
            "sort",
        ),
        ('v\n"' + "1" * 200_000, {}, "not a CSV line", ""),
    ],
)
def test_faults_are_named(
    tmp_path: Path, text: str | bytes, settings: dict[str, Any], said: str, hint: str
) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read(tmp_path / "a.csv", text, **settings)
    assert "a.csv" in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.csv does not exist"):
        read(tmp_path / "no.csv")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder, not a CSV file"):
        read(tmp_path)


# real series


@needs_real_data
@pytest.mark.parametrize(
    ("file", "name", "rows", "first"),
    [
        ("airline.csv", "Passengers", 144, "1958-08"),
        ("monthly-sunspots.csv", "Sunspots", 2820, "1937-01"),
    ],
)
def test_real_series(file: str, name: str, rows: int, first: str) -> None:
    dataset = load(section("csv", path=REAL / "series" / file), 0)
    assert dataset.series is not None
    assert dataset.series.name == name
    assert len(dataset.series.truth) == round(rows * 0.2)
    assert dataset.series.labels[0] == first
    assert dataset.train.y.mean() == pytest.approx(0, abs=0.5)
