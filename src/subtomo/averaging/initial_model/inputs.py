"""What an initial model is made of, read and checked."""

from dataclasses import dataclass

import torch
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.given_mask import given_mask
from subtomo.averaging.initial_model.coarse_boxes import box_for_band, coarser_box, crop_volumes
from subtomo.averaging.initial_model.settings import InitialModelSettings
from subtomo.averaging.inputs import BoxFiles, find_boxes
from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.formats.particles import read_particles
from subtomo.formats.volumes import read_volume
from subtomo.geometry.symmetry import symmetry_quaternions
from subtomo.model import Particles
from subtomo.signal.masks import soft_sphere

_LEAST_SHELLS = 2.0  # below which a band cannot tell orientations
_EDGE_PX = 2.5  # of the ball that masks a model, working voxels
_MAX_SHIFT = 1 / 8  # of a box


@dataclass(frozen=True, eq=False)
class ModelInputs:
    """What an initial model is made of.

    Parameters
    ----------
    particles : the table
    files : of their boxes
    working : grid that the search runs on
    output : grid of the model
    radius : of the band, Fourier voxels
    max_shift_px : working voxels
    mask : (s, s, s) on the working grid
    reference : (s, s, s) or None
    """

    particles: Particles
    files: BoxFiles
    working: Box
    output: Box
    radius: float
    max_shift_px: float
    mask: Tensor
    reference: Tensor | None


def read_model_inputs(settings: InitialModelSettings) -> ModelInputs:
    """Read the table, the headers of the boxes, mask and reference; check that they fit together.

    Raises
    ------
    DataError
        If there are fewer particles than models, or the reference is flat.
    ShapeError
        If boxes, mask or reference differ in size.
    SettingsError
        If the boxes cannot hold the frequency or the shift, or the symmetry is unknown.
    """
    symmetry_quaternions(settings.symmetry)
    table = settings.particles
    particles = read_particles(table)
    least = max(2, settings.classes)
    if len(particles) < least:
        raise DataError(f"{table}: {len(particles)} particles; expected at least {least}")
    files = find_boxes(particles, table)
    box = files.box
    output = coarser_box(box, round(box.size / settings.shrink))
    if output.size < 8:
        raise SettingsError(
            f"--shrink {settings.shrink:g} leaves {output.size} voxels of the boxes' {box.size}; "
            "expected at least 8"
        )
    radius = _radius(settings, box, output)
    working = box_for_band(output, radius)
    longest = box.size / 2 * box.pixel_size
    if (settings.max_shift or 0) > longest:
        raise SettingsError(
            f"--max-shift is {settings.max_shift:g} Å, more than half a box ({longest:g} Å); "
            "expected less"
        )
    shift = 2 * longest * _MAX_SHIFT if settings.max_shift is None else settings.max_shift
    return ModelInputs(
        particles=particles,
        files=files,
        working=working,
        output=output,
        radius=radius,
        max_shift_px=shift / working.pixel_size,
        mask=_mask(settings, box, working),
        reference=_reference(settings, box, working),
    )


def _radius(settings: InitialModelSettings, box: Box, output: Box) -> float:
    """Radius of the band in Fourier voxels; refuse one that the boxes cannot hold."""
    nyquist = 1 / (2 * output.pixel_size)
    if settings.filter_to > nyquist * (1 + 1e-9):
        raise SettingsError(
            f"--filter-to is {settings.filter_to:g} 1/Å, finer than two voxels of "
            f"{output.pixel_size:g} Å ({nyquist:.3g} 1/Å); expected less"
        )
    radius = box.size * box.pixel_size * settings.filter_to
    if radius < _LEAST_SHELLS:
        raise SettingsError(
            f"--filter-to is {settings.filter_to:g} 1/Å: boxes of "
            f"{box.size * box.pixel_size:g} Å hold no detail so coarse; expected at least "
            f"{_LEAST_SHELLS / (box.size * box.pixel_size):.3g}"
        )
    return radius


def _mask(settings: InitialModelSettings, box: Box, working: Box) -> Tensor:
    """Bring the mask to the working grid; without one, the ball that fits into the box."""
    given = given_mask(settings, box)
    if given is None:
        radius = working.size / 2 - _EDGE_PX
        return soft_sphere((working.size,) * 3, radius, _EDGE_PX)
    return crop_volumes(given, working.size).clamp(0, 1)


def _reference(settings: InitialModelSettings, box: Box, working: Box) -> Tensor | None:
    """Bring the reference to the working grid."""
    if settings.reference is None:
        return None
    volume = read_volume(settings.reference)
    fits = abs(volume.pixel_size / box.pixel_size - 1) < 1e-3
    if volume.shape != (box.size,) * 3 or not fits:
        raise ShapeError(
            f"{settings.reference}: reference of {volume.shape} voxels of {volume.pixel_size:g} Å "
            f"(z, y, x), boxes have {box.size} of {box.pixel_size:g} Å along each edge; expected "
            "the same: resample it with subtomo bin"
        )
    values = torch.tensor(volume.load(), dtype=torch.float32)
    if not torch.isfinite(values).all() or not values.std() > 0:
        raise DataError(f"{settings.reference}: flat, or holds values that are not finite")
    return crop_volumes(values - values.mean(), working.size)
