"""Pauses between attempts to reach a server, as long as the server asks for."""

import time
import warnings
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from subtomo.errors import RemoteError, SubtomoWarning

PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""HTTP statuses of what may go better next time."""

LONGEST_PAUSE = 120.0  # seconds; a server that asks for more is busy for longer than a job waits


def pause(url: str, seconds: float, retry_after: str | None) -> None:
    """Wait before the next attempt.

    Parameters
    ----------
    url : that is asked for
    seconds : to wait at least
    retry_after : content of the header Retry-After of the last answer, None where it had none

    Raises
    ------
    RemoteError
        If the server asks for a longer pause than is waited for.

    Warns
    -----
    SubtomoWarning
        If the server asks for a pause.
    """
    asked = _seconds(retry_after)
    if asked > LONGEST_PAUSE:
        raise RemoteError(
            f"{url}: the server asks for a pause of {asked:.0f} s, and at most "
            f"{LONGEST_PAUSE:g} s are waited for; try again then"
        )
    if asked > seconds:
        warnings.warn(
            f"{urlsplit(url).hostname} asks for a pause of {asked:.0f} s: waiting",
            SubtomoWarning,
            stacklevel=3,
        )
    time.sleep(max(seconds, asked))


def _seconds(retry_after: str | None) -> float:
    """Read seconds or a date (RFC 9110, 10.2.3); 0 where nothing is asked for."""
    text = (retry_after or "").strip()
    if text.isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
