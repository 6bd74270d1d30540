"""Types of settings that are lists with commas, such as ``--run-ids 1,2 --run-id 3``."""

import csv
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

_WHOLE = re.compile(r"-?\d{1,20}")


def split_names(value: Any) -> list[Any]:
    """Take lists with commas apart; a name that holds a comma stands in double quotes."""
    parts: list[Any] = []
    for each in value if isinstance(value, list | tuple) else [value]:
        if not isinstance(each, str):
            parts.append(each)
            continue
        row = next(csv.reader([each], skipinitialspace=True), [])
        parts += _some([part.strip() for part in row if part.strip()], each)
    return parts


def split_numbers(value: Any) -> list[Any]:
    """Take lists of whole numbers apart at commas and spaces; what is none stays as it is."""
    parts: list[Any] = []
    for each in value if isinstance(value, list | tuple) else [value]:
        if isinstance(each, str):
            texts = _some([part for part in re.split(r"[,\s]+", each) if part], each)
            parts += [int(text) if _WHOLE.fullmatch(text) else text for text in texts]
        else:
            parts.append(each)
    return parts


def _some(parts: list[str], text: str) -> list[str]:
    """Refuse a list without entries: nothing would be taken for everything."""
    if not parts:
        raise ValueError(f"{text!r} names nothing; give a value, or leave the option out")
    return parts


def _not_blank(text: str) -> str:
    return _some([text] if text.strip() else [], text)[0]


Name = Annotated[str, AfterValidator(_not_blank)]
Names = Annotated[tuple[str, ...], BeforeValidator(split_names)]
Identifier = Annotated[int, Field(strict=True, ge=0, lt=2**31)]  # as GraphQL's integers
Numbers = Annotated[tuple[Identifier, ...], BeforeValidator(split_numbers)]


def list_of(singular: str, description: str) -> Any:
    """Declare a setting that is a list, empty when not given, and may be called in the singular.

    Parameters
    ----------
    singular : its other name, such as ``run_id`` for ``run_ids``
    description : of what is listed
    """
    option = "--" + singular.replace("_", "-")
    return Field((), description=description, json_schema_extra={"aliases": [option]})
