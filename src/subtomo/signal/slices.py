"""Central slices of a Fourier transform: projections of a volume, and the way back.

Fourier volumes here are *centred half volumes*: ``(p, p, p // 2 + 1)``, zero frequency at
``[p // 2, p // 2, 0]``, phases relative to the box's centre ``n // 2``. Slices are half images in
``rfftn`` layout with phases relative to the image's centre. Interpolation is trilinear.
"""

import torch
from torch import Tensor

from subtomo.errors import ShapeError
from subtomo.signal.fourier import frequency_vectors


def transform_volume(volume: Tensor, pad_factor: float = 2.0) -> Tensor:
    """Transform a volume for slicing: padded, corrected for the interpolation, centred.

    Parameters
    ----------
    volume : (n, n, n)
    pad_factor : size after padding over size before, at least 1; larger means less error

    Returns
    -------
    (p, p, p // 2 + 1) complex, ``p`` even, at least ``n · pad_factor``

    Raises
    ------
    ShapeError
        If the volume is not a cube.
    """
    n = _cube_size(volume)
    p = padded_size(n, pad_factor)
    padded = torch.zeros((p, p, p), dtype=volume.dtype, device=volume.device)
    inner = slice(p // 2 - n // 2, p // 2 - n // 2 + n)
    padded[inner, inner, inner] = volume / interpolation_falloff(n, p, volume)
    transform = torch.fft.rfftn(torch.fft.ifftshift(padded))
    centred: Tensor = torch.fft.fftshift(transform, dim=(0, 1))
    return centred


def padded_size(n: int, pad_factor: float) -> int:
    """Even size of the padded box."""
    return 2 * int(-(-n * pad_factor // 2))


def interpolation_falloff(n: int, padded: int, like: Tensor) -> Tensor:
    """Give what trilinear interpolation in Fourier space multiplies a box of n voxels with.

    A product of squared sincs along the axes (the transform of the triangle kernel), (n, n, n).
    """
    axis = (
        torch.sinc((torch.arange(n, device=like.device, dtype=like.dtype) - n // 2) / padded) ** 2
    )
    return axis[:, None, None] * axis[None, :, None] * axis[None, None, :]


def extract_slices(
    transform: Tensor, matrices: Tensor, size: int, *, padded: int | None = None
) -> Tensor:
    """Read central slices.

    Slice j holds, at image frequency k, the value of the volume's transform at ``R_jᵀ (k, 0)``:
    the transform of the projection along z of the volume rotated by ``R_j``.

    Parameters
    ----------
    transform : (p, p, p // 2 + 1) complex, a centred half volume
    matrices : (b, 3, 3), rotations from the volume to the microscope
    size : of the images whose frequencies are read, at most p
    padded : p, for half volumes of odd size; default: even

    Returns
    -------
    (b, size, size // 2 + 1) complex; zero outside the volume's frequencies
    """
    p = 2 * (transform.shape[-1] - 1) if padded is None else padded
    index, weights, conjugate = _corners(matrices.to(transform.real.dtype), size, p)
    values = (transform.reshape(-1)[index] * weights).sum(-1)
    values = torch.where(conjugate, values.conj(), values)
    return values.reshape(len(matrices), size, size // 2 + 1)


def insert_slices(
    slices: Tensor, matrices: Tensor, padded: int, *, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Add slices into a Fourier volume: the adjoint of `extract_slices`.

    Parameters
    ----------
    slices : (b, n, n // 2 + 1) complex
    matrices : (b, 3, 3), rotations from the volume to the microscope
    padded : size p of the volume
    weights : (b, n, n // 2 + 1) real, added up in the same way; default 1

    Returns
    -------
    data : (p, p, p // 2 + 1) complex, the sum of the slices
    weight : (p, p, p // 2 + 1) real, the sum of the weights

    Notes
    -----
    A sample on the plane x = 0 is added to its own voxel only; `complete_plane` adds the other
    half of that plane, which a real volume's transform needs.
    """
    size = slices.shape[-2]
    index, corner, conjugate = _corners(matrices.to(slices.real.dtype), size, padded)
    flat = slices.reshape(-1)
    flat = torch.where(conjugate, flat.conj(), flat)
    weight = torch.ones_like(flat.real) if weights is None else weights.reshape(-1).to(corner)
    shape = (padded, padded, padded // 2 + 1)
    count = padded * padded * (padded // 2 + 1)
    data = torch.zeros(count, dtype=slices.dtype, device=slices.device)
    total = torch.zeros(count, dtype=weight.dtype, device=slices.device)
    data.index_add_(0, index.reshape(-1), (flat[:, None] * corner).reshape(-1))
    total.index_add_(0, index.reshape(-1), (weight[:, None] * corner).reshape(-1))
    return data.reshape(shape), total.reshape(shape)


def complete_plane(volume: Tensor) -> Tensor:
    """Add to the plane x = 0 of a centred half volume its point reflection, conjugated.

    Parameters
    ----------
    volume : (p, p, p // 2 + 1), p even, real or complex

    Returns
    -------
    Same shape
    """
    out = volume.clone()
    plane = volume[1:, 1:, 0]
    out[1:, 1:, 0] = plane + plane.flip((0, 1)).conj()
    return out


def project_volume(volume: Tensor, matrices: Tensor, pad_factor: float = 2.0) -> Tensor:
    """Project a volume along z after rotating it, by central slices of its transform.

    Parameters
    ----------
    volume : (n, n, n)
    matrices : (b, 3, 3), rotations from the volume to the microscope, acting on xyz columns
    pad_factor : size after padding over size before; larger means less interpolation error

    Returns
    -------
    (b, n, n), the sums along z; the centre stays at pixel ``n // 2``
    """
    n = _cube_size(volume)
    p = padded_size(n, pad_factor)
    slices = extract_slices(transform_volume(volume, pad_factor), matrices, p)
    images = torch.fft.fftshift(torch.fft.irfftn(slices, s=(p, p), dim=(-2, -1)), dim=(-2, -1))
    inner = slice(p // 2 - n // 2, p // 2 - n // 2 + n)
    cropped: Tensor = images[..., inner, inner].contiguous()
    return cropped


def _corners(matrices: Tensor, size: int, p: int) -> tuple[Tensor, Tensor, Tensor]:
    """Flat indices and weights of the eight voxels around every sample of every slice.

    Returns (m, 8) indices, (m, 8) weights (0 outside) and (m,) whether the value is conjugated;
    m runs over slices and their samples.
    """
    # in units of the padded volume's Fourier voxels
    plane = frequency_vectors((size, size), 1 / p, device=matrices.device, dtype=matrices.dtype)
    points = (plane.reshape(-1, 2) @ matrices[:, :2]).reshape(-1, 3)  # rows times R: Rᵀ columns
    conjugate = points[:, 0] < 0
    points = torch.where(conjugate[:, None], -points, points)
    limits = (p // 2 + 1, p, p)
    places, shares = [], []  # per axis: (m, 2) voxel below and above, and their weights
    for axis in range(3):
        low = points[:, axis].floor()
        fraction = points[:, axis] - low
        place = torch.stack([low, low + 1], dim=1).long() + (p // 2 if axis else 0)
        inside = (place >= 0) & (place < limits[axis])
        places.append(place.clamp(0, limits[axis] - 1))
        shares.append(torch.where(inside, torch.stack([1 - fraction, fraction], dim=1), 0.0))
    x, y, z = places
    index = (z[:, :, None, None] * p + y[:, None, :, None]) * limits[0] + x[:, None, None, :]
    wx, wy, wz = shares
    weight = wz[:, :, None, None] * wy[:, None, :, None] * wx[:, None, None, :]
    return index.reshape(-1, 8), weight.reshape(-1, 8), conjugate


def _cube_size(volume: Tensor) -> int:
    """Side of a cubic volume."""
    if volume.ndim != 3 or len(set(volume.shape)) != 1:
        raise ShapeError(f"volume has shape {tuple(volume.shape)}; expected a cube (n, n, n)")
    return int(volume.shape[0])
