"""A template made ready for one pixel size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.model import Tomogram, Volume
from subtomo.picking.matching.resampling import resample_about_centre
from subtomo.signal.masks import soft_sphere

FloatVolume = NDArray[np.float32]

_ENERGY = 0.99  # of the density squared, inside the particle; a uniform ball has it at 0.997 r
_LARGEST = 1e15  # of a density, in float32
_MARGIN = 1.1  # diameter over the particle's: some of what surrounds it tells it from others


@dataclass(frozen=True, eq=False)
class Template:
    """A density and its mask on the grid of a tomogram.

    Parameters
    ----------
    name : becomes the particles' ``class_name``
    density : (n, n, n) float32, zyx, protein bright, about zero outside the particle
    mask : (n, n, n) float32, 0 to 1, centred on voxel ``n // 2``
    is_spherical : whether turning leaves the mask as it is
    diameter : Å, of the particle; its mask falls off from there
    symmetry : of the density
    """

    name: str
    density: FloatVolume
    mask: FloatVolume
    is_spherical: bool
    diameter: float
    symmetry: str = "C1"

    @property
    def box(self) -> int:
        """Edge in voxels."""
        return len(self.density)


def prepare_template(
    volume: Volume,
    name: str,
    *,
    pixel_size: float,
    diameter: float | None = None,
    mask: Volume | None = None,
    mask_edge: float | None = None,
    invert: bool = False,
    symmetry: str = "C1",
    tomogram: Tomogram | None = None,
) -> Template:
    """Bring a density to a tomogram's pixel size, protein bright, with its mask.

    Parameters
    ----------
    volume : the density, its particle centred on voxel ``n // 2``
    name : becomes the particles' ``class_name``
    pixel_size : Å of the tomogram
    diameter : Å; default a tenth more than the sphere that holds 99 % of the density squared
    mask : on the density's grid, 0 to 1; default a sphere of the diameter
    mask_edge : Å over which the spherical mask falls to 0; default two pixels of the tomogram
    invert : the density is dark on bright
    symmetry : of the density
    tomogram : that has to have room for the template with its mask

    Raises
    ------
    DataError
        If the density is flat or holds values that are not finite or too large.
    ShapeError
        If the mask is on another grid.
    SettingsError
        If the diameter is not positive or less than two voxels of the tomogram, or the template is
        larger than the tomogram.
    """
    density = _without_background(volume, name, invert=invert)
    if diameter is None:
        diameter = _MARGIN * _diameter(density, name) * volume.pixel_size
    if not diameter >= 2 * pixel_size:
        raise SettingsError(
            f"template {name}: diameter is {diameter:.3g} Å, less than two voxels of "
            f"{pixel_size:g} Å; give a larger --diameter, or check the pixel sizes"
        )
    edge_px = 2.0 if mask_edge is None else mask_edge / pixel_size
    if mask is None:
        radius_px = diameter / 2 / pixel_size
        box = _even(2 * (radius_px + edge_px) + 1)
        _check_room(tomogram, name, box, pixel_size)
        new_mask = soft_sphere((box,) * 3, radius_px, edge_px).numpy()
    else:
        box = _even(max(mask.shape) * mask.pixel_size / pixel_size)
        _check_room(tomogram, name, box, pixel_size)
        new_mask = _resampled_mask(mask, volume, name, pixel_size, box)
    resampled = resample_about_centre(density, volume.pixel_size, pixel_size, box)
    if not resampled[new_mask > 0.5].std() > 0:
        raise DataError(f"template {name} is flat under its mask; expected a density")
    return Template(name, resampled, new_mask, mask is None, diameter, symmetry)


def _check_room(tomogram: Tomogram | None, name: str, box: int, pixel_size: float) -> None:
    """Raise unless the template fits into the tomogram."""
    if tomogram is not None and box > min(tomogram.volume.shape):
        z, y, x = tomogram.volume.shape
        raise SettingsError(
            f"template {name}: {box} voxels of {pixel_size:g} Å with its mask are more than "
            f"tomogram {tomogram.name} has ({x} x {y} x {z}); give a smaller --diameter or a "
            "larger tomogram"
        )


def _even(size: float) -> int:
    """Round up to an even number of voxels."""
    return 2 * int(np.ceil(size / 2))


def _without_background(volume: Volume, name: str, *, invert: bool) -> NDArray[np.float64]:
    """Take off what the box's faces show, and turn the contrast if asked."""
    density = volume.load().astype(np.float64)
    if not np.isfinite(density).all():
        n = int((~np.isfinite(density)).sum())
        raise DataError(f"template {name}: {n} voxels are NaN or infinite; expected a density")
    inner = np.zeros(density.shape, dtype=bool)
    inner[1:-1, 1:-1, 1:-1] = True
    if np.abs(density).max() > _LARGEST:
        raise DataError(
            f"template {name} has values up to {np.abs(density).max():.3g}; expected at most "
            f"{_LARGEST:g}, whose squares can be added up: scale it"
        )
    density -= np.median(density[~inner])
    return -density if invert else density


def _diameter(density: NDArray[np.float64], name: str) -> float:
    """Voxels across the sphere about the centre that holds most of the positive density squared."""
    axes = [np.arange(n) - n // 2 for n in density.shape]
    radius = np.sqrt(sum(g.astype(float) ** 2 for g in np.meshgrid(*axes, indexing="ij"))).ravel()
    energy = np.clip(density, 0, None).ravel() ** 2
    order = np.argsort(radius, kind="stable")
    cumulative = np.cumsum(energy[order])
    if not cumulative[-1] > 0:
        raise DataError(
            f"template {name} is nowhere brighter than at the faces of its box; expected protein "
            "bright inside (--invert-template where it is dark)"
        )
    inside = int(np.searchsorted(cumulative, _ENERGY * cumulative[-1]))
    return 2 * float(radius[order[inside]]) + 1


def _resampled_mask(
    mask: Volume, volume: Volume, name: str, pixel_size: float, box: int
) -> FloatVolume:
    """Bring a given mask to the tomogram's pixel size."""
    if mask.shape != volume.shape or abs(mask.pixel_size / volume.pixel_size - 1) > 0.01:
        raise ShapeError(
            f"mask of {mask.shape} voxels of {mask.pixel_size} Å, template {name} of "
            f"{volume.shape} voxels of {volume.pixel_size} Å; expected one grid"
        )
    values = mask.load()
    if not (np.isfinite(values).all() and values.max() > 0):
        raise DataError(f"mask of template {name} is empty or not finite; expected 0 to 1")
    resampled = resample_about_centre(values, mask.pixel_size, pixel_size, box)
    return np.clip(resampled, 0, 1)
