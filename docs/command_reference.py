"""Hook of mkdocs: pages of the commands from their settings, and the list of pages.

Loads settings only, nothing heavy.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from subtomo.cli.commands import COMMANDS
from subtomo.cli.field_order import arguments, in_lines, own_options, usage
from subtomo.cli.field_shape import shape_of
from subtomo.cli.field_text import (
    called,
    default_text,
    is_argument,
    limits_text,
    off_names,
    option_names,
)
from subtomo.jobs.command import Command
from subtomo.jobs.settings import CommandSettings, JobSettings

NO_BREAK = "&nbsp;"
_INDEX = "commands/index.md"
_LINE = 70  # characters of a usage line


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add what is not listed: pages to the guide, commands to theirs."""
    listed = set(_paths(config.nav))
    pages = sorted(
        path.relative_to(config.docs_dir) for path in Path(config.docs_dir).rglob("*.md")
    )
    for section in config.nav:
        if "Guide" in section:
            section["Guide"] += [str(path) for path in pages if str(path) not in listed]
        if "Commands" in section:
            section["Commands"] += [{f"subtomo {name}": _page(name)} for name in COMMANDS]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Write a page for each command and one that lists them."""
    pages = {_page(name): _command_page(name, row) for name, row in COMMANDS.items()}
    for path, text in {_INDEX: _index_page(), **pages}.items():
        files.append(File.generated(config, path, content=text))
    return files


def _paths(nav: list[Any]) -> list[str]:
    """List the pages of a navigation."""
    found = []
    for entry in nav:
        values = list(entry.values()) if isinstance(entry, dict) else [entry]
        for value in values:
            found += _paths(value) if isinstance(value, list) else [value]
    return found


def _page(name: str) -> str:
    return f"commands/{name.replace(' ', '-')}.md"


def _index_page() -> str:
    rows = [
        f"| [`subtomo {name}`]({_page(name).removeprefix('commands/')}) | {row.help} |"
        for name, row in COMMANDS.items()
    ]
    lines = [
        "# Commands",
        "",
        "Each page is made from the settings that the command itself checks. In a YAML file for",
        "`--config`, a name has underscores for dashes (dashes do as well).",
        "",
        "| command | what it does |",
        "|---|---|",
        *rows,
        "",
        *_shared_options(),
    ]
    return "\n".join(lines)


def _shared_options() -> list[str]:
    return [
        "## Options of every job",
        "",
        *_table(JobSettings, list(JobSettings.model_fields)),
        "",
        "## Options of every command",
        "",
        "| option | what it does |",
        "|---|---|",
        "| `--config FILE.yaml` | Read settings from a YAML file; the command line wins |",
        "| `--print-config` | Write all settings as commented YAML and stop |",
        "| `--debug` | Show the traceback of an error |",
        "| `--dry-run` | Jobs: check the input and say what would be done |",
        "| `--quiet`, `--verbose` | Jobs: show nothing but warnings and errors; show every item |",
        "| `--help` | Show the options |",
        "",
    ]


def _command_page(name: str, row: Command) -> str:
    """Write the page of one command."""
    kind = row.load_settings()
    typed = in_lines([f"$ subtomo {name}", *usage(kind)], _LINE)
    lines = [f"# subtomo {name}", "", f"{row.help}.", ""]
    lines += ["```console", *" \\\n    ".join(typed).splitlines(), "```", ""]
    if positional := arguments(kind):
        lines += ["## Arguments", "", *_table(kind, positional), ""]
    if options := own_options(kind):
        lines += ["## Options", "", *_table(kind, options), ""]
    of_whom = "job" if issubclass(kind, JobSettings) else "command"
    link = f"../commands/index.md#options-of-every-{of_whom}"
    lines += [f"And the [options of every {of_whom}]({link}).", ""]
    return "\n".join(lines)


def _table(kind: type[CommandSettings], names: list[str]) -> list[str]:
    """Write the settings of these names as a table."""
    rows = ["| name | value | default | what it is |", "|---|---|---|---|"]
    for name in names:
        field = kind.model_fields[name]
        shape = shape_of(field.annotation)
        shown = "<br>".join(f"`{word}`" for word in shape.choices) or shape.shown
        if shape.nargs > 1:
            shown = f"{shape.nargs} × {shown}"
        if shape.is_flag:
            shown = "yes or no"
        if limits := limits_text(field):
            shown += f"<br>{limits.replace(' and ', '<br>').replace(' ', NO_BREAK)}"
        default = default_text(field).removeprefix("default: ")
        text = field.description or ""
        if shape.repeated and not is_argument(kind, name):
            text += "; may be repeated"
        rows.append(f"| {_names(kind, name)} | {shown} | {_escaped(default)} | {_escaped(text)} |")
    return rows


def _names(kind: type[CommandSettings], name: str) -> str:
    """Write what a setting is called; what turns a switch off on its own line."""
    if is_argument(kind, name):
        return f"`{called(kind, name)}`"
    lines = [names for names in (option_names(kind, name), off_names(kind, name)) if names]
    return "<br>".join(", ".join(f"`{each}`" for each in names) for names in lines)


def _escaped(text: str) -> str:
    """Keep what Markdown would take for its own."""
    return re.sub(r"([|*_<>\[\]])", r"\\\1", text)
