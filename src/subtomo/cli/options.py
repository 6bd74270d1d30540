"""Command-line options and arguments from the fields of settings."""

import types
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
from click.shell_completion import CompletionItem
from pydantic.fields import FieldInfo

from subtomo.jobs.settings import CommandSettings


class Text(click.ParamType[Any]):
    """A value that is passed on as it stands, for the settings to check; named for the help."""

    def __init__(self, shown: str, choices: tuple[str, ...] = (), *, is_path: bool = False) -> None:
        self.name = shown
        self.choices = choices
        self.is_path = is_path

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the name as it is."""
        return self.name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Propose the choices, or leave paths to the shell."""
        if self.is_path:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(choice) for choice in self.choices if choice.startswith(incomplete)]


@dataclass(frozen=True)
class Shape:
    """How the values of a field look on the command line."""

    shown: str
    choices: tuple[str, ...] = ()
    is_path: bool = False
    nargs: int = 1
    repeated: bool = False
    is_flag: bool = False
    is_yaml: bool = False


def parameters(kind: type[CommandSettings]) -> list[click.Parameter]:
    """Make an option or an argument of each field, arguments first."""
    made = [_parameter(name, field) for name, field in kind.model_fields.items()]
    return sorted(made, key=lambda parameter: not isinstance(parameter, click.Argument))


def called(kind: type[CommandSettings], name: str) -> str:
    """Name a field as the command line does: --name, or NAME for an argument."""
    field = kind.model_fields.get(name)
    if field is not None and extra(field).get("argument"):
        return name.upper()
    return option_name(name)


def option_name(name: str) -> str:
    """Write a field's name as an option."""
    return "--" + name.replace("_", "-")


def extra(field: FieldInfo) -> dict[str, Any]:
    """Read what a field says beside its type."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _parameter(name: str, field: FieldInfo) -> click.Parameter:
    shape = shape_of(field.annotation)
    kind = Text(shape.shown, shape.choices, is_path=shape.is_path)
    if extra(field).get("argument"):
        many = -1 if shape.repeated else shape.nargs
        return click.Argument(
            [name],
            type=kind,
            nargs=many,
            required=False,
            metavar=_argument_metavar(name, field, shape),
        )
    names = [option_name(name), *extra(field).get("aliases", [])]
    if shape.is_flag:
        names[0] = f"{names[0]}/--no-{names[0][2:]}"
        return click.Option([name, *names], help=help_text(field), default=None, is_flag=True)
    return click.Option(
        [name, *names],
        type=kind,
        nargs=shape.nargs,
        multiple=shape.repeated,
        help=help_text(field),
        default=None,
    )


def _argument_metavar(name: str, field: FieldInfo, shape: Shape) -> str:
    shown = name.upper() + ("..." if shape.repeated else "")
    return shown if field.is_required() else f"[{shown}]"


def help_text(field: FieldInfo) -> str:
    """Describe a field with its limits and its default."""
    parts = [field.description or ""]
    if extra(field).get("argument") is None and shape_of(field.annotation).repeated:
        parts.append("may be given several times")
    if limits := limits_of(field):
        parts.append(limits)
    parts.append(default_text(field))
    return parts[0] + "".join(f"  [{part}]" for part in parts[1:] if part)


def default_text(field: FieldInfo) -> str:
    """Say a field's default, or that it has none."""
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None or default in ((), [], {}, ""):
        return ""
    if isinstance(default, bool):
        return f"default: {'yes' if default else 'no'}"
    if isinstance(default, list | tuple):
        return f"default: {' '.join(map(str, default))}"
    return f"default: {default}"


def limits_of(field: FieldInfo) -> str:
    """Say the limits of a number."""
    words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
    found = [
        f"{word} {getattr(part, key)}"
        for part in field.metadata
        for key, word in words.items()
        if getattr(part, key, None) is not None
    ]
    return " and ".join(found)


def shape_of(annotation: Any) -> Shape:
    """Read how a type is written on the command line."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _shape_of_union(tuple(part for part in inner if part is not type(None)))
    if origin is Literal:
        choices = tuple(str(value) for value in inner)
        return Shape("|".join(choices), choices)
    if origin is tuple and not (len(inner) == 2 and inner[1] is Ellipsis):
        return Shape(shape_of(inner[0]).shown, nargs=len(inner))
    if origin in (list, tuple, set, frozenset) or getattr(origin, "__name__", "") == "Sequence":
        each = shape_of(inner[0])
        return replace(each, repeated=True)
    if annotation is bool:
        return Shape("BOOL", is_flag=True)
    names = {int: "INTEGER", float: "NUMBER", str: "TEXT", Path: "PATH"}
    if annotation in names:
        return Shape(names[annotation], is_path=annotation is Path)
    return Shape("YAML", is_yaml=True)


def _shape_of_union(parts: tuple[Any, ...]) -> Shape:
    shapes = [shape_of(part) for part in parts]
    if len(shapes) == 1:
        return shapes[0]
    return Shape(
        "|".join(dict.fromkeys(shape.shown for shape in shapes)),
        tuple(choice for shape in shapes for choice in shape.choices),
        any(shape.is_path for shape in shapes),
        shapes[0].nargs,
        shapes[0].repeated,
        is_yaml=all(shape.is_yaml for shape in shapes),
    )
