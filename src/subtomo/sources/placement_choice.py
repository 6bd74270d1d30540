"""How well a placement of picks fits their tomograms, and which other would fit better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.sources.particle_placement import (
    Placement,
    is_inside,
    n_changes,
    placements_near,
)
from subtomo.sources.placement_evidence import DensityContrast

FloatArray = NDArray[np.float64]

_CLEAR = 30.0  # evidence that picks sit on something: t of more than 5
_FEW = 0.05  # of the picks: so many may be outside by chance
_BETTER = 1.5  # times the evidence of the given placement, and _CLEAR more
_ALIKE = 0.75  # of the most evidence: a voxel more or less makes such a difference


@dataclass(frozen=True, eq=False)
class PicksOfTomogram:
    """Picks of one tomogram, before they are placed.

    Parameters
    ----------
    coordinates : (n, 3) as the table has them, columns x, y, z
    size_px : (x, y, z) of the tomogram
    density : of the tomogram, or None where it is not looked at
    """

    coordinates: FloatArray
    size_px: tuple[int, int, int]
    density: DensityContrast | None = None


@dataclass(frozen=True)
class Fit:
    """How well a placement fits.

    Parameters
    ----------
    placement : what was tried
    n_inside : picks in their volumes
    evidence : that they sit on something, see ``DensityContrast``; 0 where nothing is known
    """

    placement: Placement
    n_inside: int
    evidence: float = 0.0


def best_fits(
    given: Placement, picks: Mapping[str, PicksOfTomogram], pixel_size: float
) -> list[Fit]:
    """Try the given placement and those near it.

    Parameters
    ----------
    given : what the options say
    picks : by tomogram
    pixel_size : Å, of the tomograms

    Returns
    -------
    list of Fit
        The given one, then the others: those with most picks inside, with most evidence, with
        fewest options changed, come first.
    """
    tried = [
        Fit(placement, _n_inside(placement, picks))
        for placement in placements_near(given, pixel_size)
    ]
    total = sum(len(one.coordinates) for one in picks.values())
    most = max(fit.n_inside for fit in tried)
    enough = most - _FEW * total
    looked = [
        Fit(fit.placement, fit.n_inside, _evidence(fit.placement, picks))
        if fit.n_inside >= enough or fit is tried[0]
        else fit
        for fit in tried
    ]
    most_evidence = max(fit.evidence for fit in looked)

    def rank(fit: Fit) -> tuple[bool, int, float]:
        is_as_good = fit.n_inside >= enough
        changes = n_changes(fit.placement, given)
        if most_evidence < _CLEAR:
            return (not is_as_good, changes, -fit.placement.scale)
        is_near_best = is_as_good and fit.evidence >= _ALIKE * most_evidence
        return (not is_near_best, changes if is_near_best else 0, -fit.evidence)

    return [looked[0], *sorted(looked[1:], key=rank)]


def better_fit(fits: Sequence[Fit], total: int) -> Fit | None:
    """Choose the placement that fits clearly better than the given one; None where none does.

    Parameters
    ----------
    fits : the given one first, then the best, as ``best_fits`` gives them
    total : number of picks
    """
    given, *others = fits
    if not others or not total:
        return None
    best = others[0]
    margin = max(1.0, _FEW * total)
    stands_out = best.evidence >= _BETTER * given.evidence + _CLEAR
    if given.evidence >= _CLEAR and not stands_out:
        return None  # these sit on something already
    if best.n_inside >= given.n_inside + margin:
        return best
    return best if stands_out and best.n_inside > given.n_inside - margin else None


def _n_inside(placement: Placement, picks: Mapping[str, PicksOfTomogram]) -> int:
    return sum(
        int(is_inside(placement.indices(one.coordinates, one.size_px), one.size_px).sum())
        for one in picks.values()
    )


def _evidence(placement: Placement, picks: Mapping[str, PicksOfTomogram]) -> float:
    """Add up the evidence of the tomograms."""
    total = 0.0
    for one in picks.values():
        if one.density is not None:
            total += one.density.evidence(placement.indices(one.coordinates, one.size_px))
    return total
