"""From stored arrays to a dataset: every form that people store, in memory and on the disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli.data import load
from nncli.data.dataset import Dataset, Family
from nncli.data.samples import Samples
from nncli.data.source import DataSection
from nncli.errors import DataError
from tests.data.made import images, section, signals, write_idx, write_npz, write_pair

GREY, LABELS = images()
COLOR, _ = images(channels=3)


def read(folder: Path, x: Any, y: Any = LABELS, **settings: Any) -> Dataset:
    return load(section("npy", path=write_pair(folder, x, y), **settings), 0)


def everything(dataset: Dataset) -> Any:
    """All inputs, in the order of the files: the division depends on the labels and the seed."""
    return np.concatenate([part.x[:] for part in dataset.parts.values()])


FORMS: dict[str, tuple[Any, dict[str, Any]]] = {
    "height, width": (GREY[..., 0], {}),
    "height, width, 1": (GREY, {}),
    "1, height, width": (GREY.transpose(0, 3, 1, 2), {}),
    "in a row": (GREY.reshape(60, 100), {"shape": [10, 10]}),
    "in a row, with its channel": (GREY.reshape(60, 100), {"shape": [10, 10, 1]}),
    "0 to 1": (GREY / 255, {}),
    "0 to 1, half precision": ((GREY / 255).astype(np.float16), {}),
    "0 to 255 as numbers": (GREY.astype(np.float64), {}),
    "integers": (GREY.astype(np.int64), {}),
    "unsigned": (GREY.astype(np.uint16), {}),
    "16 bit": (GREY.astype(np.uint16) * 257, {}),
    "big-endian": (GREY.astype(">i4"), {}),
    "columns first": (np.asfortranarray(GREY), {}),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_the_same_pictures_gives_the_same_pixels(tmp_path: Path, name: str) -> None:
    x, settings = FORMS[name]
    expected = read(tmp_path, GREY)
    dataset = read(tmp_path, x, **settings)
    assert dataset.input_shape == (10, 10, 1)
    assert dataset.train.x.dtype in (np.uint8, np.float32)
    for part, other in zip(dataset.parts.values(), expected.parts.values(), strict=True):
        assert np.abs(part.x.astype(np.float64) - other.x).max() < 0.2
        assert np.array_equal(part.y, other.y)
    told = any("brought to 0..255" in note for note in dataset.notes)
    assert told == ("0 to 1" in name or name == "16 bit")


@pytest.mark.parametrize("channels_first", [False, True])
def test_colours(tmp_path: Path, channels_first: bool) -> None:
    dataset = read(tmp_path, COLOR.transpose(0, 3, 1, 2) if channels_first else COLOR)
    assert dataset.input_shape == (10, 10, 3)
    assert np.array_equal(everything(dataset), everything(read(tmp_path, COLOR)))
    assert any("channels stand first" in note for note in dataset.notes) == channels_first


def test_black_and_white(tmp_path: Path) -> None:
    dataset = read(tmp_path, GREY > 60)
    assert sorted(np.unique(everything(dataset))) == [0, 255]


@pytest.mark.parametrize(
    ("x", "settings", "said"),
    [
        (GREY.reshape(60, 100), {}, r"x\.npy has samples of 100; images are height × width"),
        (GREY.reshape(60, 100), {"shape": [9, 9]}, "60.*81|100 numbers, but data.shape 9 × 9 × 1"),
        (GREY.reshape(60, 5, 5, 4), {}, "samples of 5 × 5 × 4"),
        (GREY.reshape(60, 1, 1, 10, 10), {}, "samples of 1 × 1 × 10 × 10"),
        (LABELS, {}, r"x\.npy has the shape \(60,\); \(samples, …\) is needed"),
        (np.zeros((0, 10, 10)), {}, r"x\.npy has 0 samples, but .*y\.npy has 60 labels"),
        (GREY[:59], {}, r"x\.npy has 59 samples, but .*y\.npy has 60 labels"),
        (GREY[:, :0], {}, "x.npy is empty"),
        (GREY.astype(np.int16) - 200, {}, r"x\.npy holds pixels from -200 to"),
        (GREY.astype(np.int64) * 1000, {}, r"x\.npy holds pixels from 0 to 2\d+"),
        (GREY * 1.5, {}, r"holds pixels from 0 to 3.* that are not whole numbers"),
        (GREY.astype(np.complex64), {}, "holds complex numbers, not real numbers"),
        (GREY.astype("M8[s]"), {}, r"holds datetime64\[s\], not real numbers"),
        (GREY.astype("U3"), {}, "holds <U3, not real numbers"),
        (GREY.astype(object), {}, r"holds Python objects \(a pickle\)"),
    ],
)
def test_what_are_no_pictures(tmp_path: Path, x: Any, settings: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(tmp_path, x, **settings)


@pytest.mark.parametrize("where", ["memory", "disk"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_found_in_its_sample(
    tmp_path: Path, number: float, where: str
) -> None:
    x = GREY / 255
    x[41, 3, 2] = number
    limits = {} if where == "memory" else {"memory_limit": 0}
    with pytest.raises(DataError, match=r"x\.npy, sample 42 holds a number that is not finite"):
        read(tmp_path, x, **limits)
    with pytest.raises(DataError, match=r"x\.npy, sample 42 holds"):  # its own number, not that
        read(tmp_path, x, limit=59, **limits)  # of those that are left


def parts(folder: Path, train: Any, test: Any, **settings: Any) -> Dataset:
    arrays = {"x_train": train, "y_train": LABELS[: len(train)]}
    arrays |= {"x_test": test, "y_test": LABELS[: len(test)]}
    return load(section("npz", path=write_npz(folder / "a.npz", **arrays), **settings), 0)


@pytest.mark.parametrize(
    ("train", "test"),
    [(GREY[:30], GREY[30:] / 255), (GREY[:30] / 255, GREY[30:]),
     (GREY[:30].astype(np.uint16) * 257, GREY[30:])],
)  # fmt: skip
def test_parts_of_other_brightness_are_refused(tmp_path: Path, train: Any, test: Any) -> None:
    with pytest.raises(DataError, match=r"a\.npz \[x_\w+\] holds pixels from 0 to .*other parts"):
        parts(tmp_path, train, test)


def test_parts_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\[x_train\] has samples of 10 × 10 × 1, but .* 9 × 10"):
        parts(tmp_path, GREY[:30], GREY[30:, 1:])


def test_copies_across_the_parts_are_found_whatever_their_type(tmp_path: Path) -> None:
    train = GREY[:40].astype(np.float64)
    train[[5, 17]] = GREY[[50, 51]]
    dataset = parts(tmp_path, train, GREY[40:], validation=0)
    assert (len(dataset.train), len(dataset.test)) == (38, 20)
    assert [(copy.place, copy.of, copy.across) for copy in dataset.copies] == [
        ("train sample 6", "test sample 11", True),
        ("train sample 18", "test sample 12", True),
    ]


def test_limits(tmp_path: Path) -> None:
    few = read(tmp_path, GREY, limit=30)
    assert sum(len(part) for part in few.parts.values()) == 30
    few = read(tmp_path, GREY, train_per_class=2)
    assert np.bincount(few.train.y).tolist() == [2, 2, 2]
    assert len(few.test) == 12


def test_named_classes(tmp_path: Path) -> None:
    dataset = read(tmp_path, GREY, class_names=["cat", "dog", "owl"])
    assert dataset.classes == ("cat", "dog", "owl")
    with pytest.raises(DataError, match=r"y\.npy, sample 3: label 2, but data.class_names has 2"):
        read(tmp_path, GREY, class_names=["cat", "dog"])
    with pytest.raises(DataError, match=r"no sample of class 'owl' is left to train on$"):
        read(tmp_path, GREY, LABELS % 2, class_names=["cat", "dog", "owl"])


@pytest.mark.parametrize(
    ("source", "family", "settings", "key"),
    [
        ("npz", "images", {"shape": [784]}, "shape"),
        ("npy", "images", {"shape": [28, 28, 4]}, "shape"),
        ("idx", "sequences", {"shape": [28, 28, 1]}, "shape"),
        ("npz", "images", {"class_names": ["a", "b", "a"]}, "class_names"),
        ("npz", "images", {"test": 0.5, "validation": 0.5}, "test"),
    ],
)
def test_settings_that_cannot_be(source: str, family: Family, settings: Any, key: str) -> None:
    (found,) = section(source, family=family, path="a", **settings).contradictions()
    assert found.keys[0] == key
    assert found.advice


# sequences


def read_signals(folder: Path, x: Any, y: Any, **settings: Any) -> Dataset:
    path = write_pair(folder, x, y)
    return load(section("npy", family="sequences", path=path, **settings), 0)


def test_sequences_are_scaled_by_the_training_part_alone(tmp_path: Path) -> None:
    x, y = signals()
    x[:, :, 1] += 40 * np.arange(60)[:, None]  # so that no part is like the whole
    dataset = read_signals(tmp_path, x, y)
    assert dataset.input_shape == (8, 2)
    assert dataset.train.x.dtype == np.float32
    assert dataset.train.x.mean(axis=(0, 1)) == pytest.approx([0, 0], abs=1e-5)
    assert dataset.train.x.std(axis=(0, 1)) == pytest.approx([1, 1], rel=1e-5)
    assert abs(dataset.test.x.mean(axis=(0, 1))[1]) > 1e-3
    assert dataset.scaler is not None
    back = everything(dataset) * dataset.scaler.scale + dataset.scaler.offset
    assert np.sort(back.ravel()) == pytest.approx(np.sort(x.ravel()), abs=0.01)


@pytest.mark.parametrize(
    ("shape", "settings", "sample"),
    [
        ((60, 16), {}, (16, 1)),
        ((60, 16, 1), {}, (16, 1)),
        ((60, 16), {"shape": [8, 2]}, (8, 2)),
        ((60, 16), {"shape": [16]}, (16, 1)),
        ((60, 2, 8), {}, (2, 8)),
    ],
)
def test_forms_of_sequences(tmp_path: Path, shape: Any, settings: Any, sample: Any) -> None:
    x, y = signals()
    assert read_signals(tmp_path, x.reshape(shape), y, **settings).input_shape == sample


def test_pictures_are_no_sequences(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="sequences are steps × features") as caught:
        read_signals(tmp_path, GREY, LABELS)
    assert "train a cnn" in (caught.value.hint or "")


def test_one_huge_number_is_told(tmp_path: Path) -> None:
    x, y = signals()
    x[0, 0, 0] = 1e300
    for limits in ({}, {"memory_limit": 0}):
        with pytest.raises(DataError, match=r"numbers of feature 1 are too large|not a finite"):
            read_signals(tmp_path, x, y, **limits)


# the same in memory and on the disk


def _npz(folder: Path, packed: bool) -> DataSection:
    return section("npz", path=write_npz(folder / "a.npz", packed=packed, x=COLOR, y=LABELS))


def _npz_parts(folder: Path) -> DataSection:
    arrays = {"x_train": GREY[:40] / 255, "y_train": LABELS[:40]}
    arrays |= {"x_test": GREY[35:] / 255, "y_test": LABELS[35:]}
    return section("npz", path=write_npz(folder / "a.npz", **arrays), limit=50)


def _npy(folder: Path) -> DataSection:
    x = GREY.reshape(60, 100).astype(">f4")
    return section("npy", path=write_pair(folder, x, LABELS), shape=[10, 10], train_per_class=9)


def _idx(folder: Path, ending: str) -> DataSection:
    write_idx(folder / f"train-images-idx3-ubyte{ending}", GREY[..., 0])
    write_idx(folder / f"train-labels-idx1-ubyte{ending}", LABELS.astype(np.uint8))
    return section("idx", path=folder)


def _signals(folder: Path, source: str) -> DataSection:
    x, y = signals()
    path = write_npz(folder / "a.npz", x=x, y=y) if source == "npz" else write_pair(folder, x, y)
    return section(source, family="sequences", path=path)


STORED: dict[str, Callable[[Path], DataSection]] = {
    "npz": lambda folder: _npz(folder, packed=False),
    "npz, packed": lambda folder: _npz(folder, packed=True),
    "npz, in parts": _npz_parts,
    "npy": _npy,
    "idx": lambda folder: _idx(folder, ""),
    "idx, packed": lambda folder: _idx(folder, ".gz"),
    "npz of sequences": lambda folder: _signals(folder, "npz"),
    "npy of sequences": lambda folder: _signals(folder, "npy"),
}


@pytest.mark.parametrize("name", STORED)
def test_in_memory_and_on_the_disk_is_the_same(tmp_path: Path, name: str) -> None:
    given = STORED[name](tmp_path)
    here = load(given, 3)
    there = load(given.model_copy(update={"memory_limit": 0}), 3)
    assert list(here.parts) == list(there.parts)
    for mine, other in zip(here.parts.values(), there.parts.values(), strict=True):
        assert isinstance(mine.x, np.ndarray)
        assert isinstance(other.x, Samples)
        assert (mine.x.shape, mine.x.dtype) == (other.x.shape, other.x.dtype)
        assert np.array_equal(mine.x, other.x[:])
        assert np.array_equal(mine.y, other.y)
        assert np.array_equal(mine.digests, other.digests)
    assert here.learned() == there.learned()
    assert here.fingerprint() == there.fingerprint()
    assert here.fingerprint() != load(given, 4).fingerprint()
    assert "read from the disk in every epoch" in " ".join(there.notes)
    assert [note for note in there.notes if "from the disk" not in note] == list(here.notes)


def test_what_fits_after_the_limit_is_in_memory(tmp_path: Path) -> None:
    x, y = images(count=3000, side=10)  # 1.2 MB as the network reads them
    path = write_pair(tmp_path, x, y)
    few = load(section("npy", path=path, memory_limit=1, limit=600), 0)
    assert isinstance(few.train.x, np.ndarray)
    many = load(section("npy", path=path, memory_limit=1), 0)
    assert isinstance(many.train.x, Samples)
    both = load(section("npy", path=path, memory_limit=2), 0)
    assert np.array_equal(both.train.x, many.train.x[:])


def test_parts_that_fit_one_by_one_do_not_fit_together(tmp_path: Path) -> None:
    x, y = images(count=3000, side=10)
    arrays = {"x_train": x[:1500], "y_train": y[:1500], "x_test": x[1500:], "y_test": y[1500:]}
    dataset = load(section("npz", path=write_npz(tmp_path / "a.npz", **arrays), memory_limit=1), 0)
    assert all(isinstance(part.x, Samples) for part in dataset.parts.values())


@pytest.mark.parametrize("name", ["npz", "npz, packed", "npy", "idx, packed"])
def test_any_byte_of_any_file_changes_the_fingerprint(tmp_path: Path, name: str) -> None:
    """It may be refused too. Bytes 4 and 10 hold times in gzip and in zip, which no one reads."""
    given = STORED[name](tmp_path)
    first = load(given, 0).fingerprint()
    changed = 0
    for path in sorted(tmp_path.iterdir()):
        raw = path.read_bytes()
        for at in (4, 10, *range(0, len(raw), max(1, len(raw) // 12))):
            path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
            try:
                assert load(given, 0).fingerprint() != first
                changed += 1
            except DataError:
                pass
        path.write_bytes(raw)
    assert load(given, 0).fingerprint() == first
    assert changed


def test_a_byte_that_changes_no_pixel_changes_the_fingerprint(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "a.npz", x=GREY, y=LABELS)
    first = load(section("npz", path=path), 0)
    write_npz(path, x=GREY, y=LABELS, note=np.array("made again"))
    other = load(section("npz", path=path), 0)
    assert np.array_equal(first.train.x, other.train.x)
    assert first.fingerprint() != other.fingerprint()
