"""Which source a path is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from nncli.data import SOURCES
from nncli.data.recognize import needs_path, recognize
from nncli.errors import UsageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_by_its_name(name: str) -> None:
    assert recognize(name) == (name, None)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("a.ts", "ts"),
        ("A_TRAIN.TS", "ts"),
        ("a.csv", "csv"),
        ("a.tsv", "csv"),
        ("a.npz", "npz"),
        ("a.npy", "npy"),
        ("train-images-idx3-ubyte", "idx"),
        ("train-images-idx3-ubyte.gz", "idx"),
        ("train-images.idx3-ubyte", "idx"),
        ("ein Bild, größer.csv", "csv"),
    ],
)
def test_a_file_by_its_name(file: str, source: str) -> None:
    assert recognize(file) == (source, Path(file)), "also where it does not exist"
    Path(file).touch()
    assert recognize(file) == (source, Path(file))


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (["cat/1.png", "dog/1.png"], "folder"),
        (["A_TRAIN.ts", "A_TEST.ts"], "ts"),
        (["train-images-idx3-ubyte.gz", "LICENSE"], "idx"),
        (["x_train.npy", "y_train.npy"], "npy"),
        ([".hidden_TRAIN.ts"], "folder"),
        ([], "folder"),
    ],
)
def test_a_folder_by_what_is_in_it(files: list[str], source: str) -> None:
    folder = Path("own")
    folder.mkdir()
    for file in files:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).touch()
    assert recognize("own") == (source, folder)


def test_rows_of_a_csv_file_where_no_series_is_wanted() -> None:
    assert recognize("a.csv", ("images",))[0] == "table"
    assert recognize("a.csv", ("sequences", "series"))[0] == "csv"


def test_a_folder_of_the_name_of_a_source_that_needs_one() -> None:
    for name in ("folder", "digits"):
        Path(name).mkdir()
    assert recognize("folder") == ("folder", Path("folder"))
    assert recognize("digits") == ("digits", None)
    assert needs_path("folder")
    assert not needs_path("digits")


def test_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert recognize("~/photos") == ("folder", tmp_path / "photos")


def test_a_path_that_does_not_exist_is_for_its_loader_to_refuse() -> None:
    assert recognize("./photos") == ("folder", Path("photos"))


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ("digit", "'digit' is no source, and no file or folder here", "did you mean 'digits'?"),
        ("photos", "'photos' is no source, and no file or folder here", "nncli data list"),
        ("notes.txt", "notes.txt is of no kind that nncli reads", "--set data.path=notes.txt"),
    ],
)
def test_what_is_neither(given: str, message: str, hint: str) -> None:
    Path("notes.txt").touch()
    with pytest.raises(UsageError) as caught:
        recognize(given)
    assert caught.value.message == message
    assert hint in str(caught.value.hint)
