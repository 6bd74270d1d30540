"""Shell completion."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Write a script that completes commands, options and values in a shell.

    For bash: subtomo completion bash > ~/.local/share/bash-completion/completions/subtomo
    """
    found = get_completion_class(shell)
    assert found is not None
    source = found(ctx.find_root().command, {}, "subtomo", "_SUBTOMO_COMPLETE").source()
    click.echo(source)
