"""The command line: the Typer app, and `main`, the only place that prints errors and exits."""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from copy import copy as copy_of
from typing import Annotated

import typer
from typer.main import get_command

from nncli import __version__, process
from nncli import completion as shell
from nncli.commands.completion import completion
from nncli.commands.config.copy import copy
from nncli.commands.config.list import list_configs
from nncli.commands.config.schema import schema
from nncli.commands.config.show import show
from nncli.commands.config.validate import validate
from nncli.commands.data.check import check
from nncli.commands.data.list import list_sources
from nncli.commands.doctor import doctor
from nncli.commands.evaluate import evaluate
from nncli.commands.export import export
from nncli.commands.neuron import neuron
from nncli.commands.plot import plot
from nncli.commands.plot_activation import plot_activation
from nncli.commands.predict import predict
from nncli.commands.report import report
from nncli.commands.runs.delete import delete
from nncli.commands.runs.diff import diff
from nncli.commands.runs.list import list_runs
from nncli.commands.runs.show import show as show_run
from nncli.commands.schema import schema as schema_of_documents
from nncli.commands.train.command import train
from nncli.commands.verify import verify
from nncli.errors import (
    BackendError,
    ExitCode,
    Interrupted,
    NncliError,
    ReaderGone,
    UsageError,
)
from nncli.words import Command, Group

app = typer.Typer(
    name="nncli",
    cls=Group,
    help="The neural-networks lesson as commands: activations, one neuron, and RNN, LSTM, CNN "
    "and transfer training on real data.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="--verbose, anywhere on the line, shows TensorFlow's messages and Python's traceback.",
)
app.command("plot-activation", cls=Command)(plot_activation)
app.command("neuron", cls=Command)(neuron)
app.command("train", cls=Command)(train)
app.command("evaluate", cls=Command)(evaluate)
app.command("predict", cls=Command)(predict)
app.command("plot", cls=Command)(plot)
app.command("report", cls=Command)(report)
app.command("verify", cls=Command)(verify)
app.command("export", cls=Command)(export)
app.command("doctor", cls=Command)(doctor)

runs = typer.Typer(cls=Group, rich_markup_mode=None, invoke_without_command=True)
runs.command("list", cls=Command)(list_runs)
runs.command("show", cls=Command)(show_run)
runs.command("diff", cls=Command)(diff)
runs.command("delete", cls=Command)(delete)
app.add_typer(runs, name="runs")


@runs.callback()
def runs_commands(context: typer.Context) -> None:
    """The runs that were trained: which there are, what each reached, in what they differ."""
    _help_without_command(context)


config = typer.Typer(cls=Group, rich_markup_mode=None, invoke_without_command=True)
config.command("list", cls=Command)(list_configs)
config.command("show", cls=Command)(show)
config.command("copy", cls=Command)(copy)
config.command("validate", cls=Command)(validate)
config.command("schema", cls=Command)(schema)
app.add_typer(config, name="config")


@config.callback()
def config_commands(context: typer.Context) -> None:
    """The shipped configs, and what a config of your own means."""
    _help_without_command(context)


data = typer.Typer(cls=Group, rich_markup_mode=None, invoke_without_command=True)
data.command("check", cls=Command)(check)
data.command("list", cls=Command)(list_sources)
app.add_typer(data, name="data")


@data.callback()
def data_commands(context: typer.Context) -> None:
    """Where samples come from, and what is wrong with them before they are trained on."""
    _help_without_command(context)


app.command("schema", cls=Command)(schema_of_documents)
app.command("completion", cls=Command)(completion)


def _help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitCode.USAGE)


def _print_version(context: typer.Context, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        typer.echo(f"nncli {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """The options of nncli itself."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        argv: the arguments after the program's name; those of the process by default.

    Returns:
        The exit code, see `nncli.errors.ExitCode`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    verbose = "--verbose" in arguments
    arguments = [argument for argument in arguments if argument != "--verbose"]
    if verbose:
        os.environ["NNCLI_VERBOSE"] = "1"
    thresholds = process.collect_seldom()
    process.make_streams_safe()
    handlers = process.catch_signals()
    try:
        code = _run(arguments, verbose=verbose, as_json="--json" in arguments)
        sys.stdout.flush()
        return code
    except (BrokenPipeError, ReaderGone):
        process.abandon_output()
        return ExitCode.READER_GONE
    except OSError as error:
        with suppress(OSError):
            sys.stderr.write(f"error: cannot write the output: {error.strerror or error}\n")
        process.abandon_output()
        return ExitCode.FAILED
    finally:
        process.give_back_signals(handlers)
        process.forget_answer()
        gc.set_threshold(*thresholds)


def _run(arguments: list[str], *, verbose: bool, as_json: bool) -> int:
    try:
        with process.signals_stay_signals():
            code = _call(arguments or ["--help"])
        return code or (ExitCode.DONE if arguments else ExitCode.USAGE)
    except NncliError as error:
        return _report(error, verbose=verbose, as_json=as_json)
    except typer.TyperException as error:
        return _report(_usage_error(error), verbose=verbose, as_json=as_json)
    except (BrokenPipeError, ReaderGone):
        raise
    except KeyboardInterrupt as error:
        return _report_interrupted(error, as_json=as_json)
    except OSError as error:
        if error.filename is None and error.errno in _WRITE_ERRORS:
            raise
        return _report_unexpected(error, verbose=verbose, as_json=as_json)
    except MemoryError as error:
        told = NncliError(
            f"out of memory: {error or 'no more is to be had'}",
            hint="use less data, smaller samples, or data.memory_limit to read them from the disk",
        )
        return _report(told, verbose=verbose, as_json=as_json)
    except Exception as error:
        return _report_unexpected(error, verbose=verbose, as_json=as_json)


def _call(arguments: list[str]) -> int:
    """Run the command; what Typer's own main does, but signals and broken pipes stay ours."""
    if shell.ASKED in os.environ:
        try:
            complete_words = shell.prepare()
        except ImportError:  # another Typer than the one that was tried: no answers
            return ExitCode.FAILED
        return int(get_command(_only(app, complete_words)).main(arguments, "nncli") or 0)
    command = get_command(_only(app, arguments))
    try:
        with command.make_context("nncli", list(arguments)) as context:  # it empties the list
            command.invoke(context)
    except typer.Exit as stop:
        return stop.exit_code
    return ExitCode.DONE


def _only(whole: typer.Typer, words: Sequence[str]) -> typer.Typer:
    """The app with no command but the one that the words begin with; with all, if it is none.

    Typer studies the signature of every command that an app has, a fifth of a short command's time.
    """
    commands = [row for row in whole.registered_commands if row.name in words[:1]]
    groups = [row for row in whole.registered_groups if row.name in words[:1]]
    if not commands and not groups:
        return whole
    part = copy_of(whole)
    part.registered_commands = commands
    part.registered_groups = [copy_of(group) for group in groups]
    for group in part.registered_groups:
        if group.typer_instance is not None:
            group.typer_instance = _only(group.typer_instance, words[1:])
    return part


def _usage_error(error: typer.TyperException) -> UsageError:
    """Typer's complaint about the command line, in nncli's words."""
    message, _, guess = error.format_message().partition(". Did you mean ")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "nncli"
    hint = f"did you mean {guess}" if guess else f"{command} --help shows how it is used"
    option = getattr(error, "option_name", None)
    if option is not None and hasattr(error, "possibilities"):
        message = f"{command} has no option {option}"
        known = [name for name in error.possibilities or () if name != "--help"]
        if known:
            hint = f"did you mean {' or '.join(known)}?"
    return UsageError(message.rstrip("."), hint=hint)


_WRITE_ERRORS = {errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG}
"""Without a file's name these come from standard output: files are written by nncli.files, which
names them."""


def _report(error: NncliError, *, verbose: bool, as_json: bool) -> int:
    from nncli.report.errors import print_error

    if verbose:
        traceback.print_exc()
    print_error(error, as_json=as_json and not process.is_answered())
    if isinstance(error, BackendError):
        from nncli import backend
        from nncli.report.console import print_noise

        print_noise(backend.noise())
    return error.exit_code


def _report_unexpected(error: Exception, *, verbose: bool, as_json: bool) -> int:
    """A mistake of ours, or an exhausted machine: what happened, but no traceback."""
    from nncli import backend
    from nncli.report.errors import print_unexpected

    if verbose:
        traceback.print_exc()
    as_json = as_json and not process.is_answered()
    print_unexpected(error, backend.noise(), as_json=as_json)
    return ExitCode.FAILED


def _report_interrupted(error: KeyboardInterrupt, *, as_json: bool) -> int:
    from nncli.report.errors import print_interrupted

    code = error.exit_code if isinstance(error, Interrupted) else ExitCode.INTERRUPTED
    print_interrupted(error, code, as_json=as_json and not process.is_answered())
    return code
