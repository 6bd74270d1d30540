"""Errors of the model, which knows no files, told with the file that the values are from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from subtomo.errors import DataError, ShapeError


@contextmanager
def naming_file(place: str | Path) -> Iterator[None]:
    """Put a file, or a place in one, before what the model says.

    Raises
    ------
    DataError, ShapeError
        In place of the model's.
    """
    try:
        yield
    except (DataError, ShapeError) as error:
        raise type(error)(f"{place}: {error}") from None
