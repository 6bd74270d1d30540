"""Densities of macromolecules on a grid, in Da/Å³, centred on voxel ``n // 2``."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from subtomo.errors import DataError
from subtomo.model import Volume
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.fourier import fourier_crop
from subtomo.simulation.molecules import PROTEIN_DENSITY, Molecule

FloatArray = NDArray[np.float64]
Density = NDArray[np.float32]

GRID_BLUR = 0.25
"""Standard deviation, in voxels, of a Gaussian that every density is blurred with.

It makes sums of samples integrals, at the cost of 13 % of the amplitude at three voxels.
"""

_FINER = 2  # Gaussians are sampled on voxels this much finer, half of one wide at least
_PASS = 0.95  # of Nyquist: middle of the soft edge that the coarser voxels are cut with
_EDGE = 0.1  # of Nyquist: its width; a sharp one would ring
_REACH = 4.0  # standard deviations; a Gaussian is below 4e-4 of its maximum beyond
_ATOMS_A_TIME = 4096
# of a density's typical inside value: where its body begins. Bodies of 1 to 3 MDa come out within
# 25 % of their volume at 5 and 10 Å pixels
_BODY_LEVEL = 0.35
_MARGIN = 3  # voxels around a body cut out of a map
_GOLD = 11.62  # Da/Å³, 19.3 g/cm³
_GOLD_BLUR = 0.5  # voxels; its sharp surface needs more than a molecule's


def density_of_molecule(molecule: Molecule, pixel_size: float) -> Density:
    """Sample the sum of a molecule's Gaussians, cut off at the voxels' Nyquist frequency.

    Parameters
    ----------
    molecule : its origin goes to voxel ``n // 2``
    pixel_size : Å

    Returns
    -------
    (n, n, n) float32, Da/Å³; n even, so that the molecule is clear of the border

    Notes
    -----
    Each Gaussian has the variance ``width² + (pixel_size / 4)²``. It is sampled twice as finely as
    asked, then cropped in Fourier space, so that nothing is aliased.
    """
    widths = np.hypot(molecule.widths, GRID_BLUR * pixel_size)
    extent = (np.abs(molecule.positions).max(axis=1) + _REACH * widths).max() / pixel_size
    n = 2 * (int(np.ceil(extent)) + 2)
    step = pixel_size / _FINER
    fine = np.zeros((n * _FINER) ** 3)
    reach = int(np.ceil(_REACH * widths.max() / step))
    for start in range(0, len(widths), _ATOMS_A_TIME):
        part = slice(start, start + _ATOMS_A_TIME)
        _add_gaussians(
            fine,
            n * _FINER,
            molecule.positions[part] / step + n * _FINER // 2,
            widths[part] / step,
            molecule.masses[part] / step**3,
            reach,
        )
    shape = (n * _FINER,) * 3
    volume = torch.as_tensor(fine.reshape(shape), dtype=torch.float32)
    soft = bandpass(shape, step, low_pass=2 * pixel_size / _PASS, edge=_EDGE * n / 2)
    return np.asarray(fourier_crop(apply_filter(volume, soft), (n, n, n)).numpy())


def density_from_map(volume: Volume, pixel_size: float, *, mass: float | None = None) -> Density:
    """Resample a map of a macromolecule, without what is around it, to Da/Å³.

    Parameters
    ----------
    volume : protein bright; its voxel ``n // 2`` stays the centre
    pixel_size : Å
    mass : kDa that the result integrates to; None: its inside gets the density of protein

    Returns
    -------
    (n, n, n) float32, Da/Å³, n even

    Raises
    ------
    DataError
        If the map is flat, or not brighter inside than at its border.
    """
    data = volume.load()
    data = data - np.median(_border(data))
    if not data.max() > 0:
        raise DataError("the map is nowhere brighter than at its border; expected protein bright")
    inside = _typical_inside(data)
    near = ndimage.binary_dilation(data > _BODY_LEVEL * inside, iterations=2)
    out = _resampled(np.where(near, data, 0), volume.pixel_size / pixel_size)
    out = _trimmed(out)
    scale = PROTEIN_DENSITY / inside if mass is None else 1000 * mass / out.sum() / pixel_size**3
    return (out * scale).astype(np.float32)


def gold_bead(diameter: float, pixel_size: float) -> Density:
    """Make a ball of gold.

    Parameters
    ----------
    diameter, pixel_size : Å

    Returns
    -------
    (n, n, n) float32, Da/Å³; its integral is the ball's mass
    """
    radius, width = diameter / 2, _GOLD_BLUR * pixel_size
    n = 2 * (int(np.ceil((radius + _REACH * width) / pixel_size)) + 1)
    over = 5  # odd: voxel centres are kept
    axis = (np.arange(n * over) - over // 2) / over - n // 2
    squared = (axis**2 * pixel_size**2).astype(np.float32)
    ball = squared[:, None, None] + squared[:, None] + squared <= radius**2
    fractions = ball.reshape(n, over, n, over, n, over).mean(axis=(1, 3, 5))
    volume = 4 / 3 * np.pi * radius**3 / pixel_size**3
    smooth = ndimage.gaussian_filter(fractions, _GOLD_BLUR, mode="constant")
    return np.asarray(smooth * (_GOLD * volume / smooth.sum()), dtype=np.float32)


def body_mask(density: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Tell which voxels (n, n, n) belong to the body, holes inside it included."""
    solid = density > _BODY_LEVEL * _typical_inside(density)
    mask: NDArray[np.bool_] = ndimage.binary_fill_holes(solid)
    return mask


def particle_radius(density: NDArray[np.floating]) -> float:
    """Measure in voxels the ball about voxel ``n // 2`` that holds the body."""
    points = np.argwhere(body_mask(density)) - np.array(density.shape) // 2
    return float(np.linalg.norm(points, axis=1).max()) + 0.5


def _typical_inside(density: NDArray[np.floating]) -> float:
    """Estimate the density inside a body: the mean of what is above half of a high value."""
    high = density[density > 0.5 * np.max(density)]
    return float(np.mean(density[density > 0.5 * np.median(high)]))


def _add_gaussians(
    out: FloatArray,
    n: int,
    centres: FloatArray,
    widths: FloatArray,
    amounts: FloatArray,
    reach: int,
) -> None:
    """Add Gaussians (m,) in voxels to a flattened cube; columns of centres are x, y, z."""
    nearest = np.rint(centres).astype(np.int64)
    steps = np.arange(-reach, reach + 1)
    places = nearest[:, :, None] + steps  # (m, 3, steps)
    scaled = (places - centres[:, :, None]) / widths[:, None, None]
    values = np.exp(-0.5 * scaled**2) / (np.sqrt(2 * np.pi) * widths[:, None, None])
    inside = (places >= 0) & (places < n)
    values, places = np.where(inside, values, 0), places.clip(0, n - 1)
    x, y, z = places.transpose(1, 0, 2)
    wx, wy, wz = values.transpose(1, 0, 2)
    index = (z[:, :, None, None] * n + y[:, None, :, None]) * n + x[:, None, None, :]
    weight = (amounts[:, None] * wz)[:, :, None, None] * wy[:, None, :, None] * wx[:, None, None]
    out += np.bincount(index.ravel(), weights=weight.ravel(), minlength=n**3)


def _border(data: NDArray[np.floating]) -> NDArray[np.floating]:
    """Values on the faces of a volume."""
    faces = [data[0], data[-1], data[:, 0], data[:, -1], data[:, :, 0], data[:, :, -1]]
    return np.concatenate([face.ravel() for face in faces])


def _trimmed(density: FloatArray) -> FloatArray:
    """Cut the border off a cube, as far as the body allows; the centre stays voxel ``n // 2``."""
    half = min(int(np.ceil(particle_radius(density))) + _MARGIN, len(density) // 2)
    inner = slice(len(density) // 2 - half, len(density) // 2 + half)
    return np.asarray(density[inner, inner, inner])


def _resampled(data: NDArray[np.floating], factor: float) -> FloatArray:
    """Resample to ``factor`` times as many voxels an axis, on a cube; the centre stays."""
    if factor < 1:
        low_passed = bandpass(data.shape, 1.0, low_pass=2 / factor)
        tensor = torch.as_tensor(np.ascontiguousarray(data, dtype=np.float32))
        data = apply_filter(tensor, low_passed).numpy()
    n = 2 * (int(np.ceil(max(data.shape) * factor / 2)) + 1)
    steps = (np.arange(n) - n // 2) / factor
    axes = np.meshgrid(*(steps + size // 2 for size in data.shape), indexing="ij", sparse=True)
    points = np.broadcast_arrays(*axes)
    return np.asarray(ndimage.map_coordinates(np.asarray(data, dtype=np.float64), points, order=3))
