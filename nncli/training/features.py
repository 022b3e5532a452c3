"""What a frozen base gives for all samples: computed once, and kept for the next run.

Kept ones are taken where everything that determines their bits is the same: the samples as the
network sees them, the network, its weights, and what it is computed with.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli import backend
from nncli.data.arrays.stored import RowWriter
from nncli.data.dataset import Dataset, Split
from nncli.data.samples import Converted, Samples, blocks
from nncli.listener import Listener
from nncli.models.kind import Phase
from nncli.models.preprocessing import Preparation
from nncli.results import Array
from nncli.training.cache import CacheError, cache_folder, keep, take
from nncli.training.order import large_batch
from nncli.training.stream import read_ahead

__all__ = ["cache_folder", "features", "features_from_a_few"]

FORMAT = 1
"""Of the key: with another number, what was kept before is computed anew."""
QUICK = 1.0
"""Seconds: features that took less are not kept."""
BATCH = 64
"""Samples at once on a CPU, where more are no faster and take more memory."""
WORK = 5e10
"""Multiplications and additions at once on a CPU: two cores take half a second for them, and
only between two batches a signal is heard."""
INTERVAL = 0.2
"""Seconds between two words on how far it is."""
PROBED = 32
"""Of samples on the disk, how many are read to see how they are prepared."""
SWITCHES = ("ONEDNN_", "DNNL_", "TF_ENABLE_", "NVIDIA_TF32_")
"""What the names of the environment's variables begin with that choose how it is computed."""


def features(phase: Phase, listener: Listener, cache: Path | None) -> Dataset:
    """The samples as the frozen front of the model sees them.

    Args:
        phase: has an extractor.
        listener: hears how far it is.
        cache: nncli's cache folder, `cache_folder()`; None to compute
            everything anew and keep nothing.

    Raises:
        DataError: a file that is gone or damaged since it was looked through.
    """
    dataset, extractor = phase.dataset, phase.extractor
    # the test part is not needed here: it is measured on the whole model
    parts = [part for part in (dataset.train, dataset.validation) if part is not None]
    batch = batch_size(extractor, dataset.train.x)
    shelf = _Shelf(cache, extractor, batch, listener)
    found = [shelf.take(part) for part in parts]
    known = sum(len(each) for each in found if each is not None)
    if known:
        listener.status(f"taking the features of {known:,} images from the cache", takes_long=True)
    missing = sum(len(part) for part in parts) - known
    if missing:
        listener.status(
            f"extracting the features of {missing:,} images with the frozen base", takes_long=True
        )
    extraction = _Extraction(extractor, batch, missing, listener)
    kept = []
    for part, each in zip(parts, found, strict=True):
        x = each
        if x is None:
            x = extraction.of(part.x)
            if extraction.seconds >= QUICK:
                shelf.keep(part, x)
        kept.append(Split(x, part.y))
    return replace(dataset, train=kept[0], validation=kept[1] if len(kept) > 1 else None)


def features_from_a_few(
    phase: Phase, listener: Listener, cache: Path | None, seconds: float
) -> tuple[Dataset, float]:
    """As `features`, but of no more samples than it takes to tell how long all of them will take.

    Args:
        phase: has an extractor.
        listener: hears what could not be taken from the cache.
        cache: as for `features`; nothing is added to it.
        seconds: after about so many it is enough.

    Returns:
        The samples, those that were not come to with the features of others; and the seconds that
        all of them take.
    """
    dataset, extractor = phase.dataset, phase.extractor
    batch = batch_size(extractor, dataset.train.x)
    shelf = _Shelf(cache, extractor, batch, listener)
    extraction = _Extraction(extractor, batch, 0, Listener())
    whole, kept = 0.0, []
    for part in (dataset.train, dataset.validation):
        if part is None:
            continue
        began = time.monotonic()
        x = shelf.take(part)
        whole += time.monotonic() - began
        if x is None:
            x, each = extraction.of_a_few(part.x, seconds)
            whole += each
        kept.append(Split(x, part.y))
    found = replace(dataset, train=kept[0], validation=kept[1] if len(kept) > 1 else None)
    return found, whole


class _Repeated(Samples):
    """A few rows again and again, in the place of those on the disk that are not there yet."""

    def __init__(self, rows: Array, count: int) -> None:
        super().__init__((count, *rows.shape[1:]), rows.dtype)
        self._rows = rows

    def read(self, rows: NDArray[np.intp]) -> Array:
        return np.asarray(self._rows[rows % len(self._rows)])


def batch_size(extractor: Any, x: Array | Samples) -> int:
    """How many samples the extractor is given at once; the same wherever it is called.

    Several cores have as many together.
    """
    size = large_batch(x)
    if backend.has_gpu():
        return size
    size = min(size, BATCH, int(WORK / max(1, operations(extractor))))
    return max(1, -(-size // backend.shares()))


def operations(model: Any) -> int:
    """Multiplications and additions for one sample, as far as they are with weights.

    2 · weights of a kernel · places that it is put on
    """
    count = 0
    for layer in model._flatten_layers():
        if hasattr(layer, "layers"):
            continue  # its layers come themselves
        try:
            shape = layer.output.shape
        except (AttributeError, ValueError):  # no one output: used several times, or answers more
            continue
        places = prod(side or 1 for side in shape[1:-1])
        kernels = (weight.shape for weight in layer.weights if len(weight.shape) > 1)
        count += 2 * places * sum(prod(kernel) for kernel in kernels)
    return count


class _Extraction:
    """Runs the extractor and tells how far it is."""

    def __init__(self, extractor: Any, batch: int, count: int, listener: Listener) -> None:
        """Nothing is built yet.

        Args:
            extractor: (batch, …) → features.
            batch: samples at once.
            count: samples of all parts.
            listener: is told.
        """
        self.extractor, self.batch, self.count, self.listener = extractor, batch, count, listener
        self.seconds = 0.0
        """That the work has taken, without building the graph."""
        self._done, self._told = 0, time.monotonic()
        self._run: Callable[[Array], Any] | None = None

    def of(self, x: Array | Samples) -> Array | Samples:
        """What the frozen front gives for all samples; on the disk where they are on the disk."""
        shape = (len(x), *self.extractor.output_shape[1:])
        self._run = self._run or self._graph(x)
        began = time.monotonic()
        if isinstance(x, Samples):
            keeper = RowWriter(shape, np.float32)
            for answers in self._answers(x):
                keeper.add(answers)
            whole: Array | Samples = keeper.rows()
        else:
            whole, end = np.empty(shape, np.float32), 0
            for answers in self._answers(x):
                whole[end : end + len(answers)] = answers
                end += len(answers)
        self.seconds += time.monotonic() - began
        return whole

    def of_a_few(self, x: Array | Samples, seconds: float) -> tuple[Array | Samples, float]:
        """The same from as many batches as are done in about these seconds, repeated to the end;
        and the seconds that all batches take."""
        began = time.monotonic()
        self._run = self._run or self._graph(x)
        ends, answers = [time.monotonic()], []
        with closing(self._answers(x)) as batches:
            for batch in batches:
                answers.append(batch)
                ends.append(time.monotonic())
                if ends[-1] - ends[0] >= seconds:
                    break
        rows = np.concatenate(answers)
        left = len(x) - len(rows)
        # the first batch is slow, where there are others
        warm = ends[-1] - ends[1] if len(answers) > 1 else ends[-1] - ends[0]
        timed = len(rows) - len(answers[0]) if len(answers) > 1 else len(rows)
        whole = ends[-1] - began + warm * left / timed
        if isinstance(x, Samples):
            return _Repeated(rows, len(x)), whole
        return np.resize(rows, (len(x), *rows.shape[1:])), whole

    def _graph(self, x: Array | Samples) -> Callable[[Array], Any]:
        """The extractor as one graph for any number of samples, traced here."""
        tf, extractor = backend.tensorflow(), self.extractor
        signature = [tf.TensorSpec((None, *x.shape[1:]), x.dtype)]

        def run(batch: Any) -> Any:
            return tf.cast(extractor(batch, training=False), tf.float32)

        graph: Callable[[Array], Any] = tf.function(run, signature, autograph=False)
        graph.get_concrete_function()  # type: ignore[attr-defined]
        return graph

    def _answers(self, x: Array | Samples) -> Generator[Array, None, None]:
        """In their order, batch by batch; each core computes one of its own."""
        run, cores = self._run, backend.shares()
        assert run is not None
        begins = range(0, len(x), self.batch)
        rows = (np.arange(at, min(at + self.batch, len(x)), dtype=np.intp) for at in begins)
        answers: Any
        if cores > 1:
            answers = read_ahead(lambda rows: run(x[rows]).numpy(), rows, threads=cores)
        else:
            answers = (run(batch).numpy() for batch in read_ahead(x.__getitem__, rows))
        with closing(answers):  # ends its threads
            for answer in answers:
                yield answer
                self._done += len(answer)
                self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told >= INTERVAL:
            self._told = now
            self.listener.status(f"extracting features: {self._done:,} of {self.count:,} images")


class _Shelf:
    """The kept features of one extractor; an empty one where nothing is to be kept."""

    def __init__(self, cache: Path | None, extractor: Any, batch: int, listener: Listener) -> None:
        self.folder = None if cache is None else cache / "features"
        self.extractor, self.listener = extractor, listener
        self._keys: dict[int, str] = {}
        if self.folder is not None:
            try:
                self._common = _digest_of(extractor, batch)
            except (TypeError, ValueError, NotImplementedError) as error:
                # a layer of a saved base that cannot be written down
                self._without(f"{extractor.name} cannot be told from another base: {error}")

    def take(self, part: Split) -> Array | Samples | None:
        """The features of a part; None where there are none that can be used."""
        if self.folder is None:
            return None
        shape = (len(part), *self.extractor.output_shape[1:])
        try:
            return take(self.folder, self._key(part), shape, on_disk=isinstance(part.x, Samples))
        except CacheError as error:
            self.listener.note(f"{error}: the features are computed anew")
            return None

    def keep(self, part: Split, x: Array | Samples) -> None:
        """Keep the features of a part."""
        if self.folder is None:
            return
        try:
            keep(self.folder, self._key(part), x)
        except CacheError as error:
            self._without(str(error))

    def _without(self, reason: str) -> None:
        self.folder = None
        self.listener.note(f"the features are not kept: {reason}")

    def _key(self, part: Split) -> str:
        if id(part) not in self._keys:
            digest = self._common.copy()
            for piece in _content(part):
                digest.update(piece)
            self._keys[id(part)] = digest.hexdigest()
        return self._keys[id(part)]


def _digest_of(extractor: Any, batch: int) -> Any:
    """Of the network, its weights and all that decides how it is computed."""
    tf, keras = backend.tensorflow(), backend.keras()
    gpus = tf.config.list_physical_devices("GPU")
    devices = [
        *(each.name for each in tf.config.list_logical_devices()),
        *(repr(tf.config.experimental.get_device_details(each)) for each in gpus),
    ]
    versions = backend.versions()
    circumstances = (
        ("format", FORMAT),
        ("versions", [(name, versions[name]) for name in ("tensorflow", "keras", "numpy")]),
        ("machine", platform.system(), platform.machine(), backend.processor()),
        ("devices", devices, tf.config.experimental.tensor_float_32_execution_enabled()),
        (
            "threads",
            tf.config.threading.get_intra_op_parallelism_threads(),
            tf.config.threading.get_inter_op_parallelism_threads(),
        ),
        ("switches", sorted(each for each in os.environ.items() if each[0].startswith(SWITCHES))),
        ("precision", keras.config.dtype_policy().name, keras.config.epsilon()),
        ("batch", batch),
        ("network", extractor.to_json()),
    )
    digest = hashlib.sha256(repr(circumstances).encode())
    for weight in extractor.weights:
        values = keras.ops.convert_to_numpy(weight)
        digest.update(repr((values.shape, values.dtype.str)).encode())
        digest.update(values.tobytes())
    return digest


def _content(part: Split) -> Iterator[bytes | memoryview]:
    """All that tells the samples of a part from others, as the network sees them, in order.

    Those on the disk are not read for it where each is known already as it was read: then that
    and how a few of them are prepared tell the same.
    """
    x, known = part.x, part.known_digests
    yield repr((x.shape, x.dtype.str)).encode()
    if isinstance(x, Samples) and known is not None:
        yield known.tobytes()
        yield repr(_preparations(x)).encode()
        few = np.unique(np.linspace(0, len(x) - 1, PROBED).astype(np.intp))
        yield np.ascontiguousarray(x[few]).tobytes()
        return
    for block in blocks(x):
        yield np.ascontiguousarray(block).data


def _preparations(x: Samples) -> list[Preparation]:
    """What is done to the samples when they are read, as far as it has a name."""
    found = []
    while isinstance(x, Converted):
        if isinstance(x.convert, Preparation):
            found.append(x.convert)
        x = x.samples
    return found
