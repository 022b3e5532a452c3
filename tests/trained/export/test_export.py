"""Every kind of model in every format, asked in the runtime that the format is for."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import backend
from nncli.errors import DataError, ExportError, UsageError
from nncli.results import StoredRun
from nncli.trained.export import FORMATS, check_free, check_installed, export, place
from nncli.trained.export.saved_model import EXTRA
from nncli.trained.export.whole import PADDING
from nncli.trained.model import OpenedRun

Opened = Callable[[str], OpenedRun]
CLOSE = 1e-5
"""What formats may be away from Keras here; a tenth of what a user is promised."""


@pytest.mark.parametrize(
    ("kind", "format"),
    [
        ("transfer", "keras"),
        ("cnn", "saved-model"),
        ("rnn", "tflite"),
        ("lstm", "tflite"),
        ("cnn", "onnx"),
        ("rnn", "onnx"),
        ("lstm", "onnx"),
    ],
)
def test_a_model_answers_elsewhere_as_in_keras(
    kind: str, format: str, opened_run: Opened, tmp_path: Path
) -> None:
    row = FORMATS[format]
    for module in row.modules:
        pytest.importorskip(module)
    path = tmp_path / f"mine{row.ending}"
    made = export(opened_run(kind), row, path, CLOSE)
    assert made.difference <= CLOSE
    assert made.samples_of == "of the test part"
    assert made.samples > 5
    assert made.notes == ()
    assert made.beside == (path.with_name(f"{path.name}.json"),)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        [path.name, made.beside[0].name]
    )
    card = json.loads(made.beside[0].read_text(encoding="utf-8"))
    assert card["check"]["largest_difference"] == made.difference
    assert card["classes"] == list(opened_run(kind).learned.classes)
    assert card["input"]["padding"] == (PADDING if kind == "lstm" else None)
    assert card["input"]["columns"] == (["sold", "price"] if kind == "rnn" else [])
    check_labels(format, path, card)


def check_labels(format: str, path: Path, card: dict[str, Any]) -> None:
    """The labels are in the file too, where the format has room for them."""
    labels = "".join(f"{name}\n" for name in card["classes"])
    if format == "onnx":
        import onnx

        model = onnx.load(path)
        told = {entry.key: entry.value for entry in model.metadata_props}
        assert json.loads(told["classes"]) == card["classes"]
        assert told["run"] == card["run"]
        assert [each.name for each in model.graph.input] == [card["input"]["name"]]
        assert [each.name for each in model.graph.output] == [card["output"]["name"]]
    elif format == "tflite":
        with zipfile.ZipFile(path) as packed:
            assert json.loads(packed.read("nncli.json"))["run"] == card["run"]
            if labels:
                assert packed.read("labels.txt").decode() == labels
    elif format == "saved-model":
        assert json.loads((path / EXTRA / "nncli.json").read_text())["run"] == card["run"]


ALONE = """
import sys
import keras, numpy as np
assert not [name for name in sys.modules if name.startswith("nncli")]
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""


def test_a_keras_file_needs_keras_alone(opened_run: Opened, tmp_path: Path) -> None:
    from nncli.trained.export.samples import expected
    from nncli.trained.export.whole import fed

    run = opened_run("lstm")
    export(run, FORMATS["keras"], tmp_path / "mine.keras", CLOSE)
    x = np.full((3, *run.learned.input_shape), np.nan, dtype=np.float32)
    x[:, :6] = np.random.default_rng(6).normal(100, 3, x[:, :6].shape)
    np.save(tmp_path / "x.npy", fed(x))
    names = [str(tmp_path / name) for name in ("mine.keras", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", ALONE, *names], check=True, cwd=tmp_path, timeout=120)
    wanted = expected(run, run.load_model(), x)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), wanted, atol=CLOSE)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda y: y + 0.01, "by up to 0.01 on"),
        (lambda y: y * np.nan, "by up to inf on"),
        (lambda y: y[:-1], "by up to inf on"),
    ],
    ids=["far", "no number", "one less"],
)
def test_one_that_answers_otherwise_is_not_there(
    wrong: Callable[[Any], Any], said: str, opened_run: Opened, tmp_path: Path
) -> None:
    keras = FORMATS["keras"]
    row = replace(keras, answers=lambda *given: wrong(keras.answers(*given)))
    path = tmp_path / "mine.keras"
    path.write_text("the one before", encoding="utf-8")
    with pytest.raises(ExportError, match=said):
        export(opened_run("cnn"), row, path, 1e-4)
    assert [each.name for each in tmp_path.iterdir()] == ["mine.keras"]
    assert path.read_text(encoding="utf-8") == "the one before"
    assert export(opened_run("cnn"), keras, path, 1e-4).size > 1000
    assert path.read_bytes().startswith(b"PK")


def test_what_a_converter_says_is_an_error_of_one_line(
    opened_run: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        sys.stdout.write("so much to tell")
        raise RuntimeError("no such operation\nand a page of it")

    for part, said in (("write", "cannot be written for Keras"), ("answers", "does not take")):
        row = replace(FORMATS["keras"], **{part: fail})  # type: ignore[arg-type]
        with pytest.raises(ExportError, match=said) as caught:
            export(opened_run("cnn"), row, tmp_path / "mine.keras", 1e-4)
        assert caught.value.message.endswith("no such operation")
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_without_its_data_it_is_asked_made_up_samples(
    opened_run: Opened, data_files: dict[str, Path], tmp_path: Path
) -> None:
    run, file = opened_run("rnn"), data_files["rnn"]
    hidden = file.rename(tmp_path / "elsewhere.csv")
    try:
        made = export(run, FORMATS["keras"], tmp_path / "mine.keras", CLOSE)
        with pytest.raises(DataError, match="needs the samples"):
            export(run, FORMATS["code"], tmp_path / "mine.py", CLOSE)
    finally:
        hidden.rename(file)
    assert made.samples_of.startswith("made up (")
    assert str(file) in made.samples_of
    assert made.notes == ("the run's own samples could not be compared on",)
    assert not (tmp_path / "mine.py").exists()


def test_data_that_has_changed_is_not_compared_on(
    opened_run: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from nncli import data
    from tests.made import images

    run = opened_run("cnn")
    monkeypatch.setattr(data, "load", lambda *_: images())
    made = export(run, FORMATS["keras"], tmp_path / "mine.keras", CLOSE)
    assert "the data has changed" in made.samples_of


def test_precision_and_an_interruption_are_told(opened_run: Opened, tmp_path: Path) -> None:
    run = opened_run("cnn")
    training = run.config.training.model_copy(update={"precision": "mixed_float16"})
    config = run.config.model_copy(update={"training": training})
    stored: StoredRun = replace(run.stored, run={**run.stored.run, "status": "interrupted"})
    changed = replace(run, config=config, stored=stored)
    notes = export(changed, FORMATS["keras"], tmp_path / "mine.keras", CLOSE).notes
    assert [note.split(":")[0].split(";")[0] for note in notes] == [
        "it was trained in mixed_float16",
        "its training was interrupted",
    ]


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nncli.trained.export.find_spec", lambda name: name == "onnx" or None)
    with pytest.raises(UsageError, match="not installed: onnxruntime, tf2onnx") as caught:
        check_installed(FORMATS["onnx"])
    assert caught.value.hint == "pip install 'nncli[onnx]'"
    for name in set(FORMATS) - {"onnx"}:
        check_installed(FORMATS[name])


def test_the_name_is_that_of_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "cnn" / "mine"
    names = {name: place(row, folder, None).name for name, row in FORMATS.items()}
    assert names == {
        "keras": "mine.keras",
        "saved-model": "mine-saved-model",
        "onnx": "mine.onnx",
        "tflite": "mine.tflite",
        "code": "mine-keras.py",
    }
    assert place(FORMATS["onnx"], folder, tmp_path) == tmp_path / "mine.onnx"
    assert place(FORMATS["onnx"], folder, tmp_path / "a.onnx") == tmp_path / "a.onnx"
    for format, given, wanted in (
        ("onnx", "a.keras", "a.onnx"),
        ("code", "a", "a.py"),
        ("code", "csv.py", "csv-keras.py"),
    ):
        with pytest.raises(UsageError) as caught:
            place(FORMATS[format], folder, tmp_path / given)
        assert caught.value.hint == f"--output {tmp_path / wanted}"


def test_what_is_there_stays_unless_forced(tmp_path: Path) -> None:
    onnx, folder, script = (FORMATS[name] for name in ("onnx", "saved-model", "code"))
    check_free(onnx, tmp_path / "a.onnx", force=False)
    (tmp_path / "a.onnx.json").touch()
    (tmp_path / "b.npz").touch()
    for row, name in ((onnx, "a.onnx"), (script, "b.py")):
        with pytest.raises(UsageError, match="already there"):
            check_free(row, tmp_path / name, force=False)
        check_free(row, tmp_path / name, force=True)
    (tmp_path / "photos").mkdir()
    check_free(folder, tmp_path / "photos", force=True)
    (tmp_path / "photos" / "one.jpg").touch()
    for taken in ("photos", "b.npz"):
        with pytest.raises(UsageError, match="not a SavedModel"):
            check_free(folder, tmp_path / taken, force=True)
    with pytest.raises(UsageError, match="is a folder"):
        check_free(onnx, tmp_path / "photos", force=True)
    (tmp_path / "photos" / "saved_model.pb").touch()
    check_free(folder, tmp_path / "photos", force=True)


def test_nncli_s_own_operation_does_not_travel(opened_run: Opened) -> None:
    run = opened_run("lstm")
    plain, fused = run.load_model(plain=True), run.load_model()
    x = np.random.default_rng(7).normal(size=(4, *run.learned.input_shape)).astype(np.float32)
    function = backend.tensorflow().function(lambda given: plain(given, training=False))
    graph = function.get_concrete_function(x).graph.as_graph_def()
    assert "BlockLSTM" not in str(graph)
    np.testing.assert_allclose(plain.predict(x, verbose=0), fused.predict(x, verbose=0), atol=CLOSE)
