"""What the process was given: its output streams, its signals and its memory."""

from __future__ import annotations

import atexit
import codecs
import gc
import json
import os
import signal
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

from nncli.errors import ExitCode, Interrupted, NncliError

SELDOM = (50_000, 20, 20)
"""Python looks for garbage after each 700 new objects otherwise; importing makes 300,000."""


def collect_seldom() -> tuple[int, int, int]:
    """Look for garbage less often: a tenth of what a command takes.

    Returns:
        How often it was looked for before, as `gc.set_threshold` takes it.
    """
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    return before


def return_memory() -> None:
    """Give the system what this process has freed, which glibc keeps for it.

    It takes a millisecond. Other C libraries are not asked.
    """
    import ctypes

    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # other C libraries do not have it
            ctypes.CDLL(None).malloc_trim(0)


def leave(code: int) -> NoReturn:
    """End the process, without taking apart first what goes with it anyway.

    That takes Python a fifth of a second once TensorFlow is loaded, and can crash: threads of its
    streams call Python until the end.
    """
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        code = code or ExitCode.FAILED
    os._exit(code)


def python(call: str, *arguments: str, path: Sequence[str] | None = None) -> list[str]:
    """The command line of another Python that looks for modules where this one does.

    `python -m` would look in the current folder first, where a `keras.py` of the user's may be.

    Args:
        call: Python's statements, which find `arguments` in `sys.argv[1:]`.
        arguments: of the process.
        path: where it looks instead.
    """
    begin = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    where = json.dumps(list(sys.path if path is None else path))
    return [sys.executable, "-P", "-c", begin + call, where, *arguments]


def abandon_output() -> None:
    """Let what is left in the buffer go nowhere, or Python fails on it again at exit."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


_ASCII = {
    "×": "x", "·": ".", "→": "->", "–": "-", "—": "-", "−": "-", "✓": "ok", "★": "*", "▌": "|",
    "│": "|", "…": "...", "█": "#", "▏": "|", "′": "'", "σ": "sigma", "≤": "<=", "≥": ">=",
    "²": "^2", "³": "^3", "√": "sqrt", "Φ": "Phi", "α": "alpha", "λ": "lambda", "π": "pi",
    "∞": "inf", "Σ": "sum", "ŷ": "y", "≈": "~", "∂": "d", "┃": "|", "━": "-", "─": "-",
    "β": "beta", "θ": "theta", "φ": "phi", "ˣ": "^x", "⁻": "^-", "⊙": "*", "∗": "*", "±": "+-",
    "├": "|", "└": "|", "╸": "-", "╺": "-", "↑": "^", "∪": "or", "✗": "x", "▁": "_", "▂": ".",
    "▃": ":", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "’": "'", "“": '"', "”": '"',
}  # fmt: skip


def make_streams_safe() -> None:
    """Where a stream's encoding lacks a character, write its nearest in ASCII: never crash."""

    def nearest(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)
        text = error.object[error.start : error.end]
        return "".join(_ASCII.get(character) or _bare(character) for character in text), error.end

    codecs.register_error("nncli-ascii", nearest)
    # closed by whoever started us: nothing to say to nobody
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="nncli-ascii")


def _bare(character: str) -> str:
    """`é` as `e`, `₁` as `1`; `?` for what has nothing like it in ASCII."""
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"


def catch_signals() -> dict[int, signal.Handlers | None]:
    """Let signals end the work in order; a second one ends the process at once."""

    def stop(number: int, _: FrameType | None) -> None:
        for each in caught:
            signal.signal(each, signal.SIG_DFL)
        for give_back in _borrowed:  # a second signal leaves no time for it
            give_back()
        _hooks.append((sys.excepthook, sys.unraisablehook))
        sys.excepthook = sys.unraisablehook = _say_nothing
        if _holding:
            _held.append(number)
        else:
            _came.append(number)
            raise Interrupted(number)

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    known = {name: getattr(signal, name) for name in names if hasattr(signal, name)}
    if signal.getsignal(known.get("SIGHUP", signal.SIGTERM)) is signal.SIG_IGN:
        known.pop("SIGHUP", None)  # under nohup the run outlives its terminal
    caught = list(known.values())
    try:
        return {number: signal.signal(number, stop) for number in caught}  # type: ignore[misc]
    except ValueError:  # not the main thread: the caller handles signals
        return {}


def give_back_signals(handlers: dict[int, signal.Handlers | None]) -> None:
    """Put back what `catch_signals` has replaced, and forget what came."""
    for number, handler in handlers.items():
        signal.signal(number, handler)
    _came.clear()
    while _hooks:
        sys.excepthook, sys.unraisablehook = _hooks.pop()


def _say_nothing(*_: object) -> None:
    """TensorFlow's C++ prints what it makes of a signal on its way through it; so does Python."""


_hooks: list[tuple[Any, Any]] = []
"""What prints errors that nobody catches, where a signal has taken its place."""
_came: list[int] = []
"""The signal that ends the work, once it has come."""


@contextmanager
def signals_stay_signals() -> Iterator[None]:
    """Let a signal that a library made another error of, on its way through it, be one again.

    TensorFlow's C++ calls Python while it traces, and takes whatever is raised there for a value of
    a wrong type.

    Raises:
        Interrupted: in the place of any error but our own, once a signal has come.
    """
    try:
        yield
    except Exception as error:
        if _came and not isinstance(error, NncliError):
            raise Interrupted(_came[0]) from error
        raise


def raise_swallowed() -> None:
    """Raise the signal that has come and was lost: Python drops what is raised while it frees an
    object, or in a weak reference's callback.

    Raises:
        Interrupted: one has come, and the work still goes on.
    """
    if _came and not _holding:
        raise Interrupted(_came[0])


_holding: list[None] = []
_held: list[int] = []


@contextmanager
def hold_signals() -> Iterator[None]:
    """Let the first signal wait until the block is done; a second one ends the process at once.

    Raises:
        Interrupted: after the block, if a signal came.
    """
    _holding.append(None)
    try:
        yield
    finally:
        _holding.pop()
    if _held:
        raise Interrupted(_held.pop())


_answered: list[None] = []


@contextmanager
def answer() -> Iterator[None]:
    """Write the one document of `--json` inside, all of it: a signal waits until it is there.

    Raises:
        Interrupted: after the block, if a signal came.
    """
    with hold_signals():
        _answered.append(None)
        yield


def is_answered() -> bool:
    """Whether that document is on standard output, which is to hold no other then."""
    return bool(_answered)


def forget_answer() -> None:
    """The command line is done with; this process may run another."""
    _answered.clear()


_borrowed: list[Callable[[], None]] = []


@contextmanager
def borrowed_terminal(give_back: Callable[[], None], take: Callable[[], None]) -> Iterator[None]:
    """Draw on the terminal in the block, but not while the process is stopped or ends.

    Args:
        give_back: called when a signal ends or suspends (Ctrl-Z) the process.
        take: called when it goes on (`fg`).
    """

    def suspend(number: int, _: FrameType | None) -> None:
        give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # it returns when the process goes on
        signal.signal(number, suspend)
        take()

    _borrowed.append(give_back)
    known = getattr(signal, "SIGTSTP", None)
    try:
        if known is None or signal.getsignal(known) is not signal.SIG_DFL:
            yield
            return
        try:
            signal.signal(known, suspend)
        except ValueError:  # not the main thread: the caller handles signals
            yield
            return
        try:
            yield
        finally:
            signal.signal(known, signal.SIG_DFL)
    finally:
        _borrowed.remove(give_back)
