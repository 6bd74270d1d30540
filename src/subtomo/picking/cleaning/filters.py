"""The filters that settings ask for, for one tomogram."""

from collections.abc import Mapping

from subtomo.counts import some_of
from subtomo.errors import SettingsError
from subtomo.model import Tomogram, Volume, VoxelGrid
from subtomo.picking.cleaning.direction import TiltRange
from subtomo.picking.cleaning.duplicates import Duplicates
from subtomo.picking.cleaning.edge import EdgeDistance
from subtomo.picking.cleaning.lattice_fit import LatticeFit
from subtomo.picking.cleaning.mask import Mask
from subtomo.picking.cleaning.neighbours import Neighbours
from subtomo.picking.cleaning.score import BestScores, ScoreRange
from subtomo.picking.cleaning.settings import CleanSettings
from subtomo.picking.cleaning.surface import NearSurface
from subtomo.picking.cleaning.verdict import Filter
from subtomo.picking.surfaces.surface import Surface

_TOLERANCE = 0.2  # of the spacing of a lattice


def make_filters(
    settings: CleanSettings,
    *,
    grid: VoxelGrid | None,
    mask: Volume | None,
    surfaces: Mapping[str, Surface],
) -> list[Filter]:
    """Make the filters in the order in which they act: by score, by place, by relation.

    Parameters
    ----------
    settings : of the command
    grid : of the tomogram, where it is known
    mask : of the tomogram, where masks are given
    surfaces : of the tomogram, by the name of their model
    """
    s = settings
    filters: list[Filter] = []
    if s.minimum_score is not None or s.maximum_score is not None:
        filters.append(ScoreRange(s.minimum_score, s.maximum_score))
    if s.edge_distance is not None and grid is not None:
        filters.append(EdgeDistance(grid, s.edge_distance))
    if mask is not None:
        filters.append(Mask(mask, s.mask_threshold, s.mask_side == "inside"))
    if s.surface:
        filters.append(
            NearSurface(
                surfaces,
                s.minimum_surface_distance,
                s.maximum_surface_distance,
                s.surface_side,
                s.minimum_normal_angle,
                s.maximum_normal_angle,
            )
        )
    if s.tilt_range is not None:
        filters.append(TiltRange(*s.tilt_range))
    return [*filters, *_relations(settings)]


def grid_of(
    settings: CleanSettings, tomogram: str, given: Mapping[str, Tomogram]
) -> VoxelGrid | None:
    """Give the voxels of a tomogram, with their number; None where no filter needs them.

    Raises
    ------
    SettingsError
        If the distance to its edge is asked for and its size is not known.
    """
    if settings.edge_distance is None:
        return None
    if tomogram in given:
        return given[tomogram].volume.grid
    pixel_size = settings.pixel_size_of(0)
    if settings.tomogram_size is not None and pixel_size is not None:
        return VoxelGrid(pixel_size, settings.tomogram_size)
    known = f" (known: {some_of(given)})" if given else ""
    raise SettingsError(
        f"--edge-distance needs the size of tomogram {tomogram}{known}: give it with --tomograms, "
        "or give --pixel-size and --tomogram-size"
    )


def _relations(settings: CleanSettings) -> list[Filter]:
    """Make the filters that look at the picks around a pick, among those that are left."""
    s = settings
    filters: list[Filter] = []
    if s.minimum_distance is not None or s.by_exclusion_distance:
        filters.append(Duplicates(s.minimum_distance or 0.0, s.by_exclusion_distance, s.per_class))
    if s.neighbour_distance is not None:
        filters.append(
            Neighbours(
                s.neighbour_distance, s.minimum_neighbours, s.maximum_neighbours, s.per_class
            )
        )
    if s.minimum_lattice_fit is not None and s.lattice_spacing is not None:
        tolerance = s.lattice_tolerance
        if tolerance is None:
            tolerance = _TOLERANCE * s.lattice_spacing
        filters.append(
            LatticeFit(
                s.lattice_spacing, tolerance, s.lattice_fold, s.minimum_lattice_fit, s.per_class
            )
        )
    if s.best is not None:
        filters.append(BestScores(s.best))
    return filters
