"""`nncli train` as a user runs it: real commands, real folders, real pictures."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml

from nncli import backend, runs
from nncli.cli import main
from tests.documents.read import document_of
from tests.tiny import OPTIONS, tiny_run

TINY = {kind: OPTIONS[kind][1:] for kind in ("rnn", "lstm", "cnn", "transfer")}
FIGURES = {
    "rnn": {"curves.png", "architecture.png", "forecast.png"},
    "lstm": {"curves.png", "architecture.png", "confusion.png", "predictions.png"},
    "cnn": {"curves.png", "architecture.png", "confusion.png", "predictions.png"},
    "transfer": {"curves.png", "architecture.png", "confusion.png", "predictions.png"},
}
NUMBERS = {
    "config.yaml", "run.json", "data.json", "history.csv", "metrics.json", "layers.json",
    "summary.txt", "model.keras",
}  # fmt: skip


def train(kind: str, root: Path, *more: str, pictures: bool = False) -> int:
    drawn = "--pictures" if pictures else "--no-pictures"
    return main(["train", kind, "--output", str(root), "--device", "cpu", drawn, *more])


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny run of every kind, and `again`: one of its config, with pictures."""
    root = tmp_path_factory.mktemp("outputs")
    for kind in TINY:
        config = tiny_run(kind, root, tmp_path_factory) / "config.yaml"
        again = ["--config", str(config), "--name", "again", "--json"]
        with redirect_stdout(io.StringIO()) as out:
            assert train(kind, root, *again, pictures=True) == 0
        (root / kind / "said.json").write_text(out.getvalue(), encoding="utf-8")
    return root


@pytest.mark.parametrize("kind", list(TINY))
def test_a_run_leaves_everything(kind: str, outputs: Path) -> None:
    folder = outputs / kind / "again"
    names = {path.name for path in folder.iterdir()}
    data = {"forecast.npz" if kind == "rnn" else "predictions.npz"}
    assert names == NUMBERS | FIGURES[kind] | data | {"report.html", "checkpoints"}
    for picture in FIGURES[kind]:
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    record = read(folder / "run.json")
    assert record["status"] == "finished"
    assert set(record["versions"]) == {"nncli", "python", "tensorflow", "keras", "numpy"}
    assert len(record["data"]["fingerprint"]) == 64
    assert record["device"]["name"] == "CPU"
    assert record["seed"] == 42
    metrics = read(folder / "metrics.json")
    assert metrics["test"]["samples"] > 0
    assert 1 <= metrics["best_epoch"] <= metrics["epochs"]
    stored = runs.load(folder)
    assert len(stored.task_history) == metrics["epochs"]
    assert "Total params" in (folder / "summary.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", list(TINY))
def test_the_saved_config_repeats_the_run_to_the_bit(kind: str, outputs: Path) -> None:
    folder, again = (outputs / kind / name for name in (kind, "again"))
    assert (again / "metrics.json").read_bytes() == (folder / "metrics.json").read_bytes()
    first, second = (runs.load(path).history for path in (folder, again))
    assert [record.metrics for record in first] == [record.metrics for record in second]


def test_runs_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "rnn" / "rnn-sine-001").mkdir(parents=True)
    assert train("rnn", tmp_path, "--epochs", "1", "--quiet") == 0
    assert (tmp_path / "rnn" / "rnn-sine-002" / "metrics.json").exists()


def test_a_taken_name_is_refused(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (outputs / "cnn" / "again" / "run.json").read_bytes()
    assert train("cnn", outputs, *TINY["cnn"], "--name", "again") == 4
    assert "there is a run" in capsys.readouterr().err
    assert (outputs / "cnn" / "again" / "run.json").read_bytes() == before


@pytest.mark.parametrize("kind", list(TINY))
def test_json_is_one_document(kind: str, outputs: Path) -> None:
    said = (outputs / kind / "said.json").read_text(encoding="utf-8")
    document = document_of(said, "train")
    assert document["metrics"] == read(Path(document["run"]) / "metrics.json")
    assert document["metrics"]["kind"] == kind
    assert document["figures"] == sorted(FIGURES[kind])
    assert isinstance(document["advice"], list)


def test_what_is_required_decides_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    junit = tmp_path / "junit.xml"
    wanted = ["--require", "train.loss < 10", "--require", "epochs >= 5", "--junit", str(junit)]
    capsys.readouterr()
    assert train("rnn", tmp_path, "--epochs", "1", *wanted) == 5
    said = capsys.readouterr()
    assert "✓ required train.loss < 10: it is " in said.out
    assert "✗ required epochs >= 5: it is 1" in said.out
    assert "error: not reached: epochs >= 5: it is 1" in " ".join(said.err.split())
    assert 'failures="1"' in junit.read_text()
    folder = tmp_path / "rnn" / "rnn-sine-001"
    record = read(folder / "run.json")
    assert record["status"] == "finished"
    assert [each["met"] for each in record["requirements"]] == [True, False]
    assert train("rnn", tmp_path, "--epochs", "1", *wanted, "--json") == 5
    document = json.loads(capsys.readouterr().out)
    assert [each["met"] for each in document["requirements"]] == [True, False]
    assert train("rnn", tmp_path, "--epochs", "1", *wanted[:2]) == 0


def test_a_figure_that_will_not_be_there_is_refused_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("rnn", tmp_path, "--require", "test.accuracy > 0.9") == 2
    assert "which this run will not have" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", list(TINY))
def test_the_figures_to_come_are_those_that_come(kind: str, outputs: Path) -> None:
    """Or a requirement would be refused that could be met."""
    from nncli import data
    from nncli.config import load
    from nncli.requirements import figures_of
    from nncli.schema import SCHEMAS
    from nncli.training.measure import figures_to_come

    folder = outputs / kind / "again"
    loaded = load(SCHEMAS, kind, str(folder / "config.yaml"), [])
    dataset = data.load(loaded.config.data, 42)
    foreseen = figures_to_come(dataset, getattr(loaded.config.model, "compare", ()))
    assert set(foreseen) == set(figures_of(read(folder / "metrics.json")))


def test_quiet_prints_the_result_alone(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert train("rnn", outputs, "--epochs", "2", "--quiet") == 0
    said = capsys.readouterr()
    assert "test error" in said.out
    assert "epoch 1/" not in said.out
    assert "model.keras" not in said.out
    assert said.err == ""


def test_dry_run_trains_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert train("cnn", tmp_path, "--dry-run", "--epochs", "7") == 0
    said = capsys.readouterr().out
    assert "epochs: 7" in said
    assert "225034" in said
    assert list(tmp_path.iterdir()) == []
    shown = said[: said.index("nncli train cnn  ")]
    assert yaml.safe_load(shown)["model"]["filters"] == [32, 64]


def test_precedence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Default < config file < --set < named options."""
    config = tmp_path / "my.yaml"
    config.write_text("training:\n  epochs: 5\n  batch_size: 5\n  learning_rate: 0.5\n")

    def resolved(*options: str) -> dict[str, Any]:
        capsys.readouterr()
        assert train("cnn", tmp_path, "--dry-run", "--json", *options) == 0
        training = json.loads(capsys.readouterr().out)["config"]["training"]
        assert isinstance(training, dict)
        return training

    file = ["--config", str(config)]
    sets = ["--set", "training.epochs=6", "--set", "training.batch_size=6"]
    assert resolved()["epochs"] == 15
    assert [resolved(*file)[key] for key in ("epochs", "batch_size")] == [5, 5]
    assert [resolved(*file, *sets)[key] for key in ("epochs", "batch_size")] == [6, 6]
    last = resolved(*file, *sets, "--epochs", "7")
    assert (last["epochs"], last["batch_size"], last["learning_rate"]) == (7, 6, 0.5)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["train", "cnm"], 2, "did you mean 'cnn'?"),
        (["train", "cnn", "--config", "cnn-mnst"], 2, "did you mean 'cnn-mnist'?"),
        (["train", "cnn", "--set", "model.filtres=[3]"], 2, "did you mean 'filters'?"),
        (["train", "cnn", "--epochs", "0"], 2, "must be at least 1"),
        (["train", "cnn", "--device", "tpu"], 2, "write auto, cpu, gpu or gpu:N"),
        (["train", "cnn", "--name", "../x"], 2, "cannot be a run's name"),
        (["train", "rnn", "--set", "data.source=digits"], 2, "is not one of sine, csv"),
        (["train", "rnn", "--set", "data.source=csv"], 2, "data.path: missing"),
        (["train", "rnn", "-c", "rnn-series", "--set", "data.path=no.csv"], 3, "no.csv"),
        (["train", "lstm", "-c", "lstm-ts", "--set", "data.path=none"], 3, "none"),
        (
            ["train", "transfer", "-c", "transfer-mobilenet-folder", "--set", "data.path=no"],
            3,
            "no",
        ),
        (["train", "transfer", "--set", "model.base=vgg16"], 2, "did you mean 'VGG16'?"),
        (["train", "cnn", "--set", "model.filters=[8,8,8,8]"], 2, "use at most 3 model.filters"),
        (["train", "rnn", "--batch-size", "2"], 2, "larger than the training part, 1 sample"),
        (["train", "cnn", "--output", "/dev/null/x"], 4, "/dev/null"),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, list) else "",
)
def test_bad_input(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_run_that_fails_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nncli import training
    from nncli.errors import TrainingError

    def fail(*_: object) -> None:
        raise TrainingError("no more")

    monkeypatch.setattr(training, "fit", fail)
    assert train("rnn", tmp_path) == 1
    assert "no more" in capsys.readouterr().err
    record = read(tmp_path / "rnn" / "rnn-sine-001" / "run.json")
    assert (record["status"], record["error"]) == ("failed", "no more")


def test_a_picture_that_fails_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from nncli import plots

    def fail(*_: object) -> None:
        raise ValueError("no paint")

    monkeypatch.setattr("nncli.drawing._start", lambda: None)  # this process draws
    monkeypatch.setitem(plots.FIGURES, "curves", replace(plots.FIGURES["curves"], draw=fail))
    assert train("rnn", tmp_path, "--epochs", "1", pictures=True) == 0
    said = capsys.readouterr()
    assert "curves could not be drawn: ValueError: no paint" in said.err
    assert (tmp_path / "rnn" / "rnn-sine-001" / "forecast.png").exists()


@pytest.mark.parametrize("kind", list(TINY))
def test_without_pictures_the_numbers_are_all_there(kind: str, outputs: Path) -> None:
    names = {path.name for path in (outputs / kind / kind).iterdir()}
    data = "forecast.npz" if kind == "rnn" else "predictions.npz"
    assert names == NUMBERS | {data, "checkpoints"}


def test_a_report_that_fails_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no paper")

    monkeypatch.setattr("nncli.drawing._start", lambda: None)  # this process draws
    monkeypatch.setattr("nncli.page.render", fail)
    assert train("rnn", tmp_path, "--epochs", "1", pictures=True) == 0
    said = capsys.readouterr()
    assert "report could not be drawn: ValueError: no paper" in said.err
    assert "report.html" not in said.out


def test_the_profile_accounts_for_the_whole_run(
    outputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = read(outputs / "cnn" / "again" / "run.json")["profile"]
    parts = ["start", "data", "import", "build", "compile", "train", "validate", "test", "save"]
    assert list(profile) == [*parts, "draw", "print", "other"]
    assert all(seconds >= 0 for seconds in profile.values())
    assert profile["other"] < sum(profile.values()) / 10
    capsys.readouterr()
    assert train("rnn", tmp_path, "--epochs", "1", "--quiet", "--profile") == 0
    profile = read(tmp_path / "rnn" / "rnn-sine-001" / "run.json")["profile"]
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert set(profile) <= set(rows)
    assert "100.0%" in rows["whole"]


def test_mixed_precision_keeps_weights_and_answers_exact(tmp_path: Path) -> None:
    mixed = ["--set", "training.precision=mixed_bfloat16", "--name", "mixed"]
    assert train("cnn", tmp_path, *TINY["cnn"], *mixed) == 0
    folder = tmp_path / "cnn" / "mixed"
    assert read(folder / "run.json")["device"]["precision"] == "mixed_bfloat16"
    keras = backend.keras()
    keras.config.set_dtype_policy("float32")  # as for somebody who loads it elsewhere
    model = keras.models.load_model(folder / "model.keras")
    assert {layer.compute_dtype for layer in model.layers} == {"bfloat16", "float32"}
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.outputs[0].dtype == "float32"


def test_divergence_is_one_json_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    options = ["--learning-rate", "10", "--set", "training.optimizer=sgd", "--json"]
    assert train("rnn", tmp_path, *options) == 1
    error = document_of(capsys.readouterr().out, "train")["error"]
    assert "is not a finite number from step 1 on" in error["message"]
    folder = tmp_path / "rnn" / "rnn-sine-001"
    assert str(folder) in error["message"]
    assert read(folder / "run.json")["status"] == "failed"
    assert read(folder / "metrics.json")["stopped"] == "diverged"


def test_a_signal_while_saving_waits_until_all_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = runs.Run.save

    def interrupted(self: runs.Run, *arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        save(self, *arguments)

    monkeypatch.setattr(runs.Run, "save", interrupted)
    assert train("rnn", tmp_path, "--epochs", "2", "--quiet") == 143
    stored = runs.load(tmp_path / "rnn" / "rnn-sine-001")
    assert stored.run["status"] == "finished"
    assert (tmp_path / "rnn" / "rnn-sine-001" / "model.keras").exists()


# what the lesson promises, at full length


@pytest.mark.slow
def test_the_lessons_rnn_learns_its_sine(tmp_path: Path) -> None:
    assert train("rnn", tmp_path, "--quiet") == 0
    stored = runs.load(tmp_path / "rnn" / "rnn-sine-001")
    assert len(stored.history) == 100
    assert stored.history[-1].metrics["loss"] < 0.01
    test = stored.metrics["test"]
    assert test["mean_absolute_error"] < test["persistence_mean_absolute_error"] / 2


@pytest.mark.slow
def test_the_cnn_reads_98_percent_of_the_digits(tmp_path: Path) -> None:
    assert train("cnn", tmp_path, "--quiet") == 0
    assert runs.load(tmp_path / "cnn" / "cnn-digits-001").metrics["test"]["accuracy"] >= 0.98


@pytest.mark.slow
def test_transfer_beats_the_same_network_from_scratch(tmp_path: Path) -> None:
    assert train("transfer", tmp_path, "--quiet") == 0
    metrics = runs.load(tmp_path / "transfer" / "transfer-digits-001").metrics
    (scratch,) = metrics["baselines"]
    assert scratch["name"] == "scratch"
    assert metrics["test"]["accuracy"] > scratch["metrics"]["accuracy"] + 0.05


@pytest.mark.slow
def test_the_lstm_tells_the_waves_apart(tmp_path: Path) -> None:
    assert train("lstm", tmp_path, "--quiet") == 0
    assert runs.load(tmp_path / "lstm" / "lstm-waves-001").metrics["test"]["accuracy"] >= 0.93


@pytest.mark.slow
def test_a_real_series_beats_repeating_the_last_value(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "series" / "monthly-sunspots.csv"
    options = ["--config", "rnn-series", "--set", f"data.path={path}", "--quiet"]
    assert train("rnn", tmp_path, *options) == 0
    test = runs.load(tmp_path / "rnn" / "rnn-csv-001").metrics["test"]
    assert test["mean_absolute_error"] < test["persistence_mean_absolute_error"]


@pytest.mark.slow
def test_real_sequences_are_told_apart(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "sequences" / "BasicMotions"
    options = ["--config", "lstm-ts", "--set", f"data.path={path}", "--quiet"]
    assert train("lstm", tmp_path, *options) == 0
    assert runs.load(tmp_path / "lstm" / "lstm-ts-001").metrics["test"]["accuracy"] >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "place", "more"),
    [
        ("lstm", "sequences/JapaneseVowels", []),
        ("rnn", "sequences/GunPoint", []),
        ("cnn", "images/cifar10_jpeg_subset", ["--set", "data.size=32", "--set", "data.limit=500"]),
        ("lstm", "series/airline.csv", []),
    ],
)
def test_real_data_trains_by_its_path_alone(
    kind: str, place: str, more: list[str], real_data: Path, tmp_path: Path
) -> None:
    options = ["--data", str(real_data / place), "--epochs", "2", *more, "--quiet"]
    assert train(kind, tmp_path, *options) == 0
    (run,) = (tmp_path / kind).iterdir()
    first, last = (record.metrics["loss"] for record in runs.load(run).history)
    assert last < first


@pytest.mark.slow
def test_real_pretrained_weights_beat_random_ones(real_data: Path, tmp_path: Path) -> None:
    options = [
        "--config", "transfer-mobilenet-folder", "--epochs", "3", "--quiet",
        "--set", f"data.path={real_data / 'images' / 'cifar10_jpeg_subset'}",
        "--set", "data.limit=700",
        "--set", f"model.weights={real_data / 'weights/mobilenetv2_035_224_notop.weights.h5'}",
    ]  # fmt: skip
    assert train("transfer", tmp_path, *options) == 0
    metrics = runs.load(tmp_path / "transfer" / "transfer-folder-001").metrics
    assert metrics["test"]["accuracy"] > metrics["baselines"][0]["metrics"]["accuracy"] + 0.25


@pytest.mark.slow
def test_fashion_mnist_from_a_keras_cache(real_data: Path, tmp_path: Path) -> None:
    """In a process of its own: Keras reads KERAS_HOME when it is imported."""
    cache = tmp_path / "keras" / "datasets"
    cache.mkdir(parents=True)
    (cache / "fashion-mnist").symlink_to(real_data / "fashion_mnist")
    command = [
        sys.executable, "-m", "nncli", "train", "cnn", "--config", "cnn-fashion-mnist",
        "--epochs", "3", "--set", "data.limit=2000", "--output", str(tmp_path), "--quiet",
        "--no-pictures",
    ]  # fmt: skip
    environment = {**os.environ, "KERAS_HOME": str(tmp_path / "keras")}
    subprocess.run(command, check=True, env=environment, timeout=300)
    stored = runs.load(tmp_path / "cnn" / "cnn-fashion-mnist-001")
    assert stored.metrics["test"]["accuracy"] > 0.65
