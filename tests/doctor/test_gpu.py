"""Each reason why a GPU is not used, on made machines: none of them needs a GPU."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nncli.doctor.gpu import Card, explain, look, missing_libraries
from nncli.doctor.machine import Answer
from tests.doctor import made

CARD = {
    "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
    "sys/bus/pci/devices/0000:01:00.0/class": "0x030200\n",
}
SOUND = {  # the card's other device is no second card
    "sys/bus/pci/devices/0000:01:00.1/vendor": "0x10de\n",
    "sys/bus/pci/devices/0000:01:00.1/class": "0x040300\n",
}
AMD = {
    "sys/bus/pci/devices/0000:02:00.0/vendor": "0x1002\n",
    "sys/bus/pci/devices/0000:02:00.0/class": "0x030000\n",
}
DRIVER = {
    "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  "
    "Tue Mar  5 22:23:56 UTC 2024\nGCC version:  gcc version 12.2.0\n"
}
OLD = {
    "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82.01  "
    "Wed Oct 27 21:21:55 UTC 2021\n"
}
DEVICE = {"dev/nvidia0": "", "dev/nvidiactl": ""}
WELL = {**CARD, **SOUND, **DRIVER, **DEVICE}
SMI = Answer(0, "NVIDIA RTX A2000, 550.54.15")
FAILED = Answer(9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
MISMATCH = Answer(18, "Failed to initialize NVML: Driver/library version mismatch\nNVML 550.90")
WSL = {"proc/sys/kernel/osrelease": "5.15.146.1-microsoft-standard-WSL2\n"}


@dataclass(frozen=True)
class Case:
    """A machine, and what is to be said of it."""

    files: dict[str, str]
    said: str
    hint: str = ""
    status: str = "warning"
    answer: Answer = made.NO_PROGRAM
    missing: tuple[str, ...] = ()
    tensorflow: dict[str, Any] | None = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)


CUDA = ("libcudart", "libcublas", "libcufft", "libcusolver", "libcusparse", "libcudnn")
CASES = {
    "in use": Case(
        *(WELL, "uses GPU:0 (NVIDIA RTX A2000), driver 550.54.15, CUDA 12.5.1", "", "ok", SMI),
        tensorflow={"gpus": ("GPU:0 (NVIDIA RTX A2000)",)},
    ),
    "no card": Case(
        {}, "no NVIDIA card: nncli computes on the CPU", "", "ok", missing=("libcuda",)
    ),
    "no card, hidden": Case(
        *({}, "no NVIDIA card", "", "ok"), machine={"environment": {"CUDA_VISIBLE_DEVICES": ""}}
    ),
    "AMD": Case(AMD, "TensorFlow uses none of AMD", "", "ok"),
    "Mac": Case({}, "a Mac's CPU", "", "ok", machine={"system": "Darwin"}),
    "hidden": Case(
        *(WELL, "CUDA_VISIBLE_DEVICES='-1' hides the card", "unset CUDA_VISIBLE_DEVICES"),
        answer=SMI,
        machine={"environment": {"CUDA_VISIBLE_DEVICES": "-1"}},
    ),
    "all hidden": Case(
        *(WELL, "CUDA_VISIBLE_DEVICES='' hides all 2 cards", "unset CUDA_VISIBLE_DEVICES"),
        answer=Answer(0, f"{SMI.text}\n{SMI.text}"),
        machine={"environment": {"CUDA_VISIBLE_DEVICES": ""}},
    ),
    "another number": Case(
        *(WELL, "CUDA_VISIBLE_DEVICES='3' hides the card", "set it to 0"),
        answer=SMI,
        machine={"environment": {"CUDA_VISIBLE_DEVICES": "3"}},
    ),
    "Windows": Case(
        *({}, "NVIDIA RTX A2000 is not used: TensorFlow has no GPU support on Windows", "WSL2"),
        answer=SMI,
        machine={"system": "Windows", "architecture": "AMD64"},
    ),
    "no driver": Case(CARD, "there is no NVIDIA driver", "install it", missing=("libcuda",)),
    "nouveau": Case(
        {**CARD, "sys/module/nouveau/version": ""},
        *("driven by nouveau", "NVIDIA's own driver"),
        missing=("libcuda",),
    ),
    "WSL without driver": Case(
        {**CARD, **WSL}, "WSL sees no NVIDIA driver", "in Windows", missing=("libcuda",)
    ),
    "container": Case(
        {**CARD, ".dockerenv": ""},
        *("the container has no NVIDIA driver", "--gpus all"),
        missing=("libcuda",),
    ),
    "container of a host with driver": Case(
        {**CARD, **DRIVER, "run/.containerenv": ""},
        *("has not been given the card", "--gpus all"),
        missing=("libcuda",),
    ),
    "mismatch": Case(
        *(WELL, "updated while it was running: Failed to initialize NVML", "restart"),
        answer=MISMATCH,
    ),
    "driver fails": Case(
        *(WELL, "does not answer: NVIDIA-SMI has failed", "restart the computer"), answer=FAILED
    ),
    "no device": Case({**CARD, **DRIVER}, "no /dev/nvidia0", "run nvidia-smi as root", answer=SMI),
    "no library": Case(
        *(WELL, "driver's library is missing: libcuda.so.1", "install the driver again"),
        answer=SMI,
        missing=("libcuda.",),
    ),
    "container without library": Case(
        {**WELL, ".dockerenv": ""},
        *("container lacks the driver's library", "--gpus all"),
        missing=("libcuda.",),
    ),
    "CPU build": Case(
        *(WELL, "TensorFlow 2.21.0 is built for CPUs alone", "pip uninstall tensorflow-cpu"),
        answer=SMI,
        tensorflow={"built_with_cuda": False, "cuda": "", "cudnn": ""},
    ),
    "CPU build of another processor": Case(
        *(WELL, "built for CPUs alone", "Linux on x86_64 alone"),
        answer=SMI,
        tensorflow={"built_with_cuda": False, "cuda": "", "cudnn": ""},
        machine={"architecture": "aarch64"},
    ),
    "old driver": Case(
        {**WELL, **OLD}, "driver 470.82.01 is too old for CUDA 12.5.1", "525", answer=SMI
    ),
    "no CUDA": Case(
        *(WELL, "libcudart.so.12, libcublas.so.12", "pip install 'nncli[gpu]'"),
        answer=SMI,
        missing=CUDA,
    ),
    "no cuDNN": Case(
        *(WELL, "not used: libcudnn.so.9 cannot be loaded", "pip install 'nncli[gpu]'"),
        answer=SMI,
        missing=("libcudnn",),
    ),
    "old card": Case(
        *(WELL, "Cuda compute capability 5.0", "a newer card"),
        answer=SMI,
        tensorflow={"said": ("Ignoring visible gpu device with Cuda compute capability 5.0.",)},
    ),
    "unknown": Case(
        *(WELL, "finds no fault with card, driver and libraries, it says: oh", "TF_CPP_MAX_VLOG"),
        answer=SMI,
        tensorflow={"said": ("first", "oh")},
    ),
    "WSL": Case(
        {**CARD, **WSL}, "libcudnn.so.9 cannot be loaded", answer=SMI, missing=("libcudnn",)
    ),
    "TensorFlow broken": Case(
        *(WELL, "driver 550.54.15 are in order; TensorFlow does not start", "", "skipped", SMI),
        tensorflow=None,
    ),
    "hidden, TensorFlow broken": Case(
        *(WELL, "CUDA_VISIBLE_DEVICES='-1' hides the card"),
        answer=SMI,
        tensorflow=None,
        machine={"environment": {"CUDA_VISIBLE_DEVICES": "-1"}},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_reason_is_told(case: Case, tmp_path: Path) -> None:
    machine = made.machine(
        tmp_path,
        case.files,
        answer=case.answer,
        missing=lambda library: library.startswith(case.missing) if case.missing else False,
        **case.machine,
    )
    tensorflow = None if case.tensorflow is None else made.started(**case.tensorflow)
    check = explain(look(machine), machine, tensorflow)
    assert check.status == case.status, check
    assert case.said in check.finding
    assert case.hint in check.hint
    assert bool(check.hint) == (case.status == "warning")


@pytest.mark.parametrize("shown", ["0", "0,1", "GPU-8932f937", "MIG-GPU-8932f937/1/0"])
def test_what_shows_the_card_does_not_hide_it(shown: str, tmp_path: Path) -> None:
    machine = made.machine(tmp_path, WELL, answer=SMI, environment={"CUDA_VISIBLE_DEVICES": shown})
    assert "hides" not in explain(look(machine), machine, made.started()).finding


def test_a_card_that_this_user_may_not_open(tmp_path: Path) -> None:
    machine = made.machine(tmp_path)
    card = Card(on_bus=1, driver="550.54.15", files=("/dev/nvidia0",), locked=("/dev/nvidia0",))
    check = explain(card, machine, made.started())
    assert (check.status, "may not open /dev/nvidia0" in check.finding) == ("warning", True)
    assert "video" in check.hint
    one_of_two = Card(on_bus=2, driver="550.54.15", files=("a", "b"), locked=("b",))
    assert "may not open" not in explain(one_of_two, machine, made.started()).finding


def test_what_the_system_knows(tmp_path: Path) -> None:
    card = look(made.machine(tmp_path, {**WELL, **AMD}, answer=SMI))
    assert card.names == ("NVIDIA RTX A2000",)
    assert (card.on_bus, card.others, card.driver) == (1, ("AMD",), "550.54.15")
    assert card.files == (str(tmp_path / "dev/nvidia0"),)
    assert not card.locked


def test_an_open_driver_tells_its_version_too(tmp_path: Path) -> None:
    text = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\n"
    assert look(made.machine(tmp_path, {"proc/driver/nvidia/version": text})).driver == "570.86.15"


def test_libraries_of_pip_lie_beside_tensorflow(tmp_path: Path) -> None:
    machine = made.machine(tmp_path, missing=lambda _: True)
    tensorflow = made.started(place=str(tmp_path / "site" / "tensorflow"))
    assert len(missing_libraries(machine, tensorflow)) == 6
    library = tmp_path / "site/nvidia/cudnn/lib/libcudnn.so.9"
    library.parent.mkdir(parents=True)
    library.touch()
    missing = missing_libraries(machine, tensorflow)
    assert len(missing) == 5
    assert "libcudnn.so.9" not in missing
    # of a CUDA that is not known, none is said to be missing
    assert missing_libraries(machine, made.started(cuda="14.0", cudnn="")) == []
