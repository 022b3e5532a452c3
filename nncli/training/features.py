"""What frozen layers give for all samples: computed once, and kept for the next run.

Kept ones are taken where everything that determines their bits is the same: the samples, what
prepares them, the network, its weights, and what it is computed with.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli import backend
from nncli.data.arrays.stored import RowWriter
from nncli.data.dataset import Dataset, Split
from nncli.data.samples import Inputs, Samples, blocks
from nncli.listener import Listener
from nncli.models.kind import Extractor
from nncli.results import Array
from nncli.training.cache import CacheError, cache_folder, keep, take
from nncli.training.inference import Inference, batch_size

__all__ = ["cache_folder", "features", "features_from_a_few"]

FORMAT = 2
"""Of the key: with another number, what was kept before is computed anew."""
QUICK = 1.0
"""Seconds: features that took less are not kept."""
INTERVAL = 0.2
"""Seconds between two words on how far it is."""
PROBED = 32
"""Of samples on the disk, how many are read to see what became of them since."""
SWITCHES = ("ONEDNN_", "DNNL_", "TF_ENABLE_", "NVIDIA_TF32_")
"""What the names of the environment's variables begin with that choose how it is computed."""


def features(
    dataset: Dataset,
    extractor: Extractor,
    listener: Listener,
    cache: Path | None,
    known: dict[Extractor, Dataset] | None = None,
) -> Dataset:
    """What an extractor gives for the samples.

    Args:
        dataset: the samples; the test part is left as it is, it is measured on the whole model.
        extractor: of a phase.
        listener: hears how far it is.
        cache: nncli's cache folder, `cache_folder()`; None to
            compute everything anew and keep nothing.
        known: what extractors gave before for the same samples; what is computed now is added.

    Raises:
        DataError: a file that is gone or damaged since it was looked through.
    """
    known = {} if known is None else known
    if extractor in known:
        return known[extractor]
    if extractor.after is not None:
        dataset = features(dataset, extractor.after, listener, cache, known)
    parts = [part for part in (dataset.train, dataset.validation) if part is not None]
    shelf = _Shelf(cache, extractor, listener)
    found = [shelf.take(part) for part in parts]
    there = sum(len(each) for each in found if each is not None)
    if there:
        listener.status(f"taking the features of {there:,} images from the cache", takes_long=True)
    missing = sum(len(part) for part in parts) - there
    if missing:
        listener.status(
            f"extracting the features of {missing:,} images with {extractor.layers}",
            takes_long=True,
        )
    extraction = _Extraction(extractor, missing, listener)
    kept = []
    for part, each in zip(parts, found, strict=True):
        x = each
        if x is None:
            x = extraction.of(part.x)
            if extraction.seconds >= QUICK:
                shelf.keep(part, x)
        kept.append(Split(x, part.y))
    known[extractor] = _of_parts(dataset, kept)
    return known[extractor]


def features_from_a_few(
    dataset: Dataset,
    extractor: Extractor,
    listener: Listener,
    cache: Path | None,
    seconds: float,
    known: dict[Extractor, Dataset] | None = None,
) -> tuple[Dataset, float]:
    """As `features`, but of no more samples than it takes to tell how long all of them will take.

    Args:
        dataset: the samples.
        extractor: of a phase.
        listener: hears what could not be taken from the cache.
        cache: as for `features`; nothing is added to it.
        seconds: after about so many it is enough.
        known: as for `features`.

    Returns:
        The samples, those that were not come to with the features of others; and the seconds that
        all of them take.
    """
    known = {} if known is None else known
    if extractor in known:
        return known[extractor], 0.0
    whole = 0.0
    if extractor.after is not None:
        dataset, whole = features_from_a_few(
            dataset, extractor.after, listener, cache, seconds, known
        )
    shelf = _Shelf(cache, extractor, listener)
    extraction = _Extraction(extractor, 0, Listener())
    kept = []
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
    known[extractor] = _of_parts(dataset, kept)
    return known[extractor], whole


def _of_parts(dataset: Dataset, parts: list[Split]) -> Dataset:
    """The dataset with other training and validation parts."""
    return replace(dataset, train=parts[0], validation=parts[1] if len(parts) > 1 else None)


def _batch_size(extractor: Extractor) -> int:
    return batch_size(extractor.model, extractor.model.input_shape[1:])


class _Repeated(Samples):
    """A few rows again and again, in the place of those on the disk that are not there yet."""

    def __init__(self, rows: Array, count: int) -> None:
        super().__init__((count, *rows.shape[1:]), rows.dtype)
        self._rows = rows

    def read(self, rows: NDArray[np.intp]) -> Array:
        return np.asarray(self._rows[rows % len(self._rows)])


class _Extraction:
    """Runs the extractor and tells how far it is."""

    def __init__(self, extractor: Extractor, count: int, listener: Listener) -> None:
        """Nothing is traced yet.

        Args:
            extractor: what to run.
            count: samples of all parts.
            listener: is told.
        """
        self.extractor, self.count, self.listener = extractor, count, listener
        self.seconds = 0.0
        """That the work has taken, without the tracing."""
        self._done, self._told = 0, time.monotonic()
        self._inference: Inference | None = None

    def of(self, x: Inputs) -> Array | Samples:
        """What the frozen front gives for all samples; on the disk where they are on the disk."""
        shape = (len(x), *self.extractor.model.output_shape[1:])
        self._trace()
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

    def of_a_few(self, x: Inputs, seconds: float) -> tuple[Array | Samples, float]:
        """The same from as many batches as are done in about these seconds, repeated to the end;
        and the seconds that all batches take."""
        began = time.monotonic()
        self._trace()
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

    def _trace(self) -> None:
        self._inference = self._inference or Inference(self.extractor.model)

    def _answers(self, x: Inputs) -> Generator[Array, None, None]:
        """In their order, batch by batch."""
        assert self._inference is not None
        extractor = self.extractor
        answers = self._inference.answers(x, _batch_size(extractor), extractor.preparation)
        with closing(answers):
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

    def __init__(self, cache: Path | None, extractor: Extractor, listener: Listener) -> None:
        self.folder = None if cache is None else cache / "features"
        self.model, self.listener = extractor.model, listener
        self._keys: dict[int, str] = {}
        if self.folder is not None:
            try:
                self._common = _digest_of(extractor)
            except (TypeError, ValueError, NotImplementedError) as error:
                # a layer of a saved base that cannot be written down
                self._without(f"{self.model.name} cannot be told from another base: {error}")

    def take(self, part: Split) -> Array | Samples | None:
        """The features of a part; None where there are none that can be used."""
        if self.folder is None:
            return None
        shape = (len(part), *self.model.output_shape[1:])
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


def _digest_of(extractor: Extractor) -> Any:
    """Of the network, its weights and all that decides how it is computed."""
    tf, keras, network = backend.tensorflow(), backend.keras(), extractor.model
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
        ("batch", _batch_size(extractor)),
        ("preparation", extractor.preparation),
        ("network", network.to_json()),
    )
    digest = hashlib.sha256(repr(circumstances).encode())
    for weight in network.weights:
        values = keras.ops.convert_to_numpy(weight)
        digest.update(repr((values.shape, values.dtype.str)).encode())
        digest.update(values.tobytes())
    return digest


def _content(part: Split) -> Iterator[bytes | memoryview]:
    """All that tells the samples of a part from others, as they were loaded, in order.

    Those on the disk are not read for it where each is known already as it was read: then that
    and what a few of them became since tell the same.
    """
    x, known = part.x, part.known_digests
    yield repr((x.shape, x.dtype.str)).encode()
    if isinstance(x, Samples) and known is not None:
        yield known.tobytes()
        few = np.unique(np.linspace(0, len(x) - 1, PROBED).astype(np.intp))
        yield np.ascontiguousarray(x[few]).tobytes()
        return
    for block in blocks(x):
        yield np.ascontiguousarray(block).data
