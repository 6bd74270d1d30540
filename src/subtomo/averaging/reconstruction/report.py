"""The report of a reconstruction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.figures import fsc_figure, orientations_figure, slices_figure
from subtomo.averaging.mask import mask_in_words
from subtomo.averaging.reconstruction.figures import guinier_figure, sharpening_in_words
from subtomo.averaging.reconstruction.local_figure import (
    SHOWN_PERCENTILES,
    local_resolution_figure,
)
from subtomo.averaging.reconstruction.local_resolution import LocalResolution
from subtomo.averaging.reconstruction.postprocess import Postprocessed
from subtomo.averaging.reconstruction.postprocess_settings import PostprocessOptions
from subtomo.averaging.reconstruction.settings import MapSettings
from subtomo.averaging.reconstruction.sharpening import LEAST_SHELLS
from subtomo.counts import count_of
from subtomo.geometry.rotations import quaternions_from_matrices
from subtomo.report import Report
from subtomo.signal.fsc import resolution_at

_MOST_DIRECTIONS = 20000  # drawn; more would not be seen


@dataclass(frozen=True, eq=False)
class ReconstructedParticles:
    """What went into a reconstruction, for its report.

    Parameters
    ----------
    orientation : (n, 3, 3) from the particle to the tomogram
    half : (n,) 1 or 2; 0 where there are no halves
    tomogram : (n,) names
    n_images : of all particles
    box_size : voxels along each edge of what is back-projected
    notes : what the reader should know, a sentence each
    """

    orientation: NDArray[np.float64]
    half: NDArray[np.int64]
    tomogram: NDArray[np.str_]
    n_images: int
    box_size: int
    notes: Sequence[str] = ()

    @property
    def summary(self) -> str:
        """One sentence on the particles."""
        halves = [int((self.half == half).sum()) for half in (1, 2)]
        n_tomograms = len(np.unique(self.tomogram))
        split = f", halves of {halves[0]} and {halves[1]}" if any(halves) else ""
        return (
            f"{count_of(len(self.half), 'particle')} of {count_of(n_tomograms, 'tomogram')} "
            f"on {count_of(self.n_images, 'image')}{split}"
        )

    @property
    def why_no_resolution(self) -> str:
        """Why the particles give no resolution; nothing where they do."""
        halves = set(self.half.tolist())
        if halves == {1, 2}:
            return ""
        if halves == {0}:
            return "The particles have no halves; --split rows or --split random makes halves"
        return f"Half {3 - halves.pop()} is empty, as none of its particles could be read"

    def without(self, rows: NDArray[np.intp], n_images: int) -> "ReconstructedParticles":
        """Leave particles out that could not be read.

        Parameters
        ----------
        rows : theirs
        n_images : of the others
        """
        kept = np.ones(len(self.half), dtype=bool)
        kept[rows] = False
        note = f"{count_of(len(rows), 'particle')} left out, as the images could not be read."
        return replace(
            self,
            orientation=self.orientation[kept],
            half=self.half[kept],
            tomogram=self.tomogram[kept],
            n_images=n_images,
            notes=(*self.notes, note),
        )


def write_report(
    path: Path,
    particles: ReconstructedParticles,
    settings: MapSettings,
    whole: Tensor,
    pixel_size: float,
    result: Postprocessed | None,
) -> None:
    """Write slices, projections, resolution and views of a reconstruction.

    Parameters
    ----------
    path : the HTML file
    particles : that the map is made of
    settings : of the command
    whole : (n, n, n), the map of all particles
    pixel_size : Å
    result : of the half maps; None where a half is empty or there are none
    """
    resolution = "" if result is None else f"; {result.found.resolution:.1f} Å at FSC 0.143"
    maps = _maps_in_words(settings, particles.box_size, pixel_size, result)
    report = Report("Reconstruction", f"{particles.summary}{resolution}. {maps}.")
    for note in particles.notes:
        report.add_text(note)
    report.add_section("Map")
    if result is None:
        _add_unfiltered(report, whole, pixel_size, particles.why_no_resolution)
    else:
        _add_maps(report, result, pixel_size)
        _add_resolution(report, result, settings)
        if result.local is not None:
            _add_local_resolution(report, result, result.local, pixel_size)
    _add_particles(report, particles)
    report.write(path)


def _maps_in_words(
    settings: MapSettings, box_size: int, pixel_size: float, result: Postprocessed | None
) -> str:
    """Say what grid, symmetry and mask the maps have."""
    cropped = f", cropped to {settings.crop_size}" if settings.crop_size else ""
    helix = f", helix of {settings.nr_helical_asu} units" if settings.nr_helical_asu > 1 else ""
    mask = "" if result is None else f"; {mask_in_words(settings, result.found.mask)}"
    return (
        f"Boxes of {box_size} voxels of {pixel_size:g} Å{cropped}; symmetry {settings.symmetry}"
        f"{helix}{mask}"
    )


def _add_unfiltered(report: Report, whole: Tensor, pixel_size: float, why: str) -> None:
    report.add_text(
        f"{why}. So no resolution is known, and the map is neither sharpened nor filtered."
    )
    report.add_figure(
        slices_figure(whole.numpy(), pixel_size), "merged.mrc: unfiltered; protein is bright."
    )


def _add_maps(report: Report, result: Postprocessed, pixel_size: float) -> None:
    report.add_figure(
        slices_figure(result.sharpened.numpy(), pixel_size),
        f"postprocess.mrc: {sharpening_in_words(result.b_factor)}, weighted by what the halves "
        f"agree on and low-passed at {result.low_pass:.1f} Å; protein is bright.",
    )
    if result.local is not None:
        report.add_figure(
            slices_figure(result.local.filtered.numpy(), pixel_size),
            f"locres_filtered.mrc: {sharpening_in_words(result.b_factor)}, weighted by what the "
            "halves agree on around each voxel; protein is bright.",
        )


def _add_resolution(report: Report, result: Postprocessed, options: PostprocessOptions) -> None:
    report.add_section("Resolution")
    report.add_figure(
        fsc_figure(result.found.curves),
        "Half maps against each other; corrected for the mask by phase randomisation (fsc.csv).",
    )
    resolution = result.found.resolution
    found = "with the fitted line"
    if result.guinier.b_factor is None:
        found = (
            f"without a line, as fewer than {LEAST_SHELLS} shells that the halves share lie "
            f"between {options.guinier_from:g} Å (--guinier-from) and the resolution"
        )
    report.add_figure(
        guinier_figure(result.guinier, result.b_factor, resolution),
        f"Amplitudes of the masked map, {found} (guinier.csv).",
    )


def _add_local_resolution(
    report: Report, result: Postprocessed, local: LocalResolution, pixel_size: float
) -> None:
    curves, threshold = result.found.curves, local.options.threshold
    overall = resolution_at(curves.frequency, curves.corrected, threshold)
    low, high = SHOWN_PERCENTILES
    report.add_figure(
        local_resolution_figure(
            local.filtered.numpy(), local.resolution.numpy(), result.found.mask.numpy(), pixel_size
        ),
        "Resolution around every voxel (locres.mrc), where there is density: where the halves' "
        f"correlation in a Gaussian window {local.options.window:.0f} Å wide falls below "
        f"{threshold:g}. It is coarser than at 0.143: the curve of the whole map falls below "
        f"{threshold:g} at {overall:.1f} Å. Colours end at the {low}nd and {high}th percentile; "
        "the histogram counts all coloured voxels of the volume.",
    )


def _add_particles(report: Report, particles: ReconstructedParticles) -> None:
    report.add_section("Particles")
    step = -(-len(particles.orientation) // _MOST_DIRECTIONS)
    shown = quaternions_from_matrices(particles.orientation[::step])
    report.add_figure(
        orientations_figure(shown),
        "Where the beam of the untilted image came from, as the particle sees it.",
    )
