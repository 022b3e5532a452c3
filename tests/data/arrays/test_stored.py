"""Rows that are read one by one, from a file or from what was unpacked."""

from __future__ import annotations

import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncli.data.arrays.npy_file import open_npy, open_npz
from nncli.data.arrays.stored import RowWriter, check_regular, reading
from nncli.errors import DataError
from tests.data.made import write_npy, write_npz

NUMBERS = np.random.default_rng(0).normal(size=(50, 3, 2)).astype(np.float32)
ORDER = np.array([7, 8, 9, 3, 3, 49, 0])


def rows_of(folder: Path, how: str) -> Any:
    if how == "npy":
        return open_npy(write_npy(folder / "a.npy", NUMBERS)).rows()
    if how == "big-endian":
        return open_npy(write_npy(folder / "a.npy", NUMBERS.astype(">f4"))).rows()
    return open_npz(write_npz(folder / "a.npz", packed=how == "packed", a=NUMBERS))["a"].rows()


@pytest.mark.parametrize("how", ["npy", "big-endian", "stored", "packed"])
def test_rows_are_those_of_the_array(tmp_path: Path, how: str) -> None:
    rows = rows_of(tmp_path, how)
    assert (rows.shape, rows.dtype, len(rows), rows.ndim) == ((50, 3, 2), np.float32, 50, 3)
    assert np.array_equal(rows[ORDER], NUMBERS[ORDER])
    assert np.array_equal(rows[10:13], NUMBERS[10:13])
    assert np.array_equal(rows[:], NUMBERS)
    assert rows[np.array([], dtype=np.intp)].shape == (0, 3, 2)
    taken = rows.take(np.arange(50)[::-1])
    assert np.array_equal(taken[ORDER], NUMBERS[::-1][ORDER])


def test_many_threads_read_what_one_reads(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "npy")
    orders = [np.random.default_rng(i).permutation(50) for i in range(200)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda order: rows[order], orders))
    assert all(np.array_equal(x, NUMBERS[o]) for x, o in zip(found, orders, strict=True))


def test_a_system_without_reading_at_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "preadv", raising=False)
    test_many_threads_read_what_one_reads(tmp_path)


def test_a_file_that_is_deleted_stays_readable_and_one_that_is_cut_is_named(
    tmp_path: Path,
) -> None:
    rows = rows_of(tmp_path, "npy")
    path = tmp_path / "a.npy"
    os.truncate(path, 600)
    assert np.array_equal(rows[:5], NUMBERS[:5])
    with pytest.raises(DataError, match=r"a\.npy ends before sample 41: it was changed"):
        rows[np.array([1, 40])]
    rows = rows_of(tmp_path, "npy")
    path.unlink()
    assert np.array_equal(rows[:], NUMBERS)


def test_a_file_that_is_cut_before_it_is_opened(tmp_path: Path) -> None:
    array = open_npy(write_npy(tmp_path / "a.npy", NUMBERS))
    os.truncate(tmp_path / "a.npy", 600)
    for read in (array.load, array.rows):
        with pytest.raises(DataError, match="is cut short"):
            read()


def test_columns_first_are_read_whole_only(tmp_path: Path) -> None:
    array = open_npy(write_npy(tmp_path / "a.npy", np.asfortranarray(NUMBERS)))
    assert np.array_equal(array.load(), NUMBERS)
    with pytest.raises(DataError, match="column by column") as caught:
        array.rows()
    assert "raise data.memory_limit" in (caught.value.hint or "")


def test_files_are_closed_and_temporary_ones_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.exists() else None
    for how in ("npy", "stored", "packed"):
        rows = rows_of(tmp_path, how)
        assert list((tmp_path / "temporary").iterdir()) == []
        del rows
    writer = RowWriter((50, 3, 2), np.float32)
    writer.add(NUMBERS[:20])
    writer.add(NUMBERS[20:])
    rows = writer.rows()
    assert np.array_equal(rows[ORDER], NUMBERS[ORDER])
    del rows, writer
    if before is not None:
        assert len(list(descriptors.iterdir())) == before


def test_a_full_disk_is_told_before_it_is_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = open_npz(write_npz(tmp_path / "a.npz", packed=True, a=NUMBERS))["a"]

    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    with pytest.raises(DataError, match=r"but .* has 0 MB") as caught:
        array.rows()
    assert "TMPDIR" in (caught.value.hint or "")
    with pytest.raises(DataError, match="the 50 samples to keep"):
        RowWriter((50, 3, 2), np.float32)


def test_a_pipe_or_a_device_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npy")
    done = threading.Event()

    def attempt() -> None:
        with pytest.raises(DataError, match="is a pipe or a device"):
            open_npy(tmp_path / "a.npy")
        done.set()

    threading.Thread(target=attempt, daemon=True).start()
    assert done.wait(10)
    with pytest.raises(DataError, match="is a pipe or a device"):
        check_regular(Path("/dev/zero"))


def test_reading_explains_and_lets_other_things_pass() -> None:
    for raised, said in (
        (FileNotFoundError(), "does not exist"),
        (IsADirectoryError(), "is a folder"),
        (PermissionError(13, "Permission denied"), "no permission"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (EOFError(), "cannot be read: EOFError"),
    ):
        with pytest.raises(DataError, match=f"a.npy.*{said}") as caught, reading("a.npy"):
            raise raised
        assert caught.value.hint
    for passed in (DataError("mine"), KeyboardInterrupt(), MemoryError()):
        with pytest.raises(type(passed)) as unchanged, reading("a.npy"):
            raise passed
        assert unchanged.value is passed
