"""What a reconstruction ends with: postprocessed maps, the report, and where they are."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from subtomo.averaging.mask import mask_in_words
from subtomo.averaging.reconstruction.postprocess import (
    Postprocessed,
    postprocess,
    write_postprocessed,
)
from subtomo.averaging.reconstruction.report import ReconstructedParticles, write_report
from subtomo.averaging.reconstruction.results import POSTPROCESSED, REPORT, remove_files
from subtomo.averaging.reconstruction.settings import MapSettings
from subtomo.counts import count_of
from subtomo.formats.volumes import read_volume

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def finish_reconstruction(
    job: "Job",
    particles: ReconstructedParticles,
    settings: MapSettings,
    mask: Tensor | None = None,
) -> Path:
    """Postprocess the maps of a job if asked to, write its report and say where the map is.

    Parameters
    ----------
    job : its folder has ``merged.mrc``, and ``half1.mrc`` and ``half2.mrc`` where there are halves
    particles : that the maps are made of
    settings : of the command
    mask : (n, n, n); see :func:`subtomo.averaging.given_mask.given_mask`

    Returns
    -------
    Path of ``merged.mrc``
    """
    path = job.folder / "merged.mrc"
    where = f"{job.shown(path)}"
    if settings.postprocess and _postprocess(job, particles, settings, mask) is not None:
        where = f"{job.shown(job.folder / 'postprocess.mrc')} (unfiltered: {where})"
    job.log(f"map of {count_of(len(particles.half), 'particle')}: {where}")
    return path


def _postprocess(
    job: "Job", particles: ReconstructedParticles, settings: MapSettings, mask: Tensor | None
) -> Postprocessed | None:
    """Measure, sharpen and filter the maps, where there are halves, and write the report."""
    merged = read_volume(job.folder / "merged.mrc")
    pixel_size = merged.pixel_size
    whole = torch.tensor(merged.load())
    result = None
    if particles.why_no_resolution:
        if particles.half.any():
            job.warn(f"{particles.why_no_resolution}: there is no resolution")
        if settings.resume:  # what the job wrote before images were lost
            remove_files(job.folder / name for name in POSTPROCESSED)
    else:
        half1, half2 = (
            torch.tensor(read_volume(job.folder / f"half{half}.mrc").load()) for half in (1, 2)
        )
        result = postprocess(half1, half2, whole, pixel_size, settings, mask)
        write_postprocessed(job.folder, result, pixel_size)
        job.log(
            f"resolution {result.found.resolution:.1f} Å (FSC 0.143); "
            f"{mask_in_words(settings, result.found.mask)}"
        )
    write_report(job.folder / REPORT, particles, settings, whole, pixel_size, result)
    return result
