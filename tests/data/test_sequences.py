from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nncli.data import load
from nncli.data.dataset import Dataset
from nncli.errors import DataError
from tests.data.made import REAL, needs_real_data, section, write_ts, write_ts_pair

# waves


def test_waves_have_five_classes_equally_often() -> None:
    dataset = load(section("waves", samples=200), 1)
    assert dataset.input_shape == (100, 10)
    assert dataset.classes == ("forward", "backward", "steady", "rising", "falling")
    assert np.bincount(dataset.train.y).tolist() == [26] * 5


def test_without_noise_the_classes_are_what_they_say() -> None:
    dataset = load(section("waves", samples=100, noise=0.0), 1)
    x, y = dataset.train.x, dataset.train.y

    def crossings(part: np.ndarray) -> np.ndarray:
        signs: np.ndarray = np.signbit(part[:, :, 0])
        return (signs[:, 1:] != signs[:, :-1]).sum(axis=1)

    early, late = crossings(x[:, :50]), crossings(x[:, 50:])
    assert (late[y == 3] > early[y == 3]).all()
    assert (late[y == 4] < early[y == 4]).all()
    together = np.signbit(x[y == 2])
    assert (together == together[:, :, :1]).all()
    assert not (np.signbit(x[y == 0]) == np.signbit(x[y == 0][:, :, :1])).all()


def test_neither_single_values_nor_amplitudes_tell_the_class() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    dataset = load(section("waves", noise=0.5, samples=600, steps=60, features=6), 3)
    for summarise in (
        lambda x: x.reshape(len(x), -1),
        lambda x: np.concatenate([x.mean(axis=1), x.std(axis=1)], axis=1),
    ):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=100))
        model.fit(summarise(dataset.train.x), dataset.train.y)
        assert model.score(summarise(dataset.test.x), dataset.test.y) < 0.5


# ts


def test_ts_reads_the_file_and_scales_by_the_training_part(tmp_path: Path) -> None:
    dataset = load(section("ts", path=write_ts_pair(tmp_path)), 0)
    assert dataset.input_shape == (7, 2)
    assert dataset.classes == ("up", "down")
    assert (len(dataset.train), len(dataset.test)) == (16, 20)
    assert dataset.validation is not None
    assert dataset.train.x.mean(axis=(0, 1)) == pytest.approx([0, 0], abs=1e-5)
    assert dataset.train.x.std(axis=(0, 1)) == pytest.approx([1, 1], abs=1e-5)
    assert abs(dataset.test.x.mean()) > 1e-4


def test_ts_values_stand_where_they_should(tmp_path: Path) -> None:
    lines = ["@classLabel true a b", "@data", *["1,2,3:4,5,6:a", "7,8,9:1,1,2:b"] * 4]
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"X_{part}.ts").write_text("\n".join(lines))
    dataset = load(section("ts", path=tmp_path, validation=0), 0)
    first = dataset.test.x[0]
    assert (np.diff(first, axis=0) > 0).all(), "steps go down, channels across"
    assert dataset.test.y.tolist() == [0, 1] * 4


def test_ts_finds_the_test_file(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    by_file = load(section("ts", path=tmp_path / "Made_TRAIN.ts"), 0)
    assert by_file.fingerprint() == load(section("ts", path=tmp_path), 0).fingerprint()
    other = write_ts(tmp_path / "other.ts", seed=9)
    chosen = load(section("ts", path=tmp_path / "Made_TRAIN.ts", test_path=other), 0)
    assert "other.ts" in chosen.notes[0]


def test_a_silent_channel_is_no_fault(tmp_path: Path) -> None:
    lines = ["@classLabel true a b", "@data", *["1,2:4,4:a", "7,8:4,4:b"] * 4]
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"X_{part}.ts").write_text("\n".join(lines))
    dataset = load(section("ts", path=tmp_path), 0)
    assert (dataset.test.x[:, :, 1] == 0).all()


def ts_with(tmp_path: Path, old: str, new: str) -> Dataset:
    folder = write_ts_pair(tmp_path)
    path = folder / "Made_TRAIN.ts"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return load(section("ts", path=folder), 0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("@equalLength true", "@equalLength false", r"TRAIN\.ts:3: .*unequal lengths.* not suppor"),
        ("@equalLength true", "@timeStamps true", r"TRAIN\.ts:3: .*time stamps"),
        ("@classLabel true up down", "@classLabel false", "no class labels"),
        ("@classLabel true up down", "@classLabel true up", r"TRAIN\.ts:7: class 'down'"),
        ("@data\n", "", r"TRAIN\.ts:5: values before @data"),
        ("@data\n", "@data\nx,1:2,3:up\n", r"TRAIN\.ts:6: value 1 of channel 1 is 'x'"),
        ("@data\n", "@data\n1,?:2,3:up\n", r"TRAIN\.ts:6: value 2 of channel 1 is '\?'"),
        ("@data\n", "@data\n1,2:nan,3:up\n", r"TRAIN\.ts:6: value 1 of channel 2 is 'nan'"),
        ("@data\n", "@data\n1,2:2,3,4:up\n", r"TRAIN\.ts:6: channel 2 has 3 values, but channel 1"),
        ("@data\n", "@data\n1,2:2,3:up\n", r"TRAIN\.ts:7: 7 steps, but the first sequence has 2"),
        ("@data\n", "@data\n1,2,3,4,5,6,7:up\n", r"TRAIN\.ts:7: 2 channel\(s\), but the first"),
        ("@data\n", "@data\n1,2,3\n", r"TRAIN\.ts:6: no class after the last colon"),
    ],
)
def test_ts_faults_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        ts_with(tmp_path, old, new)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no @data line"),
        ("@classLabel true a b\n@data\n", "no sequences after @data"),
        ("\xff", "not UTF-8"),
    ],
)
def test_ts_files_that_are_none(tmp_path: Path, text: str, said: str) -> None:
    write_ts_pair(tmp_path)
    (tmp_path / "Made_TEST.ts").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=said):
        load(section("ts", path=tmp_path), 0)


def test_ts_folder_without_a_pair(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"0 files \*_TRAIN\.ts, but one is needed: none"):
        load(section("ts", path=tmp_path), 0)
    write_ts_pair(tmp_path)
    write_ts(tmp_path / "Again_TRAIN.ts")
    with pytest.raises(DataError, match=r"2 files \*_TRAIN\.ts"):
        load(section("ts", path=tmp_path), 0)


def test_ts_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        load(section("ts", path=tmp_path / "no"), 0)
    write_ts(tmp_path / "X_TRAIN.ts")
    with pytest.raises(DataError, match=r"X_TEST\.ts does not exist"):
        load(section("ts", path=tmp_path / "X_TRAIN.ts"), 0)
    write_ts(tmp_path / "x.ts")
    with pytest.raises(DataError, match="does not say which file to test on"):
        load(section("ts", path=tmp_path / "x.ts"), 0)


def test_ts_files_that_do_not_fit_together(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    write_ts(tmp_path / "Made_TEST.ts", steps=9)
    with pytest.raises(DataError, match="do not fit together: 7 steps of 2 and 9 steps of 2"):
        load(section("ts", path=tmp_path), 0)
    test = write_ts(tmp_path / "Made_TEST.ts")
    test.write_text(test.read_text().replace("down", "across"))
    with pytest.raises(DataError, match="class 'across' is not in"):
        load(section("ts", path=tmp_path), 0)


def test_too_few_of_a_class(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    write_ts(tmp_path / "Made_TRAIN.ts", samples=3)
    with pytest.raises(DataError, match="the smallest has 1"):
        load(section("ts", path=tmp_path), 0)


@needs_real_data
@pytest.mark.parametrize(
    ("name", "shape", "counts", "classes"),
    [
        ("BasicMotions", (100, 6), (32, 40), ("Standing", "Running", "Walking", "Badminton")),
        ("GunPoint", (150, 1), (40, 150), ("1", "2")),
    ],
)
def test_real_sequences(
    name: str, shape: tuple[int, int], counts: tuple[int, int], classes: tuple[str, ...]
) -> None:
    dataset = load(section("ts", path=REAL / "sequences" / name), 0)
    assert dataset.input_shape == shape
    assert (len(dataset.train), len(dataset.test)) == counts
    assert dataset.classes == classes


@needs_real_data
def test_real_sequences_of_unequal_lengths() -> None:
    with pytest.raises(DataError, match="unequal lengths are not supported yet"):
        load(section("ts", path=REAL / "sequences" / "JapaneseVowels"), 0)
