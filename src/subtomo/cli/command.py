"""One command: options to settings, settings to its function."""

import signal
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from subtomo.cli.field_order import in_lines, is_of_jobs, usage
from subtomo.cli.field_text import description, is_argument, too_many
from subtomo.cli.options import parameters
from subtomo.cli.switch_words import with_words
from subtomo.cli.values import Values
from subtomo.errors import SettingsError
from subtomo.jobs.command import Command
from subtomo.jobs.job import DryRun, Job
from subtomo.jobs.own_warnings import own_warnings_to
from subtomo.jobs.settings import CommandSettings, JobSettings

_SHARED = ("config", "print_config", "dry_run", "quiet", "verbose", "debug")


class Interrupted(click.ClickException):
    """A signal ended the command; the exit status tells which, as shells do."""

    def __init__(self, error: KeyboardInterrupt) -> None:
        super().__init__(str(error) or "interrupted")
        number = getattr(error, "number", signal.SIGINT)
        self.exit_code = 128 + number  # type: ignore[misc]  # read from the instance


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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the words that options mean which may be typed as switches."""
        ctx.allow_extra_args = True  # refused here, in better words
        left = super().parse_args(ctx, with_words(self.kind, args))
        if left and not ctx.resilient_parsing:
            raise click.UsageError(too_many(self.kind, left), ctx)
        return left

    def invoke(self, ctx: click.Context) -> Any:
        """Check the settings, then call the function."""
        given = {name: ctx.params[name] for name in ctx.params if _was_given(ctx, name)}
        shared = {name: given.pop(name, None) for name in _SHARED}
        if shared["quiet"] and shared["verbose"]:
            raise SettingsError("--quiet and --verbose exclude each other; give one of them")
        values = Values(self.kind, given, shared["config"])
        if shared["print_config"]:
            click.echo(values.as_yaml(), nl=False)
            return
        settings = values.settings()
        if getattr(settings, "list_matches", False):
            from subtomo.sources.project import list_source

            with own_warnings_to(_show_warning):
                click.echo(list_source(settings))
            return
        try:
            if isinstance(settings, JobSettings):
                self._run_job(settings, shared)
            else:
                with own_warnings_to(_show_warning):
                    self.row.load_run()(settings)
        except KeyboardInterrupt as error:  # which click would answer itself
            raise Interrupted(error) from None

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the arguments and the options that are needed."""
        words = [f"Usage: {ctx.command_path}", *usage(self.kind)]
        formatter.write("\n    ".join(in_lines(words, formatter.width - 4)) + "\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List arguments, the command's own options, and those that all share, apart."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            title, row = self._help_row(ctx, parameter)
            sections.setdefault(title, []).append(row)
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)

    def _help_row(
        self, ctx: click.Context, parameter: click.Parameter
    ) -> tuple[str, tuple[str, str]]:
        """Choose the section of an option and write its line."""
        name = parameter.name or ""
        if is_argument(self.kind, name):
            return "Arguments", (parameter.make_metavar(ctx), description(self.kind, name))
        row = parameter.get_help_record(ctx) or ("", "")
        if name not in self.kind.model_fields:
            return "Other options", row
        return "Options of every job" if is_of_jobs(self.kind, name) else "Options", row

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


def _show_warning(text: str) -> None:
    click.secho(f"warning: {text}", fg="yellow", err=True)


def _shared_options(kind: type[CommandSettings]) -> list[click.Parameter]:
    """Make the options that are not settings."""
    config = click.Option(
        ["--config"],
        type=click.Path(path_type=Path),
        metavar="FILE.yaml",
        help="Read settings from a YAML file with the same names; the command line wins",
    )
    options = [
        config,
        _flag("--print-config", "Write all settings as commented YAML and stop"),
        _flag("--debug", "Show the traceback of an error"),
    ]
    if issubclass(kind, JobSettings):
        options += [
            _flag("--dry-run", "Check the input and say what would be done"),
            _flag("--quiet", "Show nothing but warnings and errors"),
            _flag("--verbose", "Show every item and what else goes to the log"),
        ]
    return list(options)


def _flag(name: str, text: str) -> click.Option:
    return click.Option([name], is_flag=True, help=text)
