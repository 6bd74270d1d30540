"""What is said about a setting, in --help, in commented YAML and in the reference."""

from collections.abc import Sequence
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from subtomo.cli.field_shape import shape_of
from subtomo.jobs.settings import CommandSettings, JobSettings

_OF_JOBS = JobSettings.JOB_FIELDS
_LIMITS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}


def called(kind: type[CommandSettings], name: str) -> str:
    """Name a setting as the command line does: --name, or NAME for an argument."""
    return name.upper() if is_argument(kind, name) else option_name(name)


def is_argument(kind: type[CommandSettings], name: str) -> bool:
    """Tell whether a setting is positional."""
    return name in kind.model_fields and bool(kind.field_extra(name).get("argument"))


def option_name(name: str) -> str:
    """Write a field's name as an option."""
    return "--" + name.replace("_", "-")


def argument_text(kind: type[CommandSettings], name: str) -> str:
    """Write an argument as usage lines do: in brackets where it may be left out."""
    field = kind.model_fields[name]
    shown = called(kind, name) + ("..." if shape_of(field.annotation).repeated else "")
    return shown if field.is_required() else f"[{shown}]"


def too_many(kind: type[CommandSettings], words: Sequence[str]) -> str:
    """Say that words stand without an option, and which options take a file."""
    names = list(kind.model_fields)
    own = [name for name in names if not issubclass(kind, JobSettings) or name not in _OF_JOBS]
    taken = [argument_text(kind, name) for name in own if is_argument(kind, name)]
    files = [
        option_name(name)
        for name in own
        if shape_of(kind.model_fields[name].annotation).is_path and not is_argument(kind, name)
    ]
    text = f"'{words[0]}' has no option before it; expected {' '.join(taken) or 'options'} only"
    return f"{text}: files are given with {', '.join(files)}" if files else text


def option_names(kind: type[CommandSettings], name: str) -> list[str]:
    """List the names of an option; of a switch, those that turn it on."""
    return [option_name(name), *kind.field_extra(name).get("aliases", [])]


def off_names(kind: type[CommandSettings], name: str) -> list[str]:
    """List the names that turn a switch off; none for other options."""
    if not shape_of(kind.model_fields[name].annotation).is_flag:
        return []
    long_name = option_name(name)
    is_negative = long_name.startswith("--no-")
    opposite = f"--{long_name[5:]}" if is_negative else f"--no-{long_name[2:]}"
    return [opposite, *kind.field_extra(name).get("off_aliases", [])]


def description(kind: type[CommandSettings], name: str) -> str:
    """Describe a setting, with its limits, its default and whether it may be repeated."""
    field = kind.model_fields[name]
    is_repeated = shape_of(field.annotation).repeated and not is_argument(kind, name)
    parts = [
        "may be repeated" if is_repeated else "",
        limits_text(field),
        default_text(field),
    ]
    remark = "; ".join(part for part in parts if part)
    return (field.description or "") + (f" [{remark}]" if remark else "")


def default_text(field: FieldInfo) -> str:
    """Say a setting's default, or that it has none; nothing where none is needed."""
    if field.is_required():
        return "required"
    default = default_value(field)
    if default is None or default in ((), [], {}, ""):
        return ""
    return f"default: {plain_text(default)}"


def default_value(field: FieldInfo) -> Any:
    """Read or make a setting's default; None where it is required."""
    default = field.get_default(call_default_factory=True, validated_data={})
    return None if default is PydanticUndefined else default


def plain_text(value: Any) -> str:
    """Write a value as one would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(plain_text(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def limits_text(field: FieldInfo) -> str:
    """Say the limits of a number."""
    found = [
        f"{words} {getattr(part, key):g}"
        for part in field.metadata
        for key, words in _LIMITS.items()
        if getattr(part, key, None) is not None
    ]
    return " and ".join(found)
