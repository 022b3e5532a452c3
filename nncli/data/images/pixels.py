"""From picture files to arrays: checked before training, all faults reported together."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncli.config.sections import available_threads
from nncli.data.digests import digest_of
from nncli.data.samples import Samples
from nncli.errors import DataError
from nncli.files import read_bytes
from nncli.lazy import NDArray, np
from nncli.status import tell

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
_SHOWN = 5
_AT_ONCE = 64  # files that a thread reads before it looks up
_MOST_THREADS = 16
_CMYK = ("CMYK", "YCCK")
_ORIENTATION = 0x0112  # Exif: how the camera was held


class Pictures(Samples):
    """Picture files, decoded and brought to one size when they are read."""

    def __init__(
        self, paths: Sequence[Path], size: int | tuple[int, int], resize: str, color: str
    ) -> None:
        """The files that hold the samples.

        Args:
            paths: the files.
            size: height and width, in pixels; one number where both are the same.
            resize: `stretch`, `crop` (the middle) or `pad` (with black).
            color: `rgb` or `grayscale`.
        """
        self.height, self.width = (size, size) if isinstance(size, int) else size
        channels = 3 if color == "rgb" else 1
        super().__init__((len(paths), self.height, self.width, channels), np.uint8)
        self.paths = tuple(paths)
        self.resize, self.color = resize, color
        # Pillow warns of oddities in a file each time it is read; what matters is an error here
        warnings.filterwarnings("ignore", module=r"PIL\.")

    def read(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """(len(rows), height, width, 3 or 1), 0 to 255.

        Raises:
            DataError: naming the first file that cannot be read.
        """
        pixels = np.empty((len(rows), *self.shape[1:]), dtype=np.uint8)
        for target, row in zip(pixels, rows, strict=True):
            try:
                self.decode(read_bytes(self.paths[row]), target)
            # a damaged file raises nearly anything out of a decoder
            except Exception as error:
                raise unreadable([f"{self.paths[row]} ({_reason(error)})"]) from error
        return pixels

    def decode(self, raw: bytes, target: NDArray[np.uint8]) -> None:
        """Write the picture of one file to `target`.

        Args:
            raw: the bytes of the file.
            target: (height, width, channels), in one piece.
        """
        found = _jpeg(raw, target, self.color) if raw[:2] == b"\xff\xd8" else None
        if found is None:
            image = _any_format(raw, self.color)
            target[...] = self._fitted(image, image.width, image.height, 1)
            return
        jpeg, width, height = found
        turn = _orientation(raw)
        if turn == 1 and jpeg.shape == target.shape:
            if jpeg is not target:
                target[...] = jpeg
            return
        from PIL import Image

        image = Image.fromarray(jpeg if self.color == "rgb" else jpeg[..., 0])
        target[...] = self._fitted(image, width, height, turn)

    def _fitted(self, image: Any, width: float, height: float, turn: int) -> NDArray[np.uint8]:
        """Bring a picture to the size and upright.

        Args:
            image: of Pillow.
            width: how far it reaches, in pixels; its last column may be covered in part.
            height: the same, of its rows.
            turn: how the camera was held, by Exif's number.
        """
        from PIL import Image

        # as the picture lies in its file
        rows, columns = self.shape[1:3] if turn not in _ON_ITS_SIDE else self.shape[2:0:-1]
        box, target = (0.0, 0.0, width, height), (columns, rows)
        if self.resize == "crop":
            wide, high = width, height * 1.0
            if width * rows > height * columns:
                wide = height * columns / rows
            else:
                high = width * rows / columns
            left, top = (width - wide) / 2, (height - high) / 2
            box = (left, top, left + wide, top + high)
        elif self.resize == "pad":
            factor = min(columns / width, rows / height)
            target = (max(1, round(width * factor)), max(1, round(height * factor)))
        image = image.resize(target, Image.Resampling.BILINEAR, box=box)
        if turn != 1:
            image = image.transpose(Image.Transpose[_TURNS[turn]])
        if image.size != (self.width, self.height):
            whole = Image.new(image.mode, (self.width, self.height))
            left, top = (self.width - image.width) / 2, (self.height - image.height) / 2
            whole.paste(image, (round(left), round(top)))
            image = whole
        pixels: NDArray[np.uint8] = np.asarray(image).reshape(self.shape[1:])
        return pixels


@dataclass(frozen=True)
class Scan:
    """What going through all pictures once has shown."""

    digests: NDArray[np.void]
    """(pictures,) equal where all pixels of two are, after they were brought to one size."""
    files: str
    """SHA-256 over the bytes of all files."""
    pixels: NDArray[np.uint8] | None
    """All of them, where they are to be kept."""


def scan(pictures: Pictures, *, keep: bool) -> Scan:
    """Read every picture once, on all CPUs, so that a damaged one is known before training.

    Args:
        pictures: the files.
        keep: whether their pixels stay in memory.

    Raises:
        DataError: naming the files that cannot be read; all of them are in its `places`.
    """
    count = len(pictures)
    pixels = np.empty(pictures.shape, dtype=np.uint8) if keep else None
    digests = np.empty(count, dtype="V16")
    hashes: list[bytes] = [b""] * count
    bad: dict[int, str] = {}

    def look(begin: int) -> None:
        for i in range(begin, min(begin + _AT_ONCE, count)):
            try:
                raw = read_bytes(pictures.paths[i])
                hashes[i] = hashlib.sha256(raw).digest()
                target = np.empty(pictures.shape[1:], np.uint8) if pixels is None else pixels[i]
                pictures.decode(raw, target)
            # a damaged file raises nearly anything out of a decoder
            except Exception as error:
                bad[i] = f"{pictures.paths[i]} ({_reason(error)})"
                continue
            digests[i] = digest_of(target)

    begins = range(0, count, _AT_ONCE)
    with workers() as pool:
        for begin, _ in zip(begins, pool.map(look, begins), strict=True):
            tell(f"reading {min(begin + _AT_ONCE, count):,} of {count:,} pictures")
    if bad:
        raise unreadable([bad[i] for i in sorted(bad)])
    return Scan(digests, hashlib.sha256(b"".join(hashes)).hexdigest(), pixels)


def unreadable(bad: Sequence[str]) -> DataError:
    """The error for files that cannot be read."""
    more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    return DataError(
        f"{len(bad)} picture(s) cannot be read: {', '.join(bad[:_SHOWN])}{more}",
        hint="repair or remove them",
        places=tuple(bad),
    )


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Threads that stop with the block, also when a signal ends it."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(min(_MOST_THREADS, available_threads()), "nncli-read")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _jpeg(
    raw: bytes, target: NDArray[np.uint8], color: str
) -> tuple[NDArray[np.uint8], float, float] | None:
    """A JPEG picture at the smallest of its sizes that is not below the target's, or None.

    Its width and height come with it, in its pixels: 75.25 of 301 pixels at a quarter, where the
    76th column is covered by a quarter. One of the target's size is decoded into it.

    libjpeg leaves out the fine detail of a large picture while decoding, and needs no Python
    for any of it: several times faster than Pillow. What it does not take, Pillow may.
    """
    import simplejpeg

    wanted = "RGB" if color == "rgb" else "GRAY"
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(raw)
        _check_pixels(width, height)
        if space in _CMYK:
            return None
        if (height, width) == target.shape[:2]:
            simplejpeg.decode_jpeg(raw, wanted, buffer=target)
            return target, width, height
        size = max(target.shape[:2])  # it may lie on its side
        least = size if min(height, width) > size else 0
        decoded = simplejpeg.decode_jpeg(raw, wanted, min_height=least, min_width=least)
    except ValueError:
        return None
    shown = decoded.shape[:2]
    for eighths in range(1, 8):  # what libjpeg can scale by
        if shown == (-(-height * eighths // 8), -(-width * eighths // 8)):
            return decoded, width * eighths / 8, height * eighths / 8
    return decoded, width, height


def _orientation(raw: bytes) -> int:
    """How the camera was held, by Exif's number; 1 is upright."""
    head = raw[:140_000]
    if b"Exif\0\0" not in head and b"tiff:Orientation" not in head:
        return 1
    from PIL import Image

    turn = Image.open(io.BytesIO(raw)).getexif().get(_ORIENTATION, 1)
    return turn if turn in _TURNS else 1


_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""From Exif's orientation to upright, as `PIL.ImageOps.exif_transpose` does it."""
_ON_ITS_SIDE = (5, 6, 7, 8)
"""Those that change height and width."""


def _any_format(raw: bytes, color: str) -> Any:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:  # reads the header alone
        _check_pixels(opened.width, opened.height)
        upright = _eight_bit(ImageOps.exif_transpose(opened))
        return upright.convert("RGB" if color == "rgb" else "L")


def _check_pixels(width: int, height: int) -> None:
    """Pillow warns of a picture of 90 megapixels and stops at twice that: both stop here."""
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise Image.DecompressionBombError


def _eight_bit(image: Any) -> Any:
    """Pillow cuts 16-bit grey off at 255, which turns most of a picture white: scale it."""
    from PIL import Image

    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))


def _reason(error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"more than {(Image.MAX_IMAGE_PIXELS or 0) // 1_000_000} megapixels"
    if isinstance(error, UnidentifiedImageError):
        return "not a picture"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def decoded_or_reason(pictures: Pictures, given: Path | bytes) -> NDArray[np.uint8] | str:
    """One picture, (height, width, channels), or why it cannot be read.

    Args:
        pictures: what decodes it.
        given: its file, or the bytes of one.
    """
    try:
        pixels = np.empty(pictures.shape[1:], dtype=np.uint8)
        pictures.decode(read_bytes(given) if isinstance(given, Path) else given, pixels)
        return pixels
    # a damaged file raises nearly anything out of a decoder
    except Exception as error:
        return _reason(error)
