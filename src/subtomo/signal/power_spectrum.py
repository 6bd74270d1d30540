"""Power spectra of images by frequency alone, and the weights that flatten them."""

import torch
from torch import Tensor


def block_origins(image_size_px: tuple[int, int], size: int) -> Tensor:
    """Give the first pixels of half-overlapping blocks that cover an image.

    Parameters
    ----------
    image_size_px : (x, y)
    size : S, edge of the blocks

    Returns
    -------
    (blocks, 2) int64 columns x, y, row by row
    """
    x, y = (torch.arange(0, n - size + 1, size // 2) for n in image_size_px)
    return torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1).reshape(-1, 2)


def radial_average(power: Tensor) -> Tensor:
    """Average a half spectrum over shells, each value shared by the two shells nearest to it.

    Parameters
    ----------
    power : (..., S, S // 2 + 1)

    Returns
    -------
    (..., S // 2 + 1)

    Notes
    -----
    Source: RELION 5, commit 73f0a3c0.
    """
    size = power.shape[-2]
    radius = _radii(size, power.device)
    low = radius.floor().long()
    share = radius - low
    flat, n_shells = power.double().flatten(-2), size + 2
    total = torch.zeros(*power.shape[:-2], n_shells, dtype=torch.float64, device=power.device)
    weight = torch.zeros(n_shells, dtype=torch.float64, device=power.device)
    for shell, part in ((low, 1 - share), (low + 1, share)):
        index, part = shell.flatten(), part.flatten()
        total.index_add_(-1, index, flat * part)
        weight.index_add_(0, index, part)
    return (total / weight.clamp_min(1e-12))[..., : size // 2 + 1]


def flattening_weights(shells: Tensor, size: int, binning: float) -> Tensor:
    """Give one over the square root of the power, on the grid of a box.

    Parameters
    ----------
    shells : (..., n) power by shell of a block
    size : s, of the box
    binning : shells of the block in one of the box

    Returns
    -------
    (..., s, s // 2 + 1) float32; beyond the last shell its value
    """
    at = (binning * _radii(size, shells.device)).clamp_max(shells.shape[-1] - 1)
    low = at.floor().long()
    high = (low + 1).clamp_max(shells.shape[-1] - 1)
    share = at - low
    weights = shells.clamp_min(1e-30).rsqrt()
    return (weights[..., low] * (1 - share) + weights[..., high] * share).float()


def _radii(size: int, device: torch.device) -> Tensor:
    """Distances from the origin of a half spectrum's entries, in its pixels: float64."""
    x = torch.arange(size // 2 + 1, dtype=torch.float64, device=device)
    y = torch.fft.fftfreq(size, 1 / size, dtype=torch.float64, device=device)
    return torch.hypot(x, y[:, None])
