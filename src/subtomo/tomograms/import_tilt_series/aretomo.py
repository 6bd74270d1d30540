"""A tilt series that AreTomo aligned."""

import warnings
from dataclasses import replace
from pathlib import Path

from subtomo.errors import SubtomoWarning
from subtomo.formats.aretomo import read_aln, read_aretomo_tilt_series
from subtomo.tomograms.import_tilt_series.aligned import AlignedSeries
from subtomo.tomograms.import_tilt_series.files import SeriesFiles


def read_aretomo(files: SeriesFiles, stack: Path, pixel_size: float | None) -> AlignedSeries:
    """Read a tilt series with the raw stack that AreTomo read, or sorted and wrote.

    Parameters
    ----------
    files : of the series
    stack : the raw images
    pixel_size : Å, or None for the stack's header's

    Warns
    -----
    SubtomoWarning
        If the images were aligned patch by patch too, which is left out.
    """
    alignment = read_aln(files.alignment)
    if alignment.n_patches:
        warnings.warn(
            f"{files.alignment}: local alignments of {alignment.n_patches} patches are left out; "
            "positions on the images are off by as much",
            SubtomoWarning,
            stacklevel=2,
        )
    series = read_aretomo_tilt_series(
        files.alignment, stack=stack, pixel_size=pixel_size, name=files.name
    )
    return AlignedSeries(
        tilt_series=replace(series, extra={}),
        stage_angles=alignment.tilt_angles - alignment.angle_offset,
        sections=alignment.sections,
        n_images=alignment.raw_size[2],
    )
