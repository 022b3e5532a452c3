"""What a run begins with, and is recorded with: config, samples, versions, device."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from nncli import backend
from nncli.backend import Device
from nncli.config import Config, to_dict
from nncli.data.dataset import Dataset


def origin_of(
    settings: Config, dataset: Dataset, before: Dataset | None, where: Device
) -> dict[str, Any]:
    """What must be the same for a run to go on to the same numbers.

    Args:
        settings: the complete config.
        dataset: the samples.
        before: those of the pretraining, where there is one.
        where: the device.
    """
    config = to_dict(settings)
    for key in ("epochs", "checkpoints"):  # how long, and how often it is written down
        del config["training"][key]
    kernels = hashlib.sha256(repr(backend.processor()).encode()).hexdigest()[:16]
    return {
        "config": config,
        "samples": dataset.fingerprint(),
        "samples of the pretraining": None if before is None else before.fingerprint(),
        "versions": backend.versions(),
        "device": asdict(where),
        "processor": kernels,
    }


def circumstances(
    settings: Config, dataset: Dataset, warned: Sequence[str], origin: dict[str, Any]
) -> dict[str, Any]:
    """What a run is recorded with, beside its config; of its origin what people ask for."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": origin["versions"],
        "seed": settings.seed,
        "device": origin["device"],
        "data": {
            "source": dataset.name,
            "fingerprint": origin["samples"],
            "samples": {part_name: len(part) for part_name, part in dataset.parts.items()},
            "notes": list(dataset.notes),
            "warnings": list(warned),
        },
    }
