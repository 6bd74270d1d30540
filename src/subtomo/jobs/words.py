"""Wrong settings in words: which option, what was found, what was expected."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from subtomo.errors import SettingsError
from subtomo.jobs.settings import CommandSettings

Settings = TypeVar("Settings", bound=CommandSettings)

_EXPECTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "path_type": "a path",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping of names to values",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "too_short": "at least {min_length} values",
    "too_long": "at most {max_length} values",
    "literal_error": "{expected}",
    "enum": "{expected}",
}


def check_settings(
    kind: type[Settings], values: Mapping[str, Any], called: Callable[[str], str] = str
) -> Settings:
    """Make settings from values, or say in one line what is wrong.

    Parameters
    ----------
    kind : class of the settings
    values : by field name
    called : how the user knows a field, such as its option or "file.yaml: name"

    Raises
    ------
    SettingsError
        If a value is unknown, missing or out of its limits, or values contradict each other.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise SettingsError(in_words(error, kind, called)) from None


def in_words(
    error: ValidationError, kind: type[CommandSettings], called: Callable[[str], str] = str
) -> str:
    """Put every fault in words; several are joined by semicolons."""
    faults: dict[str, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        field = str(details["loc"][0]) if details["loc"] else ""
        faults.setdefault(field, []).append(details)
    return "; ".join(_fault(field, details, kind, called) for field, details in faults.items())


def nearest(name: str, known: Iterable[str]) -> str:
    """Propose the nearest known name: "; did you mean 'x'?", or nothing; dashes do not count."""
    plain = {each.lstrip("-"): each for each in known}
    close = difflib.get_close_matches(name.lstrip("-"), plain, n=1)
    return f"; did you mean '{plain[close[0]]}'?" if close else ""


def _fault(
    field: str,
    details: list[ErrorDetails],
    kind: type[CommandSettings],
    called: Callable[[str], str],
) -> str:
    """Say what is wrong with one field, or with the settings together (no field)."""
    first = details[0]
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        return f"{called(field)}: unknown setting{nearest(field, kind.model_fields)}"
    if first["type"] == "missing" and len(first["loc"]) == 1:
        return f"{called(field)} is required and was not given"
    if first["type"] in ("value_error", "assertion_error"):
        reason = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        return f"{called(field)}: {reason}" if field else reason
    expected = " or ".join(dict.fromkeys(_expected(each) for each in details))
    inner = "".join(f"[{part}]" for part in first["loc"][1:] if isinstance(part, int))
    return f"{called(field)}{inner}: found {_found(first['input'])}; expected {expected}"


def _expected(details: ErrorDetails) -> str:
    pattern = _EXPECTED.get(details["type"])
    if pattern is None:
        return details["msg"].removeprefix("Input should be ")
    context = details.get("ctx", {})
    return pattern.format_map(
        {key: f"{value:g}" if isinstance(value, float) else value for key, value in context.items()}
    )


def _found(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return f"'{text}'" if isinstance(value, str) else text
