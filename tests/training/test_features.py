"""The features of a frozen base: equal to training the whole, and kept for the next run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nncli import backend, training
from nncli.config import Config, Override, load
from nncli.data.dataset import Dataset, Split
from nncli.data.samples import Samples
from nncli.errors import Interrupted
from nncli.models.kind import Phase, Plan
from nncli.models.transfer import plan_transfer
from nncli.results import Array, Result
from nncli.schema import SCHEMAS
from nncli.training import cache as kept
from nncli.training import features as module
from nncli.training import inference
from nncli.training.cache import CacheError, cache_folder, keep, take
from nncli.training.features import features, features_from_a_few
from tests.made import images


class Told(training.Listener):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.long: list[str] = []
        self.notes: list[str] = []

    def status(self, text: str, *, takes_long: bool = False) -> None:
        self.texts.append(text)
        if takes_long:
            self.long.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


class OnDisk(Samples):
    """Pictures that are only to be had by asking for them."""

    def __init__(self, pixels: Array) -> None:
        super().__init__(pixels.shape, pixels.dtype)
        self.pixels, self.asked = pixels, 0

    def read(self, rows: Any) -> Array:
        self.asked += len(rows)
        picked: Array = self.pixels[rows]
        return picked


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small as they are, these features count as worth keeping."""
    monkeypatch.setattr(module, "QUICK", 0.0)


@pytest.fixture(scope="module")
def base(started: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two convolutions and a BatchNormalization that has seen samples, and is folded."""
    keras = backend.keras()
    keras.utils.set_random_seed(3)
    layers = keras.layers
    network = keras.Sequential(
        [
            layers.Input((16, 16, 1)),
            layers.Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(momentum=0.1),
            layers.ReLU(),
            layers.MaxPooling2D(2),
            layers.Conv2D(6, 3, activation="relu"),
        ]
    )
    network(images(side=16).train.x / np.float32(255), training=True)  # statistics of its own
    path = tmp_path_factory.mktemp("base") / "base.keras"
    network.save(path)
    return path


def config(base: Path, **given: Any) -> Config:
    chosen = {
        "model.base": str(base),
        "model.units": 8,
        "model.dropout": 0.0,
        "training.epochs": 3,
        "training.batch_size": 5,
        **{key.replace("__", "."): value for key, value in given.items()},
    }
    overrides = [Override.from_set(f"{path}={json.dumps(value)}") for path, value in chosen.items()]
    return load(SCHEMAS, "transfer", None, overrides).config


def model_of(phase: Phase) -> Any:
    """What extracts the features of its samples."""
    assert phase.extractor is not None
    return phase.extractor.model


def prepared(phase: Phase) -> Dataset:
    """The pictures of a phase as they are extracted from."""
    preparation = phase.extractors[-1].preparation
    assert preparation is not None
    return phase.dataset.converted(preparation)


def from_a_few(phase: Phase, cache: Path, seconds: float) -> tuple[Dataset, float]:
    assert phase.extractor is not None
    return features_from_a_few(phase.dataset, phase.extractor, Told(), cache, seconds)


def planned(base: Path, dataset: Dataset, **given: Any) -> tuple[Plan, Phase]:
    plan, (phase,) = planned_phases(base, dataset, **given)
    phase.prepare()
    return plan, phase


def planned_phases(base: Path, dataset: Dataset, **given: Any) -> tuple[Plan, tuple[Phase, ...]]:
    backend.keras().backend.clear_session(free_memory=False)  # names as in a process of its own
    backend.keras().utils.set_random_seed(7)
    plan = plan_transfer(config(base, **given), dataset, None)
    return plan, plan.phases


def train(
    base: Path, dataset: Dataset, cache: Path | None, *, whole: bool = False
) -> tuple[Result, list[Array], Told]:
    """A run; `whole` trains the model with its frozen base in it."""
    plan, phase = planned(base, dataset)
    if whole:
        phase = replace(phase, model=plan.model, dataset=prepared(phase), extractor=None)
        plan = replace(plan, phases=(phase,))
    told = Told()
    section = config(base).training
    result = training.fit("transfer", plan, dataset, section, 42, told, cache)
    return result, [w for layer in plan.model.layers[2:] for w in layer.get_weights()], told


def extracted(phase: Phase, cache: Path | None) -> tuple[Dataset, Told]:
    told = Told()
    assert phase.extractor is not None
    return features(phase.dataset, phase.extractor, told, cache), told


def on_disk(dataset: Dataset) -> Dataset:
    parts = {
        name: Split(OnDisk(part.x), part.y, known_digests=part.digests)
        for name, part in dataset.parts.items()
    }
    return replace(dataset, **parts)


def numbers(dataset: Dataset) -> list[Array]:
    return [part.x[:] for part in (dataset.train, dataset.validation) if part is not None]


def equal(one: Dataset, other: Dataset) -> bool:
    return all(map(np.array_equal, numbers(one), numbers(other)))


def files(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if not path.is_dir())


# The same numbers


def test_they_train_the_same_head_as_the_whole_model(base: Path) -> None:
    dataset = images(side=16)
    (whole, expected, _), (result, head, _) = (
        train(base, dataset, None, whole=each) for each in (True, False)
    )
    assert len(head) == 4
    for one, other in zip(head, expected, strict=True):
        assert np.allclose(one, other, atol=1e-5)
    for one, other in zip(result.history, whole.history, strict=True):
        assert one.metrics == pytest.approx(other.metrics, abs=1e-5)


@pytest.mark.parametrize("disk", [False, True])
def test_they_fine_tune_the_same_weights_as_the_whole_model(
    base: Path, tmp_path: Path, disk: bool
) -> None:
    """The last convolution learns too; those before it are computed once, and kept."""
    fine = {"model__fine_tune": {"layers": 1, "epochs": 3, "learning_rate": 0.01}}
    dataset = on_disk(images(side=16)) if disk else images(side=16)
    found = []
    for whole in (False, True):
        plan, phases = planned_phases(base, dataset, **fine)
        head, tuning = phases
        assert type(model_of(tuning).layers[-1]).__name__ == "MaxPooling2D"
        if whole:
            tuning = replace(tuning, model=plan.model, dataset=prepared(tuning), extractor=None)
        plan = replace(plan, phases=(head, tuning))
        told, section = Told(), config(base).training
        result = training.fit("transfer", plan, dataset, section, 42, told, tmp_path)
        found.append((result, plan.model.get_weights()))
        extracted_once = [text for text in told.long if "the features of 36 images" in text]
        assert len(extracted_once) == 2, "by what never learns, then by what learns later"
    (one, mine), (other, theirs) = found
    for each, wanted in zip(mine, theirs, strict=True):
        assert np.allclose(each, wanted, atol=1e-5)
    assert [record.phase for record in one.history] == ["head"] * 3 + ["fine_tune"] * 3
    for record, expected in zip(one.history, other.history, strict=True):
        assert record.metrics == pytest.approx(expected.metrics, abs=1e-5)
    assert one.test["loss"] == pytest.approx(other.test["loss"], abs=1e-5)
    plan, _ = planned_phases(base, dataset, **fine)
    assert not np.allclose(mine[-6], plan.model.get_weights()[-6], atol=1e-3), "it learned"


def test_a_second_run_takes_them_and_ends_with_the_same_bits(base: Path, tmp_path: Path) -> None:
    dataset = images(side=16)
    runs = [train(base, dataset, tmp_path) for _ in range(2)]
    (first, head, told), (second, again, told_again) = runs
    assert told.long[0] == "extracting the features of 36 images with the frozen base"
    assert told_again.long[0] == "taking the features of 36 images from the cache"
    assert not any("extracting" in text for text in told_again.texts)
    assert [each.metrics for each in first.history] == [each.metrics for each in second.history]
    assert all(map(np.array_equal, head, again))
    assert first.test == second.test


def test_samples_on_the_disk_give_the_same_and_leave_theirs_there(
    base: Path, tmp_path: Path
) -> None:
    dataset = images(samples=150, side=16)
    expected, _ = extracted(planned(base, dataset)[1], None)
    for _ in range(2):
        found, told = extracted(planned(base, on_disk(dataset))[1], tmp_path)
        assert isinstance(found.train.x, Samples)
        assert equal(found, expected)
    assert "from the cache" in told.long[0]


def test_samples_on_the_disk_are_not_all_read_to_find_theirs(base: Path, tmp_path: Path) -> None:
    asked = []
    for _ in range(2):
        dataset = on_disk(images(samples=150, side=16))
        extracted(planned(base, dataset)[1], tmp_path)
        assert isinstance(dataset.train.x, OnDisk)
        asked.append(dataset.train.x.asked)
    assert asked == [150 + module.PROBED, module.PROBED]


def test_samples_without_known_digests_are_told_apart_by_their_numbers(
    base: Path, tmp_path: Path
) -> None:
    dataset = images(side=16)
    changed = dataset.train.x[:].copy()
    changed[3, 8, 8] ^= 1
    for pixels, count in ((dataset.train.x, 2), (dataset.train.x, 2), (changed, 3)):
        parts = {name: Split(OnDisk(part.x), part.y) for name, part in dataset.parts.items()}
        parts["train"] = Split(OnDisk(pixels), dataset.train.y)
        extracted(planned(base, replace(dataset, **parts))[1], tmp_path)
        assert len(files(tmp_path)) == count


def test_both_parts_are_in_batches_and_a_short_one_is_the_last(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "BATCH", 7)
    _, phase = planned(base, images(side=16))
    found, _ = extracted(phase, None)
    for own, x in zip(numbers(found), numbers(prepared(phase)), strict=True):
        assert own.dtype == np.float32
        wanted = model_of(phase).predict(x, verbose=0)
        assert np.allclose(own, wanted, atol=1e-6)


def test_without_a_validation_part_there_is_none_of_features(base: Path, tmp_path: Path) -> None:
    dataset = replace(images(side=16), validation=None)
    found, _ = extracted(planned(base, dataset)[1], tmp_path)
    assert found.validation is None
    assert len(files(tmp_path)) == 1


# What they depend on


def _pixel(dataset: Dataset) -> Dataset:
    x = dataset.train.x[:].copy()
    x[5, 3, 3] ^= 1
    return replace(dataset, train=Split(x, dataset.train.y))


def _order(dataset: Dataset) -> Dataset:
    return replace(dataset, train=dataset.train.take(np.arange(len(dataset.train))[::-1]))


@pytest.mark.parametrize("change", [_pixel, _order])
def test_another_picture_or_order_is_computed_anew(
    base: Path, tmp_path: Path, change: Callable[[Dataset], Dataset]
) -> None:
    dataset = images(side=16)
    extracted(planned(base, dataset)[1], tmp_path)
    found, told = extracted(planned(base, change(dataset))[1], tmp_path)
    assert told.long == [
        "taking the features of 12 images from the cache",  # of the validation part
        "extracting the features of 24 images with the frozen base",
    ]
    expected, _ = extracted(planned(base, change(dataset))[1], None)
    assert equal(found, expected)


def _weight(phase: Phase, patch: pytest.MonkeyPatch) -> None:
    weight = model_of(phase).weights[0]
    values = weight.numpy()
    values[0, 0, 0, 0] = np.nextafter(values[0, 0, 0, 0], np.float32(9))
    weight.assign(values)


def _batch(phase: Phase, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inference, "BATCH", 8)


def _threads(phase: Phase, patch: pytest.MonkeyPatch) -> None:
    threading = backend.tensorflow().config.threading
    count = threading.get_intra_op_parallelism_threads() + 1
    patch.setattr(threading, "get_intra_op_parallelism_threads", lambda: count)


def _switch(phase: Phase, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")


def _version(phase: Phase, patch: pytest.MonkeyPatch) -> None:
    versions = {**backend.versions(), "keras": "9.9"}
    patch.setattr(backend, "versions", lambda: versions)


def _processor(phase: Phase, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(backend, "processor", lambda: ["model name: another"])


def _format(phase: Phase, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(module, "FORMAT", module.FORMAT + 1)


@pytest.mark.parametrize(
    "change", [_weight, _batch, _threads, _switch, _version, _processor, _format]
)
def test_whatever_determines_the_bits_is_in_the_key(
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Phase, pytest.MonkeyPatch], None],
) -> None:
    dataset = images(side=16)
    extracted(planned(base, dataset)[1], tmp_path)
    _, phase = planned(base, dataset)
    change(phase, monkeypatch)
    _, told = extracted(phase, tmp_path)
    assert told.long == ["extracting the features of 36 images with the frozen base"]
    assert len(files(tmp_path)) == 4


@pytest.mark.parametrize("disk", [False, True])
@pytest.mark.parametrize("given", [{"model__preprocessing": "none"}, {"model__pooling": "max"}])
def test_another_preprocessing_or_network_is_computed_anew(
    base: Path, tmp_path: Path, given: dict[str, Any], disk: bool
) -> None:
    dataset = on_disk(images(side=16)) if disk else images(side=16)
    extracted(planned(base, dataset)[1], tmp_path)
    found, told = extracted(planned(base, dataset, **given)[1], tmp_path)
    assert "extracting" in told.long[0]
    expected, _ = extracted(planned(base, dataset, **given)[1], None)
    assert equal(found, expected)


# Files that are not what they were


def _cut(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _longer(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def _empty(path: Path, other: Path) -> None:
    path.write_bytes(b"")


def _flipped(path: Path, other: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)


def _other_line(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"<f4", b"<i4"))


def _foreign(path: Path, other: Path) -> None:
    path.write_bytes(other.read_bytes())


@pytest.mark.parametrize("disk", [False, True])
@pytest.mark.parametrize("damage", [_cut, _longer, _empty, _flipped, _other_line, _foreign])
def test_a_damaged_file_is_computed_anew_and_replaced(
    base: Path, tmp_path: Path, damage: Callable[[Path, Path], None], disk: bool
) -> None:
    dataset = images(side=16)
    dataset = replace(dataset, validation=_pixel(dataset).train)  # as many as train has
    expected, _ = extracted(planned(base, dataset)[1], None)
    dataset = on_disk(dataset) if disk else dataset
    extracted(planned(base, dataset)[1], tmp_path)
    path, other = files(tmp_path)
    whole = path.read_bytes()
    damage(path, other)
    assert path.read_bytes() != whole
    found, told = extracted(planned(base, dataset)[1], tmp_path)
    assert told.notes == [f"{path} is damaged: the features are computed anew"]
    assert equal(found, expected)
    assert path.read_bytes() == whole
    assert files(tmp_path) == [path, other]


def test_what_cannot_be_read_or_written_is_told_and_does_no_harm(
    base: Path, tmp_path: Path
) -> None:
    dataset = images(side=16)
    expected, _ = extracted(planned(base, dataset)[1], tmp_path)
    path = files(tmp_path)[0]
    path.unlink()
    path.mkdir()
    found, told = extracted(planned(base, dataset)[1], tmp_path)
    assert told.notes[0] == f"{path} is no file: the features are computed anew"
    assert told.notes[1].startswith(f"the features are not kept: cannot write {path}: ")
    assert equal(found, expected)


def test_a_cache_that_cannot_be_made_is_told_once(base: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result, _, told = train(base, images(side=16), tmp_path / "file" / "cache")
    assert len(told.notes) == 1
    assert told.notes[0].startswith("the features are not kept: cannot write into ")
    assert len(result.history) == 3


def test_a_base_that_cannot_be_written_down_is_not_kept(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, phase = planned(base, images(side=16))

    def refuse() -> str:
        raise NotImplementedError("a layer without get_config")

    monkeypatch.setattr(model_of(phase), "to_json", refuse)
    found, told = extracted(phase, tmp_path)
    assert "a layer without get_config" in told.notes[0]
    assert len(found.train) == 24
    assert not files(tmp_path)


# When nothing is kept


def test_quick_ones_are_not_kept(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUICK", 3600.0)
    extracted(planned(base, images(side=16))[1], tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_with_the_cache_off_nothing_is_taken_or_kept(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNCLI_CACHE", str(tmp_path))
    for _ in range(2):
        _, told = extracted(planned(base, images(side=16))[1], None)
        assert told.long == ["extracting the features of 36 images with the frozen base"]
    assert not files(tmp_path)


def test_augmentation_switches_it_off(base: Path, tmp_path: Path) -> None:
    augmented = {"model__augmentation": {"flip": "horizontal"}}
    plan, phase = planned(base, images(side=16), **augmented)
    section = config(base).training
    training.fit("transfer", plan, images(side=16), section, 42, Told(), tmp_path)
    assert phase.extractor is None
    assert not files(tmp_path)


# How far it is, and the end of it


@pytest.mark.parametrize("cores", [1, 2])
def test_it_tells_how_far_it_is_but_not_in_the_log(
    base: Path, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    monkeypatch.setattr(backend, "shares", lambda: cores)
    monkeypatch.setattr(inference, "BATCH", 8 * cores)
    monkeypatch.setattr(module, "INTERVAL", 0.0)
    _, told = extracted(planned(base, images(side=16))[1], None)
    assert told.texts == [
        "extracting the features of 36 images with the frozen base",
        *(f"extracting features: {done} of 36 images" for done in (8, 16, 24, 32, 36)),
    ]
    assert told.long == told.texts[:1]


def test_it_does_not_tell_more_often_than_anybody_reads(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "BATCH", 1)
    clock = iter(range(10_000))
    times = SimpleNamespace(monotonic=lambda: next(clock) * 0.05)
    monkeypatch.setattr(module, "time", times)
    _, told = extracted(planned(base, images(side=16))[1], None)
    assert 5 < len(told.texts) - 1 <= 36 / 4


@pytest.mark.parametrize("cores", [1, 2])
def test_a_few_tell_of_all(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    """With time for all of them they are the same; else those at hand stand for the others."""
    monkeypatch.setattr(backend, "shares", lambda: cores)
    monkeypatch.setattr(inference, "BATCH", 5 * cores)
    _, phase = planned(base, images(side=16))
    whole, _ = extracted(phase, None)
    found, seconds = from_a_few(phase, tmp_path, 60)
    assert equal(found, whole)
    assert seconds > 0
    few, _ = from_a_few(phase, tmp_path, 0)
    assert few.train.x.shape == whole.train.x.shape
    assert np.array_equal(few.train.x[:5], whole.train.x[:5])
    assert np.array_equal(few.train.x[5:10], whole.train.x[:5])
    streamed = replace(phase, dataset=on_disk(phase.dataset))
    few, _ = from_a_few(streamed, tmp_path, 0)
    assert isinstance(few.train.x, Samples)
    assert np.array_equal(few.train.x[:], np.resize(whole.train.x[:5], whole.train.x.shape))
    assert files(tmp_path) == [], "nothing is kept"
    extracted(phase, tmp_path)
    few, _ = from_a_few(phase, tmp_path, 0)
    assert equal(few, whole), "taken from the cache"


@pytest.mark.parametrize("disk", [False, True])
def test_an_interruption_leaves_no_file(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: bool
) -> None:
    monkeypatch.setattr(inference, "BATCH", 8)
    monkeypatch.setattr(module, "INTERVAL", 0.0)

    class Stopping(Told):
        def status(self, text: str, *, takes_long: bool = False) -> None:  # noqa: ARG002
            if "16 of" in text:
                raise Interrupted(2)

    dataset = on_disk(images(side=16)) if disk else images(side=16)
    plan, _ = planned(base, dataset)
    section = config(base).training
    result = training.fit("transfer", plan, dataset, section, 42, Stopping(), tmp_path)
    assert (result.stopped, result.exit_code, result.history) == ("interrupted", 130, ())
    assert not files(tmp_path)


# The folder

NUMBERS = np.arange(600, dtype=np.float32).reshape(50, 3, 4)
SIZE = kept.LINE + NUMBERS.nbytes


@pytest.mark.parametrize("disk", [False, True])
def test_what_is_kept_is_taken(tmp_path: Path, disk: bool) -> None:
    assert take(tmp_path / "new", "a", NUMBERS.shape, on_disk=disk) is None
    keep(tmp_path / "new", "a", NUMBERS)
    found = take(tmp_path / "new", "a", NUMBERS.shape, on_disk=disk)
    assert found is not None
    assert isinstance(found, Samples) == disk
    assert np.array_equal(found[:], NUMBERS)
    with pytest.raises(CacheError, match="damaged"):
        take(tmp_path / "new", "a", (50, 4, 3), on_disk=disk)


def test_more_than_there_is_room_for_forgets_what_was_not_used_for_longest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 3 * SIZE)
    for number, key in enumerate("abc"):
        keep(tmp_path, key, NUMBERS)
        os.utime(tmp_path / f"{key}.array", (number, number))
    take(tmp_path, "a", NUMBERS.shape, on_disk=False)
    keep(tmp_path, "d", NUMBERS)
    assert [path.stem for path in files(tmp_path)] == ["a", "c", "d"]
    with pytest.raises(CacheError, match="has room for"):
        keep(tmp_path, "e", np.tile(NUMBERS, (4, 1, 1)))
    assert [path.stem for path in files(tmp_path)] == ["a", "c", "d"]


def test_half_of_the_free_disk_stays_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def usage(folder: Path) -> Any:
        used = sum(path.stat().st_size for path in files(folder))
        return SimpleNamespace(free=5 * SIZE - used)

    monkeypatch.setattr(kept.shutil, "disk_usage", usage)
    for key in "abcd":
        keep(tmp_path, key, NUMBERS)
    assert [path.stem for path in files(tmp_path)] == ["c", "d"]


def test_what_a_killed_run_left_is_forgotten_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / ".a.123.part.array"
    left.write_bytes(bytes(SIZE))
    os.utime(left, (1, 1))
    monkeypatch.setattr(kept, "MOST_BYTES", SIZE)
    keep(tmp_path, "b", NUMBERS)
    assert [path.name for path in files(tmp_path)] == ["b.array"]


CHILD = """
import sys
import numpy as np
from pathlib import Path
from nncli.training.cache import keep, take

x = np.arange(60_000, dtype=np.float32).reshape(100, 600)
for _ in range(40):
    found = take(Path(sys.argv[1]), "a", x.shape, on_disk=False)
    assert found is None or np.array_equal(found, x)
    keep(Path(sys.argv[1]), "a", x)
"""


def test_two_processes_at_once_see_whole_files_only(tmp_path: Path) -> None:
    children = [subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)]) for _ in range(2)]
    assert [child.wait(timeout=60) for child in children] == [0, 0]
    assert [path.name for path in files(tmp_path)] == ["a.array"]


HOME = Path("/home/somebody")
PLACES = [
    ("linux", {}, HOME / ".cache" / "nncli"),
    ("linux", {"XDG_CACHE_HOME": "/x"}, Path("/x/nncli")),
    ("linux", {"XDG_CACHE_HOME": "relative"}, HOME / ".cache" / "nncli"),
    ("linux", {"XDG_CACHE_HOME": "/x", "NNCLI_CACHE": "/y"}, Path("/y")),
    ("linux", {"NNCLI_CACHE": "~/z"}, HOME / "z"),
    ("linux", {"NNCLI_CACHE": ""}, HOME / ".cache" / "nncli"),
    ("darwin", {"XDG_CACHE_HOME": "/x"}, HOME / "Library" / "Caches" / "nncli"),
    ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/nncli")),
    ("win32", {}, HOME / "AppData" / "Local" / "nncli"),
]


@pytest.mark.skipif(os.name != "posix", reason="paths of another system")
@pytest.mark.parametrize(("system", "variables", "expected"), PLACES)
def test_the_folder_is_where_the_system_has_such_things(
    monkeypatch: pytest.MonkeyPatch, system: str, variables: dict[str, str], expected: Path
) -> None:
    for name in ("NNCLI_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(HOME), **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(kept.sys, "platform", system)
    assert cache_folder() == expected


def test_finding_the_folder_loads_no_tensorflow() -> None:
    code = (
        "import sys; from nncli.training.features import cache_folder; cache_folder(); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
