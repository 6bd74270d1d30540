"""The tree of commands; a command is imported when it is called, not when it is listed."""

from collections.abc import Mapping

import click

from subtomo.cli.commands import COMMANDS, GROUPS
from subtomo.jobs.command import Command


class LazyGroup(click.Group):
    """A group that knows its commands by the table and loads one when it is used.

    Parameters
    ----------
    name, help : of the group
    prefix : the words before a command's last one
    table : all commands by their full names
    """

    def __init__(self, name: str, help: str, prefix: str, table: Mapping[str, Command]) -> None:
        super().__init__(name, help=help)
        self.prefix = prefix
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the next words."""
        words = {name.removeprefix(self.prefix).split()[0] for name in self._full_names()}
        return sorted(words | set(self.commands))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command, or make the group of that name."""
        full_name = self.prefix + cmd_name
        if full_name in self.table:
            from subtomo.cli.command import SettingsCommand

            return SettingsCommand(cmd_name, full_name, self.table[full_name])
        if any(name.startswith(full_name + " ") for name in self.table):
            return LazyGroup(cmd_name, GROUPS.get(full_name, ""), full_name + " ", self.table)
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; propose the nearest for an unknown one."""
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            from subtomo.jobs.words import nearest

            asked = f"subtomo {self.prefix}{args[0]}"
            raise click.UsageError(f"no command '{asked}'{nearest(args[0], known)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands with their help from the table, without loading them."""
        rows = [(word, self._help_of(ctx, word)) for word in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _help_of(self, ctx: click.Context, word: str) -> str:
        full_name = self.prefix + word
        if full_name in self.table:
            return self.table[full_name].help
        if word in self.commands:
            return self.commands[word].get_short_help_str(100)
        return GROUPS.get(full_name, "")

    def _full_names(self) -> list[str]:
        return [name for name in self.table if name.startswith(self.prefix)]


def command_tree(commands: Mapping[str, Command] = COMMANDS) -> LazyGroup:
    """Make the tree of all commands."""
    from subtomo.cli.completion import completion

    root = LazyGroup(
        "subtomo",
        "From tilt series and tomograms to particles, their structures and how they differ.",
        "",
        commands,
    )
    root.context_settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    root.params.append(_version_option())
    root.add_command(completion)
    return root


def _version_option() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value:
            from subtomo import __version__

            click.echo(__version__)
            ctx.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show the version and stop",
    )
