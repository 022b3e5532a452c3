"""Samples to measure on are treated as those of the training: one contract for all sources."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nncli.data import SOURCES, load
from nncli.data.dataset import Dataset
from nncli.data.learned import Learned
from nncli.data.others import Others
from nncli.data.source import DataSection
from nncli.errors import DataError
from tests.data.made import (
    images,
    section,
    write_csv,
    write_folder,
    write_idx,
    write_npz,
    write_table,
    write_ts_pair,
)

DIVIDED = (
    "folder",
    "npz",
    "npz in memory or not",
    "npz of 16 bits",
    "npz sequences",
    "npy",
    "idx",
    "table",
    "ts",
)


def learned(dataset: Dataset) -> Learned:
    """As data.json of a run on it."""
    preparation = (
        {"preprocessing": "unit", "channels": None} if dataset.family == "images" else None
    )
    return Learned.of({**dataset.learned(), "preparation": preparation})


def others(settings: DataSection, trained: DataSection, seed: int = 42) -> Others:
    return SOURCES[settings.source].others(settings, learned(load(trained, seed)), seed)


def numbers(x: Any) -> Any:
    return np.asarray(x[:], dtype=np.float64)


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DataSection]:
    """Data of every kind that comes with a test part of its own."""
    root = tmp_path_factory.mktemp("divided")
    x, y = images()
    half = len(x) // 2
    parts = {"x_train": x[:half], "y_train": y[:half], "x_test": x[half:], "y_test": y[half:]}
    for name, values in parts.items():
        np.save(root / f"{name}.npy", values)
    for part in ("train", "test"):
        write_folder(root / "pets" / part)
        write_idx(root / f"{part}-images-idx3", parts[f"x_{part}"][..., 0])
        write_idx(root / f"{part}-labels-idx1", parts[f"y_{part}"].astype(np.uint8))
    for index, path in enumerate(sorted((root / "pets" / "test").rglob("*.png"))):
        Image.new("RGB", (20, 20), (index * 7 % 255, 90, 30)).save(path)
    flat = {name: values.reshape(len(values), -1)[:, :12] for name, values in parts.items()
            if name.startswith("x")}  # fmt: skip
    steps = {**parts, **{name: values.reshape(-1, 4, 3) / 7 for name, values in flat.items()}}
    wide = {name: values.astype(np.uint16) * 251 if name.startswith("x") else values
            for name, values in parts.items()}  # fmt: skip
    return {
        "folder": section("folder", path=root / "pets", size=16),
        "npz": section("npz", path=write_npz(root / "a.npz", **parts)),
        "npz in memory or not": section("npz", path=root / "a.npz", memory_limit=0),
        "npz of 16 bits": section("npz", path=write_npz(root / "c.npz", **wide)),
        "npz sequences": section(
            "npz", family="sequences", path=write_npz(root / "b.npz", **steps)
        ),
        "npy": section("npy", path=root),
        "idx": section("idx", path=root),
        "table": section(
            "table",
            path=write_table(root / "train.csv"),
            test_path=write_table(root / "test.csv", rows=30, seed=1),
        ),
        "ts": section("ts", path=write_ts_pair(root / "made")),
    }


@pytest.mark.parametrize("source", DIVIDED)
def test_the_test_part_of_divided_data_is_the_one_that_training_measures(
    divided: dict[str, DataSection], source: str
) -> None:
    dataset = load(divided[source], 42)
    found = others(divided[source], divided[source]).test
    assert len(found) >= len(dataset.test) > 0
    # copies are left out of the one, and stay in the other
    rows = [
        next(i for i, other in enumerate(numbers(found.x)) if np.array_equal(sample, other))
        for sample in numbers(dataset.test.x)
    ]
    assert np.array_equal(found.y[rows], dataset.test.y)


def test_a_column_is_windowed_and_scaled_as_for_training(tmp_path: Path) -> None:
    settings = section("csv", path=write_csv(tmp_path / "sold.csv"))
    dataset = load(settings, 42)
    found = others(settings, settings)
    measured = len(dataset.test)
    assert np.array_equal(found.test.x[-measured:], dataset.test.x)
    assert np.array_equal(found.test.y[-measured:], dataset.test.y)
    assert found.series is not None
    assert dataset.series is not None
    assert len(found.series.truth) == 200 - 24
    assert found.series.labels[-measured:] == dataset.series.labels
    assert found.series.scale == dataset.series.scale


def test_the_naive_error_of_the_training_part_is_known(tmp_path: Path) -> None:
    settings = section("csv", path=write_csv(tmp_path / "sold.csv"))
    dataset = load(settings, 42)
    values = np.array([float(line.split(",")[1]) for line in
                       (tmp_path / "sold.csv").read_text().splitlines()[1:]])  # fmt: skip
    assert dataset.series is not None
    assert dataset.series.naive_error == pytest.approx(np.abs(np.diff(values[:140])).mean())


def test_waves_are_new_ones() -> None:
    settings = section("waves", samples=100, steps=30)
    dataset = load(settings, 42)
    found = others(settings, settings)
    known = {x.tobytes() for part in dataset.parts.values() for x in part.x}
    assert len(found.test) == 100
    assert not known & {x.tobytes() for x in found.test.x}


def test_digits_of_the_classes_that_are_known() -> None:
    found = others(section("digits"), section("digits", classes=[3, 8]))
    assert len(found.test) == 183 + 174
    assert set(found.test.y.tolist()) == {0, 1}


def test_the_sine_is_measured_between_its_points() -> None:
    found = others(section("sine"), section("sine"))
    assert np.array_equal(found.test.x, load(section("sine"), 42).test.x)
    with pytest.raises(DataError, match="11 × 1"):
        others(section("sine", points=12), section("sine"))


def test_columns_of_a_table_are_found_by_their_names(tmp_path: Path) -> None:
    trained = section("table", path=write_table(tmp_path / "a.csv"))
    lines = [line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()]
    turned = [[*reversed(line[1:]), line[0], "7"] for line in lines]
    turned[0][-1] = "extra"
    (tmp_path / "b.csv").write_text("\n".join(",".join(line) for line in turned))
    expected = others(trained, trained)
    found = others(section("table", path=tmp_path / "b.csv"), trained)
    assert np.array_equal(found.test.x, expected.test.x)
    assert np.array_equal(found.test.y, expected.test.y)
    assert found.test.names[2] == f"{tmp_path / 'b.csv'}:4"
    (tmp_path / "c.csv").write_text("\n".join(",".join(line[:60]) for line in lines))
    with pytest.raises(DataError, match="no column 'pixel59' and 4 more"):
        others(section("table", path=tmp_path / "c.csv"), trained)


def test_labels_by_name_or_by_number(tmp_path: Path) -> None:
    x, y = images()
    names = np.array(["ant", "bee", "cat", "dog", "eel"])[: y.max() + 1]
    trained = section("npz", path=write_npz(tmp_path / "a.npz", x=x, y=names[y]))
    plain = others(section("npz", path=write_npz(tmp_path / "b.npz", x=x, y=y)), trained)
    assert np.array_equal(plain.test.y, y)
    few = section("npz", path=write_npz(tmp_path / "c.npz", x=x[:4], y=np.repeat("bee", 4)))
    assert others(few, trained).test.y.tolist() == [1, 1, 1, 1]
    wrong = section("npz", path=write_npz(tmp_path / "d.npz", x=x[:2], y=["bee", "fox"]))
    with pytest.raises(DataError, match=r"sample 2: label 'fox' is of no class .*ant, bee"):
        others(wrong, trained)


def test_a_folder_may_lack_classes_but_not_have_others(tmp_path: Path) -> None:
    trained = section("folder", path=write_folder(tmp_path / "pets"), size=16)
    classes = load(trained, 42).classes
    (tmp_path / "new" / classes[1]).mkdir(parents=True)
    Image.new("RGB", (30, 20), (200, 10, 10)).save(tmp_path / "new" / classes[1] / "a.png")
    found = others(section("folder", path=tmp_path / "new"), trained)
    assert found.test.y.tolist() == [1]
    assert found.test.x.shape == (1, 16, 16, 3)
    assert found.test.names == (f"{classes[1]}/a.png",)
    (tmp_path / "new" / "zebra").mkdir()
    with pytest.raises(DataError, match="'zebra' is not among the training classes"):
        others(section("folder", path=tmp_path / "new"), trained)


def test_another_shape_is_refused(tmp_path: Path) -> None:
    x, y = images()
    trained = section("npz", path=write_npz(tmp_path / "a.npz", x=x, y=y))
    other = section("npz", path=write_npz(tmp_path / "b.npz", x=x[:, 1:], y=y))
    with pytest.raises(DataError, match="the model takes"):
        others(other, trained)


def test_pixels_are_not_guessed_anew(tmp_path: Path) -> None:
    """A dark picture alone looks like shares of 1; the training's pixels tell that it is none."""
    x, y = images()
    trained = section("npz", path=write_npz(tmp_path / "a.npz", x=x, y=y))
    dark = section("npz", path=write_npz(tmp_path / "b.npz", x=x[:3] // 255, y=y[:3]))
    assert numbers(others(dark, trained).test.x).max() <= 1
    shares = section("npz", path=write_npz(tmp_path / "c.npz", x=x / 255, y=y))
    half = section("npz", path=write_npz(tmp_path / "d.npz", x=x[:3] / 510, y=y[:3]))
    assert numbers(others(half, shares).test.x).max() == pytest.approx(x[:3].max() / 2)
    with pytest.raises(DataError, match="reach from 0 to 1"):
        others(trained, shares)


def test_shorter_sequences_are_padded_and_longer_ones_refused(tmp_path: Path) -> None:
    head = "@problemName a\n@equalLength false\n@classLabel true up down\n@data\n"
    lines = [f"{','.join(str(i + s) for s in range(3 + i % 4))}:{'up' if i % 2 else 'down'}"
             for i in range(20)]  # fmt: skip
    (tmp_path / "a.ts").write_text(head + "\n".join(lines))
    trained = section("ts", path=tmp_path / "a.ts")
    known = learned(load(trained, 42))
    (tmp_path / "b.ts").write_text(head + "1,2:up\n5,6,7:down\n")
    found = SOURCES["ts"].others(section("ts", path=tmp_path / "b.ts"), known, 0)
    assert found.test.x.shape == (2, 6, 1)
    assert (found.test.x[0, 2:] == known.padding).all()
    assert found.test.y.tolist() == [0, 1]
    (tmp_path / "c.ts").write_text(head + "1,2,3,4,5,6,7,8:up\n")
    with pytest.raises(DataError, match=r"c\.ts:5: 8 steps, but the model takes at most 6"):
        SOURCES["ts"].others(section("ts", path=tmp_path / "c.ts"), known, 0)
    cut = SOURCES["ts"].others(section("ts", path=tmp_path / "c.ts", steps=6), known, 0)
    assert cut.test.x.shape == (1, 6, 1)


def test_data_json_is_read_strictly() -> None:
    stored: dict[str, Any] = {
        **load(section("digits"), 42).learned(),
        "preparation": {"preprocessing": "unit", "channels": None},
    }
    assert Learned.of(stored).classes == tuple("0123456789")
    for wrong, said in (
        ({"input_shape": [1 << 40, 28, 1]}, "input_shape"),
        ({"input_shape": [90_000, 90_000, 1]}, "too large"),
        ({"classes": ["1"]}, "1 classes"),
        ({"task": "forecast"}, "forecast does not go with series None"),
        ({"preparation": None}, "without a preparation"),
        ({"scaler": {"offset": [0.0], "scale": [0.0]}}, "scaler"),
        ({"more": 1}, "more"),
    ):
        with pytest.raises(ValueError, match=said):
            Learned.of({**stored, **wrong})


def test_learned_of_every_source_is_read_back(divided: dict[str, DataSection]) -> None:
    for settings in divided.values():
        dataset = load(settings, 42)
        known = learned(dataset)
        assert known.input_shape == dataset.input_shape
        if dataset.scaler is not None:
            assert known.scaler is not None
            assert asdict(known.scaler.scaler).keys() == asdict(dataset.scaler).keys()
            assert np.array_equal(known.scaler.scaler.scale, dataset.scaler.scale)
