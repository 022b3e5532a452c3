"""Data larger than memory: is the peak flat, and are the pictures read as fast as by Keras?

    python benchmarks/streaming.py [memory | speed]

memory   Trains one epoch on 1, 4 and 16 times as many samples, with `data.memory_limit=0`, and
         prints the peak of resident memory of each process, and its ratio to the first one.
speed    Reads folders of JPEG files through nncli, from the disk, and through
         `keras.utils.image_dataset_from_directory`, each in a process of its own and in turns, and
         prints pictures per second and the medians of the ratios to Keras.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CLASSES, SIZE = 4, 96
FIRST = 1_000  # samples of the smallest set
SMALL_MODEL = ["model.filters=[4]", "model.units=8", "model.pool_size=8"]
TURNS = 9
BATCH = 32
SPEEDS = ((4_000, 32, 32, 32), (4_000, 96, 96, 96), (4_000, 128, 96, 64), (800, 640, 480, 96))
"""Pictures, their width and height, and the side that they are brought to."""


def write_jpegs(folder: Path, count: int, width: int, height: int) -> Path:
    """Smooth random pictures, each another, in a folder per class."""
    random = np.random.default_rng(0)
    for i in range(count):
        coarse = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        path = folder / f"class-{i % CLASSES}" / f"{i:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, quality=85)
    return folder


def write_npy(folder: Path, count: int) -> Path:
    """Random pixels and labels, written block by block."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    shape = (count, SIZE, SIZE, 3)
    x = np.lib.format.open_memmap(folder / "x.npy", mode="w+", dtype=np.uint8, shape=shape)
    for begin in range(0, count, 500):
        x[begin : begin + 500] = random.integers(0, 256, (len(x[begin : begin + 500]), *shape[1:]))
    np.save(folder / "y.npy", np.arange(count) % CLASSES)
    return folder


def peak(data: list[str], output: Path) -> float:
    """Megabytes of resident memory that one training takes at most."""
    sets = [f"--set={text}" for text in [*data, *SMALL_MODEL, "data.memory_limit=0"]]
    command = [sys.executable, "-m", "nncli", "train", "cnn", *sets, "--epochs=1", "--quiet"]
    process = subprocess.Popen([*command, f"--output={output}"], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return used.ru_maxrss / unit


def memory() -> None:
    """The table of peaks."""
    print(f"{'samples':>10} {'as float32':>12} {'peak':>9} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for source in ("folder", "npy"):
            first = 0.0
            for times in (1, 4, 16):
                count = FIRST * times
                place = root / f"{source}-{times}"
                if source == "folder":
                    write_jpegs(place, count, SIZE, SIZE)
                else:
                    write_npy(place, count)
                data = [f"data.source={source}", f"data.path={place}"]
                data += [f"data.size={SIZE}"] if source == "folder" else []
                used = peak(data, root / "outputs")
                first = first or used
                held = count * SIZE * SIZE * 3 * 4 / 1e6
                print(
                    f"{source} {count:>{9 - len(source)},} {held:>9,.0f} MB {used:>6,.0f} MB "
                    f"{used / first:>6.2f}",
                    flush=True,
                )


def nncli_epochs(place: Path, size: int, ask: Connection) -> None:
    """In a process of its own: at each request the pictures per second of one epoch."""
    from nncli import backend
    from nncli.config.sections import available_threads
    from nncli.data.dataset import Split
    from nncli.data.images.files import list_images
    from nncli.data.images.pixels import Pictures, scan
    from nncli.data.samples import converted
    from nncli.models.preprocessing import Preparation
    from nncli.training.order import steps_of, training_batches

    backend.start("cpu", available_threads(), 0)
    listing = list_images(place)
    pictures = Pictures(listing.paths, size, "stretch", "rgb")
    scan(pictures, keep=False)  # as before a training
    split = Split(converted(pictures, Preparation("unit")), listing.labels)
    ask.send("ready")
    batches = iter(training_batches(split, BATCH, 0, 1, TURNS + 1))  # as a training has it
    while ask.recv():
        ask.send(rate(itertools.islice(batches, steps_of(split, BATCH))))


def keras_epochs(place: Path, size: int, ask: Connection) -> None:
    """The same of plain Keras."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    batches = keras.utils.image_dataset_from_directory(
        place, image_size=(size, size), batch_size=BATCH, seed=0, verbose=False
    )
    ask.send("ready")
    while ask.recv():
        ask.send(rate(batches))


def rate(batches: Iterable[Any]) -> float:
    """Pictures per second."""
    began = time.perf_counter()
    taken = sum(len(x) for x, _ in batches)
    return taken / (time.perf_counter() - began)


def speed() -> None:
    """Pictures per second, side by side."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        for count, width, height, size in SPEEDS:
            place = write_jpegs(Path(folder) / f"{width}", count, width, height)
            ends = []
            for side in (nncli_epochs, keras_epochs):
                end, other = spawn.Pipe()
                spawn.Process(target=side, args=(place, size, other), daemon=True).start()
                other.close()  # or nobody would notice that the process has ended
                end.recv()
                ends.append(end)
            turns = []
            for turn in range(1, TURNS + 2):
                rates = []
                for end in ends:
                    end.send(turn)
                    rates.append(end.recv())
                turns.append(rates)
            for end in ends:
                end.send(0)
            turns = turns[1:]  # the first one warms up
            ours, peer = (statistics.median(each) for each in zip(*turns, strict=True))
            ratio = statistics.median(turn[0] / turn[1] for turn in turns)
            print(
                f"{width}×{height} to {size}×{size}: {ours:,.0f} pictures a second, "
                f"Keras {peer:,.0f}: {ratio:.2f} times as fast",
                flush=True,
            )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    wanted = sys.argv[1:] or ["memory", "speed"]
    for name in wanted:
        {"memory": memory, "speed": speed}[name]()
