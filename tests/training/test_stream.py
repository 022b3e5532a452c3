"""Training on samples that stay on the disk: the same batches, the same figures, no traces."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import backend, training
from nncli.cli import main
from nncli.config import TrainingSection
from nncli.data import load
from nncli.data.dataset import Dataset, Split
from nncli.data.samples import Converted, Divided, Samples
from nncli.data.source import DataSection
from nncli.errors import DataError
from nncli.models.convolutional import CnnSettings
from nncli.models.convolutional import build as build_cnn
from nncli.models.kind import single_phase
from nncli.models.preprocessing import Preparation
from nncli.results import Result
from nncli.training.inference import predict
from nncli.training.order import fixed_batches, permutation, training_batches
from nncli.training.stream import read_ahead
from tests.data.made import images, section, signals, write_idx, write_npz, write_pair
from tests.data.test_samples import Counted

X = np.arange(50, dtype=np.float32)[:, None]
Y = np.arange(50, dtype=np.int64)


class Failing(Counted):
    """Gone after some readings, as a file that somebody deletes."""

    def __init__(self, array: Any, good: int) -> None:
        super().__init__(array)
        self.good = good

    def read(self, rows: Any) -> Any:
        if len(self.asked) >= self.good:
            raise DataError("photos/cat.jpg is gone", hint="run again")
        return super().read(rows)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    deadline = time.monotonic() + 5
    while alive() and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert alive() == []


def alive() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith(("nncli-stream", "nncli-read"))]


# batches


@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_hold_every_sample_once_an_epoch(started: None, shuffle: bool) -> None:
    found = []
    for rows, y in training_batches(Split(Counted(X), Y), 8, 1, 3, 2, shuffle=shuffle):
        assert np.array_equal(rows.numpy()[:, 0], y.numpy())
        found.append(y.numpy().tolist())
    assert [len(batch) for batch in found] == [8] * 6 + [2] + [8] * 6 + [2]
    epochs = [sum(found[:7], []), sum(found[7:], [])]  # noqa: RUF017
    for number, epoch in enumerate(epochs, start=3):
        order = permutation(1, number, 50) if shuffle else np.arange(50)
        assert epoch == order.tolist()


def test_every_sample_is_read_once_an_epoch(started: None) -> None:
    samples = Counted(X)
    for _ in training_batches(Split(samples, Y), 8, 1, 1, 3):
        pass
    assert sorted(row for rows in samples.asked for row in rows) == sorted([*range(50)] * 3)


def test_types_and_shapes(started: None) -> None:
    pixels = np.zeros((5, 4, 3, 2), np.uint8)
    for batches in (
        training_batches(Split(Counted(pixels), Y[:5]), 2, 1, 1, 2),
        fixed_batches(Split(Counted(pixels), Y[:5])),
    ):
        x, y = batches.element_spec
        assert (tuple(x.shape), x.dtype.name) == ((None, 4, 3, 2), "uint8")
        assert (tuple(y.shape), y.dtype.name) == ((None,), "int64")
    assert int(training_batches(Split(Counted(pixels), Y[:5]), 2, 1, 1, 2).cardinality()) == 6


def test_no_stream_is_tuned(started: None) -> None:
    """A thread of TensorFlow's that tunes it would sleep, and its end would wait for that."""
    seen: list[Any] = []
    model = backend.keras().Sequential([backend.keras().Input((1,))])

    def watch(stream: Any, verbose: int) -> Any:
        seen.append(stream)
        return X

    model.predict = watch
    many = np.zeros((1000, 1), np.float32)
    disk, pixels = Split(Counted(X), Y), Counted(np.zeros((50, 4, 4, 3), np.uint8))
    streams = [
        training_batches(disk, 8, 1, 1, 2),
        fixed_batches(disk),
        fixed_batches(Split(X, Y)),
        fixed_batches(Split(Converted(pixels, Preparation("unit")), Y)),
        fixed_batches(Split(Divided(pixels[:], 255.0), Y)),
    ]
    predict(model, many)
    predict(model, Counted(many))
    assert len(seen) == 2
    for stream in streams + seen:
        assert stream.options().autotune.enabled is False


def test_bytes_in_memory_are_divided_exactly(started: None) -> None:
    x = np.arange(300 * 4).reshape(300, 2, 2, 1).astype(np.uint8)  # each byte is there
    fractions = np.divide(x, np.float32(255), dtype=np.float32)
    batches = list(fixed_batches(Split(Divided(x, 255.0), np.arange(300))))
    assert [batch.dtype.name for batch, _ in batches] == ["float32"] * 3
    assert np.array_equal(np.concatenate([batch for batch, _ in batches]), fractions)
    assert np.concatenate([y for _, y in batches]).tolist() == list(range(300))
    keras = backend.keras()
    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Activation("linear")])
    for count in (300, 3):  # in several batches, and in one
        answers = predict(model, Divided(x[:count], 255.0))
        assert np.array_equal(answers, fractions[:count])


def test_prediction_keeps_the_order(started: None) -> None:
    keras = backend.keras()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Rescaling(2.0)])
    x = np.arange(1000, dtype=np.float32)[:, None]
    assert np.array_equal(predict(model, Counted(x)), predict(model, x))
    assert predict(model, Counted(x))[:, 0].tolist() == (2 * x[:, 0]).tolist()


def test_reading_goes_ahead_but_not_far(started: None) -> None:
    asked: list[int] = []

    def batches() -> Iterator[Any]:
        for number in range(1000):
            asked.append(number)
            yield np.array([number])

    reader = read_ahead(lambda rows: rows, batches())
    assert next(reader).tolist() == [0]
    assert len(asked) < 25
    assert [next(reader)[0] for _ in range(9)] == list(range(1, 10))
    reader.close()
    assert alive() == []


def test_slow_readings_do_not_change_the_order() -> None:
    def read(rows: Any) -> int:
        time.sleep(0.002 * (rows[0] % 3))
        return int(rows[0])

    batches = (np.array([number]) for number in range(40))
    assert list(read_ahead(read, batches)) == list(range(40))


def test_an_iteration_that_is_given_up_ends_its_threads(started: None) -> None:
    batches = iter(training_batches(Split(Counted(X), Y), 4, 1, 1, 1000))
    for _ in range(5):
        next(batches)
    assert alive()
    del batches  # the fixture looks for what is left


# training


def model_of(dataset: Dataset, *front: Any) -> Any:
    keras = backend.keras()
    classes = keras.layers.Dense(len(dataset.classes), activation="softmax")
    return keras.Sequential([keras.Input(dataset.input_shape), *front, classes])


def fit(
    dataset: Dataset,
    listener: training.Listener | None = None,
    *,
    convolutions: bool = False,
    **given: Any,
) -> Result:
    chosen = TrainingSection(**{"epochs": 2, "batch_size": 8, "learning_rate": 0.01, **given})
    keras = backend.keras()
    keras.utils.set_random_seed(1)
    prepared = dataset.converted(Preparation("unit")) if dataset.family == "images" else dataset
    if convolutions:
        model = build_cnn(CnnSettings(filters=(3,), units=4, dropout=0.3), prepared)
    elif dataset.family == "images":
        model = model_of(prepared, keras.layers.Flatten(), keras.layers.Dropout(0.3))
    else:
        model = model_of(prepared, keras.layers.LSTM(3))
    plan = single_phase(model, prepared, chosen)
    return training.fit("made", plan, dataset, chosen, 1, listener)


def folder(root: Path) -> DataSection:
    """JPEG and PNG files, larger and smaller than the size they are brought to."""
    from PIL import Image

    x, y = images(side=40, channels=3)
    for i, (pixels, label) in enumerate(zip(x, y, strict=True)):
        (root / "abc"[label]).mkdir(exist_ok=True)
        picture = Image.fromarray(pixels).resize((10 + 3 * (i % 9), 16))
        picture.save(root / "abc"[label] / f"{i:02}.{'jpg' if i % 2 else 'png'}")
    return section("folder", path=root, size=16)


def idx(root: Path) -> DataSection:
    x, y = images()
    write_idx(root / "train-images-idx3-ubyte.gz", x[..., 0])
    write_idx(root / "train-labels-idx1-ubyte.gz", y.astype(np.uint8))
    return section("idx", path=root)


def npz(root: Path) -> DataSection:
    x, y = images(channels=3)
    return section("npz", path=write_npz(root / "a.npz", packed=True, x=x / 255, y=y))


def sequences(root: Path) -> DataSection:
    x, y = signals()
    return section("npy", family="sequences", path=write_pair(root, x, y))


SOURCES: dict[str, Callable[[Path], DataSection]] = {
    "folder": folder,
    "idx": idx,
    "npz": npz,
    "sequences": sequences,
}


@pytest.mark.parametrize("source", SOURCES)
def test_training_from_the_disk_gives_the_same_bits(
    tmp_path: Path, started: None, source: str
) -> None:
    given = SOURCES[source](tmp_path)
    here = load(given, 5)
    there = load(given.model_copy(update={"memory_limit": 0}), 5)
    assert isinstance(there.train.x, Samples)
    assert not isinstance(here.train.x, Samples)
    assert here.fingerprint() == there.fingerprint()
    how: dict[str, Any] = {"convolutions": source == "folder"}
    if source == "idx":
        how["class_weight"] = "balanced"
    first, second = fit(here, **how), fit(there, **how)
    assert [r.metrics for r in first.history] == [r.metrics for r in second.history]
    assert (first.best_epoch, first.test) == (second.best_epoch, second.test)
    assert first.predictions is not None
    assert second.predictions is not None
    assert np.array_equal(first.predictions.probabilities, second.predictions.probabilities)
    assert np.array_equal(first.predictions.inputs, second.predictions.inputs)


def streamed(x: Samples | None = None, y: Any = None) -> Dataset:
    made, labels = images(count=40)
    part = Split(Counted(made), labels)
    train = part if x is None else Split(x, labels if y is None else y)
    return Dataset("made", "images", "classification", train, part, part, ("a", "b", "c"))


def test_stopping_early_ends_the_threads(started: None) -> None:
    result = fit(streamed(), epochs=50, early_stopping={"patience": 1, "min_delta": 100.0})
    assert result.stopped == "early stopping"
    assert len(result.history) < 5


def test_an_interruption_ends_the_threads(started: None) -> None:
    class Interrupting(training.Listener):
        steps = 0

        def step(self, number: int) -> None:  # noqa: ARG002
            self.steps += 1
            if self.steps == 8:
                raise KeyboardInterrupt

    result = fit(streamed(), Interrupting(), epochs=50)
    assert result.stopped == "interrupted"
    assert len(result.history) == 1


def test_a_failure_while_training_is_the_readers_own(started: None) -> None:
    made, _ = images(count=40)
    with pytest.raises(DataError, match=r"photos/cat\.jpg is gone") as caught:
        fit(streamed(Failing(made, 7)), epochs=50)
    assert caught.value.hint == "run again"


def test_a_failure_while_validating_or_measuring(started: None) -> None:
    made, labels = images(count=40)
    for part, good in (("validation", 1), ("test", 0)):
        dataset = streamed()
        failing = {part: Split(Failing(made, good), labels)}
        with pytest.raises(DataError, match=r"photos/cat\.jpg is gone"):
            fit(replace(dataset, **failing))


def test_a_mistake_of_ours_is_not_disguised(started: None) -> None:
    class Wrong(Counted):
        def read(self, rows: Any) -> Any:  # noqa: ARG002
            raise ZeroDivisionError("a mistake")

    made, _ = images(count=40)
    with pytest.raises(Exception, match="a mistake") as caught:
        fit(streamed(Wrong(made)))
    assert not isinstance(caught.value, DataError)


# the command

SMALL = ["--device", "cpu", "--set", "model.filters=[3]", "--set", "data.memory_limit=0"]


def command(given: DataSection, *more: str) -> list[str]:
    data = [f"data.{key}={getattr(given, key)}" for key in ("source", "path", "size")
            if hasattr(given, key)]  # fmt: skip
    return ["train", "cnn", *SMALL, *(word for key in data for word in ("--set", key)), *more]


def test_files_that_go_while_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """All was well when the files were looked through."""
    (tmp_path / "photos").mkdir()
    given = folder(tmp_path / "photos")
    really = training.fit

    def deleting(*args: Any) -> Result:
        for path in (tmp_path / "photos" / "b").iterdir():
            path.unlink()
        return really(*args)

    monkeypatch.setattr(training, "fit", deleting)
    assert main(command(given, "--output", str(tmp_path / "out"))) == 3
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert "Error" not in said
    assert len(said.strip().splitlines()) == 2
    assert str(tmp_path / "photos" / "b") in said
    record = json.loads((tmp_path / "out" / "cnn" / "cnn-folder-001" / "run.json").read_text())
    assert record["status"] == "failed"


def run(given: DataSection, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "nncli", *command(given, *more)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.slow
def test_nothing_is_said_on_standard_error(tmp_path: Path) -> None:
    """TensorFlow says so there when a stream is shorter or longer than it promised."""
    (tmp_path / "photos").mkdir()
    started = run(
        folder(tmp_path / "photos"), "--epochs", "3", "--no-pictures", "-o", str(tmp_path)
    )
    out, err = started.communicate(timeout=180)
    assert started.returncode == 0, err
    assert err == ""
    assert "epoch 3/3" in out


@pytest.mark.slow
def test_a_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    more = ["--epochs", "9999", "--set", "training.early_stopping=null", "-o", str(tmp_path)]
    started = run(folder(tmp_path / "photos"), *more)
    assert started.stdout is not None
    try:
        for line in started.stdout:
            if line.startswith("epoch 3/"):
                break
        started.send_signal(signal.SIGINT)
        _, err = started.communicate(timeout=30)
    finally:
        started.kill()
    assert started.returncode == 130
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 2, "what was reached, and how to go on"
