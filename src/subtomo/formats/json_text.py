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
        If it is not JSON, or nested too deeply to be read.
    """
    try:
        return json.loads(content)
    except ValueError as failure:
        raise error(f"{place}: not JSON ({failure})") from None
    except RecursionError:
        raise error(
            f"{place}: not JSON that can be read: lists or mappings inside each other too deeply"
        ) from None
