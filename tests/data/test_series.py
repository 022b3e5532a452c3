from __future__ import annotations

import hashlib
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


# several input columns


def three(count: int = 30, far: float = 1.0) -> str:
    """A date, a temperature and a flag beside what was sold; `far` is what the last third is
    multiplied by."""
    lines = [
        f"2020-01-{i + 1:02},{(10 + i * i) * (far if i >= count * 2 // 3 else 1)},{i % 2},{i * 3}"
        for i in range(count)
    ]
    return "\n".join(["day,warm,flag,sold", *lines]) + "\n"


BOTH = {"column": "sold", "input_columns": ["warm", 3]}


def test_the_forecast_column_comes_first(tmp_path: Path) -> None:
    dataset = read(tmp_path / "a.csv", three(), window=3, **BOTH)
    alone = read(tmp_path / "a.csv", window=3, column="sold")
    series, scaler = dataset.series, dataset.scaler
    assert series is not None
    assert scaler is not None
    assert dataset.input_shape == (3, 3)
    assert section("csv", path="a.csv", window=3, **BOTH).facts().input_shape == (3, 3)
    for name, part in dataset.parts.items():
        assert np.array_equal(part.x[:, :, :1], alone.parts[name].x)
        assert np.array_equal(part.y, alone.parts[name].y)
    values = np.array([[10 + i * i, i % 2] for i in range(30)], dtype=float)
    train = values[:21]
    assert scaler.offset == pytest.approx(train.mean(axis=0))
    assert scaler.scale == pytest.approx(train.std(axis=0))
    seen = dataset.test.x[:, :, 1:] * scaler.scale + scaler.offset
    expected = [values[i - 3 : i] for i in range(24, 30)]  # the rows before each target
    assert np.allclose(seen, expected, rtol=1e-5)
    assert dataset.learned()["scaler"] == scaler.to_dict()
    assert dataset.notes == ("no free-running forecast: it would need the future of warm, flag",)


def test_later_values_of_other_columns_do_not_reach_the_scaling(tmp_path: Path) -> None:
    first = read(tmp_path / "a.csv", three(), test=0.33, validation=0, **BOTH)
    second = read(tmp_path / "b.csv", three(far=1000.0), test=0.33, validation=0, **BOTH)
    assert np.array_equal(first.train.x, second.train.x)
    assert second.test.x[:, -1, 1].max() > 1000


def test_other_columns_keep_their_level(tmp_path: Path) -> None:
    level = read(tmp_path / "a.csv", three(), **BOTH)
    relative = read(tmp_path / "a.csv", inputs="relative", **BOTH)
    assert not relative.train.x[:, -1, 0].any()
    assert np.array_equal(relative.train.x[:, :, 1:], level.train.x[:, :, 1:])


def test_the_last_column_that_is_not_among_the_others_is_forecast(tmp_path: Path) -> None:
    dataset = read(tmp_path / "a.csv", three(), input_columns=["sold"])
    assert dataset.series is not None
    assert dataset.series.name == "flag"


def test_newest_first_turns_all_columns_round(tmp_path: Path) -> None:
    header, *lines = three().splitlines()
    turned = read(tmp_path / "b.csv", "\n".join([header, *lines[::-1]]) + "\n", **BOTH)
    plain = read(tmp_path / "a.csv", three(), **BOTH)
    assert np.array_equal(turned.train.x, plain.train.x)
    assert np.array_equal(turned.test.x, plain.test.x)


def with_holes() -> str:
    lines = [line.split(",") for line in three().splitlines()]
    lines[5][1] = lines[6][1] = ""
    lines[29][3] = "NA"
    return "\n".join(",".join(line) for line in lines) + "\n"


def test_missing_values_of_any_used_column_are_refused(tmp_path: Path) -> None:
    said = r"a\.csv:6: column 'warm' has no value \(3 in all: sold 1, warm 2\)"
    with pytest.raises(DataError, match=said):
        read(tmp_path / "a.csv", with_holes(), **BOTH)
    read(tmp_path / "a.csv", column="flag", input_columns=[])


def test_missing_values_are_counted_by_column(tmp_path: Path) -> None:
    dropped = read(tmp_path / "a.csv", with_holes(), missing="drop", **BOTH)
    assert dropped.notes[0] == "3 row(s) without a value left out: sold 1, warm 2"
    filled = read(tmp_path / "a.csv", missing="interpolate", validation=0, test=0.2, **BOTH)
    assert filled.notes[0].startswith("3 missing value(s) filled by straight lines")
    assert filled.notes[0].endswith(": sold 1, warm 2")
    assert filled.series is not None
    assert filled.scaler is not None
    assert filled.series.truth[-3:].tolist() == [81, 84, 87]
    warm = filled.train.x[:, 0, 1] * filled.scaler.scale[0] + filled.scaler.offset[0]
    assert warm[3:7] == pytest.approx([19, 19 + 27 / 3, 19 + 2 * 27 / 3, 46], rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "said", "hint"),
    [
        ({"input_columns": ["wram"]}, "has no column 'wram'", "did you mean 'warm'"),
        ({"input_columns": [9]}, r"has 4 column\(s\), but data.input_columns is 9", "from 1 to 4"),
        ({"input_columns": ["day"]}, r"a\.csv:2: column 'day' holds '2020-01-01'", "input_columns"),
        ({"input_columns": [4], "column": "sold"}, r"'sold' \(number 4\) .* to forecast", "once"),
        ({"input_columns": ["warm", 2]}, r"'warm' \(number 2\) .* is named twice", "once"),
        ({"input_columns": [2, 3, 4]}, "no column of numbers left to forecast", "decimal"),
        ({"input_columns": ["flat"]}, "'flat' is constant .* nothing to learn", "leave it out"),
        ({"input_columns": ["huge"]}, "numbers of column 'huge' are too large", "power"),
    ],
)
def test_faults_of_input_columns(
    tmp_path: Path, settings: dict[str, Any], said: str, hint: str
) -> None:
    text = three()
    if "flat" in said or "huge" in said:
        lines = text.splitlines()
        more = [f"{line},5,{'-' * (i % 2)}1e308" for i, line in enumerate(lines[1:])]
        text = "\n".join([lines[0] + ",flat,huge", *more]) + "\n"
        settings = {"column": "sold", **settings}
    with pytest.raises(DataError, match=said) as caught:
        read(tmp_path / "a.csv", text, **settings)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("settings", "keys", "said"),
    [
        ({"input_columns": ["a", 2, "a"]}, ("input_columns",), "'a' stands twice"),
        ({"input_columns": ["a", 2], "column": 2}, ("input_columns", "column"), "column 2 is the"),
        ({"limit": 30, "window": 24}, ("limit", "window"), "of 30 values at most 22 are left"),
    ],
)
def test_contradictions_are_foreseen(
    settings: dict[str, Any], keys: tuple[str, ...], said: str
) -> None:
    (found,) = section("csv", path="a.csv", **settings).contradictions()
    assert found.keys == keys
    assert said in found.message


def test_names_in_any_script(tmp_path: Path) -> None:
    path = tmp_path / "时间 سلسلة 😀.csv"
    text = three().replace("day,warm,flag,sold", "يوم,温度,🎉,продано")
    dataset = read(path, text, column="продано", input_columns=["温度", "🎉"])
    assert dataset.series is not None
    assert dataset.series.name == "продано"
    with pytest.raises(DataError, match=r"时间 سلسلة 😀\.csv:12: column '温度' holds 'x'"):
        read(path, text.replace(",110,", ",x,"), column="продано", input_columns=["温度"])


# the last values


def test_a_limit_takes_the_last_values(tmp_path: Path) -> None:
    dataset = read(tmp_path / "a.csv", column(range(100)), limit=20)
    whole = read(tmp_path / "b.csv", column(range(80, 100)))
    assert dataset.notes == ("the last 20 of 100 values",)
    assert np.array_equal(dataset.train.x, whole.train.x)
    assert dataset.series is not None
    assert dataset.series.truth.tolist() == [96, 97, 98, 99]
    assert read(tmp_path / "a.csv", limit=100).notes == ()


def test_a_limit_counts_what_missing_values_leave(tmp_path: Path) -> None:
    values = ["NA", *range(1, 98), "NA", 99]
    dropped = read(tmp_path / "a.csv", column(values), column=1, limit=20, missing="drop")
    assert dropped.series is not None
    assert dropped.series.truth.tolist() == [95, 96, 97, 99]
    with pytest.raises(DataError, match=r"a\.csv:100: column 'value' has no value$"):
        read(tmp_path / "a.csv", column=1, limit=20)


def test_every_limit_that_is_foreseen_to_be_too_small_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(column(range(200)))
    seen = set()
    for limit in range(1, 60):
        chosen = section("csv", path=path, window=20, limit=limit, validation=0.17, test=0.23)
        refused = bool(list(chosen.contradictions()))
        seen.add(refused)
        if refused:
            with pytest.raises(DataError):
                load(chosen, 0)
    assert seen == {True, False}


def test_a_byte_changes_the_fingerprint(tmp_path: Path) -> None:
    first = read(tmp_path / "a.csv", GOOD)
    second = read(tmp_path / "a.csv", GOOD + "\n")
    assert first.files == hashlib.sha256(GOOD.encode()).hexdigest()
    assert np.array_equal(first.train.x, second.train.x)
    assert first.fingerprint() != second.fingerprint()


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


def test_values_filled_in_the_test_part_are_told(tmp_path: Path) -> None:
    values = [str(v % 7) for v in range(100)]
    values[95] = "NA"
    dataset = read(tmp_path / "a.csv", column(values), missing="interpolate")
    assert any(note.startswith("1 of the 20 values to measure on") for note in dataset.notes)
    values[95], values[20] = "4", "NA"
    dataset = read(tmp_path / "a.csv", column(values), missing="interpolate")
    assert not any("to measure on" in note for note in dataset.notes)


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
