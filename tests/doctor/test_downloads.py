from __future__ import annotations

import gzip
from pathlib import Path

import h5py
import numpy as np
import pytest

from nncli.doctor import downloads
from tests.doctor import made

FASHION = ("train-labels-idx1", "train-images-idx3", "t10k-labels-idx1", "t10k-images-idx3")
# Keras's own names, from `keras.applications` of Keras 3.15
NAMES = {
    "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5": "VGG16",
    "mobilenet_1_0_224_tf_no_top.h5": "MobileNet",
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5": "MobileNetV2",
    "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5": "MobileNetV3Large",
    "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5": "MobileNetV3Small",
    "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5": "InceptionResNetV2",
    "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5": "InceptionV3",
    "xception_weights_tf_dim_ordering_tf_kernels_notop.h5": "Xception",
    "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5": "ResNet50",
    "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5": "ResNet50V2",
    "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5": "DenseNet121",
    "efficientnetb0_notop.h5": "EfficientNetB0",
    "efficientnetv2-b0_notop.h5": "EfficientNetV2B0",
    "efficientnetv2-s_notop.h5": "EfficientNetV2S",
    "convnext_tiny_notop.h5": "ConvNeXtTiny",
    "convnext_xlarge_notop.h5": "ConvNeXtXLarge",
    "NASNet-mobile-no-top.h5": "NASNetMobile",
    "vgg16_weights_tf_dim_ordering_tf_kernels.h5": None,
    "mine_notop.h5": None,
    "mobilenetv2_035_224_notop.weights.h5": None,  # Keras does not look for such a name
}


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets" / "fashion-mnist").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    return tmp_path


def test_an_empty_cache_is_no_problem(keras_home: Path) -> None:
    check = downloads.check_datasets(made.machine(keras_home))
    assert check.status == "ok"
    assert check.facts["missing"] == ["mnist", "fashion-mnist", "cifar10", "cifar100"]
    assert "downloaded on first use" in check.finding
    assert downloads.check_weights(made.machine(keras_home)).status == "ok"


def test_half_a_download_is_a_problem(keras_home: Path) -> None:
    path = keras_home / "datasets" / "mnist.npz"
    path.write_bytes(b"PK half of it")
    check = downloads.check_datasets(made.machine(keras_home))
    assert check.status == "problem"
    assert check.finding == f"{path} is damaged or incomplete"
    assert check.facts["damaged"] == [str(path)]
    assert "delete it" in check.hint


def test_a_whole_set_is_told_and_a_cut_file_of_it_found(keras_home: Path) -> None:
    files = [keras_home / f"datasets/fashion-mnist/{name}-ubyte.gz" for name in FASHION]
    for path in files[:3]:
        path.write_bytes(gzip.compress(bytes(10_000)))
    check = downloads.check_datasets(made.machine(keras_home))
    assert (check.status, check.facts["there"]) == ("ok", [])  # one of four files is missing
    files[3].write_bytes(gzip.compress(bytes(10_000)))
    check = downloads.check_datasets(made.machine(keras_home))
    assert check.facts["there"] == ["fashion-mnist"]
    assert check.finding.startswith("fashion-mnist is in ")
    whole = gzip.compress(bytes(range(256)) * 100)
    files[1].write_bytes(whole[: len(whole) // 2])
    check = downloads.check_datasets(made.machine(keras_home))
    assert (check.status, check.facts["damaged"]) == ("problem", [str(files[1])])


def test_a_folder_that_cannot_be_written_is_not_where_keras_downloads_to(
    keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    check = downloads.check_datasets(made.machine(keras_home))
    assert check.status == "warning"
    assert check.finding.startswith(f"{keras_home} cannot be written, so ")
    assert check.facts["folder"] != str(keras_home / "datasets")
    assert "KERAS_HOME" in check.hint


@pytest.mark.parametrize(("file", "base"), NAMES.items())
def test_keras_names_mean_a_base(file: str, base: str | None) -> None:
    assert downloads.base_of(file) == base


def test_weights_are_told_by_their_base_and_cut_ones_found(keras_home: Path) -> None:
    path = keras_home / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with h5py.File(path, "w") as stream:
        stream["block1/kernel"] = np.ones((100, 100), np.float32)
    (keras_home / "models" / "other.h5").write_bytes(b"not for nncli")
    check = downloads.check_weights(made.machine(keras_home))
    assert check.status == "ok"
    assert check.facts["weights"] == [
        {"base": "VGG16", "file": path.name, "bytes": path.stat().st_size}
    ]
    assert check.facts["others"] == 1
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    check = downloads.check_weights(made.machine(keras_home))
    assert check.status == "problem"
    assert str(path) in check.finding
