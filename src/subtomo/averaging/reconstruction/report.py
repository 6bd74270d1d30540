"""What a reconstruction ends with: postprocessed maps, curves and the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.figures import fsc_figure, orientations_figure, slices_figure
from subtomo.averaging.reconstruction.figures import (
    guinier_figure,
    local_resolution_figure,
    sharpening_in_words,
)
from subtomo.averaging.reconstruction.postprocess import (
    Postprocessed,
    postprocess,
    write_postprocessed,
)
from subtomo.averaging.reconstruction.postprocess_settings import PostprocessOptions
from subtomo.counts import count_of
from subtomo.formats.volumes import read_volume
from subtomo.geometry.rotations import quaternions_from_matrices
from subtomo.report import Report

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_MOST_DIRECTIONS = 20000  # drawn; more would not be seen


@dataclass(frozen=True, eq=False)
class ReconstructedParticles:
    """What went into a reconstruction, for its report.

    Parameters
    ----------
    orientation : (n, 3, 3) from the particle to the tomogram
    half : (n,) 1 or 2; 0 where there are no halves
    n_tomograms : number of tilt series
    n_images : of all particles
    notes : what the reader should know, a sentence each
    """

    orientation: NDArray[np.float64]
    half: NDArray[np.int64]
    n_tomograms: int
    n_images: int
    notes: Sequence[str] = ()

    @property
    def summary(self) -> str:
        """One sentence on the particles."""
        halves = [int((self.half == half).sum()) for half in (1, 2)]
        split = f", halves of {halves[0]} and {halves[1]}" if any(halves) else ""
        return (
            f"{count_of(len(self.half), 'particle')} of {count_of(self.n_tomograms, 'tomogram')} "
            f"on {count_of(self.n_images, 'image')}{split}"
        )


def finish_reconstruction(
    job: "Job",
    particles: ReconstructedParticles,
    options: PostprocessOptions,
    mask: Tensor | None = None,
) -> Postprocessed | None:
    """Postprocess the maps of a job, write its report and say the resolution.

    Parameters
    ----------
    job : its folder has ``merged.mrc``, and ``half1.mrc`` and ``half2.mrc`` where there are halves
    particles : that the maps are made of
    options : of the reconstruction
    mask : (n, n, n); see :func:`subtomo.averaging.reconstruction.resolution.given_mask`

    Returns
    -------
    Postprocessed, or None without halves
    """
    folder = job.folder
    merged = read_volume(folder / "merged.mrc")
    pixel_size = merged.pixel_size
    whole = torch.tensor(merged.load())
    result = None
    if (particles.half > 0).all():
        half1, half2 = (
            torch.tensor(read_volume(folder / f"half{half}.mrc").load()) for half in (1, 2)
        )
        result = postprocess(half1, half2, whole, pixel_size, options, mask)
        write_postprocessed(folder, result, pixel_size)
        job.log(f"resolution {result.found.resolution:.1f} Å (FSC 0.143)")
    report = _begin_report(particles, result)
    if result is None:
        report.add_section("Map")
        report.add_figure(slices_figure(whole.numpy(), pixel_size), "merged.mrc.")
    else:
        _add_maps(report, result, pixel_size)
        _add_resolution(report, result, pixel_size)
    _add_particles(report, particles)
    report.write(folder / "report.html")
    return result


def _begin_report(particles: ReconstructedParticles, result: Postprocessed | None) -> Report:
    resolution = "" if result is None else f"; {result.found.resolution:.1f} Å at FSC 0.143"
    report = Report("Reconstruction", f"{particles.summary}{resolution}.")
    for note in particles.notes:
        report.add_text(note)
    if result is None:
        report.add_text(
            "The particles have no halves, so that no resolution is known and the map is neither "
            "sharpened nor filtered."
        )
    return report


def _add_maps(report: Report, result: Postprocessed, pixel_size: float) -> None:
    report.add_section("Map")
    report.add_figure(
        slices_figure(result.sharpened.numpy(), pixel_size),
        f"postprocess.mrc: {sharpening_in_words(result.b_factor)}, weighted by what the halves "
        f"agree on and low-passed at {result.low_pass:.1f} Å; protein is bright.",
    )
    if result.local is not None:
        report.add_figure(
            slices_figure(result.local.filtered.numpy(), pixel_size),
            f"locres_filtered.mrc: {sharpening_in_words(result.b_factor)}, weighted by what the "
            "halves agree on around each voxel.",
        )


def _add_resolution(report: Report, result: Postprocessed, pixel_size: float) -> None:
    report.add_section("Resolution")
    report.add_figure(
        fsc_figure(result.found.curves),
        "Half maps against each other; corrected for the mask by phase randomisation (fsc.csv).",
    )
    found = "no line is fitted" if result.guinier.b_factor is None else "with the fitted line"
    report.add_figure(
        guinier_figure(result.guinier, result.b_factor),
        f"Amplitudes of the masked map, {found} (guinier.csv).",
    )
    if result.local is not None:
        report.add_figure(
            local_resolution_figure(
                result.local.filtered.numpy(),
                result.local.resolution.numpy(),
                result.found.mask.numpy(),
                pixel_size,
            ),
            "Resolution around every voxel (locres.mrc), where there is density.",
        )


def _add_particles(report: Report, particles: ReconstructedParticles) -> None:
    report.add_section("Particles")
    step = -(-len(particles.orientation) // _MOST_DIRECTIONS)
    shown = quaternions_from_matrices(particles.orientation[::step])
    report.add_figure(
        orientations_figure(shown),
        "Where the beam of the untilted image came from, as the particle sees it.",
    )
