"""`nncli predict` as a user runs it: real runs, real samples, real pictures."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nncli import runs
from nncli.cli import main
from nncli.trained.model import open_run
from tests.data.made import write_csv, write_npz
from tests.documents.read import document_of
from tests.tiny import tiny_run


def predict(folder: Path, *more: str) -> int:
    return main(["predict", str(folder), "--device", "cpu", *more])


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def own_test_part(folder: Path) -> Any:
    from nncli import data

    config = open_run(folder).config
    return data.load(config.data, config.seed).test


@pytest.fixture
def cnn(here: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run("cnn", here, tmp_path_factory)


@pytest.fixture
def series(here: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run("series", here, tmp_path_factory)


@pytest.mark.parametrize("name", ["cnn", "lstm", "transfer"])
def test_the_own_test_part_gives_the_answers_of_the_training_to_the_bit(
    name: str, here: Path, tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tiny_run(name, here, tmp_path_factory)
    test = own_test_part(folder)
    write_npz(here / "x.npz", x=np.asarray(test.x), y=test.y)
    capsys.readouterr()
    assert predict(folder, "x.npz", "--format", "csv") == 0
    rows = read_csv(capsys.readouterr().out)
    then = runs.load(folder).predictions
    assert then is not None
    now = np.array([[float(row[f"p_{c}"]) for c in then.classes] for row in rows], np.float32)
    assert np.array_equal(now, then.probabilities)
    assert [row["class"] for row in rows] == [then.classes[i] for i in then.predicted]
    assert [row["name"] for row in rows] == [f"x.npz[{i}]" for i in range(len(test))]


def write_photos(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    for i in range(count):
        Image.fromarray(np.full((9, 9), 30 * i, np.uint8)).save(folder / f"{i}.png")
    return folder


def test_a_table_for_people(cnn: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_photos(here / "photos")
    capsys.readouterr()
    assert predict(cnn, "photos") == 0
    heading, rule, *rows, end = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "class", "probability", "next"]
    assert set(rule) == {"─"}
    assert [row.split()[0] for row in rows] == [f"photos/{i}.png" for i in range(3)]
    assert all(len(row.split()) == 5 for row in rows)
    assert end.startswith("3 answered: ")
    assert predict(cnn, "photos", "--top", "1") == 0
    assert "next" not in capsys.readouterr().out


def test_what_cannot_be_read_is_reported_and_the_others_are_answered(
    cnn: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(here / "photos")
    (here / "photos" / "1b.png").write_bytes(b"no picture")
    capsys.readouterr()
    assert predict(cnn, "photos", "lost.png", "photos/2.png", "--format", "jsonl") == 3
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert all(line["schema_version"] == 1 for line in lines)
    assert [line["name"] for line in lines if "class" in line] == [
        *(f"photos/{i}.png" for i in range(3)),
        "photos/2.png",
    ]
    assert {line["name"]: line["error"] for line in lines if "error" in line} == {
        "photos/1b.png": "not a picture",
        "lost.png": "no such file or directory",
    }
    assert err.splitlines() == [
        "warning: photos/1b.png: not a picture",
        "warning: lost.png: no such file or directory",
        "error: 2 cannot be read; 4 answered",
    ]
    assert predict(cnn, "photos", "--strict", "--format", "csv") == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: photos/1b.png: not a picture\nhelp: without --strict")


def test_one_document(cnn: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_photos(here / "photos", 2)
    (here / "photos" / "3.png").write_bytes(b"")
    capsys.readouterr()
    assert predict(cnn, "photos", "--json") == 3
    document = document_of(capsys.readouterr().out, "predict")
    assert document["document"] == "predict"
    assert len(document["classes"]) == 10
    first = document["predictions"][0]
    assert first["name"] == "photos/0.png"
    assert max(first["probabilities"].values()) == first["probability"]
    assert first["probabilities"][first["class"]] == first["probability"]
    assert document["unreadable"] == [{"name": "photos/3.png", "reason": "not a picture"}]
    assert predict(cnn, "photos", "--json", "--format", "csv") == 2
    message = json.loads(capsys.readouterr().out)["error"]["message"]
    assert message == "--json is one document, --format csv another form of it"


def test_a_sheet_of_answers(cnn: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_photos(here / "photos")
    capsys.readouterr()
    assert predict(cnn, "photos", "--plot", "sheet.svg", "--json") == 0
    assert json.loads(capsys.readouterr().out)["files"] == ["sheet.svg"]
    assert "</svg>" in (here / "sheet.svg").read_text(encoding="utf-8")


def test_rows_on_standard_input(
    cnn: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = b"\n".join(b",".join([b"%d" % i] * 784) for i in range(3))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(rows)))
    capsys.readouterr()
    assert predict(cnn, "-", "--format", "csv") == 0
    names = [row["name"] for row in read_csv(capsys.readouterr().out)]
    assert names == [f"standard input:{line}" for line in (1, 2, 3)]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["photos/1b.png"], 3, "error: photos/1b.png: not a picture\n"),
        (["lost.npy"], 3, "error: lost.npy does not exist\n"),
        ([], 2, "no input is named"),
        (["a.ts"], 2, "a.ts is a .ts file, but this run takes pictures"),
        (["photos", "--steps", "3"], 2, "--steps is for forecasts, but cnn classifies"),
        (["photos", "--top", "0"], 2, "--top 0 shows nothing"),
        (["photos", "--plot", "a.gif"], 2, "a picture is written as PNG, SVG or PDF"),
        (["photos", "--threads", "many"], 2, "'many' is not a whole number"),
    ],
)
def test_what_is_refused_loads_no_tensorflow(
    arguments: list[str], code: int, said: str, cnn: Path, here: Path
) -> None:
    write_photos(here / "photos")
    (here / "photos" / "1b.png").write_bytes(b"no picture")
    script = (
        "import sys; from nncli.cli import main; code = main(sys.argv[1:]);"
        "assert not {'tensorflow', 'keras'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "predict", str(cnn), *arguments],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert done.stdout == ""


@pytest.fixture
def process(cnn: Path) -> Any:
    """A process that has answered one row, and waits for the next."""
    started = subprocess.Popen(
        [sys.executable, "-m", "nncli", "predict", str(cnn), "-", "--format", "csv"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )  # fmt: skip
    assert started.stdin is not None
    assert started.stdout is not None
    started.stdin.write(b",".join([b"7"] * 784) + b"\n")
    started.stdin.flush()
    assert started.stdout.readline().startswith(b"name,class,")
    assert started.stdout.readline().startswith(b"standard input:1,")
    yield started
    started.kill()
    started.communicate()


def test_ctrl_c_keeps_what_is_answered(process: Any) -> None:
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert process.stderr.read() == b"interrupted\n"


def test_a_reader_that_leaves_ends_it_quietly(process: Any) -> None:
    process.stdout.close()
    row = b",".join([b"7"] * 784) + b"\n"
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            process.stdin.write(row)
            process.stdin.flush()
        except BrokenPipeError:
            break
        time.sleep(0.05)
    assert process.wait(30) == 141
    assert process.stderr.read() == b""


def test_a_series_goes_on(series: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert predict(series, "--steps", "4", "--format", "csv") == 0
    rows = read_csv(capsys.readouterr().out)
    assert [row["date"] for row in rows] == ["1907-07", "1907-08", "1907-09", "1907-10"]
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    # what it says of a value that is known is what it said in training
    stored = runs.load(series).forecast
    assert stored is not None
    lines = (here / "sold.csv").write_text
    whole = Path(runs.read_config(series)["data"]["path"]).read_text().splitlines()
    lines("\n".join(whole[:-1]))
    assert predict(series, "sold.csv", "--steps", "1", "--json") == 0
    document = document_of(capsys.readouterr().out, "predict")
    assert document["forecast"][0]["date"] == stored.labels[-1]
    assert document["forecast"][0]["value"] == pytest.approx(stored.one_step[-1], rel=1e-5)
    assert [each["value"] for each in document["seen"]] == stored.truth[-7:-1].tolist()
    error = np.abs(stored.one_step - stored.truth).mean()
    assert document["forecast"][0]["test_error"] == pytest.approx(error)


def test_free_running_is_that_of_the_training(
    series: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = runs.load(series).forecast
    assert stored is not None
    whole = Path(runs.read_config(series)["data"]["path"]).read_text().splitlines()
    (here / "before.csv").write_text("\n".join(whole[: -len(stored.truth)]))
    capsys.readouterr()
    steps = len(stored.free_running)
    assert predict(series, "before.csv", "--steps", str(steps), "--format", "jsonl") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["value"] for line in lines] == pytest.approx(stored.free_running, rel=1e-5)
    assert tuple(line["date"] for line in lines) == stored.labels[:steps]


def test_the_errors_beside_a_forecast_are_those_by_horizon(
    series: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["evaluate", str(series), "--device", "cpu", "--no-save", "--json"]) == 0
    horizons = json.loads(capsys.readouterr().out)["test"]["horizons"]
    assert predict(series, "--steps", "20", "--json") == 0
    steps = json.loads(capsys.readouterr().out)["forecast"]
    told = [step["test_error"] for step in steps if step["test_error"] is not None]
    assert told == pytest.approx([each["mean_absolute_error"] for each in horizons.values()])
    assert 1 < len(told) < 20


def test_the_table_of_a_forecast_and_its_picture(
    series: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert predict(series, "--plot", "ahead.png", "--theme", "dark") == 0
    out = capsys.readouterr().out
    assert out.startswith("Sold: 6 steps after 1907-06, where it is ")
    assert "± on the test part" in out
    assert "saved ahead.png" in out
    assert (here / "ahead.png").read_bytes().startswith(b"\x89PNG")


def test_the_lessons_sine_goes_on(
    here: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny_run("rnn", here, tmp_path_factory)
    capsys.readouterr()
    assert predict(folder, "--format", "jsonl") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 20
    assert {line["date"] for line in lines} == {None}
    assert np.isfinite([line["value"] for line in lines]).all()
    write_csv(here / "short.csv", rows=19)
    assert predict(folder, "short.csv") == 3
    assert "short.csv has 19 value(s), but the model sees 20" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["a.csv", "b.csv"], 2, "a forecast goes on from one series"),
        (["a.png"], 2, "a.png is a picture, but this run takes CSV"),
        (["--top", "2"], 2, "--top is for classes, but series forecasts"),
        (["--steps", "0"], 2, "from 1 to 1,000"),
        (["--steps", "1001"], 2, "from 1 to 1,000"),
        (["lost.csv"], 3, "lost.csv does not exist"),
        (["words.csv"], 3, "words.csv has no column of numbers"),
    ],
)
def test_what_is_no_series_is_refused(
    arguments: list[str], code: int, said: str, series: Path, here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (here / "words.csv").write_text("a,b\nx,y\nz,v\n")
    capsys.readouterr()
    assert predict(series, *arguments) == code
    assert said in capsys.readouterr().err


def test_with_other_columns_it_goes_one_step(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{i},{50 + 30 * np.sin(i / 5):.3f},{i % 7}" for i in range(90)]
    (here / "two.csv").write_text("Day,Sold,Price\n" + "\n".join(lines) + "\n")
    assert (
        main(
            ["train", "rnn", "--data", "two.csv", "--epochs", "1", "--device", "cpu",
             "--set", "data.column=Sold", "--set", "data.input_columns=[Price]",
             "--set", "data.window=6", "--set", "model.units=[4]",
             "--no-pictures", "--name", "two", "--quiet"]
        )
        == 0
    )  # fmt: skip
    folder = here / "outputs" / "rnn" / "two"
    stored = runs.load(folder).forecast
    assert stored is not None
    capsys.readouterr()
    assert predict(folder, "--json") == 0
    (step,) = json.loads(capsys.readouterr().out)["forecast"]
    assert step["step"] == 1
    assert predict(folder, "--steps", "2") == 2
    assert "it can go 1 step ahead, not 2" in capsys.readouterr().err
    (here / "before.csv").write_text("Price,Sold\n" + "\n".join(
        f"{line.split(',')[2]},{line.split(',')[1]}" for line in lines[:-1]
    ))  # fmt: skip
    assert predict(folder, "before.csv", "--json") == 0
    (step,) = json.loads(capsys.readouterr().out)["forecast"]
    assert step["value"] == pytest.approx(stored.one_step[-1], rel=1e-5)
