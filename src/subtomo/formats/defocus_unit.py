"""Defocus that is in another unit than its format says."""

import numpy as np
from numpy.typing import NDArray

LEAST_DEFOCUS = 100.0  # Å; nobody takes images so near focus, and 100 µm is as far off
EXPECTED_DEFOCUS = "Å, such as 25700 (0 where there is no CTF)"


def looks_like_micrometres(defocus: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which values are too small to be Å: nearer to focus than 100 Å, and not 0.

    Parameters
    ----------
    defocus : any shape, said to be in Å
    """
    low: NDArray[np.bool_] = (defocus != 0) & (np.abs(defocus) < LEAST_DEFOCUS)
    return low
