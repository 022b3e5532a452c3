"""`nncli data …` as a user meets it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nncli.cli import main
from nncli.data import SOURCES
from nncli.models import KINDS
from tests import made
from tests.data.made import (
    REAL,
    needs_real_data,
    picture,
    write_csv,
    write_folder,
    write_ts_pair,
)
from tests.documents.read import document_of

Captured = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("here")


def answer(capsys: Captured, *arguments: str, code: int = 0) -> str:
    """Standard output; standard error stays empty unless the command line is wrong."""
    assert main(["data", *arguments]) == code
    out, err = capsys.readouterr()
    assert bool(err) == (code == 2)
    return out or err


def document(capsys: Captured, *arguments: str, code: int = 0) -> dict[str, Any]:
    assert main(["data", "check", *arguments, "--json", "--no-picture"]) == code
    out, err = capsys.readouterr()
    assert err == ""
    return document_of(out, "data check")


def codes(found: dict[str, Any]) -> dict[str, str]:
    return {each["code"]: each["level"] for each in found["findings"]}


# list


def test_list_has_every_source(capsys: Captured) -> None:
    lines = answer(capsys, "list").splitlines()
    rows = json.loads(answer(capsys, "list", "--json"))["sources"]

    assert [line.split()[0] for line in lines[: len(SOURCES)]] == list(SOURCES)
    assert [row["name"] for row in rows] == list(SOURCES)
    by_name = {row["name"]: row for row in rows}
    assert by_name["folder"]["kinds"] == ["cnn", "transfer"]
    assert by_name["folder"]["needs_path"]
    assert by_name["mnist"]["needs_network"]
    assert not by_name["digits"]["needs_path"]


# check


@pytest.mark.parametrize("kind", KINDS)
def test_the_data_that_comes_with_nncli_is_good(kind: str, capsys: Captured) -> None:
    out = answer(capsys, "check", "--kind", kind, "--no-picture")

    assert out.endswith("0 warnings, 0 errors\n")
    assert f"for {kind}" in out
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("source", "kind"), [("digits", "cnn"), ("waves", "lstm"), ("sine", "rnn")]
)
def test_a_source_is_checked_for_what_fits_it(source: str, kind: str, capsys: Captured) -> None:
    out = answer(capsys, "check", source)

    assert out.startswith(f"nncli data check  {source} · ")
    assert f"for {kind}" in out
    saved = Path("outputs/data") / f"data-{source}.png"
    assert f"saved {saved}  " in out
    assert saved.read_bytes().startswith(b"\x89PNG")


def write_arrays(path: Path, *shape: int, whole: bool = False) -> Path:
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (60, *shape)).astype(np.uint8) if whole else (
        random.normal(size=(60, *shape))
    )  # fmt: skip
    np.savez(path, x=x, y=np.arange(60) % 2)
    return path


@pytest.mark.parametrize(
    ("make", "kind", "source"),
    [
        (lambda: write_folder(Path("own photos")), "cnn", "folder"),
        (lambda: write_ts_pair(Path("motions")), "lstm", "ts"),
        (lambda: write_ts_pair(Path("motions")) / "Made_TRAIN.ts", "lstm", "ts"),
        (lambda: write_csv(Path("größe: sold.csv")), "rnn", "csv"),
        (lambda: write_arrays(Path("pixels.npz"), 16, 12, whole=True), "cnn", "npz"),
        (lambda: write_arrays(Path("motions.npz"), 30, 6), "lstm", "npz"),
    ],
    ids=["folder", "ts folder", "ts file", "csv", "pictures", "sequences"],
)
def test_a_path_is_read_by_the_source_for_it(
    make: Any, kind: str, source: str, capsys: Captured
) -> None:
    path = make()
    found = document(capsys, str(path))

    assert (found["kind"], found["source"]) == (kind, source)
    assert found["path"] == str(path.absolute())
    assert found["samples"] == sum(part["samples"] for part in found["parts"].values())


def test_the_same_split_as_in_training(capsys: Captured) -> None:
    """The fingerprint is that which a run is recorded with."""
    from nncli import data
    from tests.data.made import section

    found = document(capsys, "digits", "--seed", "7", "--set", "data.size=20")
    own = section("digits", size=20)

    assert found["fingerprint"] == data.load(own, 7).fingerprint()
    assert found["fingerprint"] != data.load(own, 8).fingerprint()
    assert found["input_shape"] == [20, 20, 1]


def test_a_config_is_read_as_train_reads_it(capsys: Captured) -> None:
    write_folder(Path("photos"))
    Path("my.yaml").write_text(
        "kind: cnn\nseed: 3\ndata: {source: folder, path: photos, size: 24, color: grayscale}\n"
    )

    found = document(capsys, "--config", "my.yaml")
    assert (found["input_shape"], found["kind"]) == ([24, 24, 1], "cnn")

    write_folder(Path("others"), classes=("a", "b", "c"))
    found = document(capsys, "others", "--config", "my.yaml")
    assert (found["input_shape"], found["classes"]) == ([24, 24, 1], ["a", "b", "c"])

    found = document(capsys, "digits", "--config", "cnn")
    assert found["source"] == "digits"


def test_the_table_of_a_csv_file(capsys: Captured) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (200, 256))
    lines = [",".join(map(str, row)) + f",{'ab'[i % 2]}" for i, row in enumerate(rows)]
    head = ",".join(f"p{i}" for i in range(256))
    Path("rows.csv").write_text(f"{head},label\n" + "\n".join(lines) + "\n")
    found = document(capsys, "rows.csv", "--kind", "cnn")

    assert (found["source"], found["input_shape"]) == ("table", [16, 16, 1])
    assert found["findings"] == []


# errors of the command line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nncli data check digits"),
        (["digit"], "did you mean 'digits'?"),
        (["digits", "--kind", "cn"], "did you mean 'cnn'?"),
        (["digits", "--set", "data.sise=3"], "did you mean 'size'?"),
        (["waves", "--kind", "cnn"], "'waves' is not one of"),
        (["folder"], "data.path: missing"),
        (["digits", "--seed", "x"], "'x' is not a whole number"),
        (["--config", "cnn-mnst"], "cnn-mnist"),
        (["digits", "--config", "lstm", "--kind", "cnn"], "lstm"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line(arguments: list[str], said: str, capsys: Captured) -> None:
    assert said in answer(capsys, "check", *arguments, code=2)
    assert main(["data", "check", *arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 2


def test_data_alone_shows_what_there_is(capsys: Captured) -> None:
    assert main(["data"]) == 2
    assert "check" in capsys.readouterr().out


# bad data


@pytest.fixture
def broken() -> Path:
    """Pictures with every fault that one of them can have."""
    root = write_folder(Path("photos"), count=45)
    for part in ("train", "test"):
        (root / part).mkdir()
    for name in ("cat", "dog"):
        shutil.move(root / name, root / "train" / name)
        (root / "test" / name).mkdir()
        for i in range(16):
            picture([99, i, len(name), ord(name[0])]).save(root / "test" / name / f"{i}.png")
    cats = root / "train" / "cat"
    jpeg = cats / "whole.jpg"
    picture([5], 60, 60).save(jpeg)
    raw = jpeg.read_bytes()
    (cats / "corrupt.jpg").write_bytes(raw[:150] + bytes(40) + raw[190:300])
    png = (cats / "000.png").read_bytes()
    (cats / "cut.png").write_bytes(png[: len(png) // 2])
    (cats / "empty.jpg").write_bytes(b"")
    (cats / "text.jpg").write_text("not a picture at all")
    return root


BAD = ("corrupt.jpg", "cut.png", "empty.jpg", "text.jpg")


def test_every_unreadable_file_is_named(broken: Path, capsys: Captured) -> None:
    found = document(capsys, "photos", code=3)

    (finding,) = found["findings"]
    assert (finding["code"], finding["level"], found["errors"]) == ("unreadable", "error", 1)
    named = [Path(place.rpartition(" (")[0]).name for place in finding["places"]]
    assert sorted(named) == sorted(BAD)
    out = answer(capsys, "check", "photos", code=3)
    assert all(f"photos/train/cat/{name} (" in out for name in BAD)
    assert out.endswith("0 warnings, 1 error\n")


def test_the_faults_of_what_can_be_read(broken: Path, capsys: Captured) -> None:
    for name in BAD:
        (broken / "train" / "cat" / name).unlink()
    (broken / "train" / "frog").mkdir()
    for i in range(3):
        picture([7, i]).save(broken / "train" / "frog" / f"{i}.png")
    Image.new("RGB", (12, 10), (90, 10, 10)).save(broken / "train" / "dog" / "red.png")
    found = document(capsys, "photos")

    assert codes(found) == {
        "blank": "warning", "few-of-a-class": "warning", "imbalance": "warning",
        "missing-class": "warning",
    }  # fmt: skip
    lacking = [each["message"] for each in found["findings"] if each["code"] == "missing-class"]
    assert lacking[-1] == "the test part has no picture of 'frog'"
    assert found["warnings"] == len(found["findings"]) == 3 + len(lacking)


def test_a_leak_ends_with_3(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = made.images(120)
    leaking = replace(plain, test=plain.train.take(np.arange(60)))
    monkeypatch.setattr("nncli.data.load", lambda *_: leaking)

    found = document(capsys, "digits", code=3)
    assert codes(found) == {"leak": "error"}
    assert len(found["findings"][0]["places"]) == 60
    out = answer(capsys, "check", "digits", "--quiet", "--no-picture", code=3)
    assert out.startswith("✗ error: 60 test pictures (100% of that part) are in the training part")
    assert "and 55 more, all with --json" in out
    assert out.endswith("\n0 warnings, 1 error\n")


def test_samples_that_a_config_takes_for_something_else(capsys: Captured) -> None:
    write_folder(Path("photos"), count=20)
    found = document(capsys, "photos", "--set", "training.batch_size=500", code=3)

    assert codes(found)["config"] == "error"
    assert found["findings"][0]["message"].startswith("training.batch_size: a batch of 500")
    assert found["parts"], "the rest is told all the same"


def test_a_path_that_is_not_there(capsys: Captured) -> None:
    out = answer(capsys, "check", "no/such.csv", code=3)
    assert "such.csv does not exist" in out
    assert out.endswith("0 warnings, 1 error\n")


# what is printed and written


def test_the_picture_goes_where_it_is_wanted(capsys: Captured) -> None:
    write_csv(Path("sold.csv"))
    out = answer(capsys, "check", "sold.csv", "--output", "pictures")

    assert "saved pictures/data-sold.png  200 values of Sold" in out
    found = json.loads(answer(capsys, "check", "sold.csv", "-o", "pictures", "--json"))
    assert found["picture"]["file"] == "pictures/data-sold.png"
    assert found["picture"]["shows"].startswith("200 values of Sold")


def test_a_picture_that_cannot_be_saved_costs_nothing_else(capsys: Captured) -> None:
    Path("taken").touch()
    assert main(["data", "check", "sine", "-o", "taken"]) == 0
    out, err = capsys.readouterr()

    assert out.endswith("0 warnings, 0 errors\n")
    assert err.startswith("warning: the picture could not be drawn: cannot write taken")


def test_in_a_pipe() -> None:
    """Other environments are in test_environment.py."""
    ascii = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "nncli", "data", "check", "digits"],
        capture_output=True, env={**os.environ, **ascii}, timeout=120,
        check=True,
    )  # fmt: skip
    assert done.stderr == b""
    assert b"\x1b" not in done.stdout
    assert done.stdout.endswith(b"0 warnings, 0 errors\n")
    done.stdout.decode("ascii")
    assert b"ok none of these pictures stands twice" in done.stdout


@needs_real_data
def test_real_pictures(capsys: Captured) -> None:
    path = REAL / "images" / "cifar10_jpeg_subset"
    found = document(capsys, str(path), "--set", "data.size=32")

    assert found["samples"] == 2500
    assert found["findings"] == []
    assert found["parts"]["test"]["classes"]["frog"] == 50


@needs_real_data
def test_real_series(capsys: Captured) -> None:
    found = document(capsys, str(REAL / "series" / "airline.csv"))

    assert codes(found) == {"unseen-level": "warning"}
    again = document(capsys, str(REAL / "series" / "airline.csv"), "--set", "data.inputs=relative")
    assert codes(again) == {}


@needs_real_data
def test_real_idx_files(capsys: Captured) -> None:
    found = document(capsys, str(REAL / "fashion_mnist"), "--set", "data.limit=2000")

    assert (found["source"], found["input_shape"], found["samples"]) == ("idx", [28, 28, 1], 2000)
