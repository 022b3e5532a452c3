from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from nncli import backend
from nncli.config import Contradiction
from nncli.data import load
from nncli.data.dataset import Dataset, Split
from nncli.data.images import keras_sets
from nncli.data.images.class_names import CIFAR100_CLASSES
from nncli.data.samples import Samples
from nncli.errors import DataError
from tests.data.made import (
    REAL,
    needs_real_data,
    picture,
    section,
    write_fashion,
    write_folder,
)

# digits


def test_digits() -> None:
    dataset = load(section("digits"), 42)
    assert dataset.input_shape == (28, 28, 1)
    assert [len(p) for p in (dataset.train, dataset.test)] == [1168, 359]
    assert dataset.validation is not None
    assert len(dataset.validation) == 270
    assert (dataset.train.x.min(), dataset.train.x.max()) == (0, 255)
    assert dataset.classes == tuple("0123456789")


def test_digits_of_some_classes_are_numbered_anew() -> None:
    all_ten = load(section("digits"), 1)
    dataset = load(section("digits", classes=[7, 3], size=16), 1)
    assert dataset.classes == ("7", "3")
    assert dataset.input_shape == (16, 16, 1)
    assert set(np.unique(dataset.test.y)) == {0, 1}
    assert len(dataset.test) < len(all_ten.test)


def test_few_labelled_digits_keep_the_other_parts() -> None:
    everything, few = load(section("digits"), 5), load(section("digits", train_per_class=3), 5)
    assert np.bincount(few.train.y).tolist() == [3] * 10
    assert np.array_equal(few.test.x, everything.test.x)
    train = {x.tobytes() for x in everything.train.x}
    assert all(x.tobytes() in train for x in few.train.x)


@pytest.mark.parametrize("classes", [[3], []])
def test_digits_need_two_classes(classes: list[int]) -> None:
    with pytest.raises(ValidationError, match="at least 2 items"):
        section("digits", classes=classes)


def test_a_digit_is_one_class() -> None:
    (found,) = section("digits", classes=[3, 5, 3]).contradictions()
    assert found.keys == ("classes",)
    assert found.message == "[3, 5, 3]: a digit twice"


def test_digits_go_from_0_to_9() -> None:
    with pytest.raises(ValidationError):
        section("digits", classes=[3, 10])


# Keras's sets


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Keras home of our own; Keras reads the variable only once, when it is imported."""
    folder = tmp_path / "keras"
    folder.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(folder))
    backend.keras()
    from keras.src.backend import config

    monkeypatch.setattr(config, "_KERAS_DIR", str(folder))
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.error import URLError

    from keras.src.utils import file_utils

    def refuse(*args: object, **more: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(file_utils, "urlretrieve", refuse)


def test_a_set_is_read_from_the_cache(
    home: Path, offline: None, capfd: pytest.CaptureFixture[str]
) -> None:
    write_fashion(home, train=100, test=30)
    dataset = load(section("fashion-mnist", validation=0.2), 0)
    assert dataset.input_shape == (28, 28, 1)
    assert dataset.validation is not None
    sizes = [len(part) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sizes == [80, 20, 30]
    assert dataset.classes[9] == "Ankle boot"
    assert (dataset.train.x.dtype, dataset.train.y.dtype) == (np.uint8, np.int64)
    assert capfd.readouterr().out == ""


def test_a_limit_takes_the_same_share_of_both_parts(home: Path, offline: None) -> None:
    write_fashion(home, train=200, test=100)
    dataset = load(section("fashion-mnist", limit=100, train_per_class=2, validation=0.2), 0)
    assert dataset.validation is not None
    assert np.bincount(dataset.train.y).tolist() == [2] * 10
    assert np.bincount(dataset.validation.y).tolist() == [2] * 10
    assert np.bincount(dataset.test.y).tolist() == [5] * 10
    assert "of the 300 images" in dataset.notes[0]


@pytest.mark.parametrize("limit", [195, 199])
def test_a_limit_that_leaves_out_a_few_takes_any_of_them(
    limit: int, home: Path, offline: None
) -> None:
    write_fashion(home, train=200, test=100)
    dataset = load(section("fashion-mnist", limit=limit, validation=0.0), 0)
    assert len(dataset.train) == limit
    assert len(dataset.test) == round(limit / 2)
    assert len({x.tobytes() for x in dataset.train.x}) == limit
    again = load(section("fashion-mnist", limit=limit, validation=0.0), 0)
    assert again.fingerprint() == dataset.fingerprint()
    other = load(section("fashion-mnist", limit=limit, validation=0.0), 1)
    assert other.fingerprint() != dataset.fingerprint()


def test_a_limit_of_everything_is_no_limit(home: Path, offline: None) -> None:
    write_fashion(home, train=200, test=100)
    everything = load(section("fashion-mnist"), 0)
    for limit in (200, 10_000):
        assert load(section("fashion-mnist", limit=limit), 0).notes == everything.notes == ()


@pytest.mark.parametrize("validation", [0.0, 0.1, 0.4])
@pytest.mark.parametrize(("source", "classes"), [("mnist", 10), ("cifar100", 100)])
def test_a_limit_too_small_for_every_class_is_told_the_least(
    source: str, classes: int, validation: float
) -> None:
    def told(limit: int) -> list[Contradiction]:
        return list(section(source, limit=limit, validation=validation).contradictions())

    (found,) = told(classes)
    assert found.keys == ("limit", "validation")
    least = int(found.advice.split()[-1].replace(",", ""))
    assert told(least - 1)
    assert told(least) == []


def test_a_limit_below_the_classes_is_refused(home: Path, offline: None) -> None:
    write_fashion(home)
    with pytest.raises(DataError, match="too few to take 5 for the training part"):
        load(section("fashion-mnist", limit=5), 0)


def test_a_cut_file_is_named_and_kept(home: Path, offline: None) -> None:
    path = write_fashion(home) / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged") as caught:
        load(section("fashion-mnist"), 0)
    assert "https://storage.googleapis.com" in (caught.value.hint or "")
    assert path.exists()


def test_files_of_two_sets_are_refused(home: Path, offline: None) -> None:
    folder = write_fashion(home)
    shutil.copy(folder / "t10k-labels-idx1-ubyte.gz", folder / "train-labels-idx1-ubyte.gz")
    with pytest.raises(DataError, match="Fashion-MNIST cannot be read"):
        load(section("fashion-mnist"), 0)


@pytest.mark.parametrize(
    ("source", "place", "address"),
    [
        ("mnist", "mnist.npz", "tf-keras-datasets/mnist.npz"),
        ("cifar10", "cifar-10-batches-py-target_archive", "cifar-10-python.tar.gz"),
        ("cifar100", "cifar-100-python-target_archive", "cifar-100-python.tar.gz"),
        ("fashion-mnist", "fashion-mnist/t10k-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    ],
)
@pytest.mark.usefixtures("offline")
class TestAddresses:
    def test_offline_says_what_to_put_where(
        self, home: Path, source: str, place: str, address: str
    ) -> None:
        with pytest.raises(DataError, match="could not be downloaded") as caught:
            load(section(source), 0)
        assert f"{address} as {home / 'datasets' / place}" in (caught.value.hint or "")

    def test_a_wrong_file_is_named_and_kept(
        self, home: Path, source: str, place: str, address: str
    ) -> None:
        assert address
        path = home / "datasets" / place
        path.parent.mkdir(parents=True)
        path.write_bytes(b"not what it should be")
        with pytest.raises(DataError, match="is damaged or incomplete") as caught:
            load(section(source), 0)
        assert str(path) in caught.value.message
        assert path.read_bytes() == b"not what it should be"

    def test_keras_itself_uses_that_place(
        self,
        home: Path,
        monkeypatch: pytest.MonkeyPatch,
        source: str,
        place: str,
        address: str,
    ) -> None:
        from keras.src.utils import file_utils

        asked: list[tuple[str, str]] = []

        def note(origin: str, target: str, *_: object) -> None:
            asked.append((origin, str(target)))
            if "t10k-labels" in origin or "fashion" not in str(target):
                raise OSError("enough")
            Path(target).write_bytes(b"")

        monkeypatch.setattr(file_utils, "urlretrieve", note)
        with pytest.raises(DataError):
            load(section(source), 0)
        origin, target = asked[-1]
        assert origin.endswith(address)
        assert target == str(home / "datasets" / place)


def test_an_unfit_archive_is_refused(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def loads() -> Any:
        wrong = np.zeros((4, 8, 8), np.uint8), np.zeros(4)
        return wrong, wrong

    monkeypatch.setattr(backend.keras().datasets.mnist, "load_data", loads)
    with pytest.raises(DataError, match=r"MNIST holds images \(8, 8, 1\)"):
        load(section("mnist"), 0)


def test_cifar_is_read_through_keras(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def loads() -> Any:
        x = np.random.default_rng(0).integers(0, 256, (400, 3, 32, 32)).astype(np.uint8)
        y = (np.arange(400) % 100)[:, None]
        return (x, y), (x[:200], y[:200])

    monkeypatch.setattr(backend.keras().datasets.cifar100, "load_data", loads)
    dataset = load(section("cifar100", validation=0.25), 0)
    assert dataset.input_shape == (32, 32, 3)
    assert len(dataset.classes) == 100


def test_a_hundred_names_in_order() -> None:
    assert len(set(CIFAR100_CLASSES)) == 100
    assert (CIFAR100_CLASSES[0], CIFAR100_CLASSES[99]) == ("apple", "worm")


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "missing"))
    assert keras_sets.cache_folder().parts[-2:] == (".keras", "datasets")


@needs_real_data
def test_real_fashion_mnist(home: Path, offline: None) -> None:
    (home / "datasets").mkdir()
    (home / "datasets" / "fashion-mnist").symlink_to((REAL / "fashion_mnist").resolve())
    dataset = load(section("fashion-mnist"), 0)
    assert dataset.validation is not None
    sizes = [len(part) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sizes == [54000, 6000, 10000]
    assert np.bincount(dataset.validation.y).tolist() == [600] * 10


# folder


def read(path: Path, **settings: Any) -> Dataset:
    return load(section("folder", path=path, **{"size": 16, **settings}), 0)


def test_a_folder_is_split(tmp_path: Path) -> None:
    dataset = read(write_folder(tmp_path / "pets"))
    assert dataset.classes == ("cat", "dog")
    assert dataset.validation is not None
    assert [len(p) for p in (dataset.train, dataset.validation, dataset.test)] == [28, 6, 6]
    assert dataset.input_shape == (16, 16, 3)


def test_a_folder_with_parts(tmp_path: Path) -> None:
    for part in ("train", "validation", "test"):
        write_folder(tmp_path / part, count=5)
    dataset = read(tmp_path)
    assert dataset.validation is not None
    assert [len(p) for p in (dataset.train, dataset.validation, dataset.test)] == [10, 10, 10]
    assert dataset.notes == ()
    dataset = read(tmp_path, validation=0.1, test=0.1)
    assert any("data.test is not used" in note for note in dataset.notes)
    assert any("data.validation is not used" in note for note in dataset.notes)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    assert read(write_folder(tmp_path, ("bus", "train"))).classes == ("bus", "train")


def test_the_order_of_creation_does_not_matter(tmp_path: Path) -> None:
    write_folder(tmp_path / "a" / "pets")
    shutil.copytree(tmp_path / "a" / "pets" / "dog", tmp_path / "b" / "pets" / "dog")
    for path in sorted((tmp_path / "a" / "pets" / "cat").iterdir(), reverse=True):
        (tmp_path / "b" / "pets" / "cat").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "b" / "pets" / "cat")
    first, second = read(tmp_path / "a" / "pets"), read(tmp_path / "b" / "pets")
    assert first.fingerprint() == second.fingerprint()


@pytest.mark.parametrize(
    ("resize", "corner", "middle"), [("stretch", 255, 0), ("crop", 0, 0), ("pad", 0, 0)]
)
def test_resizing(tmp_path: Path, resize: str, corner: int, middle: int) -> None:
    """A wide picture with bright ends: stretching keeps them, cutting does not."""
    write_folder(tmp_path / "pets", count=8)
    wide = np.zeros((16, 64), np.uint8)
    wide[:, :8] = wide[:, -8:] = 255
    shutil.rmtree(tmp_path / "pets" / "cat")
    (tmp_path / "pets" / "cat").mkdir()
    for i in range(8):
        wide[:4, 36:40] = i * 30  # not copies of each other
        Image.fromarray(wide).save(tmp_path / "pets" / "cat" / f"{i}.png")
    dataset = read(tmp_path / "pets", resize=resize, color="grayscale", size=16)
    cats = dataset.train.x[dataset.train.y == 0]
    assert dataset.input_shape == (16, 16, 1)
    assert cats[0, 0, 0, 0] == corner
    assert cats[0, 8, 8, 0] == middle
    assert (cats[0].max() == 255) == (resize != "crop")


def test_all_formats_are_read(tmp_path: Path) -> None:
    write_folder(tmp_path, count=6)
    for i, suffix in enumerate(("jpg", "JPEG", "bmp", "gif", "webp")):
        picture(100 + i).save(tmp_path / "cat" / f"x{i}.{suffix}")
    picture(200, mode="L").save(tmp_path / "cat" / "grey.png")
    picture(201).convert("RGBA").save(tmp_path / "cat" / "clear.png")
    deep = np.full((10, 10), 40_000, np.uint16)
    deep[0, 0] = 0
    Image.fromarray(deep).save(tmp_path / "cat" / "deep.png")
    dataset = read(tmp_path, validation=0, test=0.2)
    assert len(dataset.train) + len(dataset.test) == 20
    everything = np.concatenate([dataset.train.x, dataset.test.x])
    assert (everything[:, 8, 8] == 40_000 >> 8).all(axis=1).any()


def test_turned_photographs_are_put_upright(tmp_path: Path) -> None:
    write_folder(tmp_path, count=6)
    half = np.zeros((16, 16, 3), np.uint8)
    half[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # held upside down
    Image.fromarray(half).save(tmp_path / "cat" / "turned.png", exif=exif)
    dataset = read(tmp_path, validation=0)
    everything = np.concatenate([dataset.train.x, dataset.test.x])
    assert any((x[12:] == 255).all() and (x[:4] == 0).all() for x in everything)


def test_what_is_not_a_picture_is_skipped(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / ".cache").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "cat" / "._000.png").write_bytes(b"")
    (tmp_path / "cat" / "readme.txt").write_text("cats")
    dataset = read(tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert "1 file(s) that are not pictures" in dataset.notes[0]


def test_links_are_not_followed_in_circles(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "pets")
    (root / "cat" / "again").symlink_to(root)
    (root / "cat" / "more").mkdir()
    (root / "cat" / "more" / "up").symlink_to(root / "cat")
    picture(999).save(root / "cat" / "more" / "one.png")
    dataset = read(root)
    assert dataset.validation is not None
    assert sum(len(p) for p in (dataset.train, dataset.validation, dataset.test)) == 41


def test_names_in_any_script(tmp_path: Path) -> None:
    names = ("猫", "كلب", "🐦 bird", "é", "with space", "a,b=[c]", "-o", "x" * 200)
    write_folder(tmp_path, names, count=8)
    shutil.move(tmp_path / "猫" / "000.png", tmp_path / "猫" / "一張圖 📷.png")
    dataset = read(tmp_path)
    assert set(dataset.classes) == set(names)
    assert sum(len(part) for part in dataset.parts.values()) == 64


def test_a_name_is_the_same_however_it_is_stored(tmp_path: Path) -> None:
    """One system stores `é` as one character, another as two."""
    for form in ("NFC", "NFD"):
        write_folder(tmp_path / form, (unicodedata.normalize(form, "é"), "z"), count=8)
        for path in sorted((tmp_path / form).rglob("*.png")):
            number = int(path.stem)
            picture(number + 100 * (path.parent.name == "z")).save(path)
            path.rename(path.with_name(unicodedata.normalize(form, f"ö{number}.png")))
    composed, apart = read(tmp_path / "NFC"), read(tmp_path / "NFD")
    assert composed.classes == apart.classes == ("z", "é")
    assert composed.fingerprint() == apart.fingerprint()
    both = tmp_path / "NFC" / unicodedata.normalize("NFD", "é")
    if not both.exists():  # a system that tells the two apart
        shutil.copytree(tmp_path / "NFD" / both.name, both)
        with pytest.raises(DataError, match="two folders that are both called 'é'"):
            read(tmp_path / "NFC")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """Linux takes any bytes for a name."""
    write_folder(tmp_path, ("dog", "cat"))
    try:
        (tmp_path / "cat").rename(os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))
        (tmp_path / "dog" / "000.png").rename(os.fsdecode(bytes(tmp_path) + b"/dog/\xff.png"))
        (tmp_path / "dog").rename(tmp_path / "d\no\x1bg")
    except OSError:
        pytest.skip("this system wants UTF-8")
    dataset = read(tmp_path)
    assert dataset.classes == ("caf\ufffd", "d\ufffdo\ufffdg")
    assert dataset.fingerprint() == read(tmp_path, memory_limit=0).fingerprint()
    for part in dataset.parts.values():
        "".join(part.names).encode()


def test_copies_do_not_cross_the_parts(tmp_path: Path) -> None:
    for part in ("train", "test"):
        write_folder(tmp_path / part, count=10)
    shutil.copy(tmp_path / "test" / "cat" / "000.png", tmp_path / "train" / "cat" / "copy.png")
    dataset = read(tmp_path, validation=0)
    assert (len(dataset.train), len(dataset.test)) == (20, 20)
    (copy,) = dataset.copies
    assert (copy.place, copy.of) == ("train/cat/copy.png", "test/cat/000.png")
    assert copy.across
    assert not copy.relabelled


def test_limits(tmp_path: Path) -> None:
    write_folder(tmp_path)
    dataset = read(tmp_path, limit=20, validation=0, test=0.2)
    assert np.bincount(dataset.train.y).tolist() == [8, 8]
    assert np.bincount(dataset.test.y).tolist() == [2, 2]
    few, everything = read(tmp_path, train_per_class=3), read(tmp_path)
    assert np.bincount(few.train.y).tolist() == [3, 3]
    assert np.array_equal(few.test.x, everything.test.x)
    with pytest.raises(DataError, match="too few to take 1 for the test part"):
        read(tmp_path, limit=4)
    with pytest.raises(DataError, match="a limit of 1 is too few for 2 classes"):
        read(tmp_path, limit=1)


def test_only_what_the_limit_leaves_is_opened(tmp_path: Path) -> None:
    write_folder(tmp_path, count=30)
    chosen = read(tmp_path, limit=20, memory_limit=0)
    assert isinstance(chosen.train.x, Samples)
    opened = {path for part in chosen.parts.values() for path in paths_of(part)}
    assert len(opened) == 20
    for path in set(tmp_path.rglob("*.png")) - opened:
        path.write_bytes(b"")
    assert read(tmp_path, limit=20).fingerprint() == chosen.fingerprint()


def paths_of(part: Split) -> list[Path]:
    taken: Any = part.x
    return [taken.samples.paths[row] for row in taken.rows]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("a cat")


def dead_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nowhere.png"))


def no_picture_format(path: Path) -> None:
    picture(1).save(path, format="TIFF")


def bomb(path: Path) -> None:
    Image.new("1", (16000, 16000)).save(path)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name(".pipe"))
    path.unlink()
    path.symlink_to(".pipe")


def link_to_a_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "spoil",
    [cut, empty, text, dead_link, no_picture_format, bomb, pipe, link_to_a_pipe, link_to_a_device],
)
def test_unreadable_pictures_are_named(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    write_folder(tmp_path)
    spoil(tmp_path / "dog" / "007.png")
    with pytest.raises(DataError, match=r"1 picture\(s\) cannot be read: .*dog/007\.png"):
        read(tmp_path)


def test_many_unreadable_pictures_are_counted(tmp_path: Path) -> None:
    write_folder(tmp_path)
    for i in range(8):
        empty(tmp_path / "dog" / f"{i:03}.png")
    with pytest.raises(DataError, match=r"8 picture\(s\) .*004\.png.* and 3 more") as caught:
        read(tmp_path)
    assert "005.png" not in caught.value.message
    assert [place.split(" (")[0] for place in caught.value.places] == [
        str(tmp_path / "dog" / f"{i:03}.png") for i in range(8)
    ]


def test_folders_that_hold_no_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing does not exist"):
        read(tmp_path / "nothing")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file is not a folder"):
        read(tmp_path / "file")
    with pytest.raises(DataError, match="has no folders in it"):
        read(tmp_path)
    write_folder(tmp_path, ("cat",))
    with pytest.raises(DataError, match="one class folder, 'cat'"):
        read(tmp_path)
    (tmp_path / "dog").mkdir()
    with pytest.raises(DataError, match="dog has no pictures"):
        read(tmp_path)


def test_a_class_that_training_does_not_know(tmp_path: Path) -> None:
    write_folder(tmp_path / "train")
    write_folder(tmp_path / "test", ("cat", "fish"))
    with pytest.raises(DataError, match="class 'fish' is not among the training classes"):
        read(tmp_path)


def test_a_class_that_is_not_measured_is_told(tmp_path: Path) -> None:
    write_folder(tmp_path / "train")
    write_folder(tmp_path / "test", ("cat",))
    assert "no pictures of dog in the test folder" in read(tmp_path).notes


def test_a_class_that_is_all_copies_of_the_test_part(tmp_path: Path) -> None:
    write_folder(tmp_path / "train")
    write_folder(tmp_path / "test")
    shutil.rmtree(tmp_path / "train" / "cat")
    shutil.copytree(tmp_path / "test" / "cat", tmp_path / "train" / "cat")
    with pytest.raises(DataError, match="class 'cat' is left to train on after 20 copies"):
        read(tmp_path, validation=0)


@needs_real_data
def test_real_pictures() -> None:
    dataset = load(
        section(
            "folder", path=REAL / "images" / "cifar10_jpeg_subset", size=32, train_per_class=17
        ),
        0,
    )
    assert len(dataset.classes) == 10
    assert (len(dataset.train), len(dataset.test)) == (170, 500)
