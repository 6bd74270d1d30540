"""The geometry, dose and defocus of made-up tilt series: as recorded, and as they truly were."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Acquisition, TiltCtf, TiltSeries
from subtomo.simulation.seeds import child_generator

FloatArray = NDArray[np.float64]

TiltScheme = Literal["dose-symmetric", "angle-ordered"]

MEAN_FREE_PATH = 3950.0
"""Å of ice over which a beam at 300 kV falls to 1/e behind an energy filter. Source: Rice et al.,
J. Struct. Biol. 204:38 (2018)."""


@dataclass(frozen=True, eq=False)
class TiltPlan:
    """How a tilt series is to be taken.

    Parameters
    ----------
    tilt_angles : (tilt,) degrees, increasing
    pixel_size : Å
    tomogram_size_px : (x, y, z)
    image_size_px : (x, y)
    ice_thickness : Å
    scheme : the order in which the angles are taken, which gives each its dose
    dose_per_tilt : e⁻/Å²
    tilt_axis_angle, x_tilt : degrees
    image_shift : Å, standard deviation of the images' recorded shifts, an axis
    shift_error : Å, standard deviation of the true shifts from the recorded ones, an axis
    angle_error : degrees, standard deviation of the true tilt angles and axis from the recorded
    defocus_range : (lowest, highest) Å, of the series' defocus
    astigmatism : Å, defocus_u - defocus_v, in a random direction
    phase_shift : degrees
    handedness : +1 or -1
    acquisition : the microscope
    """

    tilt_angles: FloatArray
    pixel_size: float
    tomogram_size_px: tuple[int, int, int]
    image_size_px: tuple[int, int]
    ice_thickness: float
    scheme: TiltScheme = "dose-symmetric"
    dose_per_tilt: float = 3.0
    tilt_axis_angle: float = 0.0
    x_tilt: float = 0.0
    image_shift: float = 0.0
    shift_error: float = 0.0
    angle_error: float = 0.0
    defocus_range: tuple[float, float] = (30000.0, 40000.0)
    astigmatism: float = 0.0
    phase_shift: float = 0.0
    handedness: int = 1
    acquisition: Acquisition = field(default_factory=Acquisition)


def tilt_angles(lowest: float, highest: float, step: float) -> FloatArray:
    """List the angles from the lowest in steps, the highest included where the steps meet it.

    >>> tilt_angles(-6, 6, 4.0)
    array([-6., -2.,  2.,  6.])
    """
    count = int(np.floor((highest - lowest) / step + 1e-6)) + 1
    return np.asarray(lowest + step * np.arange(count, dtype=np.float64))


def exposure_order(angles: FloatArray, scheme: TiltScheme) -> NDArray[np.intp]:
    """Tell when each tilt is taken.

    Parameters
    ----------
    angles : (tilt,) degrees
    scheme : "angle-ordered", from the lowest to the highest; "dose-symmetric", from zero outwards,
        to both sides in turn (Hagen et al., J. Struct. Biol. 197:191 (2017), groups of one)

    Returns
    -------
    (tilt,) 0 for the first exposure
    """
    if scheme == "angle-ordered":
        sequence = np.argsort(angles, kind="stable")
    else:
        sequence = np.lexsort((-angles, np.round(np.abs(angles), 6)))
    order = np.empty(len(angles), dtype=np.intp)
    order[sequence] = np.arange(len(angles))
    return order


def make_tilt_series(name: str, plan: TiltPlan, seed: int) -> tuple[TiltSeries, TiltSeries]:
    """Make the geometry of a tilt series, without its images.

    Parameters
    ----------
    name : of the series; with the seed it decides what is drawn
    plan
    seed

    Returns
    -------
    true, recorded : TiltSeries
        The images are made with the former; the latter is what an alignment that errs by
        ``shift_error`` and ``angle_error`` reports. The CTF ``scale`` is the beam's attenuation
        by the ice against an untilted image.
    """
    n = len(plan.tilt_angles)
    rng = child_generator(seed, name, "tilt series")
    # all of it is drawn whatever the options, so that one option does not change another's effect
    shifts = rng.normal(size=(n, 2)) * plan.image_shift
    shift_errors = rng.normal(size=(n, 2)) * plan.shift_error
    tilt_errors, axis_errors = rng.normal(size=(2, n)) * plan.angle_error
    low, high = plan.defocus_range
    defocus = low + (high - low) * rng.uniform()
    recorded = TiltSeries(
        name=name,
        pixel_size=plan.pixel_size,
        tilt_angles=plan.tilt_angles,
        tilt_axis_angles=np.full(n, plan.tilt_axis_angle),
        shifts=shifts,
        dose=plan.dose_per_tilt * exposure_order(plan.tilt_angles, plan.scheme).astype(np.float64),
        x_tilts=np.full(n, plan.x_tilt),
        ctf=TiltCtf(
            defocus_u=np.full(n, defocus + plan.astigmatism / 2),
            defocus_v=np.full(n, defocus - plan.astigmatism / 2),
            defocus_angle=np.full(n, 180 * rng.uniform()),
            phase_shift=np.full(n, plan.phase_shift),
            bfactor=np.zeros(n),
            scale=transmission(plan, plan.tilt_angles) / transmission(plan, np.zeros(1)),
        ),
        acquisition=plan.acquisition,
        handedness=plan.handedness,
        tomogram_size_px=plan.tomogram_size_px,
        image_size_px=plan.image_size_px,
    )
    assert recorded.ctf is not None
    angles = plan.tilt_angles + tilt_errors
    attenuation = transmission(plan, angles) / transmission(plan, np.zeros(1))
    true = replace(
        recorded,
        tilt_angles=angles,
        tilt_axis_angles=recorded.tilt_axis_angles + axis_errors,
        shifts=shifts + shift_errors,
        ctf=replace(recorded.ctf, scale=attenuation),
    )
    return true, recorded


def transmission(plan: TiltPlan, angles: FloatArray) -> FloatArray:
    """Give the fraction (tilt,) of the beam that the ice lets through at given tilts, degrees."""
    cosine = np.cos(np.radians(angles)) * np.cos(np.radians(plan.x_tilt))
    return np.asarray(np.exp(-plan.ice_thickness / (MEAN_FREE_PATH * np.abs(cosine))))
