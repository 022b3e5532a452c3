"""Python, the packages, the processor and the memory."""

from __future__ import annotations

import math
import os
import platform
import re
import sys
from collections.abc import Callable, Sequence
from importlib import metadata

import nncli
from nncli.doctor.inside import REINSTALL
from nncli.doctor.machine import Machine
from nncli.results import Check

LEAST_MEMORY = 1_000_000_000
"""Bytes: TensorFlow and the smallest of models take 700 million."""
NAMED = ("tensorflow", "keras", "numpy")
"""Packages whose versions are told always."""
TWINS = ("tensorflow-cpu", "tensorflow-intel", "tf-nightly", "keras-nightly")
"""Packages that put their files where tensorflow and keras have theirs."""


def check_python(_: Machine) -> Check:
    """Which Python it is, and whether nncli and TensorFlow take it."""
    version, bits = platform.python_version(), 64 if sys.maxsize > 2**32 else 32
    facts = {
        "version": version,
        "nncli": nncli.__version__,
        "executable": sys.executable,
        "virtual_environment": sys.prefix != sys.base_prefix,
        "system": platform.platform(),
        "bits": bits,
    }
    said = f"{version} with nncli {nncli.__version__}, {sys.executable}"
    try:
        wanted = metadata.metadata("nncli")["Requires-Python"]
    except metadata.PackageNotFoundError:  # it runs from a folder
        wanted = None
    if wanted is not None and not _contains(wanted, version):
        hint = "install nncli into an environment of another Python"
        return Check("python", "problem", f"{said}: nncli asks for {wanted}", hint, facts)
    if bits == 32:
        hint = "install the 64-bit Python"
        return Check("python", "problem", f"{said}: TensorFlow needs 64 bits", hint, facts)
    return Check("python", "ok", said, facts=facts)


def _contains(wanted: str, version: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(version, prereleases=True)


def check_packages(_: Machine) -> Check:
    """Each package that nncli asks for: whether it is there, and in the range."""
    try:
        asked = metadata.requires("nncli") or []
    except metadata.PackageNotFoundError:
        finding = "nncli is not installed, it runs from a folder: no ranges to hold versions to"
        return Check("packages", "skipped", finding, "pip install . in that folder")
    return judge_packages(asked, installed)


def installed(name: str) -> str | None:
    """The version of a package; None where it is not there."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def judge_packages(asked: Sequence[str], version_of: Callable[[str], str | None]) -> Check:
    """Hold versions against ranges.

    Args:
        asked: `numpy>=2.0,<3`, as packages ask for others.
        version_of: the version of an installed package, or None.
    """
    from packaging.requirements import Requirement

    wanted = [Requirement(each) for each in asked]
    # one with an extra is for those who ask for it
    wanted = [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    found = {each.name: version_of(each.name) for each in wanted}
    missing = [each.name for each in wanted if found[each.name] is None]
    outside = [
        f"{each.name} {version} (nncli asks for {each.specifier})"
        for each in wanted
        if (version := found[each.name]) is not None
        and not each.specifier.contains(version, prereleases=True)
    ]
    twins = [f"{name} {version}" for name in TWINS if (version := version_of(name)) is not None]
    facts = {"versions": found, "missing": missing, "outside": outside, "beside": twins}
    if missing:
        finding = f"{', '.join(missing)}: not installed"
        return Check("packages", "problem", finding, REINSTALL, facts)
    if outside:
        return Check("packages", "warning", ", ".join(outside), REINSTALL, facts)
    if twins:
        names = " ".join(twin.partition(" ")[0] for twin in twins)
        finding = f"{', '.join(twins)} is installed beside tensorflow, in the same files"
        hint = f"pip uninstall {names}, then {REINSTALL}"
        return Check("packages", "warning", finding, hint, facts)
    named = ", ".join(f"{name} {found[name]}" for name in NAMED if name in found)
    finding = f"all {len(found)} are there, in the ranges that nncli asks for: {named}"
    return Check("packages", "ok", finding, facts=facts)


def check_processor(machine: Machine) -> Check:
    """What a run without a GPU computes with: threads, oneDNN, and what TensorFlow needs of it."""
    from nncli.config.sections import available_threads

    threads = available_threads()
    told = dict(re.findall(r"^([^\t:]+)\t*: (.*)$", machine.text("proc/cpuinfo"), re.MULTILINE))
    name = told.get("model name") or platform.processor() or machine.architecture
    flags = told.get("flags", "").split()
    switch = machine.environment.get("TF_ENABLE_ONEDNN_OPTS", "1")
    allowed = _allowed_processors(machine)
    facts = {
        "name": name,
        "architecture": machine.architecture,
        "processors": os.cpu_count(),
        "threads": threads,
        "allowed": allowed,
        "avx": [flag for flag in flags if flag.startswith(("avx", "fma", "amx"))],
        "onednn": switch != "0",
    }
    count = "1 thread" if threads == 1 else f"{threads} threads"
    said = f"{name}; runs take {count}, oneDNN is on"
    if switch == "0":
        said = f"{name}; runs take {count}; TF_ENABLE_ONEDNN_OPTS=0 turns oneDNN off"
    if flags and "avx" not in flags and machine.architecture in {"x86_64", "AMD64"}:
        finding = f"{name} has no AVX, without which TensorFlow ends at once"
        hint = "in a virtual machine choose the host's own type of processor"
        return Check("processor", "problem", finding, hint, facts)
    if allowed is not None and math.ceil(allowed) < threads:
        finding = f"{said}, but the container may use only {allowed:g} processors"
        hint = f"train with --threads {math.ceil(allowed)}"
        return Check("processor", "warning", finding, hint, facts)
    return Check("processor", "ok", said, facts=facts)


def _allowed_processors(machine: Machine) -> float | None:
    """What a container's limit of time comes to; None for no limit."""
    limit, _, period = machine.text("sys/fs/cgroup/cpu.max").partition(" ")
    try:
        return int(limit) / int(period)
    except (ValueError, ZeroDivisionError):  # `max`, or no group
        return None


def check_memory(_: Machine) -> Check:
    """Whether there is room for TensorFlow."""
    from nncli.training.memory import available

    return judge_memory(available())


def judge_memory(free: int | None) -> Check:
    """Hold free bytes against what TensorFlow takes; None for what the system does not say."""
    if free is None:
        return Check("memory", "skipped", "this system does not say how much is free")
    finding, facts = f"{free / 1e9:.1f} GB are free", {"free": free}
    if free < LEAST_MEMORY:
        finding += ", and TensorFlow alone takes most of 1 GB"
        return Check("memory", "warning", finding, "end other programs", facts)
    return Check("memory", "ok", finding, facts=facts)
