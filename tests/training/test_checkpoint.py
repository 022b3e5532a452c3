"""A training that was cut off goes on to the same bits, from any of its epochs."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli import backend, data, training
from nncli.config import Override, load
from nncli.errors import DiskError, RunError
from nncli.results import CHECKPOINTS, EpochRecord, Result
from nncli.schema import SCHEMAS, find_kind
from nncli.training.checkpoint import (
    KEPT,
    Checkpoint,
    Keeper,
    differences,
    keep_newest,
    newest,
    read,
    write,
)
from tests.training.test_stream import folder as folder_of_photos

ORIGIN = {"config": {"seed": 42}, "versions": {"keras": "3.15.1"}}


def checkpoint(epochs: int = 3, **changes: Any) -> Checkpoint:
    random = np.random.default_rng(epochs)
    history = tuple(
        EpochRecord("train", number, {"loss": 1 / number}, 0.001, 0.5, best=True)
        for number in range(1, epochs + 1)
    )
    made = Checkpoint(
        phase=0,
        stopped="",
        history=history,
        best_value=float("inf"),
        best_epoch=epochs,
        patience_value=0.1 + 0.2,
        waited=2,
        origin=ORIGIN,
        untouched="",
        variables=(random.normal(size=(3, 4)).astype(np.float32), np.array([7, 9], np.uint32)),
        optimizer=(np.array(3), np.empty((0, 5), np.float32)),
        best=(random.normal(size=(2,)).astype(np.float32),),
    )
    return replace(made, **changes)


def same(one: Checkpoint, other: Checkpoint) -> bool:
    groups = ("variables", "optimizer", "best")
    for group in groups:
        pairs = list(zip(getattr(one, group), getattr(other, group), strict=True))
        if not all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs):
            return False
        if any(a.shape != b.shape for a, b in pairs):
            return False
    bare = dict.fromkeys(groups, ())
    return replace(one, **bare) == replace(other, **bare)  # type: ignore[arg-type]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / CHECKPOINTS).iterdir())


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    for epochs in range(1, 5):
        write(tmp_path, checkpoint(epochs))
    assert files(tmp_path) == ["000003.state", "000004.state"]
    assert len(files(tmp_path)) == KEPT
    assert same(newest(tmp_path), checkpoint(4))
    assert not same(newest(tmp_path), checkpoint(3))
    keep_newest(tmp_path)
    assert files(tmp_path) == ["000004.state"]


def flipped(content: bytes) -> bytes:
    middle = len(content) * 2 // 3
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage", [flipped, lambda b: b[:-1], lambda b: b[:30], lambda _: b"", lambda b: b + b"x"]
)
def test_a_damaged_one_is_passed_over(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    write(tmp_path, checkpoint(8))
    write(tmp_path, checkpoint(12))
    path = tmp_path / CHECKPOINTS / "000012.state"
    path.write_bytes(damage(path.read_bytes()))
    assert same(newest(tmp_path), checkpoint(8))
    before = tmp_path / CHECKPOINTS / "000008.state"
    before.write_bytes(damage(before.read_bytes()))
    with pytest.raises(RunError, match=r"000012.state cannot be used: "):
        newest(tmp_path)


def test_what_is_no_checkpoint_is_none(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no checkpoint"):
        newest(tmp_path)
    (tmp_path / CHECKPOINTS).mkdir()
    (tmp_path / CHECKPOINTS / ".000003.12.part.state").write_bytes(b"half")
    (tmp_path / CHECKPOINTS / "notes.state").write_bytes(b"")
    with pytest.raises(RunError, match="holds no checkpoint"):
        newest(tmp_path)


def test_a_folder_that_was_removed_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="was removed while the run was writing"):
        write(tmp_path / "gone", checkpoint())
    assert list(tmp_path.iterdir()) == []


def test_objects_are_not_read(tmp_path: Path) -> None:
    """An array of objects is a pickle, which is a program."""
    write(tmp_path, checkpoint())
    path = tmp_path / CHECKPOINTS / "000003.state"
    _, header, rest = path.read_bytes().split(b"\n", 2)
    changed = json.loads(header)
    changed["arrays"]["variables"][0][0] = "|O"
    content = json.dumps(changed).encode() + b"\n" + rest
    path.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    with pytest.raises(RunError, match="objects"):
        read(path)


def test_what_differs_is_told_by_name() -> None:
    now = {"config": {"seed": 43, "new": None}, "versions": {"keras": "3.15.1"}}
    assert differences(ORIGIN, ORIGIN) == []
    assert differences({"a": (1, 2)}, {"a": [1, 2]}) == []
    assert differences(ORIGIN, now) == ["config.seed 42 then, 43 now"]


# what tests/faults does not cut off, and one that needs no compiler
RUNS = {
    "rnn": ("rnn", {"training.epochs": "4", "model.dropout": "0.3", "data.points": "12"}),
    "cnn on the disk": (
        "cnn",
        {
            "training.epochs": "3",
            "data.source": "folder",
            "data.path": "PHOTOS",
            "data.size": "16",
            "data.memory_limit": "0",
            "model.filters": "[3]",
        },
    ),
}


def fit(name: str, photos: Path, keeper: Keeper) -> Any:
    """A training from its config on; in a fresh process it would be the same."""
    kind, values = RUNS[name]
    named = {key: value.replace("PHOTOS", str(photos)) for key, value in values.items()}
    given = [Override.from_set(f"{key}={value}") for key, value in named.items()]
    loaded = load(SCHEMAS, kind, None, given)
    backend.keras().utils.set_random_seed(42)
    dataset = data.load(loaded.config.data, 42)
    settings = loaded.settle(dataset.facts).config
    section = getattr(settings, "pretraining", None)
    before = data.load(section.data, 42) if section is not None else None
    plan = find_kind(kind).plan(settings, dataset, before)
    result = training.fit(kind, plan, dataset, settings.training, 42, None, None, keeper)
    return result, plan.model


def numbers(result: Result) -> list[Any]:
    history = [replace(record, seconds=0.0) for record in result.history]
    baselines = [replace(each, seconds=0.0) for each in result.baselines]
    return [history, baselines, result.test, result.best_epoch, result.stopped]


CUTS = {"rnn": (1, 3), "cnn on the disk": (2,)}
"""After which epochs."""


@pytest.mark.slow
@pytest.mark.parametrize("name", list(RUNS))
def test_from_any_epoch_it_goes_on_to_the_same_bits(
    name: str, tmp_path: Path, started: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    folder_of_photos(photos)
    monkeypatch.setattr("nncli.training.checkpoint.KEPT", 99)
    (tmp_path / "whole").mkdir()
    whole, model = fit(name, photos, Keeper(tmp_path / "whole", ORIGIN, every_epochs=1))
    assert len(whole.history) >= 3
    for cut in CUTS[name]:
        folder = tmp_path / str(cut)
        (folder / CHECKPOINTS).mkdir(parents=True)
        written = tmp_path / "whole" / CHECKPOINTS / f"{cut:06}.state"
        state = read(Path(shutil.copy(written, folder / CHECKPOINTS)))
        assert state.number == cut
        again, remade = fit(name, photos, Keeper(folder, ORIGIN, state, every_epochs=1))
        assert numbers(again) == numbers(whole), f"cut after epoch {cut}"
        for one, other in zip(model.get_weights(), remade.get_weights(), strict=True):
            assert np.array_equal(one, other)


def test_weights_that_nobody_trained_are_left_out_and_held_to_their_digest(
    tmp_path: Path, started: None
) -> None:
    keras = backend.keras()
    keras.utils.set_random_seed(1)
    base = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(50)])
    base.trainable = False
    model = keras.Sequential([keras.layers.Input((3,)), base, keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    keeper = Keeper(tmp_path, ORIGIN, every_epochs=1)
    keeper.begin([model])
    keeper.begin_phase(0, model, ())
    keeper.epoch(model, checkpoint(1).history, "", (0.5, 1, model.get_weights()), (0.5, 0))
    state = newest(tmp_path)
    assert [each.shape for each in state.variables] == [(50, 2), (2,)]
    assert [each.shape for each in state.best] == [(50, 2), (2,)]
    kept = model.get_weights()
    model.layers[-1].set_weights([np.zeros((50, 2)), np.ones(2)])
    keeper.restore(state)
    best = keeper.best_weights(model, state)
    assert best is not None
    for one, other, third in zip(model.get_weights(), kept, best, strict=True):
        assert np.array_equal(one, other)
        assert np.array_equal(one, third)
    base.layers[0].set_weights([np.ones((3, 50)), np.zeros(50)])
    other = Keeper(tmp_path, ORIGIN, state)
    other.begin([model])
    other.begin_phase(0, model, ())
    with pytest.raises(RunError, match="the weights that it began with are others now"):
        other.restore(state)


def test_a_model_of_another_shape_is_refused(tmp_path: Path, started: None) -> None:
    keras = backend.keras()

    def keeper(units: int, state: Checkpoint | None = None) -> tuple[Keeper, Any]:
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(units)])
        model.compile("sgd", "mse")
        made = Keeper(tmp_path, ORIGIN, state, every_epochs=1)
        made.begin([model])
        made.begin_phase(0, model, ())
        return made, model

    made, model = keeper(4)
    made.epoch(model, checkpoint(1).history, "", (0.5, 1, model.get_weights()), (0.5, 0))
    other, _ = keeper(5)
    with pytest.raises(RunError, match="built another way"):
        other.restore(newest(tmp_path))


@pytest.mark.parametrize(
    ("policy", "written"),
    [
        ({"every_epochs": 1}, [1, 2, 3, 4, 5, 6, 7]),
        ({"every_epochs": 3}, [3, 6, 7]),
        ({"every_minutes": 2.0}, [2, 4, 6, 7]),
        ({"every_minutes": 3.0, "every_epochs": 2}, [2, 4, 6, 7]),
        ({}, [1, 5, 7]),
    ],
)
def test_how_often_it_is_written(
    policy: dict[str, Any],
    written: list[int],
    tmp_path: Path,
    started: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An epoch takes a minute here, and to write its state 4 seconds: a fiftieth of 200."""
    now = [0.0]
    seen = []

    def wrote(_: Path, state: Checkpoint) -> None:
        seen.append(state.number)
        now[0] += 4.0

    monkeypatch.setattr("nncli.training.checkpoint.time.monotonic", lambda: now[0])
    monkeypatch.setattr("nncli.training.checkpoint.write", wrote)
    model = backend.keras().Sequential([backend.keras().layers.Input((1,))])
    model.compile("sgd", "mse")
    keeper = Keeper(tmp_path, ORIGIN, **policy)
    keeper.begin([model])
    keeper.begin_phase(0, model, ())
    for number in range(1, 8):
        now[0] += 60.0
        stopped = "finished" if number == 7 else ""
        keeper.epoch(model, checkpoint(number).history, stopped, (0.5, 1, None), (0.5, 0))
    assert seen == written
