"""One contract for every source that needs no network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from nncli.config.describe import descriptions
from nncli.data import SOURCES, load
from nncli.data.dataset import Dataset, Split
from nncli.data.source import DataSection
from tests.data.made import (
    images,
    section,
    write_csv,
    write_folder,
    write_idx,
    write_npz,
    write_pair,
    write_table,
    write_ts_pair,
)

OFFLINE = [name for name, source in SOURCES.items() if not source.needs_network]
CHRONOLOGICAL = {"sine", "csv"}
CLASSIFIERS = [name for name in OFFLINE if name not in CHRONOLOGICAL]


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DataSection]:
    root = tmp_path_factory.mktemp("data")
    x, y = images()
    write_idx(root / "labels-idx1", y.astype(np.uint8))
    return {
        "sine": section("sine"),
        "csv": section("csv", path=write_csv(root / "sold.csv")),
        "table": section("table", path=write_table(root / "images.csv")),
        "waves": section("waves", samples=100, steps=30),
        "ts": section("ts", path=write_ts_pair(root / "made")),
        "digits": section("digits"),
        "folder": section("folder", path=write_folder(root / "pets"), size=16),
        "npz": section("npz", path=write_npz(root / "a.npz", x=x, y=y)),
        "npy": section("npy", path=write_pair(root, x, y)),
        "idx": section("idx", path=write_idx(root / "images-idx3", x[..., 0])),
    }


@pytest.fixture(scope="module")
def datasets(sections: dict[str, DataSection]) -> dict[str, Dataset]:
    return {name: load(sections[name], 42) for name in OFFLINE}


def parts(dataset: Dataset) -> list[Split]:
    return [p for p in (dataset.train, dataset.validation, dataset.test) if p is not None]


def test_the_table_is_named_by_its_rows() -> None:
    for name, source in SOURCES.items():
        assert source.name == name
        assert source.section.model_fields["source"].default == name
        assert next(iter(source.section.model_fields)) == "source"
        assert source.summary


@pytest.mark.parametrize("source", SOURCES)
def test_every_setting_is_described(source: str) -> None:
    settings = SOURCES[source].section
    described = descriptions(settings)
    assert list(described) == list(settings.model_fields)
    assert all(described.values())


@pytest.mark.parametrize("source", OFFLINE)
def test_shapes_and_types(datasets: dict[str, Dataset], source: str) -> None:
    dataset = datasets[source]
    assert dataset.name == source
    assert dataset.family in SOURCES[source].families
    for part in parts(dataset):
        assert part.x.shape[1:] == dataset.input_shape
        assert np.isfinite(part.x).all()
        assert part.x.flags.c_contiguous
        if dataset.family == "images":
            assert (part.x.ndim, part.x.dtype) == (4, np.uint8)
        else:
            assert (part.x.ndim, part.x.dtype) == (3, np.float32)
        if dataset.task == "classification":
            assert (part.y.ndim, part.y.dtype) == (1, np.int64)
        else:
            assert (part.y.shape[-1], part.y.dtype) == (1, np.float32)
    assert (dataset.series is not None) == (dataset.task == "forecast")


@pytest.mark.parametrize("source", OFFLINE)
def test_the_same_seed_gives_the_same_bytes(
    sections: dict[str, DataSection], datasets: dict[str, Dataset], source: str
) -> None:
    assert load(sections[source], 42).fingerprint() == datasets[source].fingerprint()


@pytest.mark.parametrize("source", OFFLINE)
def test_another_seed_splits_otherwise(
    sections: dict[str, DataSection], datasets: dict[str, Dataset], source: str
) -> None:
    same = load(sections[source], 7).fingerprint() == datasets[source].fingerprint()
    assert same == (source in CHRONOLOGICAL)


@pytest.mark.parametrize("source", OFFLINE)
def test_the_parts_share_no_sample(datasets: dict[str, Dataset], source: str) -> None:
    samples = [
        {x.tobytes() + y.tobytes() for x, y in zip(part.x, part.y, strict=True)}
        for part in parts(datasets[source])
    ]
    assert len(set().union(*samples)) == sum(len(part) for part in samples)


@pytest.mark.parametrize("source", CLASSIFIERS)
def test_classes_keep_their_proportions(datasets: dict[str, Dataset], source: str) -> None:
    dataset = datasets[source]
    shares = [np.bincount(p.y, minlength=len(dataset.classes)) / len(p) for p in parts(dataset)]
    for share in shares:
        assert np.abs(share - shares[0]).max() < 0.06


@pytest.mark.parametrize("source", [name for name in OFFLINE if name != "sine"])
def test_validation_zero_is_none(sections: dict[str, DataSection], source: str) -> None:
    without = sections[source].model_copy(update={"validation": 0.0})
    assert load(without, 42).validation is None


@pytest.mark.parametrize("source", ["csv", "table", "waves", "digits", "folder"])
def test_shares_that_leave_nothing_are_refused(source: str, tmp_path: Path) -> None:
    where = {"path": tmp_path} if source in {"csv", "table", "folder"} else {}
    (found,) = section(source, validation=0.6, test=0.5, **where).contradictions()
    assert found.keys == ("test", "validation")
    assert found.message == "validation 0.6 and test 0.5 leave nothing to train on"


@pytest.mark.parametrize("value", [1.0, -0.1, "0.1"])
def test_a_share_has_limits(value: object) -> None:
    with pytest.raises(ValidationError):
        section("digits", validation=value)


def test_importing_the_sources_is_cheap() -> None:
    script = (
        "import sys, nncli.data\n"
        "heavy = ('numpy', 'sklearn', 'PIL', 'keras', 'tensorflow')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
