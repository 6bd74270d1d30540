"""Maps of Dynamo: which tomogram a number in its tables means (``.doc``)."""

from collections.abc import Mapping
from pathlib import Path

from subtomo.errors import FormatError
from subtomo.formats.atomic import replacing
from subtomo.formats.paths import missing_file


def read_tomogram_map(path: Path) -> dict[int, str]:
    """Read a map: a number and a path a line.

    Parameters
    ----------
    path : ``.doc``

    Returns
    -------
    paths by number, as they are written

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If a line is not a whole number and a path, or a number comes twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "a map of tomograms") from None
    found: dict[int, str] = {}
    for at, line in enumerate(text.splitlines(), 1):
        number, _, name = line.strip().partition(" ")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not (number.isascii() and number.isdigit() and name.strip()):
            raise FormatError(
                f"{path}, line {at}: is {line.strip()[:60]!r}; expected the number of a tomogram "
                "and its path"
            )
        if int(number) in found:
            raise FormatError(f"{path}, line {at}: tomogram {int(number)} comes twice")
        found[int(number)] = name.strip()
    return found


def write_tomogram_map(path: Path, tomograms: Mapping[int, str]) -> None:
    """Write a map, by number.

    Parameters
    ----------
    path : ``.doc``, replaced in one step
    tomograms : paths or names by number
    """
    lines = [f"{number} {name}\n" for number, name in sorted(tomograms.items())]
    with replacing(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
