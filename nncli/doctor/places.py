"""Where nncli writes, what it draws with, and what in the surroundings changes what it does."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from nncli.doctor.machine import Machine
from nncli.errors import NncliError, UsageError
from nncli.results import Check

LEAST_ROOM = 500_000_000
"""Bytes: what a run with VGG16 takes, and some."""
SETTINGS = (
    *("NNCLI_", "KERAS_BACKEND", "KERAS_HOME", "TF_CPP_", "TF_ENABLE_", "TF_FORCE_", "TF_GPU_"),
    *("TF_NUM_", "TF_DETERMINISTIC_", "TF_CUDNN_", "TF_XLA_", "TF_USE_", "XLA_", "CUDA_"),
    *("NVIDIA_VISIBLE_DEVICES", "NVIDIA_TF32_", "OMP_", "ONEDNN_", "DNNL_", "MPLCONFIGDIR"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "PYTHONHOME"),
)
"""What the names of variables begin with that change what nncli, or what it is built on, does.
`TF_` alone would show Terraform's passwords to whoever the output is sent to."""
OURS = {"backend": "tensorflow", "floatx": "float32", "image_data_format": "channels_last"}
"""What nncli has Keras work with, whatever keras.json says."""


def check_outputs(machine: Machine) -> Check:
    """Whether runs can be saved, and how much room there is."""
    from nncli.files import nearest_folder
    from nncli.runs import check_writable

    folder = machine.output.absolute()
    facts: dict[str, Any] = {"folder": str(folder)}
    try:
        check_writable(machine.output)
        free = shutil.disk_usage(nearest_folder(folder)).free
    except NncliError as error:
        hint = "go to a folder of your own, or train with --output"
        return Check("outputs", "problem", error.message, hint, facts)
    finding = f"runs are saved in {folder}, {free / 1e9:.1f} GB are free"
    facts["free"] = free
    if free < LEAST_ROOM:
        return Check("outputs", "warning", finding, "make room there", facts)
    return Check("outputs", "ok", finding, facts=facts)


def check_cache(_: Machine) -> Check:
    """Whether the features of frozen bases can be kept."""
    from nncli.runs import check_writable
    from nncli.training.cache import ENDING, cache_folder

    folder = cache_folder()
    facts: dict[str, Any] = {"folder": str(folder)}
    try:
        check_writable(folder)
    except NncliError as error:
        finding = f"{error.message}: transfer computes its features anew each time"
        hint = "set NNCLI_CACHE to a folder of your own"
        return Check("cache", "warning", finding, hint, facts)
    size = sum(each.stat().st_size for each in folder.glob(f"features/*{ENDING}"))
    finding = f"features of frozen bases are kept in {folder}"
    finding += f", {size / 1e6:.1f} MB so far" if size else ""
    facts["bytes"] = size
    return Check("cache", "ok", finding, facts=facts)


def check_pictures(_: Machine) -> Check:
    """Whether matplotlib starts; Graphviz is for one style alone."""
    from importlib.metadata import version

    from nncli.plots.figure import load_matplotlib
    from nncli.plots.graphviz import graphviz_command

    load_matplotlib()
    drawing = f"matplotlib {version('matplotlib')} draws"
    try:
        command: str | None = graphviz_command("png")[0]
        finding = f"{drawing}; Graphviz is there for --style keras"
    except UsageError:
        command, finding = None, f"{drawing}; no Graphviz, which --style keras alone needs"
    facts = {"matplotlib": version("matplotlib"), "graphviz": command}
    return Check("pictures", "ok", finding, facts=facts)


def check_text(_: Machine) -> Check:
    """What characters the output can have."""
    encoding = sys.stdout.encoding or "ascii"
    facts = {"encoding": encoding}
    if encoding.lower().replace("-", "") == "utf8":
        return Check("text", "ok", f"output is {encoding}", facts=facts)
    finding = f"output is {encoding}: characters that it lacks are written as their nearest"
    return Check("text", "ok", finding, "PYTHONUTF8=1 has all of them", facts)


def check_settings(machine: Machine) -> Check:
    """Which variables and which keras.json may make it differ from elsewhere."""
    from nncli import backend

    found = {
        name: value
        for name, value in sorted(machine.environment.items())
        if name.startswith(SETTINGS)
    }
    path = backend.cache_folder() / "keras.json"
    own = _keras_settings(path)
    wanted = {**own, "backend": found.get("KERAS_BACKEND", own.get("backend", OURS["backend"]))}
    overruled = {key: wanted[key] for key, value in OURS.items() if wanted.get(key, value) != value}
    facts = {"variables": found, "keras.json": own or None}
    said = ", ".join(f"{name}={value}" for name, value in found.items())
    finding = f"set in the environment: {said}" if said else "no variable changes what nncli does"
    if overruled:
        asked = ", ".join(f"{key} {value}" for key, value in overruled.items())
        finding += f"; Keras is asked for {asked} there or in {path}, which nncli does not follow"
    return Check("settings", "ok", finding, facts=facts)


def _keras_settings(path: Path) -> dict[str, Any]:
    """What keras.json says; nothing where Keras cannot read it either."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}
