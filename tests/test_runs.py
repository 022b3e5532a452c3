from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import runs
from nncli.errors import DiskError, ExitCode, Interrupted, RunError, UsageError
from nncli.files import write_text
from nncli.results import Baseline, EpochRecord, Forecast, LayerRow, Predictions, Result

NAN = float("nan")
AWKWARD = (0.1 + 0.2, 5e-324, 1.7976931348623157e307, 1 / 3, -0.0, 1e-7, 123456789.123456789)

LAYERS = (
    LayerRow("input", "Input", "", (None, 2), 0, 0, "input", frozen=False),
    LayerRow(
        *("base [/x]", "VGG16", "19 layers inside", (2, 2, 512), 9, 0, "base", True, 19),
        inputs=("input",),
        inside=(
            LayerRow("input_1", "InputLayer", "", (None, 2), 0, 0, "input", frozen=False),
            LayerRow(
                *("add", "Add", "", (2, 2, 512), 0, 0, "other", False),
                inputs=("input_1", "input_1"),
            ),
        ),
    ),
    LayerRow(
        *("dense", "Dense", "10 units · relu · used 2 times", (10,), 30, 30, "dense", False),
        inputs=("base [/x]", "input"),
        calls=2,
    ),
)


def history(*, nan: bool = False) -> tuple[EpochRecord, ...]:
    """Two phases whose metrics differ, with numbers that do not like to be rounded."""
    head = tuple(
        EpochRecord("head", epoch, {"loss": value, "val_loss": 1 / value}, value, value, True)
        for epoch, value in enumerate((a for a in AWKWARD if abs(a) > 1e-300 and abs(a) < 1e9), 1)
    )
    fine = tuple(
        EpochRecord(
            "fine_tune", len(head) + n, {"loss": value, "accuracy": 0.1 * n}, 1e-5, 0.25, False
        )
        for n, value in enumerate((*AWKWARD, NAN if nan else 0.5, float("inf")), 1)
    )
    return head + fine


def classified(**changes: Any) -> Result:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), 20).astype(np.float32)
    predictions = Predictions(
        truth=rng.integers(0, 3, 20),
        probabilities=probabilities,
        classes=("red", "[/x]", "gr\u00fcn"),
        shown=np.arange(4),
        inputs=rng.integers(0, 255, (4, 8, 8, 1)).astype(np.uint8),
    )
    baseline = Baseline("scratch", "from scratch", {"loss": 1.5, "accuracy": 0.25}, 3, 1.5)
    result = Result(
        kind="transfer",
        task="classification",
        monitor="val_loss",
        history=history(),
        best_epoch=1,
        stopped="finished",
        test={"samples": 20, "accuracy": 0.1 + 0.2, "confusion": [[1, 2], [3, 4]]},
        layers=LAYERS,
        predictions=predictions,
        baselines=(baseline,),
        seconds={"train": 1.23456789},
    )
    return dataclasses.replace(result, **changes)


def forecasted(**changes: Any) -> Result:
    values = np.array([*AWKWARD])
    series = Forecast(
        seen=values[:3],
        truth=values,
        one_step=values / 3,
        free_running=values[:5] / 7,
        persistence=values * 2,
        name="sin(t)",
        labels=tuple(f"2020-01-{day:02}" for day in range(1, 8)),
    )
    result = classified(
        kind="rnn", task="forecast", predictions=None, baselines=(), forecast=series
    )
    return dataclasses.replace(result, **changes)


def create(root: Path, name: str | None = None, **record: Any) -> runs.Run:
    return runs.create(root, "cnn", "cnn-digits", name, {"status": "running", **record})


def write_model(path: Path) -> None:
    path.write_bytes(b"model")


def saved(root: Path, result: Result) -> Path:
    with create(root) as run:
        (run.folder / "config.yaml").write_text("kind: cnn\nseed: 42\n", encoding="utf-8")
        (run.folder / "data.json").write_text('{"classes": []}\n', encoding="utf-8")
        run.save(result, "summary\n", write_model)
        run.finish(result, {})
    return run.folder


def equal(a: Any, b: Any) -> bool:
    """Equal to the last bit, NaN to NaN, type for type."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if dataclasses.is_dataclass(a) and not isinstance(a, type):
        names = [field.name for field in dataclasses.fields(a)]
        return type(a) is type(b) and all(equal(getattr(a, n), getattr(b, n)) for n in names)
    if isinstance(a, float):
        same = a == b and math.copysign(1, a) == math.copysign(1, b)
        return isinstance(b, float) and (same or (math.isnan(a) and math.isnan(b)))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)


def status(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))["status"]


def test_eight_processes_at_the_same_instant_get_eight_folders(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time\n"
        "from nncli import runs\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "(root / sys.argv[2]).touch()\n"
        "while not (root / 'go').exists(): time.sleep(0.001)\n"
        "run = runs.create(root / 'out', 'cnn', 'cnn-digits', None, {'process': sys.argv[2]})\n"
        "print(run.name)\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), f"ready{n}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(8)
    ]
    deadline = time.monotonic() + 30
    while len(list(tmp_path.glob("ready*"))) < 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    (tmp_path / "go").touch()
    made = sorted(process.communicate(timeout=30)[0].strip() for process in started)
    assert made == [f"cnn-digits-{n:03}" for n in range(1, 9)]
    owners = {
        json.loads(path.read_text(encoding="utf-8"))["process"]
        for path in (tmp_path / "out" / "cnn").glob("*/run.json")
    }
    assert len(owners) == 8


def test_numbers_go_on_after_the_highest(tmp_path: Path) -> None:
    for name in ("cnn-digits-007", "cnn-digits-1000", "cnn-digits-x", "cnn-digits2-5000", "file"):
        (tmp_path / "cnn" / name).mkdir(parents=True)
    with create(tmp_path) as run:
        assert run.name == "cnn-digits-1001"


def test_a_data_sets_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    with runs.create(tmp_path, "cnn", "cnn-../../my data/é", None, {}) as run:
        assert run.folder.parent == tmp_path / "cnn"
        assert run.name == "cnn-..-..-my-data--001"


def test_a_taken_name_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    with create(tmp_path, "mine", command="first"):
        pass
    before = (tmp_path / "cnn" / "mine" / "run.json").read_bytes()
    with pytest.raises(RunError, match="there is a run") as caught:
        create(tmp_path, "mine", command="second")
    assert caught.value.exit_code == 4
    assert "--name" in (caught.value.hint or "")
    assert (tmp_path / "cnn" / "mine" / "run.json").read_bytes() == before
    assert [entry.name for entry in (tmp_path / "cnn").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "/etc/x", "a\0b", "n" * 300, ".hidden", "CON", "con.txt", "lpt1", "a/b", ""),
        *(" ", "a b", "a\n", "é", "-x", "a.", "..", "a\\b", "C:x", "\x1b[31m"),
    ],
)
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        runs.check_name(name)
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "2020", "conx", "n" * 100])
def test_good_names_are_taken(name: str) -> None:
    assert runs.check_name(name) == name


def test_an_output_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RunError, match="is not a folder"):
            runs.check_writable(root)
    with pytest.raises(RunError, match="cannot be written"):
        runs.check_writable(tmp_path / ("n" * 300))
    with pytest.raises(RunError, match="cannot make"):
        create(tmp_path / "file")
    runs.check_writable(tmp_path / "not" / "yet" / "there")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(RunError, match="cannot be written"):
        runs.check_writable(tmp_path / "outputs")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no file system that refuses all")
def test_a_virtual_file_system_is_refused() -> None:
    with pytest.raises(RunError, match="cannot be written"):
        runs.check_writable(Path("/proc/outputs"))


def test_a_run_that_the_disk_cannot_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def usage(folder: Path) -> Any:
        assert folder == tmp_path, "the nearest folder that is there"
        return shutil._ntuple_diskusage(10**9, 9 * 10**8, 10**8)  # type: ignore[attr-defined]

    monkeypatch.setattr(shutil, "disk_usage", usage)
    runs.check_room(tmp_path / "not" / "yet" / "there", int(10**8 / runs.MARGIN))
    with pytest.raises(
        RunError, match=r"needs about 108\.0 MB, but .* has 100\.0 MB free"
    ) as caught:
        runs.check_room(tmp_path / "not" / "yet" / "there", 9 * 10**7)
    assert caught.value.exit_code == ExitCode.MODEL
    assert str(tmp_path) in caught.value.message
    assert "--output" in (caught.value.hint or "")


def test_a_disk_that_tells_nothing_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def usage(_: Path) -> None:
        raise OSError

    monkeypatch.setattr(shutil, "disk_usage", usage)
    runs.check_room(tmp_path, 10**18)


def test_a_folder_has_one_owner_until_it_is_released(tmp_path: Path) -> None:
    run = create(tmp_path, "mine")
    with pytest.raises(RunError, match="in use"):
        runs.Run(run.folder, {})
    run.close()
    run.close()
    runs.Run(run.folder, {}).close()


@pytest.mark.parametrize("result", [classified(), forecasted()], ids=["classes", "forecast"])
def test_what_is_saved_is_loaded(result: Result, tmp_path: Path) -> None:
    stored = runs.load(saved(tmp_path, result))
    assert stored.name == "cnn-digits-001"
    assert (stored.kind, stored.task) == (result.kind, result.task)
    assert stored.config == {"kind": "cnn", "seed": 42}
    assert equal(stored.history, result.history)
    assert stored.layers == result.layers
    assert equal(stored.predictions, result.predictions)
    assert equal(stored.forecast, result.forecast)
    assert stored.metrics["test"] == result.test
    assert stored.metrics["train"] == {"loss": 0.1 + 0.2}
    assert stored.metrics["validation"] == {"loss": 1 / (0.1 + 0.2)}
    assert stored.run["status"] == "finished"
    assert stored.run["seconds"] == {"train": 1.235}
    assert not list((tmp_path / "cnn" / "cnn-digits-001").glob(".*"))


def test_a_forecast_without_labels_is_loaded(tmp_path: Path) -> None:
    result = forecasted()
    assert result.forecast is not None
    result = dataclasses.replace(result, forecast=dataclasses.replace(result.forecast, labels=()))
    stored = runs.load(saved(tmp_path, result))
    assert stored.forecast is not None
    assert stored.forecast.labels == ()
    assert stored.forecast.name == "sin(t)"


def test_a_loss_that_is_no_number_is_kept_in_the_history(tmp_path: Path) -> None:
    result = classified(history=history(nan=True), stopped="diverged")
    folder = saved(tmp_path, result)
    assert equal(runs.load(folder).history, result.history)
    assert any(math.isnan(r.metrics["loss"]) for r in result.history)
    assert status(folder) == "failed"
    json.loads(
        (folder / "metrics.json").read_text(encoding="utf-8"),
        parse_constant=lambda text: pytest.fail(f"{text} is not JSON"),
    )


def test_equal_results_write_equal_files(tmp_path: Path) -> None:
    first = saved(tmp_path, classified())
    second = saved(tmp_path, classified(seconds={"train": 99.0}))
    same = sorted({path.name for path in first.iterdir()} - {"run.json"})
    assert len(same) == 8
    for name in same:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_without_a_best_epoch_no_model_is_written(tmp_path: Path) -> None:
    folder = saved(tmp_path, classified(best_epoch=0, history=(), test={}, predictions=None))
    assert not (folder / "model.keras").exists()
    assert runs.load(folder).history == ()


@pytest.mark.parametrize(
    "name", ["run.json", "data.json", "metrics.json", "layers.json", "history.csv", "config.yaml"]
)
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    folder = saved(tmp_path, classified())
    (folder / name).unlink()
    with pytest.raises(RunError) as caught:
        runs.load(folder)
    assert name in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("damage", ["empty", "half", "binary", "other", "deep"])
@pytest.mark.parametrize(
    "name",
    [
        *("run.json", "data.json", "metrics.json", "layers.json", "history.csv", "config.yaml"),
        *("predictions.npz", "forecast.npz"),
    ],
)
def test_a_damaged_file_is_named(name: str, damage: str, tmp_path: Path) -> None:
    folder = saved(tmp_path, forecasted() if name == "forecast.npz" else classified())
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "half": content[: len(content) // 2],
            "binary": bytes(range(128, 256)),
            "other": b"[1, 2]\n",
            "deep": b"[" * 100_000,
        }[damage]
    )
    if (name, damage) == ("config.yaml", "half"):
        assert runs.load(folder).config == {"kind": "cnn"}  # whole, as far as YAML knows
        return
    with pytest.raises(RunError) as caught:
        runs.load(folder)
    assert name in caught.value.message
    assert caught.value.exit_code == 4


def layers_of(folder: Path) -> list[dict[str, Any]]:
    stored: list[dict[str, Any]] = json.loads((folder / "layers.json").read_text())["layers"]
    return stored


def test_layers_of_before_feed_each_the_next(tmp_path: Path) -> None:
    folder = saved(tmp_path, classified())
    rows = layers_of(folder)
    for row in rows:
        for name in ("inputs", "inside", "calls"):
            del row[name]
    (folder / "layers.json").write_text(json.dumps({"layers": rows}))
    loaded = runs.load(folder).layers
    assert [row.inputs for row in loaded] == [(), ("input",), ("base [/x]",)]
    assert [row.inside for row in loaded] == [(), (), ()]
    assert loaded[1].layers_inside == 19


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputs": ["nobody"]}, "'nobody' feeds"),
        ({"inputs": "input"}, "inputs of"),
        ({"inputs": [1]}, "inputs of"),
        ({"parameters": "9"}, "parameters of a layer"),
        ({"parameters": True}, "parameters of a layer"),
        ({"calls": None}, "calls of a layer"),
        ({"calls": 0}, "calls of a layer"),
        ({"frozen": 1}, "frozen of a layer"),
        ({"name": 3}, "name of a layer"),
        ({"output_shape": [2.5]}, "output_shape of"),
        ({"inside": [{"name": "half"}]}, "layers.json is damaged"),
        ({"inside": 3}, "layers.json is damaged"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
    ids=str,
)
def test_a_damaged_layer_is_told(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    folder = saved(tmp_path, classified())
    rows = layers_of(folder)
    rows[1].update(change)
    (folder / "layers.json").write_text(json.dumps({"layers": rows}))
    with pytest.raises(RunError, match=said) as caught:
        runs.load(folder)
    assert "layers.json" in caught.value.message


def test_flipped_bytes_in_an_archive_are_a_run_error(tmp_path: Path) -> None:
    folder = saved(tmp_path, classified())
    content = (folder / "predictions.npz").read_bytes()
    rng = np.random.default_rng(1)
    for position in rng.integers(0, len(content), 100):
        broken = bytearray(content)
        broken[position] ^= 0xFF
        (folder / "predictions.npz").write_bytes(broken)
        with contextlib.suppress(RunError):  # anything else fails the test
            runs.load(folder)


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(RunError, match="not a run folder"):
            runs.load(folder)


def test_the_status_says_how_it_ended(tmp_path: Path) -> None:
    with create(tmp_path) as run:
        assert status(run.folder) == "running"
        run.finish(classified(), {})
    assert status(run.folder) == "finished"
    with create(tmp_path) as run:
        run.finish(classified(stopped="early stopping"), {})
    assert status(run.folder) == "finished"
    with create(tmp_path) as run:
        run.finish(classified(stopped="interrupted"), {})
    assert status(run.folder) == "interrupted"
    with pytest.raises(ValueError, match="broken"), create(tmp_path) as run:
        raise ValueError("broken")
    assert status(run.folder) == "failed"
    assert json.loads((run.folder / "run.json").read_text())["error"] == "broken"
    for error in (KeyboardInterrupt(), Interrupted(15)):
        with pytest.raises(KeyboardInterrupt), create(tmp_path) as run:
            raise error
        assert status(run.folder) == "interrupted"


def test_what_happens_after_the_end_does_not_change_the_status(tmp_path: Path) -> None:
    run = create(tmp_path)
    run.finish(classified(), {})
    run.__exit__(ValueError, ValueError("drawing"), None)
    assert status(run.folder) == "finished"


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_folder_that_was_removed_is_not_made_anew(checkpoint: bool, tmp_path: Path) -> None:
    run = create(tmp_path)
    shutil.rmtree(run.folder)
    if checkpoint:  # it makes the folders that it needs
        write_text(run.folder / "checkpoints" / "000001.state", "")
    with pytest.raises(DiskError, match="removed") as caught, run:
        run.save(classified(), "summary", write_model)
    assert caught.value.exit_code == ExitCode.FAILED
    assert run.folder.exists() == checkpoint
    assert [path.name for path in run.folder.glob("*")] == ["checkpoints"] * checkpoint


def test_a_model_that_cannot_be_written_leaves_no_metrics(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskError, match="No space left"), create(tmp_path) as run:
        run.save(classified(), "summary", fail)
    assert status(run.folder) == "failed"
    assert not (run.folder / "metrics.json").exists()
    assert not (run.folder / "model.keras").exists()
    assert not list(run.folder.glob(".*"))


def test_a_run_is_found_by_its_name(tmp_path: Path) -> None:
    with create(tmp_path, "first"), create(tmp_path, "first-again"):
        pass
    with runs.create(tmp_path, "rnn", "rnn", "wave", {}) as wave:
        os.utime(wave.folder / "run.json", (2e9, 2e9))
    folder = tmp_path / "cnn" / "first"
    for name in (str(folder), "cnn/first", "first"):
        assert runs.find(name, tmp_path) == folder
    for name in ("latest", "wa", "rnn/w"):
        assert runs.find(name, tmp_path) == tmp_path / "rnn" / "wave"
    assert runs.find("first-", tmp_path).name == "first-again"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fir", "'fir' is the beginning of several runs: cnn/first, cnn/first-again"),
        ("cnn/", "several runs: cnn/first, cnn/first-again"),
        ("frist", "unknown run 'frist'"),
        ("", "unknown run ''"),
        (".", "unknown run '.'"),
        ("..", "unknown run '..'"),
    ],
)
def test_a_run_that_is_not_one_is_refused(tmp_path: Path, name: str, said: str) -> None:
    with create(tmp_path, "first"), create(tmp_path, "first-again"):
        pass
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        runs.find(name, tmp_path)
    assert "first" in str(caught.value.hint) or "write more" in str(caught.value.hint)


def test_no_run_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no run 'latest': .* holds none"):
        runs.find("latest", tmp_path / "nowhere")


def test_who_looks_does_not_take_the_folder(tmp_path: Path) -> None:
    with create(tmp_path, "mine") as run:
        assert runs.in_use(run.folder)
    assert not runs.in_use(run.folder)
    lock = runs._lock(run.folder, shared=True)
    assert not runs.in_use(run.folder), "two may look"
    assert lock is not None
    os.close(lock)
    runs.reopen(run.folder).close()


def test_a_deleted_run_leaves_nothing(tmp_path: Path) -> None:
    folder = saved(tmp_path, classified())
    other = create(tmp_path, "other")
    other.close()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (folder / "link").symlink_to(outside)
    left = folder.with_name(f".before.1{runs.DELETED}")
    shutil.copytree(folder, left, symlinks=True)
    assert [each.name for each in runs.folders(tmp_path)] == ["cnn-digits-001", "other"]
    runs.delete(folder)
    assert [each.name for each in folder.parent.iterdir()] == ["other"]
    assert (outside / "precious").exists()


def test_half_deleted_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(tmp_path, classified())

    def fail(path: Path, **_: Any) -> None:
        (path / "metrics.json").unlink()
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", fail)
    with pytest.raises(RunError, match="cannot be deleted: Permission denied") as caught:
        runs.delete(folder)
    assert runs.DELETED in (caught.value.hint or "")
    assert runs.folders(tmp_path) == []
    with pytest.raises(UsageError, match="holds none"):
        runs.find("latest", tmp_path)


def test_what_is_no_run_of_ours_is_not_deleted(tmp_path: Path) -> None:
    with create(tmp_path, "mine") as run, pytest.raises(RunError, match="in use"):
        runs.delete(run.folder)
    link = tmp_path / "link"
    link.symlink_to(run.folder)
    project = tmp_path / "project"
    project.mkdir()
    for text in ("{}", '{"status": "mine"}', "half {"):
        (project / "run.json").write_text(text, encoding="utf-8")
        with pytest.raises(RunError, match="is not a run folder"):
            runs.delete(project)
    (project / "run.json").unlink()
    for folder, said in ((link, "is a link"), (project, "is not a run folder")):
        with pytest.raises(RunError, match=said):
            runs.delete(folder)
    assert {link, project, run.folder} == {
        each for each in (link, project, run.folder) if each.exists()
    }


def test_a_damaged_run_can_be_deleted(tmp_path: Path) -> None:
    folder = saved(tmp_path, classified())
    (folder / "run.json").write_text("half {", encoding="utf-8")
    runs.delete(folder)
    assert not folder.exists()
