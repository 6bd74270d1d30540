"""Orientations whose own z axis points where particles are known to point."""

import numpy as np
from numpy.typing import NDArray

from subtomo.geometry.rotations import matrices_from_quaternions, multiply_quaternions
from subtomo.geometry.symmetry import symmetry_quaternions


def within_axis_range(
    orientations: NDArray[np.float64], symmetry: str, lowest: float, highest: float
) -> NDArray[np.float64]:
    """Keep the orientations whose z axis makes an angle in a range with the tomogram's z axis.

    Parameters
    ----------
    orientations : (r, 4) quaternions, one of each set that the symmetry makes equal
    symmetry : of the template
    lowest, highest : degrees, 0 to 180

    Returns
    -------
    (kept, 4) quaternions
        Of equal orientations the one that lies in the range; none where none does.
    """
    group = symmetry_quaternions(symmetry)
    axes = matrices_from_quaternions(group)[:, :, 2]
    heights = matrices_from_quaternions(orientations)[:, 2] @ axes.T  # (r, group)
    angles = np.degrees(np.arccos(np.clip(heights, -1, 1)))
    inside = (angles >= lowest - 1e-9) & (angles <= highest + 1e-9)
    kept = inside.any(axis=1)
    equal = group[inside[kept].argmax(axis=1)]
    return multiply_quaternions(orientations[kept], equal)
