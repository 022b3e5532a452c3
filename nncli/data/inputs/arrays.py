"""Arrays of samples in `.npz`, `.npy` and idx files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path

from nncli.data.arrays.idx_file import open_idx
from nncli.data.arrays.npy_file import open_npy, open_npz
from nncli.data.arrays.sources import usual_inputs
from nncli.data.arrays.stored import NUMBERS, StoredArray, check_kind
from nncli.data.inputs.block import (
    Block,
    Treat,
    Wanted,
    as_pixels,
    check_finite,
    empty,
    reason,
    treated,
)
from nncli.data.others import not_shaped
from nncli.errors import DataError
from nncli.lazy import np
from nncli.results import Array, Unreadable

MOST_AT_ONCE = 1_000_000_000
"""Bytes of an array that cannot be read row after row."""


def open_array(path: Path, form: str, wanted: Wanted, called: str = "") -> Iterator[Block]:
    """Samples of an array, a block at a time; its header is read at once.

    Args:
        path: the file.
        form: `npz`, `npy` or `idx`.
        wanted: what the model takes.
        called: what the file is called, if not by its path.

    Raises:
        DataError: a damaged file, no array of samples in it, or samples of another shape.
    """
    called = called or str(path)
    if form == "npz":
        array, called = _of_archive(path, called, wanted)
    else:
        array = open_npy(path) if form == "npy" else open_idx(path)
    check_kind(called, array.dtype, NUMBERS, "real numbers")
    one = wanted.learned.input_shape
    if array.shape in {one, one[:-1] if one[-1] == 1 else one}:  # one sample by itself
        array = replace(array, shape=(1, *array.shape))
    return _blocks(array, called, wanted, _arranging(called, array.shape, wanted))


def _of_archive(path: Path, called: str, wanted: Wanted) -> tuple[StoredArray, str]:
    """The array of samples: the one that the run was trained on, by its name, or a usual one."""
    arrays = open_npz(path)
    names = [wanted.setting("x", None), *usual_inputs()]
    name = next((name for name in names if name in arrays), None)
    if name is None and len(arrays) == 1:
        name = next(iter(arrays))
    if name is None:
        raise DataError(
            f"{called} has no array of inputs that nncli knows: it has "
            f"{', '.join(list(arrays)[:20])}",
            hint="save it as x",
        )
    return arrays[name], called if name == "x" or len(arrays) == 1 else f"{called}[{name}]"


def _arranging(called: str, shape: tuple[int, ...], wanted: Wanted) -> Treat:
    """How samples of a stored shape become those of the model.

    Raises:
        DataError: they do not.
    """
    learned, inner, given = wanted.learned, wanted.learned.input_shape, shape[1:]
    treat = partial(as_pixels, learned) if learned.is_images else learned.scaled
    first = learned.is_images and given == (inner[-1], *inner[:-1]) != inner
    flat = given == (prod(inner),)
    whole = inner
    if learned.padding is not None and not flat and given[1:] in {inner[1:], ()}:
        whole = (*given[:1], inner[1])  # perhaps shorter ones
    stored = {whole, whole[:-1] if whole[-1] == 1 else whole}
    if not shape or not (flat or first or (given in stored and whole[0] <= inner[0])):
        raise not_shaped(called, given, inner)

    def arranged(place: str, x: Array) -> Array:
        check_finite(place, x)
        if first:
            x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        ready = treat(place, x.reshape(len(x), *whole))
        return ready if learned.is_images else learned.filled(place, ready)

    return arranged


def _blocks(array: StoredArray, called: str, wanted: Wanted, arranged: Treat) -> Iterator[Block]:
    at = 0
    try:
        small = array.columns_first and array.size <= MOST_AT_ONCE
        stored = array.load() if small else array.rows()
        for at in range(0, len(stored), wanted.at_once):
            x = stored[at : at + wanted.at_once]
            names = [f"{called}[{row}]" for row in range(at, at + len(x))]
            yield treated(wanted, x, names, arranged)
    except DataError as error:  # it is shorter than it was, or damaged where it was not looked at
        place = f"{called}[{at}]" if at else called
        yield empty(wanted, Unreadable(place, reason(called, error)))
