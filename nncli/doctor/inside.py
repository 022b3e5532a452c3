"""TensorFlow, tried in a process of its own: there it may hang or crash.

That is how it ends on a processor or with libraries that it was not built for: without an error
that Python could catch.
"""

from __future__ import annotations

import os
import pickle
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, NoReturn

from nncli import process, status
from nncli.backend import KEEP_OPEN
from nncli.errors import NncliError, reason_of

PATIENCE = 180.0
"""Seconds without a word from the process; a slow laptop takes a minute to import TensorFlow for
the first time."""
MOST_SAID, MOST_LETTERS = 20, 400
"""Lines of TensorFlow's that are kept, and letters of an error."""
_ILLEGAL = (
    "an illegal instruction",
    "this processor lacks what TensorFlow is built with (AVX); "
    "in a virtual machine choose the host's own type of processor",
)
DEATHS = {
    "SIGILL": _ILLEGAL,
    f"exit code {0xC000001D}": _ILLEGAL,  # Windows
    "SIGKILL": ("killed from outside", "it is likely that memory ran out: end other programs"),
}
"""How a process of TensorFlow ends, what that means, and what to do."""
REINSTALL = "pip install --force-reinstall nncli"
HINTS = (
    ("DLL load failed", "install Microsoft's Visual C++ Redistributable, the newest for x64"),
    ("GLIBC", "this system is too old for TensorFlow's packages: use a newer one"),
    ("protobuf", "pip install --upgrade tensorflow, which brings the protobuf that it needs"),
    ("numpy", "pip install --force-reinstall numpy tensorflow"),
)
"""What errors of an import that have such a word in them come from."""


@dataclass(frozen=True)
class Started:
    """TensorFlow as it was started, in the way that a run does."""

    versions: Mapping[str, str]
    place: str
    """The folder that it was imported from."""
    seconds: float
    """That importing and starting it took."""
    device: str
    """What a run computes on: `CPU`."""
    threads: int
    onednn: bool
    """Whether oneDNN's kernels are used."""
    gpus: tuple[str, ...]
    """That it sees."""
    built_with_cuda: bool
    cuda: str
    """The version of CUDA that it was built with; empty for none."""
    cudnn: str
    """Of cuDNN, likewise."""
    said: tuple[str, ...] = ()
    """What it wrote of GPUs while it started."""


@dataclass(frozen=True)
class Failed:
    """A step of the process that went wrong, or was not reached."""

    reason: str
    hint: str = ""


class Inside:
    """The process, seen from outside. It works from the first moment, and is ended by `close`."""

    def __init__(self, path: Sequence[str], patience: float = PATIENCE) -> None:
        """Start it.

        Args:
            path: where it looks for modules, as this process does.
            patience: seconds that it may be silent.
        """
        self._patience, self._doing = patience, "starting Python"
        # why there is no GPU is among TensorFlow's notes, and last words are worth most
        self._written = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - `close` does
        self._worker = subprocess.Popen(
            process.python("from nncli.doctor import inside; inside.main()", path=path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if KEEP_OPEN in os.environ else self._written,
            env={"TF_CPP_MIN_LOG_LEVEL": "0", **os.environ, KEEP_OPEN: "1"},
        )
        self._heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._hear, name="nncli-doctor", daemon=True).start()

    def _hear(self) -> None:
        assert self._worker.stdout is not None
        try:
            while True:
                self._heard.put(pickle.load(self._worker.stdout))
        except EOFError:
            pass
        except Exception:  # no answer of ours, or we have closed it
            self._worker.kill()
        self._heard.put(None)

    def take(self) -> Any:
        """What the next step gave, or `Failed`. What is being done is told meanwhile."""
        while True:
            try:
                heard = self._heard.get(timeout=self._patience)
            except queue.Empty:
                self._worker.kill()
                return Failed(
                    f"{self._doing} took more than {self._patience:g} seconds",
                    "try again; nncli doctor --verbose shows what it writes",
                )
            if heard is None:
                return self._ended()
            if isinstance(heard, Started):
                return replace(heard, said=_of_gpus(self._noise()))
            if not isinstance(heard, str):
                return heard
            self._doing = heard
            status.tell(heard)

    def _ended(self) -> Failed:
        code = self._worker.wait()
        name = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        why, hint = DEATHS.get(name, (name, REINSTALL))
        lines = [line.strip() for line in self._noise().splitlines() if line.strip()]
        last_words = f": {lines[-1][:MOST_LETTERS]}" if lines else ""
        return Failed(f"{self._doing} ended the process, {why}{last_words}", hint)

    def _noise(self) -> str:
        """What it wrote to its error stream."""
        self._written.seek(0)
        return self._written.read().decode(errors="replace")

    def close(self) -> None:
        """End the process, wherever it is."""
        self._worker.kill()
        self._worker.wait()
        for stream in (self._worker.stdin, self._worker.stdout, self._written):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def main() -> NoReturn:
    """The process: one step after the other, until one fails."""
    from nncli.doctor.trial import train

    # Ctrl-C reaches all processes of a terminal, but whoever started this one ends it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is none
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def send(answer: Any) -> None:
        pickle.dump(answer, answers)
        answers.flush()

    steps: tuple[Callable[[], Any], ...] = (start, train)
    with status.told_to(send):
        for step in steps:
            try:
                send(step())
            except Exception as error:
                send(explained(error))
                break
    process.leave(0)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()  # nobody writes: it ends when who started us does
    os._exit(1)


def explained(error: Exception) -> Failed:
    """An error in one sentence, and what to do where it is known."""
    text = reason_of(error)
    if "Traceback" in text:  # TensorFlow puts a whole one into its message
        last = re.findall(r"^\w*Error: .*$", text, re.MULTILINE)
        text = f"{text.partition(':')[0]}: {last[-1]}" if last else text
    hint = next((hint for word, hint in HINTS if word.lower() in text.lower()), "")
    if not hint and isinstance(error, NncliError) and error.hint:
        hint = error.hint
    return Failed(" ".join(text.split())[:MOST_LETTERS], hint or REINSTALL)


def start() -> Started:
    """Import TensorFlow and start it as a run does.

    Raises:
        BackendError: it cannot be imported, or does not start.
    """
    from nncli import backend

    status.tell("importing TensorFlow")
    began = time.monotonic()
    tf = backend.tensorflow()
    status.tell("starting TensorFlow")
    from nncli.config.sections import available_threads

    device = backend.start("auto", available_threads(), 42)
    seconds = time.monotonic() - began
    built = tf.sysconfig.get_build_info()
    return Started(
        versions=backend.versions(),
        place=os.path.dirname(tf.__file__),  # noqa: PTH120 - text for another process
        seconds=seconds,
        device=device.name,
        threads=device.threads,
        onednn=device.onednn,
        gpus=tuple(map(_named, tf.config.list_physical_devices("GPU"))),
        built_with_cuda=bool(built.get("is_cuda_build")),
        cuda=str(built.get("cuda_version", "")),
        cudnn=str(built.get("cudnn_version", "")),
    )


def _named(gpu: Any) -> str:
    from nncli import backend

    details = backend.tensorflow().config.experimental.get_device_details(gpu)
    return f"{gpu.name.rpartition('device:')[2]} ({details.get('device_name', 'unknown')})"


def _of_gpus(noise: str) -> tuple[str, ...]:
    """The lines that TensorFlow wrote of GPUs, without their beginnings of time and place."""
    words = re.compile(r"gpu|cuda|cudnn|dso|dlopen", re.IGNORECASE)
    lines = (line.rpartition("] ")[2].strip() for line in noise.splitlines())
    return tuple(dict.fromkeys(line for line in lines if words.search(line)))[-MOST_SAID:]


def where(module: str) -> str:
    """Where a module would be imported from; empty where there is none."""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return ""
    return (spec.origin or "") if spec is not None else ""
