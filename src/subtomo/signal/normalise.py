"""Mean 0, standard deviation 1."""

import torch
from torch import Tensor


def normalise(x: Tensor, mask: Tensor | None = None, *, ndim: int = 3) -> Tensor:
    """Shift and scale arrays to mean 0 and standard deviation 1.

    Parameters
    ----------
    x : (..., *grid)
    mask : (*grid), weights 0 to 1
        Mean and deviation are those under the mask; all values are shifted and scaled.
    ndim : number of grid axes; the mask's where given

    Returns
    -------
    (..., *grid); an array without variation becomes 0
    """
    dims = tuple(range(-(mask.ndim if mask is not None else ndim), 0))
    weight = torch.ones((), dtype=x.dtype, device=x.device) if mask is None else mask.to(x.dtype)
    total = weight.expand(x.shape[dims[0] :]).sum()
    mean = (x * weight).sum(dims, keepdim=True) / total
    centred = x - mean
    variance = (centred**2 * weight).sum(dims, keepdim=True) / total
    tiny = torch.finfo(x.dtype).tiny
    return torch.where(variance > tiny, centred / variance.clamp_min(tiny).sqrt(), 0.0)
