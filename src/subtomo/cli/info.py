"""``subtomo info``: says what files are."""

from pathlib import Path

import click
from pydantic import Field

from subtomo.jobs.settings import CommandSettings


class InfoSettings(CommandSettings):
    """Options of ``subtomo info``."""

    files: tuple[Path, ...] = Field(
        min_length=1,
        description="Volumes, stacks of images, tables, metadata of tilt series, or folders",
        json_schema_extra={"argument": True},
    )


def run(settings: InfoSettings) -> None:
    """Print what each file is; labels in one column, values in the other."""
    from subtomo.sources.info import describe

    for index, path in enumerate(settings.files):
        rows = describe(path)
        width = max(len(label) for label, _ in rows)
        if index:
            click.echo()
        for label, value in rows:
            click.echo(f"{label:{width}}  {value}".rstrip())
