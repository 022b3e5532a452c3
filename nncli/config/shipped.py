"""The configs that travel with nncli, found by name from any directory."""

from __future__ import annotations

import shlex
from functools import cache
from pathlib import Path


def shipped_folder() -> Path:
    """Inside an installed package, or `configs/` of the checkout it is installed from."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_configs"
    return installed if installed.is_dir() else package.parent / "configs"


@cache
def shipped_configs() -> dict[str, Path]:
    """Every shipped config by its name, in the order of the alphabet."""
    found = {path.stem: path for path in shipped_folder().glob("*.yaml")}
    return dict(sorted(found.items()))


def summary(path: Path) -> str:
    """What a shipped config is for: its second line, under its command."""
    line = path.read_text(encoding="utf-8").splitlines()[1]
    return line.removeprefix("#").strip().rstrip(".")


def copied(name: str, target: Path, schema: Path) -> str:
    """The text of a shipped config for a file of the user's.

    It begins with the line that tells editors which schema to hold it against, and its command
    names the new file.

    Args:
        name: of the shipped config.
        target: the file it is for, as its user would name it.
        schema: of its kind, as seen from the folder of `target`.
    """
    text = shipped_configs()[name].read_text(encoding="utf-8")
    command, _, rest = text.partition("\n")
    file = shlex.quote(str(target)).replace("\n", "?")
    command = command.replace(f"--config {name}", f"--config {file}")
    return f"# yaml-language-server: $schema={schema}\n{command}\n{rest}"
