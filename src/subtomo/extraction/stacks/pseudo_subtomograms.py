"""Pseudo-subtomograms: the images of each particle inserted into a 3D box."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.extraction.stacks.images import ImageSteps, batch_spectra, whole_images
from subtomo.extraction.stacks.settings import StackSettings
from subtomo.formats.relion_stack import write_relion_volume
from subtomo.geometry.particle_views import ParticleViews
from subtomo.model import ImageTiles
from subtomo.signal.pseudo_subtomogram import PseudoSums, insert_slices_forward
from subtomo.signal.pseudo_volumes import (
    data_volume,
    divided_volume,
    per_multiplicity,
    weight_per_multiplicity,
    whole_volume,
)
from subtomo.signal.spectrum_grids import SpectrumGrids


@dataclass(frozen=True, eq=False)
class Insertion:
    """How images are put into a box.

    Parameters
    ----------
    box_size : c, voxels
    slopes : (m, tilt, 2, 3) directions of an image's columns and rows in each particle's box
    cutoff_fraction : least dose weight of a frequency that is inserted
    """

    box_size: int
    slopes: NDArray[np.float64]
    cutoff_fraction: float


def particle_sums(
    tiles: ImageTiles,
    views: ParticleViews,
    grids: SpectrumGrids,
    steps: ImageSteps,
    insertion: Insertion,
) -> Iterator[tuple[int, PseudoSums]]:
    """Compute pseudo-subtomograms, one particle after the other.

    Parameters
    ----------
    tiles : the tilt images
    views : of the particles
    grids : of the tilt series, for boxes of s pixels
    steps : what is done to the images first
    insertion : how they are put into boxes of c voxels

    Yields
    ------
    particle : its index
    sums : on the device of ``steps``

    Notes
    -----
    The images are those of the 2D stacks before they are cut.
    Source: RELION 5, commit 73f0a3c0 (relion_tomo_subtomo).
    """
    s, c = grids.box_size, insertion.box_size
    ends = grids.ends_above(insertion.cutoff_fraction)
    for batch, spectra, transfer in batch_spectra(tiles, views, grids, steps):
        tilts = torch.from_numpy(batch.tilt)
        weights = transfer.square()
        if grids.whitening is not None:
            weights = weights * grids.whitening[tilts]
        images = whole_images(spectra, s, steps)
        spectra = torch.fft.rfft2(torch.fft.ifftshift(images, dim=(1, 2)), norm="ortho")
        slopes = torch.from_numpy(insertion.slopes[batch.particle, batch.tilt] * (c / s))
        particles, first = np.unique(batch.particle, return_index=True)
        for particle, index in zip(particles.tolist(), _ranges(first, len(batch)), strict=True):
            sums = PseudoSums.empty(c, steps.device)
            insert_slices_forward(
                sums, spectra[index], weights[index], slopes[index], ends[tilts[index]].cpu()
            )
            yield particle, sums


def write_pseudo_subtomogram(
    stem: Path, sums: PseudoSums, settings: StackSettings, pixel_size: float
) -> None:
    """Write the volumes of one particle that the settings ask for.

    Parameters
    ----------
    stem : path without what kind of volume it is
    sums : of the particle
    settings : of the command
    pixel_size : Å

    Notes
    -----
    RELION multiplies the data by s / (c · √b), and divides the images by the binning b once; those
    of 2D stacks twice.
    """
    size = sums.box_size
    data = data_volume(sums, settings.box_size * settings.bin**0.5 / size)
    volumes = {"data": data}
    if settings.div:
        volumes["div"] = divided_volume(
            data, sums.weight, snr=settings.snr, taper_px=settings.taper
        )
    if settings.nrm:
        volumes["data_nrm"] = per_multiplicity(data, sums.multiplicity)
    spectra = {"weights": torch.cat([sums.weight, sums.multiplicity])}
    if settings.ctf_volumes:
        spectra["CTF2"] = whole_volume(sums.weight)
    if settings.multi:
        spectra["multi"] = whole_volume(sums.multiplicity)
    if settings.nrm:
        spectra["CTF2_nrm"] = whole_volume(weight_per_multiplicity(sums))
    for of_kind, spacing in ((volumes, pixel_size), (spectra, 1 / pixel_size)):
        for kind, volume in of_kind.items():
            path = stem.with_name(f"{stem.name}_{kind}.mrc")
            write_relion_volume(path, _stored(volume), spacing)


def _ranges(first: NDArray[np.intp], end: int) -> list[slice]:
    """Give the ranges that begin at ``first``."""
    ends = [*first[1:].tolist(), end]
    return [slice(start, stop) for start, stop in zip(first.tolist(), ends, strict=True)]


def _stored(volume: Tensor) -> NDArray[np.float32]:
    values: NDArray[np.float32] = volume.float().cpu().numpy()
    return values
