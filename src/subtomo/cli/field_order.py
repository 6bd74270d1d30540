"""The order in which settings are listed, and the usage line that is made of them."""

from subtomo.cli.field_shape import shape_of
from subtomo.cli.field_text import argument_text, is_argument, option_name
from subtomo.jobs.settings import CommandSettings, JobSettings


def arguments(kind: type[CommandSettings]) -> list[str]:
    """List the settings that are positional."""
    return [name for name in kind.model_fields if is_argument(kind, name)]


def own_options(kind: type[CommandSettings]) -> list[str]:
    """List the command's own options: what is needed, then what says the input, then the rest.

    Classes of settings name a source of their input last among their bases, so that its fields
    come first.
    """
    names = [
        name
        for name in kind.model_fields
        if not is_argument(kind, name) and not is_of_jobs(kind, name)
    ]
    return sorted(names, key=lambda name: not _is_needed(kind, name))


def options_of_jobs(kind: type[CommandSettings]) -> list[str]:
    """List the options that every job has."""
    return [name for name in kind.model_fields if is_of_jobs(kind, name)]


def is_of_jobs(kind: type[CommandSettings], name: str) -> bool:
    """Tell whether a setting is one that every job has."""
    return issubclass(kind, JobSettings) and name in JobSettings.model_fields


def usage(kind: type[CommandSettings]) -> list[str]:
    """Write the words that follow a command's name: arguments, options that are needed."""
    options = [
        f"{option_name(name)} {shape_of(kind.model_fields[name].annotation).metavar}"
        for name in [*own_options(kind), *options_of_jobs(kind)]
        if _is_needed(kind, name)
    ]
    return [*(argument_text(kind, name) for name in arguments(kind)), *options, "[OPTIONS]"]


def in_lines(words: list[str], width: int) -> list[str]:
    """Join words to lines of about this width; an option stays with its value."""
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return lines


def _is_needed(kind: type[CommandSettings], name: str) -> bool:
    return kind.model_fields[name].is_required() or bool(kind.field_extra(name).get("needed"))
