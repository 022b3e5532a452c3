"""The machine, as far as it is asked: made ones take its place in the tests."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 20.0
"""Seconds that a program may take to answer."""


@dataclass(frozen=True)
class Answer:
    """What a program said."""

    code: int | None
    """It ended with; None where there is no such program, or it did not end."""
    text: str
    """All that it wrote, errors too."""


def ask(command: Sequence[str]) -> Answer:
    """Run a program that only tells something."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE,
        )
    except FileNotFoundError:
        return Answer(None, "")
    except subprocess.TimeoutExpired:
        return Answer(None, f"no answer in {PATIENCE:g} seconds")
    except OSError as error:
        return Answer(None, error.strerror or str(error))
    return Answer(done.returncode, done.stdout.strip())


def load(library: str) -> str:
    """Why a shared library cannot be loaded; empty where it can."""
    try:
        ctypes.CDLL(library)
    except OSError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Machine:
    """Where the checks look."""

    output: Path = Path("outputs")
    """The folder that run folders are to be made in."""
    root: Path = Path("/")
    """Of `/proc`, `/sys` and `/dev`."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    """Its variables, before TensorFlow is started: that changes some."""
    path: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
    """Where Python looks for modules."""
    system: str = field(default_factory=platform.system)
    """`Linux`, `Darwin` or `Windows`."""
    architecture: str = field(default_factory=platform.machine)
    """`x86_64`, `arm64`."""
    ask: Callable[[Sequence[str]], Answer] = ask
    """Runs a program."""
    load: Callable[[str], str] = load
    """Tries a shared library."""

    def text(self, place: str) -> str:
        """What stands in a file below the root; empty where there is none, or it cannot be read."""
        try:
            return (self.root / place).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    @property
    def is_container(self) -> bool:
        """Whether this is a container, as Docker and Podman mark them."""
        marks = (".dockerenv", "run/.containerenv")
        return any((self.root / mark).exists() for mark in marks)

    @property
    def is_wsl(self) -> bool:
        """Whether this is a Linux inside Windows."""
        return "microsoft" in self.text("proc/sys/kernel/osrelease").lower()
