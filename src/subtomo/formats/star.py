"""STAR files: blocks of pairs or loops, read to text and written back.

Own tokens rather than gemmi's: gemmi takes rows of uneven length as long as their total fits, and
refuses unquoted values such as ``Müller/stack.mrcs`` or ``$x``, all of which RELION's files hold.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import StarError
from subtomo.formats.atomic import replacing
from subtomo.formats.paths import missing_file
from subtomo.formats.text_file import require_text, require_utf8
from subtomo.formats.text_table import TextTable

_TOKEN = re.compile(r"""'(?:[^']|'(?=\S))*'(?=\s|$)|"(?:[^"]|"(?=\S))*"(?=\s|$)|\#.*|\S+""")
_MISLEADING = re.compile(r"""['"#;_]|data_|save_|loop_|stop_|global_""", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class StarTable(TextTable):
    """One block of a STAR file: a loop, or pairs (then every column has one value).

    Parameters
    ----------
    columns : one value a row, by tag; the tag without its leading underscore
    is_loop : written as ``loop_``, else as pairs

    Raises
    ------
    StarError
        If the columns differ in length.
    """

    is_loop: bool = True
    error = StarError


def read_star(path: str | Path, *, is_utf8: bool = False) -> dict[str, StarTable]:
    """Give the blocks of a STAR file by name, in the order of the file.

    Parameters
    ----------
    path : file
        UTF-8; bytes that are not are kept as they stand.
    is_utf8 : refuse such bytes, which formats other than STAR cannot hold

    Returns
    -------
    ``{"optics": StarTable, ...}``; the name of a bare ``data_`` is ``""``

    Raises
    ------
    MissingFileError
        If the file does not exist.
    StarError
        If a row has another number of values than its loop has columns, a tag or a block name comes
        twice, the text is not STAR, or not UTF-8 where that is asked. The message names the line.

    Examples
    --------
    >>> read_star("particles.star")["particles"].numbers("rlnAngleRot")  # doctest: +SKIP
    array([112.761,  14.71 ])
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "a STAR file") from None
    require_text(path, text, "a STAR file", StarError)
    if is_utf8:
        require_utf8(path, text, "a table", StarError)
    return _Parser(str(path), text).parse()


def only_block(path: str | Path, name: str) -> StarTable:
    """Read a file in UTF-8 of which one block counts.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    StarError
        As ``read_star``, or if there is no such block.
    """
    blocks = read_star(path, is_utf8=True)
    if name not in blocks:
        listed = ", ".join(f"data_{block}" for block in blocks) or "none"
        raise StarError(f"{path}: no block data_{name}; found {listed}")
    return blocks[name]


def write_star(path: str | Path, blocks: Mapping[str, StarTable]) -> None:
    """Write blocks in order; numbers in the shortest form that reads back the same.

    Parameters
    ----------
    path : file, replaced in one step
    blocks : tables by block name

    Raises
    ------
    StarError
        If a value cannot be written: it holds a line break, or both kinds of quotes before spaces.
    """
    text = "".join(_format_block(str(path), name, table) for name, table in blocks.items())
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8", errors="surrogateescape"))


class _Parser:
    """Walks over the lines of one file."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.lines = text.replace("\r\n", "\n").split("\n")
        self.has_quotes = "'" in text or '"' in text
        self.at = 0
        self.blocks: dict[str, StarTable] = {}

    def fail(self, line: int, message: str) -> StarError:
        return StarError(f"{self.path}, line {line + 1}: {message}")

    def tokens(self, at: int) -> list[str]:
        """Give the values of a line, still quoted; a comment ends the line."""
        line = self.lines[at]
        found: list[str] = _TOKEN.findall(line)
        for i, token in enumerate(found):
            if token[0] == "#":
                return found[:i]
            if token[0] in "'\"" and (len(token) == 1 or token[-1] != token[0]):
                raise self.fail(at, f"value {token} has no closing quote")
        return found

    def parse(self) -> dict[str, StarTable]:
        while self.at < len(self.lines):
            found = self.tokens(self.at)
            if found and not found[0].lower().startswith("data_"):
                raise self.fail(self.at, f"found {found[0]!r} outside a block; expected data_NAME")
            self.at += 1
            if found:
                if len(found) > 1:
                    raise self.fail(self.at - 1, f"found {found[1]!r} after {found[0]}")
                self.block(found[0][len("data_") :])
        if not self.blocks:
            raise StarError(f"{self.path}: no data_ block; expected a STAR file")
        return self.blocks

    def block(self, name: str) -> None:
        if name in self.blocks:
            raise self.fail(self.at - 1, f"block data_{name} comes twice")
        table: StarTable | None = None
        pairs: dict[str, str] = {}
        line = self.at
        while self.at < len(self.lines):
            found = self.tokens(self.at)
            if not found:
                self.at += 1
            elif found[0].lower().startswith("data_"):
                break
            elif found[0].lower() == "loop_" and table is None and not pairs:
                table = self.loop(found)
            elif found[0][0] == "_" and table is None:
                self.pair(found, pairs)
                line = self.at
            else:
                expected = "_tag VALUE" if pairs else "_tag VALUE or one loop_"
                raise self.fail(
                    self.at, f"found {found[0]!r} in block data_{name}; expected {expected}"
                )
        if table is None:
            values = {tag: self.column([value]) for tag, value in pairs.items()}
            table = StarTable(values, is_loop=False, source=self.path, lines=(line,))
        self.blocks[name] = table

    def pair(self, found: list[str], pairs: dict[str, str]) -> None:
        tag = found[0][1:]
        if len(found) != 2:
            raise self.fail(self.at, f"_{tag} has {len(found) - 1} values; expected one")
        if tag in pairs:
            raise self.fail(self.at, f"tag _{tag} comes twice")
        pairs[tag] = found[1]
        self.at += 1

    def loop(self, found: list[str]) -> StarTable:
        if len(found) > 1:
            raise self.fail(self.at, f"found {found[1]!r} after loop_; expected a new line")
        self.at += 1
        tags = self.header()
        rows, lines = self.rows(len(tags))
        columns = zip(*rows, strict=True) if rows else ([] for _ in tags)
        arrays = {tag: self.column(column) for tag, column in zip(tags, columns, strict=True)}
        return StarTable(arrays, source=self.path, lines=lines)

    def header(self) -> list[str]:
        """Read the tags of a loop, one a line."""
        tags: dict[str, None] = {}
        while self.at < len(self.lines):
            found = self.tokens(self.at)
            if found and found[0][0] != "_":
                break
            if len(found) > 1:
                raise self.fail(self.at, f"found {found[1]!r} after the loop's tag {found[0]}")
            if found and found[0][1:] in tags:
                raise self.fail(self.at, f"tag {found[0]} comes twice")
            tags.update(dict.fromkeys(tag[1:] for tag in found))
            self.at += 1
        if not tags:
            raise self.fail(self.at - 1, "loop_ declares no columns")
        return list(tags)

    def rows(self, width: int) -> tuple[list[list[str]], list[int]]:
        """Read the rows of a loop, one a line."""
        rows: list[list[str]] = []
        lines: list[int] = []
        for at in range(self.at, len(self.lines)):
            line = self.lines[at]
            quoted = '"' in line or "'" in line or "#" in line
            row = self.tokens(at) if quoted else line.split()
            if len(row) == width and row[0][0] not in "_;dDlL":
                rows.append(row)
                lines.append(at + 1)
            elif row:
                if row[0][0] == "_" or row[0].lower().startswith(("data_", "loop_")):
                    self.at = at
                    return rows, lines
                self.check_row(at, row, width)
                rows.append(row)
                lines.append(at + 1)
        self.at = len(self.lines)
        return rows, lines

    def column(self, tokens: Iterable[str]) -> NDArray[np.str_]:
        """Make a text column of tokens, without their quotes."""
        values = np.array(list(tokens), dtype=np.str_)
        if self.has_quotes and np.isin(values.astype("U1"), ["'", '"']).any():
            values = np.array([_unquote(str(token)) for token in values], dtype=np.str_)
        return values

    def check_row(self, at: int, row: list[str], width: int) -> None:
        if row[0][0] == ";":
            raise self.fail(at, "text over several lines (';') in a table; expected one row a line")
        if len(row) != width:
            raise self.fail(at, f"{len(row)} values, but loop_ declares {width} columns")


def _unquote(token: str) -> str:
    return token[1:-1] if token[0] in "'\"" else token


def _quote(value: str, where: str) -> str:
    """Quote a value if a reader would take it for something else."""
    if value.split() == [value] and not _MISLEADING.match(value):
        return value
    for quote in "\"'":
        if "\n" not in value and "\r" not in value and not re.search(rf"{quote}\s", value):
            return f"{quote}{value}{quote}"
    raise StarError(f"{where}: {value!r} cannot be written: it holds a line break or both quotes")


def quoted(column: NDArray[np.str_], where: str) -> list[str]:
    """Give the tokens of a text column, in quotes where a reader would take them for another thing.

    Parameters
    ----------
    column : (n,)
    where : for the message

    Raises
    ------
    StarError
        If a value holds a line break, or both kinds of quotes before spaces.
    """
    values: list[str] = column.tolist()
    if " ".join(values).split() == values and not any(map(_MISLEADING.match, values)):
        return values
    return [_quote(value, where) for value in values]


def _format_column(column: NDArray[Any], where: str) -> list[str]:
    """Turn a column into tokens."""
    column = np.asarray(column)
    if column.dtype.kind == "U":
        return quoted(column, where)
    if column.dtype.kind in "biu":
        column = column.astype(np.int64)
    values: list[str] = column.astype(np.str_).tolist()
    return values


def _format_block(path: str, name: str, table: StarTable) -> str:
    lines = ["", f"data_{name}", ""]
    columns = {
        tag: _format_column(column, f"{path}, block {name}, {tag}")
        for tag, column in table.columns.items()
    }
    if table.is_loop:
        lines += ["loop_", *(f"_{tag} #{i}" for i, tag in enumerate(columns, start=1))]
        widths = [max(map(len, column), default=0) for column in columns.values()]
        row_format = " ".join(f"%{width}s" for width in widths)
        lines += [row_format % row for row in zip(*columns.values(), strict=True)]
    else:
        lines += [f"_{tag} {column[0]}" for tag, column in columns.items()]
    return "\n".join([*lines, "", ""])
