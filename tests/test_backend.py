from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nncli import backend, status
from nncli.errors import BackendError, ExitCode, UsageError


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def test_importing_it_imports_no_framework() -> None:
    done = python(
        "import sys, nncli.backend; "
        "print([m for m in ('tensorflow', 'keras', 'numpy', 'matplotlib') if m in sys.modules])"
    )
    assert done.stdout.strip() == "[]"


STARTED = """
import json, os, sys
from nncli import backend, status
from nncli.errors import UsageError
device = backend.start("cpu", 1, 7)
keras, tf = backend.keras(), backend.tensorflow()
refused = None
try:
    backend.start("gpu:99", 1, 7)
except UsageError as error:
    refused = [error.message, error.hint]
layer = keras.layers.Conv2D(1, 1)
layer.build((None, 2, 2, 3))
print(json.dumps({
    "device": [device.name, device.threads, device.onednn],
    "backend": keras.backend.backend(),
    "floatx": keras.config.floatx(),
    "epsilon": keras.config.epsilon(),
    "policy": keras.config.dtype_policy().name,
    "format": layer.data_format,
    "weights": str(layer.kernel.dtype),
    "threads": tf.config.threading.get_intra_op_parallelism_threads(),
    "matplotlib": "matplotlib" in sys.modules,
    "refused": refused,
    "versions": sorted(backend.versions()),
}))
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A process that starts TensorFlow under a hostile keras.json."""
    home = tmp_path_factory.mktemp("keras")
    settings = {"floatx": "float16", "backend": "jax", "image_data_format": "channels_first"}
    (home / "keras.json").write_text(json.dumps({**settings, "epsilon": 0.5}), encoding="utf-8")
    return python(STARTED, KERAS_HOME=str(home), KERAS_BACKEND="torch")


def test_start_gives_the_device_and_is_silent(
    started: subprocess.CompletedProcess[str],
) -> None:
    assert started.returncode == 0, started.stderr
    assert started.stderr == ""
    found = json.loads(started.stdout)
    assert found["device"][:2] == ["CPU", 1]
    assert found["threads"] == 1
    assert found["versions"] == ["keras", "nncli", "numpy", "python", "tensorflow"]
    assert not found["matplotlib"]


@pytest.mark.parametrize(
    ("threads", "expected"), [(1, [1, 1, 1]), (3, [1, 3, 3]), (6, [6, 6, backend.MOST_SHARES])]
)
def test_few_threads_compute_an_operation_each(threads: int, expected: list[int]) -> None:
    """Within one operation, between operations, and parts of a batch."""
    done = python(
        f"from nncli import backend; backend.start('cpu', {threads}, 7); "
        "threading = backend.tensorflow().config.threading; "
        "print([threading.get_intra_op_parallelism_threads(), "
        "threading.get_inter_op_parallelism_threads(), backend.shares()])"
    )
    assert json.loads(done.stdout) == expected


def test_a_users_keras_json_changes_nothing(started: subprocess.CompletedProcess[str]) -> None:
    found = json.loads(started.stdout)
    assert found["backend"] == "tensorflow"
    assert found["floatx"] == found["policy"] == found["weights"] == "float32"
    assert found["format"] == "channels_last"
    assert found["epsilon"] == 1e-7


def test_a_gpu_that_is_not_there_is_refused(started: subprocess.CompletedProcess[str]) -> None:
    message, hint = json.loads(started.stdout)["refused"]
    assert "gpu:99" in message
    assert "--device cpu" in hint
    assert UsageError.exit_code == ExitCode.USAGE


def test_a_broken_installation_is_a_backend_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "brokenkeras.py").write_text("raise ImportError('no libfoo')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = dict(sys.modules)
    with pytest.raises(BackendError, match="brokenkeras cannot be imported: no libfoo"):
        backend._import("brokenkeras")
    assert ("matplotlib" in sys.modules) == ("matplotlib" in before)
    assert sys.modules.get("matplotlib", True) is not None


LATE = """
from nncli import backend
tf = backend.tensorflow()
import inspect, sys
names = sorted(backend._LATE)
inspect.getmodule(inspect.currentframe())  # it asks every module for its file
loaded = [name for name in names if type(sys.modules[name]) is not backend._LateModule]
print(len(names), loaded, "tensorflow.lite.python.lite" in sys.modules)
# each of the late ones is what it would have been
print(tf.compat.v1.placeholder.__name__, tf.compat.as_bytes("x"))
print(tf.lite.TFLiteConverter.__name__, tf.compat.v1.lite.TFLiteConverter.__name__)
print(tf.summary.scalar.__name__, tf.signal.stft.__name__, tf.distribute.experimental.TPUStrategy)
for name in names:
    assert not hasattr(sys.modules[name], "nothing")
    assert vars(sys.modules[name]).keys() > {"__name__", "_sys"}, name
print(any(getattr(each, "__name__", "") == "_Late" for each in sys.meta_path))
import typing
print("compile" in vars(typing))
"""


def test_what_is_seldom_used_of_tensorflow_is_loaded_when_it_is_used() -> None:
    done = python(LATE)
    assert done.returncode == 0, done.stderr
    begun, compat, lite, others, finder, compiles = done.stdout.splitlines()
    assert begun == f"{len(backend._LATE)} [] False"
    assert compat == "placeholder b'x'"
    assert lite == "TFLiteConverterV2 TFLiteConverter"
    assert others.startswith("scalar stft <class")
    assert finder == compiles == "False"  # nothing of the fast import stays


def test_a_download_is_told_to_whoever_watches(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []
    with status.told_to(heard.append), backend.patient_download():
        sys.stdout.write("Downloading data from https://example.org/models/vgg16.h5")
        sys.stdout.write("\x1b[1m      0/58889256\x1b[0m \x1b[37m━━━━\x1b[0m 0s 0s/step")
        sys.stdout.write("\b\b\r\x1b[1m29444628/58889256\x1b[0m ━━ 1s 0us/step")
        sys.stdout.write("nothing of interest")
    assert heard == [
        "downloading vgg16.h5",
        "downloading vgg16.h5: 0.0 of 58.9 MB",
        "downloading vgg16.h5: 29.4 of 58.9 MB",
    ]
    assert not status.is_watched()
    with backend.patient_download():
        sys.stdout.write("Downloading")
    assert capsys.readouterr() == ("", "")


FAKE = """
import os
os.write(2, b"E0000 cannot open libfoo.so\\n")
raise ImportError("broken on [/purpose]")
"""


@pytest.mark.parametrize("option", [[], ["--verbose"], ["--json"]])
def test_what_a_broken_installation_wrote_is_shown(option: list[str], tmp_path: Path) -> None:
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text(FAKE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "nncli", "train", "rnn", "-o", str(tmp_path / "out"), *option],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        timeout=60,
        check=False,
    )
    assert done.returncode == ExitCode.FAILED
    assert "E0000 cannot open libfoo.so" in done.stderr
    assert ("Traceback" in done.stderr) == (option == ["--verbose"])
    if option == ["--json"]:
        assert json.loads(done.stdout)["error"]["type"] == "BackendError"
    else:
        assert done.stdout == ""
        assert "error: keras cannot be imported: broken on [/purpose]" in done.stderr
    assert not (tmp_path / "out").exists()
