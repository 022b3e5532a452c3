from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nncli.data import labels as module
from nncli.data.labels import Labels, read_labels
from nncli.errors import DataError


def read(*given: Any, names: tuple[str, ...] | None = None) -> Labels:
    """The first are those of the training part."""
    places = ("y_train", "y_test")
    return read_labels(
        [
            (place, np.asarray(y), place == "y_train")
            for place, y in zip(places, given, strict=False)
        ],
        names,
    )


@pytest.mark.parametrize(
    ("given", "classes", "indices"),
    [
        ([2, 0, 1, 2], "012", [2, 0, 1, 2]),
        ([7, -3, 7], ("-3", "7"), [1, 0, 1]),
        ([-1, 1, -1], ("-1", "1"), [0, 1, 0]),
        ([1.0, 3.0, 1.0], "13", [0, 1, 0]),
        (np.array([True, False]), "01", [1, 0]),
        (np.array([10, 9], dtype=">u2"), ("9", "10"), [1, 0]),
        ([[2], [5], [2]], "25", [0, 1, 0]),
        ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], "012", [1, 0, 2]),
        ([[0.0, 1.0], [1.0, 0.0]], "01", [1, 0]),
        (["dog", "cat", "dog"], ("cat", "dog"), [1, 0, 1]),
        (["10", "9"], ("10", "9"), [0, 1]),
        (["猫", "كلب", "🐦", "é"], ("é", "كلب", "猫", "🐦"), [2, 1, 3, 0]),
        ([b"dog", b"cat"], ("cat", "dog"), [1, 0]),
        (["été".encode(), b"hiver"], ("hiver", "été"), [1, 0]),
        ([["a"], ["b"]], "ab", [0, 1]),
    ],
)
def test_labels_as_people_store_them(given: Any, classes: Any, indices: list[int]) -> None:
    found = read(given)
    assert found.classes == tuple(classes)
    assert found.indices[0].tolist() == indices
    assert found.indices[0].dtype == np.int64


def test_all_parts_count_by_the_training_part() -> None:
    found = read([30, 10, 20], [20.0, 20.0])
    assert found.classes == ("10", "20", "30")
    assert [index.tolist() for index in found.indices] == [[2, 0, 1], [1, 1]]
    assert read(["b", "a"], ["b"]).indices[1].tolist() == [1]
    assert read([[0, 1], [1, 0]], [1, 1, 0]).indices[1].tolist() == [1, 1, 0]


def test_names_count_from_0() -> None:
    found = read([2, 0, 0], [1], names=("zebra", "ant", "bee"))
    assert found.classes == ("zebra", "ant", "bee")
    assert [index.tolist() for index in found.indices] == [[2, 0, 0], [1]]


def test_names_of_texts_give_their_order() -> None:
    found = read(["low", "high", "middle"], names=("low", "middle", "high"))
    assert found.classes == ("low", "middle", "high")
    assert found.indices[0].tolist() == [0, 2, 1]
    with pytest.raises(DataError, match="differ in 'high'"):
        read(["low", "high"], names=("low", "up"))


DAMAGED = np.frombuffer(b"a\0\0\0\xff\xff\xff\xffb\0\0\0", "<U1")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[0, 1, 0.5]], r"y_train, sample 3: label 0.5 is not a whole number"),
        ([[0, 1, np.nan]], r"y_train, sample 3: label nan is not a whole number"),
        ([[0, 1, -np.inf]], r"y_train, sample 3: label -inf"),
        ([[0, 1e30]], r"y_train, sample 2: label 1e\+30"),
        ([[0, 1, -1, 2]], "y_train has label -1 beside 0 to 2"),
        ([[3, 3, 3]], r"y_train: every label is '3'; at least two"),
        ([["up", "up"]], r"y_train: every label is 'up'"),
        ([["a", " ", "b"]], r"y_train, sample 2 has no label"),
        ([["a", "b", "NaN"]], r"y_train, sample 3 has no label \('NaN'\)"),
        ([[b"a", b"\xff"]], "y_train has labels that are not UTF-8"),
        ([DAMAGED], "y_train, sample 2 has a label that is not text"),
        ([np.array(["a", "\ud800"])], "y_train, sample 2 has a label that is not text"),
        ([[[1, 0], [1, 1]]], "y_train, sample 2: a row of 2 numbers is not one-hot"),
        ([[[1, 0], [0, 0]]], "sample 2: a row of 2 numbers is not one-hot"),
        ([[[1, 0], [0.9, 0.1]]], "sample 2: a row of 2 numbers is not one-hot"),
        ([[["a", "b"]]], r"y_train has labels of shape \(1, 2\)"),
        ([np.zeros((2, 2, 2))], r"y_train has labels of shape \(2, 2, 2\)"),
        ([np.array([1j, 0])], "y_train has labels of type complex128"),
        ([[0, 1], ["0", "1"]], "numbers in one place and texts in another: y_train, y_test"),
        ([[0, 1], [1, 7]], r"y_test, sample 2: label '7' is not among .* \(0, 1\)"),
        ([["a", "b"], ["c"]], r"y_test, sample 1: label 'c' is not among"),
    ],
)
def test_labels_that_are_none(given: list[Any], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read(*given)
    assert caught.value.hint


@pytest.mark.parametrize("wrong", [3, -1])
def test_labels_out_of_the_range_of_the_names(wrong: int) -> None:
    with pytest.raises(DataError, match=rf"y_test, sample 2: label {wrong}, but .* \(0 to 2\)"):
        read([0, 1, 2], [0, wrong], names=("a", "b", "c"))


def test_measurements_are_no_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CLASSES", 100)
    with pytest.raises(DataError, match="y_train has 101 different labels") as caught:
        read(np.arange(101))
    assert "are these class labels?" in (caught.value.hint or "")


def test_a_long_label_is_shortened() -> None:
    with pytest.raises(DataError) as caught:
        read(["a", "b"], ["x" * 5000])
    assert len(caught.value.message) < 200
