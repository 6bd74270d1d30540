"""The dose before each exposure, from what the portal says of the frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Exposure:
    """What the portal says of one frame; None where it says nothing.

    Parameters
    ----------
    order : of the exposure, counted in the tilt series
    accumulated : e⁻/Å² before it
    dose : e⁻/Å² of it
    """

    order: int | None
    accumulated: float | None
    dose: float | None


def exposure_of(frame: Any) -> Exposure:
    """Read a row of the portal's frames."""
    return Exposure(frame.acquisition_order, frame.accumulated_dose, frame.exposure_dose)


def dose_before_exposure(
    exposures: Sequence[Exposure], total_flux: float | None
) -> tuple[FloatArray, str]:
    """Give the dose that a specimen had received before each exposure.

    Parameters
    ----------
    exposures : (tilt,) all that there are of the tilt series
    total_flux : e⁻/Å² of all of them together

    Returns
    -------
    dose : (tilt,) e⁻/Å²
    remark : how it was made, where it is not the accumulated dose as it stands; else empty

    Raises
    ------
    DataError
        If nothing says the order of the exposures or the dose of one.
    """
    orders = [exposure.order for exposure in exposures]
    order = None if None in orders else np.array(orders, dtype=np.float64)
    accumulated = np.array(
        [np.nan if e.accumulated is None else e.accumulated for e in exposures], dtype=np.float64
    )
    problem = _problem(accumulated, order)
    if not problem:
        return accumulated, ""
    if order is None:
        raise DataError(f"{problem}, and the frames do not tell their order")
    rank = order - order.min()
    doses = np.array([e.dose or np.nan for e in exposures], dtype=np.float64)
    if np.all(doses > 0):
        return rank * doses, f"{problem}: made of the order and the dose of the exposures"
    if total_flux is not None and total_flux > 0:
        dose = rank * (total_flux / len(exposures))
        return dose, f"{problem}: made of the order of the exposures and the total flux"
    raise DataError(f"{problem}, and there is neither the dose of an exposure nor the total flux")


def _problem(accumulated: FloatArray, order: FloatArray | None) -> str:
    """Say why the accumulated dose cannot be used, or nothing."""
    if np.any(~np.isfinite(accumulated)):
        return "the accumulated dose is missing"
    if len(accumulated) > 1 and not np.any(accumulated):
        return "the accumulated dose is 0 throughout"
    if np.any(accumulated < 0):
        return "the accumulated dose is negative"
    if order is not None and np.any(np.diff(accumulated[np.argsort(order, kind="stable")]) < 0):
        return "the accumulated dose does not rise with the order of the exposures"
    return ""
