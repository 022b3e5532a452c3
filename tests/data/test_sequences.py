from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli.data import load, sequences
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


def write_unequal(
    path: Path, lengths: Sequence[int], seed: int = 0, header: str = "@equalLength false"
) -> Path:
    """Two channels and two classes in turn, a line of each of these lengths."""
    random = np.random.default_rng(seed)
    lines = ["@problemName made", header, "@classLabel true up down", "@data"]
    for i, steps in enumerate(lengths):
        channels = [",".join(f"{v:.4f}" for v in random.normal(5, 3, steps)) for _ in range(2)]
        lines.append(":".join([*channels, ("up", "down")[i % 2]]))
    path.write_text("\n".join(lines) + "\n")
    return path


def write_unequal_pair(
    folder: Path, train: Sequence[int] = (3, 4, 5, 6) * 5, test: Sequence[int] = (2, 4, 8, 5) * 2
) -> Path:
    write_unequal(folder / "Made_TRAIN.ts", train, seed=1)
    write_unequal(folder / "Made_TEST.ts", test, seed=2)
    return folder


def inputs(part: Any) -> np.ndarray:
    assert isinstance(part.x, np.ndarray)
    return part.x


def real_steps(dataset: Dataset, name: str) -> np.ndarray:
    """(samples, steps) True where a step was recorded."""
    x = inputs(dataset.parts[name])
    return np.ones(x.shape[:2], bool) if dataset.padding is None else (x != dataset.padding).any(-1)


def test_ts_reads_the_file_and_scales_by_the_training_part(tmp_path: Path) -> None:
    dataset = load(section("ts", path=write_ts_pair(tmp_path)), 0)
    assert dataset.input_shape == (7, 2)
    assert dataset.classes == ("up", "down")
    assert (len(dataset.train), len(dataset.test)) == (16, 20)
    assert dataset.validation is not None
    assert dataset.padding is None
    x = inputs(dataset.train)
    assert x.mean(axis=(0, 1)) == pytest.approx([0, 0], abs=1e-5)
    assert x.std(axis=(0, 1)) == pytest.approx([1, 1], abs=1e-5)
    assert abs(inputs(dataset.test).mean()) > 1e-4


def test_ts_values_stand_where_they_should(tmp_path: Path) -> None:
    for part, more in (("TRAIN", 0), ("TEST", 100)):
        rows = [f"{i},2,30:4,5,60:a\n7,8,90:{i},1,20:b\n" for i in range(more, more + 4)]
        text = "@classLabel true a b\n@data\n" + "".join(rows)
        (tmp_path / f"X_{part}.ts").write_text(text)
    dataset = load(section("ts", path=tmp_path, validation=0), 0)
    assert dataset.scaler is not None
    in_units = inputs(dataset.test) * dataset.scaler.scale + dataset.scaler.offset
    assert in_units[2] == pytest.approx(np.array([[101, 4], [2, 5], [30, 60]]), rel=1e-5)
    assert in_units[3] == pytest.approx(np.array([[7, 101], [8, 1], [90, 20]]), rel=1e-5)
    assert dataset.test.y.tolist() == [0, 1] * 4


def test_ts_finds_the_test_file(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    by_file = load(section("ts", path=tmp_path / "Made_TRAIN.ts"), 0)
    assert by_file.fingerprint() == load(section("ts", path=tmp_path), 0).fingerprint()
    other = write_ts(tmp_path / "other.ts", seed=9)
    chosen = load(section("ts", path=tmp_path / "Made_TRAIN.ts", test_path=other), 0)
    assert "other.ts" in chosen.notes[0]


def test_one_ts_file_is_divided(tmp_path: Path) -> None:
    path = write_ts(tmp_path / "all.ts", samples=50)
    dataset = load(section("ts", path=path, test=0.2, validation=0.1), 0)
    assert dataset.validation is not None
    assert [len(part) for part in dataset.parts.values()] == [35, 5, 10]
    assert np.bincount(dataset.test.y).tolist() == [5, 5]
    assert dataset.notes == ("all.ts is divided into all parts",)
    assert inputs(dataset.train).mean(axis=(0, 1)) == pytest.approx([0, 0], abs=1e-5)
    digests = np.concatenate([part.digests for part in dataset.parts.values()])
    assert len(np.unique(digests)) == 50


def test_a_share_that_a_test_file_makes_idle_is_said(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    without = load(section("ts", path=tmp_path), 0)
    dataset = load(section("ts", path=tmp_path, test=0.3), 0)
    assert len(dataset.test) == len(without.test) == 20
    assert not any("data.test" in note for note in without.notes)
    assert "the data has its own test part: data.test is not used" in dataset.notes


def test_limits_choose_from_both_files(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    dataset = load(section("ts", path=tmp_path, limit=20), 0)
    assert [len(part) for part in dataset.parts.values()] == [8, 2, 10]
    dataset = load(section("ts", path=tmp_path, train_per_class=3), 0)
    assert np.bincount(dataset.train.y).tolist() == [3, 3]


def test_copies_are_left_out_and_named(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    train, test = tmp_path / "Made_TRAIN.ts", tmp_path / "Made_TEST.ts"
    lines = train.read_text().splitlines()
    train.write_text("\n".join([*lines, lines[6]]) + "\n")
    test.write_text(test.read_text() + lines[8] + "\n")
    dataset = load(section("ts", path=tmp_path), 0)
    named = {(Path(copy.place).name, Path(copy.of).name, copy.across) for copy in dataset.copies}
    assert named == {
        ("Made_TRAIN.ts:9", "Made_TEST.ts:26", True),
        ("Made_TRAIN.ts:26", "Made_TRAIN.ts:7", False),
    }
    assert len(dataset.test) == 21
    assert dataset.validation is not None
    assert len(dataset.train) + len(dataset.validation) == 19


def test_the_fingerprint_changes_with_any_byte_of_either_file(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    train, test = tmp_path / "Made_TRAIN.ts", tmp_path / "Made_TEST.ts"
    dataset = load(section("ts", path=tmp_path), 0)
    content = train.read_bytes() + test.read_bytes()
    assert dataset.files == hashlib.sha256(content).hexdigest()
    for path in (train, test):
        path.write_text("# another comment\n" + path.read_text())
        assert load(section("ts", path=tmp_path), 0).fingerprint() != dataset.fingerprint()


def test_a_silent_channel_is_no_fault(tmp_path: Path) -> None:
    for part, first in (("TRAIN", 1), ("TEST", 2)):
        rows = [f"{first},{i}:4,4:a\n7{first},{i}:4,4:b\n" for i in range(4)]
        (tmp_path / f"X_{part}.ts").write_text("@classLabel true a b\n@data\n" + "".join(rows))
    dataset = load(section("ts", path=tmp_path, validation=0.25), 0)
    assert (inputs(dataset.test)[:, :, 1] == 0).all()


# ts: unequal lengths


def test_shorter_sequences_are_padded_at_their_ends(tmp_path: Path) -> None:
    dataset = load(section("ts", path=write_unequal_pair(tmp_path)), 0)
    assert dataset.input_shape == (8, 2), "the longest of all parts, here of the test part"
    assert dataset.padding is not None
    real = real_steps(dataset, "test")
    assert real.sum(axis=1).tolist() == [2, 4, 8, 5] * 2
    assert (np.diff(real.astype(int), axis=1) <= 0).all(), "first what was recorded"
    assert (inputs(dataset.test)[~real] == dataset.padding).all()
    assert dataset.notes[1:] == (
        "sequences of 2 to 8 steps, padded to 8; the model skips the padding",
        "the longest sequence of the training file has 6 steps",
    )


def test_padding_is_no_part_of_the_scaling(tmp_path: Path) -> None:
    dataset = load(section("ts", path=write_unequal_pair(tmp_path)), 0)
    recorded = inputs(dataset.train)[real_steps(dataset, "train")]  # (steps of all, features)
    assert recorded.mean(axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert recorded.std(axis=0) == pytest.approx([1, 1], abs=1e-5)
    (tmp_path / "more").mkdir()
    longer = write_unequal_pair(tmp_path / "more", test=(2, 4, 30, 5) * 2)
    more = load(section("ts", path=longer), 0)
    assert more.scaler is not None
    assert dataset.scaler is not None
    assert more.input_shape == (30, 2)
    assert more.scaler.to_dict() == dataset.scaler.to_dict()


def test_lengths_may_differ_where_the_header_does_not_deny_it(tmp_path: Path) -> None:
    path = write_unequal(tmp_path / "all.ts", (3, 5) * 10, header="# nothing said")
    assert load(section("ts", path=path), 0).padding is not None


@pytest.mark.parametrize(
    ("steps", "shape", "padded", "note"),
    [
        (3, (3, 2), True, "21 of 28 sequences cut to their first 3 steps"),
        (2, (2, 2), False, "26 of 28 sequences cut to their first 2 steps"),
        (8, (8, 2), True, None),
        (99, (8, 2), True, None),
    ],
)
def test_steps_cut_longer_sequences(
    tmp_path: Path, steps: int, shape: tuple[int, int], padded: bool, note: str | None
) -> None:
    write_unequal_pair(tmp_path)
    whole = load(section("ts", path=tmp_path, validation=0), 0)
    dataset = load(section("ts", path=tmp_path, validation=0, steps=steps), 0)
    assert dataset.input_shape == shape
    assert (dataset.padding is not None) == padded
    assert (
        real_steps(dataset, "test").sum(axis=1).tolist()
        == [min(n, steps) for n in (2, 4, 8, 5)] * 2
    )
    assert [n for n in dataset.notes if "cut" in n] == ([note] if note else [])
    assert dataset.scaler is not None
    assert whole.scaler is not None
    first, whole_first = (
        inputs(d.test)[0, 0] * d.scaler.scale + d.scaler.offset for d in (dataset, whole)
    )
    assert first == pytest.approx(whole_first, rel=1e-5), "the first steps are kept"


def test_one_long_sequence_does_not_take_all_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequences, "MOST_VALUES", 4000)
    path = write_unequal(tmp_path / "all.ts", [3] * 19 + [200])
    with pytest.raises(DataError, match=r"20 sequences padded to the 200 steps .* 8,000 numb") as e:
        load(section("ts", path=path), 0)
    assert e.value.hint == "set data.steps to at most 100"
    assert load(section("ts", path=path, steps=100), 0).input_shape == (100, 2)


# ts: missing values


def ts_with(folder: Path, old: str, new: str, part: str = "TRAIN", **settings: Any) -> Dataset:
    write_ts_pair(folder)
    path = folder / f"Made_{part}.ts"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return load(section("ts", path=folder, **settings), 0)


def test_missing_values_are_interpolated_inside_sequence_and_channel(tmp_path: Path) -> None:
    line = "?,1,NaN,nan,4,5,?:0,0,0,0,?,0,8:up\n"
    dataset = ts_with(tmp_path, "@data\n", f"@data\n{line}", "TEST", missing="interpolate")
    assert dataset.scaler is not None
    first = inputs(dataset.test)[0] * dataset.scaler.scale + dataset.scaler.offset
    assert first[:, 0] == pytest.approx([1, 1, 2, 3, 4, 5, 5], abs=1e-5)
    assert first[:, 1] == pytest.approx([0, 0, 0, 0, 0, 0, 8], abs=1e-5)
    assert (
        "5 missing value(s) of Made_TEST.ts filled by straight lines between their neighbours"
        in dataset.notes
    )
    assert dataset.padding is None


def test_a_channel_without_any_value_cannot_be_interpolated(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"TRAIN\.ts:6: channel 2 has no value at all"):
        ts_with(
            tmp_path, "@data\n", "@data\n1,2,3,4,5,6,7:?,?,?,?,?,?,?:up\n", missing="interpolate"
        )


def test_text_and_infinity_are_not_missing(tmp_path: Path) -> None:
    for cell in ("x", "inf", "1e999", ""):
        with pytest.raises(
            DataError, match=rf"TEST\.ts:6: value 2 of channel 1 is '{cell}', which"
        ):
            ts_with(tmp_path, "@data\n", f"@data\n1,{cell}:2,3:up\n", "TEST", missing="interpolate")


# ts: bad data


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("@equalLength true", "@timeStamps true", r"TRAIN\.ts:3: .*time stamps"),
        ("@classLabel true up down", "@classLabel false", r"TRAIN\.ts:5: no class labels"),
        ("@classLabel true up down", "@targetLabel true", r"TRAIN\.ts:5: no class labels"),
        ("@classLabel true up down", "@classLabel true up", r"TRAIN\.ts:4: .* one class, 'up'"),
        ("@classLabel true up down", "@classLabel true up up", r"TRAIN\.ts:4: .*'up' twice"),
        ("@classLabel true up down", "@classLabel true up left",
         r"TRAIN\.ts:7: class 'down' is not in"),
        ("@classLabel true up down", "@classLabel true up down left",
         r"TRAIN\.ts has no sequence of class 'left'"),
        ("@data\n", "", r"TRAIN\.ts:5: values before @data"),
        ("@data\n", "@data\nx,1:2,3:up\n", r"TRAIN\.ts:6: value 1 of channel 1 is 'x', which"),
        ("@data\n", "@data\n1,?:2,3:up\n", r"TRAIN\.ts:6: value 2 of channel 1 is missing: '\?'$"),
        ("@data\n", "@data\n1,?:?,3:up\n", r"channel 1 is missing: '\?' \(2 are missing in this"),
        ("@data\n", "@data\n1,2:nan,3:up\n", r"TRAIN\.ts:6: value 1 of channel 2 is miss.*'nan'$"),
        ("@data\n", "@data\n1,2:2,3,4:up\n", r"TRAIN\.ts:6: channel 2 has 3 values, but channel 1"),
        ("@data\n", "@data\n1,2::up\n", r"TRAIN\.ts:6: channel 2 has no values"),
        ("@data\n", "@data\n1,2:2,3:up\n",
         r"TRAIN\.ts:7: 7 steps, but the .* line 6, has 2, and line 3 says @equalLength true"),
        ("@data\n", "@data\n1,2,3,4,5,6,7:up\n",
         r"TRAIN\.ts:7: 2 channel\(s\), but the first sequence, in line 6, has 1"),
        ("@data\n", "@data\n1,2,3\n", r"TRAIN\.ts:6: no class after the last colon"),
        ("@data\n", "@data\n1,2:3,4:\n", r"TRAIN\.ts:6: no class after the last colon"),
    ],
)  # fmt: skip
def test_ts_faults_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        ts_with(tmp_path, old, new)


def test_not_a_number_in_the_middle(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    path = tmp_path / "Made_TRAIN.ts"
    lines = path.read_text().splitlines()
    cells = lines[14].split(",")
    lines[14] = ",".join([*cells[:3], "NaN", *cells[4:]])
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"TRAIN\.ts:15: value 4 of channel 1 is missing: 'NaN'"):
        load(section("ts", path=tmp_path), 0)


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (-1, r"TEST\.ts:25: class 'dow' is not in the header"),
        (-4, r"TEST\.ts:25: no class after the last colon"),
        (-20, r"TEST\.ts:25: class '.*' is not in the header"),
        (-80, r"TEST\.ts:25: (no class|class .* is not in the header)"),
    ],
)
def test_a_last_line_that_was_cut(tmp_path: Path, keep: int, said: str) -> None:
    write_ts_pair(tmp_path)
    path = tmp_path / "Made_TEST.ts"
    path.write_text(path.read_text().rstrip()[:keep])
    with pytest.raises(DataError, match=said) as error:
        load(section("ts", path=tmp_path), 0)
    assert error.value.hint is not None
    assert "complete?" in error.value.hint


def test_one_class_only(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    path = tmp_path / "Made_TRAIN.ts"
    path.write_text(path.read_text().replace(":down", ":up"))
    with pytest.raises(DataError, match=r"TRAIN\.ts:6: this and all other .* of class 'up'"):
        load(section("ts", path=tmp_path), 0)
    path.write_text(path.read_text().replace("@classLabel true up down", "@classLabel true"))
    with pytest.raises(DataError, match=r"TRAIN\.ts:6: this and all other .* of class 'up'"):
        load(section("ts", path=tmp_path), 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"TEST\.ts has no @data line"),
        (b"# only this\n@classLabel true up down\n", r"TEST\.ts has no @data line"),
        (b"@classLabel true up down\n@data\n", r"TEST\.ts has no sequences after @data"),
        (b"\xff\xfe@\0d\0", r"TEST\.ts:1: not UTF-8"),
        (b"@classLabel true up d\xf6wn\n@data\n", r"TEST\.ts:1: not UTF-8"),
        (b"@classLabel true up down\n@data\n1:2:\xe9\n", r"TEST\.ts:3: not UTF-8"),
        (b"a,b\n1,2\n", r"TEST\.ts:1: values before @data"),
    ],
)
def test_ts_files_that_are_none(tmp_path: Path, content: bytes, said: str) -> None:
    write_ts_pair(tmp_path)
    (tmp_path / "Made_TEST.ts").write_bytes(content)
    with pytest.raises(DataError, match=said):
        load(section("ts", path=tmp_path), 0)


def test_windows_files_and_names_in_any_script(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    for part in ("TRAIN", "TEST"):
        path = tmp_path / f"Made_{part}.ts"
        text = path.read_text().replace("down", "下へ").replace("\n", "\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    dataset = load(section("ts", path=tmp_path), 0)
    assert dataset.classes == ("up", "下へ")
    assert dataset.input_shape == (7, 2)


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
    train = write_ts(tmp_path / "X_TRAIN.ts")
    with pytest.raises(DataError, match=r"X_TEST\.ts does not exist, the file to measure on"):
        load(section("ts", path=train), 0)
    with pytest.raises(DataError, match=r"X_TRAIN\.ts is named for training and for testing"):
        load(section("ts", path=train, test_path=train), 0)
    with pytest.raises(DataError, match=r"no\.ts does not exist"):
        load(section("ts", path=train, test_path=tmp_path / "no.ts"), 0)
    with pytest.raises(DataError, match=r"is a folder, not a \.ts file"):
        load(section("ts", path=train, test_path=tmp_path), 0)
    with pytest.raises(DataError, match=r"Y_TEST\.ts is a file to measure on, by its name"):
        load(section("ts", path=write_ts(tmp_path / "Y_TEST.ts")), 0)


def test_a_test_file_of_another_set(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    path = write_ts(tmp_path / "Made_TEST.ts", steps=9)
    said = r"TEST\.ts:6: 9 steps, but the sequences of Made_TRAIN\.ts have 7, and both files say"
    with pytest.raises(DataError, match=said):
        load(section("ts", path=tmp_path), 0)
    path.write_text(path.read_text().replace("down", "across"))
    with pytest.raises(DataError, match=r"TEST\.ts:7: class 'across' is not in Made_TRAIN\.ts"):
        load(section("ts", path=tmp_path), 0)
    path.write_text("@classLabel true up down\n@data\n\n1,2,3,4,5,6,7:up\n")
    with pytest.raises(DataError, match=r"TEST\.ts:4: 1 channel\(s\), but the sequences of Made_T"):
        load(section("ts", path=tmp_path), 0)


def test_too_few_of_a_class(tmp_path: Path) -> None:
    write_ts_pair(tmp_path)
    write_ts(tmp_path / "Made_TRAIN.ts", samples=3)
    with pytest.raises(DataError, match=r"Made_TRAIN\.ts: .*the smallest has 1"):
        load(section("ts", path=tmp_path), 0)


def test_numbers_too_large_to_work_with(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    line = "1e300,2,3,4,5,6,7:1,2,3,4,5,6,7:up\n"
    with pytest.raises(DataError, match="the numbers of feature 1 are too large"):
        ts_with(tmp_path, "@data\n", f"@data\n{line}", validation=0)
    with pytest.raises(DataError, match="input 0 of the test part is not a finite number"):
        ts_with(tmp_path, "@data\n", f"@data\n{line}", "TEST")
    assert not recwarn.list


# ts: real data


@needs_real_data
@pytest.mark.parametrize(
    ("name", "shape", "counts", "classes"),
    [
        ("BasicMotions", (100, 6), (32, 40), ("Standing", "Running", "Walking", "Badminton")),
        ("GunPoint", (150, 1), (40, 150), ("1", "2")),
        ("JapaneseVowels", (29, 12), (216, 370), tuple("123456789")),
    ],
)
def test_real_sequences(
    name: str, shape: tuple[int, int], counts: tuple[int, int], classes: tuple[str, ...]
) -> None:
    dataset = load(section("ts", path=REAL / "sequences" / name), 0)
    assert dataset.input_shape == shape
    assert (len(dataset.train), len(dataset.test)) == counts
    assert dataset.classes == classes
    assert (dataset.padding is not None) == (name == "JapaneseVowels")


@needs_real_data
def test_real_sequences_of_unequal_lengths() -> None:
    folder = REAL / "sequences" / "JapaneseVowels"
    dataset = load(section("ts", path=folder), 0)
    text = (folder / "JapaneseVowels_TEST.ts").read_text().partition("@data\n")[2]
    lengths = [line.split(":")[0].count(",") + 1 for line in text.splitlines() if line.strip()]
    assert real_steps(dataset, "test").sum(axis=1).tolist() == lengths
