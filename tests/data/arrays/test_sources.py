"""Which files and names hold the inputs, the labels and the parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli.data import load
from nncli.data.dataset import Dataset
from nncli.errors import DataError
from tests.data.made import REAL, images, needs_real_data, section, write_idx, write_npy, write_npz

X, Y = images()


def sizes(dataset: Dataset) -> list[int]:
    return [
        0 if part is None else len(part)
        for part in (dataset.train, dataset.validation, dataset.test)
    ]


def npz(path: Path, settings: dict[str, Any] | None = None, **arrays: Any) -> Dataset:
    return load(section("npz", path=write_npz(path / "a.npz", **arrays), **(settings or {})), 0)


# npz


@pytest.mark.parametrize(
    ("x", "y"),
    [("x", "y"), ("X", "Y"), ("X", "y"), ("x_train", "y_train"), ("images", "labels"),
     ("data", "targets"), ("train_images", "train_labels"), ("inputs", "label")],
)  # fmt: skip
def test_usual_names(tmp_path: Path, x: str, y: str) -> None:
    dataset = npz(tmp_path, **{x: X, y: Y, "about": np.array("noise")})
    assert sizes(dataset) == [39, 9, 12]
    assert dataset.classes == ("0", "1", "2")


@pytest.mark.parametrize("validation", ["validation", "valid", "val"])
def test_parts_of_its_own(tmp_path: Path, validation: str) -> None:
    arrays = {
        "x_train": X[:30], "y_train": Y[:30], f"x_{validation}": X[30:40],
        f"y_{validation}": Y[30:40], "x_test": X[40:], "y_test": Y[40:],
    }  # fmt: skip
    dataset = npz(tmp_path, **arrays)
    assert sizes(dataset) == [30, 10, 20]
    assert dataset.validation is not None
    assert np.array_equal(dataset.train.x, X[:30])
    assert np.array_equal(dataset.validation.x, X[30:40])
    assert np.array_equal(dataset.test.x, X[40:])
    assert dataset.test.y.tolist() == Y[40:].tolist()
    assert dataset.notes == ()


def test_a_test_part_alone(tmp_path: Path) -> None:
    arrays = {"x": X[:40], "y": Y[:40], "x_test": X[40:], "y_test": Y[40:]}
    dataset = npz(tmp_path, {"validation": 0.25, "test": 0.5}, **arrays)
    assert sizes(dataset) == [30, 10, 20]
    assert dataset.notes == ("the data has its own test part: data.test is not used",)


def test_names_of_ones_own(tmp_path: Path) -> None:
    arrays = {"photos": X[:40], "species": Y[:40], "new": X[40:], "truth": Y[40:], "x": X, "y": Y}
    settings = {"x": "photos", "y": "species", "x_test": "new", "y_test": "truth"}
    dataset = npz(tmp_path, settings, **arrays)
    assert sizes(dataset) == [34, 6, 20]
    assert np.array_equal(dataset.test.x, X[40:])


@pytest.mark.parametrize(
    ("settings", "arrays", "said", "advice"),
    [
        ({"x": "imges"}, {"images": X, "y": Y}, "has no array 'imges'", "did you mean 'images'?"),
        ({"y": "zzz"}, {"x": X, "y": Y}, "has no array 'zzz'", "it has x, y"),
        ({"x_test": "x_tset"}, {"x": X, "y": Y, "x_test": X}, "'x_tset'", "did you mean 'x_test'?"),
        ({}, {"a": X, "b": Y}, "no array of inputs .* it has a, b", "set data.x to its name"),
        ({}, {"x": X, "b": Y}, "no array of labels", "set data.y to its name"),
        ({}, {"x": X, "y": Y, "x_test": X}, "has x of the test part, but not its y", "data.y_test"),
        ({}, {"x": X, "y": Y, "y_val": Y}, "has y of the validation part", "data.x_validation"),
    ],
)
def test_arrays_that_are_not_there(
    tmp_path: Path, settings: Any, arrays: Any, said: str, advice: str
) -> None:
    with pytest.raises(DataError, match=rf"a\.npz has .*{said.removeprefix('has ')}") as caught:
        npz(tmp_path, settings, **arrays)
    assert advice in (caught.value.hint or "")


# files


def test_a_file_and_its_labels_beside_it(tmp_path: Path) -> None:
    for x, y in (("x", "y"), ("X_small", "y_small"), ("train_images", "train_labels")):
        path = write_npy(tmp_path / f"{x}.npy", X)
        write_npy(tmp_path / f"{y}.npy", Y)
        assert sizes(load(section("npy", path=path), 0)) == [39, 9, 12]


def test_files_that_are_named(tmp_path: Path) -> None:
    settings = {
        "path": write_npy(tmp_path / "photos.npy", X[:40]),
        "labels": write_npy(tmp_path / "species.npy", Y[:40]),
        "test_path": write_npy(tmp_path / "new.npy", X[40:]),
        "test_labels": write_npy(tmp_path / "truth.npy", Y[40:]),
    }
    dataset = load(section("npy", **settings), 0)
    assert sizes(dataset) == [34, 6, 20]
    assert np.array_equal(dataset.test.x, X[40:])


@pytest.mark.parametrize("ending", ["-ubyte", "-ubyte.gz", ".gz", ""])
@pytest.mark.parametrize("dot", ["-", "."])
def test_a_folder_as_mnist_has_it(tmp_path: Path, ending: str, dot: str) -> None:
    for part, rows in (("train", slice(40)), ("t10k", slice(40, 60))):
        write_idx(tmp_path / f"{part}-images{dot}idx3{ending}", X[rows, ..., 0])
        write_idx(tmp_path / f"{part}-labels{dot}idx1{ending}", Y[rows].astype(np.uint8))
    dataset = load(section("idx", path=tmp_path), 0)
    assert sizes(dataset) == [34, 6, 20]
    assert dataset.input_shape == (10, 10, 1)
    one = load(section("idx", path=tmp_path / f"train-images{dot}idx3{ending}"), 0)
    assert sizes(one) == [26, 6, 8]


def test_a_folder_of_npy_files(tmp_path: Path) -> None:
    for part, rows in (("train", slice(30)), ("val", slice(30, 45)), ("test", slice(45, 60))):
        write_npy(tmp_path / f"x_{part}.npy", X[rows])
        write_npy(tmp_path / f"y_{part}.npy", Y[rows])
    assert sizes(load(section("npy", path=tmp_path), 0)) == [30, 15, 15]


def test_files_that_are_not_there(tmp_path: Path) -> None:
    def refused(**settings: Any) -> DataError:
        with pytest.raises(DataError) as caught:
            load(section("npy", **settings), 0)
        assert caught.value.hint
        return caught.value

    assert "does not exist" in refused(path=tmp_path / "x.npy").message
    assert "holds no files of inputs and labels" in refused(path=tmp_path).message
    path = write_npy(tmp_path / "x_train.npy", X)
    assert "has x_train.npy, but not its labels" in refused(path=tmp_path).message
    assert "has no file of labels beside it" in refused(path=path).message
    assert "y.npy does not exist" in refused(path=path, labels=tmp_path / "y.npy").message
    labels = write_npy(tmp_path / "y_train.npy", Y)
    assert "is a folder, but data.labels" in refused(path=tmp_path, labels=labels).message
    assert (
        "test.npy does not exist"
        in refused(path=path, test_path=tmp_path / "test.npy", test_labels=labels).message
    )
    assert "named for training and for testing" in refused(path=path, test_path=path).message
    assert "is a folder" in refused(path=path, labels=tmp_path).message


def test_labels_without_their_inputs() -> None:
    (found,) = section("npy", path="x.npy", test_labels="y_test.npy").contradictions()
    assert found.keys == ("test_labels", "test_path")


@needs_real_data
def test_real_fashion_mnist() -> None:
    dataset = load(section("idx", path=REAL / "fashion_mnist"), 0)
    assert sum(sizes(dataset)) > 69_900  # a few are copies of others
    assert len(dataset.test) == 10_000
    assert np.bincount(dataset.test.y).tolist() == [1000] * 10
    assert (dataset.input_shape, dataset.train.x.dtype) == ((28, 28, 1), np.uint8)
