"""How the values of a setting are written on the command line, read from its type."""

import types
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

_NAMES = {int: "INTEGER", float: "NUMBER", str: "TEXT", Path: "PATH"}
_SEVERAL = ("list", "tuple", "set", "frozenset", "Sequence")


@dataclass(frozen=True)
class Shape:
    """How the values of a field look.

    Parameters
    ----------
    shown : the kind of value, for the help
    choices : the words that are allowed
    is_path : a file or folder
    nargs : values that one option takes
    repeated : may be given several times
    is_flag : --name or --no-name
    is_yaml : a YAML text, for what has no simpler form
    """

    shown: str
    choices: tuple[str, ...] = ()
    is_path: bool = False
    nargs: int = 1
    repeated: bool = False
    is_flag: bool = False
    is_yaml: bool = False

    @property
    def metavar(self) -> str:
        """What stands for the values of one option."""
        return " ".join([self.shown] * self.nargs)


def shape_of(annotation: Any) -> Shape:
    """Read how a type is written."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return shape_of(inner[0])
    if origin in (Union, types.UnionType):
        return _shape_of_union([shape_of(part) for part in inner if part is not type(None)])
    if origin is Literal:
        choices = tuple(str(value) for value in inner)
        return Shape("|".join(choices), choices)
    if origin is tuple and inner[-1] is not Ellipsis:
        return replace(shape_of(inner[0]), nargs=len(inner))
    if origin is not None and origin.__name__ in _SEVERAL:
        return replace(shape_of(inner[0]), repeated=True)
    if annotation is bool:
        return Shape("true|false", ("true", "false"), is_flag=True)
    if annotation in _NAMES:
        return Shape(_NAMES[annotation], is_path=annotation is Path)
    return Shape("YAML", is_yaml=True)


def _shape_of_union(shapes: list[Shape]) -> Shape:
    """Join what a value may be; several kinds are told apart when the settings are made."""
    if len(shapes) == 1:
        return shapes[0]
    return Shape(
        "|".join(dict.fromkeys(shape.shown for shape in shapes)),
        tuple(choice for shape in shapes for choice in shape.choices),
        is_path=any(shape.is_path for shape in shapes),
        nargs=shapes[0].nargs,
        repeated=shapes[0].repeated,
        is_yaml=any(shape.is_yaml for shape in shapes),
    )
