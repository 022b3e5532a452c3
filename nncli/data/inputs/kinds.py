"""Which file is read as what, and which of it a run takes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from nncli.data.arrays.stored import check_regular, reading
from nncli.data.dataset import Family
from nncli.data.images.files import SUFFIXES
from nncli.data.inputs.arrays import open_array
from nncli.data.inputs.block import Block, Wanted, empty, reason
from nncli.data.inputs.pictures import picture_blocks, picture_piped
from nncli.data.inputs.piped import HEAD, NAME, Piped, lines_of
from nncli.data.inputs.rows import open_rows
from nncli.data.inputs.sequences import open_sequences
from nncli.data.learned import Learned
from nncli.data.recognize import IDX_NAME
from nncli.errors import DataError, UsageError
from nncli.results import Unreadable

STANDARD_INPUT = "-"
ENDINGS = {
    **dict.fromkeys(SUFFIXES, "picture"),
    ".npz": "npz",
    ".npy": "npy",
    ".ts": "ts",
    ".csv": "csv",
    ".tsv": "csv",
}
BEGINNINGS = {
    b"\xff\xd8\xff": "picture",
    b"\x89PNG": "picture",
    b"GIF8": "picture",
    b"RIFF": "picture",
    b"BM": "picture",
    b"PK\x03\x04": "npz",
    b"\x93NUMPY": "npy",
    b"\0\0": "idx",
    b"\x1f\x8b": "idx",
    b"@": "ts",
    b"#": "ts",
}
"""Of what has no ending that tells; what begins with none of them is CSV, if it is text."""
TAKEN: dict[Family, tuple[str, ...]] = {
    "images": ("picture", "folder", "npz", "npy", "idx", "csv"),
    "sequences": ("ts", "npz", "npy", "idx", "csv"),
    "series": ("csv",),
}
WORDS = {
    "picture": "a picture",
    "folder": "a folder",
    "npz": "an .npz archive",
    "npy": "an .npy array",
    "idx": "an idx file",
    "ts": "a .ts file",
    "csv": "CSV",
}
TAKES: dict[Family, str] = {
    "images": "pictures, folders of them, .npz, .npy and idx arrays, and CSV with one in each row",
    "sequences": ".ts files, .npz, .npy and idx arrays, and CSV with a sequence in each row",
    "series": "CSV with the series in a column",
}


def family_of(learned: Learned) -> Family:
    """What a sample of a run is."""
    if learned.series is not None:
        return "series"
    return "images" if learned.is_images else "sequences"


def open_inputs(
    given: Sequence[str], wanted: Wanted, standard_input: io.BufferedReader | io.BytesIO | None
) -> Iterator[Block]:
    """Samples out of files and folders in the order in which they are given, in blocks.

    Args:
        given: paths; `-` is standard input.
        wanted: what the model takes.
        standard_input: where `-` reads; None where it is closed.

    Raises:
        UsageError: nothing, or a file that the run cannot take.
    """
    family = family_of(wanted.learned)
    if not given:
        raise UsageError(
            "no input is named",
            hint=f"this run takes {TAKES[family]}; - is standard input",
        )
    if list(given).count(STANDARD_INPUT) > 1:
        raise UsageError("- stands twice, but there is one standard input", hint="name it once")
    forms = [form_of(each) for each in given]
    for each, form in zip(given, forms, strict=True):
        check_taken(each, form, family)
    return _all(list(zip(given, forms, strict=True)), wanted, standard_input)


def form_of(given: str) -> str:
    """What a path is read as, a row of WORDS; empty where its content is to tell."""
    if given == STANDARD_INPUT:
        return ""
    path = Path(given).expanduser()
    if path.is_dir():
        return "folder"
    return "idx" if IDX_NAME.search(path.name) else ENDINGS.get(path.suffix.lower(), "")


def check_taken(given: str, form: str, family: Family) -> None:
    """Refuse what a run of another family takes.

    Raises:
        UsageError: saying what this one takes.
    """
    if form and form not in TAKEN[family]:
        raise UsageError(
            f"{given} is {WORDS[form]}, but this run takes {TAKES[family]}",
            hint="name a run of the other kind, or other input",
        )


def _all(
    given: Sequence[tuple[str, str]],
    wanted: Wanted,
    standard_input: io.BufferedReader | io.BytesIO | None,
) -> Iterator[Block]:
    """All blocks; what cannot be read is in one of them."""
    for pictures, some in groupby(given, lambda row: row[1] in {"picture", "folder"}):
        if pictures:
            yield from picture_blocks([Path(each).expanduser() for each, _ in some], wanted)
            continue
        for each, form in some:
            name = NAME if each == STANDARD_INPUT else each
            try:
                if each == STANDARD_INPUT:
                    yield from _piped(standard_input, wanted)
                else:
                    yield from _file(Path(each).expanduser(), form, wanted)
            except DataError as error:
                yield empty(wanted, Unreadable(name, reason(name, error)))


def _file(path: Path, form: str, wanted: Wanted) -> Iterator[Block]:
    check_regular(path)
    if not form:
        with reading(path), path.open("rb") as file:
            form = _by_beginning(str(path), file.read(HEAD), wanted)
    if form == "picture":
        return picture_blocks([path], wanted)
    if form in {"npz", "npy", "idx"}:
        return open_array(path, form, wanted)
    opener = open_sequences if form == "ts" else open_rows
    return opener(path, lines_of(path), wanted)


def _piped(
    standard_input: io.BufferedReader | io.BytesIO | None, wanted: Wanted
) -> Iterator[Block]:
    if standard_input is None:
        raise DataError(f"{NAME} is closed", hint="name a file")
    piped = Piped(standard_input)
    form = _by_beginning(NAME, piped.head(), wanted)
    if form == "picture":
        yield from picture_piped(piped, wanted)
    elif form in {"npz", "npy", "idx"}:
        with piped.file() as path:
            try:
                yield from open_array(path, form, wanted, NAME)
            except DataError as error:
                raise DataError(error.message.replace(str(path), NAME), hint=error.hint) from error
    else:
        opener = open_sequences if form == "ts" else open_rows
        yield from opener(Path(NAME), piped.lines(), wanted)


def _by_beginning(name: str, head: bytes, wanted: Wanted) -> str:
    """What something is read as, by its first bytes.

    Raises:
        DataError: nothing, or what the run does not take.
    """
    family = family_of(wanted.learned)
    if not head:
        raise DataError(f"{name} is empty", hint=f"this run takes {TAKES[family]}")
    form = next((form for start, form in BEGINNINGS.items() if head.startswith(start)), "csv")
    text = b"\0" not in head
    if text and (head.startswith(b"BM") or (head.startswith(b"#") and "ts" not in TAKEN[family])):
        form = "csv"  # a name in its first line
    elif form == "csv" and not text:
        form = ""
    if form not in TAKEN[family]:
        what = f"begins like {WORDS[form]}" if form else "is nothing that nncli reads"
        raise DataError(f"{name} {what}, but this run takes {TAKES[family]}")
    return form
