"""Data, configs and run folders of strangers."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from nncli.results import CHECKPOINTS
from tests.data.made import write_bomb, write_folder, write_npz
from tests.hostile import models
from tests.made import run_folder
from tests.plots.runs import stored

Rows = dict[str, tuple[Callable[[Path], object], str]]


class Trap:
    """Unpickled, it makes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return open, ("canary", "w")


def npy(shape: str, dtype: str = "'<f4'", body: bytes = b"") -> bytes:
    """A `.npy` file with any header."""
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}}}"
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text + body


def pickled_npy(path: Path) -> None:
    np.save(path, np.array([Trap()] * 4, dtype=object), allow_pickle=True)


def pickled_npz(path: Path) -> None:
    np.savez(path, x=np.array([Trap()] * 4, dtype=object), y=np.zeros(4), allow_pickle=True)


def npz_of(path: Path, **raw: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, each in raw.items():
            archive.writestr(f"{name}.npy", each)


def many_arrays(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(10_000):
            archive.writestr(f"{number}.npy", b"")


NPY: Rows = {
    "a pickle": (lambda path: path.write_bytes(pickle.dumps(Trap())), "is not a .npy file"),
    "an array of objects": (pickled_npy, "a pickle"),
    "a header of 4 GB": (
        lambda path: path.write_bytes(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{"),
        "a header of 4,294,967,295 bytes",
    ),
    "a shape of 4 TB": (lambda path: path.write_bytes(npy("(10**6, 10**6)")), "damaged header"),
    "a shape that is too large": (
        lambda path: path.write_bytes(npy("(1000000, 1000000)", body=b"1234")),
        "is cut short: 4 of 4,000,000,000,000 bytes",
    ),
    "a negative side": (lambda path: path.write_bytes(npy("(-1, 28, 28)")), "a shape of"),
    "code in the header": (
        lambda path: path.write_bytes(npy("open('canary', 'w')")),
        "damaged header",
    ),
    "a deep header": (
        lambda path: path.write_bytes(npy("(" * 5_000 + ")" * 5_000)),
        "damaged header",
    ),
    "half an array": (lambda path: path.write_bytes(npy("(9, 9)")[:20]), "damaged header"),
    "a pipe": (lambda path: os.mkfifo(path), "is a pipe or a device"),
    "a device without an end": (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
    "a link to itself": (lambda path: path.symlink_to(path.name), str(Path("a.npy"))),
    "a folder": (lambda path: path.mkdir(), "folder"),
}
NPZ: Rows = {
    "a pickle": (pickled_npz, "a pickle"),
    "a bomb": (lambda path: write_bomb(path, 10**9), "to 1,000,000,000: refused"),
    "a true bomb": (
        lambda path: npz_of(
            path, x=npy("(30000, 100, 100, 1)", "'|u1'", bytes(300_000_000)), y=npy("(0,)")
        ),
        "to 300,000,000: refused",
    ),
    "ten thousand arrays": (many_arrays, "is not a .npy file"),
    "no arrays": (lambda path: npz_of(path), "holds no arrays"),
    "a promise": (
        lambda path: npz_of(path, x=npy("(1000000, 1000000)", body=b"1"), y=npy("(0,)")),
        "cut short",
    ),
    "names that lead out": (
        lambda path: npz_of(path, **{"../../x": npy("(1,)", body=b"1234")}),
        "",
    ),
    "a text": (lambda path: path.write_text("hello"), ""),
    "half an archive": (
        lambda path: path.write_bytes(
            write_npz(path, x=np.zeros((9, 9, 9)), y=np.arange(9)).read_bytes()[:900]
        ),
        "",
    ),
}
IDX: Rows = {
    "not idx": (lambda path: path.write_bytes(b"\x80\x04canary"), "begins with 80 04"),
    "a billion pictures": (
        lambda path: path.write_bytes(b"\0\0\x08\x03" + b"\x7f\xff\xff\xff" * 3),
        "is cut short",
    ),
    "a bomb": (
        lambda path: path.write_bytes(
            gzip.compress(b"\0\0\x08\x03" + (10**6).to_bytes(4, "big") * 3 + bytes(10_000_000))
        ),
        "promises 1,000,000,000,000,000,000 bytes",
    ),
    "a longer stream than it says": (
        lambda path: path.write_bytes(
            gzip.compress(
                b"\0\0\x08\x03\0\0\0\x09\0\0\0\x1c\0\0\0\x1c" + bytes(100_000_000), compresslevel=1
            )
        ),
        "holds more than",
    ),
    "255 dimensions": (lambda path: path.write_bytes(b"\0\0\x08\xff"), "is not an idx file"),
    "a pipe": (lambda path: os.mkfifo(path), "is a pipe or a device"),
}


def png(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG file of any promised size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + name + data + check

    head = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


SVG = """<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg"><text>&a;</text></svg>"""
PICTURES: Rows = {
    "a bomb": (lambda path: path.write_bytes(png(16_000, 16_000)), "megapixels"),
    "a packed bomb": (
        lambda path: path.write_bytes(png(9_400, 9_400, zlib.compress(bytes(9_401 * 9_400)))[:900]),
        "1 picture",
    ),
    "a side of two billion": (lambda path: path.write_bytes(png(2**31 - 1, 1)), "megapixels"),
    "half a picture": (lambda path: path.write_bytes(png(20, 20, b"x")[:40]), "1 picture"),
    "an SVG with an entity": (lambda path: path.write_text(SVG), "not a picture"),
    "PostScript": (
        lambda path: path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage"),
        "not a picture",
    ),
    "a text": (lambda path: path.write_text("GIF89a"), "1 picture"),
    "a pipe": (lambda path: os.mkfifo(path), "a pipe or a device"),
    "a device without an end": (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
}
CSV: Rows = {
    "zero bytes": (lambda path: path.write_bytes(b"a,b\n1,\0\n" * 9), ""),
    "another encoding": (lambda path: path.write_bytes(b"a,b\n1,\xff\xfe\n"), "UTF-8"),
    "a line of 20 MB": (lambda path: path.write_bytes(b"1" * 20_000_000), ""),
    "two million columns": (lambda path: path.write_bytes(b"1," * 2_000_000 + b"\n"), ""),
    "an open quote": (lambda path: path.write_bytes(b'a\n"' + b"1,\n" * 200_000), ""),
    "formulas": (lambda path: path.write_text("a\n=cmd|'/C calc'!A1\n=1+1\n" * 9), ""),
    "numbers without an end": (lambda path: path.write_text("a\n" + "1e999\n" * 99), ""),
    "a number of a million digits": (lambda path: path.write_text("a\n" + "9" * 10**6), ""),
    "a pipe": (lambda path: os.mkfifo(path), "a pipe or a device"),
    "a device without an end": (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
    "a link to itself": (lambda path: path.symlink_to(path.name), ""),
}
TS: Rows = {
    "a pipe": (lambda path: os.mkfifo(path), "a pipe or a device"),
    "a device without an end": (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
    "zero bytes": (lambda path: path.write_bytes(b"@data\n1,2\0:a\n"), ""),
    "no classes": (lambda path: path.write_text("@data\n" + "1," * 100_000), ""),
}

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [{','.join([f'*{old}'] * 20)}]}}\n"
    for old, new in zip("abcdefg", "bcdefgh", strict=True)
)
TAG = "model: !!python/object/apply:builtins.open [canary, w]\n"
YAML: Rows = {
    "a billion laughs": (lambda path: path.write_text(LAUGHS), "anchor"),
    "merge keys": (lambda path: path.write_text(MERGES), "anchor"),
    "an object of Python": (lambda path: path.write_text(TAG), "tag"),
    "a module of Python": (
        lambda path: path.write_text("seed: !!python/name:os.system\n"),
        "tag",
    ),
    "ten thousand brackets": (lambda path: path.write_text("a: " + "[" * 10_000), ""),
    "ten thousand levels": (
        lambda path: path.write_text("".join(" " * n + "a:\n" for n in range(1_000))),
        "",
    ),
    "a key twice": (lambda path: path.write_text("seed: 1\nseed: 2\n"), "seed"),
    "a number of half a million digits": (
        lambda path: path.write_text("seed: " + "9" * 500_000 + "\n"),
        "",
    ),
    "control characters": (lambda path: path.write_bytes(b"seed: \x1b]0;evil\x07\n"), ""),
    "a second document": (lambda path: path.write_text("seed: 1\n---\nseed: 2\n"), ""),
    "more than a config": (lambda path: path.write_text("a: 1\n" * 300_000), "larger than"),
    "a pipe": (lambda path: os.mkfifo(path), "not a regular file"),
    "a device without an end": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "a folder": (lambda path: path.mkdir(), "a folder"),
    "a link to itself": (lambda path: path.symlink_to(path.name), ""),
    "a picture": (lambda path: path.write_bytes(png(9, 9)), "UTF-8"),
    "itself above it": (lambda path: path.write_text("extends: c.yaml\n"), ""),
    "a file of the system above it": (
        lambda path: path.write_text("extends: /etc/passwd\n"),
        "",
    ),
}


# run folders


def run_at(path: Path) -> Path:
    """A finished run of a classifier."""
    made = run_folder(stored(), path.parent / "made")
    made.rename(path)
    return path


def asked(family: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    """The input of a run with a model, which lies in the folder `made` beside it."""
    told: dict[str, Any] = {**LEARNED, "input_shape": [9, 9, 1]}
    kind, source = {"images": ("cnn", "digits"), "sequences": ("lstm", "waves"),
                    "series": ("rnn", "sine")}[family]  # fmt: skip
    if family != "images":
        told |= {"preparation": None, "input_shape": [9, 1]}
    if family == "series":
        series = {"name": "y", "offset": 0.0, "scale": 1.0, "naive_error": 1.0}
        told["series"] = {**series, "change": True, "relative": False}
        told |= {"task": "forecast", "classes": []}
    config = {"kind": kind, "data": {"source": source}}

    def put(path: Path) -> None:
        run = stored(kind=kind, task=told["task"], config=config, data=told)
        made = run_folder(run, path.parent / "made")
        models.keras_file(made / "model.keras")
        make(path)

    return put


def _file(name: str, raw: bytes) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        (run_at(path) / name).write_bytes(raw)

    return make


def _place(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    def put(path: Path) -> None:
        target = run_at(path) / name
        target.unlink(missing_ok=True)
        make(target)

    return put


def _model(raw: Callable[[], bytes], path: Path) -> None:
    models.keras_file(path, config=raw())


DEEP = b'{"layers": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
WIDE = b'{"layers": [' + b"[]," * 5_000_000 + b"[]]}"
RUNS: Rows = {
    "a deep record": (_file("run.json", DEEP), "run.json is damaged"),
    "a pipe as the figures": (_place("metrics.json", os.mkfifo), "metrics.json is damaged"),
    "a device as the figures": (
        _place("metrics.json", lambda path: path.symlink_to("/dev/zero")),
        "metrics.json is damaged",
    ),
    "deep layers": (_file("layers.json", DEEP), "layers.json is damaged"),
    "five million layers": (_file("layers.json", WIDE), "layers.json is damaged"),
    "a config that laughs": (_file("config.yaml", LAUGHS.encode()), "config.yaml is damaged"),
    "a config that merges": (_file("config.yaml", MERGES.encode()), "config.yaml is damaged"),
    "an object of Python in the config": (_file("config.yaml", TAG.encode()), "config.yaml is"),
    "deep data": (_file("data.json", DEEP), "data.json is damaged"),
    "a history of zeros": (_file("history.csv", bytes(1000)), "history.csv is damaged"),
    "a pipe as the history": (_place("history.csv", os.mkfifo), "history.csv is damaged"),
    "pickled predictions": (_place("predictions.npz", pickled_npz), "predictions.npz is damaged"),
    "a bomb of predictions": (
        _place(
            "predictions.npz",
            lambda path: npz_of(
                path, truth=npy("(100000000,)", "'|u1'", bytes(100_000_000)), classes=npy("(0,)")
            ),
        ),
        "predictions.npz is damaged",
    ),
    "promised predictions": (
        _place("predictions.npz", lambda path: npz_of(path, truth=npy("(10000000000000,)"))),
        "predictions.npz is damaged",
    ),
    "a forecast without an end": (
        _place("forecast.npz", lambda path: path.symlink_to("/dev/zero")),
        "forecast.npz is damaged",
    ),
}


def _trained(
    make: Callable[[Path], object] | None = None, **learned: Any
) -> Callable[[Path], object]:
    """A run that was to be used again: its model made by `make`, other things in its data.json."""

    def put(path: Path) -> None:
        folder = run_at(path)
        config = {"kind": "cnn", "data": {"source": "digits"}}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        (folder / "data.json").write_text(json.dumps({**LEARNED, **learned}))
        if make is not None:
            (folder / "model.keras").unlink(missing_ok=True)
            make(folder / "model.keras")

    return put


LEARNED = {
    "source": "digits",
    "task": "classification",
    "input_shape": [28, 28, 1],
    "classes": [str(digit) for digit in range(10)],
    "scaler": None,
    "brightness": None,
    "padding": None,
    "columns": None,
    "series": None,
    "preparation": {"preprocessing": "unit", "channels": None},
}
"""data.json of an honest run."""
DAMAGED = "data.json is damaged"
USED: Rows = {
    "a sample of a petabyte": (_trained(input_shape=[10**7, 10**7, 3]), DAMAGED),
    "a negative side": (_trained(input_shape=[-28, 28, 1]), DAMAGED),
    "a function of Python as preparation": (
        _trained(preparation={"preprocessing": "__import__", "channels": None}),
        "no preparation '__import__'",
    ),
    "a scale of zero": (_trained(scaler={"offset": [0.0], "scale": [0.0]}), DAMAGED),
    "a number of classes for classes": (_trained(classes=10), DAMAGED),
    "another task": (_trained(task="forecast"), DAMAGED),
    "a pipe as the model": (_trained(os.mkfifo), "model.keras"),
    "no model": (_trained(), "has no model.keras"),
    "a pickle as the model": (
        _trained(lambda path: path.write_bytes(pickle.dumps(Trap()))),
        "model.keras",
    ),
    **{
        f"a model: {name}": (_trained(partial(_model, raw)), said)
        for name, (raw, said) in list(models.CONFIGS.items())[::4]
    },
}


def state(header: Any, body: bytes = b"") -> bytes:
    """A checkpoint whose checksum is right, whatever it holds."""
    line = (header if isinstance(header, bytes) else json.dumps(header).encode()) + b"\n"
    return hashlib.sha256(line + body).hexdigest().encode() + b"\n" + line + body


def header(**changes: Any) -> dict[str, Any]:
    """The head of an honest checkpoint."""
    record = {"phase": "train", "epoch": 1, "metrics": {}, "learning_rate": 0.1, "seconds": 1.0}
    return {
        "format": 1, "phase": 0, "stopped": "", "history": [dict(record, best=True)],
        "best_value": "1.0", "best_epoch": 1, "patience_value": "1.0", "waited": 0,
        "origin": {}, "untouched": "", "arrays": {"variables": [], "optimizer": [], "best": []},
        **changes,
    }  # fmt: skip


def arrays(*specs: Any) -> dict[str, Any]:
    return header(arrays={"variables": list(specs), "optimizer": [], "best": []})


def _checkpoint(make: bytes | Callable[[Path], object]) -> Callable[[Path], object]:
    def put(path: Path) -> None:
        folder = run_at(path)
        record = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**record, "status": "running"}))
        config = {"kind": "cnn", "data": {"source": "digits"}}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        (folder / CHECKPOINTS).mkdir()
        target = folder / CHECKPOINTS / "000001.state"
        if isinstance(make, bytes):
            target.write_bytes(make)
        else:
            make(target)

    return put


STATES: Rows = {
    "no state": (_checkpoint(b""), "cannot be used"),
    "a pickle": (_checkpoint(state(pickle.dumps(Trap()))), "cannot be used"),
    "a wrong checksum": (_checkpoint(b"0" * 64 + b"\n" + state({})[65:]), "checksum"),
    "a deep header": (_checkpoint(state(DEEP)), "cannot be used"),
    "a header of ten million lists": (
        _checkpoint(state(b'{"format": [' + b"[]," * 10_000_000 + b"[]]}")),
        "cannot be used",
    ),
    "objects": (_checkpoint(state(arrays(["|O", [4]]), bytes(32))), "objects"),
    "an array of 8 TB": (_checkpoint(state(arrays(["<f8", [10**12]]))), "cannot be used"),
    "an array of a googol": (_checkpoint(state(arrays(["<f8", [10**100]]))), "cannot be used"),
    "a negative side": (_checkpoint(state(arrays(["<f8", [-4, -2]]), bytes(64))), "cannot be"),
    "a type that is code": (
        _checkpoint(state(arrays(["open('canary', 'w')", [4]]), bytes(32))),
        "cannot be used",
    ),
    "no history": (_checkpoint(state(header(history=[]))), "cannot be used"),
    "a history of texts": (_checkpoint(state(header(history=["x"]))), "cannot be used"),
    "an origin that is none": (_checkpoint(state(header(origin=[1]))), "cannot be used"),
    "a phase that is none": (_checkpoint(state(header(phase="x"))), "cannot be used"),
    "a pipe": (_checkpoint(os.mkfifo), "cannot be used"),
    "a device without an end": (
        _checkpoint(lambda path: path.symlink_to("/dev/zero")),
        "cannot be used",
    ),
    "a config with an object of Python": (
        lambda path: (
            _checkpoint(state(header()))(path),
            (path / "config.yaml").write_text(TAG),
        ),
        "tag",
    ),
}

NAMES = {
    "above": "../x",
    "far above": "../../../../tmp/x",
    "the root": "/tmp/x",
    "with a zero": "a\0b",
    "with an end of line": "a\nb",
    "with an escape": "a\x1b[31m",
    "too long": "x" * 300,
    "of a device": "CON",
    "of a device with an ending": "nul.txt",
    "a dot": ".",
    "two dots": "..",
    "hidden": ".hidden",
    "an option": "-rf",
    "with a bar": "a|b",
    "nothing": "",
}
"""Names that no run may have."""


def folder_with(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """A folder of good pictures, and one that is none."""

    def put(path: Path) -> None:
        make(write_folder(path, count=6) / "cat" / "bad.png")

    return put
