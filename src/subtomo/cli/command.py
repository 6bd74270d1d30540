"""One command: options to settings, settings to its function."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from subtomo.cli.options import parameters
from subtomo.cli.values import Values
from subtomo.jobs.command import Command
from subtomo.jobs.job import DryRun, Job
from subtomo.jobs.own_warnings import own_warnings_to
from subtomo.jobs.settings import CommandSettings, JobSettings


class SettingsCommand(click.Command):
    """A command whose options are the fields of its settings.

    Parameters
    ----------
    name : last word of its name
    full_name : all words, as ``pick match``
    row : of the table of commands
    """

    def __init__(self, name: str, full_name: str, row: Command) -> None:
        self.full_name = full_name
        self.row = row
        self.kind = row.load_settings()
        super().__init__(
            name, params=[*parameters(self.kind), *_shared_options(self.kind)], help=row.help + "."
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Check the settings, then call the function."""
        given = {name: ctx.params[name] for name in ctx.params if _was_given(ctx, name)}
        shared = {name: given.pop(name, None) for name in _SHARED}
        values = Values(self.kind, given, shared["config"])
        if shared["print_config"]:
            click.echo(values.as_yaml(), nl=False)
            return
        settings = values.settings()
        if isinstance(settings, JobSettings):
            self._run_job(settings, shared)
        else:
            with own_warnings_to(
                lambda text: click.secho(f"warning: {text}", fg="yellow", err=True)
            ):
                self.row.load_run()(settings)

    def _run_job(self, settings: JobSettings, shared: dict[str, Any]) -> None:
        """Run the command in its folder and say where that is."""
        flags = {name: bool(shared[name]) for name in ("dry_run", "quiet", "verbose")}
        job = Job(self.full_name, settings, **flags)
        try:
            with own_warnings_to(job.warn):
                self.row.load_run()(settings, job)
        except DryRun:
            return
        job.log(f"done: {settings.output_dir}")


def _was_given(ctx: click.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is ParameterSource.COMMANDLINE and ctx.params[name] != ()


_SHARED = ("config", "print_config", "dry_run", "quiet", "verbose", "debug")


def _shared_options(kind: type[CommandSettings]) -> list[click.Parameter]:
    """Make the options that are not settings."""

    def flag(name: str, text: str) -> click.Option:
        return click.Option([f"--{name}"], is_flag=True, help=text)

    options: list[click.Parameter] = [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            metavar="FILE.yaml",
            help="Read settings from a YAML file with the same names; the command line wins",
        ),
        flag("print-config", "Write all settings as commented YAML and stop"),
        flag("debug", "Show the traceback of an error"),
    ]
    if issubclass(kind, JobSettings):
        options += [
            flag("dry-run", "Check the input and say what would be done"),
            flag("quiet", "Show nothing but warnings and errors"),
            flag("verbose", "Show every item and what the log says"),
        ]
    return options
