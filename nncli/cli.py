"""The command line: the Typer app, and `main`, the only place that prints errors and exits."""

from __future__ import annotations

import codecs
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Annotated

import typer

from nncli import __version__
from nncli.commands.neuron import neuron
from nncli.commands.plot_activation import plot_activation
from nncli.commands.train import train
from nncli.errors import ExitCode, Interrupted, NncliError, UsageError

app = typer.Typer(
    name="nncli",
    help="The neural-networks lesson as commands: activations, one neuron, and RNN, LSTM, CNN "
    "and transfer training on real data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="--verbose, anywhere on the line, shows TensorFlow's messages and Python's traceback.",
)
app.command("plot-activation")(plot_activation)
app.command("neuron")(neuron)
app.command("train")(train)


def _print_version(wanted: bool) -> None:
    if wanted:
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
    _make_streams_safe()
    with_handlers = _catch_signals()
    try:
        code = _run(arguments, verbose=verbose, as_json="--json" in arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # whoever read our output has gone; Python must not try to flush it again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return ExitCode.READER_GONE
    except OSError as error:
        sys.stderr.write(f"error: cannot write the output: {error.strerror or error}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return ExitCode.FAILED
    finally:
        for number, handler in with_handlers.items():
            signal.signal(number, handler)


def _run(arguments: list[str], *, verbose: bool, as_json: bool) -> int:
    try:
        return int(app(args=arguments, prog_name="nncli", standalone_mode=False) or 0)
    except NncliError as error:
        return _report(error, verbose=verbose, as_json=as_json)
    except typer.TyperException as error:
        message = error.format_message().rstrip(".")
        if not message:  # Typer has shown the help instead
            return ExitCode.USAGE
        usage = UsageError(message, hint="nncli --help shows the commands and their options")
        return _report(usage, verbose=verbose, as_json=as_json)
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except KeyboardInterrupt as error:
        sys.stderr.write("interrupted\n")
        return error.exit_code if isinstance(error, Interrupted) else ExitCode.INTERRUPTED
    except (BrokenPipeError, SystemExit):
        raise
    except Exception as error:
        if verbose:
            traceback.print_exc()
        from nncli import backend
        from nncli.report.errors import print_unexpected

        print_unexpected(error, backend.noise())
        return ExitCode.FAILED


def _report(error: NncliError, *, verbose: bool, as_json: bool) -> int:
    from nncli.report.errors import print_error

    if verbose:
        traceback.print_exc()
    print_error(error, as_json=as_json)
    return error.exit_code


_ASCII = {
    "×": "x", "·": "-", "→": "->", "–": "-", "—": "-", "−": "-", "✓": "ok", "★": "*", "▌": "|",
    "│": "|", "…": "...", "█": "#", "▏": "|", "′": "'", "σ": "sigma", "≤": "<=", "≥": ">=",
    "²": "^2", "³": "^3", "√": "sqrt", "Φ": "Phi", "α": "alpha", "λ": "lambda", "π": "pi",
    "∞": "inf", "Σ": "sum", "ŷ": "y", "≈": "~", "∂": "d", "┃": "|", "━": "-", "─": "-",
    "β": "beta", "θ": "theta",
}  # fmt: skip


def _make_streams_safe() -> None:
    """Where a stream's encoding lacks a character, write its nearest in ASCII: never crash."""

    def nearest(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)
        text = error.object[error.start : error.end]
        return "".join(_ASCII.get(character, "?") for character in text), error.end

    codecs.register_error("nncli-ascii", nearest)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="nncli-ascii")


def _catch_signals() -> dict[int, signal.Handlers | None]:
    """Let signals end the work in order; a second one ends the process at once."""

    def stop(number: int, _: FrameType | None) -> None:
        for each in caught:
            signal.signal(each, signal.SIG_DFL)
        raise Interrupted(number)

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    caught = [getattr(signal, name) for name in names if hasattr(signal, name)]
    try:
        return {number: signal.signal(number, stop) for number in caught}  # type: ignore[misc]
    except ValueError:  # not the main thread: the caller handles signals
        return {}
