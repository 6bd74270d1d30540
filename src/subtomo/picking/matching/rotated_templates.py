"""Templates turned by linear interpolation on a finer grid.

Numba; its torch equivalent is ``signal.rotation.rotate_volumes``. What a fast-math kernel calls is
inlined by numba itself: inlined by the compiler, code that was just compiled and the same code from
numba's cache round differently.
"""

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@numba.njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def _rotate_into(fine: FloatArray, matrix: FloatArray, factor: int, out: FloatArray) -> None:
    """Fill one volume; points outside the sphere that fits in the box stay zero."""
    n = out.shape[0]
    centre = n // 2
    limit = np.float32(min(centre, n - 1 - centre))
    last = fine.shape[0] - 1
    scale = np.float32(factor)
    fine_centre = np.float32(centre * factor)
    for z in range(n):
        dz = np.float32(z - centre)
        for y in range(n):
            dy = np.float32(y - centre)
            room = limit * limit - dz * dz - dy * dy
            if room < 0:
                continue
            half = int(np.sqrt(room))
            # the inverse of a rotation is its transpose: columns of the matrix dot the offset
            base_x = (matrix[1, 0] * dy + matrix[2, 0] * dz) * scale + fine_centre
            base_y = (matrix[1, 1] * dy + matrix[2, 1] * dz) * scale + fine_centre
            base_z = (matrix[1, 2] * dy + matrix[2, 2] * dz) * scale + fine_centre
            for x in range(centre - half, centre + half + 1):
                dx = np.float32(x - centre) * scale
                px = base_x + matrix[0, 0] * dx
                py = base_y + matrix[0, 1] * dx
                pz = base_z + matrix[0, 2] * dx
                ix = min(max(int(px), 0), last - 1)
                iy = min(max(int(py), 0), last - 1)
                iz = min(max(int(pz), 0), last - 1)
                fx = px - np.float32(ix)
                fy = py - np.float32(iy)
                fz = pz - np.float32(iz)
                c00 = fine[iz, iy, ix] + fx * (fine[iz, iy, ix + 1] - fine[iz, iy, ix])
                c01 = fine[iz, iy + 1, ix] + fx * (fine[iz, iy + 1, ix + 1] - fine[iz, iy + 1, ix])
                c10 = fine[iz + 1, iy, ix] + fx * (fine[iz + 1, iy, ix + 1] - fine[iz + 1, iy, ix])
                c11 = fine[iz + 1, iy + 1, ix] + fx * (
                    fine[iz + 1, iy + 1, ix + 1] - fine[iz + 1, iy + 1, ix]
                )
                c0 = c00 + fy * (c01 - c00)
                c1 = c10 + fy * (c11 - c10)
                out[z, y, x] = c0 + fz * (c1 - c0)


@numba.njit(fastmath=True, nogil=True, cache=True)  # type: ignore[untyped-decorator]
def rotate_oversampled(fine: FloatArray, matrices: FloatArray, factor: int, box: int) -> FloatArray:
    """Turn a Fourier-oversampled volume and sample it on the coarse grid.

    Parameters
    ----------
    fine : (factor · box,)*3 float32, zyx
        The volume on a grid ``factor`` times finer, voxel 0 in the same place.
    matrices : (b, 3, 3) float32
        Reference to tomogram frame, acting on xyz columns.
    factor : >= 1
    box : edge of the volumes to make, voxels

    Returns
    -------
    (b, box, box, box) float32
        ``out(p) = in(Rᵀ p)`` about voxel ``box // 2``, zero outside the sphere that fits in the
        box; inside it what ``rotate_volumes(..., oversampling=factor)`` gives.
    """
    out = np.zeros((matrices.shape[0], box, box, box), dtype=np.float32)
    for i in range(matrices.shape[0]):
        _rotate_into(fine, matrices[i], factor, out[i])
    return out
