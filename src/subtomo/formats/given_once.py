"""Files that are given to a command, each once."""

from collections.abc import Iterable
from pathlib import Path

from subtomo.errors import SettingsError


def require_given_once(paths: Iterable[Path], expected: str = "each file once") -> None:
    """Refuse a file that would count twice.

    Parameters
    ----------
    paths : as they were given
    expected : for the message

    Raises
    ------
    SettingsError
        If two are the same file or folder, by its path or through a link.
    """
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise SettingsError(f"{path} is given twice; expected {expected}")
        seen.add(path.resolve())
