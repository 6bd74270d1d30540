"""Text files in UTF-8, and what is wrong with others in words."""

import re
from pathlib import Path

from subtomo.errors import FormatError
from subtomo.formats.paths import missing_file

_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what bytes become that are kept though not UTF-8
_UTF16 = ("\udcff\udcfe", "\udcfe\udcff")  # its byte order marks, kept so


def read_text(path: Path, expected: str) -> str:
    """Read a text file, with or without a byte order mark.

    Parameters
    ----------
    path : of the file
    expected : what it should be, for messages

    Raises
    ------
    MissingFileError
        If there is no such file, or it is a folder.
    FormatError
        If it is binary, or not UTF-8. The message names the line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, expected) from None
    require_text(path, text, expected)
    require_utf8(path, text, expected)
    return text


def require_text(
    path: Path, text: str, expected: str, error: type[FormatError] = FormatError
) -> None:
    """Refuse what is binary, or in two bytes a character.

    Parameters
    ----------
    path, text, expected, error : as ``require_utf8``

    Raises
    ------
    FormatError
        If it starts as UTF-16 does, or there is a byte 0 in it.
    """
    if text.startswith(_UTF16):
        raise error(
            f"{path}: is in UTF-16; expected {expected} in UTF-8: convert it (iconv -f utf-16 -t "
            "utf-8)"
        )
    if "\0" in text:
        raise error(f"{path}: holds binary data; expected {expected}")


def require_utf8(
    path: Path, text: str, expected: str, error: type[FormatError] = FormatError
) -> None:
    """Refuse text in which bytes are kept that are not UTF-8.

    Parameters
    ----------
    path : of the file, for messages
    text : decoded with ``surrogateescape``
    expected : what it should be
    error : kind of the error to raise

    Raises
    ------
    FormatError
        Naming the line.
    """
    found = None if text.isascii() else _NOT_UTF8.search(text)  # the search is slow
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise error(
            f"{path}, line {line}: byte 0x{ord(found[0]) - 0xDC00:02X} is not UTF-8; expected "
            f"{expected} in UTF-8: convert it (iconv -f latin1 -t utf-8)"
        )


def file_start(path: Path, n_bytes: int = 65536) -> bytes:
    """Give the first bytes of a file, by which others of its suffix are told from it."""
    with path.open("rb") as file:
        return file.read(n_bytes)
