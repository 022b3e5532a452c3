from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from nncli import listing, runs
from nncli.report import run_details
from nncli.results import EVALUATIONS, RunRow


def write(folder: Path, record: Any, metrics: Any = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    if metrics is not None:
        (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    return folder


METRICS = {
    "kind": "cnn", "task": "classification", "monitor": "val_loss", "epochs": 3, "best_epoch": 2,
    "train": {"loss": 0.4}, "validation": {"loss": 0.5}, "test": {"accuracy": 1.0},
}  # fmt: skip


def test_a_run_that_ends_while_it_is_looked_at_was_not_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "cnn" / "one", {"status": "running"}, METRICS)

    def ends(_: Path) -> bool:
        (folder / "run.json").write_text(json.dumps({"status": "finished"}), encoding="utf-8")
        return False

    monkeypatch.setattr(runs, "in_use", ends)
    assert listing.row_of(folder).status == "finished"


@pytest.mark.parametrize("status", ["finished", "interrupted", "failed"])
def test_the_best_epoch_is_that_of_the_monitored_metric(status: str, tmp_path: Path) -> None:
    row = listing.row_of(write(tmp_path / "cnn" / "one", {"status": status}, METRICS))
    assert (row.status, row.metric, row.value) == (status, "val_loss", 0.5)
    assert (row.epochs, row.best_epoch, row.test_value) == (3, 2, 1.0)
    assert row.started, "for want of it, when run.json was written"


@pytest.mark.parametrize(
    ("record", "metrics"),
    [
        ({"status": "finished"}, None),
        ({"status": "finished"}, []),
        ({"status": "finished"}, {"kind": "cnn"}),
        ({"status": "asleep"}, METRICS),
        ({"status": ["running"]}, METRICS),
        ([1, 2], None),
        (None, None),
    ],
)
def test_a_damaged_run_is_a_row(record: Any, metrics: Any, tmp_path: Path) -> None:
    write(tmp_path / "cnn" / "good", {"status": "finished"}, METRICS)
    write(tmp_path / "cnn" / "bad", record, metrics)
    bad, good = listing.rows(tmp_path)
    assert (bad.status, good.status) == ("damaged", "finished")
    assert bad.problem


@pytest.mark.parametrize("odd", [None, 7, "text", [1], {"a": {"b": 1}}, 1e400, True])
def test_files_of_strangers_are_no_mistake_of_ours(odd: Any, tmp_path: Path) -> None:
    """Any value in any place makes a row; what it cannot be is not known."""
    keys = ("data", "seconds", "started", "error", "versions", "device")
    record = {"status": "failed", **dict.fromkeys(keys, odd)}
    metrics = {**dict.fromkeys(METRICS, odd), "baselines": odd}
    folder = write(tmp_path / "cnn" / "one", record, metrics)
    (folder / "config.yaml").write_text("kind: cnn\n", encoding="utf-8")
    row = listing.row_of(folder)
    for by in listing.ORDERS:
        assert listing.ordered([row], by) == [row]
    assert listing.difference(folder, folder).settings == {}


def test_no_more_is_read_than_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "cnn" / "one", {"status": "finished"}, METRICS)
    for name in ("config.yaml", "history.csv", "layers.json", "model.keras", "predictions.npz"):
        (folder / name).touch()
    read: list[str] = []
    opened, really = Path.open, os.open

    def noted(path: Path, *arguments: Any, **named: Any) -> Any:
        read.append(path.name)
        return opened(path, *arguments, **named)

    def noted_too(path: Any, *arguments: Any, **named: Any) -> int:
        read.append(Path(path).name)
        return really(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", noted)
    monkeypatch.setattr(os, "open", noted_too)
    listing.rows(tmp_path)
    monkeypatch.undo()
    assert sorted(read) == ["metrics.json", "run.json"]


def test_losses_are_not_sorted_among_shares() -> None:
    def row(name: str, metric: str, value: float | None) -> RunRow:
        return RunRow(Path(name), name, "cnn", "finished", metric=metric, value=value)

    rows = [
        row("none", "", None),
        row("poor", "val_loss", 0.9),
        row("good", "val_accuracy", 0.9),
        row("better", "val_loss", 0.1),
        row("fair", "val_accuracy", 0.5),
    ]
    sorted_names = [each.name for each in listing.ordered(rows, "metric")]
    assert sorted_names == ["good", "fair", "better", "poor", "none"]
    assert listing.ordered(rows, "metric", reverse=True)[-1].name == "none"


def test_files_are_counted_in_folders_but_not_behind_links(tmp_path: Path) -> None:
    folder = write(tmp_path / "cnn" / "one", {"status": "failed"})
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "000003.state").write_bytes(b"12345")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "large").write_bytes(b"x" * 10_000)
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    files = listing.details(folder).files
    assert list(files) == ["checkpoints/", "link", "run.json"]
    assert files["checkpoints/"] == 5
    assert listing.size(folder) < 1000


def test_what_was_measured_later_is_listed_in_the_order_of_time(tmp_path: Path) -> None:
    record = {"status": "finished"}
    folder = write(tmp_path / "cnn" / "a", record, METRICS)
    for name, text in (
        ("photos-001", '{"started": "2026-02-01", "test": {"accuracy": 0.5, "samples": 8}}'),
        ("test-001", '{"started": "2026-01-01", "test": {"accuracy": 0.75, "samples": 9}}'),
        ("cut-001", '{"started": "2026'),
        ("empty-001", None),
    ):
        place = folder / EVALUATIONS / name
        place.mkdir(parents=True)
        if text is not None:
            (place / "evaluation.json").write_text(text)
    found = listing.details(folder)
    assert list(found.evaluations) == ["test-001", "photos-001"]
    told = dict(run_details._facts(found))
    assert told["measured"] == "photos-001: accuracy 50.0% of 8 samples"
