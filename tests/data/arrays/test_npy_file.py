"""What is believed of a `.npy` or `.npz` file, and what is not."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nncli.data.arrays.npy_file import open_npy, open_npz
from nncli.errors import DataError
from tests.data.made import write_bomb, write_npy, write_npz

ARRAYS = {
    "bytes": np.arange(24, dtype=np.uint8).reshape(4, 3, 2),
    "big-endian": np.linspace(0, 1, 12, dtype=">f4").reshape(3, 4),
    "columns first": np.asfortranarray(np.arange(24, dtype=np.int16).reshape(2, 3, 4)),
    "texts": np.array(["猫", "chien", "כלב"]),
    "bytes of text": np.array([b"cat", b"dog"]),
    "booleans": np.array([[True, False]]),
    "one number": np.array(3.5),
    "none": np.zeros((0, 3)),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("packed", [None, False, True])
def test_what_numpy_wrote_is_read(tmp_path: Path, name: str, packed: bool | None) -> None:
    array = ARRAYS[name]
    if packed is None:
        stored = open_npy(write_npy(tmp_path / "a.npy", array))
    else:
        stored = open_npz(write_npz(tmp_path / "a.npz", packed=packed, a=array))["a"]
    assert stored.shape == array.shape
    assert stored.size == array.nbytes
    loaded = stored.load()
    assert np.array_equal(loaded, array)
    assert loaded.dtype == array.dtype.newbyteorder("=")
    assert loaded.flags.c_contiguous


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format(tmp_path: Path, version: tuple[int, int]) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, np.arange(5), version=version)
    assert open_npy(tmp_path / "a.npy").load().tolist() == [0, 1, 2, 3, 4]


def header(text: str, numbers: bytes = b"", version: int = 1) -> bytes:
    raw = text.encode("latin1") + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(raw))
    return b"\x93NUMPY" + bytes([version, 0]) + length + raw + numbers


def described(dtype: str, shape: str, numbers: bytes = b"") -> bytes:
    return header(f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}", numbers)


def test_a_header_of_python_2_is_read_in_silence(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "a.npy").write_bytes(described("'<i2'", "(3L,)", bytes(6)))
    assert open_npy(tmp_path / "a.npy").load().tolist() == [0, 0, 0]
    assert not recwarn.list


BROKEN = {
    "nothing": (b"", "is not a .npy file"),
    "text": (b"1,2,3\n", "is not a .npy file"),
    "pickle": (pickle.dumps([1, 2]), "is not a .npy file"),
    "magic alone": (b"\x93NUMPY", "is not a .npy file"),
    "16 GB of header": (b"\x93NUMPY\x02\0\xff\xff\xff\xff", "a header of 4,294,967,295 bytes"),
    "cut in the header": (described("'<f4'", "(3,)")[:30], "a damaged header"),
    "cut in the numbers": (described("'<f4'", "(3,)", bytes(11)), "is cut short: 11 of 12 bytes"),
    "too long": (described("'<f4'", "(3,)", bytes(13)), "13 of 12 bytes"),
    "nested brackets": (header("(" * 30_000), "a damaged header"),
    "nested signs": (header("-" * 30_000 + "1"), "a damaged header"),
    "no dictionary": (header("[]"), "a damaged header"),
    "no type": (described("()", "(3,)"), "a damaged header"),
    "code": (header("__import__('os').system('true')"), "a damaged header"),
    "an open bracket": (header("{'descr': '<f4', 'shape': (3L,"), "a damaged header"),
    "a zero byte": (header("{'descr'\0"), "a damaged header"),
    "less than nothing": (described("'<f4'", "(-1,)"), "a damaged header"),
    "more than there is": (described("'<f8'", "(1000000, 1000000)"), "is cut short"),
    "beyond 64 bits": (described("'|u1'", f"({2**70},)"), "is cut short"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_files_are_named(tmp_path: Path, what: str) -> None:
    raw, said = BROKEN[what]
    (tmp_path / "a.npy").write_bytes(raw)
    with pytest.raises(DataError) as caught:
        open_npy(tmp_path / "a.npy")
    assert caught.value.message.startswith(str(tmp_path / "a.npy"))
    assert said in caught.value.message
    assert len(caught.value.message) < len(str(tmp_path)) + 200
    assert caught.value.hint
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("good.npy", described("'|u1'", "(1,)", b"\1"))
        archive.writestr("bad.npy", raw)
    with pytest.raises(DataError) as caught:
        open_npz(tmp_path / "b.npz")
    assert caught.value.message.startswith(f"{tmp_path / 'b.npz'} [bad]")
    assert said in caught.value.message


def test_python_objects_are_told_apart_and_not_read(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return pytest.fail, ("it was unpickled",)

    objects = np.empty(2, object)
    objects[:] = [Trap(), Trap()]
    stored = open_npy(write_npy(tmp_path / "a.npy", objects))
    assert stored.dtype.kind == "O"
    write_npz(tmp_path / "a.npz", a=objects, b=np.arange(3))
    assert open_npz(tmp_path / "a.npz")["b"].load().tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_wrong_byte_in_an_archive_is_noticed(tmp_path: Path, method: int) -> None:
    numbers = np.random.default_rng(0).integers(0, 256, 3000, dtype=np.uint8)
    raw = io.BytesIO()
    np.save(raw, numbers)
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.npy", raw.getvalue())
    stored = open_npz(path)["a"]
    assert np.array_equal(stored.load(), numbers)
    assert np.array_equal(stored.rows()[:], numbers)
    spoilt = bytearray(path.read_bytes())
    spoilt[2000] ^= 1
    path.write_bytes(spoilt)
    for read in (stored.load, stored.rows):
        with pytest.raises(DataError, match=r"a\.npz \[a\] cannot be read"):
            read()


def test_what_is_no_archive(tmp_path: Path) -> None:
    path = write_npy(tmp_path / "a.npz.npy", np.arange(3)).rename(tmp_path / "a.npz")
    with pytest.raises(DataError, match="not a zip file"):
        open_npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing else")
    with pytest.raises(DataError, match="holds no arrays"):
        open_npz(path)
    with pytest.raises(DataError, match="does not exist"):
        open_npz(tmp_path / "b.npz")
    with pytest.raises(DataError, match="is a folder"):
        open_npz(tmp_path)


def test_other_members_of_an_archive_do_not_matter(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "a.npz", x=np.arange(4))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("readme.txt", "x counts")
    assert list(open_npz(path)) == ["x"]


def test_an_archive_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    path = write_bomb(tmp_path / "bomb.npz", 300_000_000)
    with pytest.raises(DataError, match=r"bomb\.npz \[x\] unpacks .* to 300,000,000: refused"):
        open_npz(path)


def test_what_packs_well_and_is_small_is_no_bomb(tmp_path: Path) -> None:
    zeros = np.zeros(2_000_000, np.uint8)
    path = write_npz(tmp_path / "a.npz", packed=True, a=zeros)
    assert path.stat().st_size < 4_000
    assert open_npz(path)["a"].load().sum() == 0
