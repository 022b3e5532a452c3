"""Standard input: read when something comes, so that it is answered before more does."""

from __future__ import annotations

import io
import select
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nncli.errors import DataError

NAME = "standard input"
HEAD = 16
"""Bytes that tell what it is."""
CHUNK = 1 << 16
"""Bytes that are read at a time: what a pipe holds."""
MOST_LINE = 64_000_000
"""Bytes without a line end: more is no table."""
MOST_WHOLE = 2_000_000_000
"""Bytes of what has to be there whole before any of it can be read."""
Lines = Iterator[tuple[bytes, bool]]
"""Lines with their ends, and whether the next one is there already or has to be waited for."""


class Piped:
    """Bytes that come one after the other, at any pace."""

    def __init__(self, stream: io.BufferedReader | io.BytesIO) -> None:
        self._stream = stream
        self._kept = b""

    def head(self) -> bytes:
        """The first bytes, or the first line where that is shorter; they stay to be read."""
        while len(self._kept) < HEAD and b"\n" not in self._kept:
            more = self._stream.read1(CHUNK)
            if not more:
                break
            self._kept += more
        return self._kept

    def chunks(self) -> Iterator[bytes]:
        """All bytes, as they come."""
        kept, self._kept = self._kept, b""
        if kept:
            yield kept
        while more := self._stream.read1(CHUNK):
            yield more

    def lines(self) -> Lines:
        """All lines, as they come.

        Raises:
            DataError: a line without an end.
        """
        begun = b""
        for chunk in self.chunks():
            *whole, rest = (begun + chunk).split(b"\n") if b"\n" in chunk else (begun + chunk,)
            begun = rest
            if len(begun) > MOST_LINE:
                raise DataError(f"{NAME} has a line of more than {MOST_LINE:,} bytes")
            for position, line in enumerate(whole, start=1):
                yield line + b"\n", position < len(whole) or self._more()
        if begun:
            yield begun, False

    def _more(self) -> bool:
        """Whether something is there to be read at once."""
        try:
            return bool(select.select([self._stream.fileno()], [], [], 0)[0])
        except io.UnsupportedOperation:  # it is in memory
            return True
        except (OSError, ValueError):  # a system that cannot tell of pipes
            return False

    def whole(self) -> bytes:
        """All bytes.

        Raises:
            DataError: too many.
        """
        return b"".join(self._limited())

    @contextmanager
    def file(self) -> Iterator[Path]:
        """All bytes in a file, for what is not read from its beginning to its end."""
        with tempfile.TemporaryDirectory(prefix="nncli-") as folder:
            path = Path(folder) / "input"
            with path.open("wb") as file:
                for chunk in self._limited():
                    file.write(chunk)
            yield path

    def _limited(self) -> Iterator[bytes]:
        size = 0
        for chunk in self.chunks():
            size += len(chunk)
            if size > MOST_WHOLE:
                raise DataError(
                    f"{NAME} has more than {MOST_WHOLE:,} bytes",
                    hint="give it as a file, or as CSV, which is read as it comes",
                )
            yield chunk


def lines_of(path: Path) -> Lines:
    """All lines of a file: none has to be waited for.

    Raises:
        DataError: a line without an end.
    """
    with path.open("rb") as stream:
        while line := stream.readline(MOST_LINE):
            if len(line) == MOST_LINE:
                raise DataError(f"{path} has a line of more than {MOST_LINE:,} bytes")
            yield line, True
