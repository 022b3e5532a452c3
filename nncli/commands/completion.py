"""`nncli completion SHELL`: let TAB complete commands, names and config keys."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from nncli.completion import SCRIPTS


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Your shell.")],
) -> None:
    """Print the script by which a shell completes nncli's commands, names and config keys.

    bash and zsh: source <(nncli completion bash). fish: nncli completion fish | source.
    """
    typer.echo(SCRIPTS[shell], nl=False)
