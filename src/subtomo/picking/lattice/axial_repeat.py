"""The axial repeat of picks on a tube: its strongest layer line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from subtomo.errors import DataError
from subtomo.geometry.layer_lines import point_power
from subtomo.picking.lattice.filament import Filament

FloatArray = NDArray[np.float64]

# Orders that picks may show: the two of the first layer line of a microtubule and its equator lie
# within; beyond, the power of real picks is noise.
ORDERS = np.arange(-24, 25)

_MOST_REPEATS = 100_000  # along a filament


@dataclass(frozen=True, eq=False)
class AxialRepeat:
    """The strongest layer line of picks on a tube.

    Parameters
    ----------
    repeat : Å
    contrast : its power over the median power of all frequencies searched
    lead : its power over the highest power elsewhere, farther than two resolutions (1/length) from
        it and its overtones
    start : order with the most power on it; positive = right-handed helix
    frequencies : (k,) 1/Å, those searched
    spectrum : (k,) power summed over the orders
    power : (orders, k) power by angular order, ``ORDERS``
    """

    repeat: float
    contrast: float
    lead: float
    start: int
    frequencies: FloatArray
    spectrum: FloatArray
    power: FloatArray


def find_axial_repeat(
    filament: Filament, *, shortest: float, longest: float | None = None
) -> AxialRepeat:
    """Find the axial repeat of a filament's picks, without knowing it.

    Parameters
    ----------
    filament : picks on a tube
    shortest : Å
        Two voxels is the finest that the tomogram can show.
    longest : Å
        A tenth of the filament's length when not given: fewer than ten repeats cannot be told
        from a density that changes along the filament.

    Returns
    -------
    AxialRepeat
        The repeat is where the power summed over the orders is greatest, found on a grid eight
        times finer than the resolution 1/length and then refined. Precise picks have overtones
        nearly as high: where a half or a third of the frequency has at least half the peak's
        height above the median, that is taken.

    Raises
    ------
    DataError
        If the filament is so short that no repeat is left to search, or the range has nothing to
        do with its length.
    """
    longest = filament.length / 10 if longest is None else longest
    if not longest > shortest:
        raise DataError(
            f"filament is {filament.length:.0f} Å long: repeats from {shortest:.1f} to "
            f"{longest:.1f} Å leave nothing to search; expected a filament of more than "
            f"{10 * shortest:.0f} Å"
        )
    if longest > filament.length or filament.length / shortest > _MOST_REPEATS:
        raise DataError(
            f"filament is {filament.length:.0f} Å long: repeats from {shortest:g} to {longest:g} Å "
            f"cannot be told there; expected them between its {_MOST_REPEATS:,}th part and its "
            "length"
        )
    fine = 1 / (8 * filament.length)
    frequencies = np.arange(1 / longest, 1 / shortest, fine)
    power = point_power(filament.heights, filament.angles, ORDERS, frequencies)
    spectrum = power.sum(axis=0)
    peak = _refine(filament, _fundamental(frequencies, spectrum, 1 / filament.length), fine)
    at_peak = point_power(filament.heights, filament.angles, ORDERS, [peak])[:, 0]
    overtone = np.maximum(1, np.round(frequencies / peak)) * peak
    elsewhere = np.abs(frequencies - overtone) > 2 / filament.length
    if not elsewhere.any():
        raise DataError(
            f"filament is {filament.length:.0f} Å long: repeats from {shortest:g} to {longest:g} Å "
            "have one peak and nothing beside it; expected a longer filament or a wider range"
        )
    return AxialRepeat(
        repeat=1 / peak,
        contrast=float(at_peak.sum() / np.median(spectrum)),
        lead=float(at_peak.sum() / spectrum[elsewhere].max()),
        start=int(ORDERS[np.argmax(at_peak)]),
        frequencies=frequencies,
        spectrum=spectrum,
        power=power,
    )


def _fundamental(frequencies: FloatArray, spectrum: FloatArray, resolution: float) -> float:
    """Frequency of the highest peak, or that of which it is an overtone."""
    at, level = int(np.argmax(spectrum)), float(np.median(spectrum))
    for divisor in (2, 3):
        near = np.flatnonzero(np.abs(frequencies - frequencies[at] / divisor) < resolution)
        if not len(near):
            continue
        lower = int(near[np.argmax(spectrum[near])])
        if spectrum[lower] - level >= (spectrum[at] - level) / 2:
            return float(frequencies[lower])
    return float(frequencies[at])


def _refine(filament: Filament, frequency: float, step: float) -> float:
    """Frequency of the greatest summed power within one step."""

    def loss(k: float) -> float:
        return -float(point_power(filament.heights, filament.angles, ORDERS, [k]).sum())

    found = minimize_scalar(
        loss,
        bounds=(frequency - step, frequency + step),
        method="bounded",
        options={"xatol": step * 1e-3},
    )
    return float(found.x)
