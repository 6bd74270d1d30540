"""From the sums of a pseudo-subtomogram to the volumes that RELION 5 writes of it."""

import torch
from torch import Tensor

from subtomo.signal.gridding import divide_by_weight, taper_to_mean
from subtomo.signal.pseudo_subtomogram import PseudoSums


def data_volume(sums: PseudoSums, factor: float) -> Tensor:
    """Transform the data to real space, the particle in the centre.

    Parameters
    ----------
    sums : of the particle
    factor : multiplies all

    Returns
    -------
    (c, c, c) float64, of an orthonormal transform
    """
    c = sums.box_size
    volume = torch.fft.irfftn(sums.data * factor, s=(c, c, c), dim=(0, 1, 2), norm="ortho")
    centred: Tensor = torch.fft.fftshift(volume)
    return centred


def per_multiplicity(volume: Tensor, multiplicity: Tensor) -> Tensor:
    """Divide the transform of a volume by how often each voxel was hit; zero where never.

    Parameters
    ----------
    volume : (c, c, c)
    multiplicity : (c, c, c // 2 + 1)

    Returns
    -------
    (c, c, c)
    """
    transform = torch.fft.rfftn(volume)
    divided = torch.where(multiplicity > 0, transform / multiplicity, 0)
    result: Tensor = torch.fft.irfftn(divided, s=volume.shape, dim=(0, 1, 2))
    return result


def weight_per_multiplicity(sums: PseudoSums) -> Tensor:
    """Mean weight of what was inserted: (c, c, c // 2 + 1); zero where nothing was."""
    return torch.where(sums.multiplicity > 0, sums.weight / sums.multiplicity, 0)


def divided_volume(volume: Tensor, weight: Tensor, *, snr: float | None, taper_px: float) -> Tensor:
    """Divide a volume by its weight and fade it out at the borders.

    Parameters
    ----------
    volume : (c, c, c)
    weight : (c, c, c // 2 + 1)
    snr : signal over noise; when not given, the weight counts, but at least 0.001 of its mean
    taper_px : width of the edge inside the sphere

    Returns
    -------
    (c, c, c)

    Notes
    -----
    Unlike a reconstruction, it is not corrected for the interpolation.
    Source: RELION 5, commit 73f0a3c0.
    """
    return taper_to_mean(divide_by_weight(volume, weight, snr=snr), taper_px)


def whole_volume(half: Tensor) -> Tensor:
    """Give all of a real, symmetric Fourier volume, zero frequency in the centre.

    Parameters
    ----------
    half : (c, c, c // 2 + 1), ``rfftn`` layout

    Returns
    -------
    (c, c, c), zero frequency at c // 2

    Notes
    -----
    A half volume that is the sum of insertions need not be symmetric at x = c/2: of two mirror
    images the one at negative z (or z = 0 and negative y) counts, as in RELION's files.
    """
    c = half.shape[0]
    mirrored = half.flip(0, 1).roll((1, 1), (0, 1))
    axis = torch.fft.fftfreq(c, 1 / c, device=half.device)
    counts = (axis[:, None] < 0) | ((axis[:, None] == 0) & (axis < 0))
    edge = torch.where(counts, half[..., -1], mirrored[..., -1])
    negative = mirrored[..., 1:-1].flip(2)
    whole: Tensor = torch.fft.fftshift(
        torch.cat([half[..., :-1], edge[..., None], negative], dim=2)
    )
    return whole
