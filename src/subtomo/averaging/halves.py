"""Two independent halves of the particles."""

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError
from subtomo.model import Particles


def assign_halves(particles: Particles, seed: int) -> NDArray[np.int64]:
    """Give the half of each particle: the table's own, or drawn so that they are balanced.

    Parameters
    ----------
    particles : with ``half`` 1 or 2 for all, or 0 for all
    seed : of the draw

    Returns
    -------
    (n,) 1 or 2; drawn ones differ by at most one within a tomogram and in all

    Raises
    ------
    DataError
        If only some particles have a half, or one of the halves is empty.
    """
    half = np.asarray(particles.half, dtype=np.int64)
    unknown = ~np.isin(half, (1, 2))
    if unknown.any() and not unknown.all():
        raise DataError(
            f"{int(unknown.sum())} of {len(half)} particles have no half (rlnRandomSubset 1 or 2); "
            "give all of them one, or none"
        )
    if unknown.all():
        half = draw_halves(particles.tomogram, seed)
    counts = [int((half == which).sum()) for which in (1, 2)]
    if min(counts) == 0:
        raise DataError(
            f"the halves have {counts[0]} and {counts[1]} particles; expected at least one each: "
            "average more particles"
        )
    return half


def draw_halves(tomogram: NDArray[np.str_], seed: int) -> NDArray[np.int64]:
    """Draw halves that are balanced within each tomogram and in all.

    Parameters
    ----------
    tomogram : (n,) of each particle
    seed : of the draw

    Returns
    -------
    (n,) 1 or 2

    Notes
    -----
    Alternates through a random order, tomogram after tomogram.
    """
    rng = np.random.default_rng(seed)
    order = np.concatenate(
        [rng.permutation(np.flatnonzero(tomogram == name)) for name in np.unique(tomogram)]
    )
    half = np.empty(len(order), dtype=np.int64)
    half[order] = np.arange(len(order)) % 2 + 1
    return half
