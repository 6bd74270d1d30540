"""Surfaces: from clicks, levels or a segmentation to triangles, normals and points on them."""

from subtomo.picking.surfaces.cropping import crop_points
from subtomo.picking.surfaces.levels import surface_from_levels
from subtomo.picking.surfaces.orientation import point_outward
from subtomo.picking.surfaces.pieces import split_pieces
from subtomo.picking.surfaces.segmentation import surfaces_from_segmentation
from subtomo.picking.surfaces.surface import Surface, SurfacePoints
from subtomo.picking.surfaces.tracking import (
    LevelProposal,
    TrackingSettings,
    propose_next_level,
)
from subtomo.picking.surfaces.unordered import surface_from_points

__all__ = [
    "LevelProposal",
    "Surface",
    "SurfacePoints",
    "TrackingSettings",
    "crop_points",
    "point_outward",
    "propose_next_level",
    "split_pieces",
    "surface_from_levels",
    "surface_from_points",
    "surfaces_from_segmentation",
]
