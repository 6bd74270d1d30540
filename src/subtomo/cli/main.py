"""The program: calls a command and turns what goes wrong into one line and an exit status."""

import signal
import sys
import traceback

import click

from subtomo.cli.tree import command_tree
from subtomo.errors import ItemsFailed, SubtomoError

FINISHED, UNFINISHED, WRONG_INPUT = 0, 1, 2


def main(arguments: list[str] | None = None) -> None:
    """Run ``subtomo``; exits with 0, 1 (items failed, to be resumed) or 2 (wrong input)."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run a command line and give its exit status."""
    try:
        command_tree().main(arguments, prog_name="subtomo", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message())
        return WRONG_INPUT
    except click.ClickException as error:
        return _fail(error.format_message(), WRONG_INPUT)
    except SubtomoError as error:
        text = "; ".join([str(error), *getattr(error, "__notes__", [])])
        return _fail(text, _status(error), traced="--debug" in arguments)
    except KeyboardInterrupt as error:
        return _fail(str(error) or "interrupted", 128 + getattr(error, "number", signal.SIGINT))
    except BrokenPipeError:
        return UNFINISHED
    except OSError as error:
        return _fail(str(error), WRONG_INPUT, traced="--debug" in arguments)
    except click.Abort:
        return _fail("interrupted")
    except Exception as error:
        text = f"unexpected {type(error).__name__}: {error} (--debug shows where; please report it)"
        return _fail(text, UNFINISHED, traced="--debug" in arguments)
    return FINISHED


def _status(error: SubtomoError) -> int:
    is_unfinished = isinstance(error, ItemsFailed) or getattr(error, "resumable", False)
    return UNFINISHED if is_unfinished else WRONG_INPUT


def _fail(text: str, status: int = UNFINISHED, *, traced: bool = False) -> int:
    """Say in one line what is wrong."""
    if traced:
        traceback.print_exc()
    click.secho(f"error: {' '.join(text.split())}", fg="red", err=True)
    return status
