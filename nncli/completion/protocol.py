"""How a shell's script asks nncli, and how it is answered.

Typer keeps to itself how it finds out what is being typed. What is used of that stands here alone
and is imported only when a shell asks, so that another Typer can cost completion and nothing else.
"""

from __future__ import annotations

import os
import re
import shlex

from typer._click.core import Command, Context
from typer._click.shell_completion import (
    CompletionItem,
    ShellComplete,
    _resolve_context,
    _resolve_incomplete,
    add_completion_class,
)
from typer.core import TyperGroup, TyperOption

LINE = "_NNCLI_LINE"
ANYWHERE = {"--verbose", "--version"}
"""Options that change no answer; Typer knows nothing of the one, and acts at once on the other."""


def register() -> str:
    """Teach Typer the protocol; what its variable has to say to get it."""
    add_completion_class(_Protocol, _Protocol.name)
    return f"complete_{_Protocol.name}"


def words_of(line: str) -> list[str]:
    """The words as a shell reads them; the last is the one being typed, and may be empty."""
    end = "\0"
    lexer = shlex.shlex(line + end, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        words += lexer
    except ValueError:  # a quote is still open
        words.append(lexer.token)
    words[-1] = words[-1].removesuffix(end)
    return words


def arguments() -> list[str]:
    """What follows nncli on the line, the word being typed as the last."""
    words = words_of(os.environ.get(LINE, ""))
    while len(words) > 1 and re.match(r"\w+=", words[0]):  # fish: VARIABLE=value nncli …
        del words[0]
    return [word for word in words[1:-1] if word not in ANYWHERE] + words[-1:]


class _Protocol(ShellComplete):
    """How nncli is asked, and how it answers."""

    name = "nncli"

    def source_vars(self) -> dict[str, str]:
        return {}

    def get_completion_args(self) -> tuple[list[str], str]:
        *before, typed = arguments()
        return before, typed

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        words = list(args)
        context = self._context(words)
        asked, typed = _resolve_incomplete(context, words, incomplete)
        if isinstance(asked, TyperGroup):
            unknown = context._protected_args
            return [] if unknown else _commands(asked, context, typed)
        if isinstance(asked, TyperOption):
            # an option without its value keeps Typer from reading the words around it
            while words.pop() not in asked.opts:
                pass
            found = asked.shell_complete(self._context(words), typed)
            before = incomplete.removesuffix(typed)  # of --set=training. the --set=
            return [CompletionItem(before + item.value, help=item.help) for item in found]
        if isinstance(asked, Command):
            typed = typed or "-"  # every argument is there, what may follow is options
        return asked.shell_complete(context, typed)

    def _context(self, words: list[str]) -> Context:
        return _resolve_context(self.cli, self.ctx_args, self.prog_name, words)

    def format_completion(self, item: CompletionItem) -> str:
        meaning = " ".join((item.help or "").split())
        return f"{item.value}\t{meaning}" if meaning else str(item.value)


def _commands(group: TyperGroup, context: Context, typed: str) -> list[CompletionItem]:
    """The commands of a group, or its options; Typer cuts the meanings of commands short."""
    found = group.shell_complete(context, typed)
    for item in found:
        if item.value in group.commands:
            item.help = group.commands[item.value].get_short_help_str(limit=100)
    return found
