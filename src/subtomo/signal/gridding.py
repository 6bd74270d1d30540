"""From sums on a Fourier grid to a map: gridding correction and division by the weight."""

import math

import torch
from torch import Tensor

from subtomo.errors import ShapeError
from subtomo.signal.fourier import frequency_radius

LEAST_WEIGHT = 0.001
"""Least weight that data are divided by, as a fraction of its mean at that frequency; RELION's."""


def back_projected_map(data: Tensor) -> Tensor:
    """Transform gathered data to real space and undo what trilinear gathering did to it.

    Parameters
    ----------
    data : (n, n, n // 2 + 1) complex, n even; phases relative to voxel n // 2

    Returns
    -------
    (n, n, n) real

    Notes
    -----
    Interpolation between Fourier voxels multiplies the map by sinc²(r/n).
    Source: RELION 5, commit 73f0a3c0.
    """
    n = data.shape[0]
    volume = torch.fft.irfftn(data, s=(n, n, n), dim=(0, 1, 2), norm="ortho")
    corrected: Tensor = torch.fft.fftshift(volume) / _falloff(n, volume)
    return corrected


def divide_by_weight(volume: Tensor, weight: Tensor, *, snr: float | None = None) -> Tensor:
    """Divide the transform of a map by its weight.

    Parameters
    ----------
    volume : (n, n, n)
    weight : (n, n, n // 2 + 1), ``rfftn`` layout
    snr : signal over noise: divide by weight + 1/snr
        When not given, by the weight, but at least 0.001 of the mean weight of its frequency;
        frequencies from the shell n // 2 on become zero.

    Returns
    -------
    (n, n, n)

    Raises
    ------
    ShapeError
        If the two do not fit.

    Notes
    -----
    Source: RELION 5, commit 73f0a3c0.
    """
    n = volume.shape[0]
    if volume.shape != (n, n, n) or weight.shape != (n, n, n // 2 + 1):
        raise ShapeError(
            f"map {tuple(volume.shape)} and weight {tuple(weight.shape)}; "
            "expected (n, n, n) and (n, n, n // 2 + 1)"
        )
    transform = torch.fft.rfftn(volume)
    if snr is not None:
        transform /= weight + 1 / snr
    else:
        least, inside = _least_weight(weight)
        divisor = torch.maximum(weight, least)
        divisor = torch.where(divisor > 0, divisor, torch.ones_like(divisor))
        transform = torch.where(inside, transform / divisor, 0)
    divided: Tensor = torch.fft.irfftn(transform, s=(n, n, n), dim=(0, 1, 2))
    return divided


def centred_weight(weight: Tensor) -> Tensor:
    """Lay a weight out as a full volume.

    Parameters
    ----------
    weight : (n, n, n // 2 + 1), ``rfftn`` layout, n even

    Returns
    -------
    (n, n, n), point-symmetric about zero frequency at voxel n // 2

    Notes
    -----
    A slice weighs the two halves of the plane at x = n/2 a little differently; both get what the
    half with negative z has. Source: RELION 5, commit 73f0a3c0 (weight_*.mrc).
    """
    full = torch.cat([weight[..., :-1], _reflected(weight[..., 1:]).flip(-1)], dim=-1)
    n = weight.shape[0]
    index = torch.fft.fftfreq(n, 1 / n, device=weight.device)
    is_positive = (index[:, None] > 0) | ((index[:, None] == 0) & (index > 0))
    plane = weight[..., -1:]
    plane = torch.where(is_positive[..., None], _reflected(plane), plane)
    full[..., n // 2] = plane[..., 0]
    centred: Tensor = torch.fft.fftshift(full)
    return centred


def _reflected(columns: Tensor) -> Tensor:
    """Turn y and z of columns (n, n, m) to their negatives."""
    return columns.flip((0, 1)).roll((1, 1), (0, 1))


def crop_centre(volume: Tensor, size: int) -> Tensor:
    """Cut the middle out of a map; voxel n // 2 becomes voxel size // 2.

    Parameters
    ----------
    volume : (n, n, n), n even
    size : even, at most n
    """
    edge = (volume.shape[0] - size) // 2
    inner = slice(edge, edge + size)
    return volume[inner, inner, inner]


def taper_to_mean(volume: Tensor, width_px: float) -> Tensor:
    """Subtract the mean inside a sphere and fade the map out towards the sphere's surface.

    Parameters
    ----------
    volume : (n, n, n); the sphere touches the faces
    width_px : of the raised-cosine edge, inside the sphere

    Returns
    -------
    (n, n, n)

    Notes
    -----
    Source: RELION 5, commit 73f0a3c0, which tapers cropped and uncropped maps alike.
    """
    n = volume.shape[0]
    radius = _distances(n, volume)
    edge = n / 2 - radius
    ramp = 0.5 - 0.5 * torch.cos(math.pi * edge / width_px) if width_px > 0 else (edge > 0).to(edge)
    sphere = torch.where(edge > width_px, 1.0, torch.where(edge > 0, ramp, 0.0))
    mean = (sphere * volume).sum() / sphere.sum()
    return sphere * (volume - mean)


def _falloff(n: int, like: Tensor) -> Tensor:
    """Give sinc²(r/n); at the corners of the box it is still 0.02."""
    return torch.sinc(_distances(n, like) / n) ** 2


def _distances(n: int, like: Tensor) -> Tensor:
    """Distances of voxels from voxel n // 2, (n, n, n)."""
    axis = (torch.arange(n, dtype=like.dtype, device=like.device) - n // 2) ** 2
    return (axis[:, None, None] + axis[:, None] + axis).sqrt()


def _least_weight(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Give the least weight of each Fourier voxel, and which of them are kept.

    The mean weight of a frequency is interpolated between those of the two nearest shells.
    """
    n = weight.shape[0]
    shape = (n, n, n)
    radius = frequency_radius(shape, 1 / n, weight.device, dtype=torch.float64)
    low = radius.floor().long()
    share = radius - low
    means = _shell_means(weight, low, share)
    inside = low + 1 <= n // 2
    low = torch.where(inside, low, 0)
    return LEAST_WEIGHT * ((1 - share) * means[low] + share * means[low + 1]), inside


def _shell_means(weight: Tensor, low: Tensor, share: Tensor) -> Tensor:
    """Average over shells; a voxel counts for the two nearest ones by its distance."""
    n_shells = int(low.max()) + 2
    total = torch.zeros(n_shells, dtype=torch.float64, device=weight.device)
    count = torch.zeros_like(total)
    for shell, part in ((low, 1 - share), (low + 1, share)):
        total.index_add_(0, shell.flatten(), (part * weight).flatten())
        count.index_add_(0, shell.flatten(), part.flatten())
    return total / count.clamp_min(torch.finfo(torch.float64).tiny)
