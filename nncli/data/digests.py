"""What tells whether two samples, or the files of two runs, are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from nncli.data.arrays.stored import reading
from nncli.data.samples import BLOCK_BYTES
from nncli.lazy import np
from nncli.results import Array


def digest_of(sample: Array) -> np.void:
    """16 bytes that are equal where all numbers of two samples of one dataset are."""
    return np.void(hashlib.blake2b(np.ascontiguousarray(sample).data, digest_size=16).digest())


def digest_of_files(files: Sequence[Path]) -> str:
    """SHA-256 over the bytes of all files, in their order."""
    digest = hashlib.sha256()
    for path in files:
        with reading(path), path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()
