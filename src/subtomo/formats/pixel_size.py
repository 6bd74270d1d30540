"""Which pixel size counts: the one in the file, or the one that was given."""

import math
import warnings
from collections.abc import Sequence
from pathlib import Path

from subtomo.errors import DataError, SettingsError, SubtomoWarning

TOLERANCE = 1e-3
"""Relative difference that shows: one pixel in a thousand."""


def choose_pixel_size(path: Path, found: Sequence[float], typed: float | None) -> float:
    """Give the pixel size of a file in Å.

    Parameters
    ----------
    path : for messages
    found : Å, what the file says along each of its axes that matter; zero where it says nothing
    typed : Å, what the user says, or None; it wins

    Returns
    -------
    Å

    Raises
    ------
    DataError
        If nothing was typed and the file's are not positive or not equal.
    SettingsError
        If the typed one is not positive.
    """
    is_usable = all(math.isfinite(size) and size > 0 for size in found)
    is_equal = is_usable and max(found) - min(found) <= TOLERANCE * max(found)
    shown = " x ".join(f"{size:g}" for size in dict.fromkeys(found))
    if typed is not None:
        if not (math.isfinite(typed) and typed > 0):
            raise SettingsError(f"pixel_size is {typed} Å; expected a positive number")
        if is_usable and max(abs(size - typed) for size in found) > TOLERANCE * typed:
            warnings.warn(
                f"{path}: header says pixel size {shown} Å, but {typed:g} Å was given; "
                "the latter is used",
                SubtomoWarning,
                stacklevel=2,
            )
        return float(typed)
    if not is_usable:
        raise DataError(
            f"{path}: header says pixel size {shown} Å; expected a positive number: "
            "give the right one (Å) with the option for its pixel size, or correct the header"
        )
    if not is_equal:
        raise DataError(
            f"{path}: header says pixel size {shown} Å; expected the same along all axes: "
            "give one (Å) with the option for its pixel size, or resample"
        )
    return float(found[0])
