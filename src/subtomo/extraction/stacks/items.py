"""One item of an extraction: some particles of a tilt series."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from subtomo.extraction.stacks.images import ImageSteps, particle_images
from subtomo.extraction.stacks.plan import view_grid
from subtomo.extraction.stacks.pseudo_subtomograms import (
    Insertion,
    particle_sums,
    write_pseudo_subtomogram,
)
from subtomo.extraction.stacks.settings import StackSettings
from subtomo.formats.atomic import replacing
from subtomo.formats.relion_stack import write_image_stack
from subtomo.geometry.particle_views import particle_views
from subtomo.geometry.tilt_projection import tilt_rotations
from subtomo.jobs.memory import keep_freed_memory
from subtomo.model import Aberrations, ImageTiles, TiltSeries
from subtomo.signal.device import compute_device
from subtomo.signal.power_spectrum import flattening_weights
from subtomo.signal.spectrum_grids import SpectrumGrids, spectrum_grids
from subtomo.signal.view_spectra import image_power
from subtomo.sources.image_tiles import open_image_tiles
from subtomo.sources.series_checks import naming_image


def extract_portion(payload: dict[str, Any]) -> dict[str, int]:
    """Write the images of some particles of a tilt series.

    Parameters
    ----------
    payload : settings, folder, tilt_series, aberrations, positions (m, 3) Å, trajectories
        (m, tilt, 3) Å or None, names (m,) of the files, turns (m, 3, 3) of the boxes

    Returns
    -------
    How many images there are
    """
    keep_freed_memory()
    series: TiltSeries = payload["tilt_series"]
    with naming_image(series):
        return _extract(series, payload)


def _extract(series: TiltSeries, payload: dict[str, Any]) -> dict[str, int]:
    settings: StackSettings = payload["settings"]
    device = compute_device(settings.device)
    tiles = open_image_tiles(series)
    views = particle_views(
        series, payload["positions"], view_grid(settings), trajectories=payload["trajectories"]
    )
    grids = series_grids(series, tiles, payload["aberrations"], settings, device)
    steps = image_steps(settings, device)
    paths = [Path(payload["folder"]) / name for name in payload["names"]]
    pixel_size = series.pixel_size * settings.bin
    if settings.pseudo_subtomograms:
        slopes = tilt_rotations(series)[None, :, :2] @ payload["turns"][:, None]
        insertion = Insertion(settings.final_size, slopes, settings.cutoff_fraction)
        for particle, sums in particle_sums(tiles, views, grids, steps, insertion):
            write_pseudo_subtomogram(paths[particle], sums, settings, pixel_size)
        return {"n_images": len(views)}
    for particle, images in particle_images(tiles, views, grids, steps):
        path = paths[particle].with_name(f"{paths[particle].name}_stack2d.mrcs")
        write_image_stack(path, images.numpy(), pixel_size, float16=settings.float16)
        if settings.write_fourier:
            with replacing(path.with_suffix(".npy")) as temporary:
                np.save(temporary, torch.fft.rfft2(images).numpy())
    return {"n_images": len(views)}


def image_steps(settings: StackSettings, device: str) -> ImageSteps:
    """Give the steps that the settings ask for."""
    return ImageSteps(
        window_size=view_grid(settings).window_size,
        factor=(-1.0 if settings.invert_contrast else 1.0) / settings.bin**2,
        border=settings.border,
        circle_crop=settings.circle_crop,
        circle_precrop=settings.circle_precrop,
        grid_precorrection=settings.grid_precorr,
        device=device,
    )


def series_grids(
    series: TiltSeries,
    tiles: ImageTiles,
    aberrations: Aberrations,
    settings: StackSettings,
    device: str,
) -> SpectrumGrids:
    """Tabulate what multiplies the spectra of a tilt series."""
    whitening = None
    if settings.whiten:
        size = view_grid(settings).window_size
        shells = image_power(tiles, len(series), size)
        whitening = flattening_weights(shells, settings.box_size, settings.bin).to(device)
    return spectrum_grids(
        series,
        settings.box_size,
        series.pixel_size * settings.bin,
        ctf=settings.premultiply_ctf,
        aberrations=aberrations,
        whitening=whitening,
        device=device,
    )
