"""What a model wants, and input of every form."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nncli.data import load
from nncli.data.inputs import Block, Wanted, open_inputs
from nncli.data.learned import Learned
from nncli.data.source import DataSection
from tests.data.made import section


def wanted(settings: DataSection, at_once: int = 8, **learned: Any) -> Wanted:
    """Of a run that was trained on a source."""
    dataset = load(settings, 42)
    preparation = (
        {"preprocessing": "unit", "channels": None} if dataset.family == "images" else None
    )
    told = {**dataset.learned(), "preparation": preparation, **learned}
    return Wanted(Learned.of(told), settings, at_once)


@cache
def digits(at_once: int = 8, side: int = 8) -> Wanted:
    """Of a run on scikit-learn's digits."""
    return wanted(section("digits", size=side), at_once)


def read(
    given: Sequence[str | Path], how: Wanted, piped: bytes | io.BufferedReader | None = None
) -> tuple[Any, list[str], dict[str, str]]:
    """All samples, their names, and why what cannot be read cannot be."""
    stream = io.BytesIO(piped) if isinstance(piped, bytes) else piped
    blocks = list(open_inputs([str(each) for each in given], how, stream))
    return joined(blocks)


def joined(blocks: Iterator[Block] | list[Block]) -> tuple[Any, list[str], dict[str, str]]:
    blocks = list(blocks)
    for block in blocks:
        assert len(block.x) == len(block.names)
    return (
        np.concatenate([np.asarray(block.x, np.float64) for block in blocks]),
        [name for block in blocks for name in block.names],
        {each.name: each.reason for block in blocks for each in block.unreadable},
    )
