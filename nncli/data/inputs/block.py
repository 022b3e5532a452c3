"""What every kind of input gives: samples in blocks, each with its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nncli.data.learned import Learned
from nncli.data.source import DataSection
from nncli.errors import DataError
from nncli.lazy import np
from nncli.results import Array, Unreadable


@dataclass(frozen=True)
class Wanted:
    """What samples have to be for a run's model."""

    learned: Learned
    """How those that were trained on were treated."""
    section: DataSection
    """Where those came from: of its settings, what holds for other samples too."""
    at_once: int
    """How many samples are answered at a time, at most."""

    def setting(self, key: str, otherwise: Any) -> Any:
        """A setting of the source that was trained on, where it has such a one."""
        return getattr(self.section, key, otherwise)


@dataclass(frozen=True)
class Block:
    """Some samples that follow on each other."""

    x: Array
    """(samples, …) as `nncli.data` gives them: pixels in 0..255, or scaled sequences."""
    names: tuple[str, ...]
    """(samples,) what each is called: `cat.png`, `digits.csv:17`, `x.npz[3]`."""
    unreadable: tuple[Unreadable, ...] = ()
    """What stood among them and cannot be read."""


Treat = Callable[[str, Array], Array]
"""Of the place, for errors, and (samples, …) as stored: (samples, …) as the model's data is."""


def empty(wanted: Wanted, *unreadable: Unreadable) -> Block:
    """No sample, and what cannot be read."""
    return Block(np.empty((0, *wanted.learned.input_shape), np.float32), (), unreadable)


def treated(
    wanted: Wanted,
    x: Array,
    names: Sequence[str],
    treat: Treat,
    unreadable: Sequence[Unreadable] = (),
) -> Block:
    """A block of samples as they are stored, without those that the model cannot be given.

    Args:
        wanted: what the model takes.
        x: (samples, …)
        names: (samples,)
        treat: makes them as the model's data is.
        unreadable: what has been left out before.
    """
    try:
        return Block(treat("", x), tuple(names), tuple(unreadable))
    except DataError:
        pass  # which ones it is about is found below
    kept, called, lost = [], [], list(unreadable)
    for one, name in zip(x, names, strict=True):
        try:
            kept.append(treat(name, one[None]))
        except DataError as error:
            lost.append(Unreadable(name, reason(name, error)))
        else:
            called.append(name)
    if not kept:
        return empty(wanted, *lost)
    return Block(np.concatenate(kept), tuple(called), tuple(lost))


def reason(name: str, error: DataError) -> str:
    """Why something cannot be read, without its name, which stands beside it."""
    return error.message.removeprefix(name).lstrip(": ") or error.message


def as_pixels(learned: Learned, place: str, x: Array) -> Array:
    """Numbers of pictures as those of the training part were taken: (samples, …) in 0..255.

    Raises:
        DataError: numbers that are no pixels, or shares of 1 where pixels reached to 255, which
            would all be black.
    """
    pixels = learned.pixels(place, x)
    if x.dtype.kind == "f" and learned.brightness in {None, 1.0}:
        each = x.reshape(len(x), -1)
        shares = (each.max(axis=1) <= 1) & (each != np.rint(each)).any(axis=1)
        if shares.any():
            raise DataError(
                f"{place} holds pixels between 0 and 1, but those that were trained on reach to "
                "255",
                hint="multiply them by 255",
            )
    return pixels


def check_finite(place: str, x: Array) -> None:
    """Refuse samples that no model can be given.

    Raises:
        DataError: a number that is none.
    """
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise DataError(f"{place} holds a number that is not finite", hint="repair it")
