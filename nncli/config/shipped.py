"""The configs that travel with nncli, found by name from any directory."""

from __future__ import annotations

from pathlib import Path


def shipped_folder() -> Path:
    """Inside an installed package, or `configs/` of the checkout it is installed from."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_configs"
    return installed if installed.is_dir() else package.parent / "configs"


def shipped_configs() -> dict[str, Path]:
    """Every shipped config by its name, in the order of the alphabet."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.yaml"))}
