"""Names of files that tables, logs and messages of one line can hold."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_UNWRITABLE = {"Cc", "Cs", "Zl", "Zp"}  # control, not UTF-8, separators of lines and paragraphs


def unwritable(names: Iterable[str | Path]) -> str | None:
    """Say what is wrong with the first name that cannot be written; None if all can.

    Parameters
    ----------
    names : as Python holds them: bytes that are not UTF-8 are lone surrogates
    """
    for name in map(str, names):
        if any(unicodedata.category(character) in _UNWRITABLE for character in name):
            return f"{name!a} holds a line break or bytes that are not UTF-8; rename it"
    return None


def paths_in(value: Any) -> list[Path]:
    """List the paths that a setting holds."""
    if isinstance(value, Path):
        return [value]
    return [path for path in value if isinstance(path, Path)] if isinstance(value, tuple) else []
