"""The program: calls a command and turns what goes wrong into one line and an exit status."""

import signal
import sys
import traceback
from collections.abc import Mapping

import click

from subtomo.cli.commands import COMMANDS
from subtomo.cli.tree import command_tree
from subtomo.errors import SubtomoError
from subtomo.jobs.command import Command

FINISHED, UNFINISHED, WRONG_INPUT = 0, 1, 2


def main(arguments: list[str] | None = None) -> None:
    """Run ``subtomo``; exits with 0, 1 (items failed, to be resumed) or 2 (wrong input)."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str], commands: Mapping[str, Command] = COMMANDS) -> int:
    """Run a command line and give its exit status."""
    try:
        command_tree(commands).main(arguments, prog_name="subtomo", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message())
        return WRONG_INPUT
    except click.NoSuchOption as error:
        return _fail(_no_option(error), WRONG_INPUT)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except click.Abort:
        return _fail("interrupted", 128 + signal.SIGINT)
    except BrokenPipeError:
        return UNFINISHED
    except Exception as error:
        if "--debug" in arguments:
            traceback.print_exc()
        return _fail(_in_words(error), _status(error))
    return FINISHED


def _no_option(error: click.NoSuchOption) -> str:
    """Propose the nearest option, or the commands that should have come first."""
    from subtomo.jobs.words import nearest

    text = f"no option '{error.option_name}'"
    if error.ctx is not None and isinstance(error.ctx.command, click.Group):
        words = ", ".join(error.ctx.command.list_commands(error.ctx))
        return f"{text} of '{error.ctx.command_path}': a command comes first, one of {words}"
    return text + nearest(error.option_name, error.possibilities or ())


def _status(error: Exception) -> int:
    if getattr(error, "resumable", False):
        return UNFINISHED
    return WRONG_INPUT if isinstance(error, SubtomoError | OSError) else UNFINISHED


def _in_words(error: Exception) -> str:
    if isinstance(error, SubtomoError):
        return "; ".join([str(error), *getattr(error, "__notes__", [])])
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error} (--debug shows where; please report it)"


def _fail(text: str, status: int) -> int:
    """Say in one line what is wrong."""
    click.secho(f"error: {' '.join(text.split())}", fg="red", err=True)
    return status
