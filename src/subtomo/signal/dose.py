"""Radiation damage as a weight on the Fourier components."""

import torch
from torch import Tensor


def dose_weight(frequency: Tensor, dose: Tensor | float, *, voltage_factor: float = 1.0) -> Tensor:
    """Fraction of a component's amplitude that survives a dose.

    Parameters
    ----------
    frequency : 1/Å, any shape
    dose : e⁻/Å² received before the exposure, broadcast against ``frequency``
    voltage_factor : factor on the critical dose
        1 at 300 kV and in RELION at any voltage; Grant and Grigorieff take 0.8 at 200 kV.

    Returns
    -------
    0 to 1, 1 at zero frequency

    Notes
    -----
    ``exp(-dose / (2 Nc))``, ``Nc = 0.245 k^-1.665 + 2.81``: Grant and Grigorieff, eLife 4:e06980
    (2015), equations 2 and 3.
    """
    critical = voltage_factor * (0.245 * frequency.clamp_min(1e-9) ** -1.665 + 2.81)
    weight = torch.exp(-dose / (2 * critical))
    return torch.where(frequency > 0, weight, torch.ones_like(weight))
