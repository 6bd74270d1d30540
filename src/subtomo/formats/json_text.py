"""JSON, and what is wrong with it in words."""

import json
from typing import Any

from subtomo.errors import FormatError


def parse_json(content: str | bytes, place: str, error: type[FormatError] = FormatError) -> Any:
    """Read JSON.

    Parameters
    ----------
    content : of a file or a line
    place : of it, for messages
    error : kind of the error to raise

    Raises
    ------
    FormatError
        If it is not JSON, a name comes twice in a mapping, or it is nested too deeply to be read.
    """
    try:
        return json.loads(content, object_pairs_hook=_mapping)
    except ValueError as failure:
        raise error(f"{place}: not JSON ({failure})") from None
    except RecursionError:
        raise error(
            f"{place}: not JSON that can be read: lists or mappings inside each other too deeply"
        ) from None


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a mapping; of two values under one name, JSON would drop the first unseen."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} comes twice in it")
    return mapping
