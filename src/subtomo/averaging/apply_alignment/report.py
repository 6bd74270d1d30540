"""The report of a set of turned boxes."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from subtomo.averaging.apply_alignment.inputs import AlignedInputs
from subtomo.averaging.apply_alignment.maps import AlignedMaps
from subtomo.averaging.apply_alignment.tables import box_names
from subtomo.averaging.figures import (
    centred_extent,
    fsc_figure,
    orientations_figure,
    slices_figure,
)
from subtomo.averaging.resolution import resolution_of
from subtomo.counts import count_of
from subtomo.formats.volumes import read_volume
from subtomo.report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 12  # turned boxes in the gallery
_COLUMNS = 6
_PLANES = 5  # of a box, averaged in its picture


def write_aligned_report(folder: Path, inputs: AlignedInputs, maps: AlignedMaps) -> None:
    """Write slices of the means, some turned boxes and the views.

    Parameters
    ----------
    folder : of the job, with the turned boxes
    inputs : what was turned
    maps : means of it
    """
    particles, pixel_size = inputs.particles, inputs.files.box.pixel_size
    n_tomograms = len(np.unique(particles.tomogram))
    report = Report(
        "Aligned set",
        f"The boxes of {count_of(len(particles), 'particle')} of "
        f"{count_of(n_tomograms, 'tomogram')}, turned to the common axis, which is z.",
    )
    means = {"Weighted mean": maps.weighted, "Plain mean": maps.plain}
    if maps.cylindrical is not None:
        means["Mean about the axis"] = maps.cylindrical
    for title, mean in means.items():
        report.add_section(title)
        report.add_figure(slices_figure(mean.numpy(), pixel_size), f"{title}; protein is bright.")
    report.add_section("Turned boxes")
    report.add_figure(
        gallery_figure(folder, inputs),
        f"The first boxes, seen along y: the mean of {_PLANES} planes; z is up.",
    )
    if maps.curves is not None:
        report.add_section("Resolution")
        report.add_figure(
            fsc_figure(maps.curves),
            f"Half maps against each other: {resolution_of(maps.curves):.1f} Å at FSC 0.143.",
        )
    report.add_section("Views")
    report.add_figure(
        orientations_figure(particles.orientation),
        "Where the beam of the untilted image came from, as the particle sees it.",
    )
    report.write(folder / "report.html")


def gallery_figure(folder: Path, inputs: AlignedInputs) -> "Figure":
    """Show the first turned boxes, seen along y.

    Parameters
    ----------
    folder : of the job
    inputs : what was turned

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    names = box_names(inputs.particles)[0][:_SHOWN].tolist()
    rows = -(-len(names) // _COLUMNS)
    figure = Figure(figsize=(9, 1.7 * rows), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, name in zip(grid, names, strict=False):
        volume = read_volume(folder / name)
        middle = volume.shape[1] // 2
        planes = slice(middle - _PLANES // 2, middle + _PLANES // 2 + 1)
        image = volume.load()[:, planes].mean(axis=1)
        extent = centred_extent(image.shape, volume.pixel_size)
        axes.imshow(image, cmap="gray", origin="lower", extent=extent)
        axes.set_title(name.partition("/")[2].removesuffix(".mrc"), fontsize=8)
    return figure
