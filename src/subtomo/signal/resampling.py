"""Volumes on a grid of another pixel size, by band-limited interpolation."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import SettingsError
from subtomo.model import Volume


def resample_volume(volume: Volume, pixel_size: float) -> Volume:
    """Resample a volume to another pixel size, in any ratio.

    Parameters
    ----------
    volume : is read into memory
    pixel_size : Å

    Returns
    -------
    Volume of float32
        Voxel ``n // 2`` of every axis stays where it is, and values keep their scale. Detail finer
        than two new pixels is removed. No voxel lies outside the old volume.

    Raises
    ------
    SettingsError
        If no voxel would be left along an axis.

    Notes
    -----
    Trigonometric interpolation, axis by axis: exact for what both grids can hold.
    """
    data = torch.from_numpy(volume.load())
    shape = resampled_shape(volume.shape, pixel_size / volume.pixel_size)
    for axis, size in enumerate(shape):
        matrix = torch.from_numpy(
            interpolation_matrix(data.shape[axis], size, pixel_size / volume.pixel_size)
        )
        data = torch.movedim(torch.tensordot(matrix, data, dims=([1], [axis])), 0, axis)
    return Volume(data.numpy(), pixel_size, resampled_origin(volume, shape, pixel_size))


def resampled_shape(shape: tuple[int, int, int], ratio: float) -> tuple[int, int, int]:
    """Count the voxels (z, y, x) that fit into a volume when they are ``ratio`` times as large.

    Raises
    ------
    SettingsError
        If none would be left along an axis.
    """
    z, y, x = (int(n / ratio + 1e-6) for n in shape)
    if min(z, y, x) < 1:
        raise SettingsError(
            f"a volume of {shape[2]} x {shape[1]} x {shape[0]} voxels (x, y, z) has none left with "
            f"voxels {ratio:g} times as large; give a smaller pixel size"
        )
    return z, y, x


def resampled_origin(
    volume: Volume, shape: tuple[int, int, int], pixel_size: float
) -> tuple[float, float, float]:
    """Place (x, y, z), in Å, of the first voxel when voxel ``n // 2`` stays where it is."""
    x, y, z = (
        start + (n // 2) * volume.pixel_size - (m // 2) * pixel_size
        for start, n, m in zip(volume.origin, volume.shape[::-1], shape[::-1], strict=True)
    )
    return x, y, z


def interpolation_matrix(n: int, size: int, ratio: float) -> NDArray[np.float32]:
    """Weights (size, n) of the old samples in the new ones, voxel ``n // 2`` staying the centre.

    Parameters
    ----------
    n, size : number of old and new samples
    ratio : new pixel size over the old

    Notes
    -----
    Dirichlet's kernel of the frequencies that both grids hold. At the Nyquist frequency of a
    coarser grid both components count, as sampling adds them; at that of the old grid, where they
    are one, each counts half.
    """
    points = (np.arange(size) - size // 2) * ratio + n // 2
    frequencies = np.arange(1, int(min(n, n / ratio) / 2 + 1e-9) + 1)
    weights = np.where(2 * frequencies == n, 1.0, 2.0)
    distance = 2 * np.pi / n * (points[:, None] - np.arange(n))
    matrix = np.full((size, n), 1.0)
    for frequency, weight in zip(frequencies, weights, strict=True):
        matrix += weight * np.cos(frequency * distance)
    return (matrix / n).astype(np.float32)


def resample_planes(planes: Tensor, y_matrix: Tensor, x_matrix: Tensor) -> Tensor:
    """Resample the last two axes (..., y, x) with matrices of `interpolation_matrix`."""
    resampled: Tensor = y_matrix @ (planes @ x_matrix.T)
    return resampled
