"""Picture files, and folders of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from nncli.data.images.files import SUFFIXES, as_text, pictures_below
from nncli.data.images.pixels import Pictures, decoded_or_reason, workers
from nncli.data.inputs.block import Block, Wanted, empty, reason
from nncli.data.inputs.piped import NAME, Piped
from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Unreadable


def picture_blocks(given: Sequence[Path], wanted: Wanted) -> Iterator[Block]:
    """Pictures, brought to the size that the model takes as those that were trained on.

    The next block is decoded while one is answered.

    Args:
        given: files, and folders: of these all pictures below, in the order of their names.
        wanted: what the model takes.
    """
    pictures = _pictures(wanted)
    waiting: list[tuple[list[str], list[Future[NDArray[np.uint8] | str]]]] = []

    def first() -> Block:
        names, futures = waiting.pop(0)
        return _block(wanted, names, [future.result() for future in futures])

    with workers() as pool:
        for paths, lost in _some(given, wanted.at_once):
            if lost is not None:
                yield empty(wanted, lost)
                continue
            futures = [pool.submit(decoded_or_reason, pictures, path) for path in paths]
            waiting.append(([_called(path) for path in paths], futures))
            if len(waiting) > 1:
                yield first()
        while waiting:
            yield first()


def picture_piped(piped: Piped, wanted: Wanted) -> Iterator[Block]:
    """The one picture that comes on standard input."""
    yield _block(wanted, [NAME], [decoded_or_reason(_pictures(wanted), piped.whole())])


def _pictures(wanted: Wanted) -> Pictures:
    """What decodes pictures for the model."""
    height, width, channels = wanted.learned.input_shape
    return Pictures((), (height, width), wanted.setting("resize", "stretch"), _COLOURS[channels])


_COLOURS = {1: "grayscale", 3: "rgb"}


def _some(given: Sequence[Path], at_once: int) -> Iterator[tuple[list[Path], Unreadable | None]]:
    """Some files at a time, or a folder that gives none."""
    some: list[Path] = []
    for path in given:
        try:
            found = pictures_below(path) if path.is_dir() else [path]
        except DataError as error:
            found, why = [], reason(str(path), error)
        else:
            why = f"a folder without pictures ({', '.join(sorted(SUFFIXES))})"
        if not found:
            yield [], Unreadable(_called(path), why)
        for each in found:
            some.append(each)
            if len(some) == at_once:
                yield some, None
                some = []
    if some:
        yield some, None


def _block(wanted: Wanted, names: Sequence[str], read: Sequence[NDArray[np.uint8] | str]) -> Block:
    found = list(zip(names, read, strict=True))
    lost = tuple(Unreadable(name, why) for name, why in found if isinstance(why, str))
    kept = [picture for picture in read if not isinstance(picture, str)]
    if not kept:
        return empty(wanted, *lost)
    called = tuple(name for name, picture in found if not isinstance(picture, str))
    return Block(np.stack(kept), called, lost)


def _called(path: Path) -> str:
    """The path, without characters that cannot be shown."""
    return as_text(str(path))
