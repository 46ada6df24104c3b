"""Where the command begins and ends: every error becomes one line and an exit code (sysexits.h)."""

import os
import sys
from collections.abc import Sequence
from typing import Final, TextIO

import click

from deploy.cli.commands import LazyGroup
from deploy.errors import DeployError

INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141  # as a program ends that SIGPIPE killed


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from observability.version import VERSION  # noqa: PLC0415 -- reading it takes longer than everything else here

        click.echo(f"faultline {VERSION}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Show the version."
)
def cli() -> None:
    """A small distributed system that you can see through and break on purpose."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command line (that of this process, if none is given) and exits."""
    _replace_what_cannot_be_shown(sys.stdout, sys.stderr)
    raise SystemExit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="faultline", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    except (click.ClickException, DeployError, OSError) as exc:
        return _fail(*_explained(exc))


def _explained(error: Exception) -> tuple[str, int]:
    """One line, and the exit code."""
    match error:
        case click.UsageError():
            return _with_hint(error), os.EX_USAGE
        case click.ClickException():
            return error.format_message(), os.EX_NOINPUT
        case DeployError():
            return str(error), error.exit_code
        case OSError(filename=str() as file):
            return f"{file}: {error.strerror}", os.EX_IOERR
        case _:
            raise error  # a mistake of ours, whose stack trace is needed


def _fail(message: str, code: int) -> int:
    # What is no failure (`up` when it already runs) is an answer like any other.
    print(f"faultline: {message}" if code else message, file=sys.stderr if code else sys.stdout)
    return code


def _with_hint(exc: click.UsageError) -> str:
    path = exc.ctx.command_path if exc.ctx else "faultline"
    return f"{exc.format_message()} See `{path} --help`."


def _reader_gone() -> int:
    """Nobody reads on (`faultline logs | head`): nothing may be written any more, also not by Python at its end."""
    from deploy.cli.screen import discard_output  # noqa: PLC0415 -- with rich, which most ends don't need

    discard_output()
    return _BROKEN_PIPE


def _replace_what_cannot_be_shown(*streams: TextIO) -> None:
    """A terminal that knows only ASCII gets `?` for a tick, not a stack trace."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
