"""From picture files to arrays: checked before decoding, all faults reported together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nncli.errors import DataError
from nncli.lazy import NDArray, np

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
_SHOWN = 5


def read_images(paths: Sequence[Path], size: int, resize: str, color: str) -> NDArray[np.uint8]:
    """Decode pictures and bring them to one size.

    Args:
        paths: the files.
        size: height and width, in pixels.
        resize: `stretch`, `crop` (the middle) or `pad` (with black).
        color: `rgb` or `grayscale`.

    Returns:
        (samples, size, size, 3 or 1), 0 to 255.

    Raises:
        DataError: naming the first files that cannot be read, and how many there are.
    """
    from PIL import Image

    pixels = np.empty((len(paths), size, size, 3 if color == "rgb" else 1), dtype=np.uint8)
    bad: list[str] = []
    with warnings.catch_warnings():
        # Pillow warns of a picture of 90 megapixels and stops at twice that: both stop here
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)
        for path, target in zip(paths, pixels, strict=True):
            try:
                target[...] = _read(path, size, resize, color)
            # a damaged file raises nearly anything out of a decoder
            except Exception as error:
                bad.append(f"{path} ({_reason(error)})")
    if bad:
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise DataError(
            f"{len(bad)} picture(s) cannot be read: {', '.join(bad[:_SHOWN])}{more}",
            hint="repair or remove them",
        )
    return pixels


def _read(path: Path, size: int, resize: str, color: str) -> NDArray[np.uint8]:
    """(size, size, channels)"""
    from PIL import Image, ImageOps

    with Image.open(path, formats=FORMATS) as opened:  # reads the header alone
        limit = Image.MAX_IMAGE_PIXELS
        if limit is not None and opened.width * opened.height > limit:
            raise Image.DecompressionBombError
        upright = ImageOps.exif_transpose(_eight_bit(opened))
        image = upright.convert("RGB" if color == "rgb" else "L")
    square = (size, size)
    if resize == "crop":
        image = ImageOps.fit(image, square, Image.Resampling.BILINEAR)
    elif resize == "pad":
        image = ImageOps.pad(image, square, Image.Resampling.BILINEAR)
    else:
        image = image.resize(square, Image.Resampling.BILINEAR)
    return np.asarray(image).reshape(size, size, -1)


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
