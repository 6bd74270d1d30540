"""What follows the half maps: resolution, sharpening, local resolution, and their files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from subtomo.averaging.reconstruction.local_resolution import (
    LocalOptions,
    LocalResolution,
    measure_locally,
)
from subtomo.averaging.reconstruction.postprocess_settings import PostprocessOptions
from subtomo.averaging.reconstruction.resolution import HalfMapResolution, half_map_resolution
from subtomo.averaging.reconstruction.sharpening import GuinierPlot, guinier_plot, sharpened
from subtomo.averaging.resolution import write_curves
from subtomo.formats.atomic import replacing
from subtomo.formats.relion_stack import write_relion_volume

_WINDOW = 6.0  # resolutions that a local window is wide
_WINDOW_OF_BOX = (0.25, 0.5)  # parts of the box that it is at least and at most


@dataclass(frozen=True, eq=False)
class Postprocessed:
    """Maps and curves after the reconstruction.

    Parameters
    ----------
    found : mask, curves and resolution
    guinier : amplitudes of the masked map
    b_factor : Å² that the maps are sharpened with
    low_pass : Å of the sharpened map
    sharpened : (n, n, n) sharpened, weighted by the agreement of the halves and low-passed
    local : the resolution around every voxel and the map filtered by it, or None
    """

    found: HalfMapResolution
    guinier: GuinierPlot
    b_factor: float
    low_pass: float
    sharpened: Tensor
    local: LocalResolution | None


def postprocess(
    half1: Tensor,
    half2: Tensor,
    whole: Tensor,
    pixel_size: float,
    options: PostprocessOptions,
    mask: Tensor | None = None,
) -> Postprocessed:
    """Find the resolution of half maps, and sharpen and filter the map of all data.

    Parameters
    ----------
    half1, half2, whole : (n, n, n) float32
    pixel_size : Å
    options : of the reconstruction
    mask : (n, n, n), see :func:`subtomo.averaging.given_mask.given_mask`; None: made

    Returns
    -------
    Postprocessed
    """
    found = half_map_resolution(half1, half2, whole, pixel_size, mask)
    return postprocess_measured(found, half1, half2, whole, pixel_size, options)


def postprocess_measured(
    found: HalfMapResolution,
    half1: Tensor,
    half2: Tensor,
    whole: Tensor,
    pixel_size: float,
    options: PostprocessOptions,
) -> Postprocessed:
    """Sharpen and filter the map of all data, of half maps whose resolution is known.

    Parameters
    ----------
    found : mask, curves and resolution
    half1, half2, whole : (n, n, n) float32
    pixel_size : Å
    options : of the reconstruction

    Returns
    -------
    Postprocessed
    """
    guinier = guinier_plot(
        whole * found.mask, found.curves, found.resolution, coarsest=options.guinier_from
    )
    b_factor = options.b_factor if options.b_factor is not None else guinier.b_factor or 0.0
    low_pass = max(options.low_pass or found.resolution, 2 * pixel_size)
    local = None
    if options.local_resolution:
        length = whole.shape[-1] * pixel_size
        least, most = (part * length for part in _WINDOW_OF_BOX)
        window = options.local_window or float(np.clip(_WINDOW * found.resolution, least, most))
        how = LocalOptions(window, options.local_threshold, 2 * pixel_size, b_factor)
        local = measure_locally(half1, half2, whole, found.mask, pixel_size, how)
    return Postprocessed(
        found=found,
        guinier=guinier,
        b_factor=b_factor,
        low_pass=low_pass,
        sharpened=sharpened(whole, found.curves, b_factor, low_pass, pixel_size),
        local=local,
    )


def write_postprocessed(folder: Path, result: Postprocessed, pixel_size: float) -> None:
    """Write maps and curves.

    Parameters
    ----------
    folder : where
    result : to be written
    pixel_size : Å
    """
    mask = result.found.mask
    volumes = {
        "mask": mask,
        "postprocess": result.sharpened,
        "postprocess_masked": result.sharpened * mask,
    }
    if result.local is not None:
        volumes |= {"locres": result.local.resolution, "locres_filtered": result.local.filtered}
    for name, volume in volumes.items():
        write_relion_volume(folder / f"{name}.mrc", volume.float().numpy(), pixel_size)
    write_curves(folder / "fsc.csv", result.found.curves)
    _write_guinier(folder / "guinier.csv", result.guinier)


def _write_guinier(path: Path, plot: GuinierPlot) -> None:
    """Write the amplitudes as CSV, a row a shell."""
    lines = ["frequency,resolution,ln_amplitude,ln_signal"]
    for i, frequency in enumerate(plot.frequency):
        if i:
            values = f"{plot.measured[i]:.5f},{plot.signal[i]:.5f}"
            lines.append(f"{frequency:.6f},{1 / frequency:.3f},{values}")
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")
