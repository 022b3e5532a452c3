"""What can go wrong, and the exit code that each class of it ends with.

    NncliError            1  failed while running
    ├── UsageError        2  the command line: an unknown name, a bad option value
    │   └── ConfigError   2  a config file or override: every problem, each with its place
    ├── DataError         3  missing, unreadable or unusable data
    ├── ModelError        4  a model or weights file, or a model that cannot be built
    ├── RunError          4  a run folder: taken, unwritable, damaged, not found
    ├── RequirementError  5  a result that the caller required was not reached
    ├── DiskError         1  a file could not be written: no space, a failing disk
    ├── BackendError      1  TensorFlow is missing or does not start
    ├── ExportError       1  a format that cannot hold a model, or answers otherwise than Keras
    └── TrainingError     1  training itself: a loss that is no longer a number, no memory

    KeyboardInterrupt
    └── Interrupted     128+n  the signal n: 130 Ctrl-C, 143 terminated, 129 hung up
        └── ReaderGone    141  nobody reads standard output any longer

The library raises these; `nncli.cli.main` alone prints them and exits.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

_SAYS_NOTHING = ("Graph execution error:", "Detected at node", 'File "', "<stack traces", "[[")
"""What the lines of an error of TensorFlow begin with that do not say what is wrong."""


class ExitCode(IntEnum):
    """The exit codes of nncli. Signals end with 128 + their number."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DATA = 3
    MODEL = 4
    REQUIREMENT = 5
    HANGUP = 129
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


class Interrupted(KeyboardInterrupt):
    """A signal asked the process to stop: SIGINT, SIGTERM or SIGHUP."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"ended by signal {signal_number}")
        self.signal_number = signal_number

    @property
    def exit_code(self) -> int:
        """128 + the signal's number."""
        return 128 + self.signal_number


class ReaderGone(Interrupted):
    """Whoever read standard output has left, as `head -1` does: what it is told by ends."""

    def __init__(self) -> None:
        super().__init__(ExitCode.READER_GONE - 128)
        self.args = ("nobody reads standard output any longer",)


class NncliError(Exception):
    """A failure that the user can understand.

    `message` says what was given and what was wanted; `hint` says what to do next.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(NncliError):
    """The command line asks for something that does not exist or cannot be."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class Problem:
    """One mistake in a config, at its place."""

    path: str
    """Dotted key, `training.epochs`; empty for a problem of the whole file."""
    message: str
    """What was given and what is wrong with it."""
    advice: str = ""
    """What to write instead, a few words that stand beside the carets."""
    origin: str = ""
    """The file's name, or the argument that carried the value, `--set seed=x`."""
    line: int = 0
    """1-based; 0 for an argument, and for a problem of a whole file."""
    column: int = 0
    """1-based, counted in characters; 0 for a problem of the whole origin."""
    length: int = 1
    """How many characters the carets underline."""
    source: tuple[tuple[int, str], ...] = ()
    """The source lines to show, as (line number, text); the last one holds the place. An argument
    is the one line 0."""
    related: tuple[str, ...] = ()
    """The other keys that it takes to go wrong like this."""

    @property
    def place(self) -> str:
        """`file:line:column`, or the argument."""
        return f"{self.origin}:{self.line}:{self.column}" if self.line else self.origin


class ConfigError(UsageError):
    """A config that must not start a run: all its problems at once, in file order."""

    def __init__(
        self, message: str, problems: Sequence[Problem], *, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class DataError(NncliError):
    """The data cannot be found, read or trained on.

    `places` are all that are concerned, files or rows, where the message names only some.
    """

    exit_code = ExitCode.DATA

    def __init__(
        self, message: str, *, hint: str | None = None, places: Sequence[str] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.places = tuple(places)


class ModelError(NncliError):
    """A model, a weights file, or settings that do not make a model."""

    exit_code = ExitCode.MODEL


class RunError(NncliError):
    """A run folder that is taken, unwritable, damaged or not there."""

    exit_code = ExitCode.MODEL


class RequirementError(NncliError):
    """A result that was required and not reached."""

    exit_code = ExitCode.REQUIREMENT


class DiskError(NncliError):
    """The disk is full or fails; what was there before is still there."""


class BackendError(NncliError):
    """TensorFlow/Keras is missing or does not start."""


class ExportError(NncliError):
    """A model that cannot be written in a format, or answers otherwise in it."""


class TrainingError(NncliError):
    """Training cannot go on."""


def closest(word: str, choices: Iterable[str]) -> str | None:
    """The one of `choices` that `word` was most likely meant to be, if any is near.

    Case, `-`, `_` and spaces are not held against a word, and `lr` is short for `learning_rate`.
    """

    choices = list(choices)

    def plain(text: str) -> str:
        return text.lower().replace("-", "").replace("_", "").replace(" ", "")

    by_plain: dict[str, str] = {}
    for choice in choices:
        by_plain.setdefault(plain(choice), choice)
    found = difflib.get_close_matches(plain(word), by_plain, n=1, cutoff=0.6)
    if found:
        return by_plain[found[0]]
    initials = {"".join(part[:1] for part in choice.split("_")): choice for choice in choices}
    return initials.get(word.lower()) if len(word) > 1 else None


def unknown_name(what: str, given: str, choices: Sequence[str], *, see: str = "") -> UsageError:
    """The error for a name that is not in a table, with did-you-mean or the choices.

    `see` names the command that lists the choices, for tables too long to print.
    """
    guess = closest(given, choices)
    if guess is not None:
        hint = f"did you mean '{guess}'?"
        if see:
            hint += f" {see} shows them all"
    elif see:
        hint = f"{see} shows the choices"
    else:
        hint = f"choose one of {', '.join(choices)}"
    return UsageError(f"unknown {what} '{given}'", hint=hint)


def in_one_line(error: BaseException) -> str:
    """What an error says, shortly: its first line, or of TensorFlow's the first that says it.

    TensorFlow begins with `Graph execution error:` and the stack of Python that made the graph.
    """
    lines = [line.strip() for line in str(error).splitlines()]
    found = next((line for line in lines if line and not line.startswith(_SAYS_NOTHING)), "")
    return re.sub(r"^(\{\{.*?\}\} ?)+", "", found)  # names of operations that nobody has written


def reason_of(error: Exception) -> str:
    """Why something failed that must not cost the rest, in one sentence."""
    if isinstance(error, NncliError):
        return str(error)
    return f"{type(error).__name__}: {in_one_line(error)}"
