"""Tomograms on disk, by folders, wildcards and the label ``{TS}``."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from subtomo.counts import some_of
from subtomo.errors import MissingFileError, SettingsError
from subtomo.formats.volumes import VOLUME_SUFFIXES, volume_suffix
from subtomo.sources.tomograms import find_volumes, tomogram_name

LABEL = "{TS}"
_WILD = ("*", "?", "#", LABEL)


def find_tomograms(
    inputs: Sequence[Path], *, pattern: str | None = None, excluded: Iterable[str] = ()
) -> dict[str, Path]:
    """Find the tomograms that were asked for.

    Parameters
    ----------
    inputs : volumes, folders, or names with wildcards
    pattern : of the files below the folders; None: the volumes in the folder itself
    excluded : words that a name below the folder must not hold

    Returns
    -------
    paths by the tomograms' names, in the order of the inputs, then by name

    Raises
    ------
    MissingFileError
        If an input does not exist, or nothing in it fits.
    SettingsError
        If two files have the same name, or a pattern is given without a folder.
    """
    words = list(excluded)
    found: dict[str, Path] = {}
    has_folder = False
    for given in inputs:
        folder, wild = _split(given)
        has_folder |= folder.is_dir() and wild is None and not volume_suffix(folder)
        for name, path in _of_input(given, folder, wild, pattern, words):
            if name in found:
                raise SettingsError(
                    f"{found[name]} and {path} are both called {name}; expected different names, "
                    f"since particles refer to them: rename one, or give a pattern with {LABEL}"
                )
            found[name] = path
    if pattern is not None and not has_folder:
        raise SettingsError(f"--pattern {pattern} has no effect without a folder; give one")
    return found


def _split(given: Path) -> tuple[Path, str | None]:
    """Split a name into what has no wildcards and the rest."""
    if given.exists() or not any(sign in str(given) for sign in _WILD):
        return given, None
    parts = given.parts
    first = next(i for i, part in enumerate(parts) if any(sign in part for sign in _WILD))
    return Path(*parts[:first]), "/".join(parts[first:])


def _of_input(
    given: Path, folder: Path, wild: str | None, pattern: str | None, words: Sequence[str]
) -> Iterator[tuple[str, Path]]:
    """Give name and path of each tomogram of one input."""
    if not folder.exists():
        raise MissingFileError(
            f"{folder}: no such file or folder; expected a volume, a folder of volumes, or a name "
            "with wildcards"
        )
    is_folder = folder.is_dir() and not volume_suffix(folder)
    if wild is None and not is_folder:
        candidates = [(tomogram_name(folder), folder, folder.name)]
    elif wild is None and pattern is None:
        candidates = [(tomogram_name(path), path, path.name) for path in find_volumes(folder)]
    else:
        candidates = list(_fitting(folder, wild or pattern or ""))
    kept = [(n, path) for n, path, below in candidates if not any(word in below for word in words)]
    if not kept:
        raise MissingFileError(
            f"{given}: all of its {len(candidates)} volumes are left out by --exclude "
            f"{' '.join(words)}; expected words that leave some"
        )
    yield from kept


def _fitting(folder: Path, pattern: str) -> Iterator[tuple[str, Path, str]]:
    """Give name, path and name below the folder of what fits a pattern."""
    if not pattern or pattern.startswith("/"):
        raise SettingsError(
            f"--pattern is {pattern!r}; expected names below the folder, such as *.mrc or "
            f"*/{LABEL}.rec"
        )
    expression = re.compile(_expression(pattern))
    found = []
    for path in sorted(folder.glob(_glob(pattern))):
        below = path.relative_to(folder).as_posix()
        match = expression.fullmatch(below)
        is_hidden = any(part.startswith(".") for part in Path(below).parts)
        if match and not is_hidden and _is_volume(path):
            label = match.groupdict().get("TS")
            found.append((label or tomogram_name(path), path, below))
    if not found:
        raise MissingFileError(
            f"{folder}: no volume fits the pattern {pattern}; found {_seen(folder)}; expected "
            f"files that end in {', '.join(VOLUME_SUFFIXES)}"
        )
    yield from found


def _is_volume(path: Path) -> bool:
    return volume_suffix(path).removesuffix(".gz") in VOLUME_SUFFIXES


def _seen(folder: Path) -> str:
    """List some of what a folder holds, for a message."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    return some_of(names)


def _glob(pattern: str) -> str:
    """Write a pattern for the file system, which knows no label."""
    plain = pattern.replace("[", "[[]").replace(LABEL, "*").replace("#", "[0-9]")
    return "/".join(
        part if part == "**" else re.sub(r"\*+", "*", part) for part in plain.split("/")
    )


def _expression(pattern: str) -> str:
    """Write a pattern as a regular expression; the label takes as much as fits."""
    signs = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]", "#": "[0-9]"}
    text, has_label = "", False
    for part in re.split(r"(\*\*/|\{TS\}|[*?#])", pattern):
        if part == LABEL:
            text += "(?P=TS)" if has_label else "(?P<TS>[^/]+)"
            has_label = True
        else:
            text += signs.get(part, re.escape(part))
    return text
