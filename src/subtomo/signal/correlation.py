"""Locally normalised correlation of a template with a volume."""

import torch
from torch import Tensor

from subtomo.errors import ShapeError


def local_normalised_correlation(volume: Tensor, template: Tensor, mask: Tensor) -> Tensor:
    """Correlation coefficient of a template with every neighbourhood of a volume.

    Mean and standard deviation of both are taken under the mask. The volume is periodic.

    Parameters
    ----------
    volume : (z, y, x)
    template : (tz, ty, tx), no axis longer than the volume's
    mask : (tz, ty, tx), weights 0 to 1

    Returns
    -------
    (z, y, x), -1 to 1, at the place of the template's voxel ``n // 2``; 0 where the volume is flat

    Raises
    ------
    ShapeError
        If template and mask differ, or the template is larger than the volume.

    Notes
    -----
    Roseman, Ultramicroscopy 94, 225-236 (2003): the local means by convolution with the mask.
    The plain reference; computed in double precision.
    """
    if template.shape != mask.shape:
        raise ShapeError(
            f"template of {tuple(template.shape)} and mask of {tuple(mask.shape)}; "
            "expected one shape"
        )
    if any(t > n for t, n in zip(template.shape, volume.shape, strict=True)):
        raise ShapeError(
            f"template of {tuple(template.shape)} is larger than the volume of "
            f"{tuple(volume.shape)}"
        )
    v, t, m = volume.double(), template.double(), mask.double()
    total = m.sum()
    t = t - (m * t).sum() / total
    t = t / ((m * t**2).sum() / total).sqrt()
    v = v - v.mean()
    f_volume = torch.fft.rfftn(v)
    mean = _correlate(f_volume, m, v) / total
    square = _correlate(torch.fft.rfftn(v**2), m, v) / total
    variance = square - mean**2
    score = _correlate(f_volume, m * t, v) / total
    flat = variance <= 1e-10 * v.var()
    return torch.where(flat, 0.0, score / variance.clamp_min(1e-300).sqrt()).to(volume.dtype)


def _correlate(f_volume: Tensor, kernel: Tensor, like: Tensor) -> Tensor:
    """Sum of volume times kernel with the kernel's centre on every voxel."""
    padded = torch.zeros_like(like)
    padded[tuple(slice(0, n) for n in kernel.shape)] = kernel
    padded = padded.roll([-(n // 2) for n in kernel.shape], dims=(0, 1, 2))
    sums: Tensor = torch.fft.irfftn(f_volume * torch.fft.rfftn(padded).conj(), s=like.shape)
    return sums
