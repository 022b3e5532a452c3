"""The only door to Keras and TensorFlow: late, quiet, fast, and set up the same every time.

Importing this module imports neither. `start` configures the process for a reproducible run;
`keras()` and `tensorflow()` give the modules, importing them on first use.
"""

from __future__ import annotations

import functools
import gc
import importlib
import io
import os
import re
import sys
import tempfile
import threading
import typing
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from nncli import status
from nncli.errors import BackendError, UsageError

KEEP_OPEN = "NNCLI_VERBOSE"
"""Set (to anything) to let TensorFlow write to the terminal."""

_LEFT_OUT = ("matplotlib", "sklearn")
"""What Keras imports where it finds it, to offer plots and wrappers that nncli does not use;
scikit-learn alone takes a fifth of its time."""
_LATE = frozenset(
    f"tensorflow._api.v2.{name}"
    for name in (
        *("audio", "compat", "distribute.experimental", "feature_column", "lite", "mlir"),
        *("profiler", "quantization", "signal", "summary", "test", "tpu"),
        *("__internal__.distribute.combinations", "__internal__.distribute.multi_process_runner"),
        "__internal__.feature_column",
    )
)
"""Rooms of TensorFlow that nncli and Keras seldom enter: loaded when first looked into. Another
sixth of the time."""
MOST_SHARES = 4
"""Into how many parts a batch goes at most: each is a part of the graph, which takes time to build,
and a few samples are hardly faster than some more."""
_noise: list[str] = []


@dataclass(frozen=True)
class Device:
    """What a run computes on."""

    name: str
    """`CPU`, or `GPU:0 (NVIDIA H100)`."""
    threads: int
    """CPU threads."""
    onednn: bool
    """Whether oneDNN's kernels are used; they change the last bits."""
    precision: str = "float32"
    """Of the computation; weights are 32-bit numbers always."""


def keras() -> Any:
    """The `keras` module.

    Raises:
        BackendError: it is not installed, or does not start.
    """
    return _import("keras")


def tensorflow() -> Any:
    """The `tensorflow` module, for what Keras has no name for.

    Raises:
        BackendError: it is not installed, or does not start.
    """
    _import("keras")  # Keras first: its import is the one that is set up to be fast
    return _import("tensorflow")


def has_gpu() -> bool:
    """Whether TensorFlow computes on a GPU; after `start`."""
    return bool(tensorflow().config.list_logical_devices("GPU"))


def shares() -> int:
    """In how many parts of a batch a model is computed side by side; after `start`."""
    if has_gpu():
        return 1
    threads: int = tensorflow().config.threading.get_inter_op_parallelism_threads()
    return max(1, min(threads, MOST_SHARES))


def values(variables: Sequence[Any]) -> list[Any]:
    """What variables hold now, whatever becomes of them: to be assigned to them again.

    On a CPU nothing is copied until a variable changes. Of a GPU's memory nothing is taken.

    Args:
        variables: keras.Variables.
    """
    if has_gpu():
        return [each.numpy() for each in variables]
    return [each.value.value() for each in variables]


def versions() -> dict[str, str]:
    """The versions that a run is recorded with."""
    import platform
    from importlib.metadata import version

    import nncli

    names = ("tensorflow", "keras", "numpy")
    return {
        "nncli": nncli.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def check_tensorboard() -> None:
    """Refuse to write for TensorBoard where TensorFlow cannot: its writer is in that package.

    Raises:
        UsageError: it is not installed.
    """
    from importlib.util import find_spec

    if find_spec("tensorboard") is None:
        raise UsageError(
            "--tensorboard needs the package tensorboard, which is not installed",
            hint="pip install 'nncli[tensorboard]'",
        )


def processor() -> list[str]:
    """What tells processors apart that have other kernels."""
    told = ("model name", "flags", "Features", "CPU implementer", "CPU part")
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        import platform

        return [platform.processor()]
    return sorted({line for line in lines if line.startswith(told)})


def noise() -> str:
    """What TensorFlow wrote to standard error and the user has not seen."""
    return "".join(_noise)


def start(device: str, threads: int, seed: int, precision: str = "float32") -> Device:
    """Set the process up so that two runs on a CPU give the same bits.

    Deterministic operations, explicit thread counts, float32, channels last, all seeds: a
    user's `~/.keras/keras.json` changes none of it.

    Args:
        device: `auto`, `cpu`, `gpu` or `gpu:N`.
        threads: CPU threads. On a CPU with up to MOST_SHARES of them one computes one operation,
            and they work on different ones: `nncli.models.shares` gives them some.
        seed: for the first weights and dropout.
        precision: `float32`, `mixed_float16` or `mixed_bfloat16`, Keras's names.

    Raises:
        UsageError: a GPU that is not there.
        BackendError: TensorFlow does not start.
    """
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    tf = tensorflow()
    with _quiet():
        found = [] if device == "cpu" else tf.config.list_physical_devices("GPU")
        apart = not found and threads <= MOST_SHARES
        try:
            tf.config.threading.set_intra_op_parallelism_threads(1 if apart else threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError as error:
            raise BackendError(
                f"TensorFlow already runs in this process with other than {threads} threads"
            ) from error
        name = _choose(tf, device, found)
        tf.config.experimental.enable_op_determinism()
        if KEEP_OPEN not in os.environ:
            tf.get_logger().setLevel("ERROR")  # no advice on tracing beside the user's epochs
        tf.constant(0.0)  # the first operation starts the runtime, which has its own noise
    module = keras()
    module.config.set_floatx("float32")
    module.config.set_epsilon(1e-7)
    module.config.set_image_data_format("channels_last")
    module.config.set_dtype_policy(precision)
    module.utils.set_random_seed(seed)
    onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
    return Device(name, threads, onednn, precision)


def _choose(tf: Any, device: str, found: Sequence[Any]) -> str:
    """Let TensorFlow use this device alone, of the GPUs that were found; what it is called."""
    if device == "cpu" or (device == "auto" and not found):
        tf.config.set_visible_devices([], "GPU")
        return "CPU"
    number = int(device.partition(":")[2] or 0)
    if number >= len(found):
        raise UsageError(
            f"device {device} was asked for, but TensorFlow sees {len(found)} GPU(s)",
            hint="use --device cpu; for NVIDIA GPUs on Linux: pip install 'nncli[gpu]'",
        )
    tf.config.set_visible_devices(found[number], "GPU")
    tf.config.experimental.set_memory_growth(found[number], True)
    details = tf.config.experimental.get_device_details(found[number])
    return f"GPU:{number} ({details.get('device_name', 'unknown')})"


def _import(name: str) -> Any:
    if name in sys.modules:
        return sys.modules[name]
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1")
    with _quiet(), _fast_import():
        try:
            return importlib.import_module(name)
        except Exception as error:
            raise BackendError(
                f"{name} cannot be imported: {error}",
                hint="reinstall with pip install --force-reinstall nncli, "
                "or run with --verbose to see what it wrote",
            ) from error


@contextmanager
def _fast_import() -> Iterator[None]:
    """Import Keras in half the time: no garbage collection, and nothing that is seldom used."""
    hidden = [name for name in _LEFT_OUT if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # `import` then fails
    sys.meta_path.insert(0, _Late)
    collecting = gc.isenabled()
    gc.disable()
    # TensorFlow's signatures name 116 types 18,000 times, and `typing` compiles each name anew
    vars(typing)["compile"] = functools.cache(compile)
    try:
        yield
    finally:
        vars(typing).pop("compile", None)
        sys.meta_path.remove(_Late)
        for name in hidden:
            del sys.modules[name]
        gc.freeze()
        if collecting:
            gc.enable()


class _Late:
    """Finds the modules of _LATE as Python would, but they are run when first looked into."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As `importlib.abc.MetaPathFinder` says."""
        spec = PathFinder.find_spec(name, path, target) if name in _LATE else None
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _LateLoader(spec.loader.name, spec.loader.path)
        return spec


class _LateLoader(SourceFileLoader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module that is yet to be run."""
        return _LateModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Not yet."""

    def run(self, module: ModuleType) -> None:
        """Now.

        Packages of the names `tensorflow.lite` and `tensorflow.distribute` come in beside the late
        modules, and Python would put them in the place of what TensorFlow shows by these names.
        """
        whole = vars(sys.modules["tensorflow"])
        public = {name: each for name, each in whole.items() if isinstance(each, ModuleType)}
        with _quiet():
            super().exec_module(module)
        whole.update(public)


class _LateModule(ModuleType):
    """Python's own `LazyLoader` runs a module for any attribute, even for the `__file__` that
    `inspect` asks all modules for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        with _loading:
            if type(self) is _LateModule:
                self.__class__ = ModuleType  # type: ignore[assignment]
                self.__loader__.run(self)  # type: ignore[union-attr]
        return getattr(self, name)


_loading = threading.RLock()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what C++ writes to file descriptor 2, to be shown only when something fails."""
    if KEEP_OPEN in os.environ:
        yield
        return
    try:
        saved = os.dup(2)
    except OSError:  # standard error is closed: nothing to keep quiet
        yield
        return
    with tempfile.TemporaryFile() as kept:
        sys.stderr.flush()
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            kept.seek(0)
            _noise.append(kept.read().decode(errors="replace"))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what a library prints and warns of inside, to be shown only when something fails."""
    if KEEP_OPEN in os.environ:
        yield
        return
    said = io.StringIO()
    try:
        with _quiet(), warnings.catch_warnings(), redirect_stdout(said), redirect_stderr(said):
            warnings.simplefilter("ignore")
            yield
    finally:
        _noise.append(said.getvalue())


@contextmanager
def patient_download(seconds: float = 15.0) -> Iterator[None]:
    """Let a download inside fail after `seconds` without an answer instead of hanging.

    Keras prints its progress to standard output, which is for results. Whoever watches is told
    (silence for 170 MB looks like a hang); where nobody does, it goes to a terminal's error stream,
    elsewhere nowhere.
    """
    import socket

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        with redirect_stdout(_progress_stream()):
            yield
    finally:
        socket.setdefaulttimeout(before)


def _progress_stream() -> io.TextIOBase | TextIO:
    if status.is_watched():
        return _Told()
    return sys.stderr if sys.stderr.isatty() else io.StringIO()


class _Told(io.TextIOBase):
    """Tells what Keras prints of a download as one sentence: the file, and how much is there."""

    def __init__(self) -> None:
        self.file = "the data"

    def write(self, text: str) -> int:
        address = re.search(r"Downloading data from (\S+)", text)
        if address is not None:
            self.file = address[1].rpartition("/")[2]
            status.tell(f"downloading {self.file}")
        counts = re.findall(r"(\d+)/(\d+)", text)
        if counts:
            done, size = (int(count) / 1e6 for count in counts[-1])
            status.tell(f"downloading {self.file}: {done:.1f} of {size:.1f} MB")
        return len(text)


def cache_folder() -> Path:
    """Where Keras keeps downloads: `$KERAS_HOME`, else `~/.keras`."""
    given = os.environ.get("KERAS_HOME")
    return Path(given) if given else Path("~/.keras").expanduser()
