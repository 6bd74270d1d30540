"""What YAML says a value is, against what a setting holds: ``true`` is no number, ``"2"`` is text.

On the command line everything is text, and means what the setting needs.
"""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from subtomo.errors import SettingsError

_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    Path: "text",
}


def require_written_kind(field: FieldInfo, value: Any, where: str) -> None:
    """Refuse a value of a YAML file whose kind is another than the setting's.

    Parameters
    ----------
    field : the setting; one that is made of named parts takes any kind
    value : as YAML gave it
    where : for the message

    Raises
    ------
    SettingsError
        Naming the value and the kinds that the setting takes.
    """
    extra = field.json_schema_extra
    if isinstance(value, bool) and isinstance(extra, dict) and "switch" in extra:
        return
    expected = _kinds_of(Annotated[field.annotation, *field.metadata, None])
    for leaf in _leaves(value):
        found = _KINDS.get(type(leaf))
        if expected is not None and found is not None and found not in expected:
            shown = f"'{leaf}'" if isinstance(leaf, str) else str(leaf).lower()
            raise SettingsError(f"{where}: found {shown}; expected {' or '.join(sorted(expected))}")


def _kinds_of(annotation: Any) -> set[str] | None:
    """List the kinds of values that a type takes; None: any."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return set()
    if origin is Annotated:
        kinds = _kinds_of(inner[0])
        reads_text = any(isinstance(one, BeforeValidator) for one in inner[1:])
        return kinds if kinds is None or not reads_text else {*kinds, "text"}
    if origin is Literal:
        return {_KINDS[type(value)] for value in inner}
    if origin in (Union, types.UnionType, tuple, list):
        parts = [_kinds_of(part) for part in inner if part is not Ellipsis]
        return None if None in parts else {kind for part in parts for kind in part or ()}
    return {_KINDS[annotation]} if annotation in _KINDS else None


def _leaves(value: Any) -> Iterator[Any]:
    """Give the values of lists inside each other."""
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value
