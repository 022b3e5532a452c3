"""Numbers that stand for pixels, brought to brightness in 0..255."""

from __future__ import annotations

from dataclasses import dataclass

from nncli.lazy import np
from nncli.results import Array

EIGHT_BIT, SIXTEEN_BIT = 255, 65_535


@dataclass(frozen=True)
class Brightness:
    """How stored numbers become brightness."""

    factor: float
    """What they are multiplied by."""
    whole: bool
    """Whether whole numbers come of it."""
    note: str = ""
    """What to say of it; empty where nothing is changed."""

    def apply(self, x: Array) -> Array:
        """(…) as stored → the same in 0..255: uint8 where that loses nothing, else float32."""
        if self.factor == 1:
            return np.asarray(x, dtype=np.uint8 if self.whole else np.float32)
        bright = np.asarray(x, dtype=np.float32) * np.float32(self.factor)
        return bright.round().astype(np.uint8) if self.whole else bright


def brightness(low: float, high: float, whole: bool) -> Brightness | None:
    """How numbers become brightness; None: they do not.

    Shares of 1 and 16-bit numbers are told by their range: what every network is given is 0..255.

    Args:
        low: the least of all numbers.
        high: the greatest.
        whole: whether all are whole.
    """
    if low < 0 or high > (SIXTEEN_BIT if whole else EIGHT_BIT):
        return None
    if high <= 1:
        note = "pixels between 0 and 1 read as brightness and brought to 0..255"
        return Brightness(EIGHT_BIT, whole, note)
    if high > EIGHT_BIT:
        note = f"pixels of up to {high:g} read as 16-bit brightness and brought to 0..255"
        return Brightness(EIGHT_BIT / SIXTEEN_BIT, True, note)
    return Brightness(1.0, whole)
