"""A table of text columns that knows where its rows stand in a file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError

_LARGEST_WHOLE = 2.0**53  # whole numbers below are told apart


@dataclass(frozen=True, eq=False)
class TextTable:
    """Columns of text, or of numbers for a table made here, and their place in a file.

    Parameters
    ----------
    columns : one value a row, by tag
    source : the file, for messages
    lines : (row,) line of each row in the file, for messages; empty for a table made here

    Raises
    ------
    FormatError
        If the columns differ in length.
    """

    error: ClassVar[type[FormatError]] = FormatError

    columns: Mapping[str, NDArray[Any]]
    source: str = "table"
    lines: Sequence[int] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        lengths = {tag: len(column) for tag, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise self.error(f"{self.source}: columns differ in length: {lengths}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __contains__(self, tag: object) -> bool:
        return tag in self.columns

    def select(self, index: NDArray[Any]) -> Self:
        """Keep the rows of an integer index array or boolean mask, in that order."""
        rows = np.arange(len(self))[index].tolist()
        columns = {tag: column[index] for tag, column in self.columns.items()}
        lines = tuple(self.lines[row] for row in rows) if self.lines else ()
        return replace(self, columns=columns, lines=lines)

    def place(self, row: int) -> str:
        """Say where a row is, for a message."""
        if row < len(self.lines):
            return f"{self.source}, line {self.lines[row]}"
        return f"{self.source}, row {row + 1}"

    def require(self, tags: Iterable[str], *, why: str = "") -> None:
        """Raise when a column is missing; the message lists those found."""
        missing = [tag for tag in tags if tag not in self.columns]
        if missing:
            found = ", ".join(self.columns) or "none"
            reason = f" ({why})" if why else ""
            raise self.error(
                f"{self.source}: no column {', '.join(missing)}{reason}; found {found}"
            )

    def has_all(self, tags: Sequence[str]) -> bool:
        """Tell whether columns that belong together are there: all of them, or none.

        Raises
        ------
        FormatError
            If some are there and some not.
        """
        present = [tag for tag in tags if tag in self.columns]
        if present:
            self.require(tags, why=f"{present[0]} is there; expected all of them or none")
        return bool(present)

    def refuse(self, tag: str, wrong: NDArray[np.bool_], expected: str) -> None:
        """Raise if a value of a column is wrong; the message names the first by its row.

        Parameters
        ----------
        tag : of the column
        wrong : (row,)
        expected : for the message

        Raises
        ------
        FormatError
            If one is.
        """
        rows = np.flatnonzero(wrong)
        if len(rows):
            value = self.columns[tag][rows[0]]
            raise self.error(f"{self.place(rows[0])}: {tag} is {value}; expected {expected}")

    def text(self, tag: str) -> NDArray[np.str_]:
        """Give a column as text.

        Raises
        ------
        FormatError
            If the column is missing.
        """
        self.require([tag])
        return np.asarray(self.columns[tag], dtype=np.str_)

    def numbers(self, tag: str, *, default: float | None = None) -> NDArray[np.float64]:
        """Give a column as float64; ``default`` in every row where the column is missing.

        Raises
        ------
        FormatError
            If the column is missing without a default, or a value is not a number.
        """
        if default is not None and tag not in self.columns:
            return np.full(len(self), default)
        self.require([tag])
        column = np.asarray(self.columns[tag])
        try:
            if column.dtype.kind in "OU" and "_" in "".join(column.tolist()):
                raise ValueError  # 1_000 is a number for Python only
            return column.astype(np.float64)
        except ValueError:
            row, value = next((i, v) for i, v in enumerate(self.columns[tag]) if not _is_number(v))
            raise self.error(
                f"{self.place(row)}: {tag} is {str(value)!r}; expected a number"
            ) from None

    def integers(self, tag: str, *, default: int | None = None) -> NDArray[np.int64]:
        """Give a column as int64; ``3.000`` counts as 3.

        Raises
        ------
        FormatError
            If the column is missing without a default, or a value is not a whole number.
        """
        values = self.numbers(tag, default=default)
        bad = np.flatnonzero(~(np.abs(values) < _LARGEST_WHOLE) | (values != np.rint(values)))
        if len(bad):
            value = str(self.columns[tag][bad[0]])
            raise self.error(f"{self.place(bad[0])}: {tag} is {value!r}; expected a whole number")
        return values.astype(np.int64)

    def stacked(self, tags: Sequence[str], *, default: float | None = None) -> NDArray[np.float64]:
        """Give several columns as finite numbers, (row, tag); ``default`` where all are missing.

        Raises
        ------
        FormatError
            If a column is missing without a default or beside others of them, or a value is not a
            finite number.
        """
        self.has_all(tags)
        values = np.stack([self.numbers(tag, default=default) for tag in tags], axis=1)
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            row, column = bad[0]
            raise self.error(
                f"{self.place(row)}: {tags[column]} is {values[row, column]}; expected a finite "
                "number"
            )
        return values


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return "_" not in str(value)
