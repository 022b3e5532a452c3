from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from nncli.data.arrays.idx_file import open_idx
from nncli.errors import DataError
from tests.data.made import write_idx

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["images-idx3-ubyte", "images-idx3-ubyte.gz"])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_all_types_are_read(tmp_path: Path, name: str, dtype: str) -> None:
    array = (IMAGES.astype(np.float64) - 100).astype(dtype)
    stored = open_idx(write_idx(tmp_path / name, array))
    assert stored.shape == (5, 4, 3)
    assert np.array_equal(stored.load(), array)
    rows = stored.rows()
    assert rows.dtype == array.dtype
    assert np.array_equal(rows[np.array([4, 0])], array[[4, 0]])


def test_a_name_does_not_say_whether_it_is_packed(tmp_path: Path) -> None:
    packed = write_idx(tmp_path / "a.gz", IMAGES).rename(tmp_path / "a-idx3-ubyte")
    plain = write_idx(tmp_path / "a", IMAGES).rename(tmp_path / "b-idx3-ubyte.gz")
    for path in (packed, plain):
        assert np.array_equal(open_idx(path).load(), IMAGES)


HEAD = bytes([0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 4])
BROKEN = {
    "nothing": (b"", "it begins with nothing"),
    "text": (b"label,pixel\n", "it begins with 6c 61 62 65"),
    "an unknown type": (b"\0\0\x0a\1" + bytes(8), "is not an idx file"),
    "no dimensions": (b"\0\0\x08\0" + bytes(8), "is not an idx file"),
    "200 dimensions": (b"\0\0\x08\xc8" + bytes(900), "is not an idx file"),
    "cut in the header": (HEAD[:9], "is cut short: 9 of 12 bytes"),
    "cut in the numbers": (HEAD + bytes(11), "is cut short: 23 of 24 bytes"),
    "too long": (HEAD + bytes(13), "25 of 24 bytes"),
    "2 ** 64 samples": (b"\0\0\x08\2" + b"\xff" * 8 + bytes(9), "is cut short"),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("packed", [False, True])
def test_broken_files_are_named(tmp_path: Path, what: str, packed: bool) -> None:
    raw, said = BROKEN[what]
    path = tmp_path / "labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    with pytest.raises(DataError) as caught:
        open_idx(path).load()
    assert caught.value.message.startswith(str(path))
    assert caught.value.hint
    if packed and "of 24 bytes" in said:
        assert "12 bytes" in caught.value.message  # it counts the numbers alone
    elif not (packed and what == "2 ** 64 samples"):
        assert said in caught.value.message


def test_a_packed_file_that_promises_too_much(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"\0\0\x08\2" + b"\xff" * 8 + bytes(90)))
    with pytest.raises(DataError, match="promises 18,446,744,065,119,617,025 bytes in a file of"):
        open_idx(tmp_path / "a.gz")


@pytest.mark.parametrize("where", [0.2, 0.9, 0.999])
def test_a_packed_file_that_was_cut_or_changed(tmp_path: Path, where: float) -> None:
    path = write_idx(tmp_path / "a.gz", np.resize(IMAGES, (50, 40, 30)))
    whole = path.read_bytes()
    at = int(len(whole) * where)
    for raw in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
        path.write_bytes(raw)
        for read in ("load", "rows"):
            with pytest.raises(DataError, match=r"a\.gz"):
                getattr(open_idx(path), read)()
