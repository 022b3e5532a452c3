from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli.data import SOURCES, csv_table, load
from nncli.data.dataset import Dataset, Family
from nncli.data.source import DataSection
from nncli.errors import DataError
from tests.data.made import REAL, needs_real_data, write_table


def section(path: Path, family: Family = "images", **settings: Any) -> DataSection:
    values = {"source": "table", "path": str(path), **settings}
    chosen = SOURCES["table"].sections[family]
    return chosen.model_validate_json(json.dumps(values, default=str), strict=True)


def read(path: Path, family: Family = "images", text: str = "", **settings: Any) -> Dataset:
    if text:
        path.write_text(text, encoding="utf-8")
    return load(section(path, family, **settings), 0)


def rows(
    count: int = 40,
    columns: int = 4,
    labels: tuple[str, ...] = ("a", "b"),
    separator: str = ",",
    number: str = "{}",
) -> list[str]:
    """Samples that all differ, their classes in turn."""
    return [
        separator.join(
            [labels[i % len(labels)], *(number.format(i * columns + j) for j in range(columns))]
        )
        for i in range(count)
    ]


def table(count: int = 40, columns: int = 4, header: str = "", **more: Any) -> str:
    names = header or ",".join(["label", *(f"v{j}" for j in range(columns))])
    return "\n".join([names, *rows(count, columns, **more)]) + "\n"


def whole(dataset: Dataset) -> dict[bytes, str]:
    """The class of every sample, whichever part it is in."""
    found = {}
    for part in dataset.parts.values():
        for x, y in zip(part.x, part.y, strict=True):
            found[np.ascontiguousarray(x).tobytes()] = dataset.classes[y]
    return found


# Images


def test_each_row_is_an_image(tmp_path: Path) -> None:
    dataset = read(tmp_path / "a.csv", text=table(60))
    assert dataset.input_shape == (2, 2, 1)
    assert dataset.train.x.dtype == np.uint8
    assert dataset.classes == ("a", "b")
    assert [len(part) for part in dataset.parts.values()] == [39, 9, 12]
    expected = {bytes(range(4 * i, 4 * i + 4)): "ab"[i % 2] for i in range(60)}
    assert whole(dataset) == expected
    assert dataset.notes == ()
    assert dataset.files == hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("columns", "shape", "wanted"),
    [(9, None, (3, 3, 1)), (6, [2, 3], (2, 3, 1)), (12, [2, 2, 3], (2, 2, 3)), (4, [4, 1, 1], ())],
)
def test_the_shape_of_an_image(
    tmp_path: Path, columns: int, shape: list[int] | None, wanted: tuple[int, ...]
) -> None:
    path = tmp_path / "a.csv"
    dataset = read(path, text=table(20, columns), shape=shape)
    assert dataset.input_shape == (wanted or (4, 1, 1))
    first = np.arange(columns, dtype=np.uint8).reshape(dataset.input_shape)
    assert first.tobytes() in whole(dataset)
    if shape is not None:
        assert section(path, shape=shape).facts().input_shape == dataset.input_shape


@pytest.mark.parametrize(
    ("factor", "dtype", "high", "note"),
    [
        (1, np.uint8, 159, ""),
        (0.5, np.float32, 79.5, ""),
        (1 / 159, np.float32, 255, "between 0 and 1"),
        (257, np.uint8, 159, "16-bit"),
    ],
)
def test_pixels_become_0_to_255(
    tmp_path: Path, factor: float, dtype: Any, high: float, note: str
) -> None:
    lines = [line.split(",") for line in rows(40)]
    text = "\n".join(",".join([c, *(f"{float(v) * factor:.9g}" for v in vs)]) for c, *vs in lines)
    dataset = read(tmp_path / "a.csv", text=f"label,a,b,c,d\n{text}\n")
    pixels = np.concatenate([part.x for part in dataset.parts.values()])
    assert pixels.dtype == dtype
    assert pixels.max() == pytest.approx(high, abs=1e-4)
    assert any(note in said for said in dataset.notes) if note else dataset.notes == ()


# Sequences


def test_each_row_is_a_sequence_scaled_by_the_training_part(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    dataset = read(path, "sequences", text=table(60, 6), shape=[3, 2])
    assert dataset.input_shape == (3, 2)
    assert dataset.train.x.dtype == np.float32
    assert dataset.train.x.mean(axis=(0, 1)) == pytest.approx([0, 0], abs=1e-5)
    assert dataset.train.x.std(axis=(0, 1)) == pytest.approx([1, 1], abs=1e-5)
    assert dataset.scaler is not None
    own = dataset.test.x[0] * dataset.scaler.scale + dataset.scaler.offset
    assert np.diff(own.ravel()) == pytest.approx(np.ones(5), abs=1e-3), "step after step"
    assert dataset.learned()["scaler"] == dataset.scaler.to_dict()
    assert section(path, "sequences", shape=[3, 2]).facts().input_shape == (3, 2)
    assert section(path, "sequences", shape=[6]).facts().input_shape == (6, 1)


def test_every_column_is_a_step(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "sequences", text=table(40, 5)).input_shape == (5, 1)


def test_other_parts_do_not_reach_the_scaling(tmp_path: Path) -> None:
    text = table(40)
    first = read(tmp_path / "a.csv", "sequences", text=text)
    assert first.scaler is not None
    measured = [
        (first.test.x[i] * first.scaler.scale + first.scaler.offset).round().astype(int).ravel()
        for i in range(len(first.test))
    ]
    for values in measured:
        old = ",".join(map(str, values))
        assert old in text
        text = text.replace(old, ",".join(str(v + 100_000) for v in values))
    second = read(tmp_path / "b.csv", "sequences", text=text)
    assert np.array_equal(first.train.x, second.train.x)
    assert second.test.x.min() > 100


# Columns


@pytest.mark.parametrize(
    ("header", "settings", "label"),
    [
        ("label,v,w,x,y", {}, "label"),
        ("Class,v,w,x,z", {}, "Class"),
        ("kind,v,w,x,z", {}, "kind"),
        ("kind,v,w,x,z", {"label": "kind"}, "kind"),
        ("kind,v,w,x,z", {"label": 1}, "kind"),
        ("label,0,1,2,3", {}, "label"),
        ("kind,0,1,2,3", {"label": "kind"}, "kind"),
        ("标签,像素,א,😀,z", {"label": "标签"}, "标签"),
    ],
)
def test_the_column_of_labels(
    tmp_path: Path, header: str, settings: dict[str, Any], label: str
) -> None:
    text = table(40, header=header)
    if header.startswith("label,v"):  # two names of labels: the other one is not to be used
        settings = {"label": "label"}
    dataset = read(tmp_path / "a.csv", text=text, **settings)
    assert dataset.classes == ("a", "b")
    assert len(whole(dataset)) == 40
    guessed = [f"the labels are in column '{label}'"]
    assert list(dataset.notes) == (guessed if header.startswith("kind") and not settings else [])


def test_no_header_line(tmp_path: Path) -> None:
    dataset = read(tmp_path / "a.csv", text="\n".join(rows(40)) + "\n")
    assert len(whole(dataset)) == 40
    assert dataset.notes == ("a.csv has no header line: its first row is taken as a sample",)
    numbers = "\n".join(rows(40, labels=("0", "1"))) + "\n"
    dataset = read(tmp_path / "b.csv", text=numbers, label=1)
    assert len(whole(dataset)) == 40
    assert dataset.notes == ()


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (("10", "9", "1"), ("1", "9", "10")),
        (("10", "9", "x"), ("10", "9", "x")),
        (("1.0", "2.0", "1"), ("1", "2")),
        (("猫", "собака", "-"), ("-", "собака", "猫")),
    ],
)
def test_classes_are_sorted(
    tmp_path: Path, labels: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    dataset = read(tmp_path / "a.csv", text=table(60, labels=labels))
    assert dataset.classes == classes


def test_columns_that_are_not_used(tmp_path: Path) -> None:
    lines = [f"n{i},{line},{i % 7}" for i, line in enumerate(rows(40))]
    text = "\n".join(["name,label,a,b,c,d,weight", *lines]) + "\n"
    dataset = read(tmp_path / "a.csv", text=text, ignore=["name", 7])
    assert whole(dataset) == whole(read(tmp_path / "b.csv", text=table(40)))


@pytest.mark.parametrize("name", ["", "id", "Unnamed: 0"])
@pytest.mark.parametrize("start", [0, 1])
def test_a_column_that_counts_the_rows_is_not_used(tmp_path: Path, name: str, start: int) -> None:
    lines = [f"{i + start},{line}" for i, line in enumerate(rows(300))]
    text = "\n".join([f"{name},label,a,b,c,d", *lines]).replace(",1199", ",0") + "\n"
    dataset = read(tmp_path / "a.csv", text=text)
    assert dataset.input_shape == (2, 2, 1)
    assert "counts the rows and is not used" in dataset.notes[0]


def dialect(separator: str, decimal: str, end: str = "\n", quote: str = "") -> str:
    lines = ["label", *(f"{quote}{v}{quote}" for v in "vwxz")]
    text = [separator.join(lines)]
    for i in range(40):
        cells = [f"{quote}{i * 4 + j}{decimal}25{quote}" for j in range(4)]
        text.append(separator.join(["ab"[i % 2], *cells]))
    return end.join(text) + end


@pytest.mark.parametrize(
    "text",
    [
        dialect(";", ","),
        dialect(";", "."),
        dialect("\t", "."),
        dialect(",", ".", "\r\n"),
        dialect(",", ".", "\n\n"),
        dialect(",", ".", "\n,,,,\n"),
        dialect(",", ".", quote='"'),
        "\ufeff" + dialect(",", "."),
        dialect(",", ".").replace("a,", '"a\nb",').replace("b,", '"a""b",'),
        dialect(", ", "."),
        dialect(",", ".").replace("25\n", "25,,\n"),
        dialect(",", ".").replace(",0.25", ",+.25e0"),
    ],
)
def test_many_dialects_say_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    dataset = load(section(path, "sequences"), 0)
    plain = read(tmp_path / "b.csv", "sequences", text=dialect(",", "."))
    for name, part in dataset.parts.items():
        assert np.array_equal(part.x, plain.parts[name].x)
        assert np.array_equal(part.y, plain.parts[name].y)


@pytest.mark.parametrize("number", ["{}", "{}.5", "-{}e-3"])
def test_the_fast_and_the_careful_reader_read_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    path = tmp_path / "a.csv"
    text = table(200, 9, number=number).replace("\na,", '\n"a, b",')
    fast = read(path, "sequences", text=text)
    monkeypatch.setattr(csv_table, "_BLOCK", 100)  # a few lines at a time
    assert read(path, "sequences").fingerprint() == fast.fingerprint()
    monkeypatch.setattr(csv_table, "_read_fast", lambda *_: None)
    assert read(path, "sequences").fingerprint() == fast.fingerprint()


def test_a_cell_over_two_lines_is_not_cut_in_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "_BLOCK", 1)
    text = table(40).replace("\na,", '\n"a\n\nof\nthree",')
    dataset = read(tmp_path / "a.csv", text=text)
    assert dataset.classes == ("a\n\nof\nthree", "b")
    with pytest.raises(DataError, match=r"b\.csv:101: column 'v3' holds 'x'"):
        read(tmp_path / "b.csv", text=text.replace("159", "x"))


# Parts


def test_a_test_file_is_measured_on(tmp_path: Path) -> None:
    write_table(tmp_path / "train.csv", 60, seed=1)
    write_table(tmp_path / "test.csv", 30, seed=2)
    dataset = read(tmp_path / "train.csv", test_path=tmp_path / "test.csv")
    assert [len(part) for part in dataset.parts.values()] == [51, 9, 30]
    alone = read(tmp_path / "test.csv")
    assert set(whole(alone)) == {x.tobytes() for x in dataset.test.x}
    both = [(tmp_path / name).read_bytes() for name in ("train.csv", "test.csv")]
    assert dataset.files == hashlib.sha256(b"".join(both)).hexdigest()
    chosen = section(tmp_path / "train.csv", test_path=tmp_path / "test.csv", test=0.99)
    assert list(chosen.contradictions()) == []
    assert "data.test is not used" in load(chosen, 0).notes[-1]


def test_a_byte_changes_the_fingerprint(tmp_path: Path) -> None:
    first = read(tmp_path / "a.csv", text=table())
    second = read(tmp_path / "a.csv", text=table() + "\n")
    assert first.fingerprint() != second.fingerprint()
    assert np.array_equal(first.train.x, second.train.x)


def test_copies_are_left_out_and_named(tmp_path: Path) -> None:
    text = table(40)
    again = "\n".join(text.splitlines()[3:6])
    dataset = read(tmp_path / "a.csv", text=text + again + "\n")
    assert sum(len(part) for part in dataset.parts.values()) == 40
    place = tmp_path / "a.csv"
    assert [copy.place for copy in dataset.copies] == [f"{place}:{line}" for line in (42, 43, 44)]
    assert [copy.of for copy in dataset.copies] == [f"{place}:{line}" for line in (4, 5, 6)]


def test_a_limit_keeps_every_class(tmp_path: Path) -> None:
    text = table(300, labels=tuple("abc"))
    dataset = read(tmp_path / "a.csv", "sequences", text=text, limit=60)
    counts = [np.bincount(part.y, minlength=3) for part in dataset.parts.values()]
    assert np.sum(counts) == 60
    assert np.sum(counts, axis=0).tolist() == [20, 20, 20]
    images = read(tmp_path / "b.csv", text=table(60), limit=30)
    assert len(whole(images)) == 30
    assert whole(images).items() < whole(read(tmp_path / "b.csv")).items()
    few = read(tmp_path / "a.csv", "sequences", train_per_class=2)
    assert np.bincount(few.train.y).tolist() == [2, 2, 2]


# Faults

GOOD = table(40)


@pytest.mark.parametrize(
    ("text", "settings", "said", "hint"),
    [
        # files
        ("", {}, "is empty", "one sample per row"),
        ("\n \n,,\n", {}, "is empty", "one sample per row"),
        ("label,v,w,x,z\n", {}, "a header line and no rows", "one sample per row"),
        ("label,v,w,x,z\na,1,2,3,4\n", {}, r"all 1 row\(s\) have the label 'a'", "data.label"),
        ("a,1,2,3,4\n", {}, r"all 1 row\(s\) have the label 'a'", "data.label"),
        (b"label,v\na,1\nb,\xff\n", {}, r"a\.csv:3: not UTF-8 text \(byte 0xff\)", "UTF-8"),
        (GOOD.encode() + b"a,1,2,\xe9,4\n" * 30, {}, r"a\.csv:42: not UTF-8", "UTF-8"),
        ('label,v\n"' + "1" * 200_000, {}, "not a CSV line", ""),
        # rows
        (GOOD.replace("a,8,9,", "a,8,"), {}, r"a\.csv:4: 4 cells, but 5 column", "complete"),
        (GOOD.replace("a,8,9,", "a,8,9,7,"), {}, r"a\.csv:4: 6 cells, but 5 column", "complete"),
        (GOOD[:-5] + "\n", {}, r"a\.csv:41: 4 cells, but 5 column", "complete"),
        # cells
        (GOOD.replace(",9,", ",nine,"), {}, r"a\.csv:4: column 'v1' holds 'nine'", "ignore"),
        (GOOD.replace(",9,", ",,"), {}, r"a\.csv:4: column 'v1' has no value", "fill it in"),
        (GOOD.replace(",9,", ",NaN,"), {}, r"a\.csv:4: column 'v1' has no value", "fill it in"),
        (GOOD.replace(",9,", ",inf,"), {}, r"a\.csv:4: column 'v1' holds 'inf'", "ignore"),
        (GOOD.replace(",9,", ",1e999,"), {}, r"a\.csv:4: column 'v1' holds '1e999'", "ignore"),
        (GOOD.replace(",9,", ",1_0,"), {}, r"a\.csv:4: column 'v1' holds '1_0'", "ignore"),
        (GOOD.replace(",9,", ",٣,"), {}, r"a\.csv:4: column 'v1' holds '٣'", "ignore"),
        (GOOD.replace(",9,", ",0x9,"), {}, r"a\.csv:4: column 'v1' holds '0x9'", "ignore"),
        (GOOD.replace(",9,", ',"1,5",'), {}, r"a\.csv:4: .* holds '1,5'", "data.decimal"),
        (GOOD.replace(",9,", ",-9,"), {}, r"a\.csv:4: column 'v1' holds -9, .* no pixel", "255"),
        (GOOD.replace(",9,", ",65536,"), {}, r"a\.csv:4: column 'v1' holds 65536", "255"),
        (GOOD.replace(",9,", ",256.5,"), {}, r"a\.csv:4: column 'v1' holds 256.5", "255"),
        # labels
        (GOOD.replace("\na,8,", "\n,8,"), {}, r"a\.csv:4: column 'label' holds no label", "label"),
        (GOOD.replace("\na,8,", "\nNaN,8,"), {}, r"a\.csv:4: .* holds no label", "label the row"),
        (GOOD.replace("\nb,", "\na,"), {}, r"all 40 row\(s\) have the label 'a'", "data.label"),
        (table(40, labels=("1.5", "2")), {}, r"a\.csv:2: label 1.5 .* whole number", "classes"),
        (table(40, labels=("-1", "0", "1")), {}, "label -1", "number the classes"),
        (table(20, labels=tuple(map(str, range(20)))), {}, "too few", "more samples"),
        # columns
        (GOOD, {"label": "labl"}, "has no column 'labl'", "did you mean 'label'"),
        (GOOD, {"label": 6}, r"has 5 column\(s\), but data.label is 6", "from 1 to 5"),
        (GOOD, {"ignore": ["v9"]}, "has no column 'v9'", "choose one of label, v0"),
        (GOOD, {"ignore": [1], "label": "label"}, "data.label and among data.ignore", "one of"),
        (GOOD, {"ignore": [2, 3, 4, 5]}, "no column of numbers beside the labels", "separator"),
        (GOOD.replace("label,v0", "y,class"), {}, "'y' and 'class' may all hold", "e.g. y"),
        (table(labels=("1", "2"), header="q,a,b,c,d"), {}, "no column holds texts", "are q, a"),
        (dialect(",", ".").replace("label", "q").replace(",", ",c,"), {}, "5 columns hold", "q, c"),
        # shapes
        (table(40, 5), {}, "5 columns .* in 'label', which make no square", "data.shape, or"),
        (table(40, 6), {}, "6 columns .* in 'label', which make no square", "e.g. [2, 3], or"),
        (table(40, 12), {}, "12 columns of numbers", r"[2, 2, 3]"),
        (GOOD, {"shape": [2, 3]}, "4 columns of numbers .* 2 × 3 takes 6", "correct"),
    ],
)
def test_faults_are_named(
    tmp_path: Path, text: str | bytes, settings: dict[str, Any], said: str, hint: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=said) as caught:
        load(section(path, **settings), 0)
    assert "a.csv" in caught.value.message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (table(20, 5), r"test\.csv has 6 column\(s\), but .*train\.csv has 5"),
        (GOOD.replace("v1", "w1"), r"test\.csv: column 3 is 'w1', but 'v1' in"),
        (GOOD.replace("\na,8,", "\nc,8,"), r"test\.csv:4: label 'c' is not in .*train\.csv"),
        (GOOD.replace(",9,", ",x,"), r"test\.csv:4: column 'v1' holds 'x'"),
        (GOOD.replace(",9,", ",-1,"), r"test\.csv:4: column 'v1' holds -1"),
        (GOOD.splitlines()[0], r"test\.csv has a header line and no rows"),
        ("", r"test\.csv is empty"),
    ],
)
def test_a_test_file_that_does_not_fit(tmp_path: Path, test: str, said: str) -> None:
    (tmp_path / "test.csv").write_text(test)
    with pytest.raises(DataError, match=said):
        read(tmp_path / "train.csv", text=table(60), test_path=tmp_path / "test.csv")


def test_a_test_file_without_a_header_line(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("\n".join(rows(10)) + "\n")
    dataset = read(tmp_path / "train.csv", text=table(40), test_path=tmp_path / "test.csv")
    assert len(dataset.test) == 10


@pytest.mark.parametrize("key", ["path", "test_path"])
def test_files_that_are_not_there(tmp_path: Path, key: str) -> None:
    given = {"path": write_table(tmp_path / "a.csv"), key: tmp_path / "no.csv"}
    with pytest.raises(DataError, match=r"no\.csv does not exist") as caught:
        read(**given)
    assert f"data.{key} " in str(caught.value.hint)
    with pytest.raises(DataError, match="is a folder, not a CSV file"):
        read(**{**given, key: tmp_path})


def test_one_file_for_both_parts(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.csv")
    with pytest.raises(DataError, match="named for training and for testing"):
        read(path, test_path=path)


def test_names_in_any_script(tmp_path: Path) -> None:
    path = tmp_path / "数据 بيانات 😀.csv"
    text = table(40, header="类别,א,ب,😀,z").replace("\na,", "\nقطة,")
    dataset = read(path, text=text)
    assert dataset.classes == ("b", "قطة")
    with pytest.raises(DataError, match=r"数据 بيانات 😀\.csv:4: column 'ب' holds 'девять'"):
        read(path, text=text.replace(",9,", ",девять,"))


@pytest.mark.parametrize(
    ("family", "settings", "keys", "said"),
    [
        ("images", {"shape": [784]}, ("shape",), "a height and a width"),
        ("images", {"shape": [2, 2, 4]}, ("shape",), "1 or 3 channels, not 4"),
        ("sequences", {"shape": [2, 2, 3]}, ("shape",), "steps and features"),
        ("images", {"label": "y", "ignore": ["id", "y"]}, ("ignore", "label"), "y holds"),
        ("images", {"validation": 0.5, "test": 0.5}, ("test", "validation"), "nothing to train"),
    ],
)
def test_contradictions_are_foreseen(
    family: Family, settings: dict[str, Any], keys: tuple[str, ...], said: str
) -> None:
    chosen = section(Path("a.csv"), family, **settings)
    (found,) = chosen.contradictions()
    assert chosen.facts().input_shape is None, "a wrong shape is no fact"
    assert found.keys == keys
    assert said in found.message


# Real data


@needs_real_data
def test_fashion_mnist_as_a_table(tmp_path: Path) -> None:
    folder = REAL / "fashion_mnist"
    x, y = (
        np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8, offset=offset)
        for name, offset in (("t10k-images-idx3-ubyte.gz", 16), ("t10k-labels-idx1-ubyte.gz", 8))
    )
    x = x.reshape(-1, 784)[:500]
    lines = [",".join(map(str, [label, *row])) for label, row in zip(y, x.tolist(), strict=False)]
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    dataset = read(tmp_path / "fashion.csv", text="\n".join([header, *lines]) + "\n")
    assert dataset.input_shape == (28, 28, 1)
    assert dataset.classes == tuple("0123456789")
    classes = {row.tobytes(): str(label) for row, label in zip(x, y, strict=False)}
    assert whole(dataset) == classes
