"""What is said of an extraction before it begins."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of, some_of
from subtomo.extraction.plan import Extraction
from subtomo.extraction.settings import ExtractVolumesSettings

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def say_plan(job: "Job", plan: Extraction, settings: ExtractVolumesSettings) -> None:
    """Say what is left out, filled up, and not known.

    Parameters
    ----------
    job : that says it
    plan, settings : of the extraction
    """
    if not len(plan.particles):
        job.warn(f"{settings.particles} holds no particles: there is nothing to extract")
    unknown = plan.is_unknown
    outside = (plan.reasons != "") & ~unknown
    if unknown.any():
        job.warn(
            f"{count_of(int(unknown.sum()), 'particle', 'is')} of tomograms that were not given: "
            f"left out ({_named(plan, unknown)})"
        )
    if settings.box_size is None and plan.rows:
        job.log(_box_of_table(plan, settings))
    if outside.any():
        reason = "reach beyond" if settings.border == "drop" else "lie wholly outside"
        job.warn(
            f"{count_of(int(outside.sum()), 'particle')} left out: their boxes {reason} their "
            f"tomograms ({_named(plan, outside)})"
        )
    if plan.is_padded.any():
        job.log(
            f"{count_of(int(plan.is_padded.sum()), 'box')} filled with the mean beyond the edges "
            f"of the tomogram ({_named(plan, plan.is_padded)})"
        )
    unweighted = [name for name in plan.rows if plan.weightings[name] == "none"]
    if unweighted:
        job.warn(
            f"{count_of(len(unweighted), 'tomogram', 'has')} neither a tilt series nor "
            "--tilt-range: their boxes get no transfer function, and averages will not be "
            "corrected for the missing wedge"
        )
    kept = np.isin(np.arange(len(unknown)), np.concatenate([[], *plan.rows.values()]))
    unturned = kept & ~plan.particles.is_oriented
    if settings.rotate and unturned.any():
        job.warn(
            f"{count_of(int(unturned.sum()), 'particle', 'has')} no known orientation: their "
            f"boxes stay as they stand ({_named(plan, unturned)})"
        )


def _box_of_table(plan: Extraction, settings: ExtractVolumesSettings) -> str:
    """Say how wide the boxes are that the table asks for, and what that rests on."""
    edges = {
        plan.box_size * settings.binning * plan.tomograms[name].volume.pixel_size
        for name in plan.rows
    }
    said = f"the table asks for boxes of {' or '.join(f'{edge:.4g}' for edge in sorted(edges))} Å"
    if settings.picked_in or settings.picked_pixel_size is not None:
        return said
    return (
        f"{said}, if its voxels are those of --tomograms; for picks made in tomograms of another "
        "pixel size give these (--picked-in), or --box-size"
    )


def _named(plan: Extraction, which: NDArray[np.bool_]) -> str:
    """Name particles by their rows in the table, the first few of each tomogram."""
    rows = np.flatnonzero(which)
    places = [f"{row + 1} in {plan.particles.tomogram[row]}" for row in rows]
    return f"row{'s' * (len(rows) > 1)} {some_of(places)}"
