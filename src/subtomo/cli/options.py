"""Command-line options and arguments from the fields of settings."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from subtomo.cli.field_shape import Shape, shape_of
from subtomo.cli.field_text import description, is_argument, option_name
from subtomo.jobs.settings import CommandSettings, JobSettings


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
    names = list(kind.model_fields)
    arguments = [name for name in names if is_argument(kind, name)]
    own = [name for name in names if name not in arguments and not _is_of_jobs(kind, name)]
    shared = [name for name in names if name not in arguments and _is_of_jobs(kind, name)]
    return [
        *(_argument(kind, name) for name in arguments),
        *(_option(kind, name) for name in own),
        *(_option(kind, name) for name in shared),
    ]


def _is_of_jobs(kind: type[CommandSettings], name: str) -> bool:
    return issubclass(kind, JobSettings) and name in JobSettings.model_fields


def _argument(kind: type[CommandSettings], name: str) -> click.Argument:
    field = kind.model_fields[name]
    shape = shape_of(field.annotation)
    shown = name.upper() + ("..." if shape.repeated else "")
    return click.Argument(
        [name],
        type=Text(shape),
        nargs=-1 if shape.repeated else shape.nargs,
        required=False,
        metavar=shown if field.is_required() else f"[{shown}]",
    )


def _option(kind: type[CommandSettings], name: str) -> click.Option:
    shape = shape_of(kind.model_fields[name].annotation)
    aliases = kind.field_extra(name).get("aliases", [])
    long_name = option_name(name)
    if shape.is_flag:
        is_negative = long_name.startswith("--no-")
        long_name += f"/--{long_name[5:]}" if is_negative else f"/--no-{long_name[2:]}"
        return click.Option([name, long_name, *aliases], help=description(kind, name), default=None)
    return click.Option(
        [name, long_name, *aliases],
        type=Text(shape),
        nargs=shape.nargs,
        multiple=shape.repeated,
        metavar=" ".join([shape.shown] * shape.nargs),
        help=description(kind, name),
    )
