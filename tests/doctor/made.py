"""Made machines: folders in place of the system's, and programs that say what they are told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nncli.doctor.inside import Started
from nncli.doctor.machine import Answer, Machine

NO_PROGRAM = Answer(None, "")


def machine(
    root: Path,
    files: Mapping[str, str] | None = None,
    *,
    answer: Answer = NO_PROGRAM,
    missing: Callable[[str], bool] = lambda _: False,
    environment: Mapping[str, str] | None = None,
    **fields: Any,
) -> Machine:
    """A Linux on x86_64 with these files, whose programs give one answer.

    Args:
        root: where its files are made.
        files: what stands in them, by their place below `/`.
        answer: of every program.
        missing: which shared libraries cannot be loaded.
        environment: its variables; none by default.
        fields: of `Machine`.
    """
    for place, text in (files or {}).items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def ask(_: Sequence[str]) -> Answer:
        return answer

    def load(library: str) -> str:
        return f"{library}: cannot open shared object file" if missing(library) else ""

    fields = {"system": "Linux", "architecture": "x86_64", **fields}
    return Machine(root=root, environment=environment or {}, ask=ask, load=load, **fields)


def started(**fields: Any) -> Started:
    """A TensorFlow that was built with CUDA and sees no GPU."""
    usual: dict[str, Any] = {
        "versions": {"tensorflow": "2.21.0", "keras": "3.15.1"},
        "place": "/nowhere/tensorflow",
        "seconds": 3.0,
        "device": "CPU",
        "threads": 2,
        "onednn": True,
        "gpus": (),
        "built_with_cuda": True,
        "cuda": "12.5.1",
        "cudnn": "9",
        "said": (),
    }
    return Started(**{**usual, **fields})
