"""Data that must not be trained on: refused by the command before anything is written.

Each gets exit code 3 and two lines: what is wrong, naming the file, the row or the key, and what
to do. What is wrong in text files is in the tests of their sources.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nncli.cli import main
from tests.data.made import (
    images,
    picture,
    signals,
    write_bomb,
    write_folder,
    write_idx,
    write_npy,
    write_npz,
    write_pair,
)

X, Y = images()
GREY = X[..., 0]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


class Refused:
    """Trains on data, and holds what the command says of it against what it should say."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys

    def __call__(
        self, source: str, path: Path, *said: str, kind: str = "cnn", advice: str = "", **keys: Any
    ) -> None:
        """Expect a refusal.

        Args:
            source: of the data.
            path: of the data.
            said: what the message has in it.
            kind: what is to be trained.
            advice: what the hint has in it.
            keys: more settings of the data.
        """
        out = self.root / "out"
        settings = {"source": source, "path": path, **keys}
        sets = [f"data.{key}={json.dumps(value, default=str)}" for key, value in settings.items()]
        arguments = [word for text in sets for word in ("--set", text)]
        self.capsys.readouterr()
        code = main(["train", kind, "--device", "cpu", "--output", str(out), *arguments])
        captured = self.capsys.readouterr()
        assert code == 3, captured.err
        assert captured.out == ""
        message, hint = captured.err.rstrip("\n").split("\n")
        assert message.startswith("error: ")
        assert hint.startswith("help: ")
        for text in said:
            assert text in message
        assert advice in hint
        assert [entry for entry in out.rglob("*") if not entry.is_dir()] == []


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    return Refused(tmp_path, capsys)


# arrays: damaged files


@pytest.mark.parametrize("memory_limit", [1000, 0])
@pytest.mark.parametrize("left", ["nothing", "a few bytes", "half", "all but the end"])
@pytest.mark.parametrize("name", ["x.npy", "a.npz", "packed.npz", "x-idx3", "x-idx3.gz"])
def test_truncated_files(
    data: Path, refused: Refused, name: str, left: str, memory_limit: int
) -> None:
    path = data / name
    labels: dict[str, Any] = {}
    source = "npz"
    if path.suffix == ".npz":
        write_npz(path, packed=name == "packed.npz", x=X, y=Y)
    elif path.suffix == ".npy":
        source, labels = "npy", {"labels": write_npy(data / "l.npy", Y)}
        write_npy(path, X)
    else:
        source, labels = "idx", {"labels": write_idx(data / "l-idx1", Y.astype(np.uint8))}
        write_idx(path, GREY)
    raw = path.read_bytes()
    size = {"nothing": 0, "a few bytes": 9, "half": len(raw) // 2, "all but the end": len(raw) - 3}
    path.write_bytes(raw[: size[left]])
    refused(source, path, str(path), memory_limit=memory_limit, **labels)


def test_truncated_labels(data: Path, refused: Refused) -> None:
    path = write_pair(data, X, Y)
    labels = data / "y.npy"
    labels.write_bytes(labels.read_bytes()[:-9])
    refused("npy", path, f"{labels} is cut short: 471 of 480 bytes")


def test_a_wrong_byte_in_an_archive(data: Path, refused: Refused) -> None:
    path = write_npz(data / "a.npz", packed=True, x=X, y=Y)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 64
    path.write_bytes(raw)
    refused("npz", path, "a.npz [x] cannot be read", advice="copy or download it again")


# arrays: hostile files


class Trap:
    def __reduce__(self) -> Any:
        return os.mkdir, ("it-was-unpickled",)


@pytest.fixture
def trapped(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Objects that leave a folder behind when they are unpickled."""
    monkeypatch.chdir(data)
    objects = np.empty(60, object)
    objects[:] = [Trap() for _ in range(60)]
    yield objects
    assert not (data / "it-was-unpickled").exists()


def test_a_pickle_in_disguise(data: Path, refused: Refused, trapped: Any) -> None:
    path = write_pair(data, trapped, Y)
    refused("npy", path, "x.npy holds Python objects (a pickle)", advice="nothing is unpickled")
    refused("npy", write_pair(data, X, trapped), "y.npy holds Python objects (a pickle)")
    archive = write_npz(data / "a.npz", x=trapped, y=Y)
    refused("npz", archive, "a.npz [x] holds Python objects (a pickle)")
    labels = write_npy(data / "l.npy", Y)
    for source, said in (("npy", "is not a .npy file"), ("idx", "is not an idx file")):
        path.write_bytes(pickle.dumps(Trap()))
        refused(source, path, "x.npy", said, labels=labels)
    refused("npz", path, "x.npy cannot be read: File is not a zip file")


def test_a_header_of_16_gigabytes(data: Path, refused: Refused) -> None:
    path = write_pair(data, X, Y)
    path.write_bytes(b"\x93NUMPY\x02\0" + (0xFFFFFFFF).to_bytes(4, "little") + b" " * 99)
    refused("npy", path, "x.npy has a header of 4,294,967,295 bytes: refused")
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2000000000, 1, 1), }"
    path.write_bytes(b"\x93NUMPY\x01\0v\0" + text.ljust(117) + b"\n")
    refused("npy", path, "x.npy is cut short: 0 of 16,000,000,000 bytes")


def test_files_that_unpack_to_gigabytes(data: Path, refused: Refused) -> None:
    path = write_bomb(data / "a.npz", 10**9)
    refused("npz", path, "a.npz [x] unpacks", "to 1,000,000,000: refused")
    path = data / "x-idx3.gz"
    path.write_bytes(gzip.compress(b"\0\0\x08\x03" + b"\0\0\x04\0" * 3 + bytes(99)))
    labels = write_idx(data / "l-idx1", Y.astype(np.uint8))
    refused("idx", path, "x-idx3.gz promises 1,073,741,824 bytes", labels=labels)


def test_a_pipe_does_not_hang(data: Path, refused: Refused) -> None:
    for source in ("npz", "npy", "idx"):
        path = data / f"x.{source}"
        os.mkfifo(path)
        labels = {} if source == "npz" else {"labels": path}

        def attempt(source: str = source, path: Path = path, labels: Any = labels) -> None:
            refused(source, path, f"{path.name} is a pipe or a device", **labels)

        within_10_seconds(attempt)


def within_10_seconds(work: Callable[[], None]) -> None:
    """Fail where it never ends, instead of waiting with it."""
    from nncli import process

    failed: list[BaseException] = []
    done = threading.Event()

    def attempt() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)
        done.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "catch_signals", dict)  # the main thread's alone
        threading.Thread(target=attempt, daemon=True).start()
        assert done.wait(10), "it hangs"
    if failed:
        raise failed[0]


# arrays: labels and numbers

NAMES = ["a", "b", "c"]


def fifth(label: Any, others: Any = Y) -> Any:
    return np.where(np.arange(60) == 4, label, others)


LABELS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "out of range": (fifth(7), "[y], sample 5: label 7", {"class_names": NAMES}),
    "below 0": (fifth(-1), "[y], sample 5: label -1", {"class_names": NAMES}),
    "unlabelled": (fifth(-1), "[y] has label -1 beside 0 to 2", {}),
    "of one class": (np.ones(60), "[y]: every label is '1'; at least two", {}),
    "halves": (fifth(0.5), "[y], sample 5: label 0.5 is not a whole number", {}),
    "missing": (fifth(np.nan), "[y], sample 5: label nan is not a whole number", {}),
    "without a text": (fifth("", "owl"), "[y], sample 5 has no label", {}),
    "too few": (Y[:59], "[x] has 60 samples, but", {}),
    "too many": (np.append(Y, 0), "[y] has 61 labels", {}),
    "two each": (np.stack([Y, Y], 1), "[y], sample 1: a row of 2 numbers is not one-hot", {}),
    "of a class that is nowhere": (Y, "no sample of class 'd'", {"class_names": [*NAMES, "d"]}),
}


@pytest.mark.parametrize("what", LABELS)
def test_labels(data: Path, refused: Refused, what: str) -> None:
    labels, said, keys = LABELS[what]
    path = write_npz(data / "a.npz", x=X, y=labels)
    refused("npz", path, "a.npz", said, **keys)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["cnn", "lstm"])
def test_numbers_that_are_none(data: Path, refused: Refused, kind: str, number: float) -> None:
    x, y = (X / 255, Y) if kind == "cnn" else signals()
    x[7, 3, 1] = number
    path = write_npz(data / "a.npz", x=x, y=y)
    for limit in (1000, 0):
        said = "a.npz [x], sample 8 holds a number that is not finite"
        refused("npz", path, said, kind=kind, memory_limit=limit)


def test_arrays_that_are_not_there(data: Path, refused: Refused) -> None:
    path = write_npz(data / "a.npz", pictures=X, y=Y)
    refused("npz", path, "a.npz has no array of inputs", advice="set data.x to its name")
    refused("npz", path, "has no array 'picures'", x="picures", advice="did you mean 'pictures'?")


def test_what_is_trained_on_is_not_measured(data: Path, refused: Refused) -> None:
    path = write_npz(data / "a.npz", x_train=X, y_train=Y, x_test=X, y_test=Y)
    refused("npz", path, "no sample of class '0' is left", "after 60 copies of others")


# folders


def test_what_is_no_folder(data: Path, refused: Refused) -> None:
    refused("folder", data / "cats", "cats does not exist", advice="set data.path")
    picture(1).save(data / "cat.png")
    refused("folder", data / "cat.png", "cat.png is not a folder")
    refused("folder", data / ("x" * 300), "xxx cannot be read")


def test_what_is_no_file(data: Path, refused: Refused) -> None:
    for source in ("npz", "npy", "idx"):
        refused(source, data / "a.bin", "a.bin does not exist")
    refused("npz", data, f"{data} is a folder")
    refused("npy", data, f"{data} holds no files of inputs", advice="x_train.npy")
    refused("idx", data, f"{data} holds no files of inputs", advice="train-images-idx3-ubyte")


def test_an_empty_folder(data: Path, refused: Refused) -> None:
    refused("folder", data, f"{data} has no folders in it", advice="named as the classes")
    (data / ".hidden").mkdir()
    picture(1).save(data / ".hidden" / "1.png")
    refused("folder", data, f"{data} has no folders in it")


def test_an_empty_class(data: Path, refused: Refused) -> None:
    write_folder(data)
    (data / "owl").mkdir()
    (data / "owl" / "owl.txt").write_text("an owl")
    refused("folder", data, "owl has no pictures", advice="or remove the folder")


def test_one_class(data: Path, refused: Refused) -> None:
    write_folder(data, ("cat",))
    (data / ".dog").mkdir()
    refused("folder", data, "has one class folder, 'cat'; at least two are needed")


def test_a_class_that_is_called_twice(data: Path, refused: Refused) -> None:
    write_folder(data, ("é", "e\u0301", "z"))
    if len(list(data.iterdir())) == 3:
        refused("folder", data, "two folders that are both called 'é'")


def test_two_pictures_of_a_class(data: Path, refused: Refused) -> None:
    write_folder(data, count=2)
    said = "(the smallest has 2) are too few to take 1 for the test part"
    refused("folder", data, said, test=0.2, advice="give more samples of each class")


def jpeg_of_16000() -> bytes:
    """A small JPEG that says it is large."""
    file = io.BytesIO()
    picture(1).save(file, format="JPEG")
    raw = bytearray(file.getvalue())
    at = raw.index(b"\xff\xc0") + 5
    raw[at : at + 4] = (16000).to_bytes(2, "big") * 2
    return bytes(raw)


def cut_jpeg(path: Path) -> None:
    picture(1, 90, 90).save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[:-900])


def link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:70]), ""),
    "empty": (lambda path: path.write_bytes(b""), "not a picture"),
    "text": (lambda path: path.write_text("a cat"), "not a picture"),
    "an archive": (lambda path: path.write_bytes(b"PK\3\4" + bytes(99)), "not a picture"),
    "another format": (lambda path: picture(1).save(path, format="TIFF"), "not a picture"),
    "a cut JPEG": (cut_jpeg, ""),
    "noise": (lambda path: path.write_bytes(b"\xff\xd8\xff" + bytes(range(256))), ""),
    "a bomb": (lambda path: Image.new("1", (16000, 16000)).save(path), "more than 89 megapixels"),
    "a JPEG bomb": (lambda path: path.write_bytes(jpeg_of_16000()), "more than 89 megapixels"),
    "a dead link": (lambda path: link(path, "nothing.png"), "no such file or directory"),
    "a circular link": (lambda path: link(path, path.name), "too many levels of symbolic links"),
    "a link to a device": (lambda path: link(path, "/dev/zero"), "no file, but a pipe or a device"),
    "a pipe": (pipe, "no file, but a pipe or a device"),
}


def test_bad_pictures_among_good_ones(
    data: Path, refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    """All are found in one go, and named."""
    write_folder(data)
    paths = {what: data / "dog" / f"{i:03}.png" for i, what in enumerate(SPOILT)}
    for what, (spoil, _) in SPOILT.items():
        spoil(paths[what])
    said = f"{len(SPOILT)} picture(s) cannot be read: {paths['cut']}"

    def attempt() -> None:
        refused("folder", data, said, f"and {len(SPOILT) - 5} more", advice="repair or remove them")

    within_10_seconds(attempt)
    places = found(data)
    assert [place.split(" (")[0] for place in places] == [str(path) for path in paths.values()]
    for place, (what, (_, reason)) in zip(places, SPOILT.items(), strict=True):
        assert reason in place, what


def found(data: Path) -> tuple[str, ...]:
    from nncli.data import load
    from nncli.errors import DataError
    from tests.data.made import section

    with pytest.raises(DataError) as caught:
        load(section("folder", path=data), 0)
    return caught.value.places


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_what_may_not_be_read(data: Path, refused: Refused) -> None:
    path = write_npz(data / "a.npz", x=X, y=Y)
    path.chmod(0)
    refused("npz", path, "a.npz cannot be read: you have no permission")
    write_folder(data)
    (data / "cat" / "003.png").chmod(0)
    refused("folder", data, "1 picture(s) cannot be read", "003.png (permission denied)")
    (data / "cat").chmod(0)
    refused("folder", data, "cat cannot be read: Permission denied")
    (data / "cat").chmod(0o700)


def test_links_in_circles_end(data: Path, refused: Refused) -> None:
    """Nothing is read twice: there are two pictures of each class, and no more."""
    write_folder(data, count=2)
    (data / "cat" / "up").symlink_to(data)
    (data / "dog" / "self").symlink_to(data / "dog")
    refused("folder", data, "4 samples of 2 classes")


def test_tensorflow_is_not_waited_for(data: Path) -> None:
    """What is wrong with the data is said before the seconds that it takes to import."""
    write_folder(data / "pets")
    (data / "pets" / "dog" / "000.png").write_bytes(b"")
    path = write_npz(data / "a.npz", x=X, y=np.ones(60))
    images_of = write_idx(data / "x-idx3.gz", GREY)
    images_of.write_bytes(images_of.read_bytes()[:-5])
    sources = [("folder", data / "pets"), ("npz", path), ("idx", images_of)]
    write_idx(data / "y-idx3.gz", Y.astype(np.uint8))
    script = (
        "import sys\n"
        "from nncli.cli import main\n"
        "for source, path in zip(sys.argv[2::2], sys.argv[3::2]):\n"
        "    print(main(['train', 'cnn', '-o', sys.argv[1], '--set', f'data.source={source}',\n"
        "                '--set', f'data.path={path}']))\n"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])\n"
    )
    words = [str(word) for pair in sources for word in pair]
    result = subprocess.run(
        [sys.executable, "-c", script, str(data / "out"), *words],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    assert result.stdout.split() == ["3", "3", "3", "[]"], result.stderr
