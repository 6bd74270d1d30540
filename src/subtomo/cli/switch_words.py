"""Options that take a word and may be typed as a switch: --name alone, or --no-name."""

from collections.abc import Sequence

from subtomo.cli.field_shape import shape_of
from subtomo.cli.field_text import option_name
from subtomo.jobs.settings import CommandSettings


def with_words(kind: type[CommandSettings], arguments: Sequence[str]) -> list[str]:
    """Write out what options that stand as switches mean.

    Parameters
    ----------
    kind : class of the settings; a field's ``switch`` holds the words for off and on
    arguments : as typed

    Returns
    -------
    the same with ``--name on`` for ``--name`` without one of its words after it, and ``--name off``
    for ``--no-name``
    """
    switches = {
        option_name(name): (kind.field_extra(name)["switch"], shape_of(field.annotation).choices)
        for name, field in kind.model_fields.items()
        if "switch" in kind.field_extra(name)
    }
    written: list[str] = []
    for place, argument in enumerate(arguments):
        name = argument.replace("--no-", "--", 1)
        if name not in switches or "--" in arguments[:place]:
            written.append(argument)
            continue
        (off, on), choices = switches[name]
        if name != argument:
            written += [name, off]
        elif place + 1 < len(arguments) and arguments[place + 1] in choices:
            written.append(name)
        else:
            written += [name, on]
    return written
