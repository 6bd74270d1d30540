"""Command-line options and arguments from the fields of settings."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from subtomo.cli.field_order import arguments, options_of_jobs, own_options
from subtomo.cli.field_shape import Shape, shape_of
from subtomo.cli.field_text import argument_text, description, off_names, option_names
from subtomo.jobs.settings import CommandSettings


class Text(click.ParamType[Any]):
    """A value that is passed on as it stands, for the settings to check."""

    def __init__(self, shape: Shape) -> None:
        self.name = shape.shown
        self.shape = shape

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Propose the choices, or leave paths to the shell."""
        if self.shape.is_path:
            return [CompletionItem(incomplete, type="file")]
        choices = self.shape.choices
        return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]


def parameters(kind: type[CommandSettings]) -> list[click.Parameter]:
    """Make an option or an argument of each field: arguments, own options, options of jobs."""
    options = [*own_options(kind), *options_of_jobs(kind)]
    return [
        *(_argument(kind, name) for name in arguments(kind)),
        *(_option(kind, name) for name in options),
    ]


def _argument(kind: type[CommandSettings], name: str) -> click.Argument:
    shape = shape_of(kind.model_fields[name].annotation)
    return click.Argument(
        [name],
        type=Text(shape),
        nargs=-1 if shape.repeated else shape.nargs,
        required=False,
        metavar=argument_text(kind, name),
    )


def _option(kind: type[CommandSettings], name: str) -> click.Option:
    shape = shape_of(kind.model_fields[name].annotation)
    names = option_names(kind, name)
    if shape.is_flag:
        off = [f" /{each}" for each in off_names(kind, name)]
        return click.Option([name, *names, *off], help=description(kind, name), default=None)
    return click.Option(
        [name, *names],
        type=Text(shape),
        nargs=shape.nargs,
        multiple=shape.repeated,
        metavar=shape.metavar,
        help=description(kind, name),
    )
