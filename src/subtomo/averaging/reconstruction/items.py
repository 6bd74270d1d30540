"""The item of ``subtomo reconstruct`` that adds up a group of particles."""

from typing import Any

import numpy as np
import torch

from subtomo.averaging.reconstruction.group_sums import GroupTask, add_group
from subtomo.averaging.reconstruction.plan import view_grid
from subtomo.averaging.reconstruction.settings import ReconstructionSettings
from subtomo.averaging.reconstruction.views import InsertionGrids, add_views, slice_matrices
from subtomo.geometry.particle_views import particle_views
from subtomo.jobs.memory import keep_freed_memory
from subtomo.model import Aberrations, ImageTiles, TiltSeries
from subtomo.signal.fourier_sums import FourierSums
from subtomo.signal.power_spectrum import flattening_weights
from subtomo.signal.spectrum_grids import spectrum_grids
from subtomo.signal.view_spectra import image_power
from subtomo.sources.image_tiles import open_image_tiles
from subtomo.sources.series_checks import naming_image


def back_project_group(payload: dict[str, Any]) -> dict[str, Any]:
    """Add up the views of a group of particles.

    Parameters
    ----------
    payload : settings, pixel_size (Å, of the map before binning) and task, a `GroupTask` whose
        portions' payloads are: tilt_series, aberrations and particles, a file with positions
        (m, 3) Å, orientations (m, 3, 3), halves (m,), numbers (m,) in their tomogram, from 1, and
        where they move trajectories (m, tilt, 3) Å

    Returns
    -------
    ``n_images`` and ``failures``
    """
    keep_freed_memory()
    task: GroupTask = payload["task"]
    adder = _Adder(payload["settings"], payload["pixel_size"], task.device)
    return add_group(task, adder.add)


class _Adder:
    """Adds portions; keeps the images of the last tilt series open."""

    def __init__(self, settings: ReconstructionSettings, pixel_size: float, device: str) -> None:
        self._settings = settings
        self._pixel_size = pixel_size
        self._device = device
        self._name = ""
        self._tiles: ImageTiles
        self._whitening: torch.Tensor | None = None

    def add(self, sums: dict[int, FourierSums], portion: dict[str, Any]) -> int:
        """Add one portion to sums by half; give the number of images."""
        series: TiltSeries = portion["tilt_series"]
        with naming_image(series):
            return self._add(sums, series, portion)

    def _add(
        self, sums: dict[int, FourierSums], series: TiltSeries, portion: dict[str, Any]
    ) -> int:
        settings = self._settings
        self._open(series)
        with np.load(portion["particles"], allow_pickle=False) as file:
            particles = dict(file)
        views = particle_views(
            series,
            particles["positions"],
            view_grid(settings),
            trajectories=particles.get("trajectories"),
        )
        has_powers = settings.relion_compatible and settings.whiten and not settings.ctf
        add_views(
            sums,
            self._tiles,
            views,
            self._grids(series, portion["aberrations"]),
            particles["orientations"],
            particles["halves"],
            weight_powers=particles["numbers"] if has_powers else None,
        )
        return len(views)

    def _open(self, series: TiltSeries) -> None:
        """Open the images and measure their power, unless they are open already."""
        if self._name == series.name:
            return
        settings = self._settings
        self._tiles = open_image_tiles(series)
        if settings.whiten:
            shells = image_power(self._tiles, len(series), settings.window_size)
            weights = flattening_weights(shells, settings.box_size, settings.bin)
            self._whitening = weights.to(self._device)
        self._name = series.name

    def _grids(self, series: TiltSeries, aberrations: Aberrations) -> InsertionGrids:
        settings = self._settings
        spectra = spectrum_grids(
            series,
            settings.box_size,
            series.pixel_size * settings.bin,
            ctf=settings.ctf,
            aberrations=aberrations,
            whitening=self._whitening,
            device=self._device,
        )
        radii = spectra.ends_above(settings.cutoff_fraction)[:, 0].cpu()
        return InsertionGrids(
            spectra=spectra.cut_off(settings.cutoff_fraction) if settings.ctf else spectra,
            matrices=slice_matrices(series, self._pixel_size, aberrations),
            radii=radii,
            window_size=settings.window_size,
            factor=-1.0 / (settings.window_size * settings.bin),
            subtract=settings.circle_crop,
            device=self._device,
        )
