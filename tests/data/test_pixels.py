"""What becomes of one picture: every format, every way to hold a camera, every way to resize."""

from __future__ import annotations

import gc
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageOps

from nncli import status
from nncli.data.images import pixels as module
from nncli.data.images.pixels import Pictures, scan
from nncli.errors import DataError

SQUARE = 64
RESIZES = ("stretch", "crop", "pad")


def photo(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Soft colours and one hard edge."""
    y, x = np.mgrid[0 : 1 : 1j * height, 0 : 1 : 1j * width]
    waves = np.stack([np.sin(7 * x + 3 * y), np.cos(5 * y * x), np.sin(9 * y)], -1) * 100 + 128
    waves[height // 5 : height // 3, width // 4 : width // 2] = [250, 20, 60]
    return Image.fromarray(waves.clip(0, 255).astype(np.uint8)).convert(mode)


def read(path: Path, resize: str = "stretch", color: str = "rgb", size: int = SQUARE) -> Any:
    return Pictures([path], size, resize, color)[0:1][0].astype(int)


def by_pillow(path: Path, resize: str = "stretch", color: str = "rgb") -> Any:
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB" if color == "rgb" else "L")
    square, how = (SQUARE, SQUARE), Image.Resampling.BILINEAR
    if resize == "crop":
        image = ImageOps.fit(image, square, how)
    elif resize == "pad":
        image = ImageOps.pad(image, square, how)
    else:
        image = image.resize(square, how)
    return np.asarray(image).reshape(SQUARE, SQUARE, -1).astype(int)


JPEG: dict[str, tuple[str, dict[str, Any]]] = {
    "colour": ("RGB", {}),
    "grey": ("L", {}),
    "print": ("CMYK", {}),
    "progressive": ("RGB", {"progressive": True}),
    "full colour": ("RGB", {"subsampling": 0}),
    "rough": ("RGB", {"quality": 30}),
}
SIZES = [(64, 64), (65, 63), (31, 97), (200, 40), (400, 301), (301, 600)]


@pytest.mark.parametrize("kind", JPEG)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_jpeg_is_read_as_pillow_reads_it(
    tmp_path: Path, kind: str, width: int, height: int
) -> None:
    mode, how = JPEG[kind]
    path = tmp_path / "a.jpg"
    photo(width, height, mode).save(path, **{"quality": 90, **how})
    shrunk = min(width, height) > SQUARE
    for resize in RESIZES:
        for color in ("rgb", "grayscale"):
            found, expected = read(path, resize, color), by_pillow(path, resize, color)
            assert found.shape == (SQUARE, SQUARE, 3 if color == "rgb" else 1)
            if not shrunk and color == "rgb":
                assert np.array_equal(found, expected), resize
            else:  # less detail is decoded, or the brightness is read instead of computed
                assert np.abs(found - expected).mean() < 1, (resize, color)


@pytest.mark.parametrize("side", [64, 127, 128, 256])
def test_what_libjpeg_brings_to_the_size_is_not_resized_again(tmp_path: Path, side: int) -> None:
    path = tmp_path / "a.jpg"
    photo(side, side).save(path, quality=90)
    for color, space in (("rgb", "RGB"), ("grayscale", "GRAY")):
        least = SQUARE if side > SQUARE else 0
        decoded = simplejpeg.decode_jpeg(
            path.read_bytes(), space, min_height=least, min_width=least
        )
        assert decoded.shape[:2] == (SQUARE, SQUARE)
        for resize in RESIZES:
            assert np.array_equal(read(path, resize, color), decoded)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize(("width", "height"), [(64, 64), (81, 50), (300, 190)])
def test_turned_pictures_are_put_upright(
    tmp_path: Path, turn: int, suffix: str, width: int, height: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    path = tmp_path / f"a.{suffix}"
    photo(width, height).save(path, exif=exif, quality=95)
    for resize in RESIZES:
        assert np.abs(read(path, resize) - by_pillow(path, resize)).mean() < 1


@pytest.mark.parametrize("turn", [0, 9, 77])
def test_a_turn_that_does_not_exist_is_none(tmp_path: Path, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    photo(64, 64).save(tmp_path / "a.jpg", exif=exif)
    assert np.array_equal(read(tmp_path / "a.jpg"), by_pillow(tmp_path / "a.jpg"))


def test_damaged_exif_does_not_matter(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    path = tmp_path / "a.jpg"
    photo(64, 64).save(path, exif=exif)
    upside_down = read(path)
    raw = path.read_bytes()
    at = raw.index(b"Exif\0\0") + 6
    path.write_bytes(raw[: at + 4] + b"\xff\xff\xff\xff" + raw[at + 8 :])
    assert np.array_equal(read(path)[::-1, ::-1], upside_down)


PNG = {
    "colour": photo(80, 50),
    "grey": photo(80, 50, "L"),
    "transparent": photo(80, 50, "RGBA"),
    "grey and transparent": photo(80, 50, "LA"),
    "palette": photo(80, 50, "P"),
    "1 bit": photo(80, 50, "1"),
}


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("color", ["rgb", "grayscale"])
@pytest.mark.parametrize(
    ("kind", "suffix"),
    [*((kind, "png") for kind in PNG), ("colour", "bmp"), ("1 bit", "bmp"), ("palette", "gif"),
     ("colour", "webp"), ("transparent", "webp")],
)  # fmt: skip
def test_other_formats_are_read_as_pillow_reads_them(
    tmp_path: Path, kind: str, suffix: str, resize: str, color: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    PNG[kind].save(path)
    assert np.abs(read(path, resize, color) - by_pillow(path, resize, color)).max() <= 1


def test_a_name_does_not_say_the_format(tmp_path: Path) -> None:
    photo(64, 64).save(tmp_path / "a.png")
    photo(64, 64).save(tmp_path / "b.jpg", quality=95)
    png, jpeg = read(tmp_path / "a.png"), read(tmp_path / "b.jpg")
    (tmp_path / "a.png").rename(tmp_path / "c.jpg")
    (tmp_path / "b.jpg").rename(tmp_path / "d.gif")
    assert np.array_equal(read(tmp_path / "c.jpg"), png)
    assert np.array_equal(read(tmp_path / "d.gif"), jpeg)


@pytest.mark.parametrize("turn", [1, 3])
def test_16_bit_grey_keeps_its_brightness(tmp_path: Path, turn: int) -> None:
    deep = np.linspace(0, 65_535, SQUARE * SQUARE).reshape(SQUARE, SQUARE).astype(np.uint16)
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(deep).save(tmp_path / "a.png", exif=exif)
    expected = (deep if turn == 1 else deep[::-1, ::-1]) >> 8
    assert np.array_equal(read(tmp_path / "a.png", color="grayscale")[..., 0], expected)


def test_the_first_picture_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("L", (SQUARE, SQUARE), level) for level in (50, 200)]
    for suffix in ("gif", "webp"):
        path = tmp_path / f"a.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
        assert np.abs(read(path) - 50).max() <= 1


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 300), (3000, 2)])
def test_extreme_shapes(tmp_path: Path, width: int, height: int) -> None:
    for suffix in ("jpg", "png"):
        path = tmp_path / f"a.{suffix}"
        Image.new("RGB", (width, height), (200, 200, 200)).save(path)
        for resize in RESIZES:
            found = read(path, resize)
            assert found.max() == 200
            assert (found == 200).all() == (resize != "pad" or width == height)


def test_rows_come_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for i, path in enumerate(paths):
        Image.new("L", (SQUARE, SQUARE), 40 * i).save(path)
    pictures = Pictures(paths, SQUARE, "stretch", "grayscale")
    assert (pictures.shape, pictures.dtype) == ((5, SQUARE, SQUARE, 1), np.uint8)
    assert pictures[np.array([3, 3, 0])][:, 0, 0, 0].tolist() == [120, 120, 0]


# scan


def test_a_scan_sees_copies_and_every_byte(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i:03}.png" for i in range(200)]
    for i, path in enumerate(paths):
        photo(10 + i % 7, 10, "L").save(path)
    pictures = Pictures(paths, 16, "stretch", "rgb")
    heard: list[str] = []
    with status.told_to(heard.append):
        first, again = scan(pictures, keep=True), scan(pictures, keep=False)
    assert heard[:2] == ["reading 64 of 200 pictures", "reading 128 of 200 pictures"]
    assert heard[-1] == "reading 200 of 200 pictures"
    assert first.files == again.files
    assert np.array_equal(first.digests, again.digests)
    assert again.pixels is None
    assert np.array_equal(first.pixels, pictures[:])
    assert len(np.unique(first.digests)) == 7
    raw = bytearray(paths[150].read_bytes())
    text = b"tEXtComment\0a byte that changes no pixel"
    chunk = len(text[4:]).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    paths[150].write_bytes(raw[:-12] + chunk + raw[-12:])
    changed = scan(pictures, keep=False)
    assert np.array_equal(changed.digests, first.digests)
    assert changed.files != first.files


def test_all_bad_pictures_are_told_in_their_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i:03}.png" for i in range(300)]
    for path in paths:
        photo(9, 9).save(path)
    for i in (299, 0, 130):
        paths[i].write_bytes(b"no picture")
    with pytest.raises(DataError) as caught:
        scan(Pictures(paths, 16, "stretch", "rgb"), keep=True)
    assert caught.value.places == tuple(f"{paths[i]} (not a picture)" for i in (0, 130, 299))
    assert not [t for t in threading.enumerate() if t.name.startswith("nncli-read")]


def test_a_signal_ends_the_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"{i:04}.png" for i in range(1000)]
    read_files: list[Path] = []

    def interrupted(path: Path) -> bytes:
        read_files.append(path)
        if len(read_files) == 5:
            raise KeyboardInterrupt
        raise OSError(2, "No such file")

    monkeypatch.setattr(module, "read_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scan(Pictures(paths, 16, "stretch", "rgb"), keep=False)
    gc.collect()
    assert len(read_files) < 900
    assert not [t for t in threading.enumerate() if t.name.startswith("nncli-read")]


def huge(path: Path) -> None:
    Image.new("L", (16000, 16000)).save(path, quality=1)


def test_pillows_limit_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    for suffix in ("jpg", "png", "bmp", "gif", "webp"):
        photo(100, 100).save(tmp_path / f"good.{suffix}")
        photo(100, 101).save(tmp_path / f"bad.{suffix}")
        read(tmp_path / f"good.{suffix}")
        with pytest.raises(DataError, match=rf"bad\.{suffix} \(more than \d+ megapixels\)"):
            read(tmp_path / f"bad.{suffix}")
