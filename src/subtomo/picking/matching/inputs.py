"""What a search needs, opened from the settings; the same in every process."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import SettingsError, ShapeError
from subtomo.formats.finite import require_finite
from subtomo.formats.tomogram_names import file_name_of, match_tomogram_names
from subtomo.formats.volumes import read_volume
from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Tomogram, Volume
from subtomo.picking.matching.axis_range import within_axis_range
from subtomo.picking.matching.background import without_structure
from subtomo.picking.matching.cones import Patch, cone_patches, normals_near
from subtomo.picking.matching.settings import MatchSettings, template_name
from subtomo.picking.matching.template import Template, prepare_template
from subtomo.picking.matching.tiling import Tile, Triple, plan_tiles, read_block
from subtomo.picking.matching.whitening import PowerSpectrum, power_spectrum
from subtomo.picking.models.inputs import read_inputs
from subtomo.picking.surfaces.surface import Surface
from subtomo.signal.filters import bandpass
from subtomo.signal.resampling import resample_volume
from subtomo.signal.wedge import missing_wedge, tilt_transfer, wedge_of_series
from subtomo.sources.tomograms import open_tomogram, open_tomograms

T = TypeVar("T")
D = TypeVar("D")
Offset = tuple[float, float, float]

_EDGE_PX = 2  # Fourier voxels of the template's box over which the filters fall
_COARSE_VOXELS = 10  # across the particle, in which its overall shape is left
_SAMPLE_EDGE = 256  # voxels of the tomogram in which that is looked for
_SPECTRUM_EDGE = 160  # voxels: enough to tell the power spectrum
_ROI_SUFFIXES = (".mrc", ".mrc.gz", ".rec", ".map", ".tif", ".tiff")


def open_inputs(settings: MatchSettings) -> list[Tomogram]:
    """Open the tomograms, their values unread."""
    return open_tomograms(settings.tomograms, pixel_size=settings.pixel_size)


@dataclass(frozen=True, eq=False)
class Search:
    """One template in one tomogram.

    Parameters
    ----------
    settings : of the command
    tomogram : to be searched
    which : number of the template
    """

    settings: MatchSettings
    tomogram: Tomogram
    which: int

    @staticmethod
    def open(settings: MatchSettings, tomogram: str, which: int) -> "Search":
        """Open a search by its tomogram's name."""
        opened = open_tomogram(settings.tomograms, tomogram, pixel_size=settings.pixel_size)
        return Search(settings, opened, which)

    @property
    def name(self) -> str:
        """Name of the template."""
        return template_name(self.settings.template[self.which])

    @property
    def stem(self) -> str:
        """Start of the names of the result files."""
        return f"{file_name_of(self.tomogram.name)}_{self.name}"

    @property
    def volume(self) -> Volume:
        """The tomogram's voxels."""
        return self.tomogram.volume

    @cached_property
    def template(self) -> Template:
        """The template at the tomogram's pixel size."""
        return self._prepared(self.volume.pixel_size)

    def _prepared(self, pixel_size: float) -> Template:
        """Prepare the template for a pixel size, Å."""
        s, i = self.settings, self.which
        return prepare_template(
            read_volume(s.template[i], pixel_size=s.template_pixel_size),
            self.name,
            pixel_size=pixel_size,
            diameter=_of(s.diameter, i, None),
            mask=read_volume(s.mask[i], pixel_size=s.template_pixel_size) if s.mask else None,
            mask_edge=s.mask_edge,
            invert=s.invert_template,
            symmetry=_of(s.symmetry, i, "C1"),
            tomogram=self.tomogram if pixel_size == self.volume.pixel_size else None,
        )

    @property
    def background_template(self) -> Template:
        """The template with random phases: what any density of its power scores."""
        return without_structure(self.template, self.settings.seed)

    @cached_property
    def orientations(self) -> NDArray[np.float64]:
        """Quaternions (r, 4), one of each set that the symmetry makes equal."""
        symmetry = self.template.symmetry
        grid = orientation_grid(self.angular_step, symmetry)
        if self.settings.axis_range is None:
            return grid
        found = within_axis_range(grid, symmetry, *self.settings.axis_range)
        if not len(found):
            low, high = self.settings.axis_range
            raise SettingsError(
                f"--axis-range {low:g} {high:g} holds none of the orientations "
                f"{self.angular_step:.3g}° apart; give a wider range or a smaller --angular-step"
            )
        return found

    @property
    def matrices(self) -> NDArray[np.float64]:
        """Rotation matrices (r, 3, 3) of the orientations."""
        return matrices_from_quaternions(self.orientations)

    @property
    def usual_matrices(self) -> NDArray[np.float64]:
        """Rotation matrices that one position is searched in: all, or those of a cone about z."""
        if self.settings.cone is None:
            return self.matrices
        within = self.matrices[:, 2, 2] >= np.cos(np.radians(self.settings.cone))
        return self.matrices[within] if within.any() else self.matrices[:1]

    @property
    def angular_step(self) -> float:
        """Spacing of the orientations, degrees: given, or Crowther's criterion."""
        if self.settings.angular_step is not None:
            return self.settings.angular_step
        resolution = max(self.settings.low_pass or 0.0, 2 * self.volume.pixel_size)
        return float(np.clip(np.degrees(resolution / self.template.diameter), 1, 90))

    @property
    def min_distance(self) -> float:
        """Least distance of two picks, Å."""
        if self.settings.min_distance is not None:
            return self.settings.min_distance
        return 0.6 * self.template.diameter

    @property
    def weighting(self) -> str:
        """How the template is weighted: none, wedge or tilts."""
        if self.settings.weighting != "auto":
            return self.settings.weighting
        if self.settings.tilt_range is not None:
            return "wedge"
        return "none" if self.tomogram.tilt_series is None else "tilts"

    def transfer(self, tile: Tile | None = None) -> Tensor | None:
        """Compute what is left of a density, (n, n, n // 2 + 1), or None for all.

        Parameters
        ----------
        tile : at whose centre; None: at the centre of the tomogram
        """
        shape = (self.template.box,) * 3
        transfer = self._weights(shape, self.volume.pixel_size, self._offset(tile))
        if not self.is_filtered:
            return transfer
        seen = self._filter(shape)
        return seen if transfer is None else seen * transfer

    def coarse_sample(self) -> tuple[NDArray[np.float32], Template, Tensor | None]:
        """Give the middle of the tomogram, the template and its weights in large voxels."""
        coarse = max(self.template.diameter / _COARSE_VOXELS, self.volume.pixel_size)
        cut = tuple(
            slice((n - min(n, _SAMPLE_EDGE)) // 2, (n + min(n, _SAMPLE_EDGE)) // 2)
            for n in self.volume.shape
        )
        middle = np.asarray(self.volume.data[cut], dtype=np.float32)
        volume = Volume(
            -middle if self.settings.invert_tomograms else middle, self.volume.pixel_size
        )
        if coarse > 1.01 * self.volume.pixel_size:
            volume = resample_volume(volume, coarse)
        template = self._prepared(volume.pixel_size)
        block = np.asarray(volume.data, dtype=np.float32)
        weights = self._weights((template.box,) * 3, volume.pixel_size, (0.0, 0.0, 0.0))
        return block, template, weights

    def _weights(self, shape: Triple, px: float, offset: Offset) -> Tensor | None:
        """Compute what the microscope left of a density at an offset from the centre."""
        s, series = self.settings, self.tomogram.tilt_series
        if self.weighting == "none":
            return None
        if self.weighting == "tilts":
            assert series is not None
            return tilt_transfer(shape, px, series, ctf=s.ctf, dose=s.dose, offset=offset)
        if s.tilt_range is not None:
            return missing_wedge(shape, s.tilt_range)
        assert series is not None
        return wedge_of_series(shape, series)

    def _offset(self, tile: Tile | None) -> Offset:
        """Place (x, y, z) of a tile's centre from the tomogram's, Å, that its defocus follows.

        The height along the beam is mirrored with the handedness, so the place is here.
        """
        hand, series = self.settings.defocus_handedness, self.tomogram.tilt_series
        if tile is None or hand == 0 or series is None:
            return 0.0, 0.0, 0.0
        index = [a + (n - 1) / 2 for a, n in zip(tile.first, tile.count, strict=True)]
        position = self.volume.index_to_position(np.array(index[::-1]))
        frame = self.tomogram.frame
        offset = position - np.array(frame.centre)
        x, y, z = (offset if hand is None else offset * hand * series.handedness).tolist()
        return x, y, z

    @property
    def is_filtered(self) -> bool:
        """Whether tomogram and template are filtered."""
        s = self.settings
        return s.low_pass is not None or s.high_pass is not None or s.whiten

    def _filter(self, shape: Sequence[int]) -> Tensor:
        """Make the filter of tomogram and template for a grid (z, y, x)."""
        s, px = self.settings, self.volume.pixel_size
        # the edge is as wide in 1/Å on every grid
        edge = _EDGE_PX * max(shape) / self.template.box
        band = bandpass(shape, px, low_pass=s.low_pass, high_pass=s.high_pass, edge=edge)
        return band * self._spectrum.whitening(shape, px) if s.whiten else band

    @property
    def _reach(self) -> float:
        """How far the filter spreads a point, Å: the longest wavelength twice, or its edges'."""
        wavelength = max(self.settings.low_pass or 0, self.settings.high_pass or 0)
        return max(2 * wavelength, self.template.box * self.volume.pixel_size / _EDGE_PX)

    @cached_property
    def _spectrum(self) -> PowerSpectrum:
        """Power spectrum of the middle of the tomogram, the same for all tiles."""
        cut = []
        for n in self.volume.shape:
            size = min(n, _SPECTRUM_EDGE)
            cut.append(slice((n - size) // 2, (n - size) // 2 + size))
        middle = np.array(self.volume.data[tuple(cut)], dtype=np.float32)
        return power_spectrum(middle, self.volume.pixel_size)

    @cached_property
    def roi(self) -> NDArray[np.bool_] | None:
        """The region to search (z, y, x), or None for all."""
        path = roi_path(self.settings.roi, self.tomogram.name)
        if path is None:
            return None
        region = read_volume(path, pixel_size=self.volume.pixel_size)
        if region.shape != self.volume.shape:
            raise ShapeError(
                f"{path}: region of {region.shape} voxels (z, y, x), tomogram "
                f"{self.tomogram.name} of {self.volume.shape}; expected one grid"
            )
        require_finite(region, path)
        return np.asarray(region.data[...] > 0.5)

    @cached_property
    def surfaces(self) -> dict[str, Surface]:
        """Surfaces of the tomogram, by the name of their model."""
        s, name = self.settings, self.tomogram.name
        read = read_inputs(
            s.surface, {name: self.tomogram}, pixel_size=s.pixel_size, named_by=[name]
        )
        matched = match_tomogram_names([model.tomogram for model in read.models], [name])
        mine = [model for model in read.models if matched.get(model.tomogram) == name]
        made = {model.name: model.surface() for model in mine}
        found = {key: one for key, one in made.items() if one is not None and len(one.faces)}
        if not found:
            raise SettingsError(
                f"--surface {s.surface[0]}: no surface of tomogram {name}; expected a model or a "
                "segmentation of it"
            )
        return found

    def patches(self, tile: Tile) -> list[Patch]:
        """Divide what is searched of a tile by the surface's normal."""
        within = self.settings.surface_distance or self.template.diameter
        index, normal = normals_near(self.surfaces, self.volume, tile, within)
        counts = self.searched(tile)[tuple(index.T)]
        assert self.settings.cone is not None
        return cone_patches(
            tile,
            index[counts],
            normal[counts],
            self.matrices,
            self.settings.cone,
            self.template.box,
        )

    def tiles(self) -> list[Tile]:
        """Tiles of all positions that are searched."""
        first, stop = self._bounds()
        if any(b <= a for a, b in zip(first, stop, strict=True)):
            raise SettingsError(
                f"{self.settings.roi}: no voxel of the region can be searched in tomogram "
                f"{self.tomogram.name} (template {self.name} is {self.template.box} voxels wide)"
            )
        z, y, x = (b - a for a, b in zip(first, stop, strict=True))
        return plan_tiles(first, (z, y, x), self.template.box, largest=self.settings.tile_size)

    def block(self, tile: Tile) -> NDArray[np.float32]:
        """Read the voxels that a tile needs."""
        half = self.template.box // 2
        z, y, x = (a - half for a in tile.first)
        return read_block(
            self.volume,
            (z, y, x),
            tile.block,
            make_filter=self._filter if self.is_filtered else None,
            reach=self._reach,
            invert=self.settings.invert_tomograms,
        )

    def searched(self, tile: Tile) -> NDArray[np.bool_]:
        """Which positions of a tile's block count."""
        box = self.template.box
        z, y, x = (n - box + 1 for n in tile.block)
        counts = np.zeros((z, y, x), dtype=bool)
        inside = tuple(slice(0, n) for n in tile.count)
        counts[inside] = True
        if self.roi is not None:
            counts[inside] = self.roi[
                tuple(slice(a, a + n) for a, n in zip(tile.first, tile.count, strict=True))
            ]
        return counts

    def _bounds(self) -> tuple[Triple, Triple]:
        """First position and the one after the last, (z, y, x)."""
        box, shape = self.template.box, self.volume.shape
        half = box // 2
        low, high = [0, 0, 0], list(shape)
        if not self.settings.pad_edges:
            low, high = [half] * 3, [n - box + half + 1 for n in shape]
        if self.roi is not None:
            for axis in range(3):
                others = tuple(other for other in range(3) if other != axis)
                hit = np.flatnonzero(self.roi.any(axis=others))
                start, stop = (int(hit[0]), int(hit[-1]) + 1) if len(hit) else (0, 0)
                low[axis], high[axis] = max(low[axis], start), min(high[axis], stop)
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def roi_path(roi: Path | None, tomogram: str) -> Path | None:
    """Find the file with the region to search in a tomogram."""
    if roi is None or not roi.is_dir():
        return roi
    for suffix in _ROI_SUFFIXES:
        if (path := roi / f"{tomogram}{suffix}").exists():
            return path
    raise SettingsError(
        f"--roi {roi}: no region for tomogram {tomogram}; expected {tomogram}.mrc in the folder"
    )


def _of(values: Sequence[T], which: int, default: D) -> T | D:
    """Take one of one each, the one for all, or the default where there is none."""
    if not values:
        return default
    return values[which] if len(values) > 1 else values[0]
