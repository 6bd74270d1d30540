"""Sets of orientations that cover all rotations, or a part of them, evenly."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from subtomo.errors import SettingsError
from subtomo.geometry.rotations import matrices_from_quaternions, multiply_quaternions
from subtomo.geometry.symmetry import symmetry_quaternions

FloatArray = NDArray[np.float64]

_VOLUME = 8 * np.pi**2 * (180 / np.pi) ** 3  # of all rotations, in degrees³ of rotation angle
_PHI, _PSI = 2**0.5, 1.533751168755204288118041  # Alexa 2022, eq. 20: ψ⁴ = ψ + 4
_BLOCK = 1 << 16  # orientations a time; bounds memory where each has many equivalent ones
_TIE = 1e-9  # far above rounding, far below any spacing


def orientation_grid(
    spacing_deg: float,
    symmetry: str = "C1",
    cone_deg: float | None = None,
    cone_axis: ArrayLike = (0.0, 0.0, 1.0),
) -> FloatArray:
    """Spread orientations uniformly, one for every spacing³ of the space of rotations.

    Parameters
    ----------
    spacing_deg : 0.1 to 180
        Cube root of the volume of each orientation's cell.
    symmetry : of the reference; of equivalent orientations one is kept
    cone_deg : 0 to 180, or None for all rotations
        Greatest angle between ``cone_axis`` and the reference's z axis after rotation. In a cone
        of less than half the spacing only turns about its axis are left.
    cone_axis : (x, y, z) in the tomogram, of any length

    Returns
    -------
    (n, 4) unit quaternions x, y, z, w, reference to tomogram

    Raises
    ------
    SettingsError
        If the spacing, cone, axis or symmetry is out of range.

    Notes
    -----
    Super-Fibonacci spirals: Alexa, "Super-Fibonacci Spirals: Fast, Low-Discrepancy Sampling of
    SO(3)", CVPR 2022. They come in the order of the angle between z and its image, so that a cone
    about z is their first part. Measured: no rotation is farther from its nearest orientation
    than 1.1 spacings (half a spacing on average), at the border of a small cone 1.4.

    Examples
    --------
    >>> len(orientation_grid(10.0)), len(orientation_grid(10.0, "O"))
    (14851, 620)
    """
    _check_range("spacing", spacing_deg, low=0.1, high=180)
    group = symmetry_quaternions(symmetry)
    if cone_deg is None:
        blocks = _spiral_blocks(spacing_deg, tilt_deg=180)
        kept = (block[_is_smallest(block, group)] for block in blocks)
        return np.concatenate(list(kept))
    _check_range("cone", cone_deg, low=0, high=180)
    towards = _quaternion_from_z(cone_axis)
    blocks = _spiral_blocks(spacing_deg, tilt_deg=cone_deg)
    if cone_deg < spacing_deg / 2:
        blocks = iter([_turns_about_z(spacing_deg)])
    kept = (
        multiply_quaternions(towards, block[_is_smallest(block, group, cone_deg)])
        for block in blocks
    )
    return np.concatenate(list(kept))


def local_orientations(centre: ArrayLike, range_deg: float, spacing_deg: float) -> FloatArray:
    """List orientations around a given one, itself the first.

    Parameters
    ----------
    centre : (4,) x, y, z, w, reference to tomogram
    range_deg : 0 to 180
        Greatest rotation angle from the centre.
    spacing_deg : 0.1 to 180
        Rotation angle between neighbours near the centre.

    Returns
    -------
    (n, 4) unit quaternions x, y, z, w, in order of the angle from the centre

    Raises
    ------
    SettingsError
        If range or spacing is out of range.

    Notes
    -----
    A body-centred cubic lattice of rotation vectors: no lattice covers with fewer points (Conway
    and Sloane, "Sphere Packings, Lattices and Groups", chapter 2). Rotations are closer to
    each other than their rotation vectors are, so that the cover only becomes finer away from the
    centre; no rotation within range is farther than a spacing from its nearest orientation.
    """
    _check_range("range", range_deg, low=0, high=180)
    _check_range("spacing", spacing_deg, low=0.1, high=180)
    edge = 2 / 3**0.5 * spacing_deg  # neighbours lie along half the cell's diagonal
    reach = int(range_deg / edge) + 1
    steps = np.arange(-reach, reach + 1)
    corners = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    vectors = edge * np.concatenate([corners, corners + 0.5])
    angles = np.linalg.norm(vectors, axis=1)
    order = np.argsort(angles, kind="stable")
    vectors = vectors[order[angles[order] <= range_deg + _TIE]]
    turned = Rotation.from_rotvec(vectors, degrees=True).as_quat()
    return multiply_quaternions(turned, centre)


def _spiral_blocks(spacing_deg: float, tilt_deg: float) -> Iterator[FloatArray]:
    """Super-Fibonacci orientations whose z axis is tilted by no more than ``tilt_deg``."""
    n = max(1, round(_VOLUME / spacing_deg**3))
    n_tilted = max(1, round(n * np.sin(np.radians(tilt_deg) / 2) ** 2))
    for start in range(0, n_tilted, _BLOCK):
        s = np.arange(start, min(start + _BLOCK, n_tilted)) + 0.5
        small, large = np.sqrt(s / n), np.sqrt(1 - s / n)
        alpha, beta = 2 * np.pi * s / _PHI, 2 * np.pi * s / _PSI
        yield np.stack(
            [
                small * np.sin(alpha),
                small * np.cos(alpha),
                large * np.sin(beta),
                large * np.cos(beta),
            ],
            axis=1,
        )


def _turns_about_z(spacing_deg: float) -> FloatArray:
    """Evenly spaced turns about z."""
    half = np.pi * np.arange(np.ceil(360 / spacing_deg)) / np.ceil(360 / spacing_deg)
    return np.stack([0 * half, 0 * half, np.sin(half), np.cos(half)], axis=1)


def _is_smallest(
    q: FloatArray, group: FloatArray, cone_deg: float | None = None
) -> NDArray[np.bool_]:
    """Whether no equivalent orientation (in the cone about z) is a smaller rotation."""
    # the last entry of q·s, whose absolute value is the cosine of half the rotation angle
    cosines = np.abs(q @ (group * [-1.0, -1.0, -1.0, 1.0]).T)
    if cone_deg is not None:
        tilted = matrices_from_quaternions(q)[:, 2] @ matrices_from_quaternions(group)[:, :, 2].T
        cosines[tilted < np.cos(np.radians(cone_deg)) - _TIE] = -1
    rival = cosines[:, 1:].max(axis=1, initial=-1)
    return np.asarray(cosines[:, 0] >= rival)


def _quaternion_from_z(axis: ArrayLike) -> FloatArray:
    """Shortest rotation from the z axis to an axis."""
    direction = np.asarray(axis, dtype=np.float64)
    length = np.linalg.norm(direction)
    if direction.shape != (3,) or not length > 0:
        raise SettingsError(
            f"cone axis is {direction}; expected three numbers x, y, z, not all zero"
        )
    x, y, z = direction / length
    if z < -1 + _TIE:
        return np.array([1.0, 0.0, 0.0, 0.0])
    q = np.array([-y, x, 0.0, 1 + z])
    return np.asarray(q / np.linalg.norm(q))


def _check_range(what: str, value: float, *, low: float, high: float) -> None:
    """Refuse an angle outside its range."""
    if not low <= value <= high:
        raise SettingsError(f"orientation {what} is {value} degrees; expected {low} to {high}")
