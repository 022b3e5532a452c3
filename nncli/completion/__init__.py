"""What a shell offers after TAB: names from nncli's own tables, and the keys of a config.

The scripts of `nncli completion` start nncli with the line so far in `_NNCLI_LINE`. Typer finds
out which option or argument is being typed, and asks the function named beside it. Each answer
is a line: a word that begins with what is typed, quotes aside, and after a tab what it means.
Where there is no answer, the shell offers files.
"""

from __future__ import annotations

import os

from nncli.completion.answers import (
    activations,
    configs,
    documents,
    formats,
    kinds,
    kinds_and_configs,
    runs,
    settings,
    sources,
)
from nncli.completion.scripts import SCRIPTS

__all__ = [
    "ASKED",
    "SCRIPTS",
    "activations",
    "configs",
    "documents",
    "formats",
    "kinds",
    "kinds_and_configs",
    "prepare",
    "runs",
    "settings",
    "sources",
]

ASKED = "_NNCLI_COMPLETE"
"""Set by a shell that asks for answers instead of running a command."""


def prepare() -> list[str]:
    """Let Typer answer in nncli's own protocol; its others need Rich, or lose the meanings.

    Returns:
        The words of the line before the one being typed.
    """
    from nncli.completion.protocol import arguments, register

    os.environ[ASKED] = register()
    return arguments()[:-1]
