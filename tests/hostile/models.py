"""Model and weights files, honest and not, written without Keras."""

from __future__ import annotations

import base64
import io
import json
import marshal
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Config = dict[str, Any]
POLICY = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float32"},
    "registered_name": None,
}


def layer(
    kind: str, shape: list[Any] | None = None, module: str = "keras.layers", **config: Any
) -> Config:
    """As Keras writes one."""
    made: Config = {
        "module": module,
        "class_name": kind,
        "config": {"name": kind.lower(), **config},
        "registered_name": None,
    }
    if shape is not None:
        made["build_config"] = {"input_shape": shape}
    return made


def sequential(*layers: Config) -> Config:
    return layer("Sequential", [None, 28, 28, 1], "keras", layers=list(layers))


def honest() -> Config:
    """A network for pictures of 28×28."""
    return sequential(
        layer("InputLayer", batch_shape=[None, 28, 28, 1], dtype="float32"),
        layer(
            "Conv2D",
            [None, 28, 28, 1],
            filters=4,
            kernel_size=[3, 3],
            activation="relu",
            dtype=POLICY,
        ),
    )


def with_layer(*layers: Config) -> bytes:
    """The honest network, and more at its end."""
    config = honest()
    config["config"]["layers"] += layers
    return json.dumps(config).encode()


def changed(**settings: Any) -> bytes:
    """The honest network, its convolution with other settings."""
    config = honest()
    config["config"]["layers"][1]["config"].update(settings)
    return json.dumps(config).encode()


def hdf5(change: Callable[[h5py.File], None] | None = None) -> bytes:
    """The weights of the honest network, and what `change` does to them."""
    raw = io.BytesIO()
    with h5py.File(raw, "w") as file:
        values = file.create_group("layers/conv2d/vars")
        values["0"] = np.full((3, 3, 1, 4), 0.1, np.float32)
        values["1"] = np.zeros(4, np.float32)
        file.create_group("layers/input_layer/vars")
        file.create_group("vars")
        if change is not None:
            change(file)
    return raw.getvalue()


METADATA = b'{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}'


def keras_file(
    path: Path,
    config: bytes | None = None,
    weights: bytes | None = None,
    *,
    metadata: bytes = METADATA,
    more: dict[str, bytes] | None = None,
    packed: bool = False,
) -> Path:
    """A `.keras` file: its three members and more."""
    members = {
        "metadata.json": metadata,
        "config.json": json.dumps(honest()).encode() if config is None else config,
        "model.weights.h5": hdf5() if weights is None else weights,
        **(more or {}),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else 0) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return path


def function(module: str, name: str) -> Config:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def code() -> Config:
    """A Python function as Keras writes one: it makes a file `canary`."""
    compiled = compile("open('canary', 'w')", "evil", "eval")
    text = base64.b64encode(marshal.dumps(compiled)).decode()
    return {
        "class_name": "__lambda__",
        "config": {"code": text, "defaults": None, "closure": None, "value": [text, None, None]},
    }


def a_lambda() -> bytes:
    return with_layer(layer("Lambda", function=code()))


def nested(raw: bytes) -> Config:
    return dict(json.loads(raw), name="inner")


CONFIGS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a Lambda layer": (lambda: with_layer(layer("Lambda", function=code())), "Lambda"),
    "a Lambda of a named function": (
        lambda: with_layer(layer("Lambda", function=function("os", "system"))),
        "Lambda",
    ),
    "code as an activation": (lambda: changed(activation=code()), "layer 'conv2d' asks for"),
    "os.system as an activation": (
        lambda: changed(activation=function("os", "system")),
        "os.system",
    ),
    "a file of the network as an activation": (
        lambda: changed(activation=function("keras.utils", "get_file")),
        "keras.utils.get_file",
    ),
    "a download as a layer": (
        lambda: with_layer(layer("get_file", module="keras.utils", origin="http://localhost:9/x")),
        "keras.utils.get_file",
    ),
    "a network of the network": (
        lambda: with_layer(layer("ResNet50", module="keras.applications", weights="imagenet")),
        "keras.applications.ResNet50",
    ),
    "the policy of the whole process": (
        lambda: with_layer(layer("set_dtype_policy", module="keras.config", policy="float16")),
        "keras.config.set_dtype_policy",
    ),
    "a floating type for all": (
        lambda: changed(kernel_initializer=function("keras.config", "set_floatx")),
        "keras.config.set_floatx",
    ),
    "a saved model of TensorFlow": (
        lambda: with_layer(layer("TFSMLayer", filepath="/tmp")),
        "TFSMLayer",
    ),
    "a layer of somebody": (
        lambda: with_layer(layer("Evil", module="evil.layers")),
        "evil.layers.Evil",
    ),
    "another layer under a known name": (
        lambda: with_layer(dict(layer("Flatten"), registered_name="Evil>Layer")),
        "Evil>Layer in the place of Flatten",
    ),
    "a Lambda in TimeDistributed": (
        lambda: with_layer(layer("TimeDistributed", layer=layer("Lambda", function=code()))),
        "Lambda",
    ),
    "a Lambda in Bidirectional": (
        lambda: with_layer(layer("Bidirectional", layer=layer("Lambda", function=code()))),
        "Lambda",
    ),
    "a Lambda in a model in a model": (
        lambda: with_layer(nested(with_layer(nested(a_lambda())))),
        "Lambda",
    ),
    "a vocabulary from a file": (
        lambda: with_layer(layer("StringLookup", vocabulary="/etc/passwd")),
        "StringLookup",
    ),
    "an initializer that is none": (
        lambda: changed(kernel_initializer=layer("get_file", module="keras.utils")),
        "keras.utils.get_file",
    ),
    "a regularizer by an unknown name": (
        lambda: changed(kernel_regularizer="evil"),
        "kernel_regularizer evil",
    ),
    "an activation by an unknown name": (
        lambda: changed(activation="keras.utils.get_file"),
        "activation keras.utils.get_file",
    ),
    "a type that is quantized": (lambda: changed(dtype="int8_from_float32"), "int8_from_float32"),
    "10 GB of a dense layer": (
        lambda: with_layer(layer("Dense", [None, 50_000], units=50_000)),
        "layer 'dense' would take 10,000,200,000 bytes",
    ),
    "10 GB in a thousand layers": (
        lambda: with_layer(*(layer("Dense", [None, 1_600], units=1_600) for _ in range(1_000))),
        "layer 'dense' would take",
    ),
    "a million million filters": (lambda: changed(filters=10**12), "filters 1,000,000,000,000"),
    "ten million filters": (lambda: changed(filters=10**7), "layer 'conv2d' would take"),
    "a kernel of a million": (lambda: changed(kernel_size=[1000, 1000]), "layer 'conv2d' would"),
    "a table of a million words": (
        lambda: with_layer(layer("Embedding", input_dim=10**6, output_dim=10**4)),
        "layer 'embedding' would take",
    ),
    "half of a Bidirectional": (
        lambda: with_layer(
            layer(
                "Bidirectional",
                [None, 5, 10**6],
                layer=layer("LSTM", [None, 5, 1], units=400),
            )
        ),
        "layer 'bidirectional'",
    ),
    "a spectrum of a million": (
        lambda: with_layer(layer("STFTSpectrogram", [None, 9], fft_length=10**6)),
        "layer 'stftspectrogram' would take",
    ),
    "states of a million pictures": (
        lambda: with_layer(layer("LSTM", [10**7, 5, 1], units=100, stateful=True)),
        "layer 'lstm' would take",
    ),
    "a picture of a million squared": (
        lambda: json.dumps(
            sequential(layer("InputLayer", batch_shape=[None, 10**6, 10**6, 1]))
        ).encode(),
        "batch_shape [None, 1000000, 1000000, 1]",
    ),
    "a layer that was never built": (
        lambda: with_layer(layer("Dense", units=10)),
        "the size of layer 'dense'",
    ),
    "units that are a text": (
        lambda: with_layer(layer("Dense", [None, 4], units="many")),
        "the size of layer 'dense'",
    ),
    "values of a billion letters": (
        lambda: with_layer(
            dict(
                layer("Flatten"),
                inbound_nodes=[
                    {"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "S99999999"}}
                ],
            )
        ),
        "values of type S99999999",
    ),
    "a function as the whole model": (
        lambda: json.dumps(
            {"module": "keras.utils", "class_name": "get_file", "config": {"name": "x"}}
        ).encode(),
        "not a Sequential or Functional model",
    ),
    "a hundred thousand brackets": (
        lambda: b'{"config": {}, "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "100,001 levels deep",
    ),
    "a config of 9 MB": (lambda: b" " * 9_000_000, "9,000,000 bytes, at most 8,000,000"),
    "two million lists": (
        lambda: b'{"config": {}, "a": [' + b"[]," * 2_000_000 + b"[]]}",
        "values, at most",
    ),
    "a key twice": (
        lambda: json.dumps(honest()).encode()[:-1] + b', "class_name": "Lambda"}',
        "a key stands twice",
    ),
    "a number of a million digits": (
        lambda: b'{"config": {}, "a": ' + b"1" * 1_000_000 + b"}",
        "is not JSON",
    ),
    "half a config": (lambda: json.dumps(honest()).encode()[:200], "is not JSON"),
    "a list as the config": (lambda: b"[]", "does not describe a model"),
}  # fmt: skip
"""What can be wrong with the config of a model, and what is said of it."""


def _external_storage(file: h5py.File) -> None:
    external = [("/etc/passwd", 0, 400)]
    file.create_dataset("e", (100,), np.float32, external=external)


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(100,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(100,))
    file.create_virtual_dataset("v", layout)


def _late(file: h5py.File) -> None:
    file.create_dataset("late", (2_500_000_000,), np.float32)


def _many_notes(file: h5py.File) -> None:
    for number in range(100):
        file.attrs[f"note{number}"] = number


def _put(name: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[name] = value

    return change


def _ring(file: h5py.File) -> None:
    file["layers/ring"] = file["layers"]


WEIGHTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a link into another file": (
        lambda: hdf5(_put("layers/x", h5py.ExternalLink("/etc/passwd", "/"))),
        "a link at /layers/x that points elsewhere",
    ),
    "a link by name": (
        lambda: hdf5(_put("x", h5py.SoftLink("/layers"))),
        "a link at /x that points elsewhere",
    ),
    "a link that names itself": (lambda: hdf5(_put("x", h5py.SoftLink("/x"))), "a link at /x"),
    "a group in itself": (lambda: hdf5(_ring), "in two places"),
    "numbers in another file": (lambda: hdf5(_external_storage), "in another file"),
    "numbers out of other files": (lambda: hdf5(_virtual), "in pieces"),
    "10 GB of packed zeros": (
        lambda: hdf5(
            lambda file: file.create_dataset(
                "z", (2_500_000_000,), np.float32, compression="gzip", chunks=(1_000_000,)
            )
        ),
        "/z compressed",
    ),
    "10 GB that are not there": (lambda: hdf5(_late), "promise 10,000,000,000 bytes of /late"),
    "a number that is none": (
        lambda: hdf5(_put("n", np.array([1, np.nan], np.float32))),
        "not all finite numbers: /n",
    ),
    "an infinite half": (
        lambda: hdf5(_put("n", np.array([np.inf], np.float16))),
        "not all finite numbers: /n",
    ),
    "objects": (
        lambda: hdf5(
            lambda file: file.create_dataset("o", data=["a", "b"], dtype=h5py.string_dtype())
        ),
        "another type than numbers",
    ),
    "records": (
        lambda: hdf5(_put("r", np.zeros(3, [("a", "f4"), ("b", "i4")]))),
        "another type than numbers",
    ),
    "complex numbers": (lambda: hdf5(_put("c", np.zeros(3, "c8"))), "another type than numbers"),
    "nothing at all in an array": (lambda: hdf5(_put("n", h5py.Empty("f4"))), "nothing in /n"),
    "a type by name": (lambda: hdf5(_put("t", np.dtype("f4"))), "neither an array nor a group"),
    "a hundred notes": (lambda: hdf5(_many_notes), "100 notes"),
    "a reference as a note": (
        lambda: hdf5(lambda file: file.attrs.__setitem__("r", file["vars"].ref)),
        "a note at /",
    ),
    "half of the weights": (lambda: hdf5()[:1500], "damaged"),
    "weights overwritten": (lambda: hdf5()[:96] + b"\xff" * 1000 + hdf5()[1096:], "damaged"),
    "a pickle as weights": (lambda: b"\x80\x04\x95", "not HDF5: they begin with 80 04 95"),
    "no weights": (lambda: b"", "not HDF5: they begin with nothing"),
}
"""What can be wrong with weights, and what is said of it."""


def _rewritten(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(keras_file(path).read_bytes()))


def _doubled(path: Path) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("config.json", "config.json", "model.weights.h5"):
                archive.writestr(name, json.dumps(honest()) if "config" in name else hdf5())


def _many_members(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3_000):
            archive.writestr(f"{number}", b"")


def _larger(path: Path) -> None:
    """The table of the archive says that a member is 4 GB."""
    raw = keras_file(path).read_bytes()
    at = raw.rindex(b"PK\x01\x02")
    path.write_bytes(raw[: at + 20] + (4_000_000_000).to_bytes(4, "little") * 2 + raw[at + 28 :])


def _sparse(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(5_000_000_000)


ARCHIVES: dict[str, tuple[Callable[[Path], object], str]] = {
    "packed members": (lambda path: keras_file(path, packed=True), "compressed"),
    "a bomb of weights": (
        lambda path: keras_file(path, weights=bytes(50_000_000), packed=True),
        "compressed",
    ),
    "a fourth member": (lambda path: keras_file(path, more={"assets/x": b"1"}), "4 members, not 3"),
    "a member twice": (_doubled, "its members are"),
    "a member elsewhere": (
        lambda path: _rewritten(path, lambda raw: raw.replace(b"config.json", b"../evil.jsn")),
        "'../evil.jsn'",
    ),
    "a member at the root": (
        lambda path: _rewritten(path, lambda raw: raw.replace(b"config.json", b"/etc/passwd")),
        "'/etc/passwd'",
    ),
    "three thousand members": (_many_members, "3,000 members, not 3"),
    "a member larger than the file": (_larger, "is not"),
    "half a file": (lambda path: _rewritten(path, lambda raw: raw[: len(raw) // 2]), "cut short"),
    "something in front": (lambda path: _rewritten(path, lambda raw: b"MZ" + raw), "its table"),
    "a text": (lambda path: path.write_text("I am a model, trust me. " * 3), "cut short"),
    "an empty file": (lambda path: path.write_bytes(b""), "it has 0 bytes"),
    "an HDF5 file": (lambda path: path.write_bytes(hdf5()), "it begins with 89 48 44 46"),
    "of Keras 2": (
        lambda path: keras_file(path, metadata=b'{"keras_version": "2.15.0"}'),
        "of Keras 2.15.0",
    ),
    "without a version": (lambda path: keras_file(path, metadata=b"[" * 5_000), "is damaged"),
    "5 GB of nothing": (_sparse, "5,000,000,000 bytes"),
}  # fmt: skip
"""What can be wrong with the archive."""

PLACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (lambda path: path.mkdir(), "is a folder"),
    "a pipe": (lambda path: os.mkfifo(path), "not a regular file"),
    "a device without an end": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "cannot be read"),
    "nothing": (lambda _: None, "there is no"),
    "what may not be read": (lambda path: path.symlink_to("/proc/1/mem"), "cannot be read"),
}
"""What a path to a model or to weights can lead to."""
