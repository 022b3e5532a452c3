"""Whether TensorFlow computes on a GPU, and if not, why.

TensorFlow falls back to the CPU without a word. What must be there, in this order: a card of
NVIDIA, shown to this process, a driver that answers, a TensorFlow that is built for it, and CUDA's
libraries.

Source: NVIDIA, CUDA Compatibility, minor version compatibility (the oldest drivers);
https://www.tensorflow.org/install/pip (systems, libraries).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from nncli.doctor.inside import Started
from nncli.doctor.machine import Machine
from nncli.results import Check, CheckStatus

NVIDIA = "0x10de"
MAKERS = {"0x1002": "AMD", "0x8086": "Intel"}
"""Of other cards, as the PCI bus numbers them."""
DISPLAY = "0x03"
"""What the class of a graphics card begins with on the PCI bus, one without a screen's too."""
OLDEST_DRIVERS = {11: 450, 12: 525, 13: 580}
"""That programs of a CUDA run with, whatever its minor version."""
LIBRARIES = {
    12: ("cudart.so.12", "cublas.so.12", "cufft.so.11", "cusolver.so.11", "cusparse.so.12"),
}
"""Of CUDA, which TensorFlow loads when it looks for a GPU; cuDNN comes to these."""
INSTALL = "pip install 'nncli[gpu]'"
CONTAINER = "start the container with its GPU: docker run --gpus all, with NVIDIA's toolkit"


@dataclass(frozen=True)
class Card:
    """What the system knows of NVIDIA's cards."""

    names: tuple[str, ...] = ()
    """As nvidia-smi tells them."""
    on_bus: int = 0
    """Cards of NVIDIA on the PCI bus."""
    others: tuple[str, ...] = ()
    """Who made the other cards on it."""
    driver: str = ""
    """Its version; empty for none."""
    files: tuple[str, ...] = ()
    """`/dev/nvidia0`: by these programs reach the cards."""
    locked: tuple[str, ...] = ()
    """Those of them that this user may not open."""
    library: str = ""
    """Why the driver's own library cannot be loaded; empty where it can."""
    complaint: str = ""
    """What nvidia-smi says that is wrong."""
    nouveau: bool = False
    """Whether the driver that is no NVIDIA's, and knows no CUDA, holds the card."""

    @property
    def is_there(self) -> bool:
        """Whether there is one at all."""
        return bool(self.names or self.on_bus or self.driver or self.files)


def look(machine: Machine) -> Card:
    """Look for cards and their driver, without TensorFlow."""
    devices = sorted((machine.root / "sys/bus/pci/devices").glob("*"))
    makers = [
        machine.text(f"sys/bus/pci/devices/{device.name}/vendor").strip()
        for device in devices
        if machine.text(f"sys/bus/pci/devices/{device.name}/class").startswith(DISPLAY)
    ]
    told = re.search(r"\b\d{3}\.\d[\d.]*", machine.text("proc/driver/nvidia/version"))
    query = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    answer = machine.ask(query)
    rows = answer.text.splitlines() if answer.code == 0 else []
    cards = [[part.strip() for part in row.split(",")] for row in rows if "," in row]
    files = sorted((machine.root / "dev").glob("nvidia[0-9]*"))
    driver = told[0] if told else cards[0][1] if cards else ""
    return Card(
        names=tuple(card[0] for card in cards),
        on_bus=makers.count(NVIDIA),
        others=tuple(dict.fromkeys(MAKERS[maker] for maker in makers if maker in MAKERS)),
        driver=driver,
        files=tuple(str(path) for path in files),
        locked=tuple(str(path) for path in files if not os.access(path, os.R_OK | os.W_OK)),
        library=machine.load("libcuda.so.1") if machine.system == "Linux" else "",
        complaint=" ".join(answer.text.split()) if answer.code != 0 else "",
        nouveau=(machine.root / "sys/module/nouveau").is_dir(),
    )


Reason = Callable[[Card, Machine], tuple[str, str] | None]
"""Says why a card is not used, and what to do; None where it is not this."""


def _hidden(card: Card, machine: Machine) -> tuple[str, str] | None:
    shown = machine.environment.get("CUDA_VISIBLE_DEVICES")
    if shown is None:
        return None
    first = shown.split(",")[0].strip()
    count = len(card.names) or len(card.files) or card.on_bus
    if first.startswith(("GPU-", "MIG-")) or (first.isdecimal() and int(first) < max(1, count)):
        return None
    what = "the card" if count < 2 else f"all {count} cards"
    return (
        f"CUDA_VISIBLE_DEVICES={shown!r} hides {what} from TensorFlow",
        "unset CUDA_VISIBLE_DEVICES, or set it to 0",
    )


def _on_windows(_: Card, machine: Machine) -> tuple[str, str] | None:
    if machine.system != "Windows":
        return None
    return (
        "TensorFlow has no GPU support on Windows itself since 2.11",
        f"install nncli in WSL2, a Linux inside Windows: {INSTALL}",
    )


def _no_driver(card: Card, machine: Machine) -> tuple[str, str] | None:
    if card.driver or not card.library:
        return None
    if card.nouveau:
        return (
            "the card is driven by nouveau, which has no CUDA",
            "install NVIDIA's own driver and restart the computer",
        )
    if machine.is_container:
        return "the container has no NVIDIA driver", CONTAINER
    if machine.is_wsl:
        return "WSL sees no NVIDIA driver", "install NVIDIA's driver in Windows, none in WSL itself"
    return "there is no NVIDIA driver", "install it, until nvidia-smi shows the card"


def _driver_fails(card: Card, _: Machine) -> tuple[str, str] | None:
    if not card.complaint:
        return None
    if "mismatch" in card.complaint.lower():
        return (
            f"the driver was updated while it was running: {card.complaint}",
            "restart the computer",
        )
    return (
        f"the driver does not answer: {card.complaint[:200]}",
        "restart the computer; if nvidia-smi still fails, install the driver again",
    )


def _no_files(card: Card, machine: Machine) -> tuple[str, str] | None:
    if card.files or machine.is_wsl or machine.system != "Linux":
        return None
    if machine.is_container:
        return "the container has not been given the card: there is no /dev/nvidia0", CONTAINER
    return "there is no /dev/nvidia0", "run nvidia-smi as root once, which makes it"


def _locked(card: Card, _: Machine) -> tuple[str, str] | None:
    if len(card.locked) < max(1, len(card.files)):
        return None
    return (
        f"this user may not open {', '.join(card.locked)}",
        "ask to be put into the group that it belongs to (ls -l shows it: video, render)",
    )


def _no_library(card: Card, machine: Machine) -> tuple[str, str] | None:
    if not card.library:
        return None
    if machine.is_container:
        return f"the container lacks the driver's library: {card.library}", CONTAINER
    return f"the driver's library is missing: {card.library}", "install the driver again"


REASONS: tuple[Reason, ...] = (
    *(_hidden, _on_windows, _no_driver, _driver_fails, _no_files, _locked, _no_library),
)
"""Before TensorFlow comes into it; the first that holds is told."""


def explain(card: Card, machine: Machine, started: Started | None) -> Check:
    """Say whether a GPU is used, and if not, why, and what to do.

    Args:
        card: from `look`.
        machine: where it was looked.
        started: what TensorFlow tells; None where it does not start.
    """
    facts = {
        "card": asdict(card),
        "tensorflow": None
        if started is None
        else {"gpus": started.gpus, "cuda": started.cuda or None, "cudnn": started.cudnn or None},
    }

    def told(status: CheckStatus, finding: str, hint: str = "") -> Check:
        return Check("gpu", status, finding, hint, facts)

    driver = f"driver {card.driver}" if card.driver else "the driver"
    if started is not None and started.gpus:
        cuda = f", {driver}, CUDA {started.cuda}" if started.cuda else ""
        return told("ok", f"TensorFlow uses {', '.join(started.gpus)}{cuda}")
    if not card.is_there:
        return told("ok", _without_card(card, machine))
    name = ", ".join(card.names) or "an NVIDIA card"
    for reason in REASONS:
        why = reason(card, machine)
        if why is not None:
            return told("warning", f"{name} is not used: {why[0]}", why[1])
    if started is None:
        finding = f"{name} and {driver} are in order; TensorFlow does not start, so no more is told"
        return told("skipped", finding)
    finding, hint = _why_tensorflow_does_not(card, machine, started)
    return told("warning", f"{name} is not used: {finding}", hint)


def _without_card(card: Card, machine: Machine) -> str:
    if machine.system == "Darwin":
        return "TensorFlow computes on a Mac's CPU"
    if card.others:
        other = " and ".join(card.others)
        return f"no NVIDIA card, and TensorFlow uses none of {other}: nncli computes on the CPU"
    return "no NVIDIA card: nncli computes on the CPU"


def _why_tensorflow_does_not(card: Card, machine: Machine, started: Started) -> tuple[str, str]:
    version = started.versions["tensorflow"]
    if not started.built_with_cuda:
        return f"TensorFlow {version} is built for CPUs alone", _cuda_build(machine)
    major = int(started.cuda.partition(".")[0] or 0)
    oldest = OLDEST_DRIVERS.get(major, 0)
    if card.driver and int(card.driver.partition(".")[0]) < oldest:
        return (
            f"driver {card.driver} is too old for CUDA {started.cuda} of TensorFlow {version}",
            f"install a driver of version {oldest} or newer",
        )
    missing = missing_libraries(machine, started)
    if missing:
        return f"{', '.join(missing)} cannot be loaded", INSTALL
    ignored = [line for line in started.said if "Ignoring visible gpu device" in line]
    if ignored:
        return ignored[0], "train on the CPU, or on a newer card"
    said = f", it says: {started.said[-1]}" if started.said else ""
    return (
        f"TensorFlow finds no fault with card, driver and libraries{said}",
        "TF_CPP_MAX_VLOG_LEVEL=3 nncli doctor --verbose shows each step of it",
    )


def _cuda_build(machine: Machine) -> str:
    if machine.system == "Linux" and machine.architecture == "x86_64":
        return f"pip uninstall tensorflow-cpu, then {INSTALL} --force-reinstall"
    return "there are builds with CUDA for Linux on x86_64 alone"


def missing_libraries(machine: Machine, started: Started) -> list[str]:
    """Libraries of CUDA that TensorFlow will not find: neither pip nor the system has them.

    Those of pip lie beside TensorFlow, where it looks by itself.
    """
    names = [f"lib{name}" for name in LIBRARIES.get(int(started.cuda.partition(".")[0] or 0), ())]
    if names and started.cudnn:
        names.append(f"libcudnn.so.{started.cudnn.partition('.')[0]}")
    beside = Path(started.place).parent / "nvidia"
    return [name for name in names if not any(beside.glob(f"*/lib/{name}")) and machine.load(name)]
