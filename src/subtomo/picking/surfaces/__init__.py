"""Surfaces: from clicks, levels or a segmentation to triangles, normals and points on them."""

from subtomo.picking.surfaces.cropping import crop_points
from subtomo.picking.surfaces.levels import surface_from_levels
from subtomo.picking.surfaces.orientation import point_outward
from subtomo.picking.surfaces.surface import Surface, SurfacePoints

__all__ = ["Surface", "SurfacePoints", "crop_points", "point_outward", "surface_from_levels"]
