"""What a model or weights file from a stranger must be before Keras is given it.

    model.keras                 a zip archive, its members stored as they are
    ├── metadata.json
    ├── config.json             objects that Keras makes: layers, initializers, regularizers, …
    └── model.weights.h5        HDF5: groups and arrays of numbers

Keras makes what a file names, as large as it says, and its safe mode refuses only what is known to
be bad. Here the other way round: only what is known to be good passes (`allowed`), no larger than
the numbers that the file brings (`sizes`), and these are what they say they are (`hdf5`).

Neither TensorFlow nor Keras is imported, and no more memory is taken than a block of numbers. A
file of 550 MB takes about half a second, nearly all of it to look whether its numbers are finite.
A changed bit in a number is left for Keras to find by the archive's checksum.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nncli.errors import ModelError
from nncli.models.gate import allowed, sizes
from nncli.models.gate.archive import members, metadata

MOST_BYTES = 4_000_000_000
"""Of a file; a base that nncli trains has at most 2 GB of weights, its optimizer twice that."""


def check_model_file(path: Path) -> None:
    """Refuse a `.keras` file that Keras should not be given.

    Raises:
        ModelError: with what is wrong with it, and in which layer.
    """
    from nncli.models.gate import hdf5

    with _opened(path, "model") as stream:
        config, (begin, length) = members(stream, path)
        document = allowed.check_config(config, path)
        metadata(stream, path)
        stored = hdf5.check_hdf5(stream, path, begin, length)
        sizes.check_sizes(document, stored, path)


def check_weights_file(path: Path) -> None:
    """Refuse an `.h5` file of weights that Keras should not be given.

    Raises:
        ModelError: with what is wrong with it, and at which of its arrays.
    """
    from nncli.models.gate import hdf5

    with _opened(path, "weights") as stream:
        hdf5.check_hdf5(stream, path, 0, os.fstat(stream.fileno()).st_size)


@contextmanager
def _opened(path: Path, what: str) -> Iterator[BinaryIO]:
    """A regular file of a size that can be honest; a pipe or a device is not even opened.

    Raises:
        ModelError: anything else.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise ModelError(f"{path} is {kind}", hint=f"give a {what} file")
        if status.st_size > MOST_BYTES:
            raise ModelError(
                f"{path} has {status.st_size:,} bytes, a {what} file has at most {MOST_BYTES:,}",
                hint="save it without its optimizer, or take a smaller model",
            )
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError as error:
        key = "model.base" if what == "model" else "model.weights"
        raise ModelError(f"there is no {what} file {path}", hint=f"check {key}") from error
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise ModelError(
            f"{path} cannot be read: {reason}", hint="check the path and its permissions"
        ) from error
