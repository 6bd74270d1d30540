"""What an alignment says beside its sections: used, refused or told, never passed over.

Tilt offset and x-rotation offset are records of what the sections' angles hold already: AreTomo's
alpha and beta offsets, of which the portal's converter (cryoet-alignment) adds neither. The
offset of the volume and the affine matrix ("a placeholder" in the portal's schema) have no
defined sense.
"""

import re
import warnings
from collections.abc import Sequence

import numpy as np

from subtomo.errors import DataError, SubtomoWarning
from subtomo.sources.portal.records import Row
from subtomo.sources.portal.tomogram_rows import TomogramRows

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_ROUNDING = 1e-6


def check_registration(
    rows: TomogramRows, aligned: Sequence[Row], sections: Sequence[Row | None]
) -> None:
    """Look at what is said of an alignment as a whole.

    Parameters
    ----------
    rows : of the tomogram
    aligned : sections of the alignment
    sections : the same of the tilt series, None where it does not list one

    Raises
    ------
    DataError
        If the alignment has an affine matrix other than the identity.

    Warns
    -----
    SubtomoWarning
        If it has an offset of its volume, or one of angles that its sections do not show.
    """
    alignment = rows.alignment
    _check_matrix(alignment.id, alignment.affine_transformation_matrix)
    volume = [getattr(alignment, f"volume_{axis}_offset") or 0.0 for axis in "xyz"]
    if any(volume):
        _warn(
            f"{rows.name}: alignment {alignment.id} has the volume offset {volume} Å, which is not "
            "used: look whether the particles are centred"
        )
    turned = [
        row.tilt_angle - section.raw_angle
        for row, section in zip(aligned, sections, strict=True)
        if section is not None and None not in (row.tilt_angle, section.raw_angle)
    ]
    _check_angle(rows, "tilt_offset", turned, "tilt_angle against raw_angle")
    x_rotations = [row.volume_x_rotation or 0.0 for row in aligned]
    _check_angle(rows, "x_rotation_offset", x_rotations, "volume_x_rotation")


def _check_matrix(alignment: int, matrix: object) -> None:
    """Refuse a matrix that is not the identity, in whichever brackets it is written."""
    text = "" if matrix is None else str(matrix)
    numbers = [float(number) for number in _NUMBER.findall(text)]
    identity = np.eye(4).ravel()
    is_identity = len(numbers) == len(identity) and np.allclose(
        numbers, identity, rtol=0, atol=_ROUNDING
    )
    if text.strip() and not is_identity:
        raise DataError(
            f"alignment {alignment} has the affine_transformation_matrix {text}; the portal does "
            "not say what it turns into what: only the identity can be used"
        )


def _check_angle(rows: TomogramRows, name: str, shown: Sequence[float], where: str) -> None:
    """Warn if the sections do not show an offset that is said to be in them."""
    offset = getattr(rows.alignment, name) or 0.0
    found = float(np.median(shown)) if shown else 0.0
    if abs(found - offset) > abs(found):
        _warn(
            f"{rows.name}: alignment {rows.alignment.id} has the {name} {offset:g}°, which its "
            f"sections do not show ({where}: {found:g}°); the sections' angles are taken as they "
            "are: look whether the particles are where they should be"
        )


def _warn(text: str) -> None:
    warnings.warn(text, SubtomoWarning, stacklevel=4)
