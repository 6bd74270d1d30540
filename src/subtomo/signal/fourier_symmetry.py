"""Averages of Fourier sums over the operations of a point group and of a helix."""

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray

from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.geometry.symmetry import symmetry_quaternions
from subtomo.signal.fourier_sums import FourierSums

Array = NDArray[Any]
_ZERO = 1e-6  # smaller entries of a matrix are zero: grid points that fall on grid planes must stay


@dataclass(frozen=True)
class Helix:
    """A helix along z.

    Parameters
    ----------
    n_units : asymmetric units that are averaged over
    rise_px : along z from one unit to the next, pixels of the map
    twist_deg : about z from one unit to the next
    """

    n_units: int
    rise_px: float
    twist_deg: float


@dataclass(frozen=True, eq=False)
class SymmetryOperations:
    """Rotations, each with the shift along z that goes with it.

    Parameters
    ----------
    matrices : (n, 3, 3), the identity first
    rises_px : (n,) pixels
    """

    matrices: NDArray[np.float64]
    rises_px: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.matrices)


def symmetry_operations(symmetry: str, helix: Helix | None = None) -> SymmetryOperations:
    """List what a map is averaged over: the point group's operations, then the helix's.

    Parameters
    ----------
    symmetry : C1, Cn, Dn, T, O, I, I1 to I4
    helix
        Its units lie on both sides of the first one. With a point group as well the two lists
        are joined, not multiplied: the average is over a part of their products.

    Raises
    ------
    SettingsError
        If there is no such point group.

    Notes
    -----
    Source: RELION 5, commit 73f0a3c0.

    Examples
    --------
    >>> len(symmetry_operations("D2")), len(symmetry_operations("C1", Helix(3, 2.0, 30.0)))
    (4, 3)
    """
    matrices = matrices_from_quaternions(symmetry_quaternions(symmetry))
    rises = np.zeros(len(matrices))
    if helix is not None:
        n = helix.n_units
        units = np.array([j for j in range(-(n // 2), n // 2 + n % 2) if j], dtype=np.float64)
        turns = np.array([_turn_about_z(-j * helix.twist_deg) for j in units]).reshape(-1, 3, 3)
        matrices = np.concatenate([matrices, turns])
        rises = np.concatenate([rises, -units * helix.rise_px])
    return SymmetryOperations(np.where(np.abs(matrices) < _ZERO, 0.0, matrices), rises)


def symmetrise(sums: FourierSums, operations: SymmetryOperations) -> FourierSums:
    """Average data and weight over symmetry operations, by trilinear interpolation.

    Parameters
    ----------
    sums : on the CPU
    operations : if there is one, it is the identity and the sums are returned as they are

    Returns
    -------
    FourierSums

    Notes
    -----
    F'(k) = 1/n Σ F(Rⱼ k) exp(2πi k·tⱼ/s), and the weight alike without the phase. Beyond the
    sphere of n // 2 voxels, where there are no data, the grid is read periodically; the gridding
    correction carries that a little way inside. Source: RELION 5, commit 73f0a3c0.
    """
    if len(operations) == 1:
        return sums
    out = torch.zeros_like(sums.values)
    _average(sums.values.numpy(), operations.matrices, operations.rises_px, out.numpy())
    return FourierSums(out)


def _turn_about_z(angle_deg: float) -> NDArray[np.float64]:
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _average(values: Array, matrices: Array, rises: Array, out: Array) -> None:
    """Fill ``out`` voxel by voxel."""
    n = values.shape[0]
    half = n // 2
    for z_index in range(n):
        z = z_index if z_index < half else z_index - n
        for y_index in range(n):
            y = y_index if y_index < half else y_index - n
            for x in range(half + 1):
                _average_voxel(values, matrices, rises, x, y, z, out[z_index, y_index, x])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _average_voxel(
    values: Array, matrices: Array, rises: Array, x: int, y: int, z: int, out: Array
) -> None:
    """Average one voxel; ``out`` (3,) is added to."""
    for j in range(len(matrices)):
        m = matrices[j]
        px = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z
        py = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z
        pz = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z
        real, imaginary, weight = _sample(values, px, py, pz)
        angle = 2 * math.pi * z * rises[j] / values.shape[0]
        cos, sin = math.cos(angle), math.sin(angle)
        out[0] += (real * cos - imaginary * sin) / len(matrices)
        out[1] += (real * sin + imaginary * cos) / len(matrices)
        out[2] += weight / len(matrices)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sample(values: Array, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Read real part, imaginary part and weight between voxels."""
    n = values.shape[0]
    last = n // 2
    sign = 1.0
    if x <= 0:
        x, y, z, sign = -x, -y, -z, -1.0
    x0, y0, z0 = math.floor(x), math.floor(y), math.floor(z)
    fx, fy, fz = x - x0, y - y0, z - z0
    x0 = min(x0, last)
    x1 = x0 + 1 if x0 < last else last - 1
    real = imaginary = weight = 0.0
    for k in range(2):
        for j in range(2):
            row = values[(z0 + k) % n, (y0 + j) % n]
            share = (fz if k else 1 - fz) * (fy if j else 1 - fy)
            for i in range(2):
                voxel = row[x1 if i else x0]
                part = share * (fx if i else 1 - fx)
                real += part * voxel[0]
                imaginary += part * voxel[1]
                weight += part * voxel[2]
    return real, sign * imaginary, weight
