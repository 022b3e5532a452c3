"""Samples without labels come out of files as those of the training did."""

from __future__ import annotations

import io
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nncli.data import load
from nncli.data.inputs import open_inputs, rows
from nncli.data.inputs import piped as standard_input
from nncli.errors import UsageError
from tests.data.inputs.made import digits, joined, read, wanted
from tests.data.made import (
    images,
    section,
    signals,
    write_bomb,
    write_folder,
    write_idx,
    write_npy,
    write_npz,
    write_table,
    write_ts,
    write_ts_pair,
)

PIXELS = np.arange(5 * 64, dtype=np.uint8).reshape(5, 8, 8, 1)
IMAGES = {
    "npz": lambda path: write_npz(path.with_suffix(".npz"), x=PIXELS, y=np.arange(5)),
    "one array of another name": lambda path: write_npz(path.with_suffix(".npz"), mine=PIXELS),
    "packed, with labels": lambda path: write_npz(
        path.with_suffix(".npz"), packed=True, images=PIXELS, labels=np.arange(5)
    ),
    "npy": lambda path: write_npy(path.with_suffix(".npy"), PIXELS),
    "without channels": lambda path: write_npy(path.with_suffix(".npy"), PIXELS[..., 0]),
    "channels first": lambda path: write_npy(path.with_suffix(".npy"), np.moveaxis(PIXELS, -1, 1)),
    "in rows": lambda path: write_npy(path.with_suffix(".npy"), PIXELS.reshape(5, -1)),
    "column by column": lambda path: write_npy(path.with_suffix(".npy"), np.asfortranarray(PIXELS)),
    "floats": lambda path: write_npy(path.with_suffix(".npy"), PIXELS.astype(np.float64)),
    "idx": lambda path: write_idx(path.with_name("x-idx3-ubyte"), PIXELS[..., 0]),
    "idx, packed": lambda path: write_idx(path.with_name("x-idx3-ubyte.gz"), PIXELS[..., 0]),
    "an ending that says nothing": lambda path: write_npy(path.with_suffix(".npy"), PIXELS).rename(
        path.with_suffix(".bin")
    ),
}


@pytest.mark.parametrize("form", IMAGES)
@pytest.mark.parametrize("how", ["a file", "standard input"])
def test_arrays_of_every_form(form: str, how: str, tmp_path: Path) -> None:
    path = IMAGES[form](tmp_path / "x")
    name = str(path) if how == "a file" else "standard input"
    if how == "a file":
        x, names, lost = read([path], digits(at_once=2))
    else:
        x, names, lost = read(["-"], digits(at_once=2), path.read_bytes())
    assert lost == {}
    np.testing.assert_array_equal(x, PIXELS)
    called = f"{name}[images]" if form == "packed, with labels" else name
    assert names == [f"{called}[{i}]" for i in range(5)]


def test_one_sample_by_itself(tmp_path: Path) -> None:
    x, names, _ = read([write_npy(tmp_path / "a.npy", PIXELS[3, ..., 0])], digits())
    np.testing.assert_array_equal(x, PIXELS[3:4])
    assert names == [f"{tmp_path / 'a.npy'}[0]"]


def test_of_several_arrays_the_one_that_is_seldom_trained_on(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "a.npz", x_train=PIXELS, x_test=PIXELS[:2], y_test=np.arange(2))
    _, names, _ = read([path], digits())
    assert names == [f"{path}[x_test][{i}]" for i in range(2)]
    path = write_npz(tmp_path / "b.npz", x_test=PIXELS, x=PIXELS[:1], y=np.arange(1))
    assert read([path], digits())[1] == [f"{path}[0]"]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: write_npy(path, PIXELS[:, :4]), "has samples of 4 × 8 × 1"),
        (lambda path: write_npy(path, np.zeros((5, 16, 4))), "has samples of 16 × 4"),
        (lambda path: write_npy(path, np.array(["a", "b"])), "not real numbers"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\0v\0"), "damaged header"),
        (lambda path: write_npy(path, np.array([{}], dtype=object)), "a pickle"),
        (lambda path: path.mkdir(), "a folder without pictures"),
        (lambda _: None, "does not exist"),
        (lambda path: os.mkfifo(path), "a pipe or a device"),
    ],
)
def test_what_is_no_array_of_samples(make, why: str, tmp_path: Path) -> None:
    make(tmp_path / "a.npy")
    good = write_npy(tmp_path / "good.npy", PIXELS)
    x, _, lost = read([tmp_path / "a.npy", good], digits())
    assert why in lost[str(tmp_path / "a.npy")]
    np.testing.assert_array_equal(x, PIXELS)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    _, _, lost = read([write_bomb(tmp_path / "a.npz", 300_000_000)], digits(side=10))
    assert "refused" in next(iter(lost.values()))


def test_samples_that_no_model_can_be_given_are_left_out_one_by_one(tmp_path: Path) -> None:
    pixels = PIXELS.astype(np.float64)
    pixels[1, 0, 0] = np.nan
    pixels[3, 0, 0] = 300
    path = write_npy(tmp_path / "a.npy", pixels)
    x, names, lost = read([path], digits())
    np.testing.assert_array_equal(x, PIXELS[[0, 2, 4]])
    assert names == [f"{path}[{i}]" for i in (0, 2, 4)]
    assert list(lost) == [f"{path}[1]", f"{path}[3]"]
    assert lost[f"{path}[1]"] == "holds a number that is not finite"
    assert "pixels from" in lost[f"{path}[3]"]


def test_shares_of_1_are_no_black_pictures(tmp_path: Path) -> None:
    shares = PIXELS / np.float32(255)
    shares[4] = 0  # which may be black
    path = write_npy(tmp_path / "a.npy", shares)
    x, names, lost = read([path], digits())
    assert names == [f"{path}[4]"]
    assert (x == 0).all()
    assert "between 0 and 1, but those that were trained on reach to 255" in lost[f"{path}[0]"]
    pixels, y = images()
    own = write_npz(tmp_path / "b.npz", x=pixels / np.float32(255), y=y)
    found, _, lost = read([own], wanted(section("npz", path=own)))
    assert lost == {}
    np.testing.assert_allclose(found, pixels, atol=1e-3)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Eleven pictures, one broken, one hidden, and a text."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for i in range(11):
        place = folder / "more" if i > 7 else folder
        Image.fromarray(np.full((16, 12), 20 * i, np.uint8)).save(place / f"{i:02}.png")
    (folder / "03b.png").write_bytes(b"no picture")
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("notes")
    return folder


def test_folders_and_files_in_the_order_that_they_are_given(photos: Path) -> None:
    extra = photos / "00.png"
    x, names, lost = read([photos, extra], digits(at_once=4))
    wanted_names = [*(f"{i:02}.png" for i in range(8)), *(f"more/{i:02}.png" for i in range(8, 11))]
    assert names == [*(str(photos / each) for each in wanted_names), str(extra)]
    np.testing.assert_array_equal(x[:, 0, 0, 0], [*(20 * i for i in range(11)), 0])
    assert x.shape == (12, 8, 8, 1)
    assert lost == {str(photos / "03b.png"): "not a picture"}


def test_blocks_are_no_larger_than_what_is_answered_at_a_time(photos: Path) -> None:
    blocks = list(open_inputs([str(photos)], digits(at_once=4), None))
    assert [len(block.names) + len(block.unreadable) for block in blocks] == [4, 4, 4]


def test_a_picture_on_standard_input(photos: Path) -> None:
    x, names, _ = read(["-"], digits(), (photos / "05.png").read_bytes())
    assert names == ["standard input"]
    assert (x == 100).all()
    assert read(["-"], digits(), (photos / "05.png").read_bytes()[:40])[2].keys() == {names[0]}


def test_a_run_on_a_folder_treats_pictures_in_its_way(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "pets")
    settings = section("folder", path=folder, size=8, resize="pad")
    dataset = load(settings, 42)
    paths = [str(folder / name) for name in dataset.test.names]
    x, names, _ = read(paths, wanted(settings))
    np.testing.assert_array_equal(x, dataset.test.x)
    assert names == paths


def test_a_table_is_found_again_by_its_names_in_any_order(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.csv")
    settings = section("table", path=path)
    how, plain = wanted(settings, at_once=7), read([path], wanted(settings))
    rows = [line.split(",") for line in path.read_text().splitlines()]
    order = np.random.default_rng(1).permutation(len(rows[0]))
    other = tmp_path / "b.csv"
    mixed = [
        [*(row[i] for i in order), "extra" if n == 0 else "more"] for n, row in enumerate(rows)
    ]
    other.write_text("\n".join(",".join(row) for row in mixed))
    x, names, lost = read([other], how)
    np.testing.assert_array_equal(x, plain[0])
    assert names == [f"{other}:{line}" for line in range(2, 62)]
    assert lost == {}
    assert x.shape == (60, 8, 8, 1)
    # without labels, and without a header
    bare = tmp_path / "c.csv"
    bare.write_text("\n".join(",".join(row[1:]) for row in rows[1:]) + "\n")
    np.testing.assert_array_equal(read([bare], how)[0], x)
    whole = tmp_path / "d.csv"
    whole.write_text("\n".join(";".join(row) for row in rows[1:]) + "\n")
    np.testing.assert_array_equal(read([whole], how)[0], x)
    lacking = tmp_path / "e.csv"
    lacking.write_text("\n".join(",".join(row[:-2]) for row in rows))
    assert "has no column 'pixel62' and 1 more" in read([lacking], how)[2][str(lacking)]


def test_rows_for_a_run_that_was_trained_on_something_else(tmp_path: Path) -> None:
    rows = PIXELS.reshape(5, 64).tolist()
    path = tmp_path / "a.csv"
    for header, lead in (
        (["id", "label"], lambda i: [i, "cat"]),
        ([], lambda _: []),
        ([], lambda _: ["cat"]),
        (["Class"], lambda i: [i]),
    ):
        names = [*header, *(f"p{i}" for i in range(64))] if header else []
        lines = [names] * bool(header) + [[*lead(i), *row] for i, row in enumerate(rows)]
        path.write_text("\n".join(",".join(map(str, line)) for line in lines))
        x, _, lost = read([path], digits())
        assert lost == {}, header
        np.testing.assert_array_equal(x, PIXELS)
    path.write_text("\n".join(",".join(map(str, [1, *row])) for row in rows))
    assert (
        "has 65 column(s) of numbers, but the model takes 64"
        in read([path], digits())[2][str(path)]
    )


def test_a_bad_row_is_left_out_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [",".join(map(str, row)) for row in PIXELS.reshape(5, 64).tolist()]
    rows[1] = rows[1].replace("65", "dark", 1)
    rows[3] += ",7"
    path.write_text("\n\n".join(rows) + "\n")
    x, names, lost = read([path], digits(at_once=3))
    np.testing.assert_array_equal(x, PIXELS[[0, 2, 4]])
    assert names == [f"{path}:{line}" for line in (1, 5, 9)]
    assert lost == {
        f"{path}:3": "column 'column 2' holds 'dark', which is not a number",
        f"{path}:7": "65 cells, but 64 column(s)",
    }
    path.write_bytes(path.read_bytes() + b"\xff\xfe,1\n")
    assert "not UTF-8 text" in read([path], digits(at_once=3))[2][f"{path}:10"]


def test_every_row_is_given_before_the_next_one_comes() -> None:
    """Whoever writes slowly is answered at once, however large a block may be."""
    reading, writing = os.pipe()
    came: list[int] = []
    blocks = []

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for number in range(4):
                pipe.write(b",".join([b"%d" % number] * 64) + b"\n")
                deadline = time.monotonic() + 20
                while len(came) <= number and time.monotonic() < deadline:
                    time.sleep(0.01)
                blocks.append(len(came))

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reading, "rb") as stream:
        for block in open_inputs(["-"], digits(at_once=256), stream):
            came.extend(int(name.rpartition(":")[2]) for name in block.names)
    thread.join()
    assert came == [1, 2, 3, 4]
    assert blocks == [1, 2, 3, 4]  # each was there before the next one was written


def test_who_writes_fast_is_answered_in_large_blocks() -> None:
    rows = b"".join(b",".join([b"%d" % (i % 256)] * 64) + b"\n" for i in range(1000))
    blocks = list(open_inputs(["-"], digits(at_once=256), io.BytesIO(rows)))
    assert [len(block.names) for block in blocks] == [256, 256, 256, 232]
    assert joined(blocks)[1][-1] == "standard input:1000"


def test_an_open_quote_takes_no_memory_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_LINE", 10_000)
    row = b",".join([b"1"] * 64) + b"\n"
    x, _, lost = read(["-"], digits(at_once=4), row * 30 + b'"' + row * 1000)
    assert len(x) == 30
    assert "is a quote left open?" in lost["standard input:31"]
    # one that ends is a row of its own, though no honest one
    x, _, lost = read(["-"], digits(at_once=4), row * 3 + b'"' + row + b'"\n' + row)
    assert len(x) == 4
    assert "1 cells, but 64 column(s)" in lost["standard input:5"]


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard_input, "MOST_LINE", 100_000)
    _, _, lost = read(["-"], digits(), b"1," * 200_000)
    assert "a line of more than 100,000 bytes" in lost["standard input"]
    monkeypatch.setattr(standard_input, "MOST_WHOLE", 1000)
    _, _, lost = read(["-"], digits(), b"\x93NUMPY" + bytes(2000))
    assert "has more than 1,000 bytes" in lost["standard input"]


@pytest.mark.parametrize(
    ("piped", "why"),
    [
        (b"", "is empty"),
        (None, "is closed"),
        (b"hello,you\n", "has 2 column(s) of numbers, but the model takes 64"),
        (b"%PDF\0\0", "is nothing that nncli reads"),
        (b"\0\0\0\0\0", "is not an idx file"),
        (b"PK\x03\x04" + bytes(50), "cannot be read"),
        (b"@problemName x\n@data\n", "begins like a .ts file"),
        (b"BM,1\n", "has 1 column(s) of numbers"),
    ],
)
def test_what_comes_on_standard_input_is_told_by_its_first_bytes(piped, why: str) -> None:
    assert why in read(["-"], digits(), piped)[2]["standard input"]


def test_sequences_of_a_file_are_those_of_the_training(tmp_path: Path) -> None:
    folder = write_ts_pair(tmp_path / "made")
    settings = section("ts", path=folder)
    dataset, path = load(settings, 42), folder / "Made_TEST.ts"
    how = wanted(settings, at_once=3)
    x, names, lost = read([path], how)
    np.testing.assert_array_equal(x, dataset.test.x)
    assert names == [f"{path}:{line}" for line in range(6, 26)]
    assert lost == {}
    bare = path.read_text().replace("true up down", "false").replace(":up", "").replace(":down", "")
    np.testing.assert_array_equal(read(["-"], how, bare.encode())[0], x)
    lines = path.read_text().splitlines()
    lines[6], lines[8] = "1,2:3:up", "1,?,3,4,5,6,7:1,2,3,4,5,6,7:up"
    lines[10] = ",".join("1" * 9) + ":" + ",".join("1" * 9) + ":up"
    lines[12], lines[14] = "1,2,3,4,5,6,7:up", "1,2,3:1,2,3:up"
    path.write_text("\n".join(lines))
    x, _, lost = read([path], how)
    assert len(x) == 15
    assert lost[f"{path}:7"] == "channel 2 has 1 values, but channel 1 has 2"
    assert "is missing" in lost[f"{path}:9"]
    assert "sequences of 9 steps, but the model takes at most 7" in lost[f"{path}:11"]
    assert "sequences of 1 feature(s)" in lost[f"{path}:13"]
    assert "fewer than 7 steps" in lost[f"{path}:15"]


def test_shorter_sequences_are_padded_as_in_training(tmp_path: Path) -> None:
    path = write_ts(tmp_path / "long.ts", steps=9)
    text = path.read_text().replace("@equalLength true", "@equalLength false")
    path.write_text(text + "1,2,3:4,5,6:up\n")
    settings = section("ts", path=path)
    how = wanted(settings)
    x, _, _ = read([path], how)
    assert (x[-1, 3:] == how.learned.padding).all()
    assert (x[-1, :3] != how.learned.padding).all()
    # arrays of shorter ones alone
    short = write_npy(tmp_path / "short.npy", np.array([[[1.0, 4], [2, 5], [3, 6]]]))
    np.testing.assert_array_equal(read([short], how)[0], x[-1:])


def test_sequences_in_arrays_and_rows(tmp_path: Path) -> None:
    x, y = signals()
    settings = section("npz", family="sequences", path=write_npz(tmp_path / "a.npz", x=x, y=y))
    how = wanted(settings)
    found = read([tmp_path / "a.npz"], how)[0]
    assert found.shape == x.shape
    np.testing.assert_allclose(found.mean(axis=(0, 1)), 0, atol=0.2)
    rows = tmp_path / "a.csv"
    rows.write_text("\n".join(",".join(map(repr, row)) for row in x.reshape(len(x), -1).tolist()))
    np.testing.assert_array_equal(read([rows], how)[0], found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "no input is named"),
        (["a.ts"], "a.ts is a .ts file, but this run takes pictures"),
        (["-", "a.png", "-"], "- stands twice"),
    ],
)
def test_what_is_refused_before_anything_is_read(given: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_inputs(given, digits(), None)


def test_pictures_are_refused_by_a_run_on_sequences(tmp_path: Path) -> None:
    x, y = signals()
    how = wanted(section("npz", family="sequences", path=write_npz(tmp_path / "a.npz", x=x, y=y)))
    for given, what in (("cat.jpg", "a picture"), (str(tmp_path), "a folder")):
        with pytest.raises(UsageError, match=f"is {what}, but this run takes .ts files"):
            open_inputs([given], how, None)


def test_memory_does_not_grow_with_the_array(tmp_path: Path) -> None:
    import tracemalloc

    peaks = []
    for count in (1_000, 40_000):
        path = write_npy(tmp_path / f"{count}.npy", np.zeros((count, 8, 8, 1), np.uint8))
        blocks = open_inputs([str(path)], digits(at_once=256), None)
        tracemalloc.start()
        total = sum(len(block.names) for block in blocks)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert total == count
    assert peaks[1] < 1.2 * peaks[0]


def test_colours_are_those_of_the_training(tmp_path: Path) -> None:
    x, y = images(channels=3)
    how = wanted(section("npz", path=write_npz(tmp_path / "a.npz", x=x, y=y)))
    Image.fromarray(np.full((30, 40), 77, np.uint8)).save(tmp_path / "grey.png")
    found, _, _ = read([tmp_path / "grey.png"], how)
    assert found.shape == (1, 10, 10, 3)
    assert (found == 77).all()
