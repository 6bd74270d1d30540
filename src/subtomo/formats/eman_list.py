"""Lists of images of EMAN (``.lst``): the number of an image, its stack, and what is said of it.

The first line is ``#LSX``, the second a comment, the third the length that all lines after it have;
values are separated by tabs, and what is said is JSON.

Source: ``LSXFile`` of EMAN2 (cryoem/eman2, libpyEM/EMAN2.py).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from subtomo.errors import FormatError
from subtomo.formats.atomic import replacing
from subtomo.formats.json_text import parse_json
from subtomo.formats.text_file import file_start, read_text

_MAGIC = "#LSX"
_COMMENT = (
    "# This file is in fast LST format. All lines after the next line have exactly the number of "
    "characters shown on the next line. This MUST be preserved if editing."
)


@dataclass(frozen=True)
class ListLine:
    """A line of a list.

    Parameters
    ----------
    index : of the image in its stack, from 0
    source : path of the stack, as it is written
    says : by name
    place : of the line, for messages
    """

    index: int
    source: str
    says: dict[str, Any] = field(default_factory=dict)
    place: str = ""


def is_eman_list(path: Path) -> bool:
    """Tell whether a file is a list of EMAN."""
    return file_start(path).startswith(_MAGIC.encode())


def read_list_lines(path: Path) -> Iterator[ListLine]:
    """Read the lines of a list.

    Parameters
    ----------
    path : ``.lst``

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it is not such a list, or a line has no number, no stack, or what it says is not JSON.
    """
    text = read_text(path, "a list of EMAN")
    if not text.startswith(_MAGIC):
        raise FormatError(f"{path}: does not start with {_MAGIC}; expected a list of EMAN")
    for at, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        index, _, rest = line.partition("\t")
        source, _, comment = rest.partition("\t")
        place = f"{path}, line {at}"
        if not (index.strip().isdigit() and source.strip()):
            raise FormatError(f"{place}: {line[:60]!r}; expected NUMBER, a tab and a stack")
        says = parse_json(comment, place) if comment.strip().startswith("{") else {}
        yield ListLine(int(index), source.strip(), says, place)


def write_list_lines(path: Path, lines: Sequence[ListLine]) -> None:
    """Write a list.

    Parameters
    ----------
    path : ``.lst``, replaced in one step
    lines : in their order
    """
    rows = [f"{line.index}\t{line.source}\t{json.dumps(line.says)}" for line in lines]
    width = max((len(row.encode()) for row in rows), default=0) + 1
    padded = [row + " " * (width - 1 - len(row.encode())) for row in rows]
    content = "\n".join([_MAGIC, _COMMENT, f"# {width}", *padded]) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(content, encoding="utf-8")
