"""Surfaces: from clicks, levels or a segmentation to triangles, normals and points on them."""

from subtomo.picking.surfaces.surface import Surface, SurfacePoints

__all__ = ["Surface", "SurfacePoints"]
