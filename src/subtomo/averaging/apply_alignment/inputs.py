"""What is turned and averaged, read and checked."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.given_mask import given_mask
from subtomo.averaging.halves import assign_halves
from subtomo.averaging.inputs import BoxFiles, find_boxes
from subtomo.averaging.settings import AverageSettings
from subtomo.counts import some_of
from subtomo.errors import SettingsError
from subtomo.formats.subtomograms import box_centres
from subtomo.formats.tomogram_names import match_tomogram_names, require_different_files
from subtomo.geometry.rotations import multiply_quaternions
from subtomo.model import Particles, Tomogram
from subtomo.sources.tomograms import open_tomograms

_ROUNDING = 1e-3  # of the ratio of pixel sizes


@dataclass(frozen=True, eq=False)
class AlignedInputs:
    """Particles with boxes that are to be turned.

    Parameters
    ----------
    particles : with the orientations that are applied
    files : of their boxes
    centres : (n, 3) Å, of the boxes in the tomograms
    tomograms : (n,) names of the given tomograms that the boxes were cut from, or None
    binning : voxels of the tomograms in one of the boxes
    has_halves : whether the table says them
    mask : (n, n, n) or None: made around the density
    """

    particles: Particles
    files: BoxFiles
    centres: NDArray[np.float64]
    tomograms: NDArray[np.str_] | None
    binning: int
    has_halves: bool
    mask: Tensor | None


def read_aligned_inputs(settings: AverageSettings, particles: Particles) -> AlignedInputs:
    """Find boxes and tomograms, by their headers, and check that they fit together.

    Parameters
    ----------
    settings : of the command
    particles : of its table, at least one

    Raises
    ------
    DataError
        If halves are known of some particles only, boxes were turned, or a particle lies outside
        its box.
    ShapeError
        If boxes, transfer functions or the mask differ in size.
    SettingsError
        If a tomogram is missing or has other voxels, or an option cannot act.
    """
    files = find_boxes(particles, settings.particles)
    require_different_files(particles.tomogram.tolist())
    has_halves = bool((particles.half > 0).any())
    if has_halves:
        assign_halves(particles, settings.seed)
    elif settings.mask is not None or settings.mask_diameter is not None:
        raise SettingsError(
            f"{settings.particles}: no halves (rlnRandomSubset), so nothing is measured under a "
            "mask; leave --mask and --mask-diameter out"
        )
    if settings.is_changed("seed") and not (has_halves or settings.random_in_plane):
        raise SettingsError(
            f"{settings.particles}: no halves (rlnRandomSubset) and no --random-in-plane, so that "
            "--seed has no effect; leave it out"
        )
    names, binning = None, 1
    if settings.tomograms:
        names, binning = _tomograms_of(particles, settings, files.box)
    return AlignedInputs(
        _applied(particles, settings),
        files,
        box_centres(particles),
        names,
        binning,
        has_halves,
        given_mask(settings, files.box),
    )


def _applied(particles: Particles, settings: AverageSettings) -> Particles:
    """Give the orientations that are applied: the table's, turned about z where asked."""
    if not settings.random_in_plane:
        return particles
    half = np.random.default_rng(settings.seed).uniform(0, np.pi, len(particles))
    turns = np.stack([0 * half, 0 * half, np.sin(half), np.cos(half)], axis=1)
    known = particles.is_oriented
    turned = multiply_quaternions(particles.orientation, turns)
    return particles.with_columns(
        orientation=np.where(known[:, None], turned, particles.orientation), is_oriented=known
    )


def _tomograms_of(
    particles: Particles, settings: AverageSettings, box: Box
) -> tuple[NDArray[np.str_], int]:
    """Find each particle's tomogram, and how many of its voxels are one of the boxes."""
    opened = {t.name: t for t in open_tomograms(settings.tomograms, pixel_size=settings.pixel_size)}
    names, inverse = np.unique(particles.tomogram, return_inverse=True)
    found = match_tomogram_names(names.tolist(), list(opened))
    missing = [name for name in names.tolist() if name not in found]
    if missing:
        raise SettingsError(
            f"{settings.particles}: particles are of tomogram {missing[0]}, which --tomograms does "
            f"not give (it gives {some_of(opened)}); expected all of the table's"
        )
    binnings = {_binning(opened[name], box) for name in found.values()}
    if len(binnings) > 1:
        raise SettingsError(
            f"the tomograms of {settings.particles} differ in pixel size; give those that its "
            "boxes were cut from"
        )
    of_particles = np.array([found[name] for name in names.tolist()], dtype=np.str_)[inverse]
    return of_particles, binnings.pop()


def _binning(tomogram: Tomogram, box: Box) -> int:
    """Count the voxels of a tomogram in one of the boxes."""
    pixel_size = tomogram.volume.pixel_size
    ratio = box.pixel_size / pixel_size
    binning = max(1, round(ratio))
    if abs(ratio / binning - 1) > _ROUNDING:
        raise SettingsError(
            f"tomogram {tomogram.name} has voxels of {pixel_size:g} Å, the boxes "
            f"{box.pixel_size:g} Å; expected the tomograms that the boxes were cut from: give "
            "them or --pixel-size"
        )
    return binning
